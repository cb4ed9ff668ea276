"""Bringing an older history up to the present schema.

Each step is a file ``migrations/NNNN_what_it_does.sql`` that leads from schema NNNN - 1 to NNNN.
Version 1 is the first schema, so the folder is empty until there is a second one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import msgspec

from studio.errors import StorageError
from studio.ports import Clock
from studio.storage.backups import backup
from studio.storage.set_aside import dated
from studio.storage.sqlite_file import connect_writer, split_statements, storage_error


class Migration(msgspec.Struct, frozen=True):
    """One step.

    Args:
        version: schema version it leads to.
        statements: SQL statements, carried out one by one in one transaction.
    """

    version: int
    statements: tuple[str, ...]


def migrations() -> tuple[Migration, ...]:
    """All steps of this program, in order."""
    folder = Path(__file__).with_name("migrations")
    return tuple(
        Migration(
            int(file.name.partition("_")[0]),
            tuple(split_statements(file.read_text(encoding="utf-8"))),
        )
        for file in sorted(folder.glob("[0-9][0-9][0-9][0-9]_*.sql"))
    )


def migrate(path: Path, version: int, steps: Sequence[Migration], clock: Clock) -> Path:
    """Bring a history up to date, in one transaction, after a backup.

    Args:
        path: the file ``history.sqlite``; nobody else writes.
        version: schema version it has.
        steps: all steps known; those above ``version`` are carried out.
        clock: dates the name of the backup.

    Returns:
        Where the backup is.

    Raises:
        StorageError: a step is missing or failed; the history is as it was.
    """
    due = [step for step in steps if step.version > version]
    if [step.version for step in due] != list(
        range(version + 1, version + 1 + len(due))
    ) or not due:
        raise StorageError(
            f"{path} has schema version {version}, from which there is no way to ours."
        )
    copy = path.with_name(f"history.before-v{due[-1].version}-{dated(clock)}.sqlite")
    backup(path, copy)
    try:
        with closing(connect_writer(path)) as connection:
            _carry_out(connection, due)
    except (sqlite3.Error, OSError) as error:
        cause = storage_error(error, path)
        raise StorageError(
            f"The history could not be brought from schema version {version} to {due[-1].version}:"
            f" {cause} It is unchanged; a backup is at {copy}.",
            cause.errno,
        ) from error
    return copy


def _carry_out(connection: sqlite3.Connection, due: Sequence[Migration]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in due:
            for statement in step.statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {due[-1].version}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
