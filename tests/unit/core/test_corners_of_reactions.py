"""Corners of what follows by itself that only one guard protects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from studio.core import commands as verbs
from studio.core.events import FailureDisposed, NodeCancelled
from studio.core.plan import Plan
from studio.model.nodes import Edge, Node
from studio.model.policies import Retry
from tests.unit.core.driver import Driver, node, workflow
from tests.unit.core.test_why import why


def revise(driver: Driver, *nodes: Node, **keys: Any) -> Driver:
    """Let run 1 adopt a definition of the given nodes."""
    plan = Plan(workflow(*nodes))
    driver.plans[plan.version] = plan
    return driver.verb(verbs.Revise, version=plan.version, **keys)


def test_a_list_that_is_shorter_the_second_time_is_read_back_from_the_history() -> None:
    driver = Driver(node("a"), node("each", "a", foreach="nodes.a.output"))
    driver.finish("a", [1, 2]).finish_all()
    driver.verb(verbs.Rerun, start="a").finish("a", [1]).reload()
    assert driver.states == {"a": "succeeded", "each": "running", "each[0]": "running"}
    assert driver.finish("each[0]", 7).output("each") == [7]


# --------------------------------------------------------------------------- what a failing run gives up


def test_the_items_of_a_failure_branch_go_on_in_a_failing_run() -> None:
    observer = Edge(source="a", on="failure", handles=False)
    each = node("each", observer, foreach=[1, 2], max_parallel=1)
    driver = Driver(node("a", critical=False), each, node("bad")).fail("a").fail("bad")
    assert driver.states["each[1]"] == "blocked"
    driver.finish("each[0]").finish("each[1]")
    assert driver.states["each"] == "succeeded"


def test_a_failing_run_leaves_removed_nodes_as_they_are() -> None:
    driver = Driver(
        node("f"), node("a"), node("m", "a"), node("bad"), node("x"), policy="hold"
    ).fail("f")
    revise(driver, node("a"), node("bad"), node("x")).fail("bad")
    driver.verb(verbs.MarkNode, "bad", outcome="failed")
    assert driver.of(FailureDisposed, "f") == driver.of(NodeCancelled, "m") == []
    assert (driver.states["m"], driver.at("f").disposition) == ("blocked", "held")


def test_a_failing_run_gives_up_what_waits_for_its_next_try() -> None:
    slow = Retry(strategy="fixed", initial_delay=10, jitter=0)
    driver = Driver(node("a", retry=slow), node("bad")).fail("a").fail("bad")
    assert (driver.states["a"], driver.at("a").disposition) == ("failed", "failed")
    assert driver.shown() == "failed"


def test_an_attempt_lost_in_a_failing_run_is_not_made_again() -> None:
    driver = Driver(node("a"), node("bad")).fail("bad").end("a", "lost")
    assert driver.states["a"] == "cancelled"
    assert driver.at("a").cause == "bad failed: ValueError: bad broke"


def test_what_an_edit_adds_to_a_failing_run_does_not_start() -> None:
    driver = Driver(node("bad"), node("x")).fail("bad")
    revise(driver, node("bad"), node("x"), node("fresh"), restart=False)
    assert driver.states["fresh"] == "cancelled"
    assert driver.at("fresh").cause == "bad failed: ValueError: bad broke"


# --------------------------------------------------------------------------- what is removed, what has lost


def test_a_removed_node_does_not_become_ready_when_the_run_is_resumed() -> None:
    driver = Driver(node("a"), node("m", "a"), node("x")).verb(verbs.HoldNode, "m").finish("a")
    revise(driver, node("a"), node("x")).verb(verbs.PauseRun).verb(verbs.ResumeRun)
    assert driver.states["m"] == "blocked"
    assert why(driver, "m") == ["m is no longer part of flow"]


@pytest.mark.parametrize("held", [False, True])
def test_who_could_start_has_lost_once_the_winner_is_marked_succeeded(held: bool) -> None:
    driver = Driver(
        node("fast"),
        node("slow"),
        node("win", ["fast", "slow"], join="first", cancel_losers=True),
        stepping=True,
    )
    if held:
        driver.verb(verbs.HoldNode, "slow")
    driver.verb(verbs.MarkNode, "win", outcome="succeeded")
    assert driver.at("slow").cause == "another branch was faster"
    assert driver.shown() == "succeeded"


# --------------------------------------------------------------------------- why a node is skipped


def failed(driver: Driver) -> Driver:
    return driver.fail("a")


def left_by_x(driver: Driver) -> Driver:
    return driver.finish("a", 1, "x")


def skipped(driver: Driver) -> Driver:
    return driver.verb(verbs.CancelNode, "a").end("a", "stopped")


def second(driver: Driver) -> Driver:
    return driver.finish("b").fail("a")


def edge(**keys: Any) -> Edge:
    return Edge(source="a", **keys)


@pytest.mark.parametrize(
    ("needs", "act", "cause"),
    [
        ("a", failed, "needs a (on success), which has failed"),
        ("a", skipped, "needs a (on success), which was cancelled"),
        (["b", "a"], second, "needs a (on success), which has failed"),
        (edge(port="y"), left_by_x, "needs a (on success, port y), which has succeeded by port x"),
        (edge(port="y"), failed, "needs a (on success, port y), which has failed"),
        (edge(on="failure"), left_by_x, "needs a (on failure), which has succeeded"),
        (edge(when="output > 1"), left_by_x, "the condition of the edge from a is false"),
        (edge(on="failure", when="1 > 2"), failed, "the condition of the edge from a is false"),
        (edge(on="any", when="1 > 2"), failed, "the condition of the edge from a is false"),
        # None of these was a matter of the condition.
        (edge(when="output > 1"), failed, "needs a (on success), which has failed"),
        (
            edge(on="failure", when="1 > 2"),
            left_by_x,
            "needs a (on failure), which has succeeded",
        ),
        (edge(on="any", when="1 > 2"), skipped, "needs a (on any), which was cancelled"),
        (
            edge(port="y", when="output > 1"),
            left_by_x,
            "needs a (on success, port y), which has succeeded by port x",
        ),
    ],
)
def test_a_skipped_node_says_which_edge_was_not_taken_and_why(
    needs: Any, act: Callable[[Driver], Driver], cause: str
) -> None:
    driver = act(Driver(node("b"), node("a"), node("n", needs), policy="continue"))
    assert driver.states["n"] == "skipped"
    assert driver.at("n").cause == cause
