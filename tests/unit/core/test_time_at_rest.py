"""How much of a run's time it was at rest, which is no time that it took."""

from __future__ import annotations

import pytest

from studio.core import commands as verbs
from studio.model.policies import CompensationPolicy, Retry
from studio.projections.listing import seconds_taken
from tests.unit.core.driver import Driver, node, undo
from tests.unit.core.test_revising import revise


def took(driver: Driver) -> float:
    """Seconds that run 1 took, or has taken so far."""
    run = driver.run()
    return seconds_taken(run, driver.now if run.idle_since is None else run.idle_since)


def ended() -> Driver:
    """A run that took 4 s and ended 1000 s ago."""
    driver = Driver(node("a", side_effects="none", compensate=undo()), node("b", "a"))
    return driver.tick(3).finish("a").tick(1).finish("b").tick(1000)


def test_what_happens_to_a_run_after_its_end_takes_none_of_its_time() -> None:
    driver = ended().verb(verbs.SetBreakpoint, "a").tick(500).verb(verbs.ClearBreakpoint, "a")
    assert (took(driver), driver.run().rested) == (4, 0)
    revise(driver, node("a", compensate=undo()), node("b", "a"), node("c"), restart=False)
    assert (driver.run().finished_at, took(driver)) == (driver.now - 1500, 4)


def test_the_time_between_its_end_and_its_going_on_is_rest() -> None:
    driver = ended().verb(verbs.SetBreakpoint, "a", on="failure").tick(100)
    driver.verb(verbs.Rerun, start="b").tick(2)
    assert (took(driver), driver.run().rested) == (6, 1100)
    driver.finish("b").tick(50)
    assert (took(driver), driver.run().rested) == (6, 1100)


def test_the_time_before_an_undo_that_was_asked_for_is_rest() -> None:
    driver = ended().verb(verbs.Compensate).tick(5).finish("a", undo=True).tick(60)
    assert (driver.shown(), took(driver), driver.run().rested) == ("compensated", 9, 1000)


def test_the_time_before_an_edit_that_opens_the_run_is_rest() -> None:
    driver = ended()
    nodes = (node("a", side_effects="none", compensate=undo()), node("b", "a"), node("c"))
    revise(driver, *nodes, restart=True).tick(7).finish("c").tick(60)
    assert (driver.shown(), took(driver), driver.run().rested) == ("succeeded", 11, 1000)


def test_the_time_in_which_a_run_waits_for_its_end_is_rest() -> None:
    driver = Driver(node("a"), policy="hold").tick(3).fail("a").tick(100).verb(verbs.CancelRun)
    assert (driver.shown(), took(driver), driver.run().rested) == ("cancelled", 3, 100)


# --------------------------------------------------------------------------- an engine that died


def test_what_an_engine_left_open_has_rested_since_the_last_that_is_known_of_the_run() -> None:
    retry = Retry(strategy="fixed", max_attempts=2, initial_delay=5, jitter=0)
    driver = Driver(node("a", side_effects="none"), node("b", retry=retry)).tick(2).fail("b")
    driver.tick(600).end("a", "lost").tick(3).finish("a").finish("b")
    assert (driver.shown(), took(driver)) == ("succeeded", 10)


@pytest.mark.parametrize("undoing", [False, True])
def test_what_was_lost_with_an_engine_took_no_time(undoing: bool) -> None:
    never = CompensationPolicy(when="never")
    driver = Driver(
        node("a", side_effects="external", compensate=undo()), policy="hold", compensation=never
    ).tick(3)
    if undoing:
        driver.finish("a").verb(verbs.Compensate)
    driver.tick(50).end("a", "lost", undo=undoing)
    assert took(driver) == (3 if undoing else 0)
    assert driver.shown() == ("compensating" if undoing else "attention")
