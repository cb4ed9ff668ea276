"""Folders that only their owner may look into."""

from pathlib import Path


def make_private(folder: Path) -> None:
    """Make a folder and those above it that are missing, all closed to others whatever the umask.

    ``mkdir(parents=True)`` would give the mode to the last one alone.

    Raises:
        OSError: as `Path.mkdir` does; not because the folder is there.
    """
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for one in reversed(missing):
        one.mkdir(mode=0o700, exist_ok=True)
