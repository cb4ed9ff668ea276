"""Which drawing to show: the one that shows most in the space there is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from studio.projections.layout.arrangement import Sorted, least_size, place_graph, sort_graph
from studio.projections.layout.graph import Direction, Layout, LayoutEdge, LayoutNode, Style
from studio.projections.layout.mosaic import lay_mosaic

HEIGHTS: dict[Style, int] = {"box": 3, "pill": 1, "name": 1, "dot": 1, "mosaic": 1}

NAMED: tuple[Style, ...] = ("box", "pill", "name")
"""Styles in which nodes can be read, the most detailed first."""

ROOMY_GAP = 3
"""Columns between neighbours when there is room; the design's drawings have them."""

TIGHT_GAP = 1
"""Columns between neighbours when the roomy drawing does not fit."""

SCROLLABLE = 3
"""Screens that a drawing in a wished style may take in one direction before it scrolls both ways."""

ENOUGH = 0.6
"""Part of a drawing that has to be visible at once for it to be preferred to a less detailed one that fits whole."""

NEARLY_ALL = 0.8
"""Part of a drawing of dots that has to be visible at once for it to be preferred to a mosaic."""

BREADTH = 4
"""Nodes of a layer, on average, from which a mosaic shows a graph better than its names one below the other."""

NAME_CAPS = (0, 15, 13)
"""Cells of a node drawn as its name, at most, tried in turn, 0 for no bound: long names lose letters before some nodes are out of sight."""

TALL = 4
"""Rows of a box whose figures stand below its name, where one beside the other has no room."""

FORMS: dict[Style, tuple[int, ...]] = {"box": (0, TALL), "name": NAME_CAPS}
"""Forms of a style, the best first: rows of a box, cells of a name; 0 for as large as it wants to be."""

ROOMY = 1.05
"""How much more has to be visible of a tight drawing for it to be preferred to a roomy one."""

EVEN = 12
"""Cells by which boxes may differ to be drawn alike where there is room."""

BOX_COLUMNS, BOX_ROWS = 100, 30
"""Smallest viewport in which a drawing that has to be scrolled anyway is drawn with boxes."""


class Drawing(msgspec.Struct, frozen=True):
    """A chosen drawing.

    Args:
        direction: ``TB`` or ``LR``.
        style: box, pill, name, dot or mosaic.
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
        style: how much of a node is drawn.
    """
    if style in ("dot", "mosaic"):
        return [msgspec.structs.replace(node, width=1, height=1) for node in nodes]
    if style == "box":
        return [
            msgspec.structs.replace(node, height=max(HEIGHTS[style], node.height)) for node in nodes
        ]
    if style == "name":
        return [
            msgspec.structs.replace(node, width=node.least or node.width, height=1)
            for node in nodes
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
    ascii: bool = False,
) -> Drawing:
    """Pick the drawing that shows most in a viewport: all nodes first, then their names, then figures and frames.

    Boxes before pills before names, left to right before top to bottom, roomy before tight, as soon as one fits.
    If none does, the one with names of which most is visible, if that is enough; then dots, if they fit or nearly
    do; then a mosaic where layers are broad, else names that scroll.

    Args:
        nodes: nodes with the width of their boxes.
        edges: the edges between them.
        width: columns of the viewport.
        height: rows of the viewport.
        style: draw only in this style.
        direction: draw only in this direction.
        seed: a previous layout to stay close to.
        deadline: asked now and then; ``True`` ends the search for a better order.
        ascii: it will be drawn with ASCII characters only; ``+`` and ``>`` are states and pieces of lines, so dots
            among lines could not be told from them and are left out.

    Raises:
        DefinitionError: if an id occurs twice, an edge names an unknown node, or edges form a cycle.
    """
    directions: list[Direction] = [direction] if direction else ["LR", "TB"]
    found = sort_graph(nodes, edges, seed=seed, deadline=deadline)
    draw = _Drawer(found, nodes, width, height, seed)
    if style is not None:
        return draw.wished(style, directions)
    for one in NAMED:
        for form in FORMS.get(one, (0,)):
            for way in directions:
                if drawing := draw.fitting(one, way, form):
                    return drawing
    named = draw.most_visible(NAMED, directions, ENOUGH)
    if named is not None:
        return named
    if not ascii and (dots := draw.dots(directions)):
        return dots
    if len(nodes) >= BREADTH * len(found.order):
        return draw.mosaic()
    return draw.most_visible(("pill", "name"), directions) or draw.wished("pill", directions)


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
        self._nodes = nodes
        self._sized: dict[Style, list[LayoutNode]] = {
            style: sized(nodes, style) for style in (*NAMED, "dot")
        }
        boxes = self._sized["box"]
        widths = [node.width for node in boxes]
        self._even: list[LayoutNode] = []
        if widths and max(widths) - min(widths) <= EVEN:
            self._even = [msgspec.structs.replace(node, width=max(widths)) for node in boxes]
        self._width = width
        self._height = height
        self._seed = seed
        self._placed: dict[tuple[object, ...], Layout] = {}

    def _in_form(self, style: Style, direction: Direction, form: int) -> list[LayoutNode]:
        """The nodes in one form of a style."""
        if not form:
            return self._sized[style]
        if style == "name":
            return self._capped(direction, form)
        return [
            node
            if node.height > 3 or not node.least
            else msgspec.structs.replace(node, width=node.least, height=form)
            for node in self._sized[style]
        ]

    def _capped(self, direction: Direction, cap: int) -> list[LayoutNode]:
        """The nodes as names of a bounded width; side by side only those of layers that are too wide."""
        nodes = list(self._sized["name"])
        for layer in self._found.order:
            real = [item for item in layer if item < len(nodes)]
            breadth = sum(nodes[item].width + TIGHT_GAP for item in real) - TIGHT_GAP
            if direction == "LR" or breadth > self._width:
                for item in real:
                    nodes[item] = msgspec.structs.replace(
                        nodes[item], width=min(nodes[item].width, cap)
                    )
        return nodes

    def wished(self, style: Style, directions: Sequence[Direction]) -> Drawing:
        """The drawing in one style that fits, or else scrolls one way, or else both ways."""
        if style == "mosaic":
            return self.mosaic()
        for way in directions:
            if drawing := self.fitting(style, way):
                return drawing
        for way in reversed(directions):
            if drawing := self.scrolling_one_way(style, way):
                return drawing
        roomy = self._width >= BOX_COLUMNS and self._height >= BOX_ROWS
        return self.one(style, directions[-1], ROOMY_GAP if roomy else TIGHT_GAP)

    def mosaic(self) -> Drawing:
        """All nodes in rows, without lines."""
        layout = lay_mosaic(self._found, self._nodes, self._width, self._height)
        return Drawing("TB", "mosaic", layout, self._fits(layout))

    def fitting(self, style: Style, direction: Direction, form: int = 0) -> Drawing | None:
        """The drawing in this style and direction, if it fits as a whole; boxes alike where there is room for that.

        Args:
            style: how much of a node is drawn.
            direction: where edges lead.
            form: one of `FORMS`.
        """
        tries = [self._in_form(style, direction, form)]
        if style == "box" and direction == "TB" and self._even and not form:
            tries.insert(0, self._even)
        for nodes in tries:
            for gap in self._gaps(direction):
                least_width, least_height = least_size(self._found, nodes, direction, gap)
                if least_width <= self._width and least_height <= self._height:
                    drawing = self.one(style, direction, gap, nodes)
                    if drawing.fits:
                        return drawing
                    if self._fits_across(drawing):
                        break
        return None

    def dots(self, directions: Sequence[Direction]) -> Drawing | None:
        """The drawing of dots that fits, or nearly does."""
        fitting = (self.fitting("dot", way) for way in directions)
        found = next((drawing for drawing in fitting if drawing is not None), None)
        return found or self.most_visible(("dot",), directions, NEARLY_ALL)

    def most_visible(
        self, styles: Sequence[Style], directions: Sequence[Direction], least: float = 0.0
    ) -> Drawing | None:
        """Of the drawings that scroll one way only, the one of which most is visible at once.

        Args:
            styles: those to try; of two that show as much the earlier is taken.
            directions: those to try.
            least: part of the drawing that has to be visible.
        """
        best: Drawing | None = None
        for style in styles:
            for way in directions:
                for gap in self._gaps(way):
                    bar = least * (ROOMY if gap == min(self._gaps(way)) else 1.0)
                    if self._share(*least_size(self._found, self._sized[style], way, gap)) <= bar:
                        continue
                    drawing = self.one(style, way, gap)
                    share = self._share(drawing.layout.width, drawing.layout.height)
                    if share > bar:
                        best, least = drawing, share
                    if self._fits_across(drawing):
                        break
        return best

    def _share(self, width: int, height: int) -> float:
        """The part of a drawing that is visible at once; none where it would scroll both ways."""
        if width > self._width and height > self._height:
            return 0.0
        return min(1.0, self._width / max(1, width)) * min(1.0, self._height / max(1, height))

    def scrolling_one_way(self, style: Style, direction: Direction) -> Drawing | None:
        """The drawing, if it fits across and needs no more than a few screens along the edges."""
        width, height = self._width, self._height
        if direction == "TB":
            height *= SCROLLABLE
        else:
            width *= SCROLLABLE
        for gap in self._gaps(direction):
            least_width, least_height = least_size(self._found, self._sized[style], direction, gap)
            if least_width <= width and least_height <= height:
                drawing = self.one(style, direction, gap)
                if drawing.layout.width <= width and drawing.layout.height <= height:
                    return drawing
        return None

    def one(
        self,
        style: Style,
        direction: Direction,
        gap: int,
        nodes: Sequence[LayoutNode] | None = None,
    ) -> Drawing:
        """The drawing with these settings, whether it fits or not; ``nodes`` are of other sizes than the style's."""
        nodes = nodes or self._sized[style]
        # Names often have the same sizes in all their forms.
        key = (direction, gap, *((node.width, node.height) for node in nodes))
        layout = self._placed.get(key)
        if layout is None:
            layout = self._placed[key] = place_graph(
                self._found,
                nodes,
                direction=direction,
                gap=gap,
                limit=self._width if direction == "TB" else self._height,
                seed=self._seed,
            )
        return Drawing(direction, style, layout, self._fits(layout))

    def _fits(self, layout: Layout) -> bool:
        return layout.width <= self._width and layout.height <= self._height

    def _fits_across(self, drawing: Drawing) -> bool:
        """Whether a narrower gap would gain nothing: it brings neighbours closer, and layers no closer."""
        if drawing.direction == "TB":
            return drawing.layout.width <= self._width
        return drawing.layout.height <= self._height

    def _gaps(self, direction: Direction) -> Iterator[int]:
        yield from (ROOMY_GAP, TIGHT_GAP) if direction == "TB" else (1, 0)
