"""Which workflows a save touches, and what their files and their code are afterwards."""

import os
from collections.abc import Container, Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from studio.application.local import LocalStudio
from studio.application.pinned_code import CodeReader
from studio.application.remote import RemoteStudio
from studio.application.session import Session, WorkflowFile
from studio.loading.diagnostics import Diagnostic
from studio.loading.discovery import discover
from studio.loading.fingerprint import Code, CodePrint, files_of
from studio.loading.loader import JSON_SUFFIXES, YAML_SUFFIXES
from studio.loading.watcher import Appeared, FileChange, Removed
from studio.model.places import Place


class Edit(msgspec.Struct, frozen=True):
    """What saved files did to one workflow.

    Args:
        entry: its file as it is now.
        before: as it was; None for a new one.
        old: the code of its nodes before, by node id.
        code: the code now, with the texts of its modules.
        files: the saved files that touch it, as people know them.
        written: moment of the newest save among them, seconds since the epoch.
        gone: code that is gone, when nothing else was saved that could have taken its place.
    """

    entry: WorkflowFile
    before: WorkflowFile | None
    old: Mapping[str, CodePrint]
    code: Code
    files: tuple[str, ...]
    written: float
    gone: tuple[str, ...] = ()

    @property
    def new(self) -> Mapping[str, CodePrint]:
        """The code of its nodes now, by node id."""
        return self.code.prints

    @property
    def problems(self) -> tuple[Diagnostic, ...]:
        """What keeps the newest version from being used, in its file and in the code it reaches."""
        folder = os.path.dirname(self.entry.display)
        found = {(one.place.line, one.message): one for one in self.entry.errors}
        for code in self.new.values():
            for one in code.problems:
                place = msgspec.structs.replace(
                    one.place, file=os.path.join(folder, one.place.file)
                )
                found.setdefault(
                    (place.line, one.message), msgspec.structs.replace(one, place=place)
                )
        missing = [
            Diagnostic(Place(file), "is gone, and nodes reach it", "error", "gone")
            for file in self.gone
        ]
        return (*found.values(), *missing)


class EditedFiles:
    """The files of a session and the code they reach, kept up to date. Its methods block; call them in a thread."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.prints: dict[str, Mapping[str, CodePrint]] = {}
        self._reader: CodeReader = CodeReader()
        self.turn_to(session.studio)

    def turn_to(self, studio: LocalStudio | RemoteStudio) -> None:
        """Read code as another studio does: what it has read before is read once for both."""
        self._reader = studio.code if isinstance(studio, LocalStudio) else CodeReader()

    def read_all(self) -> None:
        """Fingerprint the code of every workflow there is."""
        self.prints.clear()
        self._read_new()

    def _read_new(self) -> None:
        """Fingerprint what came to the session by another way than a save: a workflow that was created on screen."""
        for path, entry in list(self.session.files.items()):
            if path not in self.prints:
                self.prints[path] = self._code(entry).prints

    @property
    def code_files(self) -> frozenset[str]:
        """Every file that some node depends on."""
        return files_of(one for prints in self.prints.values() for one in prints.values())

    def take(self, changes: Sequence[FileChange]) -> list[Edit]:
        """Read again what these saves touch."""
        self._read_new()
        touched: dict[str, list[FileChange]] = {}
        for change in changes:
            for path in self._touched(change):
                touched.setdefault(path, []).append(change)
        edits = [self._edit(path, files) for path, files in touched.items()]
        for path, files in self._hoped(changes, touched).items():
            before = self.session.files[path].errors
            edit = self._edit(path, files)
            named = {*self._named(before), *self._named(edit.entry.errors)}
            if edit.entry.errors != before or any(change.path in named for change in files):
                edits.append(edit)
        return edits

    def _hoped(
        self, changes: Iterable[FileChange], touched: Container[str]
    ) -> dict[str, list[FileChange]]:
        """Workflow files with errors that saves of code may have mended, none of those that are touched anyway.

        What such a file calls is not known in full: it has no definition, or only an older one.
        """
        found: dict[str, list[FileChange]] = {}
        for change in changes:
            for path, entry in list(self.session.files.items()):
                inside = change.path.startswith(os.path.dirname(path).rstrip(os.sep) + os.sep)
                if entry.errors and inside and change.path.endswith(".py") and path not in touched:
                    found.setdefault(path, []).append(change)
        return found

    def _named(self, errors: Iterable[Diagnostic]) -> list[str]:
        """Absolute paths of the files that errors stand in."""
        folder = self.session.catalog.folder
        return [os.path.join(folder, one.place.file) for one in errors]

    def _touched(self, change: FileChange) -> list[str]:
        """Workflow files whose definition or code a change is about; a removed workflow is not among them."""
        path, known = change.path, self.session.files
        found = [
            one
            for one, prints in self.prints.items()
            if one in known and any(path in code.files for code in prints.values())
        ]
        if path.endswith(".py") and isinstance(change, (Appeared, Removed)):
            # It may be what an import was missing, or hide another module.
            found = [one for one, prints in self.prints.items() if prints and one in known]
        if isinstance(change, Removed) or not path.endswith((*YAML_SUFFIXES, *JSON_SUFFIXES)):
            return [one for one in found if one != path]
        if path in known:
            same = change.digest and change.digest == known[path].digest
            return found if same and not known[path].errors else [path, *found]
        return [path, *found] if self._is_workflow(path) else found

    def _is_workflow(self, path: str) -> bool:
        folder = self.session.folder
        if folder.is_file():
            return path == str(folder.absolute())
        return any(str(one.absolute()) == path for one in discover(folder).files)

    def _edit(self, path: str, changes: Sequence[FileChange]) -> Edit:
        files = [change.path for change in changes]
        before = self.session.files.get(path)
        old = self.prints.get(path, {})
        entry = self.session.catalog.read(Path(path))
        code = self._code(entry)
        self.prints[path] = code.prints if entry.plan is not None else old
        shown = tuple(dict.fromkeys(self.session.catalog.display(Path(file)) for file in files))
        reached = files_of(old.values())
        only_gone = all(isinstance(change, Removed) for change in changes)
        gone = tuple(self.session.catalog.display(Path(file)) for file in files if file in reached)
        written = max(_written(file) for file in files)
        return Edit(entry, before, old, code, shown, written, gone if only_gone else ())

    def _code(self, entry: WorkflowFile) -> Code:
        return self._reader.read(entry.plan.workflow) if entry.plan is not None else Code()


def _written(file: str) -> float:
    try:
        return os.stat(file).st_mtime
    except OSError:
        return 0.0
