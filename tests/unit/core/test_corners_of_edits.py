"""What an edit means for a run, and how it is told, where only one guard decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from studio.core import commands as verbs
from studio.core.events import AttemptStarted
from studio.core.plan import Plan
from studio.core.revision import is_mixed, review
from studio.model.nodes import Edge, ShellSettings, StandIn
from studio.model.policies import Fallback
from tests.unit.core.driver import Driver, node, undo, workflow
from tests.unit.core.test_revising import revise

# --------------------------------------------------------------------------- how a difference is told


def told(before: dict[str, Any], after: dict[str, Any]) -> str:
    """What is said of an edit of node n, whose upstreams are a and b."""
    driver = Driver(node("a"), node("b"), node("n", **before))
    plan = Plan(workflow(node("a"), node("b"), node("n", **after)))
    (verdict,) = review(driver.run(), plan, {})
    return verdict.reason


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ({"x": ""}, {"x": "y"}, 'with.x: "" → y'),
        ({"x": []}, {"x": [1]}, "with.x: [] → [1]"),
        ({"x": [{"a": 1}]}, {"x": [{}]}, 'with.x: [{"a": 1}] → [{}]'),
        ({"x": [{"source": "s", "n": 1}]}, {"x": 2}, 'with.x: [{"source": "s", "n": 1}] → 2'),
        ({"needs": "s"}, {"needs": "t"}, "with.needs: s → t"),
        ({"kind": "s"}, {"kind": "t"}, "with.kind: s → t"),
        ({"input": "s"}, {"input": "t"}, "with.input: s → t"),
    ],
)
def test_values_of_an_input_are_told_under_the_names_that_they_have_in_the_file(
    before: Any, after: Any, text: str
) -> None:
    assert told({"input": before}, {"input": after}) == text


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        (None, "a", "needs: nothing → a"),
        (
            "a",
            ["a", Edge(source="b", on="any", handles=False)],
            "needs: a → a, b (on any, handles false)",
        ),
        ("a", Edge(source="a", when="output"), "needs: a → a (when output)"),
    ],
)
def test_an_edge_is_told_by_where_it_comes_from_and_when_it_is_taken(
    before: Any, after: Any, text: str
) -> None:
    assert told({"needs": before}, {"needs": after}) == text


@pytest.mark.parametrize(
    ("key", "before", "after", "text"),
    [
        ("compensate", undo(input={"x": 1}), undo(input={"x": 2}), "compensate.with.x: 1 → 2"),
        (
            "fallback",
            StandIn(kind=ShellSettings(run="a"), input={"input": 1}),
            StandIn(kind=ShellSettings(run="b"), input={"input": 2}),
            "fallback.run: a → b, fallback.with.input: 1 → 2",
        ),
        (
            "fallback",
            Fallback(value={"kind": 1, "input": 1}),
            Fallback(value={"kind": 2, "input": 2}),
            "fallback.value.kind: 1 → 2, fallback.value.input: 1 → 2",
        ),
        ("compensate", None, undo(), 'compensate: nothing → {"kind": {"uses": "noop"}}'),
    ],
)
def test_what_is_carried_out_for_a_node_is_told_by_the_keys_of_the_file(
    key: str, before: Any, after: Any, text: str
) -> None:
    assert told({key: before}, {key: after}) == text


# --------------------------------------------------------------------------- a failed node that is retried


def failed() -> Driver:
    return Driver(node("a"), node("b", "a"), policy="hold").finish("a").fail("b")


READS = {"x": "{{ nodes.fresh.output }}"}


def test_a_failed_node_is_retried_only_when_an_upstream_that_the_edit_added_is_done() -> None:
    driver = failed()
    revise(driver, node("a"), node("fresh"), node("b", ["a", "fresh"], input=READS))
    assert driver.states["b"] == "blocked"
    driver.finish("fresh", 7)
    assert driver.of(AttemptStarted, "b")[-1].input == {"x": 7}


def test_a_failed_node_is_retried_only_when_an_upstream_that_changed_too_has_run_again() -> None:
    driver = failed()
    revise(driver, node("a", input={"y": 1}), node("b", "a", input={"x": "{{ nodes.a.output }}"}))
    assert driver.states == {"a": "running", "b": "blocked"}
    driver.finish("a", 7)
    assert driver.of(AttemptStarted, "b")[-1].input == {"x": 7}


def test_a_failed_node_that_has_to_wait_for_its_retry_starts_past_no_gate() -> None:
    driver = failed()
    revise(driver, node("a", input={"y": 1}), node("b", "a", input={"x": 1}))
    driver.verb(verbs.PauseRun).finish("a")
    assert driver.states["b"] == "ready"
    driver.verb(verbs.ResumeRun).finish("b")
    assert driver.shown() == "succeeded"


def test_a_failed_node_is_skipped_when_the_edit_leaves_it_nothing_to_follow() -> None:
    driver = Driver(node("a"), node("b", "a"), node("x"), policy="hold")
    driver.finish("a").fail("b")
    never = Edge(source="a", when="false")
    revise(driver, node("a"), node("b", never, input={"x": 1}), node("x"))
    assert driver.states["b"] == "skipped"


# --------------------------------------------------------------------------- what stands in the way, what is mixed


def test_a_list_that_is_under_way_does_not_stand_in_the_way_of_an_edit_elsewhere() -> None:
    driver = Driver(node("each", foreach=[1, 2]), node("x"))
    revise(driver, node("each", foreach=[1, 2]), node("x"), node("y"))
    assert driver.states["y"] == "running"


def adopted(**keys: Any) -> Driver:
    """a -> b, done under a first definition; a second one adds ``z``."""
    driver = Driver(node("a"), node("b", "a"), **keys).finish("a").finish("b")
    return revise(driver, node("a"), node("b", "a"), node("z")).finish("z")


def paused(driver: Driver) -> Driver:
    return driver.verb(verbs.Rerun, start="a").verb(verbs.PauseRun).finish("a")


def held(driver: Driver) -> Driver:
    return driver.verb(verbs.Rerun, start="a").verb(verbs.HoldNode, "b").finish("a")


def rerun(driver: Driver) -> Driver:
    return driver.verb(verbs.Rerun, start="a")


@pytest.mark.parametrize(
    ("scene", "status"), [(rerun, "blocked"), (paused, "ready"), (held, "held")]
)
def test_what_is_about_to_run_again_does_not_make_a_run_mixed(
    scene: Callable[[Driver], Driver], status: str
) -> None:
    driver = adopted()
    assert is_mixed(driver.run())
    assert scene(driver).states["b"] == status
    assert not is_mixed(driver.run())


def test_a_node_that_never_ran_does_not_make_a_run_mixed() -> None:
    driver = Driver(node("a"), node("s", "a", when="false"), stepping=True)
    revise(driver, node("a", input={"x": 1}), node("s", "a", when="false"))
    driver.verb(verbs.Continue).finish("a")
    assert driver.states["s"] == "skipped"
    assert not is_mixed(driver.run())
