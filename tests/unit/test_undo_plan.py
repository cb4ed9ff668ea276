"""The plan of a compensation, shown before it is carried out, and what needs a person."""

from __future__ import annotations

from studio.core import commands as verbs
from studio.core.commands import Refusal
from studio.core.events import CompensationStarted
from studio.model.nodes import NoopSettings, PythonSettings, ShellSettings
from studio.projections.needs import needs_of
from studio.projections.reasons import reasons_of
from studio.projections.undo_plan import (
    UndoStep,
    asked_first,
    compensation_outcome,
    kind_name,
    nothing_to_undo,
    steps_left,
    undo_document,
    undo_steps,
)
from tests.unit.core.driver import Driver, node, undo


def saga(*, irreversible: bool = False) -> Driver:
    """Three nodes in a row, each with an undo, all done."""
    driver = Driver(
        node("a", compensate=undo()),
        node("b", "a", compensate=undo(), irreversible=irreversible),
        node("c", "b", compensate=undo()),
    )
    return driver.finish_all()


def plan(driver: Driver, *nodes: str, **keys: object) -> list[UndoStep]:
    found = undo_steps(driver.state, driver.run(), nodes, **keys)  # type: ignore[arg-type]  # options by name
    assert isinstance(found, list), str(found)
    return found


def test_the_plan_is_what_compensate_then_does() -> None:
    driver = saga()
    steps = plan(driver)
    driver.verb(verbs.Compensate)
    assert tuple(step.node for step in steps) == driver.of(CompensationStarted)[0].steps
    assert undo_document(1, steps)["steps"][0] == {
        "step": 1,
        "node": "c",
        "attempt": 1,
        "undo": "noop",
        "barrier": False,
    }


def test_looking_at_a_plan_changes_nothing() -> None:
    driver = saga()
    before = driver.run().snapshot()
    plan(driver)
    assert driver.run().snapshot() == before


def test_a_barrier_ends_the_plan_and_is_shown() -> None:
    steps = plan(saga(irreversible=True))
    assert [(step.node, step.barrier) for step in steps] == [("c", False), ("b", True)]


def test_force_goes_past_a_barrier() -> None:
    steps = plan(saga(irreversible=True), force=True, reason="refunded by phone")
    assert [step.node for step in steps] == ["c", "b", "a"]


def test_a_node_alone_is_refused_while_others_stand_on_it() -> None:
    driver = saga()
    refused = undo_steps(driver.state, driver.run(), ["a"])
    assert isinstance(refused, Refusal)
    assert "still holds effects" in refused.why
    assert [step.node for step in plan(driver, "b", downstream=True)] == ["c", "b"]


def in_doubt_first() -> Driver:
    """A held run of a and b: a is done, and b was stopped at its time limit, when it may have acted."""
    driver = Driver(
        node("a", compensate=undo()),
        node("b", "a", compensate=undo(), side_effects="external", timeout=1),
        policy="hold",
    )
    return driver.finish("a").tick(1).end("b", "stopped")


def test_the_plan_tells_what_a_person_is_asked_before_it() -> None:
    driver = in_doubt_first()
    run = driver.run()
    assert asked_first(run) == ["b"]
    assert asked_first(run, ["a"]) == []
    document = undo_document(1, plan(driver), asked_first(run))
    assert (document["in_doubt"], [step["node"] for step in document["steps"]]) == (["b"], ["a"])
    driver.verb(verbs.Compensate)
    assert driver.states["b"] == "in_doubt"
    assert driver.undone() == []
    driver.verb(verbs.MarkNode, "b", outcome="succeeded").finish("b", undo=True)
    assert driver.undone() == ["b", "a"]
    assert asked_first(driver.run()) == []


def test_the_steps_that_are_left_begin_with_the_one_that_stopped() -> None:
    driver = saga(irreversible=True)
    assert steps_left(driver.run()) == []
    driver.verb(verbs.Compensate).fail("c", undo=True).verb(verbs.CancelNode, "c")
    left = steps_left(driver.run())
    assert [(step.node, step.attempt, step.barrier) for step in left] == [
        ("c", 2, False),
        ("b", 1, True),
    ]
    driver.verb(verbs.MarkNode, "c", outcome="ignored")
    assert driver.shown() == "partly_compensated"
    assert steps_left(driver.run()) == []


def test_a_run_with_nothing_to_undo_is_told_from_one_that_refuses() -> None:
    driver = Driver(node("a"))
    assert nothing_to_undo(driver.run())
    assert not nothing_to_undo(saga().run())
    assert not nothing_to_undo(in_doubt_first().run())
    wall = Driver(node("a", irreversible=True)).finish("a")
    assert not nothing_to_undo(wall.run())
    doubted = Driver(node("a", compensate=undo(), side_effects="external")).end("a", "lost")
    assert not nothing_to_undo(doubted.run())


def test_a_second_undo_attempt_is_numbered() -> None:
    driver = saga().verb(verbs.Compensate)
    driver.finish_all()
    driver.verb(verbs.Rerun, start="a").finish_all()
    assert {step.attempt for step in plan(driver)} == {2}


def test_the_outcome_of_a_plan_is_found_in_the_history() -> None:
    driver = saga().verb(verbs.Compensate).finish_all()
    assert [o for record in driver.records if (o := compensation_outcome(record)) is not None] == [
        True
    ]


def test_kinds_are_named_by_what_they_do() -> None:
    assert kind_name(PythonSettings(call="orders:refund")) == "orders:refund"
    assert kind_name(PythonSettings(code="return 1")) == "python"
    assert kind_name(ShellSettings(run="\n  rm -f x\n")) == "rm -f x"
    assert kind_name(ShellSettings(run="one\ntwo")) == "one…"
    assert kind_name(NoopSettings()) == "noop"


def test_needs_name_the_commands_that_help() -> None:
    driver = Driver(node("a"), node("b"), node("c", "b"), policy="hold")
    driver.verb(verbs.HoldNode, "c").fail("a").finish("b")
    needs = needs_of(driver.state, driver.run())
    assert [(need.node, need.state) for need in needs] == [("a", "failed"), ("c", "held")]
    assert needs[0].hints[0] == "retry 1 a"
    assert needs[1].hints == ("release 1 c",)


def test_why_points_at_what_a_node_waits_for() -> None:
    driver = Driver(node("a"), node("b", "a"), node("c", "b"))
    found = reasons_of(driver.state, driver.run(), "b")
    assert found["state"] == "blocked"
    assert found["reasons"][0]["node"] == "a"
    assert "waits for a, which is running" in found["reasons"][0]["text"]
    driver.fail("a")
    cancelled = reasons_of(driver.state, driver.run(), "b")
    assert "a failed" in cancelled["reasons"][0]["text"]
