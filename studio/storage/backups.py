"""Copies of a history made while it is in use."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from studio.errors import StorageError
from studio.storage.sqlite_file import connect_reader, side_files, storage_error, sync_path


def backup(path: Path, to: Path) -> None:
    """Copy a history with SQLite's online backup: consistent, complete or not there at all.

    Args:
        path: the file ``history.sqlite``; it may be written to meanwhile.
        to: file to create; its folder exists.

    Raises:
        StorageError: ``to`` exists already, or cannot be written.
        DamagedError: the history cannot be read.
    """
    if to.exists():
        raise StorageError(f"{to} exists already; a backup never replaces a file.")
    draft = to.with_name(to.name + ".draft")
    try:
        with closing(connect_reader(path)) as source:
            copy_to(source, draft)
        draft.replace(to)
        sync_path(to.parent)
    except sqlite3.Error as error:
        raise storage_error(error, path) from error
    except OSError as error:
        raise storage_error(error, to) from error
    finally:
        for leftover in (draft, *side_files(draft)):
            leftover.unlink(missing_ok=True)


def copy_to(source: sqlite3.Connection, target: Path) -> None:
    """Copy what a connection sees into a new file and sync it. Raises `sqlite3.Error`, `OSError`."""
    target.unlink(missing_ok=True)
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    with closing(sqlite3.connect(target, isolation_level=None)) as destination:
        # All pages in one step: a copy in several steps begins anew with every foreign write.
        source.backup(destination, pages=-1)
    sync_path(target)
