"""Which nodes a compensation takes back, in which order, and what it says at its end, where only one guard decides."""

from __future__ import annotations

from typing import Any

import pytest

from studio.core import commands as verbs
from studio.core.events import AttemptStarted, CompensationFinished, CompensationStarted
from studio.model.nodes import Node
from studio.model.policies import CompensationPolicy, Fallback, Retry
from studio.projections.screen.consequences import outcome_choices
from tests.unit.core.driver import Driver, node, undo
from tests.unit.core.test_revising import revise

BRANCH = CompensationPolicy(scope="branch")
FRAGILE = undo(retry=Retry(strategy="none"))


def undo_all(driver: Driver) -> Driver:
    while driver.flights():
        driver.finish(driver.flights()[0].node, undo=True)
    return driver


def give_up(driver: Driver, name: str) -> Driver:
    return driver.fail(name, undo=True).verb(verbs.MarkNode, name, outcome="ignored")


# --------------------------------------------------------------------------- the order of the steps


def test_a_node_retried_after_what_follows_it_is_undone_after_all_of_that() -> None:
    driver = Driver(
        node("a", compensate=undo()),
        node("b", "a", compensate=undo()),
        node("c", "a", compensate=undo()),
        node("x"),
    )
    driver.finish("a").finish("b").finish("c").verb(verbs.RetryNode, "a").finish("a").fail("x")
    assert driver.of(CompensationStarted)[0].steps == ("c", "b", "a")
    assert undo_all(driver).undone() == ["c", "b", "a"]


def test_a_node_that_was_skipped_does_not_delay_the_undo_of_what_it_follows() -> None:
    driver = Driver(
        node("a", compensate=undo()), node("b", compensate=undo()), node("s", "a", when="false")
    )
    driver.finish("b").finish("a").verb(verbs.Compensate)
    assert undo_all(driver).undone() == ["a", "b"]


def test_what_was_done_after_an_irreversible_node_is_undone_before_the_plan_stops_there() -> None:
    driver = Driver(
        node("wall", irreversible=True), node("b", compensate=undo()), node("bad", ["wall", "b"])
    )
    driver.finish("wall").finish("b").fail("bad")
    assert undo_all(driver).undone() == ["b"]


def test_items_of_a_list_that_an_edit_removed_are_undone_once() -> None:
    driver = Driver(node("each", foreach=[1, 2], compensate=undo()), node("x"))
    driver.finish("each[0]").finish("each[1]")
    revise(driver, node("x")).fail("x")
    assert driver.of(CompensationStarted)[0].steps == ("each[1]", "each[0]")


def test_an_undo_is_told_only_of_steps_that_have_something_to_take_back() -> None:
    driver = Driver(
        node("a", compensate=undo(input={"steps": "{{ steps }}"})),
        node("b", "a", compensate=undo()),
    )
    driver.finish("a").verb(verbs.CancelNode, "b").end("b", "stopped")
    driver.verb(verbs.Compensate, nodes=("a",), downstream=True)
    started = next(event for event in driver.of(AttemptStarted, "a") if event.undo)
    assert started.input == {"steps": ["a"]}


def test_a_plan_names_the_node_whose_failure_it_answers() -> None:
    driver = Driver(node("a", compensate=undo()), node("bad", "a")).finish("a").fail("bad")
    assert driver.of(CompensationStarted)[0].failed == "bad"


# --------------------------------------------------------------------------- irreversible nodes


def test_an_irreversible_node_that_did_nothing_stops_no_plan() -> None:
    driver = Driver(node("a", compensate=undo()), node("wall", "a", irreversible=True))
    assert undo_all(driver.finish("a").fail("wall")).undone() == ["a"]
    assert driver.shown() == "compensated"


def test_an_irreversible_list_that_failed_stops_the_plan_by_what_one_item_did() -> None:
    driver = Driver(
        node("a", compensate=undo()), node("wall", "a", foreach=[1, 2], irreversible=True)
    )
    driver.finish("a").finish("wall[0]").fail("wall[1]")
    assert (driver.undone(), driver.shown()) == ([], "failed")
    assert "wall is irreversible" in driver.refused(verbs.Compensate(run=1))


def test_an_irreversible_node_elsewhere_does_not_stop_the_undo_of_chosen_nodes() -> None:
    for wall in (node("wall", irreversible=True), node("wall", foreach=[1], irreversible=True)):
        driver = Driver(node("a", compensate=undo()), wall)
        driver.finish("a").finish_all().verb(verbs.Compensate, nodes=("a",))
        assert undo_all(driver).undone() == ["a"]


def test_an_item_of_an_irreversible_list_is_undone_only_by_force() -> None:
    driver = Driver(node("each", foreach=[1, 2], compensate=undo(), irreversible=True))
    driver.finish("each[0]").finish("each[1]")
    assert driver.refused(verbs.Compensate(run=1, nodes=("each[1]",))) == (
        "each is irreversible. --force with a reason goes past it"
    )
    driver.verb(verbs.Compensate, nodes=("each[1]",), force=True, reason="it was called back")
    assert undo_all(driver).undone() == ["each[1]"]


def test_a_plan_that_stopped_at_an_irreversible_node_is_not_complete_though_nothing_else_stands() -> (
    None
):
    driver = Driver(
        node("wall", irreversible=True), node("c", "wall", compensate=undo()), node("x")
    )
    undo_all(driver.finish("wall").finish("c").fail("x"))
    assert driver.shown() == "partly_compensated"
    assert driver.run().message.endswith("stopped at wall, which is irreversible")


# --------------------------------------------------------------------------- how the run ends


def test_a_fallback_that_was_undone_does_not_degrade_the_run() -> None:
    driver = Driver(node("a", fallback=Fallback(value=1), compensate=undo()), node("bad", "a"))
    driver.fail("a").fail("bad").finish("a", undo=True)
    assert driver.shown() == "compensated"
    assert not driver.run().degraded


def test_without_a_node_to_blame_every_undo_that_was_given_up_counts() -> None:
    driver = Driver(
        node("a", compensate=FRAGILE), outputs={"x": "{{ params.none + 1 }}"}, compensation=BRANCH
    )
    assert give_up(driver.finish("a"), "a").shown() == "partly_compensated"


def test_what_stands_beside_an_undone_node_counts_where_nothing_failed() -> None:
    driver = Driver(node("a", compensate=undo()), node("b", compensate=undo()), compensation=BRANCH)
    driver.finish("a").finish("b").verb(verbs.Compensate, nodes=("b",)).finish("b", undo=True)
    assert driver.shown() == "partly_compensated"


def test_what_stands_on_the_way_to_the_failure_counts_where_one_node_was_undone() -> None:
    policy = CompensationPolicy(scope="branch", when="never")
    driver = Driver(
        node("a", compensate=undo()),
        node("b", "a", compensate=undo()),
        node("bad", "b"),
        compensation=policy,
    )
    driver.finish("a").finish("b").fail("bad")
    driver.verb(verbs.Compensate, nodes=("b",)).finish("b", undo=True)
    assert driver.shown() == "partly_compensated"
    driver.verb(verbs.Compensate).finish("a", undo=True)
    assert driver.shown() == "compensated"


def test_the_whole_run_is_undone_and_counts_when_an_edit_removed_the_node_that_failed() -> None:
    nodes = [node("a", compensate=FRAGILE), node("x")]
    driver = Driver(*nodes, node("bad"), compensation=BRANCH).finish("a").fail("bad")
    revise(driver, *nodes, compensation=BRANCH).finish("x")
    assert driver.undone() == ["a"]
    assert give_up(driver, "a").shown() == "partly_compensated"


# --------------------------------------------------------------------------- doubts and holds


def external(**keys: Any) -> Node:
    return node("pay", side_effects="external", timeout=3, **keys)


def test_nobody_is_asked_what_a_node_without_an_undo_did_before_it_failed() -> None:
    driver = Driver(node("a", compensate=undo()), external())
    driver.finish("a").tick(3).end("pay", "stopped")
    assert driver.undone() == ["a"]


def test_nobody_is_asked_what_a_node_did_that_was_cancelled_before_its_next_try() -> None:
    driver = Driver(external(compensate=undo(), retry=Retry(strategy="fixed")), node("a"))
    driver.tick(3).end("pay", "stopped").verb(verbs.CancelNode, "pay").fail("a")
    assert (driver.states["pay"], driver.shown()) == ("cancelled", "failed")


def test_an_undo_that_was_held_while_it_ran_is_not_run_again_after_a_crash_until_released() -> None:
    driver = Driver(node("a", compensate=undo()), node("bad", "a")).finish("a").fail("bad")
    driver.verb(verbs.HoldNode, "a").end("a", "lost", undo=True)
    assert (driver.open_attempt("a", undo=True), driver.shown()) == (None, "attention")
    driver.verb(verbs.ReleaseNode, "a").finish("a", undo=True)
    assert driver.shown() == "compensated"


@pytest.mark.parametrize("undone", [True, False])
def test_giving_up_a_node_undoes_nothing_more_once_all_items_are_undone(undone: bool) -> None:
    driver = Driver(node("each", foreach=[1], compensate=undo()), node("b"), policy="hold")
    driver.finish("each[0]").fail("b")
    if undone:
        driver.verb(verbs.Compensate, nodes=("each",)).finish("each[0]", undo=True)
    details = [one.detail for one in outcome_choices(driver.run(), driver.at("b"))]
    assert ("the run fails" in details) is undone
    assert ("the run fails and is undone in reverse order" in details) is not undone


# --------------------------------------------------------------------------- a plan that makes way for that of the run


def stalled() -> Driver:
    """The undo of ``b`` alone is over its time in a paused run, where ``y`` is ready and ``z`` waits for it."""
    driver = Driver(
        node("a", compensate=undo()),
        node("b", compensate=undo()),
        node("y", "a"),
        node("z", "y"),
        policy="hold",
        compensation=CompensationPolicy(timeout=10),
    )
    driver.verb(verbs.PauseRun).finish("a").finish("b")
    return driver.verb(verbs.Compensate, nodes=("b",)).tick(10)


def test_nothing_starts_behind_the_undo_of_the_run_that_takes_the_place_of_another() -> None:
    driver = stalled().verb(verbs.ResumeRun)
    assert driver.states["y"] == "ready"
    driver.verb(verbs.Compensate)
    assert driver.states["y"] == driver.states["z"] == "cancelled"
    assert undo_all(driver).undone() == ["b", "a"]
    assert driver.shown() == "compensated"
    assert driver.states["y"] == "cancelled"


def test_the_undo_of_the_run_takes_the_place_of_another_when_the_pause_is_over() -> None:
    driver = stalled().verb(verbs.Compensate)
    assert driver.undone() == []
    driver.verb(verbs.ResumeRun)
    assert undo_all(driver).undone() == ["b", "a"]
    assert driver.shown() == "compensated"


def test_an_undo_that_is_under_way_is_waited_for_when_the_run_is_to_be_undone() -> None:
    driver = Driver(
        node("a", compensate=undo()),
        node("b", compensate=undo()),
        node("y", "a"),
        policy="hold",
        compensation=CompensationPolicy(timeout=10),
    )
    driver.verb(verbs.HoldNode, "y").finish("a").finish("b")
    driver.verb(verbs.Compensate, nodes=("b",)).tick(10)
    assert driver.undone() == ["b"]
    driver.verb(verbs.Compensate)
    assert not driver.at("b").stopping
    assert undo_all(driver).undone() == ["b", "a"]
    assert driver.shown() == "compensated"


@pytest.mark.parametrize("retried", [True, False])
def test_a_step_that_is_not_through_is_taken_up_by_the_plan_of_the_run(retried: bool) -> None:
    retry = Retry(strategy="fixed", max_attempts=3, initial_delay=5, jitter=0)
    driver = Driver(
        node("a", compensate=undo(retry=retry)),
        node("x", "a"),
        policy="hold",
        compensation=CompensationPolicy(timeout=10),
    )
    driver.verb(verbs.HoldNode, "x").finish("a").verb(verbs.Compensate, nodes=("a",)).tick(8)
    driver.fail("a", undo=True)
    if not retried:
        driver.verb(verbs.CancelNode, "a")
    driver.tick(10).verb(verbs.Compensate)
    assert undo_all(driver).undone() == ["a", "a"]
    assert driver.shown() == "compensated"


def test_the_undo_of_a_run_that_is_over_its_time_is_not_begun_from_the_start() -> None:
    driver = Driver(
        node("a", compensate=undo()),
        node("b", "a", compensate=undo()),
        compensation=CompensationPolicy(timeout=10),
    )
    driver.finish("a").finish("b").verb(verbs.Compensate).tick(10)
    driver.finish("b", undo=True)
    assert driver.shown() == "attention"
    driver.verb(verbs.Compensate)
    assert driver.of(CompensationFinished) == []
    assert undo_all(driver).undone() == ["b", "a"]
    assert driver.shown() == "compensated"
