"""Corners that only one guard protects."""

from __future__ import annotations

from typing import Any

import pytest

from studio.core import commands as verbs
from studio.core.events import (
    AttemptStarted,
    AttemptStopRequested,
    NodeReleased,
    RunCancelRequested,
    RunTimedOut,
)
from studio.model.nodes import Edge, WaitSettings
from studio.model.policies import CompensationPolicy, Fallback, Limits, Repeat, Retry
from tests.unit.core.driver import Driver, node, undo, workflow


def test_an_attempt_that_is_being_stopped_is_not_stopped_again_by_its_time_limit() -> None:
    driver = Driver(node("a", timeout=5)).verb(verbs.CancelNode, "a").tick(5)
    assert [event.cause for event in driver.of(AttemptStopRequested)] == ["operator"]
    assert driver.end("a", "stopped").states["a"] == "cancelled"


def test_an_undo_has_a_time_limit_of_its_own() -> None:
    quick = undo(timeout=7, retry=Retry(strategy="none"))
    driver = Driver(node("a", compensate=quick, timeout=99), node("bad", "a")).finish("a")
    driver.fail("bad").tick(7)
    assert driver.of(AttemptStopRequested)[0].undo
    driver.end("a", "vanished", undo=True)
    failure = driver.at("a").failure
    assert failure is not None
    assert failure.message == "the undo gave no result within 7 s"


def test_the_time_limit_of_a_run_does_not_interrupt_its_undo() -> None:
    driver = Driver(
        node("a", compensate=undo()), node("bad", "a"), limits=Limits(timeout=10)
    ).finish("a")
    driver.fail("bad").tick(10)
    assert driver.of(RunTimedOut) == []
    assert driver.finish("a", undo=True).shown() == "compensated"


def test_items_that_wait_are_cancelled_with_their_foreach() -> None:
    driver = Driver(node("each", foreach=[1, 2], kind=WaitSettings(duration=9.0)))
    driver.verb(verbs.CancelNode, "each")
    assert set(driver.states.values()) == {"cancelled"}
    assert driver.timers == {}


def test_an_item_is_retried_whatever_its_foreach_follows() -> None:
    driver = Driver(node("a"), node("each", "a", foreach=[1], on_item_failure="hold"))
    driver.finish("a").fail("each[0]").verb(verbs.RetryNode, "each[0]").finish("each[0]")
    assert driver.shown() == "succeeded"


def test_a_retry_past_a_broken_edge_tells_what_is_broken() -> None:
    driver = Driver(node("a"), node("b", Edge(source="a", when="output < 'x'"))).finish("a", 1)
    text = driver.refused(verbs.RetryNode(run=1, node="b"))
    assert text.startswith("cannot retry b: condition of the edge from a: ")


def test_a_skipped_node_marked_succeeded_makes_no_handler_stale() -> None:
    driver = Driver(
        node("a"),
        node("s", Edge(source="a", on="failure")),
        node("h", Edge(source="s", on="failure")),
        node("x", join="settled", needs=["h"]),
    ).finish("a")
    driver.verb(verbs.MarkNode, "h", outcome="succeeded").verb(
        verbs.MarkNode, "s", outcome="succeeded"
    )
    assert "stale" not in driver.at("h").marks


def test_a_run_is_cancelled_once() -> None:
    driver = Driver(node("a")).verb(verbs.CancelRun)
    assert driver.refused(verbs.CancelRun(run=1)) == "run 1 is being cancelled already"
    assert len(driver.of(RunCancelRequested)) == 1


def test_a_repeat_does_not_go_on_in_a_failing_run() -> None:
    driver = Driver(node("a", repeat=Repeat(until="output")), node("bad")).fail("bad")
    assert driver.finish("a", 0).states["a"] == "cancelled"
    assert driver.shown() == "failed"


def test_a_repeat_that_is_being_cancelled_does_not_go_on() -> None:
    driver = Driver(node("a", repeat=Repeat(until="output"))).verb(verbs.CancelNode, "a")
    assert driver.finish("a", 0).states["a"] == "cancelled"


def test_an_undo_left_behind_by_a_plan_that_is_over_needs_a_new_plan() -> None:
    fragile = undo(retry=Retry(strategy="none"))
    driver = Driver(
        node("a", compensate=undo()),
        node("b", compensate=fragile),
        compensation=CompensationPolicy(timeout=5),
    )
    driver.finish("a").finish("b").verb(verbs.Compensate).fail("b", undo=True).tick(5)
    driver.verb(verbs.Compensate, nodes=("a",)).finish("a", undo=True)
    assert driver.shown() == "partly_compensated"
    text = driver.refused(verbs.RetryNode(run=1, node="b"))
    assert (
        text
        == "no compensation is under way in run 1. `studio compensate 1 b` tries its undo again"
    )
    driver.verb(verbs.Compensate, nodes=("b",)).finish("b", undo=True)
    assert driver.shown() == "compensated"


@pytest.mark.parametrize("late", [0.0, 50.0])
def test_a_timer_that_fires_late_acts_all_the_same(late: float) -> None:
    driver = Driver(node("a", retry=Retry(strategy="fixed", jitter=0))).fail("a")
    driver.now += late + 1
    command: Any = verbs.FireTimer(run=1, kind="retry", node="a")
    driver.do(command).do(command)
    assert driver.states["a"] == "running"
    assert driver.at("a").attempt == 2


def test_a_compensation_of_a_live_run_is_asked_for_once() -> None:
    driver = Driver(node("a", compensate=undo()), node("b", "a")).finish("a")
    driver.verb(verbs.Compensate)
    assert driver.refused(verbs.Compensate(run=1)) == "run 1 is about to be undone"


def test_an_irreversible_node_is_not_undone_unless_it_is_forced() -> None:
    driver = Driver(node("a", compensate=undo(), irreversible=True)).finish("a")
    text = driver.refused(verbs.Compensate(run=1, nodes=("a",)))
    assert text == "a is irreversible. --force with a reason goes past it"
    assert driver.refused(verbs.Compensate(run=1)).startswith("a is irreversible and was done last")
    driver.verb(verbs.Compensate, nodes=("a",), force=True, reason="why").finish("a", undo=True)
    assert driver.shown() == "compensated"


def test_a_foreach_none_of_whose_items_can_be_undone_has_nothing_to_undo() -> None:
    driver = Driver(node("each", foreach=[], compensate=undo()), node("x"))
    assert driver.refused(verbs.Compensate(run=1, nodes=("each",))) == "nothing to undo"


def test_a_release_judges_edges_only_after_a_success() -> None:
    driver = Driver(node("a"), node("n", "a"), node("b", Edge(source="n", when="output > 3")))
    driver.verb(verbs.HoldNode, "n").finish("a").verb(verbs.ReleaseNode, "n")
    released = driver.of(NodeReleased)[0]
    assert (released.dead, released.broken) == ((), {})
    driver.verb(verbs.SetBreakpoint, "n", on="after").finish("n", 1).verb(verbs.ReleaseNode, "n")
    assert driver.of(NodeReleased)[1].dead == (0,)
    assert driver.states["b"] == "skipped"


def test_a_failing_run_makes_no_retries_but_those_of_failure_branches() -> None:
    slow = Retry(strategy="fixed", initial_delay=5, jitter=0)
    driver = Driver(
        node("a", retry=slow),
        node("bad"),
        node("h", Edge(source="bad", on="failure", handles=False), retry=slow),
    )
    driver.fail("bad").fail("a").fail("h")
    assert driver.states == {"a": "failed", "bad": "failed", "h": "backing_off"}
    driver.tick(5).finish("h")
    assert driver.shown() == "failed"


def test_a_live_run_whose_undo_finds_nothing_is_cancelled() -> None:
    driver = Driver(node("a", compensate=undo()), node("b", "a"))
    driver.verb(verbs.Compensate).end("a", "stopped")
    assert driver.shown() == "cancelled"
    assert driver.run().message == "compensation was asked for by ada; there was nothing to undo"


def test_undos_count_against_the_limit_of_the_engine() -> None:
    driver = Driver(node("a", compensate=undo()), max_concurrency=1).finish("a")
    driver.start(workflow(node("x"), name="other"))
    driver.verb(verbs.Compensate)
    assert [flight.node for flight in driver.state.flow.in_flight] == ["x"]
    driver.finish("x", run=2)
    assert driver.undone() == ["a"]


def test_a_cancelled_run_uses_no_fallback() -> None:
    driver = Driver(node("a", fallback=Fallback(value=1), timeout=2), node("b", "a"))
    driver.tick(2).verb(verbs.CancelRun).end("a", "stopped")
    assert driver.states["a"] != "succeeded"
    assert driver.shown() == "cancelled"


def test_the_undo_of_a_node_that_never_ran_has_no_input() -> None:
    driver = Driver(
        node("a"), node("b", "a", compensate=undo(input={"was": "{{ input }}"})), node("bad", "b")
    )
    driver.verb(verbs.MarkNode, "b", outcome="succeeded").fail("bad").finish("a")
    started = next(event for event in driver.of(AttemptStarted, "b") if event.undo)
    assert started.input == {"was": None}


def test_an_override_in_a_failing_run_starts_nothing_it_had_cancelled() -> None:
    driver = Driver(node("a"), node("r"), node("b", ["a", "r"]), node("bad")).finish("a")
    driver.fail("bad").verb(verbs.OverrideOutput, "a").finish("r")
    assert driver.states["b"] == "cancelled"
    assert driver.shown() == "failed"
