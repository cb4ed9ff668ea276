"""Which drawing to show: the most detailed one that fits the space."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from studio.projections.layout.arrangement import Sorted, place_graph, sort_graph
from studio.projections.layout.graph import Direction, Layout, LayoutEdge, LayoutNode, Style

HEIGHTS: dict[Style, int] = {"box": 3, "pill": 1, "dot": 1}

ROOMY_GAP = 3
"""Columns between neighbours when there is room; the design's drawings have them."""

TIGHT_GAP = 1
"""Columns between neighbours when the roomy drawing does not fit."""

SCROLLABLE = 3
"""Screens that a drawing with names may take in one direction before dots are drawn instead."""

BOX_COLUMNS, BOX_ROWS = 100, 30
"""Smallest viewport in which a drawing that has to be scrolled anyway is drawn with boxes."""


class Drawing(msgspec.Struct, frozen=True):
    """A chosen drawing.

    Args:
        direction: ``TB`` or ``LR``.
        style: box, pill or dot.
        layout: the finished layout.
        fits: whether all of it is visible in the viewport.
    """

    direction: Direction
    style: Style
    layout: Layout
    fits: bool


def sized(nodes: Sequence[LayoutNode], style: Style) -> list[LayoutNode]:
    """The same nodes with the size they have in a style; only boxes may be higher than their style's height.

    Args:
        nodes: nodes with the width of their boxes (see :func:`natural_width`).
        style: box, pill or dot.
    """
    if style == "dot":
        return [msgspec.structs.replace(node, width=1, height=1) for node in nodes]
    if style == "box":
        return [
            msgspec.structs.replace(node, height=max(HEIGHTS[style], node.height)) for node in nodes
        ]
    return [msgspec.structs.replace(node, height=HEIGHTS[style]) for node in nodes]


def choose(
    nodes: Sequence[LayoutNode],
    edges: Sequence[LayoutEdge],
    width: int,
    height: int,
    *,
    style: Style | None = None,
    direction: Direction | None = None,
    seed: Layout | None = None,
    deadline: Callable[[], bool] | None = None,
) -> Drawing:
    """Pick the most detailed drawing that fits a viewport.

    Boxes before pills before dots, left to right before top to bottom, roomy before tight. If names do
    not fit but need at most a few screens in one direction, they are kept and the drawing scrolls that
    way; dots that fit come next; else a top-down drawing that scrolls both ways.

    Args:
        nodes: nodes with the width of their boxes.
        edges: the edges between them.
        width: columns of the viewport.
        height: rows of the viewport.
        style: draw only in this style.
        direction: draw only in this direction.
        seed: a previous layout to stay close to.
        deadline: asked now and then; ``True`` ends the search for a better order.

    Raises:
        DefinitionError: if an id occurs twice, an edge names an unknown node, or edges form a cycle.
    """
    styles: list[Style] = [style] if style else ["box", "pill", "dot"]
    directions: list[Direction] = [direction] if direction else ["LR", "TB"]
    found = sort_graph(nodes, edges, seed=seed, deadline=deadline)
    draw = _Drawer(found, nodes, width, height, seed)
    for one in styles:
        for way in directions:
            if one != "dot" and (drawing := draw.fitting(one, way)):
                return drawing
    named = [one for one in styles if one != "dot"]
    for one in reversed(named):
        for way in reversed(directions):
            if drawing := draw.scrolling_one_way(one, way):
                return drawing
    for way in directions:
        if "dot" in styles and (drawing := draw.fitting("dot", way)):
            return drawing
    roomy = width >= BOX_COLUMNS and height >= BOX_ROWS
    last = (named[0] if roomy else named[-1]) if named else styles[-1]
    return draw.one(last, directions[-1], TIGHT_GAP if not roomy else ROOMY_GAP)


class _Drawer:
    def __init__(
        self,
        found: Sorted,
        nodes: Sequence[LayoutNode],
        width: int,
        height: int,
        seed: Layout | None,
    ) -> None:
        self._found = found
        self._sized: dict[Style, list[LayoutNode]] = {
            style: sized(nodes, style) for style in ("box", "pill", "dot")
        }
        self._width = width
        self._height = height
        self._seed = seed

    def fitting(self, style: Style, direction: Direction) -> Drawing | None:
        """The drawing in this style and direction, if it fits as a whole."""
        for gap in self._gaps(direction):
            if self._least(style, direction, gap, self._width, self._height):
                drawing = self.one(style, direction, gap)
                if drawing.fits:
                    return drawing
        return None

    def scrolling_one_way(self, style: Style, direction: Direction) -> Drawing | None:
        """The drawing, if it fits across and needs no more than a few screens along the edges."""
        width, height = self._width, self._height
        if direction == "TB":
            height *= SCROLLABLE
        else:
            width *= SCROLLABLE
        for gap in self._gaps(direction):
            if self._least(style, direction, gap, width, height):
                drawing = self.one(style, direction, gap)
                if drawing.layout.width <= width and drawing.layout.height <= height:
                    return drawing
        return None

    def one(self, style: Style, direction: Direction, gap: int) -> Drawing:
        """The drawing with these settings, whether it fits or not."""
        layout = place_graph(
            self._found,
            self._sized[style],
            direction=direction,
            gap=gap,
            limit=self._width if direction == "TB" else self._height,
            seed=self._seed,
        )
        fits = layout.width <= self._width and layout.height <= self._height
        return Drawing(direction, style, layout, fits)

    def _gaps(self, direction: Direction) -> Iterator[int]:
        yield from (ROOMY_GAP, TIGHT_GAP) if direction == "TB" else (1, 0)

    def _least(self, style: Style, direction: Direction, gap: int, width: int, height: int) -> bool:
        """Whether the drawing can fit at all, by a bound that costs nothing compared with drawing it."""
        nodes = self._sized[style]
        order = self._found.order
        upright = direction == "TB"
        along = 0
        across = 0
        for layer in order:
            real = [nodes[item] for item in layer if item < len(nodes)]
            along += max((node.height if upright else node.width for node in real), default=1)
            breadth = sum(node.width if upright else node.height for node in real)
            across = max(across, breadth + gap * (len(real) - 1))
        along += (len(order) - 1) * (1 if upright else 2)
        return (
            (across <= width and along <= height)
            if upright
            else (along <= width and across <= height)
        )
