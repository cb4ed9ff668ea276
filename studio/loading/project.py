"""``studio.toml``: the root of a project and its settings."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import Any

import msgspec

from studio.loading.diagnostics import Diagnostic, kind_of, quoted, suggestion
from studio.loading.document import SyntaxProblem
from studio.loading.encoding import decode
from studio.loading.loader import read_bytes
from studio.model.places import Place

FILE_NAME = "studio.toml"
_KEYS = ("limits", "state")
_LATER_KEYS = ("agents", "endpoints", "tenants", "alerts", "theme", "keymap", "defaults")
_LIMIT_KEYS = ("max_concurrency",)
_TOML_PLACE = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)$")


class Settings(msgspec.Struct, frozen=True):
    """What ``studio.toml`` sets.

    Args:
        max_concurrency: nodes in flight together in the whole engine; None for no bound.
        state: folder for the history, relative to the project's root; None for ``.studio``.
    """

    max_concurrency: int | None = None
    state: str | None = None


class Project(msgspec.Struct, frozen=True):
    """A project and its settings.

    Args:
        root: absolute path of the folder of ``studio.toml``; without one, the folder asked about.
        settings: its settings, the defaults where they are absent or wrong.
        file: absolute path of ``studio.toml``, None when there is none.
        diagnostics: what is wrong with it.
    """

    root: FilePath
    settings: Settings = Settings()
    file: FilePath | None = None
    diagnostics: tuple[Diagnostic, ...] = ()


def find_project(path: str | os.PathLike[str]) -> Project:
    """The project of a file or folder: the nearest ``studio.toml`` in its folder or above.

    Args:
        path: a workflow file or a folder; it need not exist.
    """
    start = FilePath(os.path.abspath(path))
    if not start.is_dir():
        start = start.parent
    for folder in (start, *start.parents):
        file = folder / FILE_NAME
        if file.is_file():
            return _read(file)
    return Project(start)


def _read(file: FilePath) -> Project:
    import tomllib  # lazy: many projects have no studio.toml

    try:
        text = decode(read_bytes(file))
        data = tomllib.loads(text)
    except (OSError, SyntaxProblem, ValueError, RecursionError) as error:
        return Project(file.parent, Settings(), file, (_unreadable(error),))
    check = _SettingsReader(text)
    settings = check.read(data)
    return Project(file.parent, settings, file, tuple(check.found))


def _unreadable(error: Exception) -> Diagnostic:
    place, message = Place(FILE_NAME), str(error)
    if isinstance(error, SyntaxProblem):
        place = Place(FILE_NAME, error.line, error.column)
    elif isinstance(error, OSError):
        message = f"cannot be read: {error.strerror}"
    elif isinstance(error, RecursionError):
        message = "nested too deep"
    elif (at := _TOML_PLACE.search(message)) is not None:
        if at.group(1):
            place = Place(FILE_NAME, int(at.group(1)), int(at.group(2)))
        message = message[: at.start()] + (" at the end of the file" if not at.group(1) else "")
    return Diagnostic(place, message, "error", "toml")


class _SettingsReader:
    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        self.found: list[Diagnostic] = []

    def read(self, data: Mapping[str, Any]) -> Settings:
        """The settings of a parsed file; what is wrong is left out and reported."""
        self._check_keys(data, _KEYS, _LATER_KEYS, "studio.toml")
        limits = data.get("limits", {})
        most = None
        if isinstance(limits, dict):
            self._check_keys(limits, _LIMIT_KEYS, (), "limits")
            most = limits.get("max_concurrency")
        else:
            self._error("limits", f"limits has to be a table, not {kind_of(limits)}")
        if most is not None and (isinstance(most, bool) or not isinstance(most, int) or most < 1):
            self._error("max_concurrency", "max_concurrency has to be a whole number of at least 1")
            most = None
        state = data.get("state")
        if state is not None and (not isinstance(state, str) or not state.strip()):
            self._error("state", f"state has to be the path of a folder, not {kind_of(state)}")
            state = None
        return Settings(most, state)

    def _check_keys(
        self, data: Mapping[str, Any], known: tuple[str, ...], later: tuple[str, ...], title: str
    ) -> None:
        for key in data:
            if key in later:
                self._error(
                    key, f"{quoted(key)} is not supported by this version yet", "unsupported"
                )
            elif key not in known:
                hint = suggestion(key, known)
                self._error(key, f"unknown key {quoted(key)} in {title}{hint}", "unknown-key")

    def _error(self, key: str, message: str, code: str = "value") -> None:
        self.found.append(Diagnostic(self._place(key), message, "error", code))

    def _place(self, key: str) -> Place:
        """The first line that sets or opens a key; TOML's reader does not tell positions."""
        pattern = re.compile(rf"""\s*(?:\[\s*)*["']?({re.escape(key)})["']?\s*[=.\]]""")
        for number, line in enumerate(self.lines, 1):
            if (found := pattern.match(line)) is not None:
                return Place(FILE_NAME, number, found.start(1) + 1)
        return Place(FILE_NAME)
