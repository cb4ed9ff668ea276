"""Random graphs with scripted outcomes: the core against the brute-force model, step by step."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from studio.core import commands as verbs
from studio.model.nodes import BranchSettings, Case, Edge, Node, NoopSettings
from tests.properties.brute_force import Arrow, Box, Paper
from tests.unit.core.driver import Driver

CONDITIONS: dict[bool | None, str | None] = {True: None, False: "1 > 2", None: "1 < 'a'"}
"""The same condition for the core: none or false, or one that fails when it is evaluated."""

mostly = st.sampled_from([True, True, True, True, True, False, None])


@st.composite
def papers(draw: st.DrawFn) -> Paper:
    """A workflow of up to nine nodes with every kind of join and edge."""
    names = [f"n{number}" for number in range(draw(st.integers(1, 9)))]
    boxes, arrows = [], []
    for index, name in enumerate(names):
        join = draw(st.sampled_from(["all", "all", "any", "first", "settled"]))
        boxes.append(Box(name, join, draw(mostly), draw(st.sampled_from([True, True, False]))))
        sources = (
            draw(st.lists(st.sampled_from(names[:index]), max_size=3, unique=True)) if index else []
        )
        for source in sources:
            on = draw(
                st.sampled_from(["success", "success", "success", "failure", "failure", "any"])
            )
            port = draw(st.sampled_from([None, None, None, "x"])) if on != "failure" else None
            handles = draw(st.booleans()) if on == "failure" else True
            arrows.append(Arrow(source, name, on, port, draw(mostly), handles))
    policy = draw(st.sampled_from(["hold", "fail", "continue"]))
    return Paper(boxes, arrows, policy)


def to_node(paper: Paper, box: Box) -> Node:
    ported = any(arrow.port for arrow in paper.arrows if arrow.source == box.name)
    kind: Any = (
        BranchSettings(cases=(Case(port="x", when="true"),), otherwise="y")
        if ported
        else NoopSettings()
    )
    return Node(
        id=box.name,
        kind=kind,
        join=box.join,  # type: ignore[arg-type]  # drawn
        when=CONDITIONS[box.when],
        critical=box.critical,
        needs=tuple(
            Edge(
                source=arrow.source,
                on=arrow.on,  # type: ignore[arg-type]  # drawn
                port=arrow.port,
                when=CONDITIONS[arrow.condition],
                handles=arrow.handles,
            )
            for arrow in paper.into(box.name)
        ),
    )


def compare(paper: Paper, driver: Driver) -> None:
    states = {
        path: "idle" if state in ("blocked", "ready", "held") else state
        for path, state in driver.states.items()
    }
    assert states == paper.state
    fates = {name: driver.at(name).disposition for name in paper.fate}
    assert fates == paper.fate
    assert driver.shown() == paper.phase()


def let_finish(paper: Paper, driver: Driver, data: st.DataObject) -> None:
    """Let what runs end, in a drawn order with drawn outcomes, until nothing runs."""
    while running := paper.running():
        name = data.draw(st.sampled_from(running))
        ok = data.draw(st.sampled_from([True, True, False]))
        port = data.draw(st.sampled_from(["x", "y"])) if ok else ""
        note(f"{name} {'succeeds' if ok else 'fails'} {port}")
        paper.finish(name, ok, port)
        if ok:
            driver.finish(name, port=port)
        else:
            driver.fail(name)
        compare(paper, driver)


def begin(paper: Paper) -> Driver:
    nodes = [to_node(paper, box) for box in paper.boxes]
    note("\n".join(f"{arrow}" for arrow in paper.arrows))
    note("\n".join(f"{box}" for box in paper.boxes) + f"\n{paper.policy}")
    driver = Driver(*nodes, policy=paper.policy, check=False)  # type: ignore[arg-type]  # drawn
    order = list(driver.run().plan.order)
    paper.boxes.sort(key=lambda box: order.index(box.name))
    paper.begin()
    return driver


relaxed = settings(
    max_examples=250,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@relaxed
@given(papers(), st.data())
def test_every_node_and_the_run_come_to_the_same_end(paper: Paper, data: st.DataObject) -> None:
    driver = begin(paper)
    compare(paper, driver)
    let_finish(paper, driver, data)
    driver.check_replay()
    driver.check_counts()


@relaxed
@given(papers(), st.data())
def test_the_same_after_marks_and_retries_by_hand(paper: Paper, data: st.DataObject) -> None:
    driver = begin(paper)
    let_finish(paper, driver, data)
    for _ in range(data.draw(st.integers(1, 3))):
        failed = [name for name, state in paper.state.items() if state == "failed"]
        other = [name for name, state in paper.state.items() if state in ("skipped", "cancelled")]
        if not failed + other:
            break
        name = data.draw(st.sampled_from(failed + other))
        choices = ["succeeded", "skipped"]
        if name in failed:
            choices += ["ignored", "retry"]
            if paper.fate[name] == "held":
                choices.append("failed")
        choice: Any = data.draw(st.sampled_from(choices))
        if choice == "retry" and (paper.verdict(name) != "go"):
            driver.refused(verbs.RetryNode(run=1, node=name))
            continue
        note(f"{name}: {choice}")
        if choice == "retry":
            paper.retry(name)
            driver.verb(verbs.RetryNode, name)
        else:
            if choice == "succeeded" and driver.at(name).plan.node.ports:
                driver.verb(verbs.MarkNode, name, outcome=choice, port="y")
            else:
                driver.verb(verbs.MarkNode, name, outcome=choice)
            paper.mark(name, choice)
        compare(paper, driver)
        let_finish(paper, driver, data)
    driver.check_replay()
    driver.check_counts()
