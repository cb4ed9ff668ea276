"""The table: nodes in topological order with a Gantt column; only what is visible is computed."""

from collections.abc import Iterable
from typing import ClassVar

from rich.segment import Segment as RichSegment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from studio.application.session import Plan, Session
from studio.projections.screen.picture import MOVING
from studio.projections.screen.table import (
    Row,
    head_row,
    name_cells,
    span_of,
    table_paths,
    table_row,
)
from studio.tui.guard import GuardedLines
from studio.tui.messages import NodeOpened, NodeSelected
from studio.tui.palette import Palette
from studio.tui.scrollbars import AsciiScrollBar
from studio.tui.widgets.lines import cursor_strip


class TablePane(GuardedLines, ScrollView, can_focus=True, inherit_bindings=False):
    """Stands in the place of the graph; the first line, with the titles, does not scroll.

    Args:
        ascii: draw with ASCII characters only.

    Attributes:
        selected: path of the node or item that the cursor is on.
    """

    NAME: ClassVar = "Table"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k,K", "step(-1)", show=False),
        Binding("down,j,J", "step(1)", show=False),
        Binding("g,home", "ends(False)", show=False),
        Binding("G,end", "ends(True)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
    ]
    DEFAULT_CSS = """
    TablePane { background: transparent; scrollbar-size-vertical: 1; scrollbar-size-horizontal: 0; }
    """

    def __init__(self, *, id: str | None = None, ascii: bool = False) -> None:
        super().__init__(id=id)
        self.selected: str | None = None
        self._ascii = ascii
        self._session: Session | None = None
        self._paths: list[str] = []
        self._places: dict[str, int] = {}
        self._rows: dict[str, Row] = {}
        self._names = 10
        self._span = 0.0
        self._titles = ("", "")

    def on_mount(self) -> None:
        """Draw the scroll bar as everything else."""
        if self._ascii:
            bar = self.vertical_scrollbar
            bar.renderer = AsciiScrollBar  # type: ignore[misc]  # the way its documentation names

    @property
    def legend(self) -> str:
        """What keys of its own do, for the border."""
        return ""

    def show(self, session: Session) -> None:
        """Show the session's run or workflow; out of sight only note it, as `on_show` makes up for it."""
        self._session = session
        if not self.display:
            return
        plan = session.plan
        self._paths = table_paths(plan, session.run) if plan is not None else []
        self._places = {path: place for place, path in enumerate(self._paths)}
        self._rows.clear()
        if plan is not None:
            self._names = name_cells(plan, plan.order, max(1, self.size.width))
        self._span = span_of(session.run, session.now())
        self.virtual_size = Size(self.size.width, len(self._paths) + 1)
        self.refresh()

    def set_titles(self, title: str, subtitle: str) -> None:
        """Write on the border."""
        if (title, subtitle) != self._titles:
            self._titles = (title, subtitle)
            self.border_title = Content(title)
            self.border_subtitle = Content(subtitle)

    def refresh_cells(self, paths: Iterable[str] | None = None) -> None:
        """Compute rows again, all or some."""
        session = self._session
        if session is None:
            return
        span = span_of(session.run, session.now())
        if paths is None or span != self._span:
            self._span = span
            self._rows.clear()
            self.refresh()
            return
        for path in paths:
            if self._rows.pop(path, None) is not None:
                self._refresh_row(self._places.get(path))

    def refresh_moving(self) -> None:
        """Durations and bars went on."""
        run = self._session.run if self._session is not None else None
        if run is not None:
            moving = [p for p in self._rows if p in run.nodes and run.nodes[p].status in MOVING]
            self.refresh_cells(moving)

    def _refresh_row(self, place: int | None) -> None:
        if place is not None:
            y = place - self.scroll_offset.y + 1
            if 1 <= y < self.size.height:
                self.refresh(Region(0, y, self.size.width, 1))

    # ----------------------------------------------------------------- the cursor

    def select(self, path: str | None, *, tell: bool = True) -> None:
        """Put the cursor on a row and bring it into view."""
        if path == self.selected:
            return
        old, self.selected = self.selected, path
        self._refresh_row(self._places.get(old) if old is not None else None)
        self._refresh_row(self._places.get(path) if path is not None else None)
        self.reveal()
        if tell:
            self.post_message(NodeSelected(path))

    def reveal(self) -> None:
        """Scroll so that the cursor is visible."""
        place = self._places.get(self.selected or "")
        if place is None:
            return
        top, height = self.scroll_offset.y, max(1, self.size.height - 1)
        if place < top:
            self.scroll_to(y=place, animate=False, force=True)
        elif place >= top + height:
            self.scroll_to(y=place - height + 1, animate=False, force=True)

    def action_step(self, step: int) -> None:
        """Go up or down."""
        if self._paths:
            here = self._places.get(self.selected or "", -1 if step > 0 else 0)
            self.select(self._paths[min(max(here + step, 0), len(self._paths) - 1)])

    def action_page(self, step: int) -> None:
        """Go a screen up or down."""
        self.action_step(step * max(1, self.size.height - 2))

    def action_ends(self, last: bool) -> None:
        """Go to the first or last row."""
        if self._paths:
            self.select(self._paths[-1 if last else 0])

    # ----------------------------------------------------------------- drawing

    @property
    def palette(self) -> Palette:
        """Styles of the running theme."""
        palette = getattr(self.app, "palette", None)
        return palette if isinstance(palette, Palette) else Palette()

    def _row(self, path: str) -> Row:
        row = self._rows.get(path)
        session = self._session
        if row is None and session is not None and session.plan is not None:
            row = self._rows[path] = self.make_row(session, session.plan, path)
        return row or []

    def make_row(self, session: Session, plan: Plan, path: str) -> Row:
        """One row, as it is now."""
        return table_row(
            plan,
            session.run,
            path,
            session.now(),
            names=self._names,
            span=self._span,
            width=self.size.width,
            ascii=self._ascii,
        )

    def make_head(self) -> Row:
        """The line above the rows."""
        return head_row(self._names, self._span, self.size.width)

    def draw_line(self, y: int) -> Strip:
        """The titles, or one row."""
        width = self.size.width
        place = y - 1 + self.scroll_offset.y
        if y == 0:
            row = self.make_head()
            path = None
        elif place < len(self._paths):
            path = self._paths[place]
            row = self._row(path)
        else:
            return Strip.blank(width)
        style = self.palette.style
        parts = [RichSegment(text, style(look)) for text, look in row]
        strip = Strip(parts).crop(0, width).extend_cell_length(width)
        if path is not None and path == self.selected:
            if self.has_focus:
                return cursor_strip(strip, self.palette)
            strip = strip.apply_style(Style(bold=True))
        return strip

    def on_show(self) -> None:
        """Make up for what was not drawn out of sight."""
        if self._session is not None:
            self.show(self._session)
            self.call_after_refresh(self.reveal)

    def on_resize(self, event: events.Resize) -> None:
        """Other widths."""
        if self._session is not None:
            self.show(self._session)
            self.call_after_refresh(self.reveal)

    def on_focus(self) -> None:
        """The cursor looks different with the focus."""
        self.refresh()

    def on_blur(self) -> None:
        """The cursor looks different without the focus."""
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """A click selects; a double click opens."""
        at = event.get_content_offset(self)
        if at is None:
            return
        place = at.y - 1 + self.scroll_offset.y
        if at.y >= 1 and place < len(self._paths):
            self.select(self._paths[place])
            if event.chain == 2:
                self.post_message(NodeOpened(self._paths[place]))
