"""Small blocks of text over the graph: the map, hints, the list of first steps."""

from collections.abc import Callable, Sequence

import msgspec

from studio.projections.layout import Segment, cell_width
from studio.projections.layout.celltext import cut

Row = Sequence[Segment]


class Patch(msgspec.Struct, frozen=True):
    """A block and where its upper left cell stands in the pane."""

    x: int
    y: int
    width: int
    rows: tuple[Row, ...]

    def covers(self, x: int, y: int, width: int, height: int) -> bool:
        """Whether it shares a cell with a rectangle."""
        return (
            self.x < x + width
            and x < self.x + self.width
            and self.y < y + height
            and y < self.y + len(self.rows)
        )


def row_width(row: Row) -> int:
    """Cells of a row."""
    return sum(cell_width(part.text) for part in row)


def cut_row(row: Row, start: int, stop: int) -> list[Segment]:
    """The cells from ``start`` to ``stop`` of a row, filled up with blanks."""
    found: list[Segment] = []
    at = 0
    for part in row:
        size = cell_width(part.text)
        if at < stop and at + size > start:
            text = cut(part.text, max(0, start - at), min(size, stop - at))
            found.append(Segment(text, part.style))
        at += size
    missing = stop - max(at, start)
    if missing > 0:
        found.append(Segment(" " * missing, "text"))
    return found


def lay_over(row: Row, patch: Patch, line: int, width: int) -> list[Segment]:
    """A row of the pane with the patch's row over it.

    Args:
        row: what is below.
        patch: what lies over it.
        line: the row's number in the pane.
        width: columns of the pane.
    """
    index = line - patch.y
    if not 0 <= index < len(patch.rows):
        return list(row)
    over = cut_row(patch.rows[index], 0, patch.width)
    end = patch.x + patch.width
    return [*cut_row(row, 0, patch.x), *over, *(cut_row(row, end, width) if end < width else [])]


def corners(width: int, height: int, columns: int, rows: int) -> list[tuple[int, int]]:
    """Where a block may stand: the lower corners first, then the upper ones."""
    right, low = width - columns - 1, height - rows
    return [(right, low), (1, low), (right, 0), (1, 0)]


def place_block(
    rows: Sequence[Row], width: int, height: int, free: Callable[[int, int, int, int], bool]
) -> Patch | None:
    """Put a block into the first corner that is free, None when none is.

    Args:
        rows: the block.
        width: columns of the pane.
        height: rows of the pane.
        free: whether a rectangle (x, y, columns, rows) may be covered.
    """
    columns = max((row_width(row) for row in rows), default=0)
    if not columns or columns + 2 > width or len(rows) > height:
        return None
    for x, y in corners(width, height, columns, len(rows)):
        if x >= 0 and y >= 0 and free(x, y, columns, len(rows)):
            return Patch(x, y, columns, tuple(rows))
    return None
