"""The newest runs as lists show them, kept in step with the engine without reading the history for every change."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence

from studio.application.reading import Reading
from studio.core.events import Record
from studio.core.standing import phase_of
from studio.core.state import RunState
from studio.engine.rows import make_row
from studio.ports import RunFilter, RunRow


class RunList:
    """Rows of the newest runs, newest first.

    What the engine of this process has published stands in its memory already, and its rows are computed from there;
    the history is read where that does not tell all: at first, and when a run is not in memory.

    Args:
        limit: rows that are kept.

    Attributes:
        rows: the list as last brought up to date; never changed in place.
    """

    def __init__(self, limit: int) -> None:
        self.rows: list[RunRow] = []
        self._limit = limit
        self._changed: set[int] = set()
        self._unknown = True

    def note(self, records: Iterable[Record]) -> None:
        """Take in which runs some records, now on disk, are about."""
        self._changed.update(record.run for record in records)

    def note_unknown(self) -> None:
        """Something may have changed that no record told of."""
        self._unknown = True

    def refresh(self, reading: Reading, runs: Mapping[int, RunState]) -> None:
        """Bring the list up to date. Raises `StorageError`, `DamagedError`; the list then stays as it was.

        Args:
            reading: where rows are read.
            runs: the runs an engine of this process has in memory; empty when another process has the engine.
        """
        if self._unknown or not self._changed <= runs.keys():
            self.rows = reading.rows(RunFilter(limit=self._limit))
        else:
            self.rows = self._with([runs[number] for number in sorted(self._changed)])
        self._unknown = False
        self._changed.clear()

    def _with(self, changed: Sequence[RunState]) -> list[RunRow]:
        rows = list(self.rows)
        for run in changed:
            row = make_row(run, phase_of(run))
            at = bisect_left(rows, -run.number, key=lambda one: -one.run)
            if at < len(rows) and rows[at].run == run.number:
                rows[at] = row
            else:
                rows.insert(at, row)
        return rows[: self._limit]
