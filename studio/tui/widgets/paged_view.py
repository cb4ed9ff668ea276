"""Rows made when they are drawn, below a head that does not scroll: what the inspector and the log are built on."""

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment as RichSegment
from rich.text import Text
from textual import events
from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from studio.projections.layout import Segment
from studio.projections.plain import STAND_INS
from studio.projections.text import sanitise
from studio.tui.guard import GuardedLines
from studio.tui.messages import Said
from studio.tui.palette import Palette
from studio.tui.widgets.lines import cursor_strip

Row = Sequence[Segment]

CUT = "…"
"""Ends a row that is wider than the pane."""


class PagedView(GuardedLines, ScrollView, can_focus=True):
    """A list of any length of which only the visible rows are ever made.

    Attributes:
        head: rows above that stay where they are.
        total: number of rows below.
        cursor: index of the row under the cursor, None when rows cannot be chosen.
        searched: what was searched for last; empty when nothing was.
    """

    DEFAULT_CSS = """
    PagedView {
        background: transparent; scrollbar-size-vertical: 1; scrollbar-gutter: stable; overflow-x: hidden;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "step(-1)", show=False),
        Binding("down,j", "step(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("g,home", "end(False)", show=False),
        Binding("G,end", "end(True)", show=False),
        Binding("n", "match(1)", show=False),
        Binding("N", "match(-1)", show=False),
    ]

    def __init__(self, *, id: str | None = None, ascii: bool = False) -> None:
        super().__init__(id=id)
        self._ascii = ascii
        self.head: list[Row] = []
        self.total = 0
        self.cursor: int | None = None
        self.searched = ""

    @property
    def palette(self) -> Palette:
        """Styles of the running theme."""
        palette = getattr(self.app, "palette", None)
        return palette if isinstance(palette, Palette) else Palette()

    @property
    def page_rows(self) -> int:
        """Rows visible below the head."""
        return max(1, self.size.height - len(self.head))

    @property
    def row_cells(self) -> int:
        """Cells of a row: the column of the scroll bar is left free, whether it shows or not."""
        return self.scrollable_content_region.width

    def set_title(self, title: str) -> None:
        """Write the upper border; the text is no markup."""
        self.border_title = Text(sanitise(title, 120))

    def set_subtitle(self, text: str) -> None:
        """Write the lower border; the text is no markup."""
        self.border_subtitle = Text(sanitise(text, 160))

    def row_at(self, index: int) -> Row:
        """The row at an index below the head; what classes define."""
        raise NotImplementedError

    def lay(self, head: Sequence[Row], total: int) -> None:
        """Tell how many rows there are and what stands above them, and draw anew."""
        self.head = list(head)
        self.total = total
        size = Size(1, total + len(self.head))
        if size != self.virtual_size:
            self.virtual_size = size
        if self.cursor is not None:
            self.cursor = min(max(0, self.cursor), total - 1) if total else None
        self.refresh()

    def move_cursor(self, index: int) -> None:
        """Put the cursor on a row and bring it into view."""
        if not self.total:
            self.cursor = None
            return
        self.cursor = min(max(index, 0), self.total - 1)
        self.bring_into_view(self.cursor)
        self.refresh()

    def bring_into_view(self, index: int) -> None:
        """Scroll as little as needed for a row to be visible."""
        top = self.scroll_offset.y
        if index < top:
            self.scroll_to(y=index, animate=False, force=True)
        elif index >= top + self.page_rows:
            self.scroll_to(y=index - self.page_rows + 1, animate=False, force=True)

    def index_at(self, event: events.Click) -> int | None:
        """The row that was clicked, None for the head, the border and what lies behind the last row."""
        offset = event.get_content_offset(self)
        if offset is None or offset.y < len(self.head):
            return None
        index = offset.y - len(self.head) + self.scroll_offset.y
        return index if index < self.total else None

    def draw_line(self, y: int) -> Strip:
        """One visible line."""
        width = self.row_cells
        above = len(self.head)
        index = y - above + self.scroll_offset.y
        if y >= above and index >= self.total:
            return Strip.blank(width)
        row = self.head[y] if y < above else self.row_at(index)
        style = self.palette.style
        if self._ascii:
            row = [Segment(part.text.translate(STAND_INS), part.style) for part in row]
        strip = Strip([RichSegment(part.text, style(part.style)) for part in row])
        if strip.cell_length > width:
            mark = RichSegment(CUT.translate(STAND_INS) if self._ascii else CUT, style("dim"))
            strip = Strip([*strip.crop(0, max(0, width - 1)), mark]).crop(0, width)
        strip = strip.extend_cell_length(width)
        if y >= above and index == self.cursor and self.has_focus:
            strip = cursor_strip(strip, self.palette)
        return strip

    def row_number(self, y: int) -> int:
        """Number of the row on a visible line; those of the head come first and stay."""
        return y if y < len(self.head) else y + self.scroll_offset.y

    def row_text(self, number: int) -> str:
        """Text of the row with a number."""
        index = number - len(self.head)
        if index >= self.total:
            return ""
        row = self.head[number] if index < 0 else self.row_at(index)
        return "".join(part.text for part in row)

    def search(self, text: str, direction: int = 1) -> bool:
        """Go to the next (1) or previous (-1) place that holds a text; what classes define."""
        raise NotImplementedError

    def missed(self, text: str) -> str:
        """What is said when a search finds nothing."""
        return f"nothing here holds {sanitise(text, 60)}"

    def look_for(self, text: str, direction: int = 1) -> None:
        """Search for a text, and say so when nothing holds it; an empty one ends the search."""
        self.searched = text
        if not self.search(text, direction) and text:
            self.post_message(Said(self.missed(text)))

    def action_match(self, direction: int) -> None:
        """n and N: the next or previous match; without a search they are the screen's."""
        if not self.searched:
            raise SkipAction
        self.look_for(self.searched, direction)

    def action_step(self, step: int) -> None:
        """Up and down: the cursor where there is one, else scroll."""
        if self.cursor is not None:
            self.move_cursor(self.cursor + step)
        else:
            self.scroll_relative(y=step, animate=False)

    def action_page(self, step: int) -> None:
        """Page up and down."""
        if self.cursor is not None:
            self.move_cursor(self.cursor + step * (self.page_rows - 1))
        else:
            self.scroll_relative(y=step * (self.page_rows - 1), animate=False)

    def action_end(self, last: bool) -> None:
        """The first or last row."""
        if self.cursor is not None:
            self.move_cursor(self.total - 1 if last else 0)
        elif last:
            self.scroll_end(animate=False)
        else:
            self.scroll_home(animate=False)
