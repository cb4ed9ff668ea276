"""How a run ends, where only one guard decides."""

from __future__ import annotations

from studio.core import commands as verbs
from studio.core.events import CompensationStarted
from studio.model.policies import CompensationPolicy, Fallback, Limits
from tests.unit.core.driver import Driver, node, undo

BRANCH = CompensationPolicy(scope="branch")


def test_a_fallback_that_no_longer_stands_does_not_degrade_the_run() -> None:
    driver = Driver(node("a", fallback=Fallback(value=1)), node("x")).fail("a")
    driver.verb(verbs.RetryNode, "a").verb(verbs.CancelNode, "a").end("a", "stopped").finish("x")
    assert driver.states["a"] == "cancelled"
    assert not driver.run().degraded


def test_a_run_that_went_on_past_a_failure_tells_it_at_its_end() -> None:
    driver = Driver(node("a"), node("x"), policy="continue").fail("a").finish("x")
    assert driver.run().message == "a failed: ValueError: a broke"


def test_without_a_node_to_blame_the_scope_branch_undoes_all() -> None:
    driver = Driver(
        node("a", compensate=undo()), outputs={"x": "{{ params.none + 1 }}"}, compensation=BRANCH
    )
    driver.finish("a").finish("a", undo=True)
    assert driver.shown() == "compensated"
    driver = Driver(
        node("a", compensate=undo()), node("x"), limits=Limits(timeout=5), compensation=BRANCH
    )
    driver.finish("a").tick(5).end("x", "stopped")
    assert driver.undone() == ["a"]
    assert driver.of(CompensationStarted)[0].failed is None


def test_a_second_plan_tells_the_failure_and_no_longer_what_stopped_the_first() -> None:
    driver = Driver(
        node("a", compensate=undo()),
        node("wall", "a", irreversible=True),
        node("c", "wall", compensate=undo()),
        node("bad", "c"),
    )
    driver.finish("a").finish("wall").finish("c").fail("bad").finish("c", undo=True)
    assert driver.run().message.endswith("; stopped at wall, which is irreversible")
    driver.verb(verbs.Compensate, force=True, reason="why").finish("a", undo=True)
    assert driver.run().message == "bad failed: ValueError: bad broke"


def test_a_pause_does_not_hide_that_a_plan_has_run_out_of_time() -> None:
    driver = Driver(node("a", compensate=undo()), compensation=CompensationPolicy(timeout=0.5))
    driver.finish("a").verb(verbs.Compensate).fail("a", undo=True).tick(0.6)
    assert driver.verb(verbs.PauseRun).shown() == "attention"
