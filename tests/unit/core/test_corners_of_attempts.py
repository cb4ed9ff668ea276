"""Corners of what executors and the clock report that only one guard protects."""

from __future__ import annotations

from typing import Any

import pytest

from studio.core import commands as verbs
from studio.core.decide.attempts import MAX_INTERRUPTIONS
from studio.core.events import (
    AttemptCancelled,
    AttemptFailed,
    AttemptStopRequested,
    BreakpointHit,
    ChildSpawned,
    RunFailing,
    RunTimedOut,
)
from studio.model.nodes import (
    BranchSettings,
    Case,
    Edge,
    NoopSettings,
    PythonSettings,
    TransformSettings,
    Undo,
    WaitSettings,
)
from studio.model.policies import Limits, Repeat, Retry
from tests.unit.core.driver import Driver, node, undo, workflow

SLOW = Retry(strategy="fixed", initial_delay=10, jitter=0)


@pytest.mark.parametrize(
    ("kind", "again"),
    [
        (NoopSettings(), True),
        (TransformSettings(value=1, has_value=True), True),
        (BranchSettings(cases=(Case(port="x", when="true"),), otherwise="y"), True),
        (WaitSettings(duration=1.0), True),
        (PythonSettings(call="m:f"), False),
    ],
    ids=lambda value: getattr(value, "uses", ""),
)
def test_an_undo_lost_in_a_crash_is_made_again_if_it_touches_nothing(
    kind: Any, again: bool
) -> None:
    lost = Undo(kind=kind)
    driver = Driver(node("a", side_effects="external", compensate=lost), node("bad", "a"))
    driver.finish("a").fail("bad").end("a", "lost", undo=True)
    assert driver.undone() == (["a", "a"] if again else ["a"])
    assert driver.states["a"] == ("compensating" if again else "compensation_failed")


def test_a_child_that_is_born_after_the_stop_was_asked_for_is_recorded() -> None:
    driver = Driver(node("a")).verb(verbs.CancelNode, "a")
    driver.do(verbs.RecordSpawn(run=1, node="a", attempt=1, pid=7, started=5))
    assert [event.pid for event in driver.of(ChildSpawned)] == [7]
    driver.do(verbs.RecordSpawn(run=1, node="a", attempt=2, pid=8, started=5))
    assert len(driver.of(ChildSpawned)) == 1


def test_a_node_stopped_with_its_run_was_not_cancelled_by_whoever_started_it() -> None:
    driver = Driver(node("a"), policy="hold").fail("a").verb(verbs.RetryNode, "a")
    driver.verb(verbs.CancelRun).end("a", "stopped")
    ended = driver.of(AttemptCancelled)[0]
    assert (ended.by, ended.reason) == (None, "cancelled by ada")


@pytest.mark.parametrize(("actor", "reason"), [("ada", "cancelled by ada"), ("", "cancelled")])
def test_a_cancelled_attempt_names_who_cancelled_it(actor: str, reason: str) -> None:
    driver = Driver(node("a"))
    driver.send(verbs.CancelNode(run=1, node="a"), by=actor)
    driver.end("a", "stopped")
    assert driver.of(AttemptCancelled)[0].reason == reason


@pytest.mark.parametrize(
    ("detail", "message"), [("killed by signal 9", None), ("", "the child process died")]
)
def test_a_child_that_vanished_tells_what_is_known(detail: str, message: str | None) -> None:
    driver = Driver(node("a"))
    driver.do(verbs.FinishAttempt(run=1, node="a", attempt=1, outcome="vanished", detail=detail))
    failure = driver.at("a").failure
    assert failure is not None
    assert failure.message == (message or detail)


# --------------------------------------------------------------------------- repeats and breakpoints


def test_a_repeat_in_a_failure_branch_goes_on_in_a_failing_run() -> None:
    again = Repeat(until="output == 1", every=1)
    driver = Driver(
        node("bad"), node("h", Edge(source="bad", on="failure", handles=False), repeat=again)
    )
    driver.fail("bad").finish("h", 0).tick(1).finish("h", 1)
    assert driver.states["h"] == "succeeded"
    assert driver.at("h").attempt == 2


def test_a_repeat_that_is_done_counts_in_a_failing_run_too() -> None:
    driver = Driver(node("a", repeat=Repeat(until="output == 1")), node("bad")).fail("bad")
    assert driver.finish("a", 1).states["a"] == "succeeded"


def test_a_repeat_may_be_done_in_its_last_iteration() -> None:
    driver = Driver(node("a", repeat=Repeat(until="output == 1", max=1)))
    assert driver.finish("a", 1).states["a"] == "succeeded"


def test_a_failing_run_does_not_stop_at_a_breakpoint_after_a_node() -> None:
    driver = Driver(node("a"), node("bad")).verb(verbs.SetBreakpoint, "a", on="after")
    driver.fail("bad").finish("a")
    assert driver.of(BreakpointHit) == []


def test_a_foreach_stops_once_behind_its_items_however_often_they_are_collected() -> None:
    driver = Driver(node("each", foreach=[1]), node("b", "each"))
    driver.verb(verbs.SetBreakpoint, "each", on="after").finish("each[0]").verb(verbs.Continue)
    driver.verb(verbs.RetryNode, "each[0]").finish("each[0]")
    assert len(driver.of(BreakpointHit)) == 1


# --------------------------------------------------------------------------- undos


def test_an_undo_that_may_be_repeated_is_made_again_after_a_crash_but_not_for_ever() -> None:
    driver = Driver(
        node("a", side_effects="idempotent", compensate=Undo(kind=PythonSettings(call="m:f"))),
        node("bad", "a"),
    )
    driver.finish("a").fail("bad")
    for _ in range(MAX_INTERRUPTIONS - 1):
        driver.end("a", "lost", undo=True)
        assert driver.states["a"] == "compensating"
    driver.end("a", "lost", undo=True)
    assert driver.states["a"] == "compensation_failed"
    assert driver.undone() == ["a"] * MAX_INTERRUPTIONS


def test_a_failed_undo_tells_whether_it_is_tried_again() -> None:
    twice = undo(retry=Retry(strategy="fixed", max_attempts=2, initial_delay=1, jitter=0))
    driver = Driver(node("a", compensate=twice), node("bad", "a")).finish("a").fail("bad")
    driver.fail("a", undo=True).tick(1).fail("a", undo=True)
    assert [event.disposition for event in driver.of(AttemptFailed, "a")] == ["retry", "held"]


def test_the_time_limit_stops_the_attempt_that_is_open() -> None:
    driver = Driver(node("a", compensate=undo(timeout=3), retry=SLOW, timeout=5), node("bad", "a"))
    driver.fail("a").tick(10).finish("a").fail("bad").tick(3)
    stop = driver.of(AttemptStopRequested)[0]
    assert (stop.undo, stop.attempt) == (True, 1)
    driver = Driver(node("a", retry=SLOW, timeout=5)).fail("a").tick(10).tick(5)
    stop = driver.of(AttemptStopRequested)[0]
    assert (stop.undo, stop.attempt) == (False, 2)


# --------------------------------------------------------------------------- the time limit of a run


def test_a_run_that_fails_already_and_takes_too_long_keeps_its_cause() -> None:
    driver = Driver(node("bad"), node("x"), limits=Limits(timeout=5)).fail("bad").tick(5)
    assert [event.node for event in driver.of(RunFailing)] == ["bad"]
    assert [flight.node for flight in driver.stopped] == ["x"]


def test_the_time_limit_of_a_run_stops_its_own_attempts_only() -> None:
    driver = Driver(node("a"), limits=Limits(timeout=5))
    driver.start(workflow(node("b"), name="other"))
    driver.tick(5)
    assert [(flight.run, flight.node) for flight in driver.stopped] == [(1, "a")]


def test_what_is_stopped_with_its_run_already_is_not_stopped_again() -> None:
    driver = Driver(node("a"), limits=Limits(timeout=5)).verb(verbs.CancelNode, "a").tick(5)
    assert [event.cause for event in driver.of(AttemptStopRequested)] == ["operator"]


def limited(*nodes: Any) -> Driver:
    return Driver(*nodes, policy="hold", limits=Limits(timeout=5))


def held_failure(*more: Any) -> Driver:
    return limited(node("a"), *more).fail("a")


@pytest.mark.parametrize(
    "driver",
    [
        lambda: held_failure(),
        lambda: limited(node("a", side_effects="external")).end("a", "lost"),
        lambda: limited(node("a"), node("b", "a")).verb(verbs.HoldNode, "b").finish("a"),
    ],
    ids=["failure", "doubt", "hold"],
)
def test_a_run_that_only_waits_for_a_person_has_no_time_limit(driver: Any) -> None:
    assert driver().tick(5).of(RunTimedOut) == []


def waiting_for_a_lock() -> Driver:
    driver = Driver(node("x", locks=("l",)))
    driver.start(workflow(node("a", locks=("l",)), name="other", limits=Limits(timeout=5)))
    return driver


@pytest.mark.parametrize(
    "driver",
    [
        lambda: held_failure(node("x")),
        lambda: held_failure(node("x", kind=WaitSettings(duration=60.0))),
        waiting_for_a_lock,
    ],
    ids=["running", "waiting", "lock"],
)
def test_a_run_that_moves_or_wants_nobody_has_its_time_limit(driver: Any) -> None:
    assert len(driver().tick(5).of(RunTimedOut)) == 1


def test_a_run_of_which_something_moves_besides_what_waits_for_a_person_is_still_limited() -> None:
    driver = held_failure(node("each", foreach=[1, 2], on_item_failure="continue"))
    driver.fail("each[0]").tick(5)
    assert len(driver.of(RunTimedOut)) == 1
