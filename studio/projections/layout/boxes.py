"""How one node looks: its rows as styled segments."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from studio.projections.layout.celltext import cell_width, clean, cut, fit
from studio.projections.layout.glyphs import (
    ASCII_BOX_LINES,
    ASCII_STATES,
    BOX_LINES,
    EAST,
    HEAVY,
    NORTH,
    SOUTH,
    WEST,
    doubled,
    rounded,
)


class Segment(NamedTuple):
    """A piece of one row and the semantic name of its style, such as ``edge`` or ``node.failed``."""

    text: str
    style: str


class NodeCell(msgspec.Struct, frozen=True):
    """What a node shows at this moment.

    Args:
        id: the node's id.
        glyph: state glyph, one cell.
        name: what to call it.
        right: text at the right end: duration, countdown, attempt count.
        short: a shorter text for the right end where the other would cut the name; empty for none.
        state: state word; the style is ``node.<state>``.
        marks: marks after the name, such as ``′``.
        progress: done fraction from 0 to 1, drawn in the lower border, ``None`` for none.
        selected: whether the cursor is on it.
        stack: whether it stands for many items (foreach) and is drawn as a stack.
        grid: rows of styled text below the name, as far as the box has room: the items of a foreach.
    """

    id: str
    glyph: str
    name: str
    right: str = ""
    state: str = "blocked"
    marks: str = ""
    progress: float | None = None
    selected: bool = False
    stack: bool = False
    grid: tuple[tuple[Segment, ...], ...] = ()
    short: str = ""


class Joint(msgspec.Struct, frozen=True):
    """Where an edge leaves a box: line bits to add to a border cell.

    ``row`` and ``column`` count from the box's upper left cell.
    """

    row: int
    column: int
    bits: int


DOUBLE_STATES = frozenset({"failed", "in_doubt", "compensation_failed"})
"""States whose frame is double: they need a person. The selected node's is heavy, so that shapes alone tell them apart."""


def natural_width(cell: NodeCell) -> int:
    """Cells that a box or pill needs to show the whole text of a node, made odd so that it has a middle."""
    inner = cell_width(_left(cell)) + (cell_width(clean(cell.right)) + 1 if cell.right else 0)
    width = inner + 2 + (1 if cell.stack else 0)
    return width if width % 2 else width + 1


def least_width(cell: NodeCell) -> int:
    """Cells that a pill needs for glyph, name and marks alone, made odd so that it has a middle."""
    return natural_width(msgspec.structs.replace(cell, right=""))


def draw_node(
    cell: NodeCell,
    width: int,
    height: int,
    joint: Joint | None = None,
    *,
    centred: bool = False,
    ascii: bool = False,
) -> tuple[tuple[Segment, ...], ...]:
    """The rows of a node, each exactly ``width`` cells.

    Args:
        cell: what to show.
        width: cells of its rectangle; 1 draws the glyph alone.
        height: rows of its rectangle; 3 and more draw a frame.
        joint: where its edges leave.
        centred: whether the text of a pill stands in its middle, under the line that comes from above.
        ascii: use ASCII characters only; others in names become ``?``.
    """
    if height >= 3 and width >= 3:
        rows = _box(cell, width, height, joint, ascii)
    elif width >= 3:
        rows = [_pill(cell, width, centred)] + [[Segment(" " * width, "edge")]] * (height - 1)
    else:
        style = f"node.{cell.state}{'.cursor' if cell.selected else ''}"
        rows = [[Segment(fit(cut(clean(cell.glyph), 0, 1), width), style)]]
        rows += [[Segment(" " * width, "edge")]] * (height - 1)
    if ascii:
        rows = [[Segment(to_ascii(text), style) for text, style in row] for row in rows]
    return tuple(tuple(row) for row in rows)


def to_ascii(text: str) -> str:
    """The same cells in ASCII: state glyphs by their table, anything else as ``?``."""
    text = text.translate(ASCII_STATES)
    if text.isascii():
        return text
    return "".join(c if c.isascii() else "?" * max(0, cell_width(c)) for c in text)


def _left(cell: NodeCell) -> str:
    return f"{clean(cell.glyph)} {clean(cell.name)}{clean(cell.marks)}"


RIGHT_MIDDLE = 4
"""Cells that the right-hand text of a centred pill takes at least, so that a growing duration does not move its name."""


def _content(cell: NodeCell, width: int) -> list[Segment]:
    """Glyph, name and marks to the left, the rest to the right; a name that is too long gives way to its marks."""
    style = f"node.{cell.state}"
    head, tail = f"{clean(cell.glyph)} ", clean(cell.marks)
    name = clean(cell.name)
    room = width - cell_width(head) - cell_width(tail)
    if room < 1:
        return [Segment(fit(head + name, width), style)]
    if cell_width(name) > room:
        name = fit(name, room)
    left = head + name + tail
    right = _right(cell, width - cell_width(left) - 1)
    if not right:
        return [Segment(fit(left, width), style)]
    return [Segment(fit(left, width - cell_width(right)), style), Segment(right, f"{style}.side")]


def _right(cell: NodeCell, room: int) -> str:
    """The right-hand text: whole or short where it leaves the name whole, never a part of a word."""
    for text in (clean(cell.right), clean(cell.short)):
        if text and cell_width(text) <= room:
            return text
    return ""


def _pill(cell: NodeCell, width: int, centred: bool) -> list[Segment]:
    style = f"node.{cell.state}"
    inner = max(1, width - (3 if cell.stack else 2))
    edge = "node.selected" if cell.selected else style
    ends = ("▐", "▌") if cell.selected else (" ", " ")
    text = _content(cell, _close_width(cell, inner) if centred else inner)
    spare = inner - sum(cell_width(part.text) for part in text)
    row = [Segment(ends[0], edge), *text, Segment(ends[1], edge)]
    if cell.stack and width > 3:
        row.insert(-1, Segment("»", style))
    if spare // 2:
        row.insert(0, Segment(" " * (spare // 2), "edge"))
    if spare:
        row.append(Segment(" " * (spare - spare // 2), "edge"))
    return row


def _close_width(cell: NodeCell, width: int) -> int:
    """Cells for a text with no more between its parts than keeps a growing duration from moving the name."""
    left = cell_width(_left(cell))
    right = _right(cell, width - left - 1)
    if not right:
        return min(width, left)
    return min(width, left + 1 + max(RIGHT_MIDDLE, cell_width(right)))


def _box(
    cell: NodeCell, width: int, height: int, joint: Joint | None, ascii: bool
) -> list[list[Segment]]:
    style = f"node.{cell.state}"
    border = "node.selected" if cell.selected else style
    double = cell.state in DOUBLE_STATES and not cell.selected
    grid = _frame(width, height, cell.selected, cell.stack)
    if cell.progress is not None and not double:
        _draw_progress(grid[-1], cell.progress, width - (3 if cell.stack else 2))
    if joint is not None:
        grid[joint.row][joint.column] |= joint.bits
    lines = ASCII_BOX_LINES if ascii else BOX_LINES
    drawn = [rounded("".join([lines[bits] for bits in row])) for row in grid]
    if double:
        drawn = doubled(drawn, ascii=ascii)
    inner = width - (3 if cell.stack else 2)
    rows = [[Segment(drawn[0], border)]]
    contents = _contents(cell, inner, height - 2)
    for index, content in enumerate(contents, 1):
        row = drawn[index]
        rows.append([Segment(row[0], border), *content, Segment(row[1 + inner :], border)])
    rows.append([Segment(drawn[-1], border)])
    return rows


def _contents(cell: NodeCell, inner: int, height: int) -> list[list[Segment]]:
    """The rows inside a frame: the name, its figures beside or below it, the rows of the grid."""
    style = f"node.{cell.state}"
    blank = [Segment(" " * inner, style)]
    below = height > 1 and not cell.stack
    rows = [_content(msgspec.structs.replace(cell, right="", short="") if below else cell, inner)]
    if below:
        figures = _right(cell, inner)
        rows.append([Segment(" " * (inner - cell_width(figures)) + figures, f"{style}.side")])
    rows += [_filled(row, inner, style) for row in cell.grid]
    rows += [blank] * (height - len(rows))
    return rows[:height]


def _filled(row: tuple[Segment, ...], width: int, style: str) -> list[Segment]:
    """Exactly ``width`` cells of a row of the grid."""
    found: list[Segment] = []
    left = width
    for text, look in row:
        part = clean(text)
        if cell_width(part) > left:
            part = cut(part, 0, left)
        found.append(Segment(part, look))
        left -= cell_width(part)
        if left <= 0:
            break
    return [*found, Segment(" " * left, style)] if left > 0 else found


def _frame(width: int, height: int, heavy: bool, stack: bool) -> list[list[int]]:
    shift = HEAVY if heavy else 0
    inner = width - (3 if stack else 2)
    side, flat = (NORTH | SOUTH) << shift, (EAST | WEST) << shift
    top = [(EAST | SOUTH) << shift, *[flat] * inner, (SOUTH | WEST) << shift]
    bottom = [(NORTH | EAST) << shift, *[flat] * inner, (NORTH | WEST) << shift]
    grid = [top, *[[side, *[0] * inner, side] for _ in range(height - 2)], bottom]
    if stack:
        # The edge of the next card shows behind the right border.
        top[-1] |= EAST << shift
        bottom[-1] |= EAST << shift
        for row, bits in zip(
            grid, (SOUTH | WEST, *[NORTH | SOUTH] * (height - 2), NORTH | WEST), strict=True
        ):
            row.append(bits << shift)
    return grid


def _draw_progress(bottom: list[int], progress: float, inner: int) -> None:
    """Heavy from the left up to the done fraction, light behind; any progress shows at least one cell."""
    done = min(1.0, max(0.0, progress))
    filled = max(1, int(done * inner)) if done > 0 else 0
    for column in range(1, inner + 1):
        bits = (EAST | WEST) << HEAVY if column <= filled else EAST | WEST
        bottom[column] = bits
