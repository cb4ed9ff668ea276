"""The last good run's input beside this one's, where they differ."""

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from studio.core.events import AttemptStarted, Record
from studio.core.state import RunState
from studio.projections.listing import RowLike
from studio.projections.screen.inspecting.leaves import expression
from studio.projections.screen.inspecting.subject import Subject
from studio.projections.screen.inspecting.values import describe

SHOWN: Final = 3
"""Differences shown."""

COMPARED: Final = 2_000
"""Members compared; what lies behind is taken as equal."""

MISSING: Final = object()


class Comparison(NamedTuple):
    """Two inputs of one node.

    Args:
        run: number of the run that went well.
        before: its input.
        now: the input of the run that did not.
    """

    run: int
    before: Any
    now: Any

    def lines(self, subject: Subject) -> list[str]:
        """The differences, two lines each; one line when there is none."""
        found = list(_differences(self.before, self.now, (), [COMPARED]))
        if not found:
            return [f"run #{self.run}  had the same input"]
        lines: list[str] = []
        for path, before, now in found[:SHOWN]:
            name = expression("input", path)
            lines.append(f"run #{self.run}  {name} = {_text(subject, before)}")
            lines.append(f"this run {name} = {_text(subject, now)}")
        if len(found) > SHOWN:
            lines.append(f"… {len(found) - SHOWN} more differences")
        return lines


def last_good_run(rows: Iterable[RowLike], run: RunState) -> int | None:
    """Number of the last run of the same file that began before this one and succeeded.

    Args:
        rows: the list of runs, newest first.
        run: this one.
    """
    return next(
        (
            row.run
            for row in rows
            if row.run < run.number and row.file == run.file and row.state == "succeeded"
        ),
        None,
    )


def last_input(records: Iterable[Record], path: str) -> AttemptStarted | None:
    """The last attempt of a node that rendered an input of its own."""
    found = None
    for record in records:
        event = record.event
        own = isinstance(event, AttemptStarted) and event.node == path and not event.undo
        if own and isinstance(event, AttemptStarted) and not event.reuse:
            found = event
    return found


def _differences(
    before: Any, now: Any, path: tuple[str | int, ...], left: list[int]
) -> Iterator[tuple[tuple[str | int, ...], Any, Any]]:
    """Where two values differ, the smallest parts of mappings; lists are one part."""
    left[0] -= 1
    if left[0] < 0:
        return
    if isinstance(before, dict) and isinstance(now, dict):
        for key in {**before, **now}:
            there, here = before.get(key, MISSING), now.get(key, MISSING)
            yield from _differences(there, here, (*path, key), left)
    elif before != now:
        yield path, before, now


def _text(subject: Subject, value: Any) -> str:
    return "nothing" if value is MISSING else describe(subject.mask.value(value))
