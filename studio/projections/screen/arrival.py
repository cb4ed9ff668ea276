"""A run that somebody else has started: whether the screen goes to it, and what the person is told."""

from collections.abc import Sequence

import msgspec

from studio.core.state import RunState
from studio.projections.layout import clean
from studio.projections.listing import RowLike


class Arrival(msgspec.Struct, frozen=True):
    """What comes of runs that were started elsewhere.

    Args:
        text: what the person is told.
        show: number of the run that the screen goes to, None to stay.
        found: number of the run that the list of runs should have its cursor on.
    """

    text: str
    show: int | None
    found: int


def arrival(
    started: Sequence[RowLike],
    rows: Sequence[RowLike],
    *,
    file: str | None,
    run: RunState | None,
    busy: bool,
) -> Arrival | None:
    """What to do about new runs; None when there is none.

    The screen goes to a run of the shown workflow where nothing is lost by that: none of its runs is shown, or the last
    one is, and has ended. Who looks at a run that is open, or at an old one, stays there.

    Args:
        started: the new runs, oldest first.
        rows: all runs, newest first, the new ones among them.
        file: path of the shown workflow.
        run: the shown run.
        busy: whether a dialog is open: it is about what is shown.
    """
    if not started:
        return None
    newest = next((row for row in reversed(started) if row.file == file), started[-1])
    follows = newest.file == file and not busy
    if follows and run is not None:
        new = {row.run for row in started}
        before = next((row.run for row in rows if row.file == file and row.run not in new), None)
        follows = run.ended and before in (None, run.number)
    who = f" by {clean(newest.actor)}" if newest.actor else ""
    if follows:
        return Arrival(f"run {newest.run} was started elsewhere{who}", newest.run, newest.run)
    if len(started) > 1:
        text = f"{len(started)} runs were started elsewhere: 1 lists them"
    else:
        text = f"run {newest.run} ({clean(newest.workflow)}) was started elsewhere{who}: 1, enter shows it"
    return Arrival(text, None, newest.run)
