"""The main screen: lays the panes out by the size of the terminal, flushes changes, carries out actions."""

from typing import TYPE_CHECKING, ClassVar, Literal

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.timer import Timer

from studio.application.session import AnyCommand, Session
from studio.projections.layout import Segment
from studio.projections.screen.actions import ACTIONS, BY_ID, Situation, key_name
from studio.projections.screen.footer import footer
from studio.projections.screen.top_line import fit_row, plan_line, run_line
from studio.tui.guard import Guarded, report_to
from studio.tui.messages import ActionCalled, FileChosen, NodeOpened, NodeSelected, RunChosen
from studio.tui.verbs.table import VERBS, Verb
from studio.tui.verbs.viewing import open_menu
from studio.tui.widgets.graph_pane import GraphPane
from studio.tui.widgets.inspector import Inspector
from studio.tui.widgets.lines import Line
from studio.tui.widgets.log_pane import LogPane
from studio.tui.widgets.runs_pane import RunsPane

if TYPE_CHECKING:
    from studio.application.session import NodeState

FLUSH = 0.05
"""Seconds between two flushes of changes while something happens (architecture.md, "Graph widget": 20 Hz)."""

TICK = 0.5
"""Seconds between two updates of durations and countdowns while a run moves; nothing ticks when none does."""

PANES = ("runs", "graph", "inspector", "log")


class MainScreen(Guarded, Screen[None]):
    """Panes, lines and keys.

    Args:
        session: what is shown; open.
        ascii: draw with ASCII characters only.
    """

    CSS_PATH = "../styles/main.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        *[Binding(",".join(a.keys), f"act('{a.id}')", a.label, show=False) for a in ACTIONS],
        Binding("tab", "next_pane(1)", show=False),
        Binding("shift+tab", "next_pane(-1)", show=False),
        *[Binding(str(n), f"focus_pane({n})", show=False) for n in (1, 2, 3, 4)],
        Binding("up,k", "go('up')", show=False),
        Binding("down,j", "go('down')", show=False),
        Binding("left,h", "go('left')", show=False),
        Binding("right,l", "go('right')", show=False),
        Binding("J", "in_order(1)", show=False),
        Binding("K", "in_order(-1)", show=False),
        Binding("g,home", "ends(False)", show=False),
        Binding("G,end", "ends(True)", show=False),
        Binding("enter", "open", show=False),
        Binding("escape", "back", show=False),
    ]

    def __init__(self, session: Session, *, ascii: bool = False) -> None:
        super().__init__()
        self.session = session
        self.ascii = ascii
        self.graph = GraphPane(id="graph", ascii=ascii)
        self.inspector = Inspector(id="inspector", ascii=ascii)
        self.log_pane = LogPane(id="log", ascii=ascii)
        self.runs = RunsPane(id="runs", ascii=ascii)
        self.top = Line(id="top")
        self.notice_line = Line(id="notice")
        self.foot = Line(id="foot")
        self.selected: str | None = None
        self._flushing: Timer | None = None
        self._ticking: Timer | None = None

    def compose(self) -> ComposeResult:
        """Top line, the panes, notice line, footer."""
        yield self.top
        with Horizontal(id="body"):
            yield self.runs
            with Vertical(id="middle"):
                with Horizontal(id="upper"):
                    yield self.graph
                    yield self.inspector
                yield self.log_pane
        yield self.notice_line
        yield self.foot

    def on_mount(self) -> None:
        """Show what there is, and listen."""
        self.session.on_change = self._on_change
        self._classify(self.app.size.width, self.app.size.height)
        self.graph.focus()
        self.session.changed(whole=True, rows=True, files=True)

    def on_resize(self, event: events.Resize) -> None:
        """Other panes fit another size."""
        self._classify(event.size.width, event.size.height)
        self.call_after_refresh(self._draw_lines)

    def _classify(self, width: int, height: int) -> None:
        wide = "wide" if width >= 160 and height >= 40 else "normal" if width >= 100 else "small"
        self.set_class(wide == "wide", "-wide")
        self.set_class(wide == "normal", "-normal")
        self.set_class(wide == "small", "-small")

    # ----------------------------------------------------------------- changes

    def _on_change(self) -> None:
        if self._flushing is None:
            self._flushing = self.set_timer(FLUSH, self._flush)

    def _flush(self) -> None:
        self._flushing = None
        if not self.is_mounted:
            return
        changes = self.session.take_changes()
        if changes.whole:
            self.graph.show(self.session)
            self.inspector.show(self.session, self.selected)
            self.log_pane.show(self.session, self.selected)
        elif changes.nodes:
            self.graph.refresh_cells(changes.nodes)
            if self.selected in changes.nodes:
                self.inspector.show(self.session, self.selected)
        if changes.logs:
            self.log_pane.append(changes.logs)
        if changes.rows or changes.files:
            self.runs.show(self.session)
        for notice in changes.notices:
            self.notice(notice.text, notice.kind)
        self._draw_lines()
        self._keep_ticking()

    def _keep_ticking(self) -> None:
        """Durations move only while a run does: an idle screen sets no timer."""
        run = self.session.run
        moving = run is not None and not run.ended and (run.flying > 0 or run.waits > 0)
        if moving and self._ticking is None:
            self._ticking = self.set_timer(TICK, self._tick)

    def _tick(self) -> None:
        self._ticking = None
        self.graph.refresh_cells()
        self._draw_lines()
        self._keep_ticking()

    def _draw_lines(self) -> None:
        session, width = self.session, self.size.width
        others = sum(row.needs > 0 and row.run != session.shown_run for row in session.rows)
        run = session.run
        if run is not None:
            self.top.show(
                run_line(run, session.now(), width, others, driven=session.live, ascii=self.ascii)
            )
        else:
            entry = session.files.get(session.shown_file or "")
            name = entry.name if entry is not None else "Workflow Studio"
            self.top.show(plan_line(session.plan, name, width, others, ascii=self.ascii))
        row, areas = footer(self.situation(), width)
        self.foot.show(row)
        self.foot.call_areas(areas)

    def notice(self, text: str, kind: Literal["info", "good", "warning", "error"] = "info") -> None:
        """Put news on the notice line."""
        style = {"info": "text", "good": "good", "warning": "warn", "error": "bad"}[kind]
        self.notice_line.show(fit_row([Segment(f" {text}", style)], max(1, self.size.width)))
        self.notice_line.display = bool(text)

    # ----------------------------------------------------------------- the situation

    def situation(self) -> Situation:
        """What actions would act on."""
        session = self.session
        run = session.run
        node = run.nodes.get(self.selected) if run is not None and self.selected else None
        entry = session.files.get(session.shown_file or "")
        return Situation(
            run,
            node,
            self.selected,
            session.shown_file,
            entry is not None and entry.plan is not None,
            session.live,
        )

    def node(self) -> "NodeState | None":
        """The selected node of the shown run."""
        run = self.session.run
        return run.nodes.get(self.selected) if run is not None and self.selected else None

    def target(self) -> tuple[int, str]:
        """Number of the shown run and path of the selected node."""
        run = self.session.run
        return (run.number if run is not None else 0), self.selected or ""

    async def send(self, command: AnyCommand, done: str) -> bool:
        """Send a verb; say what came of it. Returns whether it was taken."""
        refusal = await self.session.send(command)
        if refusal is not None:
            self.notice(str(refusal), "warning")
            return False
        self.notice(done, "info")
        return True

    def select(self, path: str) -> None:
        """Put every pane on a node or item."""
        self.graph.select(path)
        if path != self.selected:
            self._select(path)

    def _select(self, path: str | None) -> None:
        self.selected = path
        self.inspector.show(self.session, path)
        self.log_pane.show(self.session, path)
        self._draw_lines()

    # ----------------------------------------------------------------- messages and keys

    def on_node_selected(self, message: NodeSelected) -> None:
        """The cursor of the graph moved."""
        self._select(message.path)

    def on_node_opened(self, message: NodeOpened) -> None:
        """Enter or a double click."""
        self._select(message.path)
        self.inspector.focus()

    def on_run_chosen(self, message: RunChosen) -> None:
        """Show a run."""
        self.session.show_run(message.run)
        self.graph.focus()

    def on_file_chosen(self, message: FileChosen) -> None:
        """Show a workflow."""
        self.session.show_file(message.path)
        self.graph.focus()

    async def on_action_called(self, message: ActionCalled) -> None:
        """A footer key or a menu entry was clicked."""
        await self.action_act(message.action)

    async def action_act(self, name: str) -> None:
        """Carry out an action of the table, or say why it does not apply."""
        action = BY_ID[name]
        why_not = action.rule(self.situation())
        if why_not is not None:
            self.notice(f"{key_name(action.keys[0])}: {why_not}", "warning")
            return
        # In a worker, so that a verb may wait for a dialog while the screen goes on.
        self.run_worker(self._carry_out(VERBS[name]), group=name, exclusive=True)

    async def _carry_out(self, verb: Verb) -> None:
        try:
            await verb(self)
        except Exception as error:
            report_to(self.app, error)

    def action_go(self, heading: Literal["up", "down", "left", "right"]) -> None:
        """Arrow keys: along edges in the graph, rows in lists, tabs in the inspector."""
        focused = self.focused
        if focused is self.runs:
            if heading in ("up", "down"):
                self.runs.move(1 if heading == "down" else -1)
        elif focused is self.inspector:
            if heading in ("left", "right"):
                self.inspector.change_tab(1 if heading == "right" else -1)
            else:
                self.inspector.scroll_relative(y=1 if heading == "down" else -1, animate=False)
        elif focused is self.log_pane:
            self.log_pane.follow = False
            self.log_pane.scroll_relative(y=1 if heading == "down" else -1, animate=False)
        else:
            self.graph.move(heading)

    def action_in_order(self, step: int) -> None:
        """J and K: next and previous in topological order."""
        self.graph.move_in_order(step)

    def action_ends(self, last: bool) -> None:
        """g and G: the ends of what is focused."""
        if self.focused in (None, self.graph):
            self.graph.go_to_end(last)
        elif last:
            self.focused.scroll_end(animate=False)
        else:
            self.focused.scroll_home(animate=False)

    def action_open(self) -> None:
        """Enter."""
        if self.focused is self.runs:
            self.runs.choose()
        elif self.selected is not None:
            self.run_worker(self._carry_out(open_menu), group="menu", exclusive=True)

    def action_back(self) -> None:
        """Escape: one level back, to the graph."""
        self.graph.focus()

    def action_next_pane(self, step: int) -> None:
        """Tab: the next visible pane."""
        panes = [self.query_one(f"#{name}") for name in PANES]
        shown = [pane for pane in panes if pane.display and pane.size.area]
        here = shown.index(self.focused) if self.focused in shown else 0
        shown[(here + step) % len(shown)].focus()

    def show_pane(self, name: str) -> None:
        """Bring a pane up and focus it."""
        self.query_one(f"#{name}").focus()

    def action_focus_pane(self, number: int) -> None:
        """1 to 4: that pane."""
        self.query_one(f"#{PANES[number - 1]}").focus()
