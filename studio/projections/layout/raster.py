"""A layout as rows of styled text, drawn only where someone looks.

Lines are painted band by band into bytes of line bits when a row of the band is first asked for, and
turned into glyphs by one table look-up per cell. What nodes show is looked up at the moment of drawing,
so that a change of state needs neither layout nor notice: drawing a row again shows it.
"""

from __future__ import annotations

from bisect import bisect_right
from codecs import charmap_decode
from collections.abc import Iterable, Mapping
from re import compile as compile_pattern

import msgspec

from studio.projections.layout.boxes import Joint, NodeCell, Segment, draw_node
from studio.projections.layout.celltext import cell_width, cut
from studio.projections.layout.glyphs import EAST, SOUTH, line_table
from studio.projections.layout.graph import Box, Layout
from studio.projections.layout.painting import STYLES, Canvas, Look, paint_band

_RUNS = compile_pattern(rb"(?s)(.)\1*")

KEPT_CANVASES = 128
"""Painted bands kept; more than any window shows, and little memory for the largest drawings."""

Rows = tuple[tuple[Segment, ...], ...]


class Raster:
    """Draws one layout, any window of it, any number of times.

    Args:
        layout: where everything stands.
        cells: what every node shows; read at each drawing, so the owner may change it in place.
        ascii: draw with ASCII characters only.
    """

    def __init__(
        self, layout: Layout, cells: Mapping[str, NodeCell], *, ascii: bool = False
    ) -> None:
        self.layout = layout
        self.cells = cells
        self.width = layout.width
        self.height = layout.height
        self._ascii = ascii
        self._upright = layout.direction == "TB"
        plain = line_table(layout.direction, ascii=ascii)
        dashed = line_table(layout.direction, dashed=True, ascii=ascii)
        self._tables = [dashed if "failure" in style else plain for style in STYLES]
        self._canvases: dict[int, Canvas] = {}
        self._starts = [band.start for band in layout.bands]
        self._dead: frozenset[int] = frozenset()
        self._selected: str | None = None
        self._chosen: frozenset[int] = frozenset()
        self._near: frozenset[str] = frozenset()
        self._drawn: dict[str, tuple[NodeCell, str, Rows]] = {}
        self._rows: dict[int, tuple[list[int], list[Box]]] = {}
        for box in sorted(layout.boxes.values(), key=lambda box: box.x):
            for y in range(box.y, box.y + box.height):
                xs, boxes = self._rows.setdefault(y, ([], []))
                xs.append(box.x)
                boxes.append(box)
        self._sources = {edge.source for edge in layout.edges}

    def select(self, node: str | None) -> None:
        """Draw the edges of this node bold, and its frame heavy; without lines, its neighbours underlined.

        Args:
            node: id of the node, ``None`` for no selection.
        """
        chosen = frozenset(
            index
            for index, edge in enumerate(self.layout.edges)
            if node is not None and node in (edge.source, edge.target)
        )
        self._forget(self._chosen | chosen)
        self._chosen = chosen
        self._selected = node
        if not self.layout.lined:
            edges = self.layout.edges
            ends = {end for i in chosen for end in (edges[i].source, edges[i].target)}
            self._near = frozenset(ends - {node})

    def set_dead(self, edges: Iterable[int]) -> None:
        """Tell which edges will not be taken; they are drawn dim.

        Args:
            edges: indices into ``layout.edges``.
        """
        dead = frozenset(edges)
        self._forget(self._dead ^ dead)
        self._dead = dead

    def _forget(self, edges: Iterable[int]) -> None:
        for edge in edges:
            for band, _position in self.layout.paths[edge]:
                self._canvases.pop(band, None)

    def region(self, node: str) -> tuple[int, int, int, int]:
        """The cells (x, y, width, height) to draw again after a change of one node."""
        box = self.layout.boxes[node]
        return box.x, box.y, box.width, box.height

    def render(self, x: int, y: int, width: int, height: int) -> list[list[Segment]]:
        """A window of the drawing, row by row.

        Args:
            x: first column, may lie outside the drawing.
            y: first row, may lie outside the drawing.
            width: columns of the window.
            height: rows of the window.
        """
        return [self.render_row(row, x, x + width) for row in range(y, y + height)]

    def render_row(self, y: int, x0: int, x1: int) -> list[Segment]:
        """One row from column ``x0`` up to, not including, ``x1``; exactly that many cells.

        The cost depends on what is visible in the row, not on the size of the drawing.
        """
        if x1 <= x0:
            return []
        if not self.layout.lined:
            return self._glyphs(y, x0, x1)
        segments: list[Segment] = []
        at = x0
        for box in self._boxes_in(y, x0, x1):
            if box.x > at:
                self._lines(segments, y, at, box.x)
            start, stop = max(x0, box.x), min(x1, box.x + box.width)
            row = self._node_rows(box)[y - box.y]
            if not self._upright and box.height == 1 < box.width and box.id != self._selected:
                row = self._reached(box, row)
            _add_cut(segments, row, start - box.x, stop - box.x)
            at = stop
        if at < x1:
            self._lines(segments, y, at, x1)
        return segments

    def _glyphs(self, y: int, x0: int, x1: int) -> list[Segment]:
        """A row of a mosaic; glyphs of one look are one segment with the blanks between them, which draws faster."""
        texts: list[str] = []
        segments: list[Segment] = []
        look = "edge"
        at = x0
        for box in self._boxes_in(y, x0, x1):
            ((glyph, style),) = self._node_rows(box)[0]
            gap = " " * (box.x - at)
            at = box.x + 1
            if style == look and not style.endswith((".near", ".cursor")):
                texts += (gap, glyph)
                continue
            if texts:
                segments.append(Segment("".join(texts), look))
            if gap:
                segments.append(Segment(gap, "edge"))
            look, texts = style, [glyph]
        if texts:
            segments.append(Segment("".join(texts), look))
        if at < x1:
            segments.append(Segment(" " * (x1 - at), "edge"))
        return segments

    def _boxes_in(self, y: int, x0: int, x1: int) -> list[Box]:
        found = self._rows.get(y)
        if found is None:
            return []
        xs, boxes = found
        first = bisect_right(xs, x0)
        if first and boxes[first - 1].x + boxes[first - 1].width > x0:
            first -= 1
        return boxes[first : bisect_right(xs, x1 - 1)]

    def _node_rows(self, box: Box) -> Rows:
        try:
            cell = self.cells[box.id]
        except KeyError:
            cell = NodeCell(box.id, "○", box.id)
        heavy = self._selected == box.id
        look = "selected" if heavy else "near" if box.id in self._near else ""
        drawn = self._drawn.get(box.id)
        if drawn is not None and drawn[0] is cell and drawn[1] == look:
            return drawn[2]
        shown = cell
        if heavy and not cell.selected:
            shown = msgspec.structs.replace(cell, selected=True)
        joint = self._joint(box, heavy) if box.id in self._sources else None
        rows = draw_node(
            shown, box.width, box.height, joint, centred=self._upright, ascii=self._ascii
        )
        if look == "near":
            rows = tuple(
                tuple(Segment(text, f"{style}.near") for text, style in row) for row in rows
            )
        self._drawn[box.id] = (cell, look, rows)
        return rows

    def _reached(self, box: Box, row: tuple[Segment, ...]) -> tuple[Segment, ...]:
        """The row of a pill with its line drawn on up to its text: in a column, the pills are as wide as the widest."""
        if box.id not in self._sources or len(row) != 3 or row[-1].text.strip():
            return row
        *before, body, _end = row
        text = body.text.rstrip()
        missing = cell_width(body.text) - cell_width(text)
        line: list[Segment] = []
        self._lines(line, box.y, box.x + box.width, box.x + box.width + 1)
        if not missing or not line[0].text.strip():
            return row
        look = line[0]._replace(text=line[0].text * missing)
        return (*before, body._replace(text=f"{text} "), look)

    def _joint(self, box: Box, heavy: bool) -> Joint | None:
        if box.height < 3 or box.width < 3:
            return None
        shift = 4 if heavy else 0
        if self._upright:
            return Joint(box.height - 1, (box.width - 1) // 2, SOUTH << shift)
        return Joint((box.height - 1) // 2, box.width - 1, EAST << shift)

    def _lines(self, segments: list[Segment], y: int, x0: int, x1: int) -> None:
        """Append the lines and blanks of a stretch of one row that no node covers."""
        if self._upright:
            index = bisect_right(self._starts, y) - 1
            self._band_lines(segments, index, y, x0, x1)
            return
        index = max(0, bisect_right(self._starts, x0) - 1)
        at = x0
        while at < x1:
            stop = x1
            if index + 1 < len(self._starts):
                stop = min(x1, max(at, self._starts[index + 1]))
            if stop > at:
                self._band_lines(segments, index, y, at, stop)
            at = stop
            index += 1

    def _band_lines(self, segments: list[Segment], index: int, y: int, x0: int, x1: int) -> None:
        canvas = self._canvas(index) if 0 <= index < len(self._starts) else None
        if canvas is None or not canvas.top <= y < canvas.top + canvas.height:
            _add(segments, " " * (x1 - x0), 0)
            return
        left, right = max(x0, canvas.left), min(x1, canvas.left + canvas.width)
        if right <= left:
            _add(segments, " " * (x1 - x0), 0)
            return
        base = (y - canvas.top) * canvas.width - canvas.left
        bits, looks = (
            canvas.bits[base + left : base + right],
            canvas.looks[base + left : base + right],
        )
        if left > x0:
            _add(segments, " " * (left - x0), 0)
        for match in _RUNS.finditer(looks):
            look = looks[match.start()]
            part = bits[match.start() : match.end()]
            _add(segments, charmap_decode(part, "strict", self._tables[look])[0], look)
        if right < x1:
            _add(segments, " " * (x1 - right), 0)

    def _canvas(self, index: int) -> Canvas:
        canvas = self._canvases.get(index)
        if canvas is None:
            if len(self._canvases) >= KEPT_CANVASES:
                del self._canvases[next(iter(self._canvases))]
            canvas = paint_band(self.layout, index, self._look)
            self._canvases[index] = canvas
        return canvas

    def _look(self, edges: tuple[int, ...], failure: bool) -> int:
        if self._chosen and not self._chosen.isdisjoint(edges):
            return Look.SELECTED_FAILURE if failure else Look.SELECTED
        if self._dead and self._dead.issuperset(edges):
            return Look.DEAD_FAILURE if failure else Look.DEAD
        return Look.FAILURE if failure else Look.PLAIN


def _add(segments: list[Segment], text: str, look: int) -> None:
    """Append a piece of lines; blanks (look 0) join their neighbour, since fewer segments draw faster."""
    if segments:
        last = segments[-1]
        if last.style.startswith("edge") and (look == 0 or last.style == STYLES[look]):
            segments[-1] = Segment(last.text + text, last.style)
            return
        if look and last.style == "edge" and not last.text.strip():
            segments[-1] = Segment(last.text + text, STYLES[look])
            return
    segments.append(Segment(text, STYLES[look]))


def _add_cut(segments: list[Segment], row: tuple[Segment, ...], start: int, stop: int) -> None:
    """Append the cells from ``start`` to ``stop`` of a node's row."""
    at = 0
    for segment in row:
        width = cell_width(segment.text)
        if at >= start and at + width <= stop:
            segments.append(segment)
        elif at < stop and at + width > start:
            text = cut(segment.text, max(0, start - at), min(width, stop - at))
            segments.append(Segment(text, segment.style))
        at += width
