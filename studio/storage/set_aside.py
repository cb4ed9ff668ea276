"""A history that makes way for another: under which names both wait, and how they change places.

Light, because each start asks whether a change of places was left half done.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from studio.ports import Clock
from studio.storage.sqlite_file import side_files, storage_error, sync_path

SAVED: Final = "history.salvaged-"
"""How complete replacements of a history begin; `finish_salvage` gives them the place they are for."""

END: Final = ".sqlite"
"""How their names end, and those of what they replaced."""

_ASIDE: Final = "history.damaged-"


def finish_salvage(path: Path) -> None:
    """Carry out the moves that a crash in the middle of `salvage` left undone.

    Raises `StorageError`.
    """
    try:
        for saved in sorted(path.parent.glob(SAVED + "*" + END)):
            exchange(path, saved)
    except OSError as error:
        raise storage_error(error, path) from error


def exchange(path: Path, saved: Path) -> Path:
    """Set a history aside and put its replacement into its place; returns where it is now. Raises `OSError`."""
    aside = path.with_name(_ASIDE + saved.name.removeprefix(SAVED))
    # The log goes first: were it left alone with the new file, SQLite would apply it to that.
    for place, target in zip((*side_files(path), path), (*side_files(aside), aside), strict=True):
        if place.exists():
            place.replace(target)
    sync_path(path.parent)
    saved.replace(path)
    sync_path(path.parent)
    return aside


def dated(clock: Clock) -> str:
    """Time in UTC as it stands in file names, such as ``20300102-030405``."""
    return datetime.fromtimestamp(clock.now(), UTC).strftime("%Y%m%d-%H%M%S")


def stamp_for(folder: Path, clock: Clock) -> str:
    """A date that no file set aside earlier carries."""
    stamp = first = dated(clock)
    number = 1
    while any((folder / (start + stamp + END)).exists() for start in (_ASIDE, SAVED)):
        number += 1
        stamp = f"{first}-{number}"
    return stamp
