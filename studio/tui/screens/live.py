"""What keeps the panes and lines of the main screen in step with the session."""

from collections import deque
from collections.abc import Callable, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any

from textual import events
from textual.app import ComposeResult
from textual.screen import Screen
from textual.timer import Timer
from textual.worker import Worker

from studio.application.session import Changes, RunState, Session
from studio.application.session import Notice as Told
from studio.projections.masking import mask_run
from studio.projections.screen.actions import key_of
from studio.projections.screen.arrival import arrival
from studio.projections.screen.notices import KEPT, LONGEST, Notice, NoticeKind, notice_rows
from studio.projections.screen.rules import Situation
from studio.projections.screen.stale import open_questions
from studio.tui.attention import RESTORE_TITLE, SAVE_TITLE, Attention, terminal_writer
from studio.tui.guard import Guarded, report_worker
from studio.tui.hints import Hints
from studio.tui.messages import KeysWanted, NodeSelected, Said
from studio.tui.pacing import GATHER, Beat, Paced
from studio.tui.palette import Palette
from studio.tui.scrollbars import AsciiScrollBar
from studio.tui.selecting import SelectsRows
from studio.tui.widgets.body import Body
from studio.tui.widgets.chrome import Chrome
from studio.tui.widgets.lines import Line

if TYPE_CHECKING:
    from studio.application.session import NodeState
    from studio.projections.screen.news import Standing

TICK = 0.5
"""Seconds between two updates of durations and countdowns while a run moves; nothing ticks when none does."""

SOON_TO_TICK = 0.4
"""Seconds since that update after which a flush does it, too: a run that moves pays for one paint and not for two."""

CALM = 0.1
"""Seconds between the first picture and the loading of what it did without: a key typed ahead goes first."""

FADE = 8.0
"""Seconds a confirmation stays: long enough to read a full line twice."""


class LiveScreen(Guarded, Paced, SelectsRows, Screen[None]):
    """Panes and lines that follow the session; it knows no action.

    Args:
        session: what is shown; open.
        ascii: draw with ASCII characters only.

    Attributes:
        selected: path of the selected node or item.
        takes_keys: whether the panes show something that keys can act on.
        told: the last notices, oldest first.
    """

    AUTO_FOCUS = ""

    def __init__(self, session: Session, *, ascii: bool = False) -> None:
        super().__init__()
        self.session = session
        self.ascii = ascii
        self.body = Body(session, self.place, ascii=ascii)
        self.graph = self.body.graph
        self.inspector = self.body.inspector
        self.log_pane = self.body.log_pane
        self.runs = self.body.runs
        self.chrome = Chrome(ascii=ascii)
        self.notice_line = Line(id="notice")
        self.hints = Hints(session, ascii=ascii)
        self.selected: str | None = None
        self.takes_keys = False
        self.told: deque[Notice] = deque(maxlen=KEPT)
        self._news: NoticeKind | None = None
        self._news_rows = 0
        self._fading: Timer | None = None
        self._standing: Standing | None = None
        self._question = ""
        self._attention: Attention | None = None
        self._write: Callable[[str], None] = lambda text: None
        self._waking = False
        self._filled = False
        self._kept: dict[int, dict[str, int]] = {}
        self._flushing: Timer | None = None
        self._beat = Beat()
        self._ticking: Timer | None = None
        self._ticked = 0.0

    def compose(self) -> ComposeResult:
        """Top line, the panes' names, the panes, the selected node or news, the keys."""
        yield self.chrome.top
        yield self.chrome.tabs
        yield self.body
        yield self.chrome.detail
        yield self.notice_line
        yield self.chrome.foot

    def on_mount(self) -> None:
        """Show what there is, and listen."""
        self.set_class(self.ascii, "-ascii")
        palette = getattr(self.app, "palette", None)
        self.set_class(isinstance(palette, Palette) and not palette.colour, "-plain")
        if self.ascii:
            for pane in (self.inspector, self.log_pane, self.runs):
                bar = pane.vertical_scrollbar
                bar.renderer = AsciiScrollBar  # type: ignore[misc]  # the way its documentation names
        self.graph.on_cursor = self._select
        self.place()
        self.set_focus(self.body.pane("graph"))
        self.session.changed(whole=True, rows=True, files=True)
        self.session.on_change = self._on_change
        # At once: the first picture does not wait for others to share a flush with.
        self.call_after_refresh(self._draw_first)
        if self.hints.first_start:
            self.hints.remember()
        self._write = terminal_writer(self.app)
        self._write(SAVE_TITLE)
        self._attention = Attention(self._write)

    def on_unmount(self) -> None:
        """Give the terminal its title back."""
        self._write(RESTORE_TITLE)

    def on_resize(self, event: events.Resize) -> None:
        """Other panes fit another size, and news other lines."""
        # Also when it is the old size again: terminals move what stands in them while they are dragged.
        self.refresh()
        if self._news is not None:
            self._show_notice(self.told[-1].text, self._news)
        self.place()
        if self.body.arrangement.size == "tiny" and self._news in (None, "info"):
            width, height = event.size
            self.notice(f"{width}x{height}: from 60x15 on the graph is drawn", "info")

    def place(self) -> None:
        """Place the panes and lines for the size of the terminal and what has the focus."""
        width, height = self.app.size
        news = self._news is not None
        arrangement = self.body.place_panes(width, height, news=self._news_rows)
        self.chrome.tabs.display = arrangement.tabs
        self.chrome.detail.display = arrangement.detail and not news
        self.notice_line.styles.height = max(1, self._news_rows)
        self.notice_line.display = news
        self.call_after_refresh(self.draw_lines)

    # ----------------------------------------------------------------- changes

    def _on_change(self) -> None:
        """Flush soon. Called from tasks of the engine, which are not Textual's: the timer is set from a message."""
        if not self._waking:
            self._waking = True
            self.call_later(self._wake_up)

    def _wake_up(self) -> None:
        self._waking = False
        if self._flushing is None:
            wait = max(GATHER, self._beat.next() - monotonic())
            self._flushing = self.set_timer(wait, self._flush_in_time)

    def _draw_first(self) -> None:
        """Fill the panes, which have their sizes by now, and only then paint."""
        try:
            self._flush()
            self._select(self.graph.selected)
        finally:
            self._filled = True
            self.refresh()
            self.call_after_refresh(self.set_timer, CALM, self.session.drawn.set)

    def _compositor_refresh(self) -> None:
        """Textual calls this to paint, first of all before any pane has its content; that is left out."""
        if self._filled:
            begun = monotonic()
            super()._compositor_refresh()
            self._beat.painted(begun, monotonic())

    def _flush_in_time(self) -> None:
        self._flushing = None
        early = self._beat.next() - monotonic()
        if early > 0:  # the paint of the last one has come since the timer was set
            self._flushing = self.set_timer(early, self._flush_in_time)
        else:
            self._flush()

    def _flush(self) -> None:
        if self._flushing is not None:
            self._flushing.stop()  # one that was to come needs not come any more
            self._flushing = None
        if not self.is_mounted:
            return
        begun = monotonic()
        try:
            self._show_changes()
        finally:
            self._beat.flushed(begun, monotonic())
            if not self.takes_keys:
                self.takes_keys = True
                self.post_message(KeysWanted())

    def _show_changes(self) -> None:
        session = self.session
        changes = self._take_changes()
        for notice in changes.notices:
            self.notice(notice.text, notice.kind)
        told = changes.notices and changes.notices[-1].kind != "error"
        if told and self._question and self.asks():
            self.notice(self._question, "warning")
        self._tell_news()
        if changes.whole or changes.files:
            self.graph.say(self.hints.instead() if session.plan is None else [])
        if changes.whole:
            # The rows first: a node that the graph selects has to have one.
            for listing in self.body.listings:
                listing.show(session)
            self.graph.show(session)
            self.inspector.show(session, self.selected)
            self.log_pane.show(session, self.selected)
        elif changes.nodes:
            self.graph.refresh_cells(changes.nodes)
            for listing in self.body.listings:
                if listing.display:
                    listing.refresh_cells(changes.nodes)
            if self.selected in changes.nodes:
                self.inspector.show(session, self.selected)
        if changes.logs:
            self.log_pane.append(changes.logs)
        if changes.rows or changes.files or changes.whole:
            self.runs.show(session)
        if monotonic() > self._ticked + SOON_TO_TICK:
            self._refresh_moving()
        if self._attention is not None:
            self._attention.look(session, focused=self.app.app_focus)
        self.draw_lines()
        self._keep_ticking()

    def _take_changes(self) -> Changes:
        """What changed; a run that somebody else has started may be the one to be shown from now on."""
        session = self.session
        changes = session.take_changes()
        come = arrival(
            changes.started,
            session.rows,
            file=session.shown_file,
            run=session.run,
            busy=self.app.screen is not self,
        )
        if come is not None:
            self.runs.aim = come.found
            if come.show is not None:
                session.show_run(come.show)
                changes.whole = True
            changes.notices.append(Told(come.text))
        return changes

    def _tell_news(self) -> None:
        """Tell of nodes of the shown run that newly need a person, and of its end."""
        run = self.session.run
        if run is None:
            self._standing = None
            return
        # lazy: the first picture has nothing to compare a run with, and often no run
        from studio.projections.screen.news import gone_on, news_since, standing_of

        asks = self.asks()
        if gone_on(self._standing, run):
            self.hints.note_progress()
        keys = self.session.keymap.keys
        news = news_since(self._standing, run, self.selected, asks, keys, self._masked)
        self._standing = standing_of(run, asks)
        if news is not None:
            self.notice(news.text, news.kind)
            self._question = news.text if news.asks else ""

    def _masked(self, value: Any) -> Any:
        """A value of the shown run with what is sensitive covered."""
        run, state = self.session.run, self.session.engine_state
        return mask_run(state, run).value(value) if run is not None and state is not None else None

    def _keep_ticking(self) -> None:
        """Durations move only while a run does: an idle screen sets no timer."""
        run = self.session.run
        moving = run is not None and self.session.moves and (run.flying > 0 or run.waits > 0)
        if moving and self._ticking is None:
            wait = max(0.0, self._ticked + TICK - monotonic())
            self._ticking = self.set_timer(wait, self._tick)
        elif not moving:
            if self._ticking is not None:
                self._ticking.stop()
                self._ticking = None
            self.inspector.come_to_rest()

    def _tick(self) -> None:
        self._ticking = None
        if monotonic() >= self._ticked + SOON_TO_TICK:  # else a flush has done it meanwhile
            self._refresh_moving()
            self.draw_lines()
        self._keep_ticking()

    def _refresh_moving(self) -> None:
        self._ticked = monotonic()
        self.graph.refresh_moving()
        for listing in self.body.listings:
            if listing.display:
                listing.refresh_moving()
        self.runs.refresh_moving()

    def draw_lines(self) -> None:
        """Bring the lines, titles and hints up to date."""
        if not self.is_mounted:
            return
        self.chrome.draw(self.session, self.body, self.situation(), self.app.size.width)
        self.graph.hint(self.hints.beside())

    def notice(self, text: str, kind: NoticeKind = "info") -> None:
        """Put news on the notice line; an empty text takes it away.

        Args:
            text: what is told; as many lines as there is room for are shown, `told` keeps all.
            kind: its look; an error stays until Escape or newer news, the others until the next key. What only
                confirms goes by itself too: the run moves on, and it would be read as news of now.
        """
        if self._fading is not None:
            self._fading.stop()
            self._fading = None
        if text and kind in ("info", "good"):
            self._fading = self.set_timer(FADE, self._fade)
        text = text[:LONGEST]
        before = self._news_rows
        self._news = kind if text else None
        self._show_notice(text, kind)
        if text:
            self._note(text, kind)
        if self._news_rows != before:
            self.place()

    def _show_notice(self, text: str, kind: NoticeKind) -> None:
        key = key_of(self.session.keymap.keys, "notices")
        rows = notice_rows(text, kind, *self.app.size, key) if text else []
        self._news_rows = len(rows)
        self.notice_line.show(*rows)

    def _note(self, text: str, kind: NoticeKind) -> None:
        """Keep what was told; the same once more is counted."""
        times = 1
        if self.told and (self.told[-1].text, self.told[-1].kind) == (text, kind):
            times += self.told.pop().times
        self.told.append(Notice(self.session.now(), text, kind, times))

    def _fade(self) -> None:
        self._fading = None
        self.notice("")

    def on_key(self, event: events.Key) -> None:
        """News is read once a key is pressed; an error stays until Escape."""
        self._question = ""
        if self._news is not None and (self._news != "error" or event.key == "escape"):
            self.notice("")

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """What an action raised is news."""
        report_worker(event, self.app)

    # ----------------------------------------------------------------- the situation

    def situation(self) -> Situation:
        """What actions would act on."""
        session = self.session
        entry = session.files.get(session.shown_file or "")
        return Situation(
            session.run,
            self.node(),
            self.selected,
            session.shown_file,
            entry is not None and entry.plan is not None,
            session.live,
            session.edit_waits(),
            session.keymap.keys,
            self.asks(),
            any(row.needs and row.run != session.shown_run for row in session.rows),
            session.file_problem(),
            entry is not None,
        )

    def asks(self) -> list[str]:
        """Stale nodes of the shown run that may not run again unasked, and about which nobody has decided."""
        run = self.session.run
        return open_questions(run, self._kept.get(run.number, {})) if run is not None else []

    def keep(self, run: RunState, paths: Sequence[str]) -> None:
        """Nobody is to be asked about these stale nodes again, unless something makes them stale anew."""
        kept = self._kept.setdefault(run.number, {})
        kept.update({path: run.nodes[path].staled_position for path in paths})

    def node(self) -> "NodeState | None":
        """The selected node of the shown run."""
        run = self.session.run
        return run.nodes.get(self.selected) if run is not None and self.selected else None

    def target(self) -> tuple[int, str]:
        """Number of the shown run and path of the selected node."""
        run = self.session.run
        return (run.number if run is not None else 0), self.selected or ""

    def select(self, path: str) -> None:
        """Put every pane on a node or item."""
        self.graph.select(path)
        self._select(path)

    def _select(self, path: str | None) -> None:
        if path == self.selected:
            return
        self.selected = path
        for listing in self.body.listings:
            if listing.selected != path:
                listing.select(path, tell=False)
        self.inspector.show(self.session, path)
        self.log_pane.show(self.session, path)
        self.draw_lines()

    def on_said(self, message: Said) -> None:
        """A pane has something to say."""
        self.notice(message.text, "info")

    def on_graph_drawn(self) -> None:
        """The titles tell how the graph is drawn."""
        self.draw_lines()

    def on_node_selected(self, message: NodeSelected) -> None:
        """A row of the table or of a list was picked."""
        if message.path is not None:
            self.select(message.path)
