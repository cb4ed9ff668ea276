"""Corners of who starts, when and with what, that only one guard protects."""

from __future__ import annotations

from typing import Any

import pytest

from studio.core import commands as verbs
from studio.core.events import AttemptStarted, NodeReused
from studio.model.nodes import Edge, NoopSettings, ShellSettings, StandIn
from tests.unit.core.driver import Driver, node

# --------------------------------------------------------------------------- what is reused


def again(driver: Driver, value: Any) -> Driver:
    """Run ``a`` again, and what follows where its input differs; ``a`` gives a value."""
    return driver.verb(verbs.RetryNode, "a", downstream=True).finish("a", value)


def test_a_node_retried_by_hand_is_not_reused_though_its_input_is_the_same() -> None:
    driver = Driver(node("a"), node("b", "a")).finish("a", 1).finish("b", 2)
    driver.verb(verbs.RetryNode, "a", downstream=True).verb(verbs.HoldNode, "b").finish("a", 1)
    driver.verb(verbs.RetryNode, "b")
    assert (driver.states["b"], driver.of(NodeReused)) == ("running", [])


def test_a_node_is_not_reused_for_the_input_of_an_attempt_that_failed() -> None:
    b = node("b", "a", input={"v": "{{ nodes.a.output }}"})
    driver = Driver(node("a"), b, policy="continue").finish("a", 1).finish("b", "one")
    again(driver, 2).fail("b")
    again(driver, 2)
    assert (driver.states["b"], driver.of(NodeReused)) == ("running", [])
    driver.finish("b", "two")
    assert again(driver, 2).states["b"] == "reused"
    assert driver.output("b") == "two"


def test_what_stands_in_is_tried_though_an_earlier_result_was_kept() -> None:
    value: Any = {"v": "{{ nodes.a.output }}"}
    instead = StandIn(kind=NoopSettings(), input=value)
    driver = Driver(node("a"), node("b", "a", input=value, fallback=instead))
    again(driver.finish("a", 1).finish("b"), 2).fail("b")
    assert driver.of(AttemptStarted, "b")[-1].stand_in
    assert driver.states["b"] == "running"


def test_a_node_that_never_ran_is_not_reused() -> None:
    driver = Driver(node("a"), node("b", "a"), policy="hold")
    driver.verb(verbs.MarkNode, "b", outcome="succeeded").finish("a")
    assert again(driver, 1).states["b"] == "running"


SPLIT = "{{ nodes.a.output[0] }}{{ secrets.TOKEN }}{{ nodes.a.output[1] }}"
"""The same text for ``["xy", ""]`` and ``["", "xy"]``, with the secret in another place."""


@pytest.mark.parametrize(
    "keys",
    [
        {"kind": ShellSettings(run="echo {{ nodes.a.output[0] }}")},
        {"kind": ShellSettings(run="true", env={"T": SPLIT})},
        {"input": {"t": SPLIT}},
    ],
)
def test_a_node_is_reused_only_if_settings_and_secrets_are_where_they_were(keys: Any) -> None:
    driver = Driver(node("a"), node("b", "a", **keys)).finish("a", ["xy", ""]).finish("b")
    assert again(driver, ["xy", ""]).states["b"] == "reused"
    assert again(driver, ["", "xy"]).states["b"] == "running"


def test_conditions_behind_a_reused_node_see_its_output() -> None:
    driver = Driver(node("a"), node("b", "a"), node("c", Edge(source="b", when="output == 2")))
    again(driver.finish("a").finish("b", 2).finish("c"), None)
    assert driver.states == {"a": "succeeded", "b": "reused", "c": "reused"}
