"""The single lines of the screen: top line, notice line, footer."""

from collections.abc import Sequence

from rich.segment import Segment as RichSegment
from rich.style import Style
from textual import events
from textual.strip import Strip
from textual.widget import Widget

from studio.projections.layout import Segment
from studio.projections.screen.footer import Line as ScreenLine
from studio.tui.guard import GuardedLines
from studio.tui.messages import ActionCalled
from studio.tui.palette import Palette


def cursor_strip(strip: Strip, palette: Palette) -> Strip:
    """The row under the cursor: reversed in one colour, since a patchwork of its colours would be hard to read."""
    look = palette.style("cursor")
    bold = look + Style(bold=True)
    return Strip(
        [
            RichSegment(part.text, bold if part.style is not None and part.style.bold else look)
            for part in strip
        ],
        strip.cell_length,
    )


class Line(GuardedLines, Widget):
    """One row of styled text, or some; parts whose style starts with ``@`` call the action of that name."""

    DEFAULT_CSS = "Line { height: 1; background: transparent; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._rows: list[Sequence[Segment]] = []
        self._calls: list[tuple[int, int, str]] = []

    @property
    def palette(self) -> Palette:
        """Styles of the running theme."""
        palette = getattr(self.app, "palette", None)
        return palette if isinstance(palette, Palette) else Palette()

    def show(self, *rows: Sequence[Segment]) -> None:
        """Show other text; nothing is drawn when it is the same."""
        shown: list[Sequence[Segment]] = [tuple(row) for row in rows]
        if shown != self._rows:
            self._rows = shown
            self.refresh()

    def call_areas(self, areas: list[tuple[int, int, str]]) -> None:
        """Which columns call which action when clicked: (first, end, action)."""
        self._calls = areas

    def show_line(self, line: ScreenLine) -> None:
        """Show a row with what can be clicked in it."""
        self.show(line.row)
        self.call_areas(line.areas)

    def draw_line(self, y: int) -> Strip:
        """One row."""
        width = self.size.width
        if y >= len(self._rows):
            return Strip.blank(width)
        palette = self.palette
        parts = [RichSegment(part.text, palette.style(part.style)) for part in self._rows[y]]
        return Strip(parts).crop(0, width).extend_cell_length(width)

    def on_click(self, event: events.Click) -> None:
        """A click on a key hint is that key."""
        for first, end, action in self._calls:
            if first <= event.x < end:
                self.post_message(ActionCalled(action))
                return
