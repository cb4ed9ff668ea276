"""The timeline: every attempt of every node on a line of time, and a cursor that goes back in it."""

from collections.abc import Iterable
from typing import ClassVar, Final

from textual.binding import Binding, BindingType
from textual.timer import Timer

from studio.application.session import Plan, Session
from studio.projections.screen.runs import last_good_run
from studio.projections.screen.table import Row
from studio.projections.screen.timeline import (
    Scale,
    axis_row,
    scale_of,
    stretches_of,
    timeline_row,
    usual_times,
)
from studio.tui.widgets.attempt_history import AttemptHistory
from studio.tui.widgets.table_pane import TablePane

SOON: Final = 0.01
"""Seconds until the next slice of a long history is read."""


class TimelinePane(TablePane):
    """Rows as in the table; left and right move a cursor through the time of the run.

    Attributes:
        cursor: the moment that is looked at, seconds since the epoch; None is now.
    """

    NAME: ClassVar = "Timeline"
    BINDINGS: ClassVar[list[BindingType]] = [
        *TablePane.BINDINGS,
        Binding("left,h", "travel(-1)", show=False),
        Binding("right,l", "travel(1)", show=False),
    ]
    DEFAULT_CSS = """
    TimelinePane { background: transparent; scrollbar-size-vertical: 1; scrollbar-size-horizontal: 0; }
    """

    def __init__(self, *, id: str | None = None, ascii: bool = False) -> None:
        super().__init__(id=id, ascii=ascii)
        self.cursor: float | None = None
        self._run: int | None = None
        self._history = AttemptHistory()
        self._former = AttemptHistory()
        self._usual: dict[str, float] = {}
        self._reading: Timer | None = None

    @property
    def legend(self) -> str:
        """What left and right do, for the border."""
        if self._session is None or self._session.run is None:
            return ""
        return "esc now" if self.cursor is not None else "← → time"

    def show(self, session: Session) -> None:
        """Show the session's run."""
        if session.shown_run != self._run:
            self._run = session.shown_run
            self.cursor = None
            self._history.turn_to(self._run)
            run = session.run
            self._former.turn_to(last_good_run(session.rows, run) if run is not None else None)
            self._usual = {}
        super().show(session)
        self._read()

    def refresh_cells(self, paths: Iterable[str] | None = None) -> None:
        """Compute rows again, all or some."""
        self._read()
        super().refresh_cells(paths)

    def _read(self) -> None:
        """Bring the attempts up to date; a long history goes on in a moment, and nothing is read out of sight."""
        session = self._session
        if session is None or not self.display:
            return
        self._history.read(session)
        if not self._usual:
            self._former.read(session)
            if self._former.complete:
                self._usual = usual_times(self._former.book)
        complete = self._history.complete and self._former.complete
        if not complete and self._reading is None:
            self._reading = self.set_timer(SOON, self._read_on)

    def _read_on(self) -> None:
        self._reading = None
        self.refresh_cells()

    # ----------------------------------------------------------------- time

    def _scale(self) -> Scale | None:
        session = self._session
        if session is None:
            return None
        return scale_of(session.run, session.now(), self._names, self.size.width)

    def action_travel(self, step: int) -> None:
        """Go back or on in time; going on past the newest moment returns to now."""
        session, scale = self._session, self._scale()
        if session is None or session.run is None or scale is None:
            return
        end = session.run.finished_at
        last = scale.cell(end if end is not None else session.now())
        here = scale.cell(self.cursor) if self.cursor is not None else last + 1
        cell = here + step
        self.cursor = None if cell > last else scale.moment(max(0, cell))
        self.refresh_cells()

    def return_to_now(self) -> None:
        """Show again how things stand."""
        self.cursor = None
        self.refresh_cells()

    # ----------------------------------------------------------------- drawing

    def make_row(self, session: Session, plan: Plan, path: str) -> Row:
        """One row, as it is now or was at the cursor."""
        run = session.run
        lines = self._history.book.of(path)
        return timeline_row(
            plan,
            run,
            path,
            stretches_of(plan, run, path, lines, session.now()) if run is not None else (),
            names=self._names,
            scale=self._scale(),
            cursor=self.cursor,
            usual=self._usual.get(path),
            ascii=self._ascii,
        )

    def make_head(self) -> Row:
        """Moments of the line of time."""
        return axis_row(self._scale(), self._names, self.cursor, ascii=self._ascii)
