"""A run that was cancelled and goes on: what had failed waits for a person again, and nothing is undone unasked."""

from __future__ import annotations

from typing import Any

import pytest

from studio.core import commands as verbs
from studio.core.events import CompensationStarted, RunReopened
from studio.model.nodes import Edge, Node, StandInNode
from studio.model.policies import Breakpoint
from tests.unit.core.driver import Driver, node, undo


def saga(*more: Node, **keys: Any) -> Driver:
    """An order: the price is known, the card charged, ``ship`` runs; ``tell`` is for its failure."""
    driver = Driver(
        node("price", side_effects="none"),
        node("charge", "price", compensate=undo()),
        node("ship", "charge"),
        node("tell", Edge(source="ship", on="failure", handles=False)),
        node("thanks", "ship"),
        *more,
        **keys,
    )
    return driver.finish("price").finish("charge")


def cancelled(policy: Any) -> Driver:
    """``ship`` has failed, and the run was cancelled before anything came of it."""
    driver = saga(node("slow"), policy=policy).fail("ship")
    if policy == "continue":
        driver.finish("tell")
    driver.verb(verbs.CancelRun)
    while driver.flights():
        driver.end(driver.flights()[0].node, "stopped")
    assert driver.shown() == "cancelled"
    return driver


@pytest.mark.parametrize("policy", ["hold", "fail", "continue"])
def test_what_had_failed_is_held_when_another_node_is_retried(policy: Any) -> None:
    driver = cancelled(policy).verb(verbs.RetryNode, "price").finish("price").finish("slow")
    assert (driver.states["ship"], driver.at("ship").disposition) == ("failed", "held")
    assert (driver.flights(), driver.shown()) == ([], "attention")
    assert driver.states["tell"] == ("succeeded" if policy == "continue" else "blocked")
    assert driver.states["thanks"] == "blocked"
    assert driver.of(CompensationStarted) == []


def test_a_person_who_gives_it_up_has_it_undone() -> None:
    driver = cancelled("hold").verb(verbs.RetryNode, "price").finish("price").finish("slow")
    driver.verb(verbs.MarkNode, "ship", outcome="failed").finish("tell")
    assert [flight.node for flight in driver.flights()] == ["charge"]
    driver.finish("charge", undo=True)
    assert driver.shown() == "compensated"


def test_a_person_who_tries_it_again_brings_the_run_to_its_end() -> None:
    driver = cancelled("fail").verb(verbs.RetryNode, "ship").finish("ship").finish_all()
    assert driver.shown() == "succeeded"
    assert driver.states["tell"] == "skipped"


def test_a_failure_after_the_run_went_on_meets_its_policy() -> None:
    driver = cancelled("fail").verb(verbs.RetryNode, "price").fail("price")
    assert driver.at("ship").disposition == "failed"
    driver.finish("slow").finish("tell")
    assert driver.states["charge"] == "compensating"


def test_a_handler_that_was_cancelled_waits_for_the_decision_too() -> None:
    driver = Driver(node("a"), node("n"), node("h", Edge(source="n", on="failure")), policy="hold")
    driver.finish("a").fail("n").verb(verbs.CancelRun).end("h", "stopped")
    driver.verb(verbs.RetryNode, "a").finish("a")
    assert (driver.at("n").disposition, driver.states["h"]) == ("held", "blocked")
    assert driver.shown() == "attention"
    driver.verb(verbs.RetryNode, "n").finish("n")
    assert driver.shown() == "succeeded"


def test_what_was_to_stand_in_waits_for_the_decision_too() -> None:
    driver = Driver(
        node("a"),
        node("n", fallback=StandInNode(node="s")),
        node("s", Edge(source="n", on="fallback")),
    )
    driver.finish("a").fail("n").verb(verbs.CancelRun).end("s", "stopped")
    driver.verb(verbs.RetryNode, "a").finish("a")
    assert (driver.at("n").disposition, driver.states["s"]) == ("held", "blocked")
    driver.verb(verbs.MarkNode, "n", outcome="ignored")
    assert (driver.states["s"], driver.shown()) == ("skipped", "succeeded")


def test_a_list_that_had_failed_is_held() -> None:
    driver = Driver(
        node("a"), node("each", foreach=[1, 2], on_item_failure="hold"), policy="hold"
    ).finish("a")
    driver.fail("each[0]").verb(verbs.CancelRun).end("each[1]", "stopped")
    driver.verb(verbs.RetryNode, "a").finish("a")
    assert (driver.at("each").disposition, driver.shown()) == ("held", "attention")
    driver.verb(verbs.RetryNode, "each").finish("each[0]").finish("each[1]")
    assert driver.shown() == "succeeded"


def test_a_failure_that_was_tolerated_or_ignored_stays_so() -> None:
    driver = Driver(node("a"), node("n", critical=False), node("m"), node("z"), policy="hold")
    driver.finish("a").fail("n").fail("m").verb(verbs.MarkNode, "m", outcome="ignored")
    driver.verb(verbs.CancelRun).end("z", "stopped").verb(verbs.RetryNode, "z").finish("z")
    assert (driver.at("n").disposition, driver.at("m").disposition) == ("tolerated", "ignored")
    assert driver.shown() == "succeeded"


def test_only_a_cancel_leaves_a_failure_to_a_person() -> None:
    driver = Driver(node("a"), node("n", breakpoint=Breakpoint(on="failure"))).finish("a").fail("n")
    driver.verb(verbs.Continue, "n")
    assert driver.shown() == "failed"
    driver.verb(verbs.RetryNode, "a").finish("a")
    assert driver.of(RunReopened)[0].held == ()
    assert driver.shown() == "failed"
