"""Rows of styled text, drawn only where they are visible: what most panes are made of.

The text comes sanitised from the projections and never passes through markup.
"""

from collections.abc import Sequence

from rich.segment import Segment as RichSegment
from textual.content import Content
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from studio.projections.layout import Segment, cell_width
from studio.tui.guard import GuardedLines
from studio.tui.palette import Palette
from studio.tui.widgets.lines import cursor_strip

Row = Sequence[Segment]


class RowsView(GuardedLines, ScrollView, can_focus=True, inherit_bindings=False):
    """A scrolling list of rows, with a cursor row when ``cursor`` is not None.

    Attributes:
        cursor: first row of what the cursor is on.
        cursor_rows: how many rows that has.
        always_shows_cursor: whether it shows without the focus, too: a field beside the list has that.
    """

    DEFAULT_CSS = """
    RowsView { background: transparent; scrollbar-size-vertical: 1; scrollbar-size-horizontal: 0; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.rows: list[Row] = []
        self.cursor: int | None = None
        self.cursor_rows = 1
        self.always_shows_cursor = False

    @property
    def palette(self) -> Palette:
        """Styles of the running theme."""
        palette = getattr(self.app, "palette", None)
        return palette if isinstance(palette, Palette) else Palette()

    def set_titles(self, title: str, subtitle: str = "") -> None:
        """Write on the border; as Content, because Textual reads plain strings as markup."""
        self.border_title = Content(title)
        self.border_subtitle = Content(subtitle)

    def set_rows(self, rows: Sequence[Row], *, keep_scroll: bool = True) -> None:
        """Show other rows; only lines that differ are drawn again."""
        before = self.rows
        self.rows = list(rows)
        widest = max((sum(cell_width(part.text) for part in row) for row in rows), default=0)
        size = Size(widest, len(self.rows))
        if size != self.virtual_size:
            self.virtual_size = size
        if not keep_scroll:
            self.scroll_to(0, 0, animate=False)
        if len(before) != len(self.rows):
            self.refresh()
            return
        for index, (old, new) in enumerate(zip(before, self.rows, strict=True)):
            if old != new:
                self.refresh_row(index)

    def refresh_row(self, index: int) -> None:
        """Draw one row again if it is visible."""
        y = index - self.scroll_offset.y
        if 0 <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    def move_cursor(self, index: int, rows: int = 1) -> None:
        """Put the cursor on a row, or on some that belong together, and bring them into view.

        Args:
            index: the first row.
            rows: how many.
        """
        if not self.rows:
            self.cursor = None
            return
        self._refresh_cursor()
        self.cursor = min(max(index, 0), len(self.rows) - 1)
        self.cursor_rows = rows
        self._refresh_cursor()
        top, height = self.scroll_offset.y, self.size.height
        end = self.cursor + rows
        if self.cursor < top or rows >= height:
            self.scroll_to(y=self.cursor, animate=False)
        elif end > top + height:
            self.scroll_to(y=end - height, animate=False)

    def _refresh_cursor(self) -> None:
        if self.cursor is not None:
            for index in range(self.cursor, self.cursor + self.cursor_rows):
                self.refresh_row(index)

    def draw_line(self, y: int) -> Strip:
        """One visible line. Textual asks for each line that has to be drawn again."""
        x, top = self.scroll_offset
        width = self.size.width
        index = y + top
        if index >= len(self.rows):
            return Strip.blank(width)
        palette = self.palette
        parts = [RichSegment(part.text, palette.style(part.style)) for part in self.rows[index]]
        strip = Strip(parts)
        if x or strip.cell_length > width:
            strip = strip.crop(x, x + width)
        strip = strip.extend_cell_length(width)
        here = self.cursor is not None and 0 <= index - self.cursor < self.cursor_rows
        if here and (self.has_focus or self.always_shows_cursor):
            strip = cursor_strip(strip, palette)
        return strip

    def on_focus(self) -> None:
        """The cursor shows with the focus."""
        self._refresh_cursor()

    def on_blur(self) -> None:
        """The cursor hides without the focus."""
        self._refresh_cursor()
