"""The last good run's input beside this one's, where they differ."""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from studio.core.events import AttemptStarted, AttemptSucceeded, Record
from studio.projections.differences import MISSING, differences
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


def good_input(records: Iterable[Record], path: str) -> AttemptStarted | None:
    """The attempt that gave the last successful attempt of a node its input; None when no attempt of it succeeded.

    A node whose outcome was set by hand, or for which a fallback stood in, has not done well with its input.
    """
    started: dict[int, AttemptStarted] = {}
    found = None
    for record in records:
        event = record.event
        if isinstance(event, AttemptStarted) and event.node == path and not event.undo:
            started[event.attempt] = started.get(event.reuse, event)
        elif isinstance(event, AttemptSucceeded) and event.node == path and not event.undo:
            found = started.get(event.attempt, found)
    return found


def _text(subject: Subject, value: Any) -> str:
    return "nothing" if value is MISSING else describe(subject.mask.value(value))
