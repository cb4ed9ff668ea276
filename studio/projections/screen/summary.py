"""What stays in the scrollback after the screen has closed: what ran, what needs a person, how to go on."""

from collections.abc import Callable, Sequence

from studio.projections.listing import RowLike, seconds_taken
from studio.projections.screen.graph import duration_text
from studio.projections.states import RUN_LOOKS
from studio.projections.text import sanitise

SHOWN = 6
"""Runs that are listed; the rest is counted."""

NAME_CELLS = 24
"""Cells for the name of a workflow."""


def interrupted_runs(rows: Sequence[RowLike], drives: Callable[[int], bool]) -> list[RowLike]:
    """Runs that are open, and that nothing but an engine would get on: nobody drives them, and no person is asked.

    Args:
        rows: runs, newest first.
        drives: whether an engine drives the run with this number.
    """
    return [
        row
        for row in rows
        if row.open and not drives(row.run) and not row.paused and row.state != "attention"
    ]


def interrupted_text(rows: Sequence[RowLike], key: str, shown: int | None) -> str:
    """How to go on with runs that were interrupted; empty when none was.

    Args:
        rows: those runs.
        key: the key that continues the run on screen.
        shown: number of the run on screen.
    """
    if not rows:
        return ""
    here = any(row.run == shown for row in rows)
    if len(rows) == 1:
        said = f"run {rows[0].run} was interrupted"
        if here:
            return f"{said}, {key} continues it"
        return f"{said}: 1 lists it, {key} continues it once it is shown"
    said = f"{len(rows)} runs were interrupted: 1 lists them, {key} continues one that is shown"
    return f"{said}; run {shown} is" if here else said


def summary_lines(
    rows: Sequence[RowLike], since: float, now: float, *, owned: bool, more: str = ""
) -> list[str]:
    """The lines to leave behind; none when nothing ran and nothing is left to do.

    Args:
        rows: runs as they stand once the screen has closed, newest first.
        since: when the screen opened, seconds since the epoch.
        now: when it closed.
        owned: whether the engine ran behind the screen and has ended with it.
        more: options that commands typed here need to reach the same state folder, with a leading space.
    """
    shown = [row for row in rows if row.open or row.started_at >= since or _ended_after(row, since)]
    lines = [_line(row, now, owned) for row in shown[:SHOWN]]
    if len(shown) > SHOWN:
        lines.append(f"  and {len(shown) - SHOWN} more")
    return lines + [f"  {hint}" for hint in _hints(shown, owned, more)]


def _ended_after(row: RowLike, since: float) -> bool:
    return row.finished_at is not None and row.finished_at >= since


def _line(row: RowLike, now: float, owned: bool) -> str:
    state = row.state
    if row.paused:
        state = "paused"
    elif row.open and owned and state != "attention":
        state = "interrupted"
    look = RUN_LOOKS[state]
    name = sanitise(row.workflow, NAME_CELLS)
    if not row.open and row.finished_at is not None:
        rest = duration_text(seconds_taken(row, now))
    elif row.needs:
        rest = f"{row.needs} node{'s wait' if row.needs > 1 else ' waits'} for you"
    else:
        rest = f"open since {duration_text(max(0.0, now - row.started_at))}"
    return f"  {look.glyph} run {row.run:<4} {name:<{NAME_CELLS}} {look.word}, {rest}"


def _hints(shown: Sequence[RowLike], owned: bool, more: str) -> list[str]:
    """How to go on, most urgent first."""
    needy = next((row for row in shown if row.open and row.needs), None)
    stopped = next((row for row in shown if row.open and not row.needs), None)
    hints = []
    if needy is not None:
        hints.append(f"`studio show {needy.run}{more}` tells what run {needy.run} needs")
    if stopped is not None and owned:
        hints.append(f"`studio resume {stopped.run}{more}` goes on with run {stopped.run}")
    elif stopped is not None:
        hints.append("what is open goes on in the other studio")
    return hints
