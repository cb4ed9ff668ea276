"""Corners of the verbs that only one guard protects."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from studio.core import commands as verbs
from studio.core.decide.runs import stuck_item
from studio.core.events import (
    AttemptCancelled,
    AttemptStarted,
    AttemptStopRequested,
    FailureDisposed,
    NodeCancelled,
    NodesReset,
    NodesStaled,
    RunFailing,
    RunReopened,
)
from studio.core.plan import Plan
from studio.core.state import EngineState
from studio.core.turn import take_turn
from studio.model.nodes import (
    Edge,
    WaitSettings,
)
from studio.model.policies import Breakpoint, CompensationPolicy, Limits, Retry
from tests.unit.core.driver import Driver, node, undo, workflow

SLOW = Retry(strategy="fixed", initial_delay=10, jitter=0)


def raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


# --------------------------------------------------------------------------- cancel


def test_a_cancelled_wait_ends_its_attempt_as_an_item_too() -> None:
    driver = Driver(
        node("each", foreach=[1, 2], kind=WaitSettings(duration=9.0)),
        node("alone", kind=WaitSettings(duration=9.0)),
    )
    driver.verb(verbs.CancelNode, "each").verb(verbs.CancelNode, "alone")
    ended = [event.node for event in driver.of(AttemptCancelled)]
    assert ended == ["each[0]", "each[1]", "alone"]
    assert driver.timers == {}


def test_a_foreach_that_is_over_cannot_be_cancelled() -> None:
    driver = Driver(node("each", foreach=[1]), node("x")).finish("each[0]")
    text = driver.refused(verbs.CancelNode(run=1, node="each"))
    assert text == "cannot cancel each: it has already succeeded"


def test_cancelling_a_foreach_ends_each_item_in_its_own_way_and_leaves_what_is_done() -> None:
    driver = Driver(
        node("each", foreach=[1, 2, 3, 4, 5], max_parallel=3, retry=SLOW), node("b", "each")
    )
    driver.finish("each[0]", 7).fail("each[1]").verb(verbs.CancelNode, "each[2]")
    driver.verb(verbs.CancelNode, "each")
    assert [event.node for event in driver.of(AttemptStopRequested)] == ["each[2]", "each[3]"]
    assert [event.node for event in driver.of(NodeCancelled)] == ["each[1]", "each[4]"]
    assert driver.states["each[0]"] == "succeeded"
    text = driver.refused(verbs.CancelNode(run=1, node="each"))
    assert text == "each is being stopped already"
    driver.end("each[2]", "stopped").end("each[3]", "stopped")
    assert driver.states["each"] == "cancelled"


def test_the_attempt_that_runs_is_the_one_that_is_cancelled() -> None:
    driver = Driver(node("a", compensate=undo(), retry=SLOW), node("bad", "a"))
    driver.fail("a").tick(10).finish("a").fail("bad").verb(verbs.CancelNode, "a")
    stop = driver.of(AttemptStopRequested)[0]
    assert (stop.undo, stop.attempt) == (True, 1)
    driver.end("a", "stopped", undo=True).verb(verbs.RetryNode, "a").finish("a", undo=True)
    driver.verb(verbs.Rerun, start="a").verb(verbs.CancelNode, "a")
    stop = driver.of(AttemptStopRequested)[1]
    assert (stop.undo, stop.attempt) == (False, 3)


# --------------------------------------------------------------------------- retry


def test_a_retry_behind_an_undone_node_names_that_node() -> None:
    driver = Driver(
        node("a", compensate=undo()), node("b", "a"), compensation=CompensationPolicy(when="never")
    )
    driver.finish("a").fail("b").verb(verbs.Compensate).finish("a", undo=True)
    assert driver.refused(verbs.RetryNode(run=1, node="b")) == (
        "cannot retry b: a was undone. `studio rerun 1 --from a` runs it again"
    )


def test_a_retry_names_the_edge_that_is_not_taken_not_the_first_one() -> None:
    driver = Driver(node("a"), node("b"), node("c", ["a", "b"]), policy="continue")
    driver.finish("a").fail("b")
    assert driver.refused(verbs.RetryNode(run=1, node="c")) == (
        "cannot retry c: it needs b (on success), which has failed. "
        "retry b, or `studio mark 1 c succeeded` goes past it"
    )


@pytest.mark.parametrize("held", [True, False])
def test_a_retry_with_downstream_leaves_alone_what_has_not_begun(held: bool) -> None:
    locks = () if held else ("l",)
    driver = Driver(
        node("a"),
        node("o"),
        node("x", locks=("l",)),
        node("b", ["a", "o"], join="any", locks=locks),
        policy="continue",
    )
    if held:
        driver.verb(verbs.HoldNode, "b")
    driver.fail("a").finish("o")
    assert driver.states["b"] == ("held" if held else "ready")
    driver.verb(verbs.RetryNode, "a", downstream=True)
    assert driver.of(NodesReset) == []


# --------------------------------------------------------------------------- mark


def test_an_undo_that_a_later_plan_left_behind_cannot_be_marked_before_it_has_ended() -> None:
    driver = Driver(
        node("a", compensate=undo()),
        node("b", compensate=undo()),
        compensation=CompensationPolicy(timeout=0.5),
    )
    driver.finish("a").finish("b").verb(verbs.Compensate).fail("b", undo=True).tick(0.6)
    driver.verb(verbs.Compensate, nodes=("a",)).finish("a", undo=True)
    assert driver.states["b"] == "compensating"
    text = driver.refused(verbs.MarkNode(run=1, node="b", outcome="succeeded"))
    assert text == "cannot mark b: it is being undone. cancel it first, or wait"


def doubtful() -> Driver:
    """n made the run fail and is in doubt for its undo; x runs no longer."""
    driver = Driver(
        node("n", side_effects="external", compensate=undo(), timeout=1),
        node("x"),
        limits=Limits(timeout=5),
    )
    driver.tick(1).end("n", "stopped")
    assert driver.run().failing_node == "n"
    return driver


def test_telling_that_the_node_a_run_fails_for_did_act_lets_the_run_go_on() -> None:
    driver = doubtful().finish("x")
    assert driver.states["n"] == "in_doubt"
    driver.verb(verbs.MarkNode, "n", outcome="succeeded")
    assert len(driver.of(RunReopened)) == 1
    assert driver.shown() == "succeeded"


def test_telling_it_does_not_bring_a_cancelled_run_back() -> None:
    driver = doubtful().finish("x").verb(verbs.CancelRun)
    driver.verb(verbs.MarkNode, "n", outcome="succeeded")
    assert driver.of(RunReopened) == []
    assert driver.shown() == "cancelled"


def test_telling_it_does_not_bring_a_run_back_whose_time_is_over() -> None:
    driver = doubtful().tick(5).end("x", "stopped")
    assert driver.states["n"] == "in_doubt"
    driver.verb(verbs.MarkNode, "n", outcome="succeeded")
    assert driver.of(RunReopened) == []
    assert driver.finish("n", undo=True).shown() == "compensated"


def test_telling_it_does_not_bring_a_run_back_that_fails_for_another_node() -> None:
    driver = Driver(node("n", side_effects="external"), node("bad")).end("n", "lost").fail("bad")
    driver.verb(verbs.MarkNode, "n", outcome="succeeded")
    assert driver.of(RunReopened) == []
    assert driver.shown() == "failed"


def test_marking_anything_else_in_a_failing_run_lets_it_go_on() -> None:
    driver = Driver(node("r"), node("bad"), node("c", "r")).fail("bad")
    assert driver.states["c"] == "cancelled"
    driver.verb(verbs.MarkNode, "c", outcome="skipped")
    assert len(driver.of(RunReopened)) == 1


def test_late_success_makes_only_those_handlers_stale_that_ran() -> None:
    driver = Driver(
        node("a"),
        node("seen", Edge(source="a", on="any")),
        node("h", Edge(source="a", on="failure")),
        policy="continue",
    )
    driver.fail("a").finish("seen").fail("h")
    driver.verb(verbs.MarkNode, "a", outcome="succeeded")
    assert driver.of(NodesStaled) == []


def test_late_success_makes_a_handler_stale_that_is_about_to_be_tried_again() -> None:
    driver = Driver(node("a"), node("h", Edge(source="a", on="failure"), retry=SLOW))
    driver.fail("a").fail("h").verb(verbs.MarkNode, "a", outcome="succeeded")
    assert [event.nodes for event in driver.of(NodesStaled)] == [("h",)]


def test_an_item_marked_succeeded_makes_no_handler_stale_while_its_foreach_still_fails() -> None:
    driver = Driver(node("each", foreach=[1, 2]), node("h", Edge(source="each", on="failure")))
    driver.fail("each[0]").fail("each[1]").finish("h")
    driver.verb(verbs.MarkNode, "each[0]", outcome="succeeded")
    assert driver.states["each"] == "failed"
    assert driver.of(NodesStaled) == []


@pytest.mark.parametrize(
    ("keys", "policy", "disposition"),
    [
        ({"critical": False}, "fail", "tolerated"),
        ({}, "continue", "continued"),
        ({}, "hold", "failed"),
    ],
)
def test_a_doubtful_node_given_up_is_left_to_the_policy(
    keys: dict[str, Any], policy: Any, disposition: str
) -> None:
    driver = Driver(node("n", side_effects="external", **keys), policy=policy).end("n", "lost")
    driver.verb(verbs.MarkNode, "n", outcome="failed")
    assert [event.disposition for event in driver.of(FailureDisposed)] == [disposition]


def test_an_item_given_up_leaves_the_rest_to_its_foreach() -> None:
    driver = Driver(node("each", foreach=[1], on_item_failure="hold"), node("x"), policy="continue")
    driver.fail("each[0]").verb(verbs.MarkNode, "each[0]", outcome="failed")
    assert driver.of(RunFailing) == []
    assert driver.at("each").disposition == "continued"


def test_who_gave_a_node_up_is_told_when_it_is_known() -> None:
    driver = Driver(node("n"), policy="hold").fail("n")
    driver.send(verbs.MarkNode(run=1, node="n", outcome="failed"), by="")
    assert driver.run().message == "n was given up"
    driver = Driver(node("n"), policy="hold").fail("n").verb(verbs.MarkNode, "n", outcome="failed")
    assert driver.run().message == "n was given up by ada"


# --------------------------------------------------------------------------- overrides


def test_the_input_of_an_item_can_be_overridden() -> None:
    driver = Driver(node("each", foreach=[1], on_item_failure="hold")).fail("each[0]")
    driver.verb(verbs.OverrideInput, "each[0]", input={"x": 1}).verb(verbs.RetryNode, "each[0]")
    assert driver.of(AttemptStarted)[-1].input == {"x": 1}


def test_an_output_override_of_an_item_renders_the_outputs_of_an_ended_run_anew() -> None:
    driver = Driver(node("each", foreach=[1]), outputs={"all": "{{ nodes.each.output }}"})
    driver.finish("each[0]", 1)
    assert driver.run().outputs == {"all": [1]}
    driver.verb(verbs.OverrideOutput, "each[0]", output=raw(9))
    assert driver.run().outputs == {"all": [9]}


# --------------------------------------------------------------------------- runs


def test_a_paused_run_can_be_told_how_far_to_go() -> None:
    driver = Driver(node("a"), node("b", "a")).verb(verbs.PauseRun).verb(verbs.Step, until="a")
    driver.verb(verbs.ResumeRun).finish("a")
    assert driver.started() == ["a"]


def test_a_failure_let_go_at_its_breakpoint_stays_held_under_hold() -> None:
    driver = Driver(node("a"), policy="hold").verb(verbs.SetBreakpoint, "a", on="failure").fail("a")
    driver.verb(verbs.Continue, "a")
    assert driver.of(FailureDisposed) == []
    assert driver.shown() == "attention"


def test_a_success_let_go_at_its_breakpoint_is_judged_by_its_output() -> None:
    driver = Driver(node("a"), node("b", Edge(source="a", when="output > 3")))
    driver.verb(verbs.SetBreakpoint, "a", on="after").finish("a", 5).verb(verbs.Continue, "a")
    assert driver.states["b"] == "running"


def uncertain() -> Driver:
    """n may have acted before it failed, which the run tolerates; x is still running."""
    driver = Driver(
        node("n", side_effects="external", compensate=undo(), timeout=1, critical=False),
        node("x"),
    )
    return driver.tick(1).end("n", "stopped")


def test_a_live_run_is_compensated_whatever_may_turn_out_to_be_in_doubt() -> None:
    driver = uncertain().verb(verbs.Compensate)
    driver.end("x", "stopped")
    assert driver.states["n"] == "in_doubt"
    driver.verb(verbs.MarkNode, "n", outcome="succeeded").finish("n", undo=True)
    assert driver.shown() == "compensated"


def test_an_ended_run_is_not_compensated_before_its_doubts_are_settled() -> None:
    driver = uncertain().finish("x")
    assert driver.refused(verbs.Compensate(run=1)).startswith(
        "cannot undo run 1: the outcome of n is in doubt"
    )


def test_a_live_run_nothing_of_which_can_have_an_effect_has_nothing_to_undo() -> None:
    driver = Driver(node("a"), node("b", "a", compensate=undo()))
    assert driver.refused(verbs.Compensate(run=1)) == (
        "nothing to undo in run 1: no finished node declares an undo"
    )


def test_who_asked_for_the_undo_of_a_run_is_told_when_it_is_known() -> None:
    driver = Driver(node("a", compensate=undo()))
    driver.send(verbs.Compensate(run=1), by="")
    assert driver.run().message == "compensation was asked for"


def test_a_reason_alone_does_not_force_an_undo() -> None:
    driver = Driver(node("a", compensate=undo()), node("b", "a", compensate=undo()))
    driver.finish("a").finish("b")
    command = verbs.Compensate(run=1, nodes=("a",), reason="because")
    assert driver.refused(command).startswith("cannot undo a: b, which follows it, still holds")


def test_a_run_goes_on_after_a_second_plan_for_some_of_its_nodes() -> None:
    driver = Driver(
        node("a", compensate=undo()),
        node("c"),
        node("b", ["a", "c"], breakpoint=Breakpoint(on="before")),
        compensation=CompensationPolicy(timeout=0.5),
    )
    driver.finish("a").finish("c").verb(verbs.Compensate, nodes=("a",)).fail("a", undo=True)
    driver.tick(0.6).verb(verbs.Compensate, nodes=("a",)).tick(0.4).finish("a", undo=True)
    assert driver.shown() == "attention"
    assert not driver.run().ended


def test_commands_without_an_id_are_not_taken_for_one_that_was_sent_twice() -> None:
    plan = Plan(workflow(node("a")))
    state = EngineState({plan.version: plan})
    take_turn(state, [verbs.StartRun(run=1, run_id="r", version=plan.version)], 1.0)
    done = verbs.FinishAttempt(run=1, node="a", attempt=1, outcome="succeeded", output=raw(1))
    take_turn(state, [done], 2.0)
    assert state.runs[1].nodes["a"].status == "succeeded"


def test_a_list_whose_item_waits_for_a_person_says_which() -> None:
    driver = Driver(node("each", foreach=[1, 2], on_item_failure="hold"), node("z", "each"))
    driver.fail("each[0]")
    busy = "cannot mark each: it is running. cancel it first, or wait"
    mark = verbs.MarkNode(run=1, node="each", outcome="succeeded")
    assert driver.refused(mark) == busy
    assert "each: it is running" in driver.refused(verbs.Rerun(run=1, start="each"))
    driver.finish("each[1]")
    help = "see to each[0], or `studio cancel 1 each` ends the others"
    waits = f"each: its item each[0] waits for a person. {help}"
    assert driver.refused(mark) == f"cannot mark {waits}"
    assert driver.refused(verbs.Rerun(run=1, start="each")) == f"cannot rerun {waits}"
    doubted = Driver(node("each", foreach=[1], side_effects="external")).end("each[0]", "lost")
    assert "its item each[0] waits" in doubted.refused(mark)


def test_a_breakpoint_s_condition_names_nodes_of_the_run() -> None:
    driver = Driver(node("a"), node("b", "a"))
    unknown = verbs.SetBreakpoint(run=1, node="b", when="nodes.zz.output == 1")
    assert driver.refused(unknown) == ("the condition reads node zz, which run 1 does not have")
    for when in ("nodes.a.output == 1", "nodes[params.x].output", "params.zz == 1"):
        driver.do(verbs.SetBreakpoint(run=1, node="b", when=when))


def test_an_undo_of_what_may_have_acted_asks_what_happened_first() -> None:
    driver = uncertain().finish("x")
    doubtful = next(path for path, found in driver.run().nodes.items() if found.uncertain)
    text = driver.refused(verbs.Compensate(run=1, nodes=(doubtful,)))
    assert text.startswith(f"cannot undo {doubtful}: ")
    assert text.endswith(f"`studio mark 1 {doubtful} succeeded|failed`")


def test_an_item_that_did_well_is_none_that_waits_for_a_person() -> None:
    retry = Retry(strategy="fixed", max_attempts=2, initial_delay=5.0, jitter=0.0)
    driver = Driver(node("each", foreach=[1, 2], retry=retry), policy="hold")
    driver.finish("each[0]").fail("each[1]")
    assert driver.states["each[1]"] == "backing_off"
    assert stuck_item(driver.run(), driver.at("each")) is None


def test_a_node_under_way_is_no_list_with_items_left() -> None:
    driver = Driver(node("a", compensate=undo()), node("b", "a", compensate=undo()), policy="hold")
    driver.finish("a")
    text = driver.refused(verbs.Compensate(run=1, nodes=("a",), downstream=True))
    assert text.startswith("cannot undo a: b, which follows it, is running")
