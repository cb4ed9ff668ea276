"""Draws a picture of a graph: only the cells that are visible, and only those that changed."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rich.segment import Segment as RichSegment
from textual.content import Content
from textual.geometry import Offset, Region
from textual.scroll_view import ScrollView
from textual.strip import Strip

from studio.projections.layout import Segment
from studio.projections.screen.empty import centred
from studio.projections.screen.overlay import Patch, lay_over
from studio.projections.screen.picture import Picture
from studio.tui.guard import GuardedLines
from studio.tui.palette import Palette
from studio.tui.widgets.graph_corners import Corners


class Frame(NamedTuple):
    """What all lines of one paint have in common.

    Args:
        x, y: column and row of the drawing in the upper left cell of the widget.
        width: columns of the widget.
        patches: the blocks over the drawing.
    """

    x: int
    y: int
    width: int
    patches: list[Patch]


class Sight(NamedTuple):
    """What of a picture is visible.

    Args:
        picture: the picture.
        view: the visible part of the drawing, in its cells.
        names: drawn nodes of which anything is in it.
    """

    picture: Picture
    view: Region
    names: frozenset[str]


class GraphView(GuardedLines, ScrollView, can_focus=True, inherit_bindings=False):
    """Shows a picture, scrolled where it is larger than the widget, with blocks of text over it.

    Args:
        ascii: draw with ASCII characters only.

    Attributes:
        picture: what is drawn; None shows what `say` was given.
        cursor: id of the drawn node that the cursor is on.
        corners: what lies over the drawing.
    """

    DEFAULT_CSS = """
    GraphView { background: transparent; scrollbar-size: 0 0; }
    """

    def __init__(self, *, id: str | None = None, ascii: bool = False) -> None:
        super().__init__(id=id)
        self.picture: Picture | None = None
        self.cursor: str | None = None
        self.corners = Corners(ascii=ascii)
        self._blank: list[list[Segment]] = []
        self._titles = ("", "")
        self._frame: Frame | None = None
        self._painting = False
        self._laid: list[Patch] = []
        self._sight: Sight | None = None

    @property
    def palette(self) -> Palette:
        """Styles of the running theme."""
        palette = getattr(self.app, "palette", None)
        return palette if isinstance(palette, Palette) else Palette()

    def say(self, rows: Sequence[Sequence[Segment]]) -> None:
        """What to show while there is no picture."""
        blank = [list(row) for row in rows]
        if blank != self._blank:
            self._blank = blank
            if self.picture is None:
                self.refresh()

    def hint(self, rows: Sequence[Sequence[Segment]]) -> None:
        """What to show beside the picture, where nothing is drawn."""
        if self.corners.set_hint(rows):
            self._refresh_patches()

    def set_titles(self, title: str, subtitle: str) -> None:
        """Write on the border; Textual draws the whole widget again for it, so only what is new is set."""
        if (title, subtitle) != self._titles:
            self._titles = (title, subtitle)
            # Content, because Textual reads plain strings as markup.
            self.border_title = Content(title)
            self.border_subtitle = Content(subtitle)

    def refresh_nodes(self, names: Iterable[str]) -> None:
        """Draw some nodes again, as far as they are visible."""
        picture = self.picture
        if picture is None:
            return
        self.corners.touch()
        for name in names:
            visible = self.shown_at(picture, name).intersection(self.size.region)
            if visible.area:
                self.refresh(visible)
        self._refresh_patches()

    def _refresh_patches(self) -> None:
        """Draw again what lies over the drawing, as far as it is not what was drawn there last."""
        before = {(p.x, p.y + i, p.width): row for p in self._laid for i, row in enumerate(p.rows)}
        now = {(p.x, p.y + i, p.width): row for p in self.patches() for i, row in enumerate(p.rows)}
        for place in before.keys() | now.keys():
            if before.get(place) != now.get(place):
                x, y, width = place
                self.refresh(Region(x, y, width, 1))

    def refresh_selection(self, names: Iterable[str | None]) -> None:
        """Draw again what shows which node is selected: some nodes and the edges of each."""
        picture = self.picture
        if picture is None or picture.layout.direction != "TB":
            self.refresh()
            return
        boxes = picture.layout.boxes
        chosen = {name for name in names if name is not None and name in boxes}
        near = chosen.copy()
        for edge in picture.layout.edges:
            if edge.source in chosen or edge.target in chosen:
                near |= {edge.source, edge.target}
        if near:
            # From the uppermost of these nodes to the lowest: an edge leads down, and stays between its two.
            top = min(boxes[name].y for name in near)
            below = max(boxes[name].y + boxes[name].height for name in near)
            _left, above = self.padding(picture)
            y = top - self.scroll_offset.y + above
            rows = Region(0, y, self.size.width, below - top).intersection(self.size.region)
            if rows.area:
                self.refresh(rows)
        self._refresh_patches()

    def in_sight(self, picture: Picture) -> frozenset[str]:
        """The drawn nodes of which anything is visible."""
        left, top = self.padding(picture)
        x, y = self.scroll_offset - Offset(left, top)
        view = Region(x, y, *self.size)
        if self._sight is None or self._sight.picture is not picture or self._sight.view != view:
            right, below = view.right, view.bottom
            names = frozenset(
                name
                for name, box in picture.layout.boxes.items()
                if y < box.y + box.height
                and box.y < below
                and x < box.x + box.width
                and box.x < right
            )
            self._sight = Sight(picture, view, names)
        return self._sight.names

    def shown_at(self, picture: Picture, name: str) -> Region:
        """Where a node is in the widget, or outside of it."""
        x, y, width, height = picture.raster.region(name)
        left, top = self.padding(picture)
        dx, dy = self.scroll_offset
        return Region(x - dx + left, y - dy + top, width, height)

    def padding(self, picture: Picture) -> tuple[int, int]:
        """Columns and rows that centre a drawing smaller than the widget."""
        left = max(0, (self.size.width - picture.raster.width) // 2)
        return left, 1 if picture.raster.height + 1 < self.size.height else 0

    def node_at(self, x: int, y: int) -> str | None:
        """The drawn node at a cell of the widget."""
        picture = self.picture
        if picture is None:
            return None
        left, top = self.padding(picture)
        return picture.layout.at(x - left + self.scroll_offset.x, y - top + self.scroll_offset.y)

    def reveal(self) -> None:
        """Scroll so that the cursor is visible: with some of what is around it, or centred when it was far away."""
        picture = self.picture
        if picture is None or self.cursor is None or self.cursor not in picture.layout.boxes:
            return
        x, y, width, height = picture.raster.region(self.cursor)
        far = not self.shown_at(picture, self.cursor).overlaps(self.size.region)
        around_it = Region(x - 4, y - 2, width + 8, height + 4)
        self.scroll_to_region(around_it, animate=False, force=True, center=far)

    def patches(self) -> list[Patch]:
        """The blocks that lie over the drawing."""
        picture = self.picture
        if picture is None:
            return []
        left, top = self.padding(picture)
        cursor = None
        if self.cursor is not None and self.cursor in picture.layout.boxes:
            here = self.shown_at(picture, self.cursor)
            cursor = (here.x, here.y, here.width, here.height)
        offset = (self.scroll_offset.x - left, self.scroll_offset.y - top)
        size = (self.size.width, self.size.height)
        return self.corners.patches(picture, offset, size, cursor, self.cursor)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Some lines for one paint; where the drawing stands and what lies over it is found once for all of them."""
        self._frame, self._painting = None, True
        try:
            return super().render_lines(crop)
        finally:
            self._painting = False

    def _frame_of(self, picture: Picture) -> "Frame":
        frame = self._frame
        if frame is None or not self._painting:
            left, top = self.padding(picture)
            x, y = self.scroll_offset
            frame = self._frame = Frame(x - left, y - top, self.size.width, self.patches())
            self._laid = frame.patches
        return frame

    def draw_line(self, y: int) -> Strip:
        """One visible line of the drawing."""
        picture = self.picture
        style = self.palette.style
        if picture is None:
            width = self.size.width
            rows = centred(self._blank, width, self.size.height)
            row = rows[y] if y < len(rows) else []
        else:
            x, above, width, patches = self._frame_of(picture)
            row = picture.raster.render_row(y + above, x, x + width)
            for patch in patches:
                row = lay_over(row, patch, y, width)
        parts = [RichSegment(text, style(look)) for text, look in row]
        return Strip(parts).crop(0, width).extend_cell_length(width)
