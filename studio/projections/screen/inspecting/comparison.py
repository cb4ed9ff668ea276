"""The last good run's input beside this one's, where they differ."""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from studio.core.events import AttemptStarted, Record
from studio.core.state import RunState
from studio.projections.differences import MISSING, differences
from studio.projections.listing import RowLike
from studio.projections.screen.inspecting.leaves import expression
from studio.projections.screen.inspecting.subject import Subject
from studio.projections.screen.inspecting.values import describe

SHOWN: Final = 3
"""Differences shown."""


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
        found = list(differences(self.before, self.now))
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


def _text(subject: Subject, value: Any) -> str:
    return "nothing" if value is MISSING else describe(subject.mask.value(value))
