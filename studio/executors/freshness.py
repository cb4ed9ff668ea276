"""Whether the files a process has imported are still the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from studio.executors.zygote.sources import importable, stamp

Stamps: TypeAlias = Mapping[str, Sequence[int] | None]
Folders: TypeAlias = Mapping[str, Sequence[str]]


class Sources:
    """Files and folders as they were when they were imported.

    Args:
        files: stamp of each file that was read.
        folders: importable names of each folder; a new one may come before what was found.
    """

    def __init__(self, files: Stamps, folders: Folders) -> None:
        self._files = files
        self._folders = folders
        self._stamps = {folder: stamp(folder) for folder in folders}

    def unchanged(self) -> bool:
        """Look at the disk: about two microseconds a file."""
        for path, known in self._files.items():
            if stamp(path) != (None if known is None else list(known)):
                return False
        for folder, names in self._folders.items():
            now = stamp(folder)
            if now != self._stamps[folder]:
                # Something was created or deleted; most often it is nothing that could be imported.
                if importable(folder) != list(names):
                    return False
                self._stamps[folder] = now
        return True
