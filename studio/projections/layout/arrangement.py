"""From a graph to a finished layout: layers, order, positions, tracks, rectangles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from operator import and_

import msgspec

from studio.projections.layout.channels import route_channel
from studio.projections.layout.coordinates import Extent, assign_positions
from studio.projections.layout.graph import (
    Band,
    Box,
    Direction,
    Lane,
    Layout,
    LayoutEdge,
    LayoutNode,
    Point,
    Stretch,
)
from studio.projections.layout.ordering import Order, order_layers
from studio.projections.layout.skeleton import Link, Skeleton, build_skeleton

SLACK = 2
"""Rows a channel may keep beyond its need when a layout is seeded, so that what follows does not move."""


class Sorted(msgspec.Struct, frozen=True):
    """A graph in layers and in order: all that does not depend on sizes, direction or viewport.

    Args:
        skeleton: layers, lanes and links.
        order: the items of every layer, in order.
        crossings: crossings of links in that order.
        bends: tracks that the lines between all layers need at least, one where anything forks or joins.
    """

    skeleton: Skeleton
    order: Order
    crossings: int
    bends: int


def sort_graph(
    nodes: Sequence[LayoutNode],
    edges: Sequence[LayoutEdge],
    *,
    seed: Layout | None = None,
    rounds: int | None = None,
    deadline: Callable[[], bool] | None = None,
) -> Sorted:
    """Find layers and order; the costly half of a layout, to be shared by several drawings.

    Args:
        nodes: the nodes; their sizes do not matter here.
        edges: the edges between them.
        seed: a previous layout whose layers and order are kept as far as the edges allow.
        rounds: bound of the search for few crossings; by default chosen by size.
        deadline: asked now and then; ``True`` ends the search with the best order so far.

    Raises:
        DefinitionError: if an id occurs twice, an edge names an unknown node, or edges form a cycle.
    """
    old_layers = _old_layers(nodes, seed) if seed else None
    skeleton = build_skeleton(nodes, edges, old_layers)
    places = _old_positions(skeleton, seed) if seed else None
    order, crossings = order_layers(skeleton, old_places=places, rounds=rounds, deadline=deadline)
    return Sorted(skeleton, order, crossings, _bends(skeleton, order))


def _bends(skeleton: Skeleton, order: Order) -> int:
    up, down = skeleton.up, skeleton.down
    # Sets: lines of both outcomes of a node may lead straight down to the same target.
    return sum(
        any(len(set(down[item])) > 1 for item in above)
        or any(len(set(up[item])) > 1 for item in below)
        for above, below in pairwise(order)
    )


def arrange(
    nodes: Sequence[LayoutNode],
    edges: Sequence[LayoutEdge],
    *,
    direction: Direction = "TB",
    gap: int | None = None,
    limit: int | None = None,
    seed: Layout | None = None,
    rounds: int | None = None,
    deadline: Callable[[], bool] | None = None,
) -> Layout:
    """Draw a graph: the same input gives the same layout.

    Args:
        nodes: the nodes with their sizes in cells.
        edges: the edges between them; they must not form a cycle.
        direction: ``TB`` or ``LR``.
        gap: free cells between neighbours of one layer; by default 3 columns (TB) or 1 row (LR).
        limit: columns (TB) or rows (LR) to keep within if the widest layer leaves room for that.
        seed: a previous layout to stay close to, after an edit.
        rounds: bound of the search for few crossings; by default chosen by size.
        deadline: asked now and then; ``True`` ends the search with the best order so far.

    Raises:
        DefinitionError: if an id occurs twice, an edge names an unknown node, or edges form a cycle.
    """
    found = sort_graph(nodes, edges, seed=seed, rounds=rounds, deadline=deadline)
    return place_graph(found, nodes, direction=direction, gap=gap, limit=limit, seed=seed)


def place_graph(
    found: Sorted,
    nodes: Sequence[LayoutNode],
    *,
    direction: Direction = "TB",
    gap: int | None = None,
    limit: int | None = None,
    seed: Layout | None = None,
) -> Layout:
    """Give a sorted graph its positions.

    Args:
        found: layers and order.
        nodes: the nodes in the order they were sorted in, with the sizes to use.
        direction: ``TB`` or ``LR``.
        gap: as for :func:`arrange`.
        limit: as for :func:`arrange`.
        seed: as for :func:`arrange`; positions are kept only if its direction is the same and it has lines.
    """
    if seed is not None and (seed.direction != direction or not seed.lined):
        seed = None
    return _Placing(found, nodes, direction, gap, limit, seed).layout()


def least_size(
    found: Sorted, nodes: Sequence[LayoutNode], direction: Direction, gap: int
) -> tuple[int, int]:
    """Columns and rows that :func:`place_graph` takes at least: a bound that costs nothing compared with placing.

    Args:
        found, nodes, direction, gap: as for :func:`place_graph`.
    """
    upright = direction == "TB"
    sizes = [(node.width, node.height) for node in nodes]
    narrow = min(gap, 1)
    along = found.bends + max(0, len(found.order) - 1) * _step(direction)
    across = 0
    for layer in found.order:
        real = [sizes[item] for item in layer if item < len(sizes)]
        along += max((size[1] if upright else size[0] for size in real), default=1)
        breadth = sum(size[0] if upright else size[1] for size in real) + len(layer) - len(real)
        is_node = [item < len(sizes) for item in layer]
        wide = sum(map(and_, is_node, is_node[1:]))
        across = max(across, breadth + gap * wide + narrow * (len(layer) - 1 - wide))
    return (across, along) if upright else (along, across)


def _step(direction: Direction) -> int:
    """Rows or columns between two layers beside the tracks: a cell for arrow heads, in LR one to step out."""
    return 1 if direction == "TB" else 2


def _old_layers(nodes: Sequence[LayoutNode], seed: Layout) -> list[int | None]:
    boxes = seed.boxes
    return [boxes[node.id].layer if node.id in boxes else None for node in nodes]


def _old_positions(skeleton: Skeleton, seed: Layout) -> list[int | None]:
    """Positions across the layers in a previous layout, where an item is still in its old layer."""
    old: list[int | None] = []
    upright = seed.direction == "TB"
    for item, node in enumerate(skeleton.nodes):
        box = seed.boxes.get(node.id)
        if box is None or box.layer != skeleton.layer[item]:
            old.append(None)
        elif not seed.lined:
            # Rows of a mosaic start anew within a layer: only the order says who stands beside whom.
            old.append(2 * box.order)
        elif upright:
            old.append(box.x + (box.width - 1) // 2)
        else:
            old.append(box.y + (box.height - 1) // 2)
    old.extend(seed.lanes.get(lane) for lane in skeleton.lanes)
    return old


class _Placing:
    """One run of placing; "along" is the direction of the edges, "across" that of the layers."""

    def __init__(
        self,
        found: Sorted,
        nodes: Sequence[LayoutNode],
        direction: Direction,
        gap: int | None,
        limit: int | None,
        seed: Layout | None,
    ) -> None:
        self._found = found
        self._skeleton = found.skeleton
        self._nodes = nodes
        self._upright = direction == "TB"
        self._direction: Direction = direction
        across = [node.width if self._upright else node.height for node in nodes]
        extents = [Extent((size - 1) // 2, size // 2) for size in across]
        extents += [Extent(0, 0)] * len(self._skeleton.lanes)
        self._extents = extents
        self._seed = seed
        if gap is None:
            gap = 3 if self._upright else 1
        old = _old_positions(self._skeleton, seed) if seed else None
        self._place = assign_positions(
            self._skeleton, found.order, extents, gap, old=old, limit=limit
        )
        self._channels = [route_channel(links, self._place) for links in self._skeleton.links]
        self._shift_right()
        self._along = [node.height if self._upright else node.width for node in nodes]
        self._thick = [
            max((self._along[item] for item in layer if item < len(nodes)), default=1)
            for layer in found.order
        ]
        if not self._upright:
            self._even_columns()
        self._starts = self._stack_layers()

    def _even_columns(self) -> None:
        """Side by side in columns, all nodes of a layer are as wide as its widest."""
        for level, layer in enumerate(self._found.order):
            for item in layer:
                if item < len(self._along):
                    self._along[item] = self._thick[level]

    def _shift_right(self) -> None:
        """Make room for lines that had to leave the drawing on its first side."""
        first = min((channel.first for channel in self._channels), default=0)
        if first >= 0:
            return
        self._place = [place - first for place in self._place]
        self._channels = [channel.moved(-first) for channel in self._channels]

    def _stack_layers(self) -> list[int]:
        starts: list[int] = []
        start = 0
        old = self._seed.starts if self._seed else ()
        for level, channel in enumerate(self._channels):
            starts.append(start)
            start += self._thick[level] + channel.tracks + _step(self._direction)
            if level + 1 < len(old):
                start = max(start, min(old[level + 1], start + SLACK))
        return starts

    def layout(self) -> Layout:
        """The finished drawing."""
        boxes = self._boxes()
        bands, spot_of = self._bands()
        paths = tuple(tuple(spot_of[link] for link in chain) for chain in self._skeleton.chains)
        along = self._starts[-1] + self._thick[-1] if self._starts else 0
        across = max(
            (self._place[item] + self._extents[item].after + 1 for item in range(len(self._place))),
            default=0,
        )
        across = max([across, *(channel.last + 1 for channel in self._channels)])
        width, height = (across, along) if self._upright else (along, across)
        nodes = len(self._nodes)
        return Layout(
            direction=self._direction,
            boxes=boxes,
            edges=tuple(self._skeleton.edges),
            paths=paths,
            bands=bands,
            width=width,
            height=height,
            crossings=self._found.crossings,
            layers=tuple(
                tuple(self._nodes[item].id for item in layer if item < nodes)
                for layer in self._found.order
            ),
            lanes=self._lanes(),
            starts=tuple(self._starts),
        )

    def _boxes(self) -> dict[str, Box]:
        boxes: dict[str, Box] = {}
        nodes = self._nodes
        for level, layer in enumerate(self._found.order):
            along = self._starts[level]
            for order, item in enumerate([item for item in layer if item < len(nodes)]):
                node = nodes[item]
                across = self._place[item] - self._extents[item].before
                x, y = (across, along) if self._upright else (along, across)
                width = node.width if self._upright else self._along[item]
                boxes[node.id] = Box(node.id, x, y, width, node.height, level, order)
        return boxes

    def _lanes(self) -> dict[Lane, int]:
        first = len(self._nodes)
        return {lane: self._place[first + i] for i, lane in enumerate(self._skeleton.lanes)}

    def _bands(self) -> tuple[tuple[Band, ...], dict[Link, tuple[int, int]]]:
        bands: list[Band] = []
        spot_of: dict[Link, tuple[int, int]] = {}
        for level, links in enumerate(self._skeleton.links):
            start = self._starts[level]
            last = level + 1 == len(self._starts)
            stop = start + self._thick[level] if last else self._starts[level + 1]
            stretches: list[Stretch] = []
            for link, edges in links.items():
                spot_of[link] = (level, len(stretches))
                stretches.append(self._stretch(level, link, edges, start, stop))
            bands.append(Band(start, stop, tuple(stretches)))
        return tuple(bands), spot_of

    def _stretch(
        self, level: int, link: Link, edges: Sequence[int], start: int, stop: int
    ) -> Stretch:
        above, below, failure = link
        nodes = len(self._nodes)
        begin = start + self._along[above] if above < nodes else start
        tracks = start + self._thick[level] + (0 if self._upright else 1)
        corners = [(self._place[above], begin)]
        corners += [(across, tracks + track) for across, track in self._channels[level].paths[link]]
        corners.append((self._place[below], stop - 1))
        points: list[Point] = []
        for across, along in corners:
            point = Point(across, along) if self._upright else Point(along, across)
            if not points or points[-1] != point:
                points.append(point)
        return Stretch(tuple(points), tuple(edges), failure, below < nodes)
