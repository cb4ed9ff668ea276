"""Any sequence of verbs, ends and time on any graph: always an answer, and the history says it all."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from studio.core import commands as verbs
from studio.core.commands import AnyCommand
from studio.model.nodes import Edge, Node, NoopSettings, StandIn, WaitSettings
from studio.model.policies import Breakpoint, CompensationPolicy, Fallback, Limits, Repeat, Retry
from studio.projections.needs import needs_of
from tests.unit.core.driver import Driver, node, undo

FAST = Retry(strategy="fixed", max_attempts=2, initial_delay=3, jitter=0)


@st.composite
def graphs(draw: st.DrawFn) -> list[Node]:
    """Up to six nodes with everything a node can have."""
    names = [f"n{number}" for number in range(draw(st.integers(1, 6)))]
    return [_node(draw, name, names[:index]) for index, name in enumerate(names)]


def _node(draw: st.DrawFn, name: str, before: list[str]) -> Node:
    sources = draw(st.lists(st.sampled_from(before), max_size=2, unique=True)) if before else []
    needs = [
        Edge(source=source, on=draw(st.sampled_from(["success", "success", "failure", "any"])))
        for source in sources
    ]
    keys: dict[str, Any] = {
        "join": draw(st.sampled_from(["all", "all", "any", "first", "settled"])),
        "kind": draw(st.sampled_from([NoopSettings(), NoopSettings(), WaitSettings(duration=4.0)])),
        "side_effects": draw(st.sampled_from(["none", "external"])),
        "critical": draw(st.sampled_from([True, True, False])),
        "cancel_losers": draw(st.booleans()),
        "locks": draw(st.sampled_from([(), (), ("l",), ("l", "m")])),
    }
    extras: dict[str, Any] = {
        "foreach": [1, 2, 3],
        "retry": FAST,
        "timeout": 5.0,
        "fallback": draw(
            st.sampled_from([Fallback(value=0), StandIn(kind=NoopSettings(), retry=FAST)])
        ),
        "repeat": Repeat(until="output", every=2, max=3),
        "compensate": undo(retry=FAST),
        "breakpoint": Breakpoint(on=draw(st.sampled_from(["before", "after", "failure"]))),
        "input": {"x": f"{{{{ nodes.{before[0]}.output }}}}"} if before else {},
    }
    chosen = draw(st.lists(st.sampled_from(sorted(extras)), max_size=3, unique=True))
    keys.update({key: extras[key] for key in chosen})
    if "foreach" in chosen:
        keys["on_item_failure"] = draw(st.sampled_from(["fail", "continue", "hold"]))
        keys["max_parallel"] = draw(st.sampled_from([None, 1, 2]))
    return node(name, needs, **keys)


def _ends(run: int, driver: Driver) -> list[AnyCommand]:
    outcomes: list[Any] = ["succeeded", "succeeded", "failed", "stopped", "vanished", "lost"]
    return [
        verbs.FinishAttempt(
            run=run, node=flight.node, attempt=flight.attempt, undo=flight.undo, outcome=outcome,
            output=msgspec.Raw(b"1" if index else b"0"),
        )
        for flight in driver.flights(run)
        for index, outcome in enumerate(outcomes)
    ]  # fmt: skip


def _by_hand(name: str) -> list[AnyCommand]:
    outcomes: list[Any] = ["succeeded", "skipped", "ignored", "failed"]
    return [
        verbs.CancelNode(run=1, node=name),
        verbs.HoldNode(run=1, node=name),
        verbs.ReleaseNode(run=1, node=name),
        verbs.RetryNode(run=1, node=name),
        verbs.RetryNode(run=1, node=name, downstream=True),
        *[verbs.MarkNode(run=1, node=name, outcome=outcome) for outcome in outcomes],
        verbs.OverrideInput(run=1, node=name, input={"x": 7}),
        verbs.OverrideOutput(run=1, node=name, output=msgspec.Raw(b"5")),
        verbs.SetBreakpoint(run=1, node=name, on="after"),
        verbs.Continue(run=1, node=name),
        verbs.Compensate(run=1, nodes=(name,), downstream=True),
        verbs.Compensate(run=1, nodes=(name,), force=True, reason="because"),
        verbs.Rerun(run=1, start=name.split("[", maxsplit=1)[0]),
        verbs.Step(run=1, node=name),
    ]


RUN_VERBS: list[AnyCommand] = [
    verbs.PauseRun(run=1),
    verbs.ResumeRun(run=1),
    verbs.CancelRun(run=1),
    verbs.Compensate(run=1),
    verbs.Rerun(run=1),
    verbs.Step(run=1),
    verbs.Continue(run=1),
]


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(graphs(), st.sampled_from(["hold", "fail", "continue"]), st.data())
def test_every_sequence_is_answered_and_replays(
    nodes: list[Node], policy: Any, data: st.DataObject
) -> None:
    for one in nodes:
        note(repr(one.deviations()))
    driver = Driver(
        *nodes,
        policy=policy,
        limits=Limits(timeout=40, retry_budget=6, max_concurrency=2),
        compensation=CompensationPolicy(timeout=20),
    )
    for _ in range(data.draw(st.integers(1, 18))):
        kind = data.draw(st.sampled_from(["end", "end", "end", "hand", "run", "tick", "restart"]))
        if kind == "tick":
            driver.tick(data.draw(st.sampled_from([1.0, 3.0, 30.0])))
            continue
        if kind == "restart":
            driver.reload()
            continue
        choices = RUN_VERBS
        if kind == "end":
            choices = _ends(1, driver)
        elif kind == "hand":
            choices = _by_hand(data.draw(st.sampled_from(sorted(driver.run().nodes))))
        if choices:
            command = data.draw(st.sampled_from(choices))
            note(f"{command}")
            driver.send(command)
        if driver.shown() == "attention":
            needs = needs_of(driver.state, driver.run())
            assert any(need.hints for need in needs), f"nothing says what to do: {needs}"
            assert all(need.why or need.state != "blocked" for need in needs)


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(graphs(), st.sampled_from(["fail", "continue"]), st.data())
def test_what_is_left_alone_comes_to_an_end_or_needs_a_person(
    nodes: list[Node], policy: Any, data: st.DataObject
) -> None:
    plain = [msgspec.structs.replace(one, breakpoint=None) for one in nodes]
    driver = Driver(*plain, policy=policy, limits=Limits(max_concurrency=2), check=False)
    for _ in range(400):
        ends = _ends(1, driver)
        if ends:
            driver.send(data.draw(st.sampled_from(ends[:3])))
        elif driver.timers:
            driver.tick(60)
        else:
            break
    assert driver.run().ended or driver.shown() == "attention"
    assert not driver.flights()
