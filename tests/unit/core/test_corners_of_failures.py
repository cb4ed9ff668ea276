"""Corners of what becomes of edges and failures that only one guard protects."""

from __future__ import annotations

from typing import Any

import pytest

from studio.core import commands as verbs
from studio.core.events import (
    AttemptFailed,
    AttemptSucceeded,
    BreakpointHit,
    FailureDisposed,
    RunFailing,
)
from studio.model.nodes import Edge, WaitSettings
from studio.model.policies import Retry
from tests.unit.core.driver import Driver, node


def test_the_edges_of_a_foreach_are_not_judged_by_its_items() -> None:
    driver = Driver(node("each", foreach=[1, 2]), node("b", Edge(source="each", when="output < 1")))
    driver.finish("each[0]", 5)
    (event,) = driver.of(AttemptSucceeded)
    assert (event.dead, event.broken) == ((), {})


def test_a_breakpoint_set_after_the_failure_does_not_stop_it_again() -> None:
    driver = Driver(node("a"), policy="hold").fail("a")
    driver.verb(verbs.SetBreakpoint, "a", on="failure").verb(verbs.MarkNode, "a", outcome="failed")
    assert driver.of(BreakpointHit) == []
    assert [event.disposition for event in driver.of(FailureDisposed)] == ["failed"]


def test_nothing_handles_a_failure_in_a_run_that_is_cancelled_in_the_same_moment() -> None:
    driver = Driver(
        node("w", kind=WaitSettings(duration=60.0), timeout=5),
        node("h", Edge(source="w", on="failure")),
    )
    driver.now += 5
    driver.send(verbs.CancelRun(run=1), verbs.FireTimer(run=1, kind="deadline", node="w"))
    assert [event.disposition for event in driver.of(AttemptFailed)] == ["failed"]


def test_an_item_that_fails_in_a_failing_run_is_not_held() -> None:
    driver = Driver(node("each", foreach=[1], on_item_failure="hold"), node("bad")).fail("bad")
    driver.fail("each[0]")
    assert driver.at("each[0]").disposition == "continued"
    assert driver.shown() == "failed"


def test_a_breakpoint_for_another_moment_does_not_stop_at_a_failure() -> None:
    for on in ("before", "after"):
        driver = Driver(node("a"), node("x"))
        driver.verb(verbs.SetBreakpoint, "a", on=on).fail("a")
        assert driver.of(BreakpointHit) == []


def test_a_failing_run_does_not_stop_at_a_failure() -> None:
    driver = Driver(node("a"), node("bad")).verb(verbs.SetBreakpoint, "a", on="failure")
    driver.fail("bad").fail("a")
    assert driver.of(BreakpointHit) == []
    assert driver.shown() == "failed"


def test_a_foreach_stops_once_at_its_failure_however_often_its_items_fail() -> None:
    driver = Driver(node("each", foreach=[1]), node("x"))
    driver.verb(verbs.SetBreakpoint, "each", on="failure").fail("each[0]")
    driver.verb(verbs.RetryNode, "each[0]").fail("each[0]")
    assert len(driver.of(BreakpointHit)) == 1


def test_what_has_succeeded_before_the_failure_does_not_handle_it() -> None:
    driver = Driver(
        node("a"), node("o"), node("h", [Edge(source="a", on="failure"), "o"], join="first")
    )
    driver.verb(verbs.SetBreakpoint, "h", on="after").finish("o").finish("h").fail("a")
    assert driver.at("a").disposition == "failed"


@pytest.mark.parametrize("when", ["false", "1 < 'x'"])
def test_a_failure_edge_whose_condition_does_not_hold_handles_nothing(when: str) -> None:
    driver = Driver(node("a"), node("h", Edge(source="a", on="failure", when=when))).fail("a")
    assert driver.of(AttemptFailed)[0].disposition == "failed"


def test_a_failure_edge_that_names_a_port_handles_nothing() -> None:
    driver = Driver(node("a"), node("h", Edge(source="a", on="failure", port="x"))).fail("a")
    assert driver.of(AttemptFailed)[0].disposition == "failed"


def test_what_a_person_has_skipped_handles_nothing() -> None:
    driver = Driver(node("a"), node("h", Edge(source="a", on="failure")))
    driver.verb(verbs.MarkNode, "h", outcome="skipped").fail("a")
    assert driver.of(AttemptFailed)[0].disposition == "failed"


def test_a_condition_sees_a_node_that_was_given_up_without_having_failed() -> None:
    given_up = Edge(source="a", on="failure", when="nodes.a.error.type == 'GivenUp'")
    driver = Driver(node("a", side_effects="external"), node("h", given_up)).end("a", "lost")
    driver.verb(verbs.MarkNode, "a", outcome="failed")
    assert driver.states["h"] == "running"


def test_a_run_fails_for_the_first_of_its_failures() -> None:
    driver = Driver(node("a"), node("b")).fail("b").fail("a")
    assert [event.node for event in driver.of(RunFailing)] == ["b"]


@pytest.mark.parametrize("category", ["timeout", "interrupted", "transient", "unexpected"])
@pytest.mark.parametrize("side_effects", ["external", "idempotent", "none"])
def test_only_what_reaches_outside_and_was_cut_off_may_have_acted(
    side_effects: Any, category: Any
) -> None:
    driver = Driver(node("a", side_effects=side_effects)).fail("a", category=category)
    acted = side_effects == "external" and category in ("timeout", "interrupted")
    assert driver.of(AttemptFailed)[0].uncertain is acted


def test_on_screen_only_a_bug_is_not_tried_again_by_itself() -> None:
    policy = Retry(strategy="fixed", jitter=0)
    both = [node("a", retry=policy), node("b", retry=policy)]
    driver = Driver(*both, surface="screen", policy="hold")
    driver.fail("a").fail("b", "KeyError", "unexpected")
    assert driver.states == {"a": "backing_off", "b": "failed"}


# --------------------------------------------------------------------------- handlers


def test_a_node_whose_failure_edge_is_dead_handles_nothing_though_it_succeeds() -> None:
    dead = Edge(source="a", on="failure", when="false")
    driver = Driver(
        node("o"),
        node("a", "o"),
        node("h1", [dead, "o"], join="any"),
        node("h2", Edge(source="a", on="failure")),
        policy="continue",
    )
    driver.finish("o").fail("a").finish("h1").fail("h2")
    assert driver.at("a").disposition == "continued"


def test_a_handler_that_stops_behind_its_success_has_not_handled_yet() -> None:
    driver = Driver(node("a"), node("h", Edge(source="a", on="failure")))
    driver.verb(verbs.SetBreakpoint, "h", on="after").fail("a").finish("h")
    assert driver.at("a").disposition == "handling"
    driver.verb(verbs.Continue, "h")
    assert driver.at("a").disposition == "handled"


def test_one_handler_is_enough_however_many_fail_before_it() -> None:
    failed = Edge(source="a", on="failure")
    driver = Driver(node("a"), node("h1", failed), node("h2", failed), policy="continue")
    driver.fail("a").fail("h2")
    assert driver.at("a").disposition == "handling"
    driver.finish("h1")
    assert driver.at("a").disposition == "handled"


def test_a_handler_whose_result_is_reused_has_handled() -> None:
    driver = Driver(node("a"), node("h", Edge(source="a", on="failure"))).fail("a").finish("h")
    driver.verb(verbs.RetryNode, "a", downstream=True).fail("a")
    assert driver.states["h"] == "reused"
    assert driver.at("a").disposition == "handled"
