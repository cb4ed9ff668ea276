"""A foreach: its items, the three answers to a failed item, and retries of items and of the whole."""

from __future__ import annotations

from typing import Any

from msgspec import Raw

from studio.core import commands as verbs
from studio.core.events import AttemptStarted, ItemsCollected, NodeFailed
from studio.model.nodes import Edge, Node
from studio.model.policies import Fallback, Limits, Retry
from tests.unit.core.driver import Driver, encode, node


def each(count: int = 4, **keys: Any) -> Node:
    return node("each", foreach=list(range(count)), input={"n": "{{ item }}"}, **keys)


def items(driver: Driver) -> list[str]:
    return [state for path, state in driver.states.items() if path.startswith("each[")]


def test_the_outputs_come_in_order_whatever_the_order_of_the_ends() -> None:
    driver = Driver(each(3), node("b", "each"))
    for index in (2, 0, 1):
        driver.finish(f"each[{index}]", index * 10)
    assert driver.output("each") == [0, 10, 20]
    assert driver.states["b"] == "running"


def test_an_item_sees_its_element_and_index() -> None:
    driver = Driver(node("each", foreach=["x", "y"], input={"v": "{{ item }}{{ index }}"}))
    position = driver.at("each[1]").input_position
    assert driver.state.event(position).input == {"v": "y1"}


def test_an_empty_list_is_done_at_once() -> None:
    driver = Driver(each(0), node("b", "each"))
    assert driver.output("each") == []
    assert driver.states["b"] == "running"


def test_what_is_no_list_fails_the_node() -> None:
    driver = Driver(node("a"), node("each", "a", foreach="{{ nodes.a.output }}"))
    driver.finish("a", {"no": "list"})
    failure = driver.at("each").failure
    assert failure is not None
    assert failure.message == "foreach needs a list, not a mapping"
    assert driver.shown() == "failed"


def test_max_parallel_bounds_the_items_in_flight() -> None:
    driver = Driver(each(5, max_parallel=2))
    seen = []
    while driver.flights():
        seen.append(len(driver.flights()))
        driver.finish(driver.flights()[0].node)
    assert seen == [2, 2, 2, 2, 1]


def test_fail_cancels_what_has_not_started_and_fails_the_node_when_the_rest_is_done() -> None:
    driver = Driver(each(4, max_parallel=2), node("b", "each"), policy="continue")
    driver.fail("each[0]")
    assert items(driver) == ["failed", "running", "cancelled", "cancelled"]
    assert driver.states["each"] == "running"
    driver.finish("each[1]")
    assert driver.states["each"] == "failed"
    assert driver.states["b"] == "skipped"
    assert driver.shown() == "failed"
    failure = driver.at("each").failure
    assert failure is not None
    assert (
        failure.message == "3 of 4 items did not succeed; first each[0]: ValueError: each[0] broke"
    )


def test_continue_gives_null_for_a_failed_item_and_degrades() -> None:
    driver = Driver(each(3, on_item_failure="continue", max_parallel=1), node("b", "each"))
    driver.fail("each[0]")
    driver.finish("each[1]", "x").finish("each[2]", "y")
    assert driver.output("each") == [None, "x", "y"]
    assert "degraded" in driver.at("each").marks
    driver.finish("b")
    assert driver.shown() == "succeeded"
    assert driver.run().degraded


def test_hold_keeps_the_failed_item_for_a_person_while_the_others_go_on() -> None:
    driver = Driver(each(3, on_item_failure="hold", max_parallel=1), node("b", "each"))
    driver.fail("each[0]").finish("each[1]").finish("each[2]")
    assert items(driver) == ["failed", "succeeded", "succeeded"]
    assert driver.shown() == "attention"
    driver.verb(verbs.RetryNode, "each[0]")
    driver.finish("each[0]", 7).finish("b")
    assert driver.output("each") == [7, None, None]
    assert driver.shown() == "succeeded"


def test_a_held_item_given_up_fails_the_foreach() -> None:
    driver = Driver(each(2, on_item_failure="hold"))
    driver.fail("each[0]").finish("each[1]")
    driver.verb(verbs.MarkNode, "each[0]", outcome="failed")
    assert driver.states["each"] == "failed"
    assert driver.shown() == "failed"


def test_an_ignored_item_counts_as_null() -> None:
    driver = Driver(each(2, on_item_failure="hold"))
    driver.fail("each[0]").finish("each[1]", 1)
    driver.verb(verbs.MarkNode, "each[0]", outcome="ignored")
    assert driver.output("each") == [None, 1]
    assert driver.shown() == "succeeded"


def test_an_item_marked_by_hand_counts_with_its_output() -> None:
    driver = Driver(each(2, on_item_failure="hold"))
    driver.fail("each[0]").finish("each[1]", 1)
    driver.verb(verbs.MarkNode, "each[0]", outcome="succeeded", output=Raw(encode(5)))
    assert driver.output("each") == [5, 1]


def test_a_retried_item_waits_for_a_place() -> None:
    driver = Driver(each(3, on_item_failure="hold", max_parallel=1))
    driver.fail("each[0]")
    driver.verb(verbs.RetryNode, "each[0]")
    assert len(driver.flights()) == 1
    driver.finish("each[1]")
    assert [flight.node for flight in driver.flights()] == ["each[0]"]


def test_retry_of_the_parent_runs_only_what_did_not_succeed() -> None:
    driver = Driver(each(4, max_parallel=2), node("b", "each"))
    driver.fail("each[0]").finish("each[1]", 1)
    assert driver.shown() == "failed"
    driver.verb(verbs.RetryNode, "each").finish_all()
    assert driver.started() == ["each[0]", "each[1]", "each[0]", "each[2]", "each[3]", "b"]
    assert driver.output("each") == [None, 1, None, None]
    assert driver.shown() == "succeeded"


def test_retry_of_an_item_of_a_collected_foreach_collects_again() -> None:
    driver = Driver(each(2, on_item_failure="continue"), node("b", "each"), node("c", "b"))
    driver.fail("each[0]").finish("each[1]", 1).finish("b").finish("c")
    assert driver.shown() == "succeeded"
    driver.verb(verbs.RetryNode, "each[0]")
    assert driver.states["each"] == "running"
    assert "stale" in driver.at("b").marks
    driver.finish("each[0]", 0)
    assert driver.output("each") == [0, 1]
    assert len(driver.of(ItemsCollected)) == 2
    assert driver.shown() == "succeeded"


def test_items_retry_by_their_own_policy() -> None:
    driver = Driver(each(2, retry=Retry(strategy="fixed", max_attempts=2, jitter=0)))
    driver.fail("each[0]").finish("each[1]", 1)
    assert items(driver) == ["backing_off", "succeeded"]
    driver.tick(1).finish("each[0]", 0)
    assert driver.output("each") == [0, 1]


def test_an_item_falls_back_by_itself() -> None:
    driver = Driver(each(2, fallback=Fallback(value=-1)))
    driver.fail("each[0]").finish("each[1]", 1)
    assert driver.output("each") == [-1, 1]
    assert driver.shown() == "succeeded"


def test_a_cancelled_foreach_is_cancelled_not_failed() -> None:
    driver = Driver(each(3, max_parallel=1), node("b", "each"))
    driver.verb(verbs.CancelNode, "each")
    assert items(driver) == ["running", "cancelled", "cancelled"]
    driver.end("each[0]", "stopped")
    assert driver.states["each"] == "cancelled"
    assert driver.of(NodeFailed) == []
    assert driver.states["b"] == "skipped"


def test_a_failing_run_cancels_the_items_that_wait() -> None:
    driver = Driver(each(3, max_parallel=1), node("bad"))
    driver.fail("bad")
    assert items(driver) == ["running", "cancelled", "cancelled"]
    driver.finish("each[0]")
    assert driver.states["each"] == "cancelled"
    assert driver.shown() == "failed"


def test_a_doubtful_item_given_up_fails_the_foreach_without_a_cause() -> None:
    driver = Driver(each(1, side_effects="external")).end("each[0]", "lost")
    driver.verb(verbs.MarkNode, "each[0]", outcome="failed")
    failure = driver.at("each").failure
    assert failure is not None
    assert failure.message == "1 of 1 items did not succeed"


def test_a_list_may_be_written_as_an_expression() -> None:
    driver = Driver(
        node("a"), node("each", "a", foreach="nodes.a.output.rows", input={"r": "{{ item }}"})
    )
    driver.finish("a", {"rows": ["x", "y"]})
    position = driver.at("each[1]").input_position
    assert driver.state.event(position).input == {"r": "y"}


def test_conditions_and_breakpoints_see_the_collected_list() -> None:
    driver = Driver(
        node("each", foreach=[1, 2]), node("b", Edge(source="each", when="output == [1, 2]"))
    )
    driver.finish("each[0]", 1).finish("each[1]", 2)
    assert driver.states["b"] == "running"
    for value, stops in ((2, True), (3, False)):
        driver = Driver(node("each", foreach=[1]), node("b", "each"))
        driver.verb(verbs.SetBreakpoint, "each", on="after", when="output == [2]")
        driver.finish("each[0]", value)
        assert (driver.states["b"] == "blocked") is stops


def test_an_item_that_a_person_retries_runs_though_another_fails_meanwhile() -> None:
    driver = Driver(each(3, max_parallel=1), policy="continue").fail("each[0]")
    driver.verb(verbs.RetryNode, "each[1]").verb(verbs.RetryNode, "each[2]").fail("each[1]")
    assert [flight.node for flight in driver.flights()] == ["each[2]"]


def test_an_item_that_fails_after_a_success_counts_as_null() -> None:
    driver = Driver(each(2, on_item_failure="continue")).finish("each[0]", 1).finish("each[1]", 2)
    driver.verb(verbs.RetryNode, "each[0]").fail("each[0]")
    assert driver.output("each") == [None, 2]


def test_the_failure_of_a_foreach_counts_what_did_not_succeed_and_names_what_failed() -> None:
    driver = Driver(each(4, on_item_failure="hold"))
    driver.verb(verbs.CancelNode, "each[0]").end("each[0]", "stopped").fail("each[1]")
    driver.verb(verbs.MarkNode, "each[1]", outcome="ignored").fail("each[2]").finish("each[3]")
    driver.verb(verbs.MarkNode, "each[2]", outcome="failed")
    failure = driver.at("each").failure
    assert failure is not None
    assert failure.message == (
        "2 of 4 items did not succeed; first each[2]: ValueError: each[2] broke"
    )


def test_an_input_given_to_an_item_is_kept_when_the_list_runs_again() -> None:
    driver = Driver(node("each", foreach=[1, 2], input={"x": "{{ item }}"}))
    driver.verb(verbs.OverrideInput, "each[1]", input={"x": 8})
    driver.finish("each[0]").finish("each[1]")
    driver.verb(verbs.RetryNode, "each").reload()
    given = [event.input for event in driver.of(AttemptStarted, "each[1]")]
    assert given == [{"x": 2}, {"x": 8}]
    assert driver.at("each[1]").marks == {"overridden"}
    assert driver.at("each[0]").marks == frozenset()
    driver.verb(verbs.OverrideInput, "each[1]", revert=True)
    driver.finish("each[0]").finish("each[1]").verb(verbs.RetryNode, "each")
    assert driver.of(AttemptStarted, "each[1]")[-1].input == {"x": 2}


def test_an_item_without_a_place_is_not_ready_when_a_pause_is_over() -> None:
    each = node("each", foreach=[1, 2], max_parallel=1)
    driver = Driver(each, limits=Limits(max_concurrency=1))
    driver.verb(verbs.PauseRun).verb(verbs.ResumeRun)
    assert (driver.states["each[0]"], driver.states["each[1]"]) == ("running", "blocked")
