"""The name beside a selected node that is drawn as a glyph alone."""

from collections.abc import Callable, Iterator

from studio.projections.layout import NodeCell, Segment, cell_width, clean, fit
from studio.projections.screen.overlay import Patch

LABEL_CELLS = 32
"""Cells of a label at most."""

Free = Callable[[int, int, int], str]
"""The text in some cells of the pane: column, row, number of cells."""


def place_label(
    cell: NodeCell, x: int, y: int, size: tuple[int, int], text_at: Free
) -> Patch | None:
    """Put the name of a node where it hides nothing, or at least no node, or else to its right.

    Args:
        cell: what the node shows.
        x: its column in the pane.
        y: its row in the pane.
        size: columns and rows of the pane.
        text_at: what is drawn there.
    """
    width, height = size
    text = clean(cell.name) + clean(cell.marks)
    if cell.right:
        text += f" {clean(cell.right)}"
    room = min(LABEL_CELLS, width - 4)
    if room < 4 or not 0 <= y < height or not 0 <= x < width:
        return None
    text = text if cell_width(text) <= room else fit(text, room)
    columns = cell_width(text) + 2
    places = [
        (left, row)
        for left, row in _places(x, y, columns)
        if 0 <= row < height and left >= 0 and left + columns <= width
    ]
    if not places:
        return None
    left, row = min(places, key=lambda place: _hidden(text_at(place[0], place[1], columns)))
    return Patch(left, row, columns, ((Segment(f" {text} ", f"node.{cell.state}.cursor"),),))


def _places(x: int, y: int, columns: int) -> Iterator[tuple[int, int]]:
    """Beside the node, then under and over it; the nearest first."""
    yield x + 1, y
    yield x - columns, y
    for row in (y + 1, y - 1):
        yield x - columns // 2, row
        yield x, row
        yield x - columns + 1, row


def _hidden(text: str) -> tuple[int, int]:
    """How bad it is to hide a text: nodes first, then lines."""
    drawn = text.replace(" ", "")
    nodes = sum(character not in LINES for character in drawn)
    return nodes, len(drawn)


LINES = frozenset(map(chr, range(0x2500, 0x2580))) | frozenset("▾▸|-+=#")
"""What lines between nodes are drawn with; ASCII heads and dashes are states of nodes as well, and count as those."""
