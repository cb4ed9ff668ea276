"""What keeps the screen alive: an error in a handler, timer or worker is shown, and the screen goes on.

Textual ends the application, or silences the widget, when a handler raises, and its own crash report prints local
variables (secrets among them). Every screen and widget of ours therefore dispatches through `Guarded`.
"""

from typing import TYPE_CHECKING, Any

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.worker import Worker, WorkerState

from studio.tui.selecting import SelectableRows

if TYPE_CHECKING:
    from textual.message_pump import MessagePump

    _Base = MessagePump
else:
    _Base = object


class Guarded(_Base):
    """Mixin, to stand before the Textual class: errors of handlers go to ``app.report``."""

    async def _dispatch_message(self, message: Message) -> None:
        try:
            await super()._dispatch_message(message)
        except Exception as error:
            report_to(self.app, error)


class GuardedLines(Guarded, SelectableRows):
    """Mixin for widgets that draw lines: one whose `draw_line` raises shows that in its place, and is told of once.

    Drawing happens in Textual's own timer, where an exception would leave the screen half painted.
    """

    _drawing_failed: str = ""
    _ground: Style | None = None
    _painted: tuple[Region, list[Strip]] | None = None

    def render_lines(self, crop: Region) -> list[Strip]:
        """Some lines for one paint; those of the paint before when no line has to be drawn again.

        Textual asks every widget for all its lines whenever one cell of the screen changes. It keeps drawn lines too,
        but finds out styles, titles and filters again for each paint, and that is most of what a small change costs.
        """
        drawn, before = self._styles_cache, self._painted
        clean = drawn._cache and not drawn._dirty_lines and drawn._width == self.outer_size.width
        if clean and before is not None and before[0] == crop:
            return before[1]
        self._ground = None
        lines = super().render_lines(crop)
        self._painted = (crop, lines)
        return lines

    def render_line(self, y: int) -> Strip:
        """One visible line, or a plain one where drawing failed."""
        try:
            # What is drawn names no background: the theme's own, or the terminal's, comes from the styles.
            if self._ground is None:
                self._ground = Style(bgcolor=self.rich_style.bgcolor)
            strip = self.draw_line(y).apply_style(self._ground)
            return self.show_selected(strip, y) if self.screen.selections else strip
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
            if text != self._drawing_failed:
                self._drawing_failed = text
                self.app.call_later(report_to, self.app, error)
            return Strip([Segment("?")]).extend_cell_length(max(1, self.size.width))


def report_worker(event: Worker.StateChanged, app: Any) -> None:
    """Hand the error of a worker that failed to the application; Textual tells only whoever started it."""
    error = event.worker.error
    if event.state == WorkerState.ERROR and isinstance(error, Exception):
        report_to(app, error)


def report_to(app: Any, error: Exception) -> None:
    """Hand an error to the application, whatever application it is."""
    report = getattr(app, "report", None)
    if report is None:
        raise error
    report(error)
