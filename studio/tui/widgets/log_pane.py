"""The log of the selected node, or of the whole run."""

from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from textual.binding import Binding, BindingType
from textual.timer import Timer
from textual.worker import get_current_worker

from studio.application.session import Session
from studio.projections.layout import Segment
from studio.projections.screen.actions import key_of, no_run_text
from studio.projections.screen.log import (
    CAPACITY,
    LEVELS,
    KeyLike,
    LineLike,
    LogBuffer,
    subtitle,
)
from studio.tui.messages import Said
from studio.tui.widgets.local_time import exact_time, local_time
from studio.tui.widgets.paged_view import PagedView, Row
from studio.tui.widgets.stored_log import Batch, Stored, read_stored, unread

POLL: Final = 1.0
"""Seconds between two looks at the logs of a run that another process drives."""


class LogPane(PagedView):
    """Follows the selection: a node, all items of a foreach, a group, or the run with the names of its nodes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("W", "wrap", show=False),
        Binding("number_sign", "time", show=False),
        Binding("percent_sign", "level", show=False),
        Binding("exclamation_mark", "first_error", show=False),
    ]

    def __init__(self, *, id: str | None = None, ascii: bool = False) -> None:
        super().__init__(id=id, ascii=ascii)
        self.set_title("4 Log")
        self.follow = True
        self.buffer = LogBuffer(local_time, exact_time, ascii=ascii)
        self._session: Session | None = None
        self._path: str | None = None
        self._run: int | None = None
        self._problem = ""
        self._reading = False
        self._waiting: list[Batch] = []
        self._seen: dict[KeyLike, int] = {}
        self._last: dict[KeyLike, tuple[float, int]] = {}
        self._polling: Timer | None = None
        self._found = -1
        self._attempt = ""

    # ----------------------------------------------------------------- what is shown

    def show(self, session: Session, path: str | None) -> None:
        """Show what a node, a foreach with its items, a group or (with None) the whole run wrote."""
        if (session.shown_run, path) == (self._run, self._path) and session is self._session:
            return
        self._session, self._path, self._run = session, path, session.shown_run
        self._problem = ""
        self._waiting = []
        self._seen = {}
        self._last = {}
        self._found = -1
        self._attempt = ""
        self.follow = True
        self.buffer.clear()
        self.buffer.set_view(
            self.buffer.view._replace(width=max(20, self.row_cells), named=self._several())
        )
        self.set_title(self._title())
        self._draw()
        if self._run is not None:
            self._read()

    def _several(self) -> bool:
        """Whether the lines of more than one node are shown."""
        plan = self._session.plan if self._session is not None else None
        node = plan.nodes.get(self._path) if plan is not None and self._path else None
        if node is not None:
            return node.expand is not None
        return self._path is None or not self._path.endswith("]")

    def _title(self) -> str:
        if self._path is not None:
            last = "" if self.buffer.view.named else self._attempt
            return f"4 Log  {self._path.removeprefix('group:')}{last}"
        return f"4 Log  run {self._run}" if self._run is not None else "4 Log"

    def wants(self, node: str) -> bool:
        """Whether the lines of a node or item are part of what is shown."""
        path, plan = self._path, self._session.plan if self._session is not None else None
        if path is None or node == path or node.startswith(f"{path}["):
            return True
        if path.startswith("group:") and plan is not None and plan.knows(node):
            return plan.node(node).node.group == path.removeprefix("group:")
        return False

    # ----------------------------------------------------------------- filling

    def _read(self) -> None:
        """Fetch what is on disk, in a thread: logs may be long and disks slow."""
        session, run = self._session, self._run
        if session is None or run is None:
            return
        self._reading = True
        reading, wants, several = session.studio.reading, self.wants, self.buffer.view.named
        seen, path = dict(self._seen), self._path

        def take(found: Stored) -> None:
            # Another log may have been asked for since the thread handed this one over.
            if (self._run, self._path) == (run, path):
                self._take_stored(found)

        cover = session.cover()

        def fetch() -> None:
            found = read_stored(reading, run, wants, seen, by_time=several, cover=cover)
            if not get_current_worker().is_cancelled:
                self.app.call_from_thread(take, found)

        self.run_worker(fetch, name="log", group="log", exclusive=True, thread=True)

    def _take_stored(self, found: Stored) -> None:
        self._reading = False
        self._problem = found.problem
        self.buffer.dropped += found.skipped
        self._seen = found.seen
        for key, lines in found.batches:
            self._add(key, lines)
        self._last.update(found.last)
        for key, lines in self._waiting:
            self._take(key, lines)
        self._waiting = []
        self._draw()
        self._keep_polling()

    def append(self, logs: Sequence[Batch]) -> None:
        """Lines came in; those of other nodes are passed over."""
        gone = 0
        for key, lines in logs:
            if key.run != self._run or not self.wants(key.node):
                continue
            if self._reading:
                self._waiting.append((key, lines))
            else:
                gone += self._take(key, lines)
        if self._reading:
            return
        if gone and not self.follow:
            self.scroll_to(y=max(0, self.scroll_offset.y - gone), animate=False)
        self._draw()

    def _take(self, key: KeyLike, lines: Sequence[LineLike]) -> int:
        """Add news, those lines aside that were read from disk already. Returns the rows let go at the top."""
        if key in self._last:
            lines = unread(lines, self._last[key])
            if lines:
                del self._last[key]
        return self._add(key, lines) if lines else 0

    def _add(self, key: KeyLike, lines: Sequence[LineLike]) -> int:
        attempt = f"  {'undo ' if key.undo else ''}attempt {key.attempt}"
        if attempt != self._attempt:
            self._attempt = attempt
            self.set_title(self._title())
        return self.buffer.append(key, lines)

    def _keep_polling(self) -> None:
        """No news of lines comes from another process: look at the disk again while its run goes on."""
        session = self._session
        run = session.run if session is not None else None
        if session is None or session.studio.owns or run is None or run.ended:
            return
        if self._polling is not None:
            self._polling.stop()
        self._polling = self.set_timer(POLL, self._read)

    # ----------------------------------------------------------------- drawing

    def _draw(self) -> None:
        self.lay([], max(1, len(self.buffer)))
        if self.follow:
            self.scroll_to(y=self.max_scroll_y, animate=False, force=True)
        self._tell()

    def _tell(self) -> None:
        self.set_subtitle(
            subtitle(
                self.buffer.view,
                self.follow,
                self.buffer.dropped,
                len(self.buffer),
                find=self._find_key(),
                ascii=self._ascii,
            )
        )

    def _find_key(self) -> str:
        return key_of(self._session.keymap.keys if self._session is not None else {}, "find")

    def row_at(self, index: int) -> Row:
        """One row of the log."""
        if not len(self.buffer):
            return [Segment(self._empty(), "dim")]
        return self.buffer.row(index) if index < len(self.buffer) else []

    def _empty(self) -> str:
        if self._problem:
            return self._problem
        if self._reading:
            return "reading…" if not self._ascii else "reading..."
        if self._run is None:
            session = self._session
            if session is None or session.plan is None:
                return ""
            return no_run_text(session.keymap.keys)
        return "it wrote nothing" if self._path is not None else "nothing was written in this run"

    def on_resize(self) -> None:
        """Measure anew."""
        self.buffer.set_view(self.buffer.view._replace(width=max(20, self.row_cells)))
        self._draw()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Whoever scrolls up stops following; at the end it follows again."""
        super().watch_scroll_y(old_value, new_value)
        follow = new_value >= self.max_scroll_y
        if follow != self.follow:
            self.follow = follow
            self._tell()

    # ----------------------------------------------------------------- keys

    def _keep_place(self, change: Callable[[], None]) -> None:
        """Change the view; who follows goes on following, others stay about where they were."""
        total, top, follow = max(1, len(self.buffer)), self.scroll_offset.y, self.follow
        change()
        self._found = -1
        self.follow = follow
        self._draw()
        if not follow:
            self.scroll_to(y=top * max(1, len(self.buffer)) // total, animate=False)

    def action_wrap(self) -> None:
        """W: whether long lines go on in the next row."""
        view = self.buffer.view
        self._keep_place(lambda: self.buffer.set_view(view._replace(wrap=not view.wrap)))

    def action_time(self) -> None:
        """#: whether the time stands before each line."""
        view = self.buffer.view
        self._keep_place(lambda: self.buffer.set_view(view._replace(time=not view.time)))

    def action_level(self) -> None:
        """%: the lowest level shown, one up; after ``error`` everything again."""
        view = self.buffer.view
        level = LEVELS[(LEVELS.index(view.level) + 1) % len(LEVELS)]
        self._keep_place(lambda: self.buffer.set_view(view._replace(level=level)))

    def action_first_error(self) -> None:
        """!: the first line that tells of an error; again: the next one."""
        row = self.buffer.first_error(self._found)
        if row is not None:
            self._go_to(row)
        else:
            self.post_message(Said("no line of this log tells of an error"))

    def search(self, text: str, direction: int = 1) -> bool:
        """Go to the next line that holds a text, also beyond what is in view, and mark it.

        Args:
            text: looked for, case aside; empty unmarks.
            direction: 1 towards newer lines, -1 towards older ones.
        """
        row = self.buffer.find(
            text, self._found if direction > 0 else max(0, self._found), direction
        )
        self.refresh()
        if row is None:
            return False
        self._go_to(row)
        return True

    def missed(self, text: str) -> str:
        """What is said when a search finds nothing."""
        said = super().missed(text)
        if self.buffer.dropped:
            return f"{said} in its last {self.buffer.lines:,} lines: | opens all of them"
        return said

    def _go_to(self, row: int) -> None:
        self._found = row
        self.follow = False
        self.scroll_to(y=min(row, self.max_scroll_y), animate=False, force=True)
        self._tell()

    def text(self) -> str:
        """What is shown as plain text, its newest lines, for copying."""
        return self.buffer.text(CAPACITY)
