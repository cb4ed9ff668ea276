"""Whether a history file is sound, found out at start within a bounded time."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final, Literal

import msgspec

from studio.errors import DamagedError, StorageError
from studio.storage.codec import KNOWN_TAGS, UnknownEventError, decode_record, decode_run
from studio.storage.gaps import read_gaps
from studio.storage.sqlite_file import (
    APPLICATION_ID,
    SCHEMA_VERSION,
    connect_reader,
    side_files,
    storage_error,
)
from studio.storage.wal import unread_commits

QUICK_CHECK_BYTES: Final = 8 * 1024 * 1024
"""Files up to this size are searched whole by ``PRAGMA quick_check`` at each start; larger ones only
by `studio.storage.integrity.verify`, as SQLite can neither bound nor interrupt that search."""

TAIL: Final = 1000
"""Events at the end of the history whose checksums and succession are checked at each start: what was
written last is what a crash, a full disk or a torn page hits first. Every other row is checked
whenever it is read."""

State = Literal["sound", "damaged", "older", "newer", "unknown_event"]


class Finding(msgspec.Struct, frozen=True):
    """What is known about a file.

    Args:
        state: ``older`` and ``newer`` speak of the schema version.
        detail: what was found, fit for a user.
        version: its schema version, 0 when unknown.
        torn: whether the write-ahead log ends in a transaction that was never completed.
    """

    state: State
    detail: str = ""
    version: int = 0
    torn: bool = False


def examine(path: Path) -> Finding:
    """Look at a history before it is opened for writing.

    Raises:
        StorageError: it cannot be read at all, or is a database of some other program.
    """
    if not path.exists():
        return Finding("damaged", "the file is gone, its write-ahead log is not")
    if path.stat().st_size == 0:
        return Finding("damaged", "the file is empty")
    try:
        with closing(connect_reader(path)) as connection:
            return _examine(connection, path)
    except DamagedError as error:
        return Finding("damaged", str(error))
    except (sqlite3.Error, OSError) as error:
        told = storage_error(error, path)
        if isinstance(told, DamagedError):
            return Finding("damaged", str(error))
        raise told from error


def _examine(connection: sqlite3.Connection, path: Path) -> Finding:
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID:
        if tables and "event" not in tables:
            raise StorageError(
                f"{path} belongs to another program; move it away or choose another state folder."
            )
        return Finding("damaged", "its application id is wrong")
    if version != SCHEMA_VERSION:
        detail = f"its schema is version {version}, this program's is {SCHEMA_VERSION}"
        return Finding("newer" if version > SCHEMA_VERSION else "older", detail, version)
    unread = unread_commits(path)
    if unread > 1:
        return Finding(
            "damaged", f"{unread} transactions of its write-ahead log cannot be reached", version
        )
    if path.stat().st_size <= QUICK_CHECK_BYTES:
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            return Finding("damaged", str(verdict).strip(), version)
    _check_tail(connection)
    for row in connection.execute("SELECT run, data, checksum FROM run WHERE open = 1"):
        decode_run(*row)
    strange = {tag for (tag,) in connection.execute("SELECT tag FROM vocabulary")} - KNOWN_TAGS
    if strange:
        return Finding("unknown_event", str(UnknownEventError(min(strange))), version, unread > 0)
    return Finding("sound", "", version, unread > 0)


def _check_tail(connection: sqlite3.Connection) -> None:
    """Raises `DamagedError`."""
    rows = connection.execute(
        "SELECT position, run, at, data, checksum FROM event ORDER BY position DESC LIMIT ?",
        (TAIL,),
    ).fetchall()
    lost = {
        position
        for gap in read_gaps(connection)
        for position in range(max(gap.first, rows[-1][0] if rows else 0), gap.last + 1)
    }
    expected = None
    for row in rows:
        while expected is not None and expected in lost:
            expected -= 1
        if expected is not None and row[0] != expected:
            raise DamagedError(f"Events {row[0] + 1} to {expected} are missing.")
        expected = row[0] - 1
        try:
            decode_record(row)
        except UnknownEventError:
            continue  # intact; the vocabulary decides whether the history may be written


def verify(path: Path) -> list[str]:
    """Check everything: SQLite's structure, every checksum, every position. Takes seconds per gigabyte.

    Returns:
        What is wrong, one sentence each, at most 100; empty when the history is sound.

    Raises:
        StorageError: it cannot be read at all.
    """
    try:
        with closing(connect_reader(path)) as connection:
            return _verify(connection)[:100]
    except (sqlite3.Error, OSError) as error:
        told = storage_error(error, path)
        if isinstance(told, DamagedError):
            return [str(told)]
        raise told from error


def _verify(connection: sqlite3.Connection) -> list[str]:
    problems = [
        str(text) for (text,) in connection.execute("PRAGMA integrity_check(100)") if text != "ok"
    ]
    gaps = {gap.first: gap.last for gap in read_gaps(connection)}
    expected = 1
    rows = connection.execute(
        "SELECT position, run, at, data, checksum FROM event ORDER BY position"
    )
    for row in rows:
        expected = gaps.get(expected, expected - 1) + 1
        if row[0] != expected:
            problems.append(f"Events {expected} to {row[0] - 1} are missing.")
        expected = row[0] + 1
        try:
            decode_record(row)
        except StorageError as error:
            problems.append(str(error))
    for run in connection.execute("SELECT run, data, checksum FROM run"):
        try:
            decode_run(*run)
        except DamagedError as error:
            problems.append(str(error))
    return problems


def has_log(path: Path) -> bool:
    """Whether a write-ahead log with content lies beside the place of a history. Raises `OSError`."""
    log = side_files(path)[0]
    return log.exists() and log.stat().st_size > 0
