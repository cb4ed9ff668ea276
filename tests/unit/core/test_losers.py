"""``join: first`` with ``cancel_losers``: who is stopped when the race is won, and who is not."""

from __future__ import annotations

from typing import Any

import pytest

from studio.core import commands as verbs
from studio.core.events import (
    AttemptCancelled,
    AttemptStopRequested,
    NodeCancelled,
    NodeReleased,
)
from studio.model.nodes import Edge, WaitSettings
from studio.model.policies import Retry
from tests.unit.core.driver import Driver, node


def race(*more: Any, **keys: Any) -> Driver:
    return Driver(
        node("fast"),
        node("slow"),
        node("after_slow", "slow"),
        node("win", ["fast", "after_slow"], join="first", **{"cancel_losers": True, **keys}),
        *more,
    )


def test_what_runs_is_stopped_and_what_has_not_started_is_cancelled() -> None:
    driver = race().finish("fast")
    assert driver.states["after_slow"] == "cancelled"
    assert driver.at("after_slow").cause == "another branch was faster"
    assert driver.of(AttemptStopRequested)[0].cause == "loser"
    driver.end("slow", "stopped")
    assert driver.states["slow"] == "cancelled"
    assert driver.at("slow").cause == "another branch was faster"
    driver.finish("win")
    assert driver.shown() == "succeeded"


def test_a_loser_that_succeeds_before_it_is_stopped_starts_nothing() -> None:
    driver = race().finish("fast").finish("slow")
    assert driver.states["slow"] == "succeeded"
    assert driver.states["after_slow"] == "cancelled"


def test_a_loser_that_fails_while_it_is_stopped_does_not_fail_the_run() -> None:
    driver = race().finish("fast").fail("slow").finish("win")
    assert driver.states["slow"] == "cancelled"
    assert driver.shown() == "succeeded"


def test_without_the_key_the_losers_go_on() -> None:
    driver = race(cancel_losers=False).finish("fast")
    assert driver.states["slow"] == "running"
    driver.finish("slow").finish("after_slow").finish("win")
    assert driver.started().count("win") == 1


def test_a_node_that_something_else_needs_goes_on() -> None:
    driver = race(node("report", "slow")).finish("fast")
    assert driver.states["slow"] == "running"
    assert driver.states["after_slow"] == "cancelled"
    driver.finish("slow").finish("report").finish("win")
    assert driver.shown() == "succeeded"


def test_backoffs_waits_and_held_nodes_lose_too() -> None:
    driver = Driver(
        node("fast"),
        node("tries", retry=Retry(strategy="fixed", initial_delay=9)),
        node("waits", kind=WaitSettings(duration=60.0)),
        node("held"),
        node("win", ["fast", "tries", "waits", "held"], join="first", cancel_losers=True),
        stepping=True,
    )
    for name in ("fast", "tries", "waits"):
        driver.do(verbs.Step(run=1, node=name))
    driver.verb(verbs.HoldNode, "held").fail("tries").finish("fast")
    driver.do(verbs.Step(run=1, node="win"))
    assert {driver.states[name] for name in ("tries", "waits", "held")} == {"cancelled"}
    assert driver.timers == {}


def test_items_of_a_losing_foreach_are_stopped() -> None:
    driver = Driver(
        node("fast"),
        node("each", foreach=[1, 2, 3], max_parallel=1),
        node("win", ["fast", "each"], join="first", cancel_losers=True),
    )
    driver.finish("fast")
    assert driver.states["each[1]"] == "cancelled"
    driver.end("each[0]", "stopped").finish("win")
    assert driver.states["each"] == "cancelled"
    assert driver.shown() == "succeeded"


def test_a_failure_held_in_a_losing_branch_is_dropped() -> None:
    driver = Driver(
        node("fast"),
        node("slow"),
        node("win", ["fast", "slow"], join="first", cancel_losers=True),
        policy="hold",
    )
    driver.fail("slow").finish("fast")
    assert driver.states["slow"] == "cancelled"
    assert driver.finish("win").shown() == "succeeded"


def test_losers_stay_cancelled_when_the_run_is_opened_again() -> None:
    driver = race(node("last", "win")).finish("fast").end("slow", "stopped").finish("win")
    driver.fail("last").verb(verbs.RetryNode, "last")
    assert driver.states["slow"] == "cancelled"
    driver.finish("last")
    assert driver.shown() == "succeeded"


def test_the_race_is_run_again_when_all_of_it_is_rerun() -> None:
    driver = race().finish("fast").end("slow", "stopped").finish("win")
    driver.verb(verbs.Rerun, start="fast")
    assert driver.states["fast"] == "running"
    assert driver.states["win"] == "blocked"


def test_a_wait_in_a_losing_branch_ends_as_a_cancelled_attempt() -> None:
    driver = Driver(
        node("fast"),
        node("waits", kind=WaitSettings(duration=60.0)),
        node("win", ["fast", "waits"], join="first", cancel_losers=True),
    ).finish("fast")
    assert driver.of(AttemptCancelled, "waits")[0].reason == "another branch was faster"


def test_a_loser_that_is_being_stopped_is_not_stopped_again() -> None:
    driver = race().verb(verbs.CancelNode, "slow").finish("fast")
    assert [event.cause for event in driver.of(AttemptStopRequested)] == ["operator"]


def test_a_loser_stopped_at_a_breakpoint_after_its_success_is_let_go() -> None:
    driver = race().verb(verbs.SetBreakpoint, "slow", on="after").finish("slow").finish("fast")
    driver.finish("win")
    assert driver.states["after_slow"] == "cancelled"
    assert driver.shown() == "succeeded"


# --------------------------------------------------------------------------- who has not won, who stays


def test_a_winner_that_is_held_has_not_won_yet() -> None:
    driver = race().verb(verbs.HoldNode, "win").finish("fast").finish("slow")
    assert driver.states["win"] == "held"
    assert driver.states["after_slow"] == "running"
    driver.verb(verbs.ReleaseNode, "win")
    assert [event.node for event in driver.of(AttemptStopRequested)] == ["after_slow"]


@pytest.mark.parametrize("outcome", ["skipped", "cancelled"])
def test_a_winner_that_never_starts_stops_nobody(outcome: str) -> None:
    driver = race()
    if outcome == "skipped":
        driver.verb(verbs.MarkNode, "win", outcome="skipped")
    else:
        driver.verb(verbs.CancelNode, "win")
    driver.finish("fast").finish("slow")
    assert driver.states["after_slow"] == "running"


def test_a_foreach_that_waits_for_a_person_is_given_up_as_a_whole() -> None:
    driver = Driver(
        node("fast"),
        node("slow", foreach=[1, 2]),
        node("win", ["fast", "slow"], join="first", cancel_losers=True),
        policy="hold",
    )
    driver.fail("slow[0]").finish("slow[1]")
    assert driver.at("slow").disposition == "held"
    assert driver.finish("fast").states["slow"] == "cancelled"


def test_a_held_loser_is_cancelled_and_one_that_is_done_is_left_alone() -> None:
    driver = Driver(
        node("fast"),
        node("done"),
        node("slow", "done"),
        node("win", ["fast", "slow"], join="first", cancel_losers=True),
    )
    driver.verb(verbs.HoldNode, "slow").finish("done").finish("fast")
    assert driver.states["slow"] == "cancelled"
    assert driver.states["done"] == "succeeded"
    assert driver.of(NodeReleased) == []


def test_a_doubtful_loser_stays_for_a_person() -> None:
    driver = Driver(
        node("fast"),
        node("slow", side_effects="external"),
        node("win", ["fast", "slow"], join="first", cancel_losers=True),
    )
    driver.end("slow", "lost").finish("fast")
    assert driver.states["slow"] == "in_doubt"


def test_a_failure_that_is_being_handled_is_left_to_its_handler() -> None:
    driver = Driver(
        node("fast"),
        node("slow"),
        node("h", Edge(source="slow", on="failure")),
        node("win", ["fast", "h"], join="first", cancel_losers=True),
    )
    driver.fail("slow").finish("fast")
    assert driver.states["slow"] == "failed"
    assert driver.of(NodeCancelled, "slow") == []


def test_a_loser_that_a_person_retries_runs() -> None:
    driver = race().finish("fast").end("slow", "stopped").verb(verbs.RetryNode, "slow")
    assert driver.states["slow"] == "running"
