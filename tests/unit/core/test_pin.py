"""Which code a run keeps to: from its start to the next that it adopts."""

from __future__ import annotations

from studio.core import commands as verbs
from studio.core.events import CodeAdopted, RunRevised
from studio.core.plan import Plan
from studio.model.nodes import Node
from tests.unit.core.driver import Driver, node, undo, workflow


def started(*nodes: Node) -> Driver:
    """A run that was started with code ``one``."""
    driver = Driver()
    driver.start(workflow(*nodes), pin="one")
    return driver


def revise(driver: Driver, version: str = "", **keys: object) -> Driver:
    version = version or driver.run().plan.version
    return driver.do(verbs.Revise(run=1, id="edit", version=version, **keys))  # type: ignore[arg-type] # keys of Revise


def test_a_run_keeps_the_code_it_was_started_with() -> None:
    driver = started(node("a"), node("b", "a"))
    assert driver.run().pin == "one"
    assert driver.finish("a").finish("b").shown() == "succeeded"
    assert driver.run().pin == "one"


def test_other_code_under_the_same_definition_touches_nothing_that_ran() -> None:
    driver = revise(started(node("a"), node("b", "a")).finish("a"), pin="two")
    assert driver.run().pin == "two"
    assert driver.run().revision == 1
    assert driver.states == {"a": "succeeded", "b": "running"}
    assert driver.of(RunRevised) == []
    [adopted] = driver.of(CodeAdopted)
    assert (adopted.pin, adopted.by.command) == ("two", "edit")


def test_the_code_it_has_is_no_news() -> None:
    driver = started(node("a"))
    assert revise(revise(driver, pin="one")).of(CodeAdopted) == []


def test_code_comes_with_a_revision_and_stays_where_it_brings_none() -> None:
    driver = started(node("a", side_effects="none"), node("b", "a"))
    revise(driver.finish("a"), pin="two", code={"a": "f in m.py"})
    assert (driver.run().pin, driver.run().revision) == ("two", 2)
    assert driver.of(CodeAdopted) == []
    other = Plan(workflow(node("a", side_effects="none"), node("b", "a"), node("c", "b")))
    driver.plans[other.version] = other
    driver.do(verbs.Revise(run=1, id="again", version=other.version))
    assert (driver.run().pin, driver.run().revision) == ("two", 3)


def test_an_undo_under_way_takes_new_code_and_no_new_definition() -> None:
    driver = started(node("a", compensate=undo()), node("bad", "a"))
    driver.finish("a").fail("bad")
    assert driver.shown() == "compensating"
    revise(driver, pin="two", code={"a": "f in m.py"})
    assert driver.run().pin == "two"
    assert driver.of(RunRevised) == []
    other = Plan(workflow(node("a", compensate=undo()), node("c", "a")))
    driver.plans[other.version] = other
    refusal = driver.refused(verbs.Revise(run=1, version=other.version, pin="three"))
    assert "it is being undone" in refusal
    assert driver.run().pin == "two"
