"""Closing groups: all members of a group drawn as one node."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec

from studio.projections.layout.graph import LayoutEdge, LayoutNode


class Folded(msgspec.Struct, frozen=True):
    """A graph with some groups closed.

    Args:
        nodes: open nodes and one node per closed group, each where its first member stood.
        edges: the edges between them, without repetitions.
        home: for every original node the id of the node that shows it.
        edge_of: for every original edge the index into ``edges``, ``None`` inside a closed group.
        refused: groups that stay open, because a path leaves them and comes back: closed they would form a
            cycle.
    """

    nodes: tuple[LayoutNode, ...]
    edges: tuple[LayoutEdge, ...]
    home: Mapping[str, str]
    edge_of: tuple[int | None, ...]
    refused: tuple[str, ...]


def group_id(group: str) -> str:
    """The id of the node that stands for a closed group; no node of a workflow can have it."""
    return f"group:{group}"


def fold(
    nodes: Sequence[LayoutNode],
    edges: Sequence[LayoutEdge],
    closed: Collection[str],
    widths: Mapping[str, int] | None = None,
) -> Folded:
    """Close groups.

    Args:
        nodes: the nodes, with their groups.
        edges: the edges between them, without cycles.
        closed: names of the groups to close.
        widths: width of the node of each closed group, in cells; by default that of its widest member.
    """
    members: dict[str, list[LayoutNode]] = {}
    for node in nodes:
        if node.group is not None and node.group in closed:
            members.setdefault(node.group, []).append(node)
    home = {node.id: node.id for node in nodes}
    refused = []
    for group, inside in members.items():
        trial = home | {node.id: group_id(group) for node in inside}
        if _acyclic(edges, trial):
            home = trial
        else:
            refused.append(group)
    shown: dict[str, LayoutNode] = {}
    for node in nodes:
        where = home[node.id]
        if where == node.id:
            shown[where] = node
        elif where not in shown and node.group is not None:
            inside = members[node.group]
            width = (widths or {}).get(node.group, max(member.width for member in inside))
            height = max(member.height for member in inside)
            shown[where] = LayoutNode(where, width, height, node.group)
    kept: dict[LayoutEdge, int] = {}
    edge_of: list[int | None] = []
    for edge in edges:
        moved = LayoutEdge(home[edge.source], home[edge.target], edge.kind)
        inner = moved.source == moved.target
        edge_of.append(None if inner else kept.setdefault(moved, len(kept)))
    return Folded(tuple(shown.values()), tuple(kept), home, tuple(edge_of), tuple(refused))


def _acyclic(edges: Sequence[LayoutEdge], home: Mapping[str, str]) -> bool:
    after: dict[str, list[str]] = {}
    waiting = dict.fromkeys(home.values(), 0)
    for edge in edges:
        source, target = home[edge.source], home[edge.target]
        if source != target:
            after.setdefault(source, []).append(target)
            waiting[target] += 1
    free = [node for node, count in waiting.items() if count == 0]
    for node in free:
        for target in after.get(node, ()):
            waiting[target] -= 1
            if waiting[target] == 0:
                free.append(target)
    return len(free) == len(waiting)
