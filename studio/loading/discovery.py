"""Workflow files of a folder: found by what they hold, without following what should be left alone."""

from __future__ import annotations

import json
import os
import re
import stat
from pathlib import Path as FilePath
from typing import TYPE_CHECKING

import msgspec

from studio.loading.loader import JSON_SUFFIXES, YAML_SUFFIXES, read_bytes

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

MAX_DEPTH = 8
"""Folders below the start that are searched; projects keep workflows near their root."""

MAX_FILES = 20_000
"""Directory entries looked at before the search stops and says so."""

_LEFT_ALONE = frozenset(
    {"node_modules", "__pycache__", "site-packages", "venv", "env", "virtualenv", "dist", "build"}
)
# `workflow` as a key of the top level: a line of its own, or the first key within braces.
_YAML_KEY = rb"""(?m)^(?:\xef\xbb\xbf)?["']?workflow["']?[ \t]*:(?:[ \t\r\n]|\Z)"""
# What `studio run --json` prints names its workflow too, and is kept beside it often enough.
_RUN_DOCUMENT = frozenset({"run", "state"})
_FIRST_KEY = rb"""\A(?:\xef\xbb\xbf)?\s*\{\s*["']?workflow["']?\s*:"""


class Skipped(msgspec.Struct, frozen=True):
    """Something that was not searched, with the reason."""

    path: FilePath
    reason: str


class Discovery(msgspec.Struct, frozen=True):
    """What a search found.

    Args:
        files: workflow files in alphabetical order, folders before their subfolders.
        skipped: folders and files left out for a reason worth telling; hidden and ignored ones are not
            listed one by one.
    """

    files: tuple[FilePath, ...]
    skipped: tuple[Skipped, ...]


def discover(folder: str | os.PathLike[str]) -> Discovery:
    """Search a folder for workflow files; a file is one if its top level has ``workflow:``.

    Args:
        folder: where to begin. Links to folders are not followed, links to files are. It was asked for, so it is
            searched also where the ignore files above leave it out; those inside it count.
    """
    return _Search(FilePath(folder)).run()


def is_workflow_text(raw: bytes, suffix: str) -> bool:
    """Whether a file has ``workflow`` at its top level; told cheaply, also while it cannot be parsed."""
    if re.match(_FIRST_KEY, raw) is not None:
        return True
    if suffix not in JSON_SUFFIXES:
        return re.search(_YAML_KEY, raw) is not None
    if b'"workflow"' not in raw:
        return False
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError):  # in the middle of an edit: only its first key can tell
        return False
    return isinstance(data, dict) and "workflow" in data and not _RUN_DOCUMENT.issubset(data)


class _Search:
    def __init__(self, start: FilePath) -> None:
        self.start = start
        self.files: list[FilePath] = []
        self.skipped: list[Skipped] = []
        self.seen = 0

    def run(self) -> Discovery:
        folders = [(self.start, 0, self._rules_above())]
        while folders:
            folder, depth, rules = folders.pop(0)
            rules = self._with_rules(rules, folder)
            for entry in self._entries(folder):
                self.seen += 1
                if self.seen > MAX_FILES:
                    self._skip(folder, f"more than {MAX_FILES} entries; the rest was not searched")
                    return self._result()
                self._look(FilePath(entry.path), entry, depth, rules, folders)
        return self._result()

    def _result(self) -> Discovery:
        return Discovery(tuple(self.files), tuple(self.skipped))

    def _skip(self, path: FilePath, reason: str) -> None:
        self.skipped.append(Skipped(path, reason))

    def _entries(self, folder: FilePath) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(folder) as found:
                return sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            self._skip(folder, _reason(error))
            return []

    def _look(
        self,
        path: FilePath,
        entry: os.DirEntry[str],
        depth: int,
        rules: tuple[_Rules, ...],
        folders: list[tuple[FilePath, int, tuple[_Rules, ...]]],
    ) -> None:
        if entry.name.startswith("."):
            return
        suffix = path.suffix.lower()
        try:
            if entry.is_dir(follow_symlinks=False):
                if not _ignored(path, True, rules) and self._enter(path, depth):
                    folders.append((path, depth + 1, rules))
            elif suffix in (*YAML_SUFFIXES, *JSON_SUFFIXES) and not _ignored(path, False, rules):
                self._examine(path, suffix)
        except OSError as error:
            self._skip(path, _reason(error))

    def _enter(self, path: FilePath, depth: int) -> bool:
        if path.name in _LEFT_ALONE or (path / "pyvenv.cfg").exists():
            self._skip(path, "not searched: installed or generated files")
            return False
        if depth >= MAX_DEPTH:
            self._skip(path, f"deeper than {MAX_DEPTH} folders")
            return False
        return True

    def _examine(self, path: FilePath, suffix: str) -> None:
        if stat.S_ISDIR(path.stat().st_mode):
            self._skip(path, "a link to a folder; not followed")
            return
        try:
            raw = read_bytes(path)
        except ValueError as error:
            self._skip(path, str(error))
            return
        if is_workflow_text(raw, suffix):
            self.files.append(path)

    def _rules_above(self) -> tuple[_Rules, ...]:
        """Ignore files above, up to the root of the repository; none from above a folder that they leave out."""
        start = FilePath(os.path.abspath(self.start))
        above: list[FilePath] = []
        for folder in start.parents:
            above.append(folder)
            if (folder / ".git").exists():
                break
        else:
            return ()
        if (start / ".git").exists():
            return ()
        rules: tuple[_Rules, ...] = ()
        for folder in reversed(above):
            rules = self._with_rules(() if _ignored(folder, True, rules) else rules, folder)
        return () if _ignored(start, True, rules) else rules

    def _with_rules(self, rules: tuple[_Rules, ...], folder: FilePath) -> tuple[_Rules, ...]:
        try:
            raw = read_bytes(folder / ".gitignore")
            from pathspec import GitIgnoreSpec  # lazy: most folders hold no .gitignore

            spec = GitIgnoreSpec.from_lines(raw.decode("utf-8", "replace").splitlines())
        except (
            OSError,
            ValueError,
        ):  # absent or not a readable file; a bad pattern is a ValueError
            return rules
        return (*rules, _Rules(FilePath(os.path.abspath(folder)), spec))


class _Rules(msgspec.Struct, frozen=True):
    """The patterns of one ignore file, relative to its folder."""

    folder: FilePath
    spec: GitIgnoreSpec


def _ignored(path: FilePath, is_folder: bool, rules: tuple[_Rules, ...]) -> bool:
    """The verdict of the nearest ignore file that has one, as git does it."""
    absolute = FilePath(os.path.abspath(path))
    for one in reversed(rules):
        relative = absolute.relative_to(one.folder).as_posix() + ("/" if is_folder else "")
        verdict = one.spec.check_file(relative).include
        if verdict is not None:
            return verdict
    return False


def _reason(error: OSError) -> str:
    text = error.strerror or str(error)
    return f"cannot be read: {text[:1].lower()}{text[1:]}"
