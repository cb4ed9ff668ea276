"""Undo: which nodes, in which order, what stops it, and how it goes on."""

from __future__ import annotations

from typing import Any

import pytest

from studio.core import commands as verbs
from studio.core.events import (
    AttemptStarted,
    CompensationFinished,
    CompensationStarted,
    RunFailing,
)
from studio.core.state import EngineState
from studio.core.turn import replay
from studio.core.why import explain
from studio.model.nodes import Edge, Node
from studio.model.policies import CompensationPolicy, Retry
from tests.unit.core.driver import Driver, node, undo, workflow
from tests.unit.core.test_why import why


def saga(*more: Node, **keys: Any) -> Driver:
    """a -> b -> c, all with an undo, then ``bad``."""
    driver = Driver(
        node("a", compensate=undo()),
        node("b", "a", compensate=undo()),
        node("c", "b", compensate=undo()),
        node("bad", "c"),
        *more,
        **keys,
    )
    return driver.finish("a").finish("b").finish("c")


def undo_all(driver: Driver) -> Driver:
    while driver.flights():
        driver.finish(driver.flights()[0].node, undo=True)
    return driver


def test_the_order_is_the_reverse_of_the_dependencies_one_at_a_time() -> None:
    driver = saga().fail("bad")
    assert driver.shown() == "compensating"
    assert len(driver.flights()) == 1
    undo_all(driver)
    assert driver.undone() == ["c", "b", "a"]
    assert driver.shown() == "compensated"


def test_ties_go_by_reverse_finish_order() -> None:
    names = ["a", "b", "c"]
    driver = Driver(*[node(name, compensate=undo()) for name in names], node("bad", names))
    driver.finish("b").finish("c").finish("a").fail("bad")
    assert undo_all(driver).undone() == ["a", "c", "b"]


def test_a_node_without_undo_does_not_delay_the_order() -> None:
    driver = Driver(
        node("a", compensate=undo()),
        node("x", "a"),
        node("b", compensate=undo()),
        node("bad", ["x", "b"]),
    )
    driver.finish("b").finish("a").finish("x").fail("bad")
    assert undo_all(driver).undone() == ["a", "b"]


def test_scope_branch_undoes_only_ancestors_of_the_failure() -> None:
    driver = Driver(
        node("a", compensate=undo()),
        node("other", compensate=undo()),
        node("bad", "a"),
        compensation=CompensationPolicy(scope="branch"),
    )
    driver.finish("a").finish("other").fail("bad")
    undo_all(driver)
    assert driver.undone() == ["a"]
    assert driver.states["other"] == "succeeded"
    assert driver.shown() == "compensated"


def test_when_never_leaves_the_effects() -> None:
    driver = saga(compensation=CompensationPolicy(when="never")).fail("bad")
    assert driver.shown() == "failed"
    assert driver.undone() == []


def test_a_run_without_undos_just_fails() -> None:
    driver = Driver(node("a"), node("bad", "a")).finish("a").fail("bad")
    assert driver.shown() == "failed"
    assert driver.of(CompensationStarted) == []


def test_a_run_whose_outputs_cannot_be_rendered_is_undone_like_any_that_fails() -> None:
    broken = {"x": "{{ nodes.a.output < 'a' }}"}
    driver = Driver(node("a", compensate=undo(input={"why": "{{ error }}"})), outputs=broken)
    driver.finish("a", 5)
    assert driver.undone() == ["a"]
    assert driver.shown() == "compensating"
    started = next(event for event in driver.of(AttemptStarted, "a") if event.undo)
    assert started.input == {"why": None}
    driver.finish("a", undo=True)
    assert driver.shown() == "compensated"
    assert driver.run().message.startswith("outputs.x: ")
    assert [event.node for event in driver.of(RunFailing)] == [""]


def test_outputs_that_can_be_rendered_after_a_retry_let_the_run_succeed() -> None:
    broken = {"x": "{{ nodes.a.output < 3 }}"}
    driver = Driver(node("a"), outputs=broken).finish("a", "text")
    assert driver.shown() == "failed"
    driver.verb(verbs.RetryNode, "a").finish("a", 2)
    assert driver.shown() == "succeeded"
    assert driver.run().outputs == {"x": True}


def test_doubts_come_first_when_outputs_cannot_be_rendered() -> None:
    driver = Driver(
        node("a", compensate=undo(), side_effects="external", timeout=1, critical=False),
        outputs={"x": "{{ params.none }}"},
    )
    driver.tick(1).end("a", "stopped")
    assert driver.states["a"] == "in_doubt"
    driver.verb(verbs.MarkNode, "a", outcome="succeeded").finish("a", undo=True)
    assert driver.shown() == "compensated"


def test_an_irreversible_node_is_a_barrier() -> None:
    driver = Driver(
        node("a", compensate=undo()),
        node("wall", "a", irreversible=True),
        node("c", "wall", compensate=undo()),
        node("bad", "c"),
    )
    driver.finish("a").finish("wall").finish("c").fail("bad")
    undo_all(driver)
    assert driver.undone() == ["c"]
    assert driver.shown() == "partly_compensated"
    assert driver.run().message == (
        "bad failed: ValueError: bad broke; stopped at wall, which is irreversible"
    )
    assert driver.states["a"] == "succeeded"


def test_force_goes_past_a_barrier() -> None:
    driver = Driver(
        node("a", compensate=undo()),
        node("wall", "a", irreversible=True),
        node("bad", "wall"),
        compensation=CompensationPolicy(when="never"),
    )
    driver.finish("a").finish("wall").fail("bad")
    text = driver.refused(verbs.Compensate(run=1))
    assert "wall is irreversible" in text
    driver.verb(verbs.Compensate, force=True, reason="refunded by phone")
    assert undo_all(driver).undone() == ["a"]
    assert driver.shown() == "compensated"


def test_a_failed_undo_stops_and_is_retried_by_hand() -> None:
    quick = undo(retry=Retry(strategy="none"))
    driver = Driver(
        node("a", compensate=undo()), node("b", "a", compensate=quick), node("bad", "b")
    )
    driver.finish("a").finish("b").fail("bad").fail("b", undo=True)
    assert driver.states["b"] == "compensation_failed"
    assert driver.shown() == "attention"
    driver.verb(verbs.RetryNode, "b")
    assert undo_all(driver).undone() == ["b", "b", "a"]
    assert driver.shown() == "compensated"


def test_an_undo_retries_three_times_a_second_apart_unless_told_otherwise() -> None:
    driver = Driver(node("a", compensate=undo()), node("bad", "a")).finish("a").fail("bad")
    for wait in (1.0, 1.0):
        driver.fail("a", undo=True)
        assert driver.states["a"] == "compensating"
        assert driver.open_attempt("a", undo=True) is None
        driver.tick(wait)
    driver.fail("a", undo=True)
    assert driver.states["a"] == "compensation_failed"
    assert [event.attempt for event in driver.of(AttemptStarted, "a") if event.undo] == [1, 2, 3]


def test_a_retry_in_the_backoff_of_an_undo_does_not_wait() -> None:
    driver = Driver(node("a", compensate=undo()), node("bad", "a")).finish("a").fail("bad")
    driver.fail("a", undo=True).verb(verbs.RetryNode, "a").finish("a", undo=True)
    assert driver.shown() == "compensated"
    assert driver.timers == {}


def test_a_cancelled_undo_waits_for_a_person() -> None:
    driver = Driver(node("a", compensate=undo()), node("bad", "a")).finish("a").fail("bad")
    driver.verb(verbs.CancelNode, "a").end("a", "stopped", undo=True)
    assert driver.states["a"] == "compensation_failed"
    driver.verb(verbs.RetryNode, "a").fail("a", undo=True).verb(verbs.CancelNode, "a")
    assert driver.states["a"] == "compensation_failed"
    assert driver.shown() == "attention"


@pytest.mark.parametrize(
    ("outcome", "phase", "complete"),
    [("succeeded", "compensated", True), ("ignored", "partly_compensated", False)],
)
def test_a_failed_undo_is_marked(outcome: Any, phase: str, complete: bool) -> None:
    driver = Driver(
        node("a", compensate=undo(retry=Retry(strategy="none"))), node("bad", "a")
    ).finish("a")
    driver.fail("bad").fail("a", undo=True)
    driver.verb(verbs.MarkNode, "a", outcome=outcome)
    assert driver.shown() == phase
    assert driver.of(CompensationFinished)[0].complete is complete
    assert driver.run().message.endswith("the undo of a was given up") is not complete


def test_a_failed_undo_takes_no_other_mark() -> None:
    driver = Driver(
        node("a", compensate=undo(retry=Retry(strategy="none"))), node("bad", "a")
    ).finish("a")
    driver.fail("bad").fail("a", undo=True)
    text = driver.refused(verbs.MarkNode(run=1, node="a", outcome="skipped"))
    assert text == "the undo of a can be marked succeeded or ignored"


def test_one_node_by_hand_keeps_the_run_and_blocks_what_follows() -> None:
    driver = Driver(node("a", compensate=undo()), node("b", "a"), node("x"))
    driver.finish("a")
    driver.verb(verbs.CancelNode, "b").end("b", "stopped")
    driver.verb(verbs.Compensate, nodes=("a",))
    driver.finish("x")
    driver.finish("a", undo=True)
    assert driver.states == {"a": "compensated", "b": "cancelled", "x": "succeeded"}


def test_nothing_starts_while_a_compensation_is_under_way_nor_on_an_undone_effect() -> None:
    driver = Driver(node("a", compensate=undo()), node("b", "a"), node("c"), node("d", "c"))
    driver.finish("a").verb(verbs.CancelNode, "b").end("b", "stopped")
    driver.verb(verbs.Compensate, nodes=("a",))
    driver.finish("c")
    assert driver.states["d"] == "ready"
    driver.finish("a", undo=True)
    assert driver.states["d"] == "running"
    driver.finish("d")
    driver.refused(verbs.RetryNode(run=1, node="b"))


def test_a_blocked_follower_of_an_undone_node_waits_for_it() -> None:
    driver = Driver(node("a", compensate=undo()), node("b", "a"), stepping=True)
    driver.verb(verbs.Step).finish("a")
    assert driver.states["b"] == "ready"
    driver.verb(verbs.Compensate, nodes=("a",)).finish("a", undo=True)
    assert driver.states == {"a": "compensated", "b": "blocked"}
    driver.verb(verbs.Continue)
    assert driver.states["b"] == "blocked"
    assert driver.shown() == "attention"
    driver.verb(verbs.Rerun, start="a").finish("a").finish("b")
    assert driver.at("a").generation == 2
    assert driver.shown() == "succeeded"


def test_dependants_that_hold_effects_refuse_the_undo() -> None:
    driver = saga(compensation=CompensationPolicy(when="never")).fail("bad")
    text = driver.refused(verbs.Compensate(run=1, nodes=("a",)))
    assert text.startswith("cannot undo a: b, which follows it, still holds effects.")
    assert "with --reason" in text
    driver.verb(verbs.Compensate, nodes=("a",), force=True, reason="the customer called")
    assert undo_all(driver).undone() == ["a"]
    assert driver.shown() == "partly_compensated"


def test_items_of_a_following_foreach_hold_effects_too() -> None:
    driver = Driver(
        node("a", compensate=undo()),
        node("each", "a", foreach=[1, 2], compensate=undo()),
    )
    driver.finish("a").finish_all()
    assert "each, which follows it" in driver.refused(verbs.Compensate(run=1, nodes=("a",)))


def test_a_running_dependant_refuses_the_undo() -> None:
    driver = Driver(node("a", compensate=undo()), node("b", "a")).finish("a")
    text = driver.refused(verbs.Compensate(run=1, nodes=("a",)))
    assert text == "cannot undo a: b, which follows it, is running. wait for it, or cancel it first"


def test_downstream_includes_what_follows() -> None:
    driver = saga(compensation=CompensationPolicy(when="never")).fail("bad")
    driver.verb(verbs.Compensate, nodes=("b",), downstream=True)
    assert undo_all(driver).undone() == ["c", "b"]
    assert driver.states["a"] == "succeeded"


def test_a_generation_is_undone_once() -> None:
    driver = saga().fail("bad")
    undo_all(driver)
    assert driver.refused(verbs.Compensate(run=1, nodes=("a",))) == "cannot undo a: it was undone"
    text = driver.refused(verbs.Compensate(run=1))
    assert text == "nothing left to undo in run 1: what it did was undone"


def test_rerun_after_undo_is_a_new_generation() -> None:
    driver = saga().fail("bad")
    undo_all(driver)
    driver.refused(verbs.RetryNode(run=1, node="bad"))
    driver.refused(verbs.Rerun(run=1, start="b"))
    driver.verb(verbs.Rerun, start="a").finish_all()
    assert driver.shown() == "succeeded"
    starts = [event for event in driver.of(AttemptStarted, "a") if not event.undo]
    assert [(event.attempt, event.generation) for event in starts] == [(1, 1), (2, 2)]


def test_items_are_undone_one_by_one_last_finished_first() -> None:
    driver = Driver(node("each", foreach=[1, 2, 3], compensate=undo()), node("bad", "each"))
    for index in (1, 2, 0):
        driver.finish(f"each[{index}]")
    driver.fail("bad")
    assert undo_all(driver).undone() == ["each[0]", "each[2]", "each[1]"]
    assert driver.shown() == "compensated"


def test_one_item_is_undone_by_itself() -> None:
    driver = Driver(
        node("each", foreach=[1, 2], compensate=undo()),
        node("bad", "each"),
        compensation=CompensationPolicy(when="never"),
    )
    driver.finish("each[0]").finish("each[1]").fail("bad")
    driver.verb(verbs.Compensate, nodes=("each[1]",))
    assert undo_all(driver).undone() == ["each[1]"]
    assert driver.states["each[0]"] == "succeeded"
    assert driver.shown() == "partly_compensated"


def test_rerun_after_undo_of_items_is_a_new_generation_of_each() -> None:
    driver = Driver(node("each", foreach=[1, 2], compensate=undo()), node("bad", "each"))
    driver.finish("each[0]").finish("each[1]").fail("bad")
    undo_all(driver).verb(verbs.Rerun, start="each").finish_all()
    starts = [event for event in driver.of(AttemptStarted, "each[0]") if not event.undo]
    assert [(event.attempt, event.generation) for event in starts] == [(1, 1), (2, 2)]


def test_the_time_limit_stops_further_undos_and_a_person_goes_on() -> None:
    driver = saga(compensation=CompensationPolicy(timeout=5)).fail("bad")
    driver.tick(5)
    driver.finish("c", undo=True)
    assert driver.shown() == "attention"
    assert driver.undone() == ["c"]
    driver.verb(verbs.Compensate)
    assert undo_all(driver).undone() == ["c", "b", "a"]
    assert driver.shown() == "compensated"


def test_a_new_plan_takes_up_an_undo_that_failed() -> None:
    driver = saga(compensation=CompensationPolicy(timeout=5)).fail("bad")
    for _ in range(2):
        driver.fail("c", undo=True).tick(1)
    driver.fail("c", undo=True).tick(5)
    driver.verb(verbs.Compensate)
    assert driver.open_attempt("c", undo=True) is not None
    assert undo_all(driver).shown() == "compensated"


def test_pause_stops_before_the_next_undo_and_freezes_its_limits() -> None:
    driver = saga(compensation=CompensationPolicy(timeout=10)).fail("bad")
    driver.verb(verbs.PauseRun).finish("c", undo=True).tick(100)
    assert driver.undone() == ["c"]
    driver.verb(verbs.ResumeRun).tick(9)
    assert undo_all(driver).undone() == ["c", "b", "a"]


def test_hold_stops_the_retry_of_an_undo() -> None:
    driver = Driver(node("a", compensate=undo()), node("bad", "a")).finish("a").fail("bad")
    driver.verb(verbs.HoldNode, "a").fail("a", undo=True).tick(10)
    assert driver.open_attempt("a", undo=True) is None
    driver.verb(verbs.ReleaseNode, "a").finish("a", undo=True)
    assert driver.shown() == "compensated"


def external(**keys: Any) -> Driver:
    return Driver(
        node("a", compensate=undo()),
        node("pay", "a", side_effects="external", compensate=undo(), timeout=3),
        **keys,
    )


@pytest.mark.parametrize(("outcome", "undone"), [("failed", ["a"]), ("skipped", ["a"])])
def test_a_doubtful_node_is_asked_about_before_the_undo(outcome: Any, undone: list[str]) -> None:
    driver = external().finish("a").tick(3).end("pay", "stopped")
    assert driver.states["pay"] == "in_doubt"
    assert driver.shown() == "attention"
    assert "in doubt" in driver.refused(verbs.Compensate(run=1))
    driver.verb(verbs.MarkNode, "pay", outcome=outcome)
    if outcome == "failed":
        assert undo_all(driver).undone() == undone
        assert driver.shown() == "compensated"
    else:
        assert driver.shown() == "succeeded"


def test_a_doubtful_node_that_did_act_is_undone_with_the_others() -> None:
    driver = Driver(node("pay", side_effects="external", compensate=undo(), timeout=3), node("bad"))
    driver.fail("bad").tick(3).end("pay", "stopped")
    assert driver.states["pay"] == "in_doubt"
    driver.verb(verbs.MarkNode, "pay", outcome="succeeded")
    assert undo_all(driver).undone() == ["pay"]
    assert driver.shown() == "compensated"


def test_an_ended_run_asks_about_doubtful_nodes_too() -> None:
    driver = external(compensation=CompensationPolicy(when="never"))
    driver.finish("a").tick(3).end("pay", "stopped")
    assert driver.shown() == "failed"
    assert "the outcome of pay is in doubt" in driver.refused(verbs.Compensate(run=1))
    driver.verb(verbs.MarkNode, "pay", outcome="failed")
    driver.verb(verbs.Compensate)
    assert undo_all(driver).undone() == ["a"]


def test_an_external_undo_whose_engine_died_is_in_doubt() -> None:
    driver = external(compensation=CompensationPolicy(when="never"))
    driver.finish("a").finish("pay")
    assert driver.shown() == "succeeded"
    driver.verb(verbs.Compensate).end("pay", "lost", undo=True)
    assert driver.states["pay"] == "compensating"
    assert len([1 for path in driver.undone() if path == "pay"]) == 2


def test_the_whole_live_run_is_undone_on_request() -> None:
    driver = Driver(node("a", compensate=undo()), node("b", "a"), node("c", "b")).finish("a")
    driver.verb(verbs.Compensate)
    assert driver.stopped
    driver.end("b", "stopped")
    assert undo_all(driver).undone() == ["a"]
    assert driver.states["c"] == "cancelled"
    assert driver.shown() == "compensated"


def test_a_compensation_is_not_started_twice() -> None:
    driver = saga().fail("bad")
    assert driver.refused(verbs.Compensate(run=1)).startswith("run 1 is being undone already")
    assert driver.refused(verbs.CancelRun(run=1)).startswith("cannot cancel run 1")
    assert driver.refused(verbs.Rerun(run=1, start="a")).startswith("cannot rerun nodes")


def test_a_broken_input_of_an_undo_fails_it() -> None:
    driver = Driver(node("a", compensate=undo(input={"x": "{{ output + 1 }}"})), node("bad", "a"))
    driver.finish("a", [1]).fail("bad")
    assert driver.states["a"] == "compensation_failed"
    assert driver.shown() == "attention"


def test_the_undo_sees_what_the_node_was_given_and_returned() -> None:
    driver = Driver(
        node(
            "a",
            input={"n": 2},
            compensate=undo(input={"in": "{{ input.n }}", "out": "{{ output }}"}),
        ),
        node("bad", "a"),
    )
    driver.finish("a", 5).fail("bad")
    started = next(event for event in driver.of(AttemptStarted, "a") if event.undo)
    assert started.input == {"in": 2, "out": 5}


def test_handled_failures_are_not_undone() -> None:
    driver = Driver(
        node("a", compensate=undo()),
        node("b", "a"),
        node("h", Edge(source="b", on="failure")),
    )
    driver.finish("a").fail("b").finish("h")
    assert driver.shown() == "succeeded"
    assert driver.undone() == []


def test_nodes_of_unknown_or_undeclared_undo_are_refused() -> None:
    driver = Driver(node("a")).finish("a")
    assert driver.refused(verbs.Compensate(run=1, nodes=("z",))) == "run 1 has no node z. it has a"
    assert driver.refused(verbs.Compensate(run=1, nodes=("a",))).startswith("a declares no undo")


def test_two_runs_are_undone_apart() -> None:
    driver = saga()
    other = driver.start(workflow(node("a", compensate=undo()), node("bad", "a"), name="other"))
    driver.finish("a", run=other).fail("bad", run=other).fail("bad")
    assert driver.shown(other) == "compensating"
    driver.finish("a", run=other, undo=True)
    assert driver.shown(other) == "compensated"
    assert driver.shown() == "compensating"


def test_a_compensated_run_still_says_that_a_failure_was_tolerated() -> None:
    driver = Driver(node("a", compensate=undo()), node("soft", critical=False), node("bad", "a"))
    driver.finish("a").fail("soft").fail("bad")
    undo_all(driver)
    assert driver.shown() == "compensated"
    assert driver.run().degraded


def test_a_refused_undo_counts_what_downstream_would_undo() -> None:
    driver = saga().finish("bad")
    of_two = driver.refused(verbs.Compensate(run=1, nodes=("b",)))
    of_three = driver.refused(verbs.Compensate(run=1, nodes=("a",)))
    assert "--downstream undoes both;" in of_two
    assert "--downstream undoes all 3;" in of_three


def test_a_compensated_run_says_who_gave_up_what() -> None:
    driver = Driver(node("a", compensate=undo()), node("b", "a", side_effects="external"))
    driver.finish("a").end("b", "lost")
    driver.do(verbs.MarkNode(run=1, node="b", outcome="failed"))
    undo_all(driver)
    assert (driver.shown(), driver.run().message) == ("compensated", "b was given up by ada")


# --------------------------------------------------------------------------- locks


def locked_undo(*more: Node, **keys: Any) -> Driver:
    """Run 1 is undone and comes to ``a``, whose lock "l" is held by node x of run 2."""
    driver = Driver(node("a", locks=("l",), compensate=undo()), node("bad", "a"), **keys)
    driver.finish("a")
    driver.start(workflow(node("x", locks=("l",)), *more, name="other"))
    return driver.fail("bad")


def test_an_undo_waits_for_the_locks_of_its_node_and_needs_nobody_meanwhile() -> None:
    driver = locked_undo()
    assert driver.undone() == []
    assert driver.shown() == "compensating"
    assert why(driver, "a")[0] == (
        'the undo of a waits for lock "l", held by run 2 (other) in x for 0 s'
    )
    driver.reload().finish("x", run=2)
    assert driver.undone() == ["a"]
    driver.finish("a", undo=True)
    assert driver.shown() == "compensated"
    assert driver.state.flow.holders == {}


def test_an_undo_holds_the_locks_of_its_node_to_its_end() -> None:
    driver = Driver(node("a", locks=("l",), compensate=undo()), node("bad", "a"))
    driver.finish("a").fail("bad")
    driver.start(workflow(node("x", locks=("l",)), name="other"))
    assert driver.at("x", 2).status == "ready"
    assert why(driver, "x", 2) == [
        'x waits for lock "l", held by run 1 (flow) in the undo of a for 0 s'
    ]
    driver.fail("a", undo=True)
    assert driver.at("x", 2).status == "running"
    driver.tick(1)
    assert driver.open_attempt("a", undo=True) is None
    assert driver.shown() == "compensating"
    driver.finish("x", run=2).finish("a", undo=True)
    assert driver.shown() == "compensated"


def test_an_undo_stands_in_line_since_its_compensation_began() -> None:
    driver = locked_undo()
    driver.start(workflow(node("y", locks=("l",), priority="high"), name="third"))
    driver.finish("x", run=2)
    assert [flight.node for flight in driver.state.flow.in_flight] == ["a"]
    driver.finish("a", undo=True)
    assert [flight.node for flight in driver.state.flow.in_flight] == ["y"]


@pytest.mark.parametrize("paused", [True, False])
def test_an_undo_that_may_not_go_on_lets_the_next_in_line_have_the_lock(paused: bool) -> None:
    driver = Driver(
        node("a", locks=("l",), compensate=undo()),
        node("bad", "a"),
        compensation=CompensationPolicy(timeout=5),
    ).finish("a")
    driver.start(workflow(node("x", locks=("l",)), name="other"))
    driver.fail("bad")
    driver.start(workflow(node("y", locks=("l",)), name="third"))
    if paused:
        driver.verb(verbs.PauseRun)
    else:
        driver.tick(5)  # the time limit of the compensation
        assert driver.shown() == "attention"
    driver.finish("x", run=2)
    assert [flight.node for flight in driver.state.flow.in_flight] == ["y"]
    driver.finish("y", run=3)
    assert driver.undone() == []
    driver.verb(verbs.ResumeRun if paused else verbs.Compensate)
    driver.finish("a", undo=True)
    assert driver.shown() == "compensated"


def test_an_undo_without_a_place_in_the_engine_needs_nobody() -> None:
    driver = Driver(node("a", compensate=undo()), max_concurrency=1).finish("a")
    driver.start(workflow(node("x"), name="other"))
    driver.verb(verbs.Compensate)
    assert driver.shown() == "compensating"
    assert why(driver, "a")[0] == (
        "the undo of a waits for a place: the engine runs 1 nodes at a time"
    )


def test_a_reader_of_one_run_is_told_that_an_undo_waits_for_its_turn() -> None:
    driver = locked_undo()
    alone = EngineState(driver.plans, driver._look_up)
    replay(alone, [record for record in driver.records if record.run == 1])
    assert explain(alone, alone.runs[1], "a")[0].text == (
        "the undo of a waits for its turn: a limit or a lock that runs share is used up"
    )


def test_a_lock_offered_to_an_undo_keeps_nothing_else_from_starting() -> None:
    driver = locked_undo(node("y", "x")).finish("x", run=2)
    assert {flight.node for flight in driver.state.flow.in_flight} == {"a", "y"}
