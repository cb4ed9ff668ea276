"""Which nodes are counted as waiting for a person: in lists of runs, in the top line, behind the key that jumps there."""

from __future__ import annotations

import pytest

from studio.core import commands as verbs
from studio.core.standing import needs_person
from studio.model.policies import Retry
from tests.unit.core.driver import Driver, node, undo
from tests.unit.core.scenes import SCENES
from tests.unit.core.test_revising import revise

NEEDY = {
    "at_breakpoint",
    "compensation_failed",
    "failed_held",
    "held",
    "in_doubt",
    "stopped_after",
    "stopped_on_failure",
}


@pytest.mark.parametrize("scene", SCENES)
def test_a_person_is_needed_where_nothing_else_gets_a_node_on(scene: str) -> None:
    assert needs_person(SCENES[scene]().at("n")) is (scene in NEEDY)


def test_a_hold_needs_nobody_before_it_stops_something() -> None:
    driver = Driver(node("a"), node("b", "a")).verb(verbs.HoldNode, "a").verb(verbs.HoldNode, "b")
    assert not any(map(needs_person, driver.run().nodes.values()))
    assert needs_person(driver.finish("a").at("b"))


def test_a_failure_that_was_held_needs_nobody_once_an_edit_has_removed_its_node() -> None:
    driver = Driver(node("n"), node("x"), policy="hold").fail("n")
    assert not needs_person(revise(driver, node("x")).at("n"))


def test_a_doubtful_node_needs_a_person_even_once_an_edit_has_removed_it() -> None:
    driver = Driver(node("n", side_effects="external"), node("x")).end("n", "lost")
    assert needs_person(revise(driver, node("x")).at("n"))


def test_an_undo_that_failed_needs_a_person_even_once_an_edit_has_removed_its_node() -> None:
    driver = Driver(node("n", compensate=undo(retry=Retry(strategy="none"))), node("x"))
    revise(driver.finish("n"), node("x")).finish("x")
    driver.verb(verbs.Compensate).fail("n", undo=True)
    assert needs_person(driver.at("n"))
    driver.verb(verbs.MarkNode, "n", outcome="ignored")
    assert not needs_person(driver.at("n"))
