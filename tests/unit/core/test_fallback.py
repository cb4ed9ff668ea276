"""What is tried in place of a node whose attempts are used up: another definition of it, or another node."""

from __future__ import annotations

from typing import Any

import pytest

from studio.core import commands as verbs
from studio.core.events import AttemptStarted, FailureDisposed, FallbackStarted, FallbackUsed
from studio.core.plan import Plan
from studio.core.why import explain
from studio.model.nodes import Edge, Node, NoopSettings, PythonSettings, StandIn, StandInNode
from studio.model.policies import Breakpoint, Repeat, Retry
from tests.unit.core.driver import Driver, node, undo, workflow

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


def revise(driver: Driver, *nodes: Node, **keys: Any) -> Driver:
    """Let run 1 adopt a definition of the given nodes."""
    plan = Plan(workflow(*nodes))
    driver.plans[plan.version] = plan
    return driver.verb(verbs.Revise, version=plan.version, **keys)


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


def test_a_stand_in_that_has_not_started_is_cancelled_with_its_run() -> None:
    driver = Driver(node("n", fallback=instead())).do(verbs.PauseRun(run=1)).fail("n")
    driver.do(verbs.CancelRun(run=1))
    assert (driver.states["n"], driver.shown()) == ("cancelled", "cancelled")


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


# --------------------------------------------------------------------------- another node that stands in


def test_a_stand_in_that_fails_in_a_failing_run_leaves_it_to_its_node_under_hold_too() -> None:
    driver = Driver(*pair(node("x")), policy="hold").fail("n").fail("x")
    driver.verb(verbs.MarkNode, "x", outcome="failed").fail("s")
    assert (driver.at("s").disposition, driver.at("n").disposition) == ("deferred", "failed")
    assert driver.shown() == "failed"


def test_what_merely_follows_a_node_with_a_stand_in_fails_the_run_by_itself() -> None:
    more = (node("o"), node("h", ["n", "o"], join="first"))
    driver = Driver(*pair(*more)).finish("o").fail("n").fail("h")
    assert driver.at("h").disposition == "failed"
    assert driver.run().failing_node == "h"


def test_a_stand_in_that_runs_for_another_reason_fails_the_run_by_itself() -> None:
    instead_of_n = Edge(source="n", on="fallback")
    driver = Driver(
        node("o"),
        node("n", fallback=StandInNode(node="s")),
        node("s", [instead_of_n, "o"], join="first"),
    )
    driver.finish("o").fail("s")
    assert driver.at("s").disposition == "failed"
    assert driver.run().failing_node == "s"


def test_an_item_has_no_stand_in_once_an_edit_has_made_one_node_of_its_list() -> None:
    driver = revise(Driver(node("n", foreach=[1]), node("b", "n")), *pair()).fail("n[0]")
    assert driver.of(FallbackStarted) == []
    assert driver.states["n"] == "failed"
    assert driver.shown() == "failed"


def test_what_a_person_has_skipped_stands_in_for_nothing() -> None:
    driver = Driver(*pair()).verb(verbs.MarkNode, "s", outcome="skipped").fail("n")
    assert driver.of(FallbackStarted) == []
    assert driver.shown() == "failed"


def test_a_removed_node_takes_nothing_over_from_a_removed_stand_in() -> None:
    driver = Driver(*pair(node("x"))).verb(verbs.SetBreakpoint, "s", on="after")
    driver.fail("n").finish("s", 1)
    revise(driver, node("x")).finish("x")
    assert (driver.of(FallbackUsed), driver.states["n"]) == ([], "failed")
    assert driver.shown() == "succeeded"


@pytest.mark.parametrize("done", [False, True])
def test_an_edit_elsewhere_does_not_end_the_wait_for_a_stand_in(done: bool) -> None:
    driver = Driver(*pair()).verb(verbs.SetBreakpoint, "s", on="after").fail("n")
    if done:
        driver.finish("s", 1)
    revise(driver, *pair(node("x"))).finish("x")
    assert (driver.states["n"], driver.at("n").disposition) == ("failed", "fallback")
    if not done:
        driver.finish("s", 1)
    driver.verb(verbs.Continue, "s").finish("b")
    assert (driver.output("n"), driver.shown()) == (1, "succeeded")


def test_an_edit_that_takes_the_stand_in_away_leaves_the_failure_to_the_policy() -> None:
    driver = Driver(*pair()).fail("n")
    revise(driver, node("n"), node("s"), node("b", "n"), restart=False)
    assert driver.at("n").disposition == "failed"
    assert driver.run().message == "n failed, and what should have stood in for it did not succeed"


@pytest.mark.parametrize(("value", "state"), [(2, "running"), (3, "skipped")])
def test_conditions_behind_the_node_see_what_stood_in_for_it(value: int, state: str) -> None:
    driver = Driver(*pair(node("c", Edge(source="n", when="output == 2"))))
    driver.fail("n").finish("s", value)
    assert driver.states["c"] == state


# --------------------------------------------------------------------------- the first is tried again meanwhile


def test_what_was_to_stand_in_does_not_start_once_the_first_is_tried_again() -> None:
    driver = Driver(*pair()).verb(verbs.PauseRun).fail("n")
    assert driver.states["s"] == "ready"
    driver.verb(verbs.RetryNode, "n").verb(verbs.ResumeRun)
    assert names(driver) == ["n"]
    driver.finish("n", 1)
    assert (driver.states["s"], names(driver)) == ("skipped", ["b"])


def test_what_stood_in_waits_again_when_it_is_to_run_again_with_the_first() -> None:
    driver = Driver(*pair(), policy="hold").fail("n").fail("s")
    driver.verb(verbs.RetryNode, "n", downstream=True)
    assert names(driver) == ["n"]
    driver.fail("n")
    assert names(driver) == ["s"]
    assert driver.finish("s", 2).output("n") == 2


def test_an_edit_in_a_paused_run_tries_the_node_itself_and_all_its_attempts() -> None:
    nodes = (node("n", retry=TWICE, fallback=instead()), node("x"))
    driver = Driver(*nodes, policy="hold").fail("n").tick(6).fail("n").fail("n")
    driver.verb(verbs.PauseRun)
    revise(driver, node("n", retry=TWICE, timeout=8, fallback=instead()), node("x"), restart=True)
    driver.verb(verbs.ResumeRun)
    started = driver.of(AttemptStarted, "n")[-1]
    assert (started.stand_in, started.by) == (False, None)
    assert driver.fail("n").states["n"] == "backing_off"


# --------------------------------------------------------------------------- a handler that waits for the first


def both_failed(*more: Node, **keys: Any) -> Driver:
    """``s`` fails in the place of ``n``; ``more`` says who handles that."""
    return Driver(*pair(*more), **keys).fail("n").fail("s")


def after_failure(*sources: str) -> list[Edge | str]:
    """Edges from failures."""
    return [Edge(source=source, on="failure") for source in sources]


@pytest.mark.parametrize("policy", ["hold", "fail", "continue"])
def test_one_handler_of_both_failures_does_not_wait_for_itself(policy: Any) -> None:
    driver = both_failed(node("h", after_failure("n", "s")), policy=policy)
    assert (names(driver), driver.at("n").disposition) == (["h"], "handling")
    driver.finish("h")
    assert (driver.at("n").disposition, driver.at("s").disposition) == ("handled", "handled")
    assert driver.shown() == "succeeded"


def test_a_handler_of_both_failures_that_fails_leaves_them_to_the_first() -> None:
    driver = both_failed(node("h", after_failure("n", "s"), critical=False)).fail("h")
    assert (driver.at("s").disposition, driver.at("n").disposition) == ("deferred", "failed")
    assert driver.run().failing_node == "n"


def test_a_handler_may_wait_for_the_first_by_way_of_others() -> None:
    more = (node("m", after_failure("n")), node("h", [*after_failure("s"), "m"]))
    driver = both_failed(*more)
    assert names(driver) == ["m"]
    driver.finish("m").finish("h")
    assert (driver.at("s").disposition, driver.shown()) == ("handled", "succeeded")


def test_a_handler_that_waits_for_the_success_of_the_first_is_skipped() -> None:
    driver = both_failed(node("h", [*after_failure("s"), "n"]))
    assert (driver.states["h"], driver.at("n").disposition) == ("skipped", "failed")
    assert (driver.at("s").disposition, driver.shown()) == ("deferred", "failed")


def test_the_first_waits_while_another_handler_may_still_bring_something() -> None:
    more = (node("h", after_failure("n", "s")), node("o", after_failure("s"), critical=False))
    driver = both_failed(*more)
    assert (names(driver), driver.at("n").disposition) == (["o"], "fallback")
    driver.fail("o")
    assert (names(driver), driver.at("n").disposition) == (["h"], "handling")


def test_the_first_waits_while_the_handler_waits_for_something_else() -> None:
    driver = both_failed(node("x"), node("h", [*after_failure("s"), "x"]))
    assert driver.at("n").disposition == "fallback"
    driver.finish("x").finish("h")
    assert (driver.at("s").disposition, driver.at("n").disposition) == ("handled", "failed")


def test_the_first_waits_while_the_handler_waits_for_what_has_started_without_it() -> None:
    more = (node("o"), node("m", ["n", "o"], join="first"), node("h", [*after_failure("s"), "m"]))
    driver = Driver(*pair(*more)).finish("o").fail("n").fail("s")
    assert (names(driver), driver.at("n").disposition) == (["m"], "fallback")


def test_only_what_stands_in_ends_the_wait_of_another_node() -> None:
    driver = Driver(
        *pair(),
        node("o"),
        node("x", ["o", "n"], join="first"),
        node("h", [*after_failure("x"), Edge(source="n", on="any")]),
    )
    driver.finish("o").fail("n").fail("x")
    assert driver.at("x").disposition == "handling"
    assert (names(driver), driver.at("n").disposition) == (["s"], "fallback")


def test_a_failure_that_is_held_meanwhile_is_decided_once() -> None:
    more = (node("h", [*after_failure("s"), "n"]), node("x"))
    driver = both_failed(*more, policy="hold")
    assert driver.at("n").disposition == "held"
    revise(driver, *pair(*more, node("y")))
    assert len(driver.of(FailureDisposed, "n")) == 1


def test_a_stand_in_that_was_not_asked_for_fails_by_itself() -> None:
    driver = Driver(
        node("o"),
        node("n", input={"x": "{{ 1 + params.none }}"}, fallback=StandInNode(node="s")),
        node("s", [Edge(source="n", on="fallback"), "o"], join="first"),
        policy="continue",
        params={"none": None},
    )
    assert driver.at("n").disposition == "continued"
    assert driver.finish("o").fail("s").at("s").disposition == "continued"


def test_a_stand_in_that_has_done_its_part_fails_by_itself_when_it_is_tried_again() -> None:
    driver = Driver(*pair()).fail("n").finish("s", 1).finish("b")
    driver.verb(verbs.RetryNode, "s").fail("s")
    assert (driver.at("s").disposition, driver.states["n"]) == ("failed", "succeeded")
