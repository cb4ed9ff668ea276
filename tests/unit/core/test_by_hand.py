"""What people change: outcomes, inputs and outputs, retries with what follows, reruns, cancellations."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from studio.core import commands as verbs
from studio.core.events import AttemptStarted, NodesStaled, RunReopened
from studio.core.state import EngineState
from studio.core.turn import STARTS_PER_BATCH, take_turn
from studio.model.nodes import BranchSettings, Case, Edge, TransformSettings
from studio.model.policies import Retry
from tests.unit.core.driver import Driver, node, undo, workflow


def raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


def chain(**keys: Any) -> Driver:
    """a -> b -> c, each with the output of the one before as input; a, b and c return 1, 2, 3."""
    driver = Driver(
        node("a"),
        node("b", "a", input={"x": "{{ nodes.a.output }}"}),
        node("c", "b", input={"x": "{{ nodes.b.output }}"}),
        **keys,
    )
    return driver.finish("a", 1).finish("b", 2).finish("c", 3)


# --------------------------------------------------------------------------- retry with downstream


def test_what_gets_the_same_input_is_reused() -> None:
    driver = chain().verb(verbs.RetryNode, "a", downstream=True).finish("a", 1)
    assert driver.states == {"a": "succeeded", "b": "reused", "c": "reused"}
    assert driver.shown() == "succeeded"
    assert driver.output("c") == 3


def test_what_gets_another_input_runs_again_up_to_the_cut_off() -> None:
    driver = chain().verb(verbs.RetryNode, "a", downstream=True).finish("a", 7)
    assert driver.states == {"a": "succeeded", "b": "running", "c": "blocked"}
    assert driver.of(AttemptStarted, "b")[-1].input == {"x": 7}
    driver.finish("b", 2)
    assert driver.states["c"] == "reused"


def test_the_generation_rises_when_a_node_runs_again_not_when_it_is_reused() -> None:
    driver = chain().verb(verbs.RetryNode, "a", downstream=True).finish("a", 7).finish("b", 2)
    assert [driver.at(name).generation for name in "abc"] == [2, 2, 1]


def test_without_downstream_what_follows_is_stale_until_it_is_rerun() -> None:
    driver = chain().verb(verbs.RetryNode, "a").finish("a", 7)
    assert driver.states == {"a": "succeeded", "b": "succeeded", "c": "succeeded"}
    assert [sorted(driver.at(name).marks) for name in "abc"] == [[], ["stale"], ["stale"]]
    driver.verb(verbs.Rerun).finish("b", 2)
    assert driver.states["c"] == "reused"
    assert driver.at("b").marks == driver.at("c").marks == frozenset()


def test_a_follower_that_runs_meanwhile_is_stale_when_it_is_done() -> None:
    driver = Driver(node("a"), node("b", "a")).finish("a", 1)
    driver.verb(verbs.RetryNode, "a", downstream=True).finish("b", 1)
    assert "stale" in driver.at("b").marks


def test_kinds_that_read_more_than_their_input_are_evaluated_again() -> None:
    kind = BranchSettings(cases=(Case(port="big", when="nodes.a.output > 3"),), otherwise="small")
    driver = Driver(
        node("a"),
        node("t", "a", kind=TransformSettings(value="nodes.a.output", has_value=True)),
        node("s", "a", kind=kind),
    )
    driver.finish("a", 1).finish("t", 1).finish("s", port="small")
    driver.verb(verbs.RetryNode, "a", downstream=True).finish("a", 9)
    assert {driver.states["t"], driver.states["s"]} == {"running"}


def test_a_retry_with_input() -> None:
    driver = chain()
    driver.do(verbs.RetryNode(run=1, node="b", input={"x": 5}, has_input=True))
    assert driver.of(AttemptStarted, "b")[-1].input == {"x": 5}
    assert "overridden" in driver.at("b").marks


def test_retry_in_the_backoff_starts_at_once_and_its_timer_is_off() -> None:
    slow = Retry(strategy="fixed", initial_delay=60, jitter=0)
    driver = Driver(node("a", retry=slow)).fail("a").verb(verbs.RetryNode, "a")
    assert driver.states["a"] == "running"
    assert driver.timers == {}


def test_a_retry_needs_the_join_to_hold() -> None:
    driver = Driver(node("a"), node("b", "a"), policy="hold").finish("a").fail("b")
    driver.verb(verbs.RetryNode, "a")
    text = driver.refused(verbs.RetryNode(run=1, node="b"))
    assert text.startswith("cannot retry b: it needs a (on success), which is running")


def test_a_retry_of_a_handler_and_of_a_settled_join() -> None:
    driver = Driver(
        node("a"),
        node("h", Edge(source="a", on="failure")),
        node("s", "a", join="settled"),
        policy="hold",
    )
    driver.fail("a").fail("h").fail("s")
    driver.verb(verbs.RetryNode, "h").verb(verbs.RetryNode, "s")
    assert driver.states["h"] == driver.states["s"] == "running"


# --------------------------------------------------------------------------- marks


def test_late_success_brings_back_what_was_skipped_because_of_it() -> None:
    driver = Driver(node("a"), node("b", "a"), node("c", "b"), policy="continue").fail("a")
    assert driver.states == {"a": "failed", "b": "skipped", "c": "skipped"}
    driver.verb(verbs.MarkNode, "a", outcome="succeeded", output=raw(4))
    assert driver.states == {"a": "succeeded", "b": "running", "c": "blocked"}
    assert driver.output("a") == 4
    assert driver.finish("b").finish("c").shown() == "succeeded"


def test_late_success_marks_the_handler_that_ran_as_stale_and_undoes_nothing() -> None:
    driver = Driver(
        node("a"), node("h", Edge(source="a", on="failure"), compensate=undo()), node("b", "a")
    )
    driver.fail("a").finish("h")
    assert driver.shown() == "succeeded"
    driver.verb(verbs.MarkNode, "a", outcome="succeeded")
    assert driver.states == {"a": "succeeded", "h": "succeeded", "b": "running"}
    assert driver.at("h").marks == {"stale"}
    assert driver.at("a").marks == {"marked"}


def test_what_was_skipped_by_hand_stays_skipped() -> None:
    driver = Driver(node("a"), node("b", "a"), policy="continue")
    driver.verb(verbs.MarkNode, "b", outcome="skipped").fail("a")
    driver.verb(verbs.MarkNode, "a", outcome="succeeded")
    assert driver.states["b"] == "skipped"


def test_a_node_with_ports_is_marked_with_one() -> None:
    kind = BranchSettings(cases=(Case(port="x", when="true"),), otherwise="y")
    driver = Driver(
        node("s", kind=kind), node("b", Edge(source="s", port="x")), policy="hold"
    ).fail("s")
    text = driver.refused(verbs.MarkNode(run=1, node="s", outcome="succeeded"))
    assert text == "s leaves by a named port. say which: --port x|y"
    driver.verb(verbs.MarkNode, "s", outcome="succeeded", port="x")
    assert driver.states["b"] == "running"


def test_giving_up_a_held_node_goes_on_with_the_policy_and_the_undo() -> None:
    driver = Driver(node("a", compensate=undo()), node("b", "a"), policy="hold")
    driver.finish("a").fail("b").verb(verbs.MarkNode, "b", outcome="failed")
    assert driver.undone() == ["a"]
    assert driver.finish("a", undo=True).shown() == "compensated"


def test_an_ignored_failure_fails_nothing() -> None:
    driver = Driver(node("a"), node("b", "a"), policy="hold").fail("a")
    driver.verb(verbs.MarkNode, "a", outcome="ignored")
    assert driver.states == {"a": "failed", "b": "skipped"}
    assert driver.shown() == "succeeded"
    assert driver.at("a").marks == {"ignored"}


def test_a_retry_drops_the_marks_of_the_earlier_outcome() -> None:
    driver = Driver(node("a"), policy="hold").fail("a")
    driver.verb(verbs.MarkNode, "a", outcome="ignored").verb(verbs.RetryNode, "a").finish("a")
    assert driver.at("a").marks == frozenset()


def test_a_doubtful_node_in_a_cancelled_run_does_not_bring_it_back() -> None:
    driver = Driver(node("a", side_effects="external"), node("b", "a")).end("a", "lost")
    driver.verb(verbs.CancelRun)
    assert driver.shown() == "attention"
    driver.verb(verbs.MarkNode, "a", outcome="succeeded")
    assert driver.states == {"a": "succeeded", "b": "cancelled"}
    assert driver.shown() == "cancelled"
    assert driver.of(RunReopened) == []


# --------------------------------------------------------------------------- overrides


def test_an_output_override_makes_stale_what_used_the_old_one_and_can_be_reverted() -> None:
    driver = chain().verb(verbs.OverrideOutput, "a", output=raw(9))
    assert driver.output("a") == 9
    assert "overridden output" in driver.at("a").marks
    assert driver.of(NodesStaled)[-1].nodes == ("b", "c")
    driver.verb(verbs.OverrideOutput, "a", output=raw(10))
    driver.verb(verbs.OverrideOutput, "a", revert=True)
    assert driver.output("a") == 1
    assert "overridden output" not in driver.at("a").marks


def test_an_output_override_judges_again_what_the_old_one_had_skipped() -> None:
    driver = Driver(
        node("a"),
        node("b", Edge(source="a", when="output > 3")),
        node("c", "a", when="nodes.a.output > 5"),
    )
    driver.finish("a", 1)
    assert driver.states == {"a": "succeeded", "b": "skipped", "c": "skipped"}
    assert driver.shown() == "succeeded"
    driver.verb(verbs.OverrideOutput, "a", output=raw(4))
    assert driver.states == {"a": "succeeded", "b": "running", "c": "skipped"}
    driver.finish("b")
    driver.verb(verbs.OverrideOutput, "a", output=raw(6))
    assert driver.states["c"] == "running"


def test_an_output_override_at_a_breakpoint_lets_nothing_go() -> None:
    driver = Driver(node("a"), node("b", "a")).verb(verbs.SetBreakpoint, "a", on="after")
    driver.finish("a", 1).verb(verbs.OverrideOutput, "a", output=raw(2))
    assert driver.states["b"] == "blocked"
    driver.verb(verbs.Continue, "a")
    assert driver.states["b"] == "running"


def test_an_output_override_of_an_item_is_collected_again() -> None:
    driver = Driver(node("each", foreach=[1, 2]), node("b", "each"))
    driver.finish("each[0]", 1).finish("each[1]", 2).finish("b")
    driver.verb(verbs.OverrideOutput, "each[0]", output=raw(9))
    assert driver.output("each") == [9, 2]
    assert "stale" in driver.at("b").marks
    assert driver.shown() == "succeeded"


def test_the_input_of_a_foreach_is_that_of_its_items() -> None:
    driver = Driver(node("each", foreach=[1, 2]))
    text = driver.refused(verbs.OverrideInput(run=1, node="each", input={}))
    assert text.startswith("each is a foreach: its items have inputs of their own")


@pytest.mark.parametrize("given", [5, "x", [1], None])
def test_an_input_by_hand_is_a_mapping(given: Any) -> None:
    driver = Driver(node("n"), policy="hold").fail("n")
    text = driver.refused(verbs.OverrideInput(run=1, node="n", input=given))
    assert text.startswith("the input of n is a mapping of names to values")
    driver.refused(verbs.RetryNode(run=1, node="n", input=given, has_input=True))


# --------------------------------------------------------------------------- rerun


def test_rerun_from_a_node_runs_all_that_follows_as_a_new_generation() -> None:
    driver = chain().verb(verbs.Rerun, start="b").finish("b", 2).finish("c", 3)
    assert [driver.at(name).generation for name in "abc"] == [1, 2, 2]
    assert driver.started() == ["a", "b", "c", "b", "c"]
    assert driver.at("c").attempt == 2


def test_rerun_is_refused_where_it_cannot_be() -> None:
    driver = Driver(node("a"), node("b", "a"))
    assert driver.refused(verbs.Rerun(run=1, start="z")) == "run 1 has no node z. it has a, b"
    assert driver.refused(verbs.Rerun(run=1, start="a")).startswith("cannot rerun a: it is running")
    assert driver.refused(verbs.Rerun(run=1)) == "no node of run 1 is stale"


def test_rerun_ends_backoffs_and_their_timers() -> None:
    slow = Retry(strategy="fixed", initial_delay=60, jitter=0)
    driver = Driver(node("a"), node("b", "a", retry=slow)).finish("a").fail("b")
    driver.verb(verbs.Rerun, start="a")
    assert driver.timers == {}
    driver.finish("a").finish("b")
    assert driver.shown() == "succeeded"


# --------------------------------------------------------------------------- cancel


def test_a_cancelled_node_skips_what_needs_it_and_the_run_goes_on() -> None:
    driver = Driver(node("a"), node("b", "a"), node("c")).verb(verbs.CancelNode, "a")
    driver.end("a", "stopped").finish("c")
    assert driver.states == {"a": "cancelled", "b": "skipped", "c": "succeeded"}
    assert driver.shown() == "succeeded"


def test_a_cancelled_run_stops_what_runs_and_starts_nothing() -> None:
    driver = Driver(node("a"), node("b", "a"), node("h", Edge(source="a", on="failure")))
    driver.verb(verbs.CancelRun)
    assert [flight.node for flight in driver.stopped] == ["a"]
    assert driver.states == {"a": "running", "b": "cancelled", "h": "cancelled"}
    driver.fail("a")
    assert driver.states["a"] == "cancelled"
    assert driver.shown() == "cancelled"
    assert driver.run().message == "cancelled by ada"


def test_a_cancelled_run_can_be_taken_up_again() -> None:
    driver = Driver(node("a"), node("b", "a")).verb(verbs.CancelRun).end("a", "stopped")
    driver.verb(verbs.RetryNode, "a").finish("a").finish("b")
    assert driver.shown() == "succeeded"


# --------------------------------------------------------------------------- runs


def test_a_run_is_started_only_of_a_known_version_once_and_to_a_known_node() -> None:
    driver = Driver(node("a"))
    version = driver.run().plan.version
    assert (
        driver.refused(verbs.StartRun(run=2, run_id="x", version="nope"))
        == "version nope is not loaded"
    )
    assert (
        driver.refused(verbs.StartRun(run=1, run_id="x", version=version)) == "run 1 exists already"
    )
    unknown = verbs.StartRun(run=2, run_id="x", version=version, until="z")
    assert driver.refused(unknown) == "flow has no node z. it has a"


def test_outputs_are_rendered_at_the_end_and_a_broken_one_fails_the_run() -> None:
    good = Driver(node("a"), outputs={"x": "{{ nodes.a.output }}"}).finish("a", 5)
    assert good.run().outputs == {"x": 5}
    bad = Driver(node("a"), outputs={"x": "{{ nodes.a.output < 'a' }}"}).finish("a", 5)
    assert bad.shown() == "failed"
    assert bad.run().message.startswith("outputs.x: ")


def test_a_batch_carries_a_bounded_number_of_starts() -> None:
    driver = Driver(check=False)
    count = STARTS_PER_BATCH + 10
    number = driver.start(workflow(*[node(f"n{index}") for index in range(count)]))
    assert len(driver.flights(number)) == count
    state = EngineState(driver.plans)
    version = driver.run().plan.version
    first = take_turn(state, [verbs.StartRun(run=1, run_id="r", version=version)], 1.0)
    assert first.more
    assert sum(isinstance(r.event, AttemptStarted) for r in first.records) == STARTS_PER_BATCH
    assert not take_turn(state, [], 1.0).more


def test_a_state_folded_from_the_history_goes_on_in_the_same_way() -> None:
    def play(restart: bool) -> list[Any]:
        slow = Retry(strategy="fixed", initial_delay=5, jitter=0.2)
        driver = Driver(
            node("a", retry=slow),
            node("each", "a", foreach="{{ nodes.a.output }}", max_parallel=2, compensate=undo()),
            node("b", "each", locks=("l",), compensate=undo()),
            node("c", "each", locks=("l",)),
            node("bad", ["b", "c"]),
        )
        steps: list[Any] = [
            lambda: driver.fail("a"),
            lambda: driver.tick(7),
            lambda: driver.finish("a", [1, 2, 3]),
            lambda: driver.finish("each[1]"),
            lambda: driver.verb(verbs.PauseRun),
            lambda: driver.verb(verbs.ResumeRun),
            lambda: driver.finish("each[0]"),
            lambda: driver.finish("each[2]"),
            lambda: driver.finish("b"),
            lambda: driver.finish("c"),
            lambda: driver.fail("bad"),
            lambda: driver.finish("b", undo=True),
        ]
        for step in steps:
            step()
            if restart:
                driver.reload()
        return list(driver.records)

    assert play(True) == play(False)


@pytest.mark.parametrize("policy", ["hold", "fail", "continue"])
def test_failure_branches_run_while_a_run_fails(policy: Any) -> None:
    driver = Driver(
        node("a"),
        node("observer", Edge(source="a", on="failure", handles=False)),
        node("after", "observer"),
        node("always", Edge(source="a", on="any")),
        node("cleanup", "a", join="settled"),
        node("b", "a"),
        policy=policy,
    ).fail("a")
    if policy == "hold":
        assert set(driver.states.values()) == {"failed", "blocked"}
        return
    assert [driver.states[name] for name in ("observer", "always", "cleanup")] == ["running"] * 3
    assert driver.states["b"] == ("cancelled" if policy == "fail" else "skipped")
    driver.finish("observer").finish("after").finish("always").finish("cleanup")
    assert driver.shown() == "failed"


def test_a_node_that_is_not_critical_degrades_the_run() -> None:
    driver = Driver(node("a", critical=False), node("b", "a"), node("c")).fail("a").finish("c")
    assert driver.states["b"] == "skipped"
    assert driver.shown() == "succeeded"
    assert driver.run().degraded
    driver.verb(verbs.RetryNode, "a").finish("a").finish("b")
    assert not driver.run().degraded


def test_a_tolerated_failure_whose_handler_fails_degrades_too() -> None:
    driver = Driver(
        node("a", critical=False), node("h", Edge(source="a", on="failure"), critical=False)
    )
    driver.fail("a").fail("h")
    assert driver.at("a").disposition == "tolerated"
    assert driver.shown() == "succeeded"
    assert driver.run().degraded


def test_a_reused_node_took_as_long_as_the_attempt_that_is_reused() -> None:
    driver = Driver(node("a"), node("b", "a")).finish("a", 1)
    driver.now += 2
    driver.finish("b")
    ended = driver.at("b").finished_at
    driver.now += 60
    driver.verb(verbs.RetryNode, "a", downstream=True).finish("a", 1)
    assert driver.states["b"] == "reused"
    assert driver.at("b").finished_at == ended
