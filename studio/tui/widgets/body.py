"""The panes: which are on screen, where they stand, and which has the focus."""

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Literal

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widget import Widget

from studio.application.session import Session
from studio.projections.screen.panes import PANES, Arrangement, Pane, Place, arrange_panes
from studio.tui.guard import Guarded
from studio.tui.widgets.graph_pane import GraphPane
from studio.tui.widgets.inspector import Inspector
from studio.tui.widgets.log_pane import LogPane
from studio.tui.widgets.runs_pane import RunsPane

if TYPE_CHECKING:
    from studio.tui.widgets.table_pane import TablePane
    from studio.tui.widgets.timeline_pane import TimelinePane

Listing = Literal["table", "timeline"]
View = Literal["graph", "table", "timeline"]

VIEWS: tuple[View, ...] = ("graph", "table", "timeline")
"""In the order in which one key goes through them."""


class Body(Guarded, Widget):
    """Holds the panes and places them for the size of the terminal.

    Args:
        session: what is shown.
        on_arranged: called after the panes were placed anew because the focus or the zoom changed.
        ascii: draw with ASCII characters only.

    Attributes:
        current: the pane that has the focus.
        zoomed: whether it has the whole body.
        arrangement: how the panes stand.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "next_pane(1)", show=False),
        Binding("shift+tab", "next_pane(-1)", show=False),
        *[Binding(str(n), f"show_number({n})", show=False) for n in (1, 2, 3, 4)],
        Binding("J", "in_order(1)", show=False),
        Binding("K", "in_order(-1)", show=False),
    ]
    DEFAULT_CSS = "Body { height: 1fr; } Body > * { position: absolute; }"

    def __init__(
        self, session: Session, on_arranged: Callable[[], None], *, ascii: bool = False
    ) -> None:
        super().__init__(id="body")
        self.graph = GraphPane(id="graph", ascii=ascii)
        self.inspector = Inspector(id="inspector", ascii=ascii)
        self.log_pane = LogPane(id="log", ascii=ascii)
        self.runs = RunsPane(id="runs", ascii=ascii)
        self.current: Pane = "graph"
        self.zoomed = False
        self.arrangement: Arrangement = arrange_panes(80, 24, "graph", "inspector")
        self._side: Pane = "inspector"
        self._view: View = "graph"
        self._on_arranged = on_arranged
        self._session = session
        self._ascii = ascii
        self._table: TablePane | None = None
        self.timeline: TimelinePane | None = None

    def compose(self) -> ComposeResult:
        """The panes; those without a place are hidden, and table and timeline made when they first have one."""
        self.arrangement = arrange_panes(*self.app.size, self.current, self._side)
        if self.view == "table":
            self.listing("table")
        yield self.runs
        yield self.graph
        yield from self.listings
        yield self.inspector
        yield self.log_pane

    @property
    def view(self) -> View:
        """What stands in the second pane; only the table where there is little room."""
        return "table" if self.arrangement.size == "tiny" else self._view

    @property
    def listings(self) -> "tuple[TablePane, ...]":
        """The panes that show the run in rows instead of as a graph, as far as they were needed yet."""
        return tuple(one for one in (self._table, self.timeline) if one is not None)

    def listing(self, view: Listing) -> "TablePane":
        """The table or the timeline."""
        found = self._table if view == "table" else self.timeline
        if found is None:
            found = self._make(view)
            found.display = False
            found.show(self._session)
            found.select(self.graph.selected, tell=False)
            if self.is_mounted:
                self.mount(found, after=self.graph)
        return found

    def _make(self, view: Listing) -> "TablePane":
        # lazy: the graph is looked at first
        if view == "table":
            from studio.tui.widgets.table_pane import TablePane

            self._table = TablePane(id=view, ascii=self._ascii)
            return self._table
        from studio.tui.widgets.timeline_pane import TimelinePane

        self.timeline = TimelinePane(id=view, ascii=self._ascii)
        return self.timeline

    def pane(self, name: Pane) -> Widget:
        """The widget of a pane."""
        if name == "graph":
            return self.graph if self.view == "graph" else self.listing(self.view)
        return {"runs": self.runs, "inspector": self.inspector, "log": self.log_pane}[name]

    def pane_of(self, widget: Widget | None) -> Pane | None:
        """The pane that a widget is, or is inside of."""
        while widget is not None and widget is not self:
            if widget.id in PANES:
                return next(name for name in PANES if name == widget.id)
            if widget in self.listings:
                return "graph"
            parent = widget.parent
            widget = parent if isinstance(parent, Widget) else None
        return None

    def place_panes(self, width: int, height: int, *, news: int = 0) -> Arrangement:
        """Place the panes.

        Args:
            width: columns of the terminal.
            height: rows of the terminal.
            news: rows of the notice line; 0 without news.
        """
        self.arrangement = arrange_panes(
            width, height, self.current, self._side, zoomed=self.zoomed, news=news
        )
        places = self.arrangement.places
        shown = self.pane("graph")
        for widget in (self.graph, *self.listings):
            _put(widget, places.get("graph") if widget is shown else None)
        for name in ("runs", "inspector", "log"):
            _put(self.pane(name), places.get(name))
        focused = self.screen.focused
        if self.pane_of(focused) is not None and focused is not None and not focused.display:
            # Textual would hand the focus of a hidden widget to the next in line, whatever that is.
            self.screen.set_focus(self.pane(self.current))
        return self.arrangement

    def show_pane(self, name: Pane) -> None:
        """Bring a pane up and give it the focus."""
        self._enter(name)
        self._on_arranged()
        # At once, so that the next key finds the pane; `focus` would queue it.
        self.screen.set_focus(self.pane(name))

    def _enter(self, name: Pane) -> None:
        self.current = name
        if name == "graph":
            if self.arrangement.size in ("normal", "wide") and self._side == "runs":
                self._side = "inspector"
        elif name != "log" or self.arrangement.size in ("tall", "short", "tiny"):
            self._side = name

    def action_next_pane(self, step: int) -> None:
        """Go to the next or previous pane, whether it is on screen or not."""
        here = PANES.index(self.current)
        self.show_pane(PANES[(here + step) % len(PANES)])

    def action_show_number(self, number: int) -> None:
        """1 to 4: that pane."""
        self.show_pane(PANES[number - 1])

    def action_in_order(self, step: int) -> None:
        """J and K: the next or previous node in topological order, whatever pane has the focus."""
        self.graph.move_in_order(step)

    def toggle_zoom(self) -> None:
        """Give the focused pane the whole body, or put the others beside it again."""
        self.zoomed = not self.zoomed
        self.show_pane(self.current)

    def cycle_view(self) -> View:
        """The next of graph, table and timeline; the selection is shared."""
        return self.turn_to(VIEWS[(VIEWS.index(self.view) + 1) % len(VIEWS)])

    def turn_to(self, view: View) -> View:
        """Show the run as a graph, a table or a timeline."""
        self._view = view
        self.show_pane("graph")
        for listing in self.listings:
            if listing.display:
                listing.select(self.graph.selected, tell=False)
                listing.refresh_cells()
        return self._view

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """A click, too, brings the focus."""
        name = self.pane_of(event.widget)
        if name is not None and name != self.current:
            self._enter(name)
            self._on_arranged()


def _put(widget: Widget, place: Place | None) -> None:
    if place is None:
        widget.display = False
        return
    styles = widget.styles
    styles.width, styles.height = max(1, place.width), max(1, place.height)
    styles.offset = (place.x, place.y)
    widget.display = True
