"""A definition file as read: plain JSON values, and the position of every key and value."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property
from typing import NamedTuple, TypeAlias

import msgspec

from studio.loading.offsets import line_starts, locate
from studio.model.json_value import JsonValue
from studio.model.places import Place

Path: TypeAlias = tuple[str | int, ...]
"""Keys and list indexes from the top of a file down to a value."""

MAX_DEPTH = 64
"""Levels of mappings and lists a file may nest; people's files stay below ten."""

MAX_BYTES = 10 * 1024 * 1024
"""Size up to which a definition file is read; 5,000 nodes take less than one megabyte."""


class Position(NamedTuple):
    """Where a value and its key stand, counted from 1; list entries have no key of their own.

    ``style`` is how a text is written: ``""`` plain, ``'``, ``"``, ``|`` or ``>``.
    """

    key_line: int
    key_column: int
    line: int
    column: int
    style: str = ""


_DECIMAL = r"[-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?(?=[\s,}\]]|\Z)"


class Document(msgspec.Struct, frozen=True, dict=True):
    """What a reader hands over.

    Args:
        file: path as it should be shown.
        text: the decoded file, line ends as ``\\n``.
        data: its content as JSON values.
        positions: position of every value by its path.
        taken_over: where a value is written that a mapping was given from elsewhere in the file, by the path it has
            in that mapping.
    """

    file: str
    text: str
    data: JsonValue = None
    positions: dict[Path, Position] = msgspec.field(default_factory=dict)
    taken_over: dict[Path, Path] = msgspec.field(default_factory=dict)

    def written_path(self, path: Path) -> Path:
        """The path under which a value stands in the file, which differs for what was taken over."""
        if path in self.positions or not self.taken_over:
            return path
        for length in range(len(path), 0, -1):
            source = self.taken_over.get(path[:length])
            if source is not None:
                return self.written_path((*source, *path[length:]))
        return path

    def position(self, path: Path) -> Position:
        """The position of a path, or of the nearest value above it that is written in the file."""
        path = self.written_path(path)
        found = self.positions.get(path)
        while found is None and path:
            path = path[:-1]
            found = self.positions.get(path)
        return found if found is not None else Position(1, 1, 1, 1)

    def place(self, path: Path) -> Place:
        """Where the value of a path begins."""
        found = self.position(path)
        return Place(self.file, found.line, found.column)

    def key_place(self, path: Path) -> Place:
        """Where the key of a path begins."""
        found = self.position(path)
        return Place(self.file, found.key_line, found.key_column)

    def written_number(self, path: Path) -> str | None:
        """The digits of a plain number as written, ``3.10`` for instance, or None when it is not plain."""
        found = self.positions.get(self.written_path(path))
        if found is None or found.style:
            return None
        start = self._line_starts[found.line - 1] + found.column - 1
        number = re.match(_DECIMAL, self.text[start : start + 400])
        return number.group() if number is not None else None

    def place_in_text(self, path: Path, offset: int) -> Place:
        """Where the character at ``offset`` of the text at ``path`` stands in the file."""
        path = self.written_path(path)
        found = self.position(path)
        value = self.data
        for step in path:
            try:
                value = value[step]  # type: ignore[index]  # the path was read from this data
            except (KeyError, IndexError, TypeError):
                return Place(self.file, found.line, found.column)
        if not isinstance(value, str):
            return Place(self.file, found.line, found.column)
        start = self._line_starts[min(found.line, len(self._line_starts)) - 1] + found.column - 1
        place = locate(self.text, start, found.style, value, offset)
        line = bisect_right(self._line_starts, place)
        return Place(self.file, line, place - self._line_starts[line - 1] + 1)

    @cached_property
    def _line_starts(self) -> list[int]:
        return line_starts(self.text)


class SyntaxProblem(Exception):
    """A file that cannot be read at all; carries the one place where reading stopped."""

    def __init__(self, line: int, column: int, message: str, code: str = "syntax") -> None:
        super().__init__(message)
        self.line = line
        self.column = column
        self.message = message
        self.code = code
