"""The proper graph behind a layout: nodes and lane points in layers, joined only across one layer.

An edge that skips layers is led through one *lane point* per skipped layer. All edges of one source
share their lane points until they part, so a source has one trunk however many targets it has. Where more
long edges end in the target than leave the source, they share the target's lane instead: a report that
needs all nodes of a chain of 1,000 would else take half a million lane points. Failure edges have lanes of
their own, because they are drawn differently.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from studio.errors import DefinitionError
from studio.projections.layout.graph import FAILURE, Lane, LayoutEdge, LayoutNode
from studio.projections.layout.layering import assign_layers, topological_order

Link = tuple[int, int, bool]
"""Upper item, lower item, whether it carries failure edges."""


class Skeleton(msgspec.Struct):
    """Items are numbered: first the nodes in their given order, then the lane points.

    Args:
        nodes: the nodes as given.
        edges: the edges as given.
        layer: layer of every item.
        up: for every item its neighbours one layer above, one entry per link.
        down: the same below.
        links: for every layer the links to the next one, with the edges that use them.
        chains: for every edge the links it is made of, from its source to its target.
        lanes: names of the lane points; item ``len(nodes) + i`` is ``lanes[i]``.
        component: for every item the number of the connected part it belongs to.
    """

    nodes: Sequence[LayoutNode]
    edges: Sequence[LayoutEdge]
    layer: list[int]
    up: list[list[int]] = msgspec.field(default_factory=list)
    down: list[list[int]] = msgspec.field(default_factory=list)
    links: list[dict[Link, list[int]]] = msgspec.field(default_factory=list)
    chains: list[list[Link]] = msgspec.field(default_factory=list)
    lanes: list[Lane] = msgspec.field(default_factory=list)
    component: list[int] = msgspec.field(default_factory=list)

    @property
    def depth(self) -> int:
        """Number of layers."""
        return len(self.links)


def build_skeleton(
    nodes: Sequence[LayoutNode],
    edges: Sequence[LayoutEdge],
    old_layers: Sequence[int | None] | None = None,
) -> Skeleton:
    """Put nodes into layers and edges into lanes.

    Args:
        nodes: the nodes, ids unique.
        edges: the edges between them.
        old_layers: layer of every node in a previous layout, ``None`` for new nodes.

    Raises:
        DefinitionError: if an id occurs twice, an edge names an unknown node, or edges form a cycle.
    """
    number = {node.id: index for index, node in enumerate(nodes)}
    if len(number) < len(nodes):
        raise DefinitionError("the graph names a node twice")
    ends = [_ends(edge, number) for edge in edges]
    sources: list[list[int]] = [[] for _ in nodes]
    targets: list[list[int]] = [[] for _ in nodes]
    for source, target in dict.fromkeys(ends):
        sources[target].append(source)
        targets[source].append(target)
    order = topological_order(sources, targets, [node.id for node in nodes])
    layer = assign_layers(sources, targets, order, old_layers)
    skeleton = Skeleton(nodes, edges, layer)
    skeleton.links = [{} for _ in range(max(layer, default=-1) + 1)]
    _lead_edges(skeleton, ends)
    _connect(skeleton)
    _number_components(skeleton)
    return skeleton


def _ends(edge: LayoutEdge, number: dict[str, int]) -> tuple[int, int]:
    try:
        return number[edge.source], number[edge.target]
    except KeyError as error:
        raise DefinitionError(f"an edge names the unknown node {error.args[0]!r}") from None


def _lead_edges(skeleton: Skeleton, ends: Sequence[tuple[int, int]]) -> None:
    layer, links, lanes = skeleton.layer, skeleton.links, skeleton.lanes
    item_of: dict[Lane, int] = {}
    leaving, entering = _count_long(skeleton, ends)
    for index, (edge, (source, target)) in enumerate(zip(skeleton.edges, ends, strict=True)):
        failure = edge.kind == FAILURE
        incoming = entering[target, failure] > leaving[source, failure]
        common = edge.target if incoming else edge.source
        chain: list[Link] = []
        above = source
        for level in range(layer[source] + 1, layer[target]):
            lane = Lane(common, incoming, failure, level)
            item = item_of.get(lane)
            if item is None:
                item = item_of[lane] = len(layer)
                layer.append(level)
                lanes.append(lane)
            chain.append((above, item, failure))
            above = item
        chain.append((above, target, failure))
        for level, link in enumerate(chain, layer[source]):
            links[level].setdefault(link, []).append(index)
        skeleton.chains.append(chain)


def _count_long(
    skeleton: Skeleton, ends: Sequence[tuple[int, int]]
) -> tuple[Counter[tuple[int, bool]], Counter[tuple[int, bool]]]:
    """How many edges that skip layers leave and reach every node, failure edges apart."""
    leaving: Counter[tuple[int, bool]] = Counter()
    entering: Counter[tuple[int, bool]] = Counter()
    for edge, (source, target) in zip(skeleton.edges, ends, strict=True):
        if skeleton.layer[target] - skeleton.layer[source] > 1:
            failure = edge.kind == FAILURE
            leaving[source, failure] += 1
            entering[target, failure] += 1
    return leaving, entering


def _connect(skeleton: Skeleton) -> None:
    skeleton.up = [[] for _ in skeleton.layer]
    skeleton.down = [[] for _ in skeleton.layer]
    for links in skeleton.links:
        for above, below, _failure in links:
            skeleton.up[below].append(above)
            skeleton.down[above].append(below)


def _number_components(skeleton: Skeleton) -> None:
    component = [-1] * len(skeleton.layer)
    count = 0
    for start in range(len(skeleton.nodes)):
        if component[start] >= 0:
            continue
        component[start] = count
        reached = [start]
        for item in reached:
            for other in (*skeleton.up[item], *skeleton.down[item]):
                if component[other] < 0:
                    component[other] = count
                    reached.append(other)
        count += 1
    skeleton.component = component
