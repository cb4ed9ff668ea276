"""The minimap: the whole drawing in a corner, a mark for every node, a frame around what is visible."""

from collections.abc import Mapping

import msgspec

from studio.projections.layout import Layout, Segment
from studio.projections.screen.graph import URGENCY

Row = list[Segment]

MOST_COLUMNS, MOST_ROWS = 28, 9
"""Cells of the map without its frame, at most."""


class MapSize(msgspec.Struct, frozen=True):
    """Cells of the map without its frame."""

    columns: int
    rows: int


class Window(msgspec.Struct, frozen=True):
    """The visible part of a drawing, in its cells."""

    x: int
    y: int
    width: int
    height: int


def map_size(layout: Layout, width: int, height: int) -> MapSize | None:
    """How large the map of a drawing is in a pane, or None when it is not needed or there is no room.

    Args:
        layout: the drawing.
        width: columns of the pane.
        height: rows of the pane.
    """
    if layout.width <= width and layout.height <= height:
        return None
    columns, rows = min(MOST_COLUMNS, width // 4), min(MOST_ROWS, height // 3)
    if columns < 6 or rows < 2:
        return None
    # A cell is about twice as high as wide: the map keeps the drawing's shape.
    scale = max(layout.width / columns, layout.height / rows)
    return MapSize(
        min(columns, max(6, round(layout.width / scale))),
        min(rows, max(2, round(layout.height / scale))),
    )


def map_rows(
    layout: Layout, states: Mapping[str, str], window: Window, size: MapSize, *, ascii: bool = False
) -> list[Row]:
    """The map with its frame: ``size.rows + 2`` rows of ``size.columns + 4`` cells.

    Args:
        layout: the drawing.
        states: state of every node.
        window: what is visible of it.
        size: see `map_size`.
    """
    marks = _marks(layout, states, size)
    frame = _frame(layout, window, size, ascii)
    line, corners = ("-", "++++") if ascii else ("─", "╭╮╰╯")
    side = "|" if ascii else "│"
    title = " map "
    top = f"{corners[0]}{title}{line * (size.columns + 2 - len(title))}{corners[1]}"
    rows: list[Row] = [[Segment(top, "border")]]
    for y in range(size.rows):
        row: Row = [Segment(f"{side} ", "border")]
        for x in range(size.columns):
            edge = frame.get((x, y))
            state = marks.get((x, y))
            if edge is not None:
                row.append(Segment(edge, f"node.{state}" if state else "accent"))
            elif state is not None:
                row.append(Segment("#" if ascii else "■", f"node.{state}"))
            else:
                row.append(Segment(" ", "text"))
        row.append(Segment(f" {side}", "border"))
        rows.append(row)
    rows.append([Segment(f"{corners[2]}{line * (size.columns + 2)}{corners[3]}", "border")])
    return rows


def _marks(layout: Layout, states: Mapping[str, str], size: MapSize) -> dict[tuple[int, int], str]:
    found: dict[tuple[int, int], str] = {}
    across, down = size.columns / max(1, layout.width), size.rows / max(1, layout.height)
    for name, box in layout.boxes.items():
        x = min(size.columns - 1, int((box.x + box.width / 2) * across))
        y = min(size.rows - 1, int((box.y + box.height / 2) * down))
        state = states.get(name, "blocked")
        other = found.get((x, y))
        if other is None or URGENCY.get(state, 0) > URGENCY.get(other, 0):
            found[x, y] = state
    return found


def _frame(
    layout: Layout, window: Window, size: MapSize, ascii: bool
) -> dict[tuple[int, int], str]:
    """The cells of the frame around the visible part."""
    across, down = size.columns / max(1, layout.width), size.rows / max(1, layout.height)
    left = max(0, min(size.columns - 2, int(window.x * across)))
    top = max(0, min(size.rows - 1, int(window.y * down)))
    right = max(left + 1, min(size.columns - 1, int((window.x + window.width) * across) - 1))
    bottom = max(top, min(size.rows - 1, int((window.y + window.height) * down) - 1))
    flat, upright, corners = ("-", "|", "++++") if ascii else ("─", "│", "┌┐└┘")
    cells: dict[tuple[int, int], str] = {}
    if bottom == top:
        return {(left, top): "[", (right, top): "]"}
    for x in range(left + 1, right):
        cells[x, top] = cells[x, bottom] = flat
    for y in range(top + 1, bottom):
        cells[left, y] = cells[right, y] = upright
    cells[left, top], cells[right, top] = corners[0], corners[1]
    cells[left, bottom], cells[right, bottom] = corners[2], corners[3]
    return cells
