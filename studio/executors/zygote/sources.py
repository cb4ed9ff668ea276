"""Importing a project's own modules from source, and telling when they have changed since.

A save within the same second and of the same size runs stale bytecode every time, because bytecode is matched
by whole seconds and size. So modules below the workflow's folder are compiled from source, always; installed
packages (``site-packages``) keep their bytecode.

Where a run keeps to stored code, the modules in it come from there, under the names and paths of the user's own files,
whatever stands in these files meanwhile; what it does not hold comes from the folder.
"""

from __future__ import annotations

import importlib
import importlib.util
import linecache
import os
import sys
from collections.abc import Callable
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    ModuleSpec,
    SourceFileLoader,
)
from types import CodeType, ModuleType
from typing import Any, Final, TypeAlias

from studio.executors.zygote.pinned import Pinned

Stamp: TypeAlias = list[int]
"""What tells one state of a file from the next: mtime and ctime in ns, size, inode."""

_INSTALLED: Final = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


def stamp(path: str) -> Stamp | None:
    """Return the stamp of a file, or None when there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return [found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino]


def importable(folder: str) -> list[str]:
    """Names in a folder that an import could find; a new one may shadow a module of the same name."""
    try:
        with os.scandir(folder) as entries:
            return sorted(
                entry.name
                for entry in entries
                if entry.name.endswith((".py", *EXTENSION_SUFFIXES))
                or ("." not in entry.name and entry.name != "__pycache__" and entry.is_dir())
            )
    except OSError:
        return []


_entered: Final[dict[str, Pinned | None]] = {}


class _FromSource(SourceFileLoader):
    """Compiles the file; never looks at bytecode and never writes any."""

    def get_code(self, fullname: str) -> CodeType | None:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


class _FromPinned(_FromSource):
    """Takes the text of its module from stored code; tracebacks and ``inspect`` show that text, too."""

    def __init__(self, name: str, path: str, pinned: Pinned) -> None:
        super().__init__(name, path)
        self._pinned = pinned

    def get_data(self, path: str) -> bytes:
        return self._pinned.read(path) if path in self._pinned else super().get_data(path)

    def get_code(self, fullname: str) -> CodeType | None:
        path = self.get_filename(fullname)
        text = self.get_data(path)
        code: CodeType = self.source_to_code(text, path)
        lines = importlib.util.decode_source(text).splitlines(keepends=True)
        # Without a time, `linecache.checkcache` never replaces it by what the file holds now.
        linecache.cache[path] = (len(text), None, lines, path)
        return code


class _PinnedFinder(FileFinder):
    """Finds modules in stored code first, as they were found when it was stored, then in the folder."""

    def __init__(self, path: str, pinned: Pinned, *loaders: Any) -> None:
        super().__init__(path, *loaders)
        self._pinned = pinned

    def find_spec(self, fullname: str, target: ModuleType | None = None) -> ModuleSpec | None:
        found = super().find_spec(fullname, target)
        if found is not None and isinstance(found.loader, ExtensionFileLoader):
            return found
        base = os.path.join(self.path, fullname.rpartition(".")[2])
        package = os.path.join(base, "__init__.py")
        if package in self._pinned:
            return _spec(fullname, package, self._pinned, [base])
        if f"{base}.py" in self._pinned:
            return _spec(fullname, f"{base}.py", self._pinned, None)
        if found is None and self._pinned.is_package(base):
            found = ModuleSpec(fullname, None, is_package=True)
            found.submodule_search_locations = [base]
        return found


def _spec(name: str, path: str, pinned: Pinned, folders: list[str] | None) -> ModuleSpec | None:
    return importlib.util.spec_from_file_location(
        name, path, loader=_FromPinned(name, path, pinned), submodule_search_locations=folders
    )


class Witness:
    """Notes which files below a folder are opened while a project is imported.

    Args:
        folder: the workflow's folder, absolute.
        only_modules: note Python files only, for a process whose functions run while it watches.
    """

    def __init__(self, folder: str, only_modules: bool = False) -> None:
        self._prefix = folder.rstrip(os.sep) + os.sep
        self._only_modules = only_modules
        self.files: dict[str, Stamp | None] = {}
        self._watching = True
        sys.addaudithook(self._hear)

    def stop(self) -> None:
        """Note nothing more; the hook itself cannot be taken away."""
        self._watching = False

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._watching or event not in ("open", "sqlite3.connect"):
            return
        path = arguments[0]
        if event == "open" and _writes(arguments[1], arguments[2]):
            return
        if isinstance(path, bytes):
            path = os.fsdecode(path)
        if not isinstance(path, str) or (self._only_modules and not path.endswith(".py")):
            return
        path = os.path.abspath(path)
        if path.startswith(self._prefix) and path not in self.files:
            self.files[path] = stamp(path)

    def folders(self) -> dict[str, list[str]]:
        """Importable names of every folder a noted file stands in."""
        parents = {os.path.dirname(path) for path in self.files} | {self._prefix.rstrip(os.sep)}
        return {parent: importable(parent) for parent in sorted(parents)}


def _writes(mode: str | None, flags: int) -> bool:
    if mode is not None:
        return any(letter in mode for letter in "wax+")
    return bool(flags & (os.O_WRONLY | os.O_RDWR))


def enter(folder: str, pin: str = "") -> None:
    """Make a folder the working directory and the first place of imports, compiled from source.

    In a child of a template the imports are set up already, and only the working directory is.

    Args:
        folder: the workflow's folder, absolute.
        pin: absolute path of the stored code that modules are taken from; empty for the folder alone.

    Raises:
        OSError: when the folder is gone or cannot be entered.
        PinnedCodeError: when the stored code cannot be read.
    """
    os.chdir(folder)
    if folder in _entered:
        return
    _entered[folder] = Pinned(pin, folder) if pin else None
    sys.dont_write_bytecode = True
    sys.path.insert(0, folder)
    sys.path_hooks.insert(0, _hook_for(folder))
    sys.path_importer_cache.clear()


def _hook_for(folder: str) -> Callable[[str], FileFinder]:
    prefix = folder.rstrip(os.sep) + os.sep
    loaders: list[Any] = [(ExtensionFileLoader, EXTENSION_SUFFIXES), (_FromSource, [".py"])]
    pinned = _entered.get(folder)

    def hook(path: str) -> FileFinder:
        inside = os.path.abspath(path) + os.sep
        if not inside.startswith(prefix) or any(part in inside for part in _INSTALLED):
            raise ImportError(path)
        if pinned is not None:
            return _PinnedFinder(path, pinned, *loaders)
        return FileFinder(path, *loaders)

    return hook


def load(name: str, folder: str) -> ModuleType:
    """Import the module of a ``call``: beside the workflow's file first, then anywhere.

    A file beside the workflow wins over a module of the same name that is loaded already, as it would in
    a fresh interpreter started in that folder.
    """
    top = name.partition(".")[0]
    present = sys.modules.get(top)
    if present is not None and not _stands_in(present, folder):
        finder = sys.path_importer_cache.get(folder) or _hook_for(folder)(folder)
        spec = finder.find_spec(top)
        if spec is not None and spec.loader is not None:
            module = importlib.util.module_from_spec(spec)
            sys.modules[top] = module
            try:
                spec.loader.exec_module(module)
            except BaseException:
                sys.modules[top] = present
                raise
    return importlib.import_module(name)


def _stands_in(module: ModuleType, folder: str) -> bool:
    file = getattr(module, "__file__", None)
    return isinstance(file, str) and file.startswith(folder.rstrip(os.sep) + os.sep)
