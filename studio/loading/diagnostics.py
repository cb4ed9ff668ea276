"""What is wrong with a definition, and where: collected in one pass, shown one per line."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable
from typing import Literal

import msgspec

from studio.loading.document import Document, Path
from studio.model.places import Place

Severity = Literal["error", "warning"]

MAX_DIAGNOSTICS = 500
"""Diagnostics kept per file: enough to work through, bounded for a file that is wrong everywhere."""

MAX_RECORDED = 20_000
"""Errors looked at before the rest is only counted."""

MAX_COMPARISONS = 20_000
"""Names compared for suggestions per file, about a third of a second; later problems go without."""

MAX_WALK = 2_000_000
"""Characters stepped through to find places within texts; later problems point at their text's start."""

_LONGEST_MESSAGE = 1_000

# Control characters, and the bidirectional and invisible ones that make text read as something else.
_UNPRINTABLE = "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"


class Diagnostic(msgspec.Struct, frozen=True):
    """One finding in a definition file.

    Args:
        place: file, line and column it points at.
        message: what is wrong and what to do, one line, without the place.
        severity: ``error`` keeps the file from being loaded, ``warning`` does not.
        code: stable word for machines, such as ``unknown-key``.
    """

    place: Place
    message: str
    severity: Severity = "error"
    code: str = "definition"

    def __str__(self) -> str:
        mark = "warning: " if self.severity == "warning" else ""
        return f"{printable(str(self.place))}: {mark}{self.message}"


class Report:
    """The diagnostics of one document, without repetitions.

    Args:
        document: the file they point into.
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        self.error_count = 0
        self._comparisons = 0
        self._walked = 0
        self._found: dict[tuple[Place, str], Diagnostic] = {}

    def error(
        self,
        path: Path,
        message: str,
        *,
        code: str = "definition",
        key: bool = False,
        offset: int | None = None,
    ) -> None:
        """Record an error at the value of ``path``, at its key, or ``offset`` characters into its text."""
        self.error_count += 1
        if self.error_count > MAX_RECORDED:
            return
        self._add(self._place(path, key, offset), message, "error", code)

    def warning(
        self, path: Path, message: str, *, code: str = "definition", key: bool = False
    ) -> None:
        """Record a warning at the value of ``path``, or at its key."""
        self._add(self._place(path, key, None), message, "warning", code)

    def suggest(self, word: str, known: Collection[str]) -> str:
        """What `suggestion` says, as long as the file has not used up its `MAX_COMPARISONS`."""
        self._comparisons += len(known)
        return suggestion(word, known) if self._comparisons <= MAX_COMPARISONS else ""

    def _place(self, path: Path, key: bool, offset: int | None) -> Place:
        if offset is not None:
            self._walked += offset
        if offset is not None and self._walked <= MAX_WALK:
            return self.document.place_in_text(path, offset)
        return self.document.key_place(path) if key else self.document.place(path)

    def _add(self, place: Place, message: str, severity: Severity, code: str) -> None:
        text = printable(message)
        self._found.setdefault((place, text), Diagnostic(place, text, severity, code))

    def finish(self) -> tuple[Diagnostic, ...]:
        """All findings in file order, cut to `MAX_DIAGNOSTICS` with a last one that tells how many more."""
        ordered = in_file_order(self._found.values())
        if len(ordered) <= MAX_DIAGNOSTICS:
            return ordered
        errors = [one for one in ordered if one.severity == "error"]
        kept = (errors or list(ordered))[: MAX_DIAGNOSTICS - 1]
        more = len(ordered) - len(kept) + max(self.error_count - MAX_RECORDED, 0)
        last = Diagnostic(kept[-1].place, f"{more} more problems follow", kept[-1].severity, "more")
        return (*kept, last)


def in_file_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Diagnostics sorted by file, line and column, errors before warnings at one place."""
    return tuple(
        sorted(
            diagnostics,
            key=lambda one: (
                one.place.file,
                one.place.line,
                one.place.column,
                one.severity,
                one.message,
            ),
        )
    )


def suggestion(word: str, known: Iterable[str]) -> str:
    """``; did you mean "x"?`` for the nearest of ``known``, or nothing when none is near."""
    near = nearest(word, known)
    return f'; did you mean "{near}"?' if near is not None else ""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The one of ``known`` that ``word`` most likely stands for, or None."""
    names = list(known)
    if len(word) > 100:
        return None
    for name in names:
        if name.casefold() == word.casefold():
            return name
    # 0.6 is difflib's own default; it accepts one slip in three letters.
    found = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    return found[0] if found else None


def quoted(text: str, limit: int = 60) -> str:
    """User text for a message: in double quotes, one line, control characters spelled out, bounded."""
    shown = printable(text[: limit + 1])
    if len(text) > limit:
        shown = shown[:limit] + "…"
    return f'"{shown}"'


def printable(text: str) -> str:
    """Text with control, bidirectional and invisible characters spelled out, at most 1,000 characters."""
    if len(text) > _LONGEST_MESSAGE:
        text = text[:_LONGEST_MESSAGE] + "…"
    return text if text.isprintable() else re.sub(_UNPRINTABLE, _spelled, text)


def unprintable(text: str) -> re.Match[str] | None:
    """The first character that would be spelled out."""
    # What Python calls printable holds none of them; the pattern is compiled when some text is not.
    return None if text.isprintable() else re.search(_UNPRINTABLE, text)


def _spelled(match: re.Match[str]) -> str:
    short = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}
    character = match.group()
    return short.get(character, f"\\u{ord(character):04x}")


def named(names: Iterable[str], limit: int = 8) -> str:
    """A list of names for a message: ``a, b and c``, cut after ``limit``."""
    known = list(names)
    if len(known) > limit:
        return f"{', '.join(known[:limit])} and {len(known) - limit} more"
    if len(known) < 2:
        return "".join(known)
    return f"{', '.join(known[:-1])} and {known[-1]}"


def kind_of(value: object) -> str:
    """Name of a JSON value's kind for a message: ``a list``, ``a number``, ``text`` …"""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, str):
        return "text"
    return "a list" if isinstance(value, list) else "a mapping"
