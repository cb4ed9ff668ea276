"""What goes into a layout and what comes out of it: plain values, no algorithm.

All lengths and positions are terminal cells. ``x`` grows to the right, ``y`` downwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

import msgspec

Direction = Literal["TB", "LR"]
"""``TB`` stacks the layers from top to bottom, ``LR`` from left to right."""

Style = Literal["box", "pill", "name", "dot", "mosaic"]
"""How much of a node is drawn: a framed box of three rows, one row of text, glyph and name, or the glyph alone, with
lines (dot) or without them (mosaic)."""

FAILURE = "failure"
"""The kind of edge that is taken when its source fails; drawn dashed and never merged with others."""


class Point(NamedTuple):
    """One cell of the drawing."""

    x: int
    y: int


class LayoutNode(msgspec.Struct, frozen=True):
    """A node to be placed.

    Args:
        id: unique name within the graph.
        width: cells the node needs from left to right when drawn as a box or pill.
        height: rows the node needs (3 for a box, 1 for a pill or dot).
        group: name of the group it belongs to, which :func:`fold` can close.
        least: cells for glyph and name alone; 0 for no less than ``width``.
    """

    id: str
    width: int
    height: int
    group: str | None = None
    least: int = 0


class LayoutEdge(msgspec.Struct, frozen=True):
    """A connection between two nodes; ``kind`` is ``success``, ``failure`` or ``any``."""

    source: str
    target: str
    kind: str = "success"


class Box(msgspec.Struct, frozen=True):
    """Where a node stands: its rectangle, its layer and its place within the layer, from 0."""

    id: str
    x: int
    y: int
    width: int
    height: int
    layer: int
    order: int

    def contains(self, x: int, y: int) -> bool:
        """Whether the cell (x, y) lies inside the rectangle."""
        return self.x <= x < self.x + self.width and self.y <= y < self.y + self.height


class Stretch(msgspec.Struct, frozen=True):
    """The part of one or several edges between two neighbouring layers.

    Edges of one source that reach beyond the next layer share their stretches until they part.

    Args:
        points: corners of the path, first and last cell included; every two follow one axis.
        edges: indices into :attr:`Layout.edges` of the edges that run here.
        failure: whether they are failure edges.
        head: whether the path ends in front of a node, with an arrow head on its last cell.
    """

    points: tuple[Point, ...]
    edges: tuple[int, ...]
    failure: bool
    head: bool


class Band(msgspec.Struct, frozen=True):
    """One layer and the channel behind it, with all stretches that are drawn inside.

    ``start`` and ``stop`` bound its rows (TB) or columns (LR); ``stop`` is exclusive.
    """

    start: int
    stop: int
    stretches: tuple[Stretch, ...]


class Lane(msgspec.Struct, frozen=True):
    """Where long edges pass a layer, bundled by the node they leave or reach.

    Args:
        node: the node they have in common.
        incoming: whether that node is their target.
        failure: whether they are failure edges.
        layer: the layer they pass.
    """

    node: str
    incoming: bool
    failure: bool
    layer: int


class Layout(msgspec.Struct, frozen=True):
    """A finished drawing, independent of the state of the nodes.

    Args:
        direction: how the layers follow each other.
        boxes: rectangle of every node, by id.
        edges: the edges as given, in order.
        paths: for every edge the (band, position in its band) of the stretches it is made of.
        bands: the stretches, layer by layer.
        width: columns of the whole drawing.
        height: rows of the whole drawing.
        crossings: pairs of lines that cross.
        layers: node ids, layer by layer, in their order across the layer.
        lanes: position across the layers of every line that passes a layer; seeds the next layout.
        starts: first row or column of every layer.
        lined: whether the edges are drawn.
    """

    direction: Direction
    boxes: Mapping[str, Box]
    edges: tuple[LayoutEdge, ...]
    paths: tuple[tuple[tuple[int, int], ...], ...]
    bands: tuple[Band, ...]
    width: int
    height: int
    crossings: int
    layers: tuple[tuple[str, ...], ...]
    lanes: Mapping[Lane, int]
    starts: tuple[int, ...]
    lined: bool = True

    def route(self, edge: int) -> tuple[Point, ...]:
        """The corners of one edge, from the cell beside its source to the cell beside its target.

        Args:
            edge: index into :attr:`edges`.
        """
        corners: list[Point] = []
        for band, position in self.paths[edge]:
            for point in self.bands[band].stretches[position].points:
                if len(corners) > 1 and _in_line(corners[-2], corners[-1], point):
                    corners.pop()
                corners.append(point)
        return tuple(corners)

    def at(self, x: int, y: int) -> str | None:
        """The id of the node drawn at a cell, if any; for the mouse.

        Cost: one look at every node of a layer that covers the cell.
        """
        along = y if self.direction == "TB" else x
        for index, band in enumerate(self.bands):
            if band.start <= along < band.stop:
                for node in self.layers[index]:
                    if self.boxes[node].contains(x, y):
                        return node
        return None


def _in_line(first: Point, middle: Point, last: Point) -> bool:
    return first.x == middle.x == last.x or first.y == middle.y == last.y
