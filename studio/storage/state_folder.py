"""Opening the state folder of a project."""

from __future__ import annotations

from pathlib import Path

from studio.ports import Clock, StorageHealth
from studio.storage.sqlite_file import HISTORY_NAME, create
from studio.storage.sqlite_history import SqliteHistory


def open_history(folder: Path, *, clock: Clock) -> tuple[SqliteHistory, StorageHealth]:
    """Open the history of a state folder for writing, creating it when there is none.

    Args:
        folder: the state folder; created when missing.
        clock: what dates the names of files set aside.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / HISTORY_NAME
    if not path.exists():
        create(path)
    health = StorageHealth()
    return SqliteHistory(path, health), health
