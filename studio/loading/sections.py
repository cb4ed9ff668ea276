"""Reading a mapping of the file key by key: kinds of values, unknown keys, and messages with places."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from studio.loading import vocabulary as words
from studio.loading.diagnostics import Report, kind_of, named, quoted, unprintable
from studio.loading.document import Path
from studio.model.durations import parse_duration
from studio.model.json_value import JsonValue

Word = TypeVar("Word", bound=str)


class Entry(msgspec.Struct, frozen=True):
    """A value of the file and the path it stands at."""

    value: Any
    path: Path


class Section:
    """One mapping of the file.

    Every reading method returns None when the key is absent or wrong; wrong is also in the report.

    Args:
        entries: its keys; the path of a value may lead elsewhere when it came from ``defaults``.
        path: where the mapping stands.
        title: how messages call it, such as ``retry``.
        report: where problems go.
    """

    def __init__(
        self, entries: Mapping[str, Entry], path: Path, title: str, report: Report
    ) -> None:
        self.entries = entries
        self.path = path
        self.title = title
        self.report = report

    def __contains__(self, key: str) -> bool:
        return key in self.entries

    def path_of(self, key: str) -> Path:
        """Where the value of a key stands, or the section when the key is absent."""
        entry = self.entries.get(key)
        return entry.path if entry is not None else self.path

    def error(self, key: str, message: str, code: str = "value") -> None:
        """Report a problem with the value of a key."""
        self.report.error(self.path_of(key), message, code=code)

    def key_error(self, key: str, message: str, code: str = "key") -> None:
        """Report a problem with the key itself."""
        self.report.error(self.path_of(key), message, code=code, key=True)

    def check_keys(self, known: Iterable[str], later: Iterable[str] = ()) -> None:
        """Report keys that the language does not have, and those it has but this version does not run."""
        allowed, coming = tuple(known), tuple(later)
        for key in self.entries:
            if key in allowed:
                continue
            if key in coming:
                self.key_error(
                    key, f"{quoted(key)} is not supported by this version yet", "unsupported"
                )
                continue
            meant = words.MEANT.get(key)
            hint = f"; did you mean {quoted(meant)}?" if meant in (*allowed, *coming) else ""
            hint = hint or self.report.suggest(key, allowed)
            if not hint and len(allowed) <= 8:
                hint = f"; {self.title} takes {named(allowed)}" if allowed else ""
            self.key_error(key, f"unknown key {quoted(key)} in {self.title}{hint}", "unknown-key")

    def require(self, key: str, message: str) -> bool:
        """Whether a key is there; its absence is reported at the section."""
        if key in self.entries:
            return True
        self.report.error(self.path, message, code="missing-key", key=True)
        return False

    def raw(self, key: str) -> JsonValue:
        """The value as written."""
        entry = self.entries.get(key)
        return entry.value if entry is not None else None

    def wrong_kind(self, key: str, wanted: str) -> None:
        """Report that the value of a key is of another kind than ``wanted``."""
        self.error(key, f"{key} has to be {wanted}, not {kind_of(self.raw(key))}", "kind")

    def text(self, key: str, *, lines: bool = True, empty: bool = False) -> str | None:
        """A text; with ``lines=False`` a single line that can be shown in a cell."""
        entry = self.entries.get(key)
        if entry is None:
            return None
        value = entry.value
        if not isinstance(value, str):
            hint = ""
            if isinstance(value, (bool, int, float)):
                hint = "; put it in quotes"
            self.error(key, f"{key} has to be text, not {kind_of(value)}{hint}", "kind")
            return None
        if not value.strip() and not empty:
            self.error(key, f"{key} is empty")
            return None
        if not lines and (found := unprintable(value)):
            self.report.error(
                entry.path,
                f"{key} holds the character U+{ord(found.group()):04X}, which cannot be shown",
                code="character",
                offset=found.start(),
            )
            return None
        return value

    def flag(self, key: str) -> bool | None:
        """``true`` or ``false``."""
        value = self.raw(key)
        if key not in self.entries or isinstance(value, bool):
            return value if isinstance(value, bool) else None
        hint = ""
        if isinstance(value, str) and value.lower() in ("yes", "no", "on", "off", "true", "false"):
            meant = "true" if value.lower() in ("yes", "on", "true") else "false"
            hint = f"; write {meant}"
        self.error(key, f"{key} has to be true or false, not {kind_of(value)}{hint}", "kind")
        return None

    def integer(self, key: str, least: int, most: int | None = None) -> int | None:
        """A whole number within bounds."""
        if key not in self.entries:
            return None
        value = self.raw(key)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            self.wrong_kind(key, "a whole number")
            return None
        return value if self._within(key, value, least, most) else None

    def number(self, key: str, least: float, most: float | None = None) -> float | None:
        """A number within bounds."""
        if key not in self.entries:
            return None
        value = self.raw(key)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            self.wrong_kind(key, "a number")
            return None
        return float(value) if self._within(key, value, least, most) else None

    def _within(self, key: str, value: float, least: float, most: float | None) -> bool:
        if value >= least and (most is None or value <= most):
            return True
        wanted = f"at least {least}" if most is None else f"between {least} and {most}"
        self.error(key, f"{key} has to be {wanted}, not {value}", "range")
        return False

    def word(self, key: str, choices: Sequence[Word]) -> Word | None:
        """One of a few words."""
        if key not in self.entries:
            return None
        value = self.raw(key)
        for word in choices:
            if value == word:
                return word
        hint = self.report.suggest(value, choices) if isinstance(value, str) else ""
        shown = quoted(value) if isinstance(value, str) else kind_of(value)
        wanted = f"{', '.join(choices[:-1])} or {choices[-1]}"
        self.error(key, f"{key} has to be {wanted}, not {shown}{hint}", "word")
        return None

    def duration(self, key: str, *, zero: bool = False) -> float | None:
        """Seconds of a duration such as ``10s``; a plain ``0`` stands for none where ``zero`` is allowed."""
        if key not in self.entries:
            return None
        value = self.raw(key)
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            self.wrong_kind(key, 'a duration such as "10s"')
            return None
        if value == 0 and zero:
            return 0.0
        try:
            seconds = parse_duration(value if isinstance(value, str) else f"{value:g}")
        except ValueError as error:
            self.error(key, f"{key}: {error}", "duration")
            return None
        if seconds == 0 and not zero:
            self.error(key, f"{key} has to be longer than nothing", "duration")
            return None
        return seconds

    def names(self, key: str, pattern: str | None = None, rule: str = "") -> tuple[str, ...] | None:
        """A list of texts, or one text, none of them twice."""
        entry = self.entries.get(key)
        if entry is None:
            return None
        single = isinstance(entry.value, str)
        if not single and not isinstance(entry.value, list):
            self.wrong_kind(key, "a list of texts")
            return None
        found: dict[str, None] = {}  # in order, and quick to ask
        for index, value in enumerate([entry.value] if single else entry.value):
            path = entry.path if single else (*entry.path, index)
            problem = _name_problem(key, value, found, pattern, rule)
            if problem:
                self.report.error(path, problem, code="name")
            else:
                found[value] = None
        return tuple(found)

    def mapping(self, key: str, title: str | None = None) -> Section | None:
        """A mapping, to be read key by key."""
        entry = self.entries.get(key)
        if entry is None:
            return None
        if not isinstance(entry.value, dict):
            self.wrong_kind(key, "a mapping")
            return None
        return section(entry.value, entry.path, title or key, self.report)

    def listing(self, key: str) -> list[Entry] | None:
        """A list, its entries with their paths."""
        entry = self.entries.get(key)
        if entry is None:
            return None
        if not isinstance(entry.value, list):
            self.wrong_kind(key, "a list")
            return None
        return [Entry(value, (*entry.path, at)) for at, value in enumerate(entry.value)]


def section(value: Mapping[str, Any], path: Path, title: str, report: Report) -> Section:
    """The section of a mapping whose values all stand below its own path."""
    return Section(
        {key: Entry(one, (*path, key)) for key, one in value.items()}, path, title, report
    )


def _name_problem(
    key: str, value: object, found: dict[str, None], pattern: str | None, rule: str
) -> str | None:
    if not isinstance(value, str):
        return f"{key} takes texts, not {kind_of(value)}"
    if value in found:
        return f"{quoted(value)} is there twice in {key}"
    if pattern is not None and not re.match(pattern, value):
        return f"{quoted(value)} in {key}: {rule}"
    if not value.strip() or unprintable(value):
        return f"{quoted(value)} in {key} is not a name that can be shown"
    return None


def fill(target: dict[str, Any], **values: object) -> dict[str, Any]:
    """Add those values that are not None: absent keys take the model's own defaults."""
    target.update((key, value) for key, value in values.items() if value is not None)
    return target
