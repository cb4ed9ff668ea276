"""What lies over the graph: the map in a corner, and hints where nothing is drawn."""

from collections.abc import Sequence

from studio.projections.layout import Segment
from studio.projections.screen.label import Free, place_label
from studio.projections.screen.map import MapSize, Window, map_rows, map_size
from studio.projections.screen.overlay import Patch, corners, place_block
from studio.projections.screen.picture import Picture

MAP_COLUMNS, MAP_ROWS = 60, 20
"""Smallest pane in which the map shows without being asked for."""

MAP_BELOW = 0.7
"""Visible part of a drawing from which the map does not show by itself: it would tell little."""

Rectangle = tuple[int, int, int, int]


class Corners:
    """Computes the blocks over the graph, again only when something they depend on changed.

    Args:
        ascii: draw with ASCII characters only.

    Attributes:
        map_wish: whether the map is wanted; None shows it where there is room.
    """

    def __init__(self, *, ascii: bool = False) -> None:
        self.map_wish: bool | None = None
        self._ascii = ascii
        self._hint: tuple[tuple[Segment, ...], ...] = ()
        self._hint_for: object = None
        self._hint_patch: Patch | None = None
        self._map: Patch | None = None
        self._size: MapSize | None = None
        self._key: object = None
        self._patches: list[Patch] = []

    def set_hint(self, rows: Sequence[Sequence[Segment]]) -> bool:
        """Show other hints; returns whether they differ."""
        hint = tuple(tuple(row) for row in rows)
        if hint == self._hint:
            return False
        self._hint = hint
        self.forget()
        return True

    def forget(self) -> None:
        """Look for places anew."""
        self._hint_for = None
        self._key = None

    def touch(self) -> None:
        """What nodes show has changed, and with it the map."""
        self._key = None

    def toggle_map(self, picture: Picture | None, size: tuple[int, int]) -> str:
        """Show or hide the map; returns why it cannot be shown, or nothing."""
        if picture is None:
            return "there is no graph"
        if self._shows_map(picture, size):
            self.map_wish = False
            return ""
        self.map_wish = True
        if self._shows_map(picture, size):
            return ""
        if picture.layout.width <= size[0] and picture.layout.height <= size[1]:
            return "the map shows when the graph is larger than its pane"
        return "there is no room for the map"

    def _shows_map(self, picture: Picture, size: tuple[int, int]) -> bool:
        wanted = self.map_wish
        if wanted is None:
            # A mosaic is hardly larger than its pane, and its nodes stand too close for a map over them.
            layout = picture.layout
            cells = layout.width * layout.height
            visible = min(layout.width, size[0]) * min(layout.height, size[1])
            wanted = (
                layout.lined
                and visible < MAP_BELOW * cells
                and size[0] >= MAP_COLUMNS
                and size[1] >= MAP_ROWS
            )
        return wanted and map_size(picture.layout, *size) is not None

    def patches(
        self,
        picture: Picture,
        offset: tuple[int, int],
        size: tuple[int, int],
        cursor: Rectangle | None,
        name: str | None = None,
    ) -> list[Patch]:
        """The blocks to lay over the drawing.

        Args:
            picture: what is drawn.
            offset: column and row of the drawing in the pane's upper left cell.
            size: columns and rows of the pane.
            cursor: where the selected node is in the pane; the map keeps out of its way.
            name: id of the selected node, which gets a label where nodes are drawn as glyphs alone.
        """
        chosen = picture.cells[name] if name is not None and picture.glyphs_only else None
        key = (id(picture), offset, size, cursor, self.map_wish, chosen)
        if key == self._key:
            return self._patches
        self._key = key
        hint = self._place_hint(picture, offset, size)
        self._map = self._draw_map(picture, offset, size, cursor)
        label = None
        if chosen is not None and cursor is not None:
            label = place_label(chosen, cursor[0], cursor[1], size, _reader(picture, offset))
        blocks = [patch for patch in (hint, self._map, label) if patch is not None]
        self._patches = [*_more_patches(picture, offset, size, blocks, self._ascii), *blocks]
        return self._patches

    def _place_hint(
        self, picture: Picture, offset: tuple[int, int], size: tuple[int, int]
    ) -> Patch | None:
        key = (id(picture), offset, size)
        if not self._hint or key == self._hint_for:
            return self._hint_patch if self._hint else None
        self._hint_for = key
        raster = picture.raster

        def free(x: int, y: int, columns: int, rows: int) -> bool:
            left, right = x - 1 + offset[0], x + columns + 1 + offset[0]
            lines = range(y - 1 + offset[1], y + rows + 1 + offset[1])
            return all(
                not part.text.strip()
                for line in lines
                for part in raster.render_row(line, left, right)
            )

        self._hint_patch = place_block(self._hint, size[0], size[1], free)
        return self._hint_patch

    def _draw_map(
        self,
        picture: Picture,
        offset: tuple[int, int],
        size: tuple[int, int],
        cursor: Rectangle | None,
    ) -> Patch | None:
        if not self._shows_map(picture, size):
            return None
        cells = map_size(picture.layout, *size)
        self._size = cells
        if cells is None:
            return None
        window = Window(max(0, offset[0]), max(0, offset[1]), *size)
        rows = map_rows(picture.layout, picture.states, window, cells, ascii=self._ascii)
        columns = cells.columns + 4
        places = [Patch(x, y, columns, tuple(rows)) for x, y in corners(*size, columns, len(rows))]
        clear = (one for one in places if cursor is None or not one.covers(*cursor))
        return next(clear, places[0])

    def spot(self, picture: Picture, x: int, y: int) -> tuple[int, int] | None:
        """The cell of the drawing that a cell of the map stands for; None beside the map."""
        patch, size = self._map, self._size
        if patch is None or size is None or not patch.covers(x, y, 1, 1):
            return None
        column = min(max(0, x - patch.x - 2), size.columns - 1)
        row = min(max(0, y - patch.y - 1), size.rows - 1)
        layout = picture.layout
        return column * layout.width // size.columns, row * layout.height // size.rows


def _reader(picture: Picture, offset: tuple[int, int]) -> Free:
    """Reads what is drawn in some cells of the pane."""

    def text_at(x: int, y: int, columns: int) -> str:
        left = x + offset[0]
        row = picture.raster.render_row(y + offset[1], left, left + columns)
        return "".join(part.text for part in row)

    return text_at


def _more_patches(
    picture: Picture,
    offset: tuple[int, int],
    size: tuple[int, int],
    blocks: Sequence[Patch],
    ascii: bool,
) -> list[Patch]:
    """How many nodes are out of sight on each side, where the row has room: the pane has no scroll bars."""
    x, y = offset
    width, height = size
    if picture.drawing.fits or width < 24 or height < 3:
        return []
    above = below = left = right = 0
    for box in picture.layout.boxes.values():
        if box.y + box.height <= y:
            above += 1
        elif box.y >= y + height:
            below += 1
        elif box.x + box.width // 2 < x:
            left += 1
        elif box.x + box.width // 2 >= x + width:
            right += 1
    dots = ":" if ascii else "⋮"
    back, ahead = ("<", ">") if ascii else ("‹", "›")
    found: list[Patch] = []
    for count, text, row, place in (
        (above, f"{dots} {above} more above", 0, 0.5),
        (below, f"{dots} {below} more below", height - 1, 0.5),
        (left, f"{back} {left} more", height - 1, 0.0),
        (right, f"{right} more {ahead}", height - 1, 1.0),
    ):
        patch = _blank_place(picture, offset, size, text, row, place, [*blocks, *found])
        if count and patch is not None:
            found.append(patch)
    return found


def _blank_place(
    picture: Picture,
    offset: tuple[int, int],
    size: tuple[int, int],
    text: str,
    row: int,
    place: float,
    blocks: Sequence[Patch],
) -> Patch | None:
    """The blank stretch of a row that is nearest to a place in it, from 0 left to 1 right."""
    parts = picture.raster.render_row(row + offset[1], offset[0], offset[0] + size[0])
    line = list("".join(part.text for part in parts))
    for block in blocks:
        if block.y <= row < block.y + len(block.rows):
            line[block.x : block.x + block.width] = "x" * block.width
    blank = " " * (len(text) + 2)
    joined = "".join(line)
    starts = [at for at in range(size[0] - len(blank) + 1) if joined.startswith(blank, at)]
    if not starts:
        return None
    wanted = (size[0] - len(blank)) * place
    at = min(starts, key=lambda start: abs(start - wanted)) + 1
    return Patch(at, row, len(text), ((Segment(text, "dim"),),))
