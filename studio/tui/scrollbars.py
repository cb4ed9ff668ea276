"""Scroll bars for terminals that show ASCII only."""

from math import ceil

from rich.color import Color
from rich.segment import Segment, Segments
from rich.style import Style
from textual.scrollbar import ScrollBarRender

NO_COLOUR = Color.parse("default")
"""The bar is told by its characters alone."""


class AsciiScrollBar(ScrollBarRender):
    """A bar of ``#`` on ``|``; Textual's own uses block characters and background colours."""

    @classmethod
    def render_bar(
        cls,
        size: int = 25,
        virtual_size: float = 50,
        window_size: float = 20,
        position: float = 0,
        thickness: int = 1,
        vertical: bool = True,
        back_color: Color = NO_COLOUR,
        bar_color: Color = NO_COLOUR,
    ) -> Segments:
        """The cells of a bar, one segment each, with the actions that Textual's mouse handling looks for."""
        thumb = size
        start = 0
        if window_size and size and virtual_size > window_size:
            thumb = max(1, ceil(size * window_size / virtual_size))
            start = round((size - thumb) * position / (virtual_size - window_size))
        track = "|" if vertical else "-"
        cells = []
        for cell in range(size):
            if start <= cell < start + thumb:
                text, action = "#", "grab"
            else:
                text, action = track, "scroll_up" if cell < start else "scroll_down"
            style = Style(meta={"@mouse.down": action})
            cells.append(Segment(text * thickness if vertical else text, style))
        if vertical:
            return Segments(cells, new_lines=True)
        row = [*cells, Segment.line()]
        return Segments(row * thickness, new_lines=False)
