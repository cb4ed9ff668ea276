"""How the incoming edges of a node combine, where the joins differ."""

from __future__ import annotations

from typing import Any

import pytest

from studio.model.nodes import Edge
from tests.unit.core.driver import Driver, node

JOINS = ("all", "any", "first", "settled")

BROKEN = Edge(source="b", when="output < 'text'")


def joined(join: Any, *needs: str | Edge) -> Driver:
    """n follows some of a and b by a join."""
    return Driver(node("a"), node("b"), node("n", needs, join=join), policy="continue")


@pytest.mark.parametrize("join", JOINS)
def test_a_node_that_follows_nothing_starts_whatever_its_join(join: Any) -> None:
    assert joined(join).states["n"] == "running"


@pytest.mark.parametrize(
    ("join", "state"),
    [("all", "skipped"), ("any", "skipped"), ("first", "skipped"), ("settled", "running")],
)
def test_a_node_none_of_whose_edges_is_taken_is_skipped_unless_it_asks_for_no_success(
    join: Any, state: str
) -> None:
    assert joined(join, "a", "b").fail("a").fail("b").states["n"] == state


@pytest.mark.parametrize("join", JOINS)
def test_a_broken_condition_fails_its_node_once_the_join_is_decided(join: Any) -> None:
    driver = joined(join, "a", BROKEN).finish("b", 5)
    assert driver.states["n"] == ("failed" if join == "all" else "blocked")
    failure = driver.finish("a").at("n").failure
    assert failure is not None
    assert failure.message.startswith("condition of the edge from b: ")


@pytest.mark.parametrize(
    ("join", "state"),
    [("all", "skipped"), ("any", "failed"), ("first", "failed"), ("settled", "failed")],
)
def test_a_dead_edge_skips_a_node_past_a_broken_condition_only_where_all_have_to_be_taken(
    join: Any, state: str
) -> None:
    assert joined(join, "a", BROKEN).fail("a").finish("b", 5).states["n"] == state
