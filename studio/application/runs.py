"""Lists of runs, read without loading definitions or the engine."""

from collections.abc import Sequence

from studio.application.location import Location
from studio.application.reading import Reading
from studio.core.events import Record
from studio.errors import NotFoundError
from studio.ports import AttemptKey, LogLine, RunFilter, RunRow
from studio.storage.owner_lock import inspect

__all__ = [
    "AttemptKey",
    "LogLine",
    "Record",
    "RunRow",
    "find_row",
    "interrupted_runs",
    "is_owned",
    "list_runs",
]

ID_DIGITS = 8
"""Digits from which a reference may be the beginning of an id; shorter ones are numbers of runs."""

ALL = 2**31
"""A limit that no list reaches."""


def list_runs(
    location: Location,
    *,
    workflow: str | None = None,
    states: Sequence[str] = (),
    only_open: bool = False,
    limit: int = 50,
) -> list[RunRow]:
    """Runs that match, newest first; none when there is no history yet.

    Args:
        location: whose state folder.
        workflow: only runs of this workflow.
        states: only runs in one of these states; ``paused`` means runs that are paused, whatever else.
        only_open: only runs that have not ended.
        limit: how many at most.

    Raises `StorageError`.
    """
    try:
        reading = Reading(location.state)
    except NotFoundError:
        return []
    try:
        phases = tuple(state for state in states if state != "paused")
        paused = len(phases) != len(states)
        where = RunFilter(
            workflow=workflow,
            states=() if paused else phases,
            only_open=only_open or (paused and not phases),
            limit=ALL if paused else limit,
        )
        rows = reading.rows(where)
    finally:
        reading.close()
    if paused:
        rows = [row for row in rows if row.paused or row.state in phases]
    return rows[:limit]


def is_owned(location: Location) -> bool:
    """Whether any process owns the state folder; where none does, nothing of it goes on.

    Raises `StorageError`.
    """
    return inspect(location.state) is not None


def find_row(reading: Reading, reference: str) -> RunRow:
    """A run by its number, ``last``, its id or the beginning of it.

    A few digits are always a number: ``cancel 9`` must never mean the one run whose id happens to begin with 9.

    Raises `NotFoundError`, `StorageError`.
    """
    row = reading.find(reference)
    if reference.isdigit() and len(reference) < ID_DIGITS and row.run != int(reference):
        raise NotFoundError(f"There is no run {reference}.")
    return row


def interrupted_runs(location: Location) -> tuple[list[RunRow], list[RunRow]]:
    """Open runs that could go on by themselves, and open runs that wait for a person; oldest first.

    Which of the first are driven right now only the owner of the folder knows.
    """
    rows = list(reversed(list_runs(location, only_open=True, limit=ALL)))
    going = [row for row in rows if not row.paused and row.state != "attention"]
    waiting = [row for row in rows if row.paused or row.state == "attention"]
    return going, waiting
