"""The workflow files of a folder, each with its last good version."""

import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

from studio.application.stored_definitions import compiled
from studio.core.plan import Plan
from studio.loading.diagnostics import Diagnostic
from studio.loading.discovery import discover
from studio.loading.loader import LoadResult, load_file


class WorkflowFile(msgspec.Struct):
    """A workflow file as last read.

    Args:
        path: absolute path.
        display: path relative to the project.
        name: the workflow's id, from the last good version, else the file's name.
        plan: the last good version; None while the file never loaded.
        diagnostics: findings of the newest version; errors among them keep ``plan`` at the last good one.
        digest: content hash of the newest version.
    """

    path: str
    display: str
    name: str
    plan: Plan | None
    diagnostics: tuple[Diagnostic, ...]
    digest: str

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """Findings that keep the newest version from being used."""
        return tuple(one for one in self.diagnostics if one.severity == "error")


class WorkflowFiles:
    """The files of a folder, or one file alone.

    Args:
        place: the folder where they are looked for; or one file, and only that is known.

    Attributes:
        place: absolute, without ``..``, as the loader and the watcher spell it.
        known: the files, by absolute path.
        skipped: files that were left out, with the reason.
    """

    def __init__(self, place: Path) -> None:
        self.place = Path(os.path.abspath(place))
        self.known: dict[str, WorkflowFile] = {}
        self.skipped: list[str] = []

    @property
    def folder(self) -> Path:
        """The folder that paths are shown relative to."""
        return self.place if self.place.is_dir() else self.place.parent

    def discover(self) -> None:
        """Read every file there is. Blocks; call it in a thread."""
        if self.place.is_file():
            paths: Iterable[Path] = (self.place,)
        else:
            found = discover(self.place)
            paths = (Path(path) for path in found.files)
            self.skipped = [f"{one.path}: {one.reason}" for one in found.skipped]
        for path in paths:
            self.read(path)

    def read(self, path: Path) -> WorkflowFile:
        """Load a file, keeping the last good version when the new one has errors."""
        key = str(path.absolute())
        display = self.display(path)
        result: LoadResult = load_file(path, display=display)
        before = self.known.get(key)
        if result.workflow is not None:
            plan: Plan | None = compiled(result.workflow)
            name = result.workflow.name
        else:
            plan = before.plan if before is not None else None
            name = before.name if before is not None else path.stem
        entry = WorkflowFile(key, display, name, plan, result.diagnostics, result.digest)
        self.known[key] = entry
        return entry

    def forget(self, path: str) -> None:
        """The file is gone; runs of it keep their own definition."""
        self.known.pop(path, None)

    def display(self, path: Path) -> str:
        """A path as people should see it: relative to the project where it lies inside."""
        try:
            return str(path.absolute().relative_to(self.folder.absolute()))
        except ValueError:
            return str(path)
