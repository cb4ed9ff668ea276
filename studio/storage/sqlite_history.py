"""The history in SQLite: one owner appends, anybody reads."""

from __future__ import annotations

import asyncio
import errno
import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Final

from studio.core.events import Record
from studio.errors import StorageError
from studio.ports import Batch, StorageHealth
from studio.storage.codec import (
    TAGS,
    DefinitionColumns,
    EventColumns,
    RunColumns,
    encode_definition,
    encode_records,
    encode_run,
)
from studio.storage.owner_lock import OwnerLock
from studio.storage.set_aside import SAVED
from studio.storage.sqlite_file import (
    connect_reader,
    connect_writer,
    side_files,
    storage_error,
    sync_path,
)
from studio.storage.sqlite_reader import SqliteReader
from studio.storage.writer_connection import WriterConnection

LOOK_SECONDS: Final = 0.1
"""Longest time in seconds for which a history deleted while it is open is written to unnoticed."""

PINNED_BYTES: Final = 256 * 1024 * 1024
"""Size of the write-ahead log from which on a reader that keeps it from being emptied is told."""

_INSERT_EVENT = "INSERT INTO event (position, run, at, data, checksum) VALUES (?, ?, ?, ?, ?)"
_INSERT_DEFINITION = (
    "INSERT INTO definition (version, workflow, body, checksum) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (version) DO NOTHING"
)
_INSERT_TAG = "INSERT INTO vocabulary (tag) VALUES (?) ON CONFLICT (tag) DO NOTHING"
_REFRESH_RUN = (
    "UPDATE run SET data = ?, checksum = ?"
    " WHERE run = ? AND run_id = ? AND workflow = ? AND state = ? AND open = ?"
)
_UPSERT_RUN = (
    "INSERT INTO run (run, run_id, workflow, state, open, data, checksum)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (run) DO UPDATE SET run_id = excluded.run_id, workflow = excluded.workflow,"
    " state = excluded.state, open = excluded.open, data = excluded.data, checksum = excluded.checksum"
)


class SqliteHistory(SqliteReader):
    """The history of a state folder, open for appending.

    Its reading half is a `SqliteReader` for the thread of the event loop; its writing half is one
    thread. The caller holds the owner lock of the folder: see `studio.storage.state_folder`.

    Args:
        path: the file ``history.sqlite``; it exists, has been checked, and is of this schema unless
            ``health.read_only``.
        health: where notices go; ``read_only`` refuses every append.
        lock: ownership of the folder; None in tests that need none.
        keeps_lock: whether `aclose` gives the lock back.

    Raises:
        StorageError: the file cannot be opened.
    """

    def __init__(
        self,
        path: Path,
        health: StorageHealth,
        lock: OwnerLock | None = None,
        *,
        keeps_lock: bool = False,
    ) -> None:
        super().__init__(path)
        self.health = health
        self._lock = lock
        self._keeps_lock = keeps_lock
        self._turn = asyncio.Lock()
        self._writer: WriterConnection | None = None
        self._places: dict[Path, tuple[int, int]] = {}
        self._displaced = False
        self._told_pinned = False
        self._look_again = 0.0
        try:
            self._head = super().head()
            self._tags = {tag for (tag,) in self._page("SELECT tag FROM vocabulary")}
            if not health.read_only:
                self._open_writer()
        except BaseException:
            super().close()
            raise

    def head(self) -> int:
        """Position of the last record that is on disk, 0 when the history is empty."""
        return self._head

    async def append(self, batch: Batch) -> None:
        """Append a batch in one durable transaction; all or nothing.

        When the caller is cancelled the transaction is still carried out, and the ``CancelledError``
        is raised after it: `head` then tells whether the batch is on disk.

        Raises:
            StorageError: nothing of the batch is on disk. ``errno`` is ``ENOSPC``, ``EIO``, ``EROFS``,
                ``EBUSY`` or ``ENOENT`` where the cause lies outside; the same append may then be
                tried again.
        """
        if self.health.read_only:
            raise StorageError(f"The history {self._path} is open for reading only.", errno.EROFS)
        async with self._turn:
            self._require_succession(batch.records)
            transaction = _Transaction(
                encode_records(batch.records),
                [encode_run(row) for row in batch.rows],
                [encode_definition(definition) for definition in batch.definitions],
                self._new_tags(batch.records),
            )
            writer = self._writer or self._open_writer()
            if self._displaced:
                await self._restore(writer)
                writer = self._writer or self._open_writer()
            await writer.transact(lambda connection: self._carry_out(connection, transaction))

    def _require_succession(self, records: Sequence[Record]) -> None:
        for expected, record in enumerate(records, self._head + 1):
            if record.position != expected:
                raise StorageError(
                    f"Event {record.position} does not follow the head of the history;"
                    f" {expected} would."
                )

    def _new_tags(self, records: Sequence[Record]) -> list[str]:
        tags = {TAGS[kind] for kind in {type(record.event) for record in records}}
        return sorted(tags - self._tags)

    def _open_writer(self) -> WriterConnection:
        try:
            connection = connect_writer(self._path)
            try:
                connection.execute("SELECT 1 FROM event LIMIT 1").fetchall()
                self._places = {place: _inode(place)[0] for place in self._files()}
            except BaseException:
                connection.close()
                raise
        except (sqlite3.Error, OSError) as error:
            raise storage_error(error, self._path) from error
        self._writer = WriterConnection(connection)
        return self._writer

    def _files(self) -> tuple[Path, Path]:
        return self._path, side_files(self._path)[0]

    # ------------------------------------------------------------------ on the writer's thread

    def _carry_out(self, connection: sqlite3.Connection, transaction: _Transaction) -> None:
        head = self._head + len(transaction.events)
        try:
            transaction.run(connection, self._look)
        except (sqlite3.Error, OSError) as error:
            if not self._settled_at(connection, head):
                raise storage_error(error, self._path) from error
        self._head = head
        self._tags.update(transaction.tags)

    def _look(self, at_once: bool = False) -> None:
        """Refuse to commit to files that no longer have their names: nobody would find the events.

        Looks at most every `LOOK_SECONDS`, as it costs a third of a small commit; what is committed
        in between is in the open files all the same, and is copied back with the rest.
        """
        now = monotonic()
        if now < self._look_again and not at_once:
            return
        self._look_again = now + LOOK_SECONDS
        for place, inode in self._places.items():
            found, size = _inode(place)
            if found != inode:
                self._displaced, self._look_again = True, 0.0
                raise FileNotFoundError(
                    errno.ENOENT, "was deleted or replaced while it was open", str(place)
                )
            if size > PINNED_BYTES and place != self._path and not self._told_pinned:
                self._told_pinned = True
                self.health.notices.append(
                    f"{place} has grown to {size >> 20} MiB: a program that reads the history holds on to"
                    " an old state of it. Nothing is lost; end that program to let it shrink."
                )

    def _settled_at(self, connection: sqlite3.Connection, head: int) -> bool:
        """Roll back, then see what is on disk: an error says what failed, not what was done.

        A connection that cannot even tell is given up; the next append opens a new one.
        """
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            (found,) = connection.execute("SELECT max(position) FROM event").fetchone()
        except sqlite3.Error:
            connection.close()
            self._writer = None
            return False
        return head > self._head and found == head

    def _copy_back(self, connection: sqlite3.Connection) -> None:
        """Write the history anew where it was deleted; our connections still hold all of it."""
        log = side_files(self._path)[0]
        if self._path.exists() or _inode(log)[0] not in ((0, 0), self._places[log]):
            raise StorageError(
                f"{self._path} was replaced while it was open; nothing is written over the new file."
                " Stop the studio and decide which one to keep.",
                errno.EEXIST,
            )
        try:
            if self._lock is not None:
                self._lock.renew()
            draft = self._path.with_name(self._path.name + ".draft")
            from studio.storage.backups import copy_to  # lazy: hardly any history loses its files

            copy_to(connection, draft)
            # Under this name the next start finds it, should we die before the last step.
            saved = draft.replace(self._path.with_name(f"{SAVED}anew.sqlite"))
            connection.close()  # before the new file has its name: closing deletes a log of that name
            for place in side_files(self._path):
                place.unlink(missing_ok=True)  # our own; what it held is in the copy
            saved.replace(self._path)
            sync_path(self._path.parent)
        except (sqlite3.Error, OSError) as error:
            raise storage_error(error, self._path) from error

    async def _restore(self, displaced: WriterConnection) -> None:
        """Copy the files that have no name any more back to their place and go over to the copy."""
        await displaced.transact(self._copy_back)
        super().close()
        self._writer = None
        await displaced.close()
        self._connection = connect_reader(self._path)
        self._displaced = False
        self.health.notices.append(
            f"{self._path} was deleted while it was open; it has been written anew, complete."
        )

    # ------------------------------------------------------------------ end

    async def aclose(self) -> None:
        """Finish what is under way, copy the write-ahead log into the file and close; idempotent.

        Raises:
            StorageError: the history was deleted while it was open, and could not be written anew.
        """
        async with self._turn:
            try:
                if self._writer is not None:
                    await self._restore_if_deleted(self._writer)
            finally:
                super().close()
                writer, self._writer = self._writer, None
                if writer is not None:
                    await writer.close()
                if self._lock is not None and self._keeps_lock:
                    self._lock.release()

    async def _restore_if_deleted(self, writer: WriterConnection) -> None:
        with suppress(OSError):
            await writer.transact(lambda connection: self._look(at_once=True))
        if self._displaced:
            await self._restore(writer)


class _Transaction:
    """The rows of one batch."""

    __slots__ = ("_definitions", "_rows", "events", "tags")

    def __init__(
        self,
        events: list[EventColumns],
        rows: list[RunColumns],
        definitions: list[DefinitionColumns],
        tags: list[str],
    ) -> None:
        self.events = events
        self.tags = tags
        self._rows = rows
        self._definitions = definitions

    def run(self, connection: sqlite3.Connection, before_commit: Callable[[], None]) -> None:
        """Write all of it and commit. Raises `sqlite3.Error`, `OSError`; may leave it uncommitted."""
        connection.execute("BEGIN IMMEDIATE")
        if self.tags:
            connection.executemany(_INSERT_TAG, [(tag,) for tag in self.tags])
        if self._definitions:
            connection.executemany(_INSERT_DEFINITION, self._definitions)
        if self.events:
            connection.executemany(_INSERT_EVENT, self.events)
        for row in self._rows:
            run, run_id, workflow, state, is_open, data, checksum = row
            # SQLite rewrites the index entries of every column that an update names, changed or not:
            # five more pages in the log for a row in which mostly the counts have changed.
            refreshed = connection.execute(
                _REFRESH_RUN, (data, checksum, run, run_id, workflow, state, is_open)
            )
            if not refreshed.rowcount:
                connection.execute(_UPSERT_RUN, row)
        before_commit()
        connection.execute("COMMIT")


def _inode(path: Path) -> tuple[tuple[int, int], int]:
    """Device and number of a file, and its size in bytes; zeros when it has gone."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return (0, 0), 0
    return (status.st_dev, status.st_ino), status.st_size
