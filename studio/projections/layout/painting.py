"""Painting the lines of one band into bytes.

Each cell has a byte of line bits and a byte that says how it looks. Where lines of different nets cross,
the line across is interrupted by the upright one (``─│─``), so that ``┼`` always means "joined".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import IntEnum
from itertools import pairwise

import msgspec

from studio.projections.layout.glyphs import (
    EAST,
    HEAD,
    HEAVY,
    HEAVY_HEAD,
    NORTH,
    SOUTH,
    WEST,
)
from studio.projections.layout.graph import Layout, Point, Stretch


class Look(IntEnum):
    """How a cell looks; where lines share a cell the greatest wins."""

    BLANK = 0
    DEAD_FAILURE = 1
    DEAD = 2
    FAILURE = 3
    PLAIN = 4
    SELECTED_FAILURE = 5
    SELECTED = 6


STYLES = (
    "edge",
    "edge.failure.dead",
    "edge.dead",
    "edge.failure",
    "edge",
    "edge.failure.selected",
    "edge.selected",
)
"""Style name of every :class:`Look`."""


class Canvas(msgspec.Struct, frozen=True):
    """The painted rectangle of one band."""

    left: int
    top: int
    width: int
    height: int
    bits: bytearray
    looks: bytearray


def paint_band(
    layout: Layout, index: int, look_of: Callable[[tuple[int, ...], bool], int]
) -> Canvas:
    """Paint the lines of one band.

    Args:
        layout: the layout.
        index: number of the band.
        look_of: given the edges of a stretch and whether they are failure edges, its :class:`Look`.
    """
    band = layout.bands[index]
    upright = layout.direction == "TB"
    if upright:
        left, top, width, height = 0, band.start, layout.width, band.stop - band.start
    else:
        left, top, width, height = band.start, 0, band.stop - band.start, layout.height
    canvas = Canvas(left, top, width, height, bytearray(width * height), bytearray(width * height))
    painter = _Painter(canvas, upright)
    looks = [(look_of(stretch.edges, stretch.failure), stretch) for stretch in band.stretches]
    looks.sort(key=lambda pair: pair[0])
    painter.paint(looks)
    return canvas


Run = tuple[int, int]
"""First and last cell of a straight piece."""


class _Path(msgspec.Struct, frozen=True):
    """A stretch ready to be painted: how it looks, its corners as cells, whether it ends in a head."""

    look: int
    cells: list[int]
    head: bool


class _Painter:
    def __init__(self, canvas: Canvas, upright: bool) -> None:
        self._canvas = canvas
        self._back, self._ahead = (NORTH, SOUTH) if upright else (WEST, EAST)
        self._upright = upright
        self._corners: set[int] = set()

    def paint(self, stretches: list[tuple[int, Stretch]]) -> None:
        """Paint all stretches, given in ascending order of their looks."""
        by_look: dict[int, list[_Path]] = {}
        for look, stretch in stretches:
            cells = self._cells(stretch.points)
            self._note_corners(stretch.points, cells)
            by_look.setdefault(look, []).append(_Path(look, cells, stretch.head))
        runs = {look: self._runs(paths) for look, paths in by_look.items()}
        for light in (True, False):
            part = [look for look in by_look if (look < Look.SELECTED_FAILURE) is light]
            shift = 0 if light else HEAVY
            for flat in (True, False):
                for look in part:
                    self._paint_runs(runs[look][flat], flat, shift, look)
                    self._join_ends(by_look[look], flat, shift)
            for look in part:
                self._paint_tips(by_look[look], shift)
        for look, (upright_runs, flat_runs) in runs.items():
            self._settle_looks(look, by_look[look], upright_runs, flat_runs)

    def _cells(self, points: Iterable[Point]) -> list[int]:
        left, top, row = self._canvas.left, self._canvas.top, self._canvas.width
        return [(y - top) * row + x - left for x, y in points]

    def _note_corners(self, points: tuple[Point, ...], cells: list[int]) -> None:
        self._corners.update(cells[1:-1])
        # A line that turns on its very first cell comes from the node beside it.
        if len(cells) > 1 and (points[0].y == points[1].y) is self._upright:
            self._corners.add(cells[0])

    def _pieces(self, path: _Path, flat: bool) -> Iterable[Run]:
        row = self._canvas.width
        for one, other in pairwise(path.cells):
            if (one // row == other // row) is flat:
                yield (one, other) if one <= other else (other, one)

    def _runs(self, paths: list[_Path]) -> tuple[list[Run], list[Run]]:
        """All upright and all flat pieces, those that overlap merged: a fan-out of n edges has n of them."""
        row = self._canvas.width
        merged: list[list[Run]] = []
        for flat in (False, True):
            lines: dict[int, list[Run]] = {}
            for path in paths:
                for run in self._pieces(path, flat):
                    lines.setdefault(run[0] // row if flat else run[0] % row, []).append(run)
            merged.append([run for pieces in lines.values() for run in _merge(pieces)])
        return merged[0], merged[1]

    def _paint_runs(self, runs: list[Run], flat: bool, shift: int, look: int) -> None:
        """Paint the inner cells of straight pieces."""
        bits, looks, corners = self._canvas.bits, self._canvas.looks, self._corners
        both = (EAST | WEST if flat else NORTH | SOUTH) << shift
        if flat and not shift:
            # Nothing upright is there yet, so whole slices can be written.
            for low, high in runs:
                bits[low + 1 : high] = bytes((both,)) * (high - low - 1)
                looks[low + 1 : high] = bytes((look,)) * (high - low - 1)
            return
        step = 1 if flat else self._canvas.width
        for low, high in runs:
            for cell in range(low + step, high, step):
                if cell in corners:
                    self._join(cell, both, shift)
                else:
                    bits[cell] = both
                looks[cell] = look

    def _join_ends(self, paths: list[_Path], flat: bool, shift: int) -> None:
        toward, back = (EAST, WEST) if flat else (SOUTH, NORTH)
        for path in paths:
            for low, high in self._pieces(path, flat):
                if low != high:
                    self._join(low, toward << shift, shift)
                    self._join(high, back << shift, shift)

    def _join(self, cell: int, added: int, shift: int) -> None:
        """Add line bits to a cell; a heavy line replaces the light one in its direction."""
        bits = self._canvas.bits
        old = bits[cell]
        if shift:
            old &= ~(added >> HEAVY)
        bits[cell] = old | added

    def _paint_tips(self, paths: list[_Path], shift: int) -> None:
        """Join the first cells to what lies behind, and end the last ones in heads or what lies ahead."""
        bits = self._canvas.bits
        for path in paths:
            self._join(path.cells[0], self._back << shift, shift)
        for path in paths:
            if path.head:
                bits[path.cells[-1]] = HEAVY_HEAD if shift else HEAD
            else:
                self._join(path.cells[-1], self._ahead << shift, shift)

    def _settle_looks(
        self, look: int, paths: list[_Path], upright: list[Run], flat: list[Run]
    ) -> None:
        """Where lines meet, the greatest look wins; crossings keep that of the line on top."""
        looks, corners = self._canvas.looks, self._corners
        for path in paths:
            looks[path.cells[0]] = max(look, looks[path.cells[0]])
            looks[path.cells[-1]] = max(look, looks[path.cells[-1]])
        for runs, step in ((upright, self._canvas.width), (flat, 1)):
            for low, high in runs:
                for cell in range(low, high + 1, step):
                    if cell in corners and looks[cell] < look:
                        looks[cell] = look


def _merge(runs: list[Run]) -> Iterable[Run]:
    """Runs of one line, those that overlap or touch made one."""
    runs.sort()
    first, last = runs[0]
    for low, high in runs:
        if low > last:
            yield first, last
            first, last = low, high
        elif high > last:
            last = high
    yield first, last
