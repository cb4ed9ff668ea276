"""Layers: every edge points to a later layer, and edges are kept short."""

from __future__ import annotations

from collections.abc import Sequence

from studio.errors import DefinitionError

Adjacency = Sequence[Sequence[int]]

PULL_ROUNDS = 8
"""Rounds of pull-tight; real graphs settle in two or three, the bound only guards odd ones."""


def topological_order(sources: Adjacency, targets: Adjacency, names: Sequence[str]) -> list[int]:
    """Nodes in an order in which every source precedes its targets; input order breaks ties.

    Args:
        sources: for every node the nodes it depends on.
        targets: for every node the nodes that depend on it.
        names: for the message only.

    Raises:
        DefinitionError: if the edges form a cycle; the text names its members.
    """
    waiting = [len(before) for before in sources]
    order = [node for node, count in enumerate(waiting) if count == 0]
    for node in order:
        for target in targets[node]:
            waiting[target] -= 1
            if waiting[target] == 0:
                order.append(target)
    if len(order) < len(sources):
        raise DefinitionError(f"the graph has a cycle: {_cycle(waiting, sources, names)}")
    return order


def _cycle(waiting: Sequence[int], sources: Adjacency, names: Sequence[str]) -> str:
    node = next(index for index, count in enumerate(waiting) if count)
    seen: dict[int, int] = {}
    path: list[int] = []
    while node not in seen:
        seen[node] = len(path)
        path.append(node)
        node = next(before for before in sources[node] if waiting[before])
    members = [*path[seen[node] :], node]
    return " -> ".join(names[member] for member in reversed(members))


def assign_layers(
    sources: Adjacency,
    targets: Adjacency,
    order: Sequence[int],
    seed: Sequence[int | None] | None = None,
) -> list[int]:
    """The layer of every node, from 0, without empty layers.

    Fresh graphs get the longest path from the roots, then nodes with more edges behind than before
    them are pulled towards their targets ("pull-tight"), which shortens edges without adding layers.
    With a seed nodes stay in their old layer as long as their edges allow it.

    Args:
        sources: for every node the nodes it depends on.
        targets: for every node the nodes that depend on it.
        order: nodes in topological order.
        seed: old layer of every node, ``None`` for a new one.
    """
    layer = [0] * len(sources)
    for node in order:
        lowest = max((layer[before] + 1 for before in sources[node]), default=0)
        old = seed[node] if seed else None
        layer[node] = lowest if old is None else max(lowest, old)
    _pull_tight(layer, sources, targets, order, seed)
    _spread_isolated(layer, sources, targets, seed)
    return _without_gaps(layer)


def _pull_tight(
    layer: list[int],
    sources: Adjacency,
    targets: Adjacency,
    order: Sequence[int],
    seed: Sequence[int | None] | None,
) -> None:
    for _ in range(PULL_ROUNDS):
        moved = False
        for node in reversed(order):
            after = targets[node]
            # With as many edges on both sides a move gains nothing, and staying near the root reads better.
            if len(after) <= len(sources[node]) or (seed and seed[node] is not None):
                continue
            highest = min(layer[target] for target in after) - 1
            if highest > layer[node]:
                layer[node] = highest
                moved = True
        if not moved:
            return


def _spread_isolated(
    layer: list[int],
    sources: Adjacency,
    targets: Adjacency,
    seed: Sequence[int | None] | None,
) -> None:
    """Fold nodes without any edge into rows, instead of one row as long as their number."""
    alone = [
        node
        for node in range(len(layer))
        if not sources[node] and not targets[node] and not (seed and seed[node] is not None)
    ]
    if not alone:
        return
    # Nodes are about five times as wide as high, so rows of a third of the square root look square.
    rows = max(1, round((len(alone) * 3) ** 0.5 / 1.5)) if len(alone) > 4 else 1
    for index, node in enumerate(alone):
        layer[node] = index * rows // len(alone)


def _without_gaps(layer: list[int]) -> list[int]:
    number = {old: new for new, old in enumerate(sorted(set(layer)))}
    return [number[old] for old in layer]
