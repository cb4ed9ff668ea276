"""Closed groups."""

from __future__ import annotations

from studio.projections.layout import LayoutEdge, LayoutNode, arrange, fold


def graph(groups: str, pairs: str) -> tuple[list[LayoutNode], list[LayoutEdge]]:
    nodes = []
    for word in groups.split():
        name, _, group = word.partition(":")
        nodes.append(LayoutNode(name, 9, 3, group or None))
    return nodes, [LayoutEdge(*word.split(">")) for word in pairs.split()]


def test_members_become_one_node_and_edges_follow() -> None:
    nodes, edges = graph("a b:g c:g d e", "a>b a>c b>d c>d d>e b>c")
    folded = fold(nodes, edges, {"g"}, {"g": 21})
    assert [(node.id, node.width) for node in folded.nodes] == [
        ("a", 9),
        ("group:g", 21),
        ("d", 9),
        ("e", 9),
    ]
    assert folded.edge_of == (0, 0, 1, 1, 2, None)
    assert folded.home["c"] == "group:g"
    layout = arrange(folded.nodes, folded.edges)
    assert layout.layers == (("a",), ("group:g",), ("d",), ("e",))


def test_a_group_that_would_form_a_cycle_stays_open() -> None:
    nodes, edges = graph("a:g b c:g x:h y:h", "a>b b>c c>x x>y")
    folded = fold(nodes, edges, {"g", "h"})
    assert folded.refused == ("g",)
    assert [node.id for node in folded.nodes] == ["a", "b", "c", "group:h"]


def test_two_groups_that_only_together_form_a_cycle_are_not_both_closed() -> None:
    nodes, edges = graph("a:g b:h c:h d:g", "a>b c>d")
    folded = fold(nodes, edges, {"g", "h"})
    assert folded.refused == ("h",)
    assert [node.id for node in folded.nodes] == ["group:g", "b", "c"]


def test_open_groups_change_nothing() -> None:
    nodes, edges = graph("a:g b:g", "a>b")
    folded = fold(nodes, edges, ())
    assert (list(folded.nodes), list(folded.edges)) == (nodes, edges)
