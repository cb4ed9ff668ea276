"""Painting the lines of one band into bytes.

Each cell has a byte of line bits and a byte that says how it looks. Where lines of different nets cross,
the line across is interrupted by the upright one (``─│─``), so that ``┼`` always means "joined".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import IntEnum
from itertools import pairwise
from typing import NamedTuple

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


class Canvas(NamedTuple):
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


class _Painter:
    def __init__(self, canvas: Canvas, upright: bool) -> None:
        self._canvas = canvas
        self._back, self._ahead = (NORTH, SOUTH) if upright else (WEST, EAST)
        self._upright = upright
        self._corners: set[int] = set()

    def paint(self, stretches: list[tuple[int, Stretch]]) -> None:
        """Paint all stretches, given in ascending order of their looks."""
        paths = [(look, stretch, self._cells(stretch.points)) for look, stretch in stretches]
        for _look, stretch, cells in paths:
            self._note_corners(stretch, cells)
        for light in (True, False):
            part = [path for path in paths if (path[0] < Look.SELECTED_FAILURE) is light]
            shift = 0 if light else HEAVY
            for flat in (True, False):
                for look, _stretch, cells in part:
                    self._paint_runs(cells, flat, shift, look)
            self._paint_ends(part, shift)
        self._settle_looks(paths)

    def _cells(self, points: Iterable[Point]) -> list[int]:
        canvas = self._canvas
        return [(y - canvas.top) * canvas.width + x - canvas.left for x, y in points]

    def _note_corners(self, stretch: Stretch, cells: list[int]) -> None:
        self._corners.update(cells[1:-1])
        if len(cells) > 1:
            first, second = stretch.points[:2]
            # A line that turns on its very first cell comes from the node beside it.
            if (first.y == second.y) is self._upright:
                self._corners.add(cells[0])

    def _paint_runs(self, cells: list[int], flat: bool, shift: int, look: int) -> None:
        """Paint the straight pieces in one axis: inner cells first, then the bits of both ends."""
        bits, looks, row = self._canvas.bits, self._canvas.looks, self._canvas.width
        corners = self._corners
        step = 1 if flat else row
        both = (EAST | WEST if flat else NORTH | SOUTH) << shift
        toward, back = (EAST, WEST) if flat else (SOUTH, NORTH)
        for one, other in pairwise(cells):
            low, high = (one, other) if one <= other else (other, one)
            if (low // row == high // row) is not flat:
                continue
            for cell in range(low + step, high, step):
                if cell in corners:
                    self._join(cell, both, shift)
                else:
                    bits[cell] = both
                looks[cell] = look
            self._join(low, toward << shift, shift)
            self._join(high, back << shift, shift)

    def _join(self, cell: int, added: int, shift: int) -> None:
        """Add line bits to a cell; a heavy line replaces the light one in its direction."""
        bits = self._canvas.bits
        old = bits[cell]
        if shift:
            old &= ~(added >> HEAVY)
        bits[cell] = old | added

    def _paint_ends(self, part: list[tuple[int, Stretch, list[int]]], shift: int) -> None:
        bits = self._canvas.bits
        for _look, _stretch, cells in part:
            self._join(cells[0], self._back << shift, shift)
        for _look, stretch, cells in part:
            if stretch.head:
                bits[cells[-1]] = HEAVY_HEAD if shift else HEAD
            else:
                self._join(cells[-1], self._ahead << shift, shift)

    def _settle_looks(self, paths: list[tuple[int, Stretch, list[int]]]) -> None:
        """Corners and ends look like the greatest of the lines that meet there."""
        looks, row = self._canvas.looks, self._canvas.width
        for look, _stretch, cells in paths:
            for cell in cells:
                looks[cell] = look
        if not self._corners:
            return
        for look, _stretch, cells in paths:
            for one, other in pairwise(cells):
                low, high = (one, other) if one <= other else (other, one)
                step = 1 if low // row == high // row else row
                for cell in range(low, high + 1, step):
                    if cell in self._corners and looks[cell] < look:
                        looks[cell] = look
