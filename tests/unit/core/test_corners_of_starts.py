"""Corners of who starts, when and with what, that only one guard protects."""

from __future__ import annotations

from typing import Any

import pytest

from studio.core import commands as verbs
from studio.core.events import AttemptStarted, BreakpointHit, NodeReused
from studio.model.nodes import Edge, NoopSettings, ShellSettings, StandIn
from studio.model.policies import Limits, Retry
from tests.unit.core.driver import Driver, node, undo, workflow

ONE = Limits(max_concurrency=1)


def running(driver: Driver) -> list[tuple[int, str]]:
    """Run and node of each open attempt."""
    return [(flight.run, flight.node) for flight in driver.state.flow.in_flight]


# --------------------------------------------------------------------------- gates


def test_only_the_item_that_was_stepped_into_starts() -> None:
    driver = Driver(node("each", foreach=[1, 2, 3, 4]), limits=Limits(max_concurrency=2))
    driver.verb(verbs.Step, node="each[3]").finish("each[0]")
    assert [name for _run, name in running(driver)] == ["each[1]", "each[3]"]
    driver.finish("each[1]")
    assert driver.states["each[2]"] == "ready"


def test_a_retry_by_hand_passes_a_breakpoint() -> None:
    driver = Driver(node("a"), policy="hold").fail("a").verb(verbs.SetBreakpoint, "a")
    driver.verb(verbs.RetryNode, "a")
    assert driver.states["a"] == "running"
    assert driver.of(BreakpointHit) == []


def test_what_waits_for_a_place_does_not_start_in_a_pause() -> None:
    driver = Driver(node("a"), node("b"), limits=ONE).verb(verbs.PauseRun).finish("a")
    assert driver.states["b"] == "ready"
    driver.verb(verbs.ResumeRun)
    assert driver.states["b"] == "running"


# --------------------------------------------------------------------------- places


def test_a_node_that_was_held_back_stands_in_line_anew() -> None:
    driver = Driver(node("a"), node("b"), node("c"), limits=ONE)
    driver.verb(verbs.HoldNode, "b").verb(verbs.ReleaseNode, "b").finish_all()
    assert driver.started() == ["a", "c", "b"]


def test_a_held_node_lends_its_priority_to_no_other_of_its_run() -> None:
    driver = Driver(node("a"), max_concurrency=1)
    driver.start(workflow(node("high", priority="high"), node("low"), name="second"))
    driver.start(workflow(node("x"), name="third"))
    driver.verb(verbs.HoldNode, "high", run=2)
    driver.verb(verbs.HoldNode, "low", run=2).verb(verbs.ReleaseNode, "low", run=2).finish("a")
    assert running(driver) == [(3, "x")]


def test_without_a_limit_of_the_engine_runs_are_served_in_turn() -> None:
    driver = Driver(node("a"), node("b", "a"))
    driver.start(workflow(node("x"), node("y", "x", priority="high"), name="other"))
    driver.send(
        verbs.FinishAttempt(run=1, node="a", attempt=1),
        verbs.FinishAttempt(run=2, node="x", attempt=1),
    )
    assert running(driver) == [(1, "b"), (2, "y")]


def test_an_item_that_is_no_more_stands_in_no_ones_way() -> None:
    driver = Driver(
        node("a"),
        node("each", "a", foreach=[1, 2]),
        node("o"),
        *(node(name, "o", priority="high") for name in ("x", "y", "z")),
        limits=Limits(max_concurrency=2),
    )
    driver.finish("a").finish("o").verb(verbs.CancelNode, "each").end("each[0]", "stopped")
    driver.verb(verbs.Rerun, start="a").finish("x").finish("y")
    assert running(driver) == [(1, "z"), (1, "a")]


# --------------------------------------------------------------------------- locks


def line(*more: Any) -> Driver:
    """Run 1 holds lock ``l`` by node ``x``; the given nodes are run 2."""
    driver = Driver(node("x", locks=("l",)))
    driver.start(workflow(*more, name="second"))
    return driver


def test_a_node_stands_once_in_a_line_however_often_it_looks() -> None:
    driver = line(node("b", locks=("l",)), node("o"))
    for _ in range(3):
        driver.verb(verbs.PauseRun, run=2).verb(verbs.ResumeRun, run=2)
    assert len(driver.state.flow.waiters["l"]) == 1


def test_who_was_held_back_stands_behind_those_that_came_meanwhile() -> None:
    driver = line(node("b", locks=("l",)), node("c", locks=("l",)))
    driver.verb(verbs.HoldNode, "b", run=2).verb(verbs.ReleaseNode, "b", run=2).finish("x")
    assert running(driver) == [(2, "c")]
    driver.finish("c", run=2)
    assert running(driver) == [(2, "b")]


def test_a_run_that_is_in_memory_no_longer_keeps_nobody_from_a_lock() -> None:
    driver = line(node("b", locks=("l",)))
    driver.start(workflow(node("c", locks=("l",)), name="third"))
    driver.verb(verbs.CancelNode, "b", run=2)
    assert driver.run(2).ended
    driver.check = False  # the history still has the run
    del driver.state.runs[2]
    driver.finish("x")
    assert running(driver) == [(3, "c")]


def test_an_item_that_is_no_more_keeps_nobody_from_a_lock() -> None:
    slow = Retry(strategy="fixed", initial_delay=5, jitter=0)
    driver = Driver(
        node("a"), node("each", "a", foreach="nodes.a.output", locks=("l",), retry=slow)
    )
    driver.finish("a", [1])
    driver.start(workflow(node("x", locks=("l",)), name="second"))
    driver.fail("each[0]").tick(5)
    driver.start(workflow(node("c", locks=("l",)), name="third"))
    driver.verb(verbs.CancelNode, "each").verb(verbs.Rerun, start="a").finish("a", [])
    driver.finish("x", run=2)
    assert running(driver) == [(3, "c")]


def test_a_node_that_was_cancelled_keeps_no_lock_while_the_undo_of_its_run_is_stuck() -> None:
    driver = line(
        node("u", compensate=undo(retry=Retry(strategy="none"))),
        node("w", locks=("l",)),
        node("bad", "u"),
    )
    driver.start(workflow(node("c", locks=("l",)), name="third"))
    driver.finish("u", run=2).fail("bad", run=2).fail("u", run=2, undo=True).finish("x")
    assert driver.at("w", 2).status == "cancelled"
    assert running(driver) == [(3, "c")]


def test_an_undo_that_gets_one_of_its_locks_waits_for_the_other() -> None:
    driver = Driver(node("u", locks=("k", "l"), compensate=undo()), node("bad", "u")).finish("u")
    driver.start(workflow(node("k", locks=("k",)), node("l", locks=("l",)), name="second"))
    driver.fail("bad").finish("k", run=2)
    assert (driver.undone(), driver.shown()) == ([], "compensating")
    driver.finish("l", run=2)
    assert driver.undone() == ["u"]


def test_a_retry_by_hand_that_waits_for_a_lock_does_not_start_in_the_middle_of_an_undo() -> None:
    driver = Driver(
        node("a", compensate=undo()),
        node("c", compensate=undo()),
        node("b", locks=("l",)),
        policy="hold",
    )
    driver.finish("a").finish("c").fail("b")
    driver.start(workflow(node("x", locks=("l",)), name="second"))
    driver.verb(verbs.RetryNode, "b")
    driver.verb(verbs.Compensate, nodes=("a", "c"))
    driver.finish("x", run=2)
    assert driver.at("b").status == "ready"
    driver.finish("c", undo=True).finish("a", undo=True)
    assert driver.at("b").status == "running"


# --------------------------------------------------------------------------- inputs


def test_an_input_that_cannot_be_evaluated_fails_the_node_and_says_where() -> None:
    wrong = {"x": {"y": "{{ nodes.a.output < 'z' }}"}}
    driver = Driver(node("a"), node("b", "a", input=wrong)).finish("a", 1)
    failure = driver.at("b").failure
    assert failure is not None
    assert (failure.type, driver.started()) == ("ExpressionError", ["a"])
    assert failure.message.startswith("with.x.y: ")


def test_a_list_that_cannot_be_evaluated_fails_the_node_and_says_so() -> None:
    driver = Driver(node("a"), node("each", "a", foreach="nodes.a.output < 'z'")).finish("a", 1)
    failure = driver.at("each").failure
    assert failure is not None
    assert (failure.type, driver.started()) == ("ExpressionError", ["a"])
    assert failure.message.startswith("foreach: ")


# --------------------------------------------------------------------------- what is reused


def again(driver: Driver, value: Any) -> Driver:
    """Run ``a`` again, and what follows where its input differs; ``a`` gives a value."""
    return driver.verb(verbs.RetryNode, "a", downstream=True).finish("a", value)


def test_a_node_retried_by_hand_is_not_reused_though_its_input_is_the_same() -> None:
    driver = Driver(node("a"), node("b", "a")).finish("a", 1).finish("b", 2)
    driver.verb(verbs.RetryNode, "a", downstream=True).verb(verbs.HoldNode, "b").finish("a", 1)
    driver.verb(verbs.RetryNode, "b")
    assert (driver.states["b"], driver.of(NodeReused)) == ("running", [])


def test_a_node_is_not_reused_for_the_input_of_an_attempt_that_failed() -> None:
    b = node("b", "a", input={"v": "{{ nodes.a.output }}"})
    driver = Driver(node("a"), b, policy="continue").finish("a", 1).finish("b", "one")
    again(driver, 2).fail("b")
    again(driver, 2)
    assert (driver.states["b"], driver.of(NodeReused)) == ("running", [])
    driver.finish("b", "two")
    assert again(driver, 2).states["b"] == "reused"
    assert driver.output("b") == "two"


def test_what_stands_in_is_tried_though_an_earlier_result_was_kept() -> None:
    value: Any = {"v": "{{ nodes.a.output }}"}
    instead = StandIn(kind=NoopSettings(), input=value)
    driver = Driver(node("a"), node("b", "a", input=value, fallback=instead))
    again(driver.finish("a", 1).finish("b"), 2).fail("b")
    assert driver.of(AttemptStarted, "b")[-1].stand_in
    assert driver.states["b"] == "running"


def test_a_node_that_never_ran_is_not_reused() -> None:
    driver = Driver(node("a"), node("b", "a"), policy="hold")
    driver.verb(verbs.MarkNode, "b", outcome="succeeded").finish("a")
    assert again(driver, 1).states["b"] == "running"


SPLIT = "{{ nodes.a.output[0] }}{{ secrets.TOKEN }}{{ nodes.a.output[1] }}"
"""The same text for ``["xy", ""]`` and ``["", "xy"]``, with the secret in another place."""


@pytest.mark.parametrize(
    "keys",
    [
        {"kind": ShellSettings(run="echo {{ nodes.a.output[0] }}")},
        {"kind": ShellSettings(run="true", env={"T": SPLIT})},
        {"input": {"t": SPLIT}},
    ],
)
def test_a_node_is_reused_only_if_settings_and_secrets_are_where_they_were(keys: Any) -> None:
    driver = Driver(node("a"), node("b", "a", **keys)).finish("a", ["xy", ""]).finish("b")
    assert again(driver, ["xy", ""]).states["b"] == "reused"
    assert again(driver, ["", "xy"]).states["b"] == "running"


def test_conditions_behind_a_reused_node_see_its_output() -> None:
    driver = Driver(node("a"), node("b", "a"), node("c", Edge(source="b", when="output == 2")))
    again(driver.finish("a").finish("b", 2).finish("c"), None)
    assert driver.states == {"a": "succeeded", "b": "reused", "c": "reused"}


def test_a_retry_by_hand_waits_for_what_runs_first_in_the_run_it_opens_again() -> None:
    driver = Driver(
        node("first"),
        node("bad", when="1 < 'a'"),
        node("last", [Edge(source="first", on="any"), "bad"], join="settled"),
        policy="fail",
    )
    assert driver.states == {"first": "cancelled", "bad": "failed", "last": "running"}
    driver.fail("last").verb(verbs.RetryNode, "last")
    assert driver.states == {"first": "running", "bad": "failed", "last": "blocked"}
    driver.finish("first")
    assert driver.states["last"] == "running"
