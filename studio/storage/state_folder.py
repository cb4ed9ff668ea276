"""Opening the state folder of a project."""

from __future__ import annotations

from pathlib import Path

from studio.ports import Clock, StorageHealth
from studio.storage.integrity import Finding, examine, has_log
from studio.storage.owner_lock import OwnerLock
from studio.storage.set_aside import finish_salvage
from studio.storage.sqlite_file import HISTORY_NAME, create
from studio.storage.sqlite_history import SqliteHistory


def open_history(
    folder: Path, *, clock: Clock, lock: OwnerLock | None = None
) -> tuple[SqliteHistory, StorageHealth]:
    """Open the history of a state folder for writing, creating both when they are missing.

    A damaged history is set aside and salvaged, an older one brought up to date after a backup, one
    that a newer program has written opened for reading only; the health says so.

    Args:
        folder: the state folder.
        clock: dates the names of files set aside and of backups.
        lock: ownership of the folder, which stays the caller's; without one it is taken here and given
            back by `SqliteHistory.aclose`.

    Raises:
        OwnerLockedError: another process owns the folder.
        StorageError: the folder cannot be written, there is no space, the file is not ours, or a
            migration failed.
    """
    own = OwnerLock.acquire(folder) if lock is None else None
    try:
        path = folder / HISTORY_NAME
        health = StorageHealth()
        finish_salvage(path)
        if path.exists() or has_log(path):
            _make_usable(path, health, clock)
        else:
            create(path)
        history = SqliteHistory(path, health, own or lock, keeps_lock=own is not None)
        return history, health
    except BaseException:
        if own is not None:
            own.release()
        raise


def _make_usable(path: Path, health: StorageHealth, clock: Clock) -> None:
    finding = examine(path)
    match finding.state:
        case "damaged":
            from studio.storage.salvage import salvage  # lazy: most histories are sound

            health.notices.append(f"{salvage(path, clock).told()} Reason: {finding.detail}.")
            _refuse_strange(examine(path), health)
        case "older":
            from studio.storage.migration import migrate, migrations  # lazy: most are up to date

            copy = migrate(path, finding.version, migrations(), clock)
            health.notices.append(f"The history was brought up to date; a backup is at {copy}.")
        case _:
            _refuse_strange(finding, health)
    if finding.torn:
        health.notices.append(
            "The write-ahead log ended in a transaction that was never completed; it was left out."
        )


def _refuse_strange(finding: Finding, health: StorageHealth) -> None:
    """Open what a newer program wrote for reading only: nothing of it may be dropped."""
    if finding.state in ("newer", "unknown_event"):
        health.read_only, health.why_read_only = True, finding.detail
        health.notices.append(f"The history is open for reading only: {finding.detail}")
