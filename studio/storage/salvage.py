"""A damaged history: what is whole is carried over into a new file, the old one is kept under a dated name."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec

from studio.ports import Clock
from studio.storage.codec import encode_run, tag_of
from studio.storage.gaps import write_gap
from studio.storage.rows_found import RowsFound, search
from studio.storage.set_aside import END, SAVED, exchange, stamp_for
from studio.storage.sqlite_file import (
    connect_writer,
    create,
    storage_error,
    sync_path,
)


class SalvageReport(msgspec.Struct, frozen=True):
    """What became of a damaged history.

    Args:
        aside: where the damaged file is now; its write-ahead log lies beside it.
        events: events carried over.
        lost: positions known to be lost.
        runs: run rows carried over or made anew.
        definitions: definitions carried over.
        damaged_runs: runs that may have lost events; they are shown as ``damaged`` and stay closed.
    """

    aside: Path
    events: int
    lost: int
    runs: int
    definitions: int
    damaged_runs: tuple[int, ...]

    def told(self) -> str:
        """One notice for people."""
        shown = ", ".join(map(str, self.damaged_runs[:10]))
        more = f" and {len(self.damaged_runs) - 10} more" if len(self.damaged_runs) > 10 else ""
        hurt = f" Runs that lost events: {shown}{more}." if shown else ""
        return (
            f"The history was damaged. Saved: {self.events:,} events, {self.runs:,} runs,"
            f" {self.definitions:,} definitions; known to be lost: {self.lost:,} events.{hurt}"
            f" The damaged file is kept as {self.aside}."
        )


def salvage(path: Path, clock: Clock) -> SalvageReport:
    """Replace a damaged history by what can be read of it; nothing is deleted.

    The new file is complete and synced before the old one is moved, and both moves can be finished by
    `finish_salvage` after a crash. For the owner of the folder only, with no connection open.

    Args:
        path: the damaged file ``history.sqlite``; it may be missing when its write-ahead log is left.
        clock: dates the names.

    Raises:
        StorageError: the folder cannot be written, or there is no space; the damaged file is where it was.
    """
    saved = path.with_name(SAVED + stamp_for(path.parent, clock) + END)
    draft = path.with_name(saved.name + ".draft")
    try:
        found = search(path)
        draft.unlink(missing_ok=True)
        create(draft)
        _write(draft, found)
        sync_path(draft)
        draft.replace(saved)
        sync_path(path.parent)
        aside = exchange(path, saved)
    except (OSError, sqlite3.Error) as error:
        raise storage_error(error, path) from error
    return SalvageReport(
        aside,
        len(found.events),
        sum(gap.last - gap.first + 1 for gap in found.gaps),
        len(found.runs),
        len(found.definitions),
        tuple(sorted(found.damaged_runs)),
    )


def _write(draft: Path, found: RowsFound) -> None:
    with closing(connect_writer(draft)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            "INSERT INTO event (position, run, at, data, checksum) VALUES (?, ?, ?, ?, ?)",
            (found.events[position] for position in sorted(found.events)),
        )
        connection.executemany(
            "INSERT INTO run (run, run_id, workflow, state, open, data, checksum)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (encode_run(found.runs[run]) for run in sorted(found.runs)),
        )
        connection.executemany(
            "INSERT INTO definition (version, workflow, body, checksum) VALUES (?, ?, ?, ?)",
            found.definitions.values(),
        )
        tags = {tag_of(data) for _, _, _, data, _ in found.events.values()} - {None}
        connection.executemany("INSERT INTO vocabulary (tag) VALUES (?)", [(tag,) for tag in tags])
        for gap in found.gaps:
            write_gap(connection, gap)
        connection.execute("COMMIT")
