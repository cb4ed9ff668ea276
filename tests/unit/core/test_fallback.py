"""What is tried in place of a node whose attempts are used up: another definition of it, or another node."""

from __future__ import annotations

from typing import Any

import pytest

from studio.core import commands as verbs
from studio.core.events import AttemptStarted, FallbackStarted, FallbackUsed
from studio.core.why import explain
from studio.model.nodes import Edge, Node, NoopSettings, PythonSettings, StandIn, StandInNode
from studio.model.policies import Breakpoint, Repeat, Retry
from tests.unit.core.driver import Driver, node, undo

TWICE = Retry(strategy="fixed", max_attempts=2, initial_delay=5, jitter=0)


def names(driver: Driver) -> list[str]:
    """Nodes with an open attempt."""
    return [flight.node for flight in driver.flights()]


def instead(**keys: Any) -> StandIn:
    """A definition that takes over what is known of the failure."""
    keys.setdefault("input", {"why": "{{ error.message }}"})
    return StandIn(kind=PythonSettings(call="m:instead"), **keys)


def pair(*more: Node, **keys: Any) -> tuple[Node, ...]:
    """``n``, ``s`` which stands in for it, and ``b`` which follows ``n``."""
    first = node("n", fallback=StandInNode(node="s"), **keys)
    return first, node("s", Edge(source="n", on="fallback")), node("b", "n"), *more


def test_another_definition_is_tried_when_the_attempts_are_used_up() -> None:
    driver = Driver(node("n", retry=TWICE, timeout=9, fallback=instead(timeout=3)), node("b", "n"))
    driver.fail("n").tick(6)
    assert driver.of(FallbackStarted) == []
    driver.fail("n")
    started = driver.of(AttemptStarted)[-1]
    assert (started.attempt, started.stand_in, started.reuse) == (3, True, 0)
    assert started.input == {"why": "n broke"}
    assert started.deadline == driver.now + 3
    driver.finish("n", 7)
    assert driver.output("n") == 7
    assert driver.at("n").marks == {"degraded"}
    driver.finish("b")
    assert (driver.shown(), driver.run().degraded) == ("succeeded", True)


def test_it_has_retries_of_its_own_and_then_the_node_has_failed() -> None:
    driver = Driver(node("n", retry=TWICE, fallback=instead(retry=TWICE)))
    driver.fail("n").tick(6).fail("n").fail("n")
    assert driver.states["n"] == "backing_off"
    driver.tick(6)
    assert driver.of(AttemptStarted)[-1].reuse == 3
    driver.fail("n")
    assert (driver.at("n").attempt, driver.states["n"], driver.shown()) == (4, "failed", "failed")
    assert len(driver.of(FallbackStarted)) == 1


def test_a_retry_by_hand_begins_with_the_node_itself() -> None:
    driver = Driver(node("n", fallback=instead()), policy="hold").fail("n").fail("n")
    driver.do(verbs.RetryNode(run=1, node="n"))
    assert driver.of(AttemptStarted)[-1].stand_in is False
    driver.finish("n", 1)
    assert driver.at("n").marks == frozenset()
    assert not driver.run().degraded


def test_repeat_belongs_to_the_node_itself() -> None:
    repeat = Repeat(until="output == 1", every=1)
    driver = Driver(node("n", repeat=repeat, fallback=instead())).fail("n").finish("n", 0)
    assert driver.shown() == "succeeded"


def test_an_input_by_hand_is_not_for_what_stands_in() -> None:
    driver = Driver(node("n", fallback=instead()), policy="hold").fail("n").fail("n")
    driver.do(verbs.OverrideInput(run=1, node="n", input={"x": 1}))
    driver.do(verbs.RetryNode(run=1, node="n"))
    assert driver.of(AttemptStarted)[-1].input == {"x": 1}
    driver.fail("n")
    assert driver.of(AttemptStarted)[-1].input == {"why": "n broke"}


def test_items_stay_within_their_bound_while_something_stands_in() -> None:
    driver = Driver(node("n", foreach=[0, 1, 2], max_parallel=1, fallback=instead()))
    driver.fail("n[0]")
    while names(driver):
        [name] = names(driver)
        driver.finish(name, name)
    assert driver.output("n") == ["n[0]", "n[1]", "n[2]"]
    assert driver.at("n[0]").marks == {"degraded"}


def test_what_a_stand_in_returned_is_never_reused() -> None:
    driver = Driver(node("a"), node("n", "a", fallback=StandIn(kind=NoopSettings())))
    driver.finish("a").fail("n").finish("n", 1)
    driver.do(verbs.Rerun(run=1, start="a"))
    driver.finish("a")
    assert names(driver) == ["n"]


def test_a_failing_run_tries_nothing_new() -> None:
    driver = Driver(node("a"), *pair(), node("m", fallback=instead()))
    driver.fail("a").fail("n").fail("m")
    assert driver.of(FallbackStarted) == []
    assert (driver.states["s"], driver.shown()) == ("cancelled", "failed")


def test_a_stand_in_that_has_not_started_leaves_the_failure() -> None:
    driver = Driver(node("n", fallback=instead()), node("a"))
    driver.do(verbs.PauseRun(run=1)).fail("n").fail("a").do(verbs.ResumeRun(run=1))
    assert (driver.states["n"], driver.at("n").disposition) == ("failed", "failed")
    assert driver.shown() == "failed"


def test_another_node_stands_in_and_gives_its_output() -> None:
    driver = Driver(*pair(retry=TWICE))
    driver.fail("n").tick(6)
    assert driver.states["s"] == "blocked"
    driver.fail("n")
    assert (names(driver), driver.states["b"]) == (["s"], "blocked")
    driver.finish("s", {"x": 1})
    assert len(driver.of(FallbackUsed)) == 1
    assert driver.output("n") == {"x": 1}
    assert driver.at("n").marks == {"degraded"}
    driver.finish("b")
    assert (driver.shown(), driver.run().degraded) == ("succeeded", True)


def test_a_node_that_is_not_needed_is_skipped() -> None:
    driver = Driver(*pair()).finish("n").finish("b")
    assert (driver.states["s"], driver.shown()) == ("skipped", "succeeded")
    assert driver.at("s").cause == "stands in for n, which did without it"


@pytest.mark.parametrize("policy", ["fail", "continue"])
def test_the_failure_of_both_is_that_of_the_first(policy: Any) -> None:
    handler = node("h", Edge(source="n", on="failure"))
    driver = Driver(*pair(handler), policy=policy).fail("n").fail("s")
    assert driver.at("s").disposition == "deferred"
    assert (names(driver), driver.states["b"]) == (["h"], "skipped")
    driver.finish("h")
    assert driver.shown() == "succeeded"


def test_without_a_handler_the_run_fails_by_the_first() -> None:
    driver = Driver(*pair()).fail("n").fail("s")
    assert driver.at("n").disposition == "failed"
    assert driver.run().message.startswith("n failed, and what should have stood in")


def test_a_held_stand_in_can_be_brought_to_success() -> None:
    driver = Driver(*pair(), policy="hold").fail("n").fail("s")
    assert (driver.at("s").disposition, driver.at("n").disposition) == ("held", "fallback")
    [first, *_] = explain(driver.state, driver.run(), "n")
    assert first.text == "n failed (ValueError: n broke); its fallback is tried: s is to stand in"
    driver.do(verbs.RetryNode(run=1, node="s")).finish("s", 2)
    assert driver.output("n") == 2


def test_the_time_of_trouble_is_over_when_the_first_runs_again() -> None:
    driver = Driver(*pair()).fail("n").finish("s", 1).finish("b")
    driver.do(verbs.Rerun(run=1, start="n")).finish("n", 5)
    assert (driver.states["s"], driver.output("n")) == ("skipped", 5)
    assert driver.at("n").marks == frozenset()


def test_running_up_to_a_node_includes_what_may_stand_in() -> None:
    driver = Driver(*pair(), until="b").fail("n")
    assert names(driver) == ["s"]


def test_both_are_undone() -> None:
    nodes = (
        node("n", fallback=StandInNode(node="s"), compensate=undo()),
        node("s", Edge(source="n", on="fallback"), compensate=undo()),
        node("b", "n"),
    )
    driver = Driver(*nodes).fail("n").finish("s").fail("b")
    plan = driver.run().compensation
    assert plan is not None
    assert set(plan.steps) == {"n", "s"}


def test_a_breakpoint_on_failure_waits_for_the_fallback() -> None:
    driver = Driver(node("n", fallback=instead(), breakpoint=Breakpoint(on="failure")))
    driver.fail("n")
    assert names(driver) == ["n"]
    driver.fail("n")
    assert driver.at("n").gate == "breakpoint"
