"""Reading ``history.sqlite`` while another process, or another thread, writes it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from heapq import merge
from itertools import islice
from pathlib import Path
from typing import Any, Final

from studio.core.events import Record
from studio.errors import DamagedError, NotFoundError, StorageError
from studio.ids import RunNumber, VersionHash
from studio.ports import Definition, RunFilter, RunRow
from studio.storage.codec import decode_definition, decode_record, decode_run
from studio.storage.gaps import Gap, read_gaps
from studio.storage.sqlite_file import HISTORY_NAME, connect_reader, storage_error

PAGE: Final = 1000
"""Rows fetched at a time. Between two pages no read transaction is open, so that a slow consumer never
pins the write-ahead log; rows never change, so the pages still show one history."""

NUMBER_MAX: Final = 2**63 - 1


SHORTEST_DIGITS_ID = 12
"""Digits from which on a number that is no run may be meant as the beginning of an id."""


class SqliteReader:
    """Read access to one history through a read-only connection of its own.

    Synchronous; one reader serves one thread at a time. What it shows is always committed.

    Args:
        path: the file ``history.sqlite``.

    Raises:
        NotFoundError: there is no such file.
        StorageError: it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        if not path.exists():
            raise NotFoundError(f"There is no history at {path}.")
        with self._told():
            self._connection = connect_reader(path)
            try:
                self._gaps: tuple[Gap, ...] = read_gaps(self._connection)
            except BaseException:
                self._connection.close()
                raise

    def head(self) -> int:
        """Position of the last record, 0 when the history is empty."""
        with self._told():
            (head,) = self._connection.execute("SELECT max(position) FROM event").fetchone()
        # What a salvage knows to be lost keeps its positions: they are never given to other events.
        return max(int(head or 0), self._gaps[-1].last if self._gaps else 0)

    def version(self) -> int:
        """A number that is another one once any other connection has committed; it says nothing else."""
        with self._told():
            (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        return int(version)

    def read(self, run: RunNumber | None = None, after: int = 0) -> Iterator[Record]:
        """Records in order of position, up to the head at the time of the call.

        Args:
            run: only this run's; None for all runs.
            after: position behind which to begin.

        Raises:
            DamagedError: at the first row that is damaged or missing. Positions whose loss a salvage has
                recorded are passed over when all runs are read, and end the run they belonged to.
            UnknownEventError: at the first event of a newer program.
        """
        last = self.head()
        return self._read_all(after, last) if run is None else self._read_run(run, after, last)

    def _read_all(self, after: int, last: int) -> Iterator[Record]:
        while after < last:
            page = self._page(
                "SELECT position, run, at, data, checksum FROM event"
                " WHERE position > ? AND position <= ? ORDER BY position LIMIT ?",
                (after, last, PAGE),
            )
            if not page:
                self._require_gap(after + 1, last)
                return
            for row in page:
                if row[0] != after + 1:
                    self._require_gap(after + 1, row[0] - 1)
                after = row[0]
                yield decode_record(row)

    def _require_gap(self, first: int, last: int) -> None:
        """Raise `DamagedError` unless a salvage has told that these positions are lost."""
        if not any(gap.first <= first and last <= gap.last for gap in self._gaps):
            raise DamagedError(
                f"Events {first} to {last} are missing from the history {self._path}."
            )

    def _read_run(self, run: int, after: int, last: int) -> Iterator[Record]:
        lost = min((gap.first for gap in self._gaps if run in gap.runs), default=NUMBER_MAX)
        while True:
            page = self._page(
                "SELECT position, run, at, data, checksum FROM event"
                " WHERE run = ? AND position > ? AND position <= ? ORDER BY position LIMIT ?",
                (run, after, min(last, lost), PAGE),
            )
            for row in page:
                yield decode_record(row)
            if len(page) < PAGE:
                break
            after = page[-1][0]
        if lost <= last:
            raise DamagedError(
                f"Run {run} cannot be read beyond position {lost}: events were lost."
            )

    def record(self, position: int) -> Record:
        """One record. Raises `NotFoundError`, `DamagedError`."""
        page = self._page(
            "SELECT position, run, at, data, checksum FROM event WHERE position = ?", (position,)
        )
        if not page:
            raise NotFoundError(f"The history has no event {position}.")
        return decode_record(page[0])

    def definition(self, version: VersionHash) -> Definition:
        """A stored definition. Raises `NotFoundError`, `DamagedError`."""
        page = self._page(
            "SELECT version, workflow, body, checksum FROM definition WHERE version = ?", (version,)
        )
        if not page:
            raise NotFoundError(f"The history has no definition {version[:12]}.")
        return decode_definition(page[0])

    def rows(self, where: RunFilter) -> list[RunRow]:
        """Runs that match, newest first; at most ``where.limit``. Raises `DamagedError`."""
        if not where.states:
            return self._rows_in(where, None)
        # Each state comes newest first from its index; sorting them together in SQL would read them all.
        found = [self._rows_in(where, state) for state in dict.fromkeys(where.states)]
        newest_first = merge(*found, key=lambda row: row.run, reverse=True)
        return list(islice(newest_first, where.limit))

    def _rows_in(self, where: RunFilter, state: str | None) -> list[RunRow]:
        clauses = ["run < ?"]
        arguments: list[int | str] = [where.before or NUMBER_MAX]
        for column, value in (("workflow", where.workflow), ("state", state)):
            if value is not None:
                clauses.append(f"{column} = ?")
                arguments.append(value)
        index = ""
        if where.only_open:
            # Few runs are open at a time; the planner cannot know and would go through a whole workflow.
            index = " INDEXED BY run_still_open"
            clauses.append("open = 1")
        page = self._page(
            f"SELECT run, data, checksum FROM run{index} WHERE {' AND '.join(clauses)}"
            " ORDER BY run DESC LIMIT ?",
            (*arguments, max(where.limit, 0)),
        )
        return [decode_run(*row) for row in page]

    def find(self, reference: str) -> RunRow:
        """A run by number, ``last``, full id or unique prefix of its id.

        Raises:
            NotFoundError: none matches, or several do.
            DamagedError: its row is damaged.
        """
        reference = reference.strip()
        if reference == "last":
            page = self._page("SELECT run, data, checksum FROM run ORDER BY run DESC LIMIT 1")
            if not page:
                raise NotFoundError("There is no run yet.")
            return decode_run(*page[0])
        if reference.isascii() and reference.isdigit() and int(reference) <= NUMBER_MAX:
            page = self._page(
                "SELECT run, data, checksum FROM run WHERE run = ?", (int(reference),)
            )
            if page:
                return decode_run(*page[0])
            if len(reference) < SHORTEST_DIGITS_ID:
                # "9" must never mean another run whose id happens to begin with 9.
                raise NotFoundError(f"There is no run {reference}.")
        return self._find_by_id(reference)

    def _find_by_id(self, prefix: str) -> RunRow:
        # Every text that starts with the prefix sorts between it and it with the last code point.
        page = self._page(
            "SELECT run, data, checksum FROM run WHERE run_id >= ? AND run_id < ?"
            " ORDER BY run_id LIMIT 5",
            (prefix, prefix + "\U0010ffff"),
        )
        runs = [decode_run(*row) for row in page] if prefix else []
        exact = [row for row in runs if row.run_id == prefix]
        if exact or len(runs) == 1:
            return (exact or runs)[0]
        if not runs:
            raise NotFoundError(f"There is no run {prefix!r}.")
        numbers = ", ".join(str(row.run) for row in runs)
        raise NotFoundError(f"{prefix!r} is the beginning of several runs: {numbers}.")

    def close(self) -> None:
        """Close the connection; the reader cannot be used afterwards."""
        self._connection.close()

    def _page(self, statement: str, arguments: Sequence[int | str] = ()) -> list[tuple[Any, ...]]:
        with self._told():
            return self._connection.execute(statement, arguments).fetchall()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn errors of SQLite into ours. A closed connection says so too."""
        try:
            yield
        except sqlite3.ProgrammingError as error:
            raise StorageError(f"The history {self._path} has been closed.") from error
        except (sqlite3.Error, OSError) as error:
            raise storage_error(error, self._path) from error


def open_reader(folder: Path) -> SqliteReader:
    """Open the history of a state folder for reading; loads neither pydantic nor asyncio.

    Args:
        folder: the state folder.

    Raises:
        NotFoundError: it holds no history yet.
        StorageError: the history cannot be opened.
        DamagedError: it is damaged; the next owner of the folder salvages it.
    """
    return SqliteReader(folder / HISTORY_NAME)
