"""Selecting text with the mouse: where a drag stands in a pane, and what it takes in.

Textual finds that by marks on everything that is drawn, which cost more than the drawing; here a pane is asked. What
is dragged over stays within the pane where it began: panes stand side by side, and a line of one has nothing to do
with that of its neighbour.
"""

from typing import TYPE_CHECKING, Any

from rich.style import Style
from textual.errors import NoWidget
from textual.geometry import Offset, clamp
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from studio.projections.layout.celltext import cell_width, cut
from studio.tui.messages import Said

if TYPE_CHECKING:
    from textual.screen import Screen
    from textual.scroll_view import ScrollView

    _Screen = Screen[Any]
    _Lines = ScrollView
else:
    _Screen = object
    _Lines = object

SELECTED = Style(reverse=True)
"""Look of what is selected, whatever the theme: it depends on no colour."""


class SelectableRows(_Lines):
    """Mixin for widgets made of rows: text can be selected in them."""

    def row_number(self, y: int) -> int:
        """Number of the row on a visible line."""
        return y + self.scroll_offset.y

    def row_text(self, number: int) -> str:
        """Text of the row with a number."""
        return self.draw_line(number - self.scroll_offset.y).text

    def draw_line(self, y: int) -> Strip:
        """Draw one visible line; what widgets define instead of Textual's ``render_line``."""
        raise NotImplementedError

    def spot(self, x: int, y: int) -> Offset:
        """Column and row number at a cell of the terminal; the nearest ones when it is beside the widget."""
        region = self.content_region
        column = clamp(x - region.x, 0, max(0, region.width - 1))
        line = clamp(y - region.y, 0, max(0, region.height - 1))
        return Offset(column, self.row_number(line))

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected text, as Textual asks for it: with what follows it."""
        if selection.start is None or selection.end is None:
            return None
        rows = []
        for number in range(selection.start.y, selection.end.y + 1):
            text = self.row_text(number)
            span = selection.get_span(number)
            if span is not None:
                first, end = span
                rows.append(cut(text, first, end if end >= 0 else cell_width(text)).rstrip())
        return "\n".join(rows), "\n"

    def show_selected(self, strip: Strip, y: int) -> Strip:
        """A drawn line with its selected part made visible."""
        selection = self.text_selection
        span = selection.get_span(self.row_number(y)) if selection is not None else None
        if span is None:
            return strip
        first, end = span
        length = strip.cell_length
        end = length if end < 0 else min(end, length)
        if first >= end:
            return strip
        before, inside, after = (strip.crop(0, first), strip.crop(first, end), strip.crop(end))
        return Strip.join([before, inside.apply_style(SELECTED), after])


class SelectsRows(_Screen):
    """Mixin, to stand before the Textual class: a screen whose panes are `SelectableRows`."""

    def get_widget_and_offset_at(self, x: int, y: int) -> tuple[Widget | None, Offset | None]:
        """The widget at a cell and the place in its content; while text is dragged over, of the widget it began in."""
        state = self._select_state
        widget: Widget | None = None
        if self._selecting and state is not None:
            widget = state.start.content_widget
        if widget is None:
            try:
                widget, _region = self.get_widget_at(x, y)
            except NoWidget:
                return None, None
        if isinstance(widget, SelectableRows):
            return widget, widget.spot(x, y)
        return super().get_widget_and_offset_at(x, y)

    def _key_escape(self) -> None:
        """Textual lets a selection go here, before what Escape is bound to could tell that there was one."""

    def on_text_selected(self) -> None:
        """A drag has ended: say what can be done with what it selected."""
        if self.get_selected_text():
            self.post_message(Said("ctrl+c copies what is selected, Esc lets it go"))
