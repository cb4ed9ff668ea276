"""The file ``history.sqlite``: how it is created, opened, and what its errors mean."""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final
from urllib.parse import quote

from studio.errors import DamagedError, StorageError

HISTORY_NAME: Final = "history.sqlite"

APPLICATION_ID: Final = 0x57465354
"""``WFST`` in the header of the file: tells our histories from other databases."""

SCHEMA_VERSION: Final = 1
"""``user_version`` of a file this program writes; raised by each migration."""

BUSY_SECONDS: Final = 5.0
"""How long SQLite waits for a lock held by somebody else, such as a shell on the same file."""

CHECKPOINT_PAGES: Final = 1000
"""Pages of 4 KiB in the write-ahead log after which a commit copies them into the file. A bound of
4 MB keeps that pause far below 50 ms; SQLite's own default, stated here because we rely on it."""

LOG_BYTES: Final = 16 * 1024 * 1024
"""Size to which the write-ahead log is cut once a checkpoint has emptied it."""

SIDE_FILES: Final = ("-wal", "-shm")

_FULL = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_TOOBIG})
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT})
_DENIED = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH})


def schema_statements() -> list[str]:
    """Statements of ``schema.sql``, one by one: ``executescript`` would commit behind our back."""
    return split_statements(Path(__file__).with_name("schema.sql").read_text(encoding="utf-8"))


def split_statements(script: str) -> list[str]:
    """Cut an SQL script into its statements, without comments around them."""
    statements: list[str] = []
    lines: list[str] = []
    for line in script.splitlines():
        if not lines and (not line.strip() or line.lstrip().startswith("--")):
            continue
        lines.append(line)
        if sqlite3.complete_statement("\n".join(lines)):
            statements.append("\n".join(lines).strip())
            lines.clear()
    if lines:
        raise ValueError(f"the script ends inside a statement: {lines[0]!r}")
    return statements


def connect_writer(path: Path) -> sqlite3.Connection:
    """Open an existing history for writing: WAL, every commit synced before it is acknowledged.

    The connection never begins a transaction by itself. Raises `sqlite3.Error`.
    """
    connection = sqlite3.connect(
        f"file:{quote(str(path))}?mode=rw",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        # NORMAL lost acknowledged events in 1,403 of 1,809 simulated power losses, FULL in none.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        connection.execute(f"PRAGMA journal_size_limit = {LOG_BYTES}")
    except BaseException:
        connection.close()
        raise
    return connection


def connect_reader(path: Path) -> sqlite3.Connection:
    """Open an existing history for reading only; such a connection never checkpoints.

    Raises `sqlite3.Error`.
    """
    connection = _connect_read_only(path, "mode=ro")
    try:
        connection.execute("PRAGMA schema_version").fetchone()
    except sqlite3.OperationalError:
        connection.close()
        # WAL needs its two side files. Where the folder cannot be written and none of them is left,
        # nobody can be writing either, and the file stands for itself.
        if os.access(path.parent, os.W_OK) or path.with_name(path.name + "-wal").exists():
            raise
        connection = _connect_read_only(path, "mode=ro&immutable=1")
    return connection


def _connect_read_only(path: Path, options: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"file:{quote(str(path))}?{options}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.execute("PRAGMA query_only = 1")
    return connection


def create(path: Path) -> None:
    """Create an empty history, complete or not at all: made beside its place and renamed into it.

    Raises:
        StorageError: the folder cannot be written.
    """
    draft = path.with_name(path.name + ".new")
    try:
        for name in (draft, *side_files(draft)):
            name.unlink(missing_ok=True)
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("BEGIN IMMEDIATE")
            for statement in schema_statements():
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            connection.execute("COMMIT")
        sync_path(draft)
        draft.replace(path)
        sync_path(path.parent)
    except (OSError, sqlite3.Error) as error:
        raise storage_error(error, path) from error


def side_files(path: Path) -> list[Path]:
    """The write-ahead log and its index, whether they exist or not."""
    return [path.with_name(path.name + suffix) for suffix in SIDE_FILES]


def sync_path(path: Path) -> None:
    """Make a file's bytes, or a folder's entries, survive a power loss. Raises `OSError`."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def storage_error(error: Exception, path: Path) -> StorageError:
    """Say what an error of SQLite or the system means for the file at ``path``.

    Returns:
        A `DamagedError` where bytes are wrong, else a `StorageError` with ``errno`` set: ``ENOSPC``
        when space is missing, ``EROFS`` when writing is denied, ``EBUSY`` when somebody else holds the
        file, None when a row is there already, ``EIO`` for the rest.
    """
    if isinstance(error, OSError):
        return StorageError(f"{path}: {error.strerror or error}.", errno=error.errno)
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _DAMAGED:
        return DamagedError(f"{path} is damaged: {error}.", errno=errno.EIO)
    if code in _FULL:
        return StorageError(f"No space left for {path}: {error}.", errno=errno.ENOSPC)
    if code in _DENIED:
        return StorageError(f"{path} cannot be written: {error}.", errno=errno.EROFS)
    if code == sqlite3.SQLITE_CONSTRAINT:
        return StorageError(f"Another program has written to {path}: {error}.")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StorageError(f"{path} is held by another program: {error}.", errno=errno.EBUSY)
    return StorageError(f"{path}: {error}.", errno=errno.EIO)
