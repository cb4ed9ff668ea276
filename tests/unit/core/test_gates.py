"""Gates and limits: pause, hold, breakpoints, step mode, run-to-node; concurrency, priorities, locks."""

from __future__ import annotations

from typing import Any

import pytest

from studio.core import commands as verbs
from studio.core.events import AttemptStarted, BreakpointHit
from studio.model.nodes import Edge, WaitSettings
from studio.model.policies import Breakpoint, Limits, Repeat, Retry
from tests.unit.core.driver import Driver, node, undo, workflow

SLOW = Retry(strategy="fixed", max_attempts=5, initial_delay=10, jitter=0)


# --------------------------------------------------------------------------- pause


def test_a_pause_drains_and_starts_nothing() -> None:
    driver = Driver(node("a"), node("b", "a")).verb(verbs.PauseRun).finish("a")
    assert driver.states["b"] == "ready"
    assert driver.flights() == []
    driver.verb(verbs.ResumeRun)
    assert driver.states["b"] == "running"


def test_a_pause_freezes_retries() -> None:
    driver = Driver(node("a", retry=SLOW)).fail("a").tick(4).verb(verbs.PauseRun).tick(100)
    driver.verb(verbs.ResumeRun).tick(5.9)
    assert driver.states["a"] == "backing_off"
    driver.tick(0.2)
    assert driver.states["a"] == "running"


def test_a_failure_during_a_pause_waits_its_full_time_after_it() -> None:
    driver = Driver(node("a", retry=SLOW)).verb(verbs.PauseRun).fail("a").tick(50)
    assert driver.states["a"] == "backing_off"
    assert driver.timers == {}
    driver.verb(verbs.ResumeRun).tick(61)
    assert driver.states["a"] == "running"


def test_a_wait_goes_on_during_a_pause() -> None:
    driver = Driver(node("w", kind=WaitSettings(duration=5.0)), node("b", "w"))
    driver.verb(verbs.PauseRun).tick(5)
    assert driver.states == {"w": "succeeded", "b": "ready"}


def test_a_single_node_starts_by_hand_in_a_paused_run() -> None:
    driver = Driver(node("a"), node("b", "a"), node("c", "a")).verb(verbs.PauseRun).finish("a")
    driver.verb(verbs.RetryNode, "b")
    assert driver.states == {"a": "succeeded", "b": "running", "c": "ready"}
    assert driver.of(AttemptStarted, "b")[0].by.actor == "ada"


def test_a_step_in_a_paused_run_goes_over_from_the_pause_to_step_mode() -> None:
    driver = Driver(node("a"), node("b", "a"), node("c", "a")).verb(verbs.PauseRun).finish("a")
    driver.verb(verbs.Step, node="c")
    assert driver.states == {"a": "succeeded", "b": "ready", "c": "running"}
    assert not driver.run().paused
    driver.finish("c")
    assert driver.states["b"] == "ready"
    driver.verb(verbs.Continue)
    assert driver.states["b"] == "running"


def test_a_step_that_is_refused_leaves_the_pause_as_it_is() -> None:
    driver = Driver(node("a"), node("b", "a")).verb(verbs.PauseRun)
    assert "no node is ready" in driver.refused(verbs.Step(run=1))
    assert driver.run().paused


def test_cancelling_a_paused_run_ends_it() -> None:
    driver = Driver(node("a"), node("b", "a")).verb(verbs.PauseRun).verb(verbs.CancelRun)
    driver.end("a", "stopped")
    assert driver.shown() == "cancelled"


def test_a_paused_run_does_not_end() -> None:
    driver = Driver(node("a")).verb(verbs.PauseRun).finish("a")
    assert driver.shown() == "running"
    assert driver.verb(verbs.ResumeRun).shown() == "succeeded"


def test_pause_and_resume_answer_twice() -> None:
    driver = Driver(node("a")).verb(verbs.PauseRun)
    assert (
        driver.refused(verbs.PauseRun(run=1)) == "run 1 is paused already. `resume` lets it go on"
    )
    driver.verb(verbs.ResumeRun).verb(verbs.ResumeRun)
    assert driver.states["a"] == "running"


# --------------------------------------------------------------------------- hold


def test_a_hold_stops_the_start_and_nothing_else() -> None:
    driver = Driver(node("a"), node("b", "a"), node("c", "a")).verb(verbs.HoldNode, "b")
    driver.finish("a")
    assert driver.states == {"a": "succeeded", "b": "held", "c": "running"}
    driver.finish("c")
    assert driver.shown() == "attention"
    driver.verb(verbs.ReleaseNode, "b").finish("b")
    assert driver.shown() == "succeeded"


@pytest.mark.parametrize("ok", [True, False])
def test_a_hold_on_a_running_node_does_not_outlive_it(ok: bool) -> None:
    driver = Driver(node("a"), node("b", "a")).verb(verbs.HoldNode, "a")
    driver.finish("a").finish("b") if ok else driver.fail("a")
    assert driver.shown() == ("succeeded" if ok else "failed")


def test_a_hold_on_a_running_node_does_not_outlive_its_cancellation() -> None:
    driver = Driver(node("a")).verb(verbs.HoldNode, "a").verb(verbs.CancelNode, "a")
    assert driver.end("a", "stopped").shown() == "succeeded"


@pytest.mark.parametrize("early", [True, False])
def test_a_hold_before_the_next_try_keeps_its_moment(early: bool) -> None:
    driver = Driver(node("a", retry=SLOW))
    if early:
        driver.verb(verbs.HoldNode, "a").fail("a")
    else:
        driver.fail("a").verb(verbs.HoldNode, "a")
    assert driver.states["a"] == "held"
    driver.tick(4).verb(verbs.ReleaseNode, "a")
    assert driver.states["a"] == "backing_off"
    driver.tick(6)
    assert driver.states["a"] == "running"


def test_a_hold_longer_than_the_backoff_starts_at_once() -> None:
    driver = Driver(node("a", retry=SLOW)).fail("a").verb(verbs.HoldNode, "a").tick(60)
    assert driver.states["a"] == "held"
    driver.verb(verbs.ReleaseNode, "a")
    assert driver.states["a"] == "running"


def test_a_hold_in_a_pause_and_a_release_in_it() -> None:
    driver = Driver(node("a", retry=SLOW)).fail("a").verb(verbs.HoldNode, "a")
    driver.verb(verbs.PauseRun).tick(3).verb(verbs.ReleaseNode, "a").tick(30)
    assert driver.states["a"] == "backing_off"
    driver.verb(verbs.ResumeRun).tick(60)
    assert driver.states["a"] == "running"


def test_a_hold_between_iterations() -> None:
    driver = Driver(node("a", repeat=Repeat(until="output", every=5))).finish("a", 0)
    driver.verb(verbs.HoldNode, "a").tick(20)
    assert driver.states["a"] == "held"
    driver.verb(verbs.ReleaseNode, "a").finish("a", 1)
    assert [event.iteration for event in driver.of(AttemptStarted)] == [0, 1]
    again = Driver(node("a", repeat=Repeat(until="output", every=5))).verb(verbs.HoldNode, "a")
    again.finish("a", 0).verb(verbs.ReleaseNode, "a")
    assert again.states["a"] == "waiting"
    again.tick(5)
    assert again.states["a"] == "running"


def test_an_item_is_held_and_released() -> None:
    driver = Driver(node("each", foreach=[1, 2], max_parallel=1)).verb(verbs.HoldNode, "each[1]")
    driver.finish("each[0]")
    assert driver.states["each[1]"] == "held"
    driver.verb(verbs.ReleaseNode, "each[1]").finish("each[1]")
    assert driver.shown() == "succeeded"


def test_a_retry_by_hand_passes_the_hold_and_a_later_hold_stops_it_again() -> None:
    driver = Driver(node("a", locks=("l",)), node("b", locks=("l",))).verb(verbs.HoldNode, "b")
    driver.verb(verbs.RetryNode, "b")
    assert driver.states["b"] == "ready"
    driver.verb(verbs.ReleaseNode, "b").verb(verbs.HoldNode, "b").finish("a")
    assert driver.states["b"] == "held"


# --------------------------------------------------------------------------- breakpoints


def test_a_breakpoint_before_stops_once_per_attempt() -> None:
    driver = Driver(node("a", breakpoint=Breakpoint(), retry=SLOW), node("x"))
    assert driver.states["a"] == "held"
    driver.verb(verbs.Continue, "a").fail("a").tick(10)
    assert driver.states["a"] == "held"
    driver.verb(verbs.Continue, "a").finish("a")
    assert [event.on for event in driver.of(BreakpointHit)] == ["before", "before"]


@pytest.mark.parametrize(("value", "state"), [(1, "running"), (5, "held")])
def test_a_condition_decides_about_a_breakpoint(value: int, state: str) -> None:
    driver = Driver(node("a"), node("b", "a"))
    driver.verb(verbs.SetBreakpoint, "b", when="nodes.a.output > 3").finish("a", value)
    assert driver.states["b"] == state


def test_a_broken_condition_stops() -> None:
    driver = Driver(node("a"), node("b", "a"))
    driver.verb(verbs.SetBreakpoint, "b", when="nodes.a.output > 3").finish("a", "text")
    assert driver.states["b"] == "held"


def test_a_condition_that_cannot_be_read_is_refused() -> None:
    text = Driver(node("a")).refused(verbs.SetBreakpoint(run=1, node="a", when="1 +"))
    assert text.startswith("the condition cannot be read: ")


@pytest.mark.parametrize(("value", "stops"), [(1, False), (5, True)])
def test_a_breakpoint_after_keeps_the_edges(value: int, stops: bool) -> None:
    driver = Driver(node("a"), node("b", "a"), node("c"))
    driver.verb(verbs.SetBreakpoint, "a", on="after", when="output > 3").finish("a", value)
    assert driver.states["b"] == ("blocked" if stops else "running")
    assert driver.states["c"] == "running"
    assert len(driver.of(BreakpointHit, "a")) == stops
    if stops:
        driver.finish("c")
        assert driver.shown() == "attention"
        driver.verb(verbs.Continue, "a").finish("b")
        assert driver.shown() == "succeeded"


def test_a_breakpoint_after_a_foreach() -> None:
    driver = Driver(node("each", foreach=[1]), node("b", "each"))
    driver.verb(verbs.SetBreakpoint, "each", on="after").finish("each[0]")
    assert driver.states["b"] == "blocked"
    assert driver.verb(verbs.Continue).states["b"] == "running"


def test_a_breakpoint_after_an_item() -> None:
    driver = Driver(node("each", foreach=[1, 2]), node("b", "each"))
    driver.verb(verbs.SetBreakpoint, "each[0]", on="after").finish("each[0]").finish("each[1]")
    assert driver.states["each"] == "running"
    driver.verb(verbs.Continue, "each[0]")
    assert driver.states["b"] == "running"


@pytest.mark.parametrize(
    ("condition", "stops"), [(None, True), ("error.type == 'KeyError'", False)]
)
def test_a_breakpoint_on_failure(condition: str | None, stops: bool) -> None:
    driver = Driver(node("a"), node("b", "a"))
    driver.verb(verbs.SetBreakpoint, "a", on="failure", when=condition).fail("a")
    assert len(driver.of(BreakpointHit, "a")) == stops
    assert driver.shown() == ("attention" if stops else "failed")
    if stops:
        assert driver.verb(verbs.Continue, "a").shown() == "failed"


def test_a_stop_on_failure_can_be_fixed_by_a_retry() -> None:
    driver = Driver(node("a"), node("b", "a")).verb(verbs.SetBreakpoint, "a", on="failure")
    driver.fail("a").verb(verbs.RetryNode, "a").finish("a").finish("b")
    assert driver.shown() == "succeeded"


def test_a_breakpoint_is_cleared() -> None:
    driver = Driver(node("a"), node("b", "a")).verb(verbs.SetBreakpoint, "b")
    driver.verb(verbs.ClearBreakpoint, "b").finish("a")
    assert driver.states["b"] == "running"
    assert driver.refused(verbs.ClearBreakpoint(run=1, node="b")) == "b has no breakpoint"


def test_a_failing_run_stops_at_no_breakpoint() -> None:
    driver = Driver(node("a"), node("h", Edge(source="a", on="failure", handles=False)))
    driver.verb(verbs.SetBreakpoint, "h").fail("a")
    assert driver.states["h"] == "running"


# --------------------------------------------------------------------------- step mode


def test_step_starts_one_node_and_a_wave_all_that_are_ready() -> None:
    driver = Driver(node("a"), node("b"), node("c", "a"), node("d", "a"), stepping=True)
    assert set(driver.states.values()) == {"ready", "blocked"}
    driver.verb(verbs.Step)
    assert driver.states["a"] == "running"
    assert driver.states["b"] == "ready"
    driver.finish("a").do(verbs.Step(run=1, node="d"))
    assert driver.states == {"a": "succeeded", "b": "ready", "c": "ready", "d": "running"}
    driver.do(verbs.Step(run=1, wave=True))
    assert driver.states["b"] == driver.states["c"] == "running"
    assert driver.refused(verbs.Step(run=1)).startswith("cannot step run 1: no node is ready")


def test_continue_leaves_step_mode_and_what_was_allowed_is_forgotten() -> None:
    driver = Driver(*[node(name, locks=("l",)) for name in "abc"], stepping=True)
    driver.verb(verbs.Step).do(verbs.Step(run=1, node="b")).verb(verbs.Continue)
    driver.do(verbs.Step(run=1, node="c")).finish("a")
    assert driver.states == {"a": "succeeded", "b": "ready", "c": "running"}


def test_a_step_is_refused_while_nothing_is_ready() -> None:
    driver = Driver(node("a"), node("b", "a"))
    assert driver.refused(verbs.Step(run=1)) == (
        "cannot step run 1: no node is ready. wait for a; to stop before what follows,"
        " run to a node with `step --until NODE`, or set a `breakpoint`"
    )
    driver.verb(verbs.HoldNode, "b").finish("a")
    assert driver.refused(verbs.Step(run=1)) == (
        "cannot step run 1: no node is ready. `studio release 1 b` lets b go on"
    )
    driver.verb(verbs.ReleaseNode, "b").verb(verbs.CancelNode, "b").end("b", "stopped")
    many = Driver(*[node(name) for name in "abcde"])
    assert "wait for a, b, c, d …; to stop" in many.refused(verbs.Step(run=1))
    assert "wait for a; to stop" in Driver(node("a")).refused(verbs.Step(run=1))
    held = Driver(node("a"), node("b", "a"), policy="hold").fail("a")
    assert held.refused(verbs.Step(run=1)) == (
        "cannot step run 1: no node is ready. `why` tells of a node what it waits for"
    )


def test_a_run_goes_only_to_a_node_that_is_still_to_come() -> None:
    driver = Driver(
        node("a", compensate=undo()), node("b", "a"), node("c"), node("d"), policy="hold"
    )
    driver.finish("a").fail("b")
    assert driver.refused(verbs.Step(run=1, until="a")) == (
        "cannot run to a: it has already succeeded. `studio rerun 1 --from a` runs it and what follows again"
    )
    assert driver.refused(verbs.Step(run=1, until="b")) == (
        "cannot run to b: it has failed. `studio retry 1 b` runs it now"
    )
    driver.verb(verbs.Step, until="c").finish("c").finish("d")
    driver.verb(verbs.Compensate, nodes=("a",))
    assert driver.refused(verbs.Step(run=1, until="b")) == "cannot run to b: run 1 is being undone"
    assert driver.refused(verbs.Step(run=1)) == "cannot step run 1: it is being undone"
    driver.finish("a", undo=True)
    assert driver.refused(verbs.Step(run=1, until="a")) == (
        "cannot run to a: it was undone. `studio rerun 1 --from a` runs it again"
    )
    driver.verb(verbs.MarkNode, "b", outcome="failed")
    assert driver.refused(verbs.Step(run=1, until="b")).startswith(
        "cannot run to b: run 1 has ended (failed). "
    )


def test_a_paused_run_may_be_told_where_to_stop() -> None:
    driver = Driver(node("a"), node("b", "a"), node("c", "b")).verb(verbs.PauseRun)
    driver.verb(verbs.Step, until="b").verb(verbs.ResumeRun).finish("a").finish("b")
    assert driver.states["c"] == "ready"


def test_step_names_what_is_ready() -> None:
    driver = Driver(node("a"), node("b", "a"), stepping=True)
    text = driver.refused(verbs.Step(run=1, node="b"))
    assert text == "cannot step b: it is blocked. ready: a"
    assert driver.refused(verbs.Step(run=1, node="z")) == "run 1 has no node z. it has a, b"
    assert driver.refused(verbs.Step(run=1, until="z")) == "run 1 has no node z. it has a, b"


def test_a_step_does_not_pass_a_hold_but_a_breakpoint() -> None:
    driver = Driver(node("a"), node("b"), stepping=True).verb(verbs.HoldNode, "a")
    driver.verb(verbs.SetBreakpoint, "b").verb(verbs.Step)
    assert driver.states == {"a": "held", "b": "held"}
    driver.verb(verbs.Step)
    assert driver.states == {"a": "held", "b": "running"}


def test_a_step_into_a_foreach_starts_its_items() -> None:
    driver = Driver(node("each", foreach=[1, 2]), node("b", "each"), stepping=True)
    driver.verb(verbs.Step)
    assert len(driver.flights()) == 2
    driver.finish_all()
    assert driver.states["b"] == "ready"


def test_run_to_a_node_runs_its_ancestors_and_stops_behind_it() -> None:
    driver = Driver(node("a"), node("b", "a"), node("c", "b"), node("x"), until="b")
    assert driver.states["x"] == "ready"
    driver.finish("a").finish("b")
    assert driver.states == {"a": "succeeded", "b": "succeeded", "c": "ready", "x": "ready"}
    assert driver.shown() == "attention"
    driver.do(verbs.Step(run=1, until="c"))
    assert driver.states["x"] == "ready"
    driver.finish("c").verb(verbs.Continue).finish("x")
    assert driver.shown() == "succeeded"


def test_a_step_after_run_to_node_goes_further() -> None:
    driver = Driver(node("a"), node("b", "a"), until="a").finish("a").verb(verbs.Step)
    assert driver.states["b"] == "running"


# --------------------------------------------------------------------------- limits


def test_the_limit_of_a_run_holds_and_priority_goes_first() -> None:
    driver = Driver(
        node("low", priority="low"),
        node("a"),
        node("high", priority="high"),
        node("b"),
        limits=Limits(max_concurrency=1),
    )
    driver.finish_all()
    assert driver.started() == ["high", "a", "b", "low"]


def test_age_decides_among_equals_whatever_the_run() -> None:
    driver = Driver(node("a"), node("b", "a"), max_concurrency=1)
    driver.start(workflow(node("x"), name="other"))
    driver.finish("a").finish("x", run=2)
    order = [
        record.event.node for record in driver.records if isinstance(record.event, AttemptStarted)
    ]
    assert order == ["a", "x", "b"]


def test_the_limit_of_the_engine_holds_over_all_runs_and_priority_too() -> None:
    driver = Driver(node("a"), node("b"), max_concurrency=2)
    driver.start(workflow(node("x", priority="high"), node("y", priority="low"), name="other"))
    driver.start(workflow(node("z"), name="third"))
    assert len(driver.state.flow.in_flight) == 2
    order = []
    while driver.state.flow.in_flight:
        flight = next(iter(driver.state.flow.in_flight))
        order.append(flight.node)
        driver.finish(flight.node, run=flight.run)
        assert len(driver.state.flow.in_flight) <= 2
    assert order == ["a", "b", "x", "z", "y"]


def test_a_manual_retry_does_not_pass_limits() -> None:
    driver = Driver(node("a"), node("b"), limits=Limits(max_concurrency=1))
    driver.verb(verbs.RetryNode, "b")
    assert driver.states["b"] == "ready"
    driver.finish("a")
    assert driver.states["b"] == "running"


# --------------------------------------------------------------------------- locks


def test_a_lock_is_held_one_at_a_time_first_come_first_served_across_runs() -> None:
    driver = Driver(node("a", locks=("l",)))
    driver.start(workflow(node("b", locks=("l",)), name="second"))
    driver.start(workflow(node("c", locks=("l",), priority="high"), name="third"))
    order = []
    while driver.state.flow.in_flight:
        (flight,) = driver.state.flow.in_flight
        order.append(flight.node)
        driver.finish(flight.node, run=flight.run)
    assert order == ["a", "b", "c"]


def test_several_locks_do_not_deadlock() -> None:
    driver = Driver(
        node("ab", locks=("a", "b")),
        node("ba", locks=("b", "a")),
        node("bc", locks=("b", "c")),
        node("ca", locks=("c", "a")),
    )
    held = []
    while driver.flights():
        held.append([flight.node for flight in driver.flights()])
        driver.finish(driver.flights()[0].node)
    assert driver.shown() == "succeeded"
    assert held == [["ab"], ["ba"], ["bc"], ["ca"]]


def test_whoever_leaves_the_line_lets_the_next_one_go() -> None:
    driver = Driver(node("x", locks=("b",)), node("ab", locks=("a", "b")), node("z", locks=("a",)))
    assert driver.states == {"x": "running", "ab": "ready", "z": "ready"}
    driver.verb(verbs.CancelNode, "ab")
    assert driver.states["z"] == "running"


@pytest.mark.parametrize("verb", [verbs.PauseRun, None])
def test_a_place_in_line_survives_a_pause(verb: Any) -> None:
    driver = Driver(node("a", locks=("l",)))
    driver.start(workflow(node("b", locks=("l",)), name="second"))
    driver.start(workflow(node("c", locks=("l",)), name="third"))
    if verb is not None:
        driver.verb(verbs.PauseRun, run=2).verb(verbs.ResumeRun, run=2)
    driver.finish("a")
    assert [flight.node for flight in driver.state.flow.in_flight] == ["b"]


def test_a_paused_run_does_not_keep_the_others_from_a_lock() -> None:
    driver = Driver(node("a", locks=("l",)))
    driver.start(workflow(node("b", locks=("l",)), name="second"))
    driver.start(workflow(node("c", locks=("l",)), name="third"))
    driver.verb(verbs.PauseRun, run=2).finish("a")
    assert [flight.node for flight in driver.state.flow.in_flight] == ["c"]
    driver.finish("c", run=3).verb(verbs.ResumeRun, run=2)
    assert [flight.node for flight in driver.state.flow.in_flight] == ["b"]


def test_who_waits_for_a_lock_needs_no_person() -> None:
    driver = Driver(node("a", locks=("l",)))
    driver.start(workflow(node("b", locks=("l",)), name="second"))
    assert driver.shown(2) == "running"


def test_a_retry_lets_go_of_the_lock_meanwhile() -> None:
    driver = Driver(node("a", locks=("l",), retry=SLOW), node("b", locks=("l",)))
    driver.fail("a")
    assert driver.states["b"] == "running"
    driver.tick(10)
    assert driver.states["a"] == "ready"
    driver.finish("b")
    assert driver.states["a"] == "running"


def test_time_at_rest_is_known_apart() -> None:
    driver = Driver(node("a"), node("b", "a"), surface="screen", policy="hold")
    driver.tick(5).fail("a")
    assert driver.shown() == "attention"
    driver.tick(600).verb(verbs.RetryNode, "a").tick(3)
    assert driver.run().rested == 600
    driver.verb(verbs.PauseRun).tick(2).finish("a")
    # It was paused, but something was under way until just now.
    assert driver.run().rested == 600
    driver.tick(100).verb(verbs.ResumeRun).tick(4).finish("b")
    assert driver.shown() == "succeeded"
    run = driver.run()
    assert run.finished_at is not None
    assert run.rested == 700
    assert run.finished_at - run.started_at - run.rested == 14
    driver.tick(1000).verb(verbs.Rerun, start="b").tick(1).finish("b")
    assert driver.run().rested == 1700


def test_waiting_for_a_moment_is_no_rest() -> None:
    driver = Driver(node("a", kind=WaitSettings(duration=30)))
    driver.tick(31)
    assert driver.shown() == "succeeded"
    assert driver.run().rested == 0
