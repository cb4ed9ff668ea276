"""From a character of a value back to the character of the file it was written with.

Texts are folded, indented and escaped in YAML, so an offset into the value is not an offset into the
file. The way back is walked only for messages, never while reading.
"""

from __future__ import annotations

import re

_ESCAPE = r"(?s)\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)"
_BLANK = frozenset(" \t\n")


def locate(text: str, start: int, style: str, value: str, offset: int) -> int:
    """Offset into the file of character ``offset`` of a text value.

    Args:
        text: the whole file, line ends as ``\\n``.
        start: offset at which the value begins, its quote or block sign included.
        style: how it is written: ``""``, ``'``, ``"``, ``|`` or ``>``.
        value: the text as read.
        offset: character of ``value`` to find; clamped to its length.
    """
    offset = max(0, min(offset, len(value)))
    if style in ("|", ">"):
        start = text.find("\n", start) + 1 or start
    elif style in ("'", '"'):
        start += 1
    return _walk(text, start, style, value, offset)


def _walk(text: str, start: int, style: str, value: str, offset: int) -> int:
    """Step through value and file together; white space on either side counts as one stretch."""
    here, index = start, 0
    while index < offset and here < len(text):
        wanted = value[index]
        if style == '"' and text[here] == "\\":
            here += _width(text, here, style)
            index += 1
            continue
        if wanted in _BLANK:
            while index < offset and value[index] in _BLANK:
                index += 1
            here = _skip_blanks(text, here)
            continue
        here = _skip_blanks(text, here) if text[here] in _BLANK else here
        here += _width(text, here, style)
        index += 1
    if index < len(value) and value[index] not in _BLANK:
        here = _skip_blanks(text, here)
    return min(here, len(text))


def _width(text: str, here: int, style: str) -> int:
    """Characters of the file that stand for one character of the value."""
    if style == "'" and text.startswith("''", here):
        return 2
    if style == '"' and text.startswith("\\", here):
        found = re.compile(_ESCAPE).match(text, here)
        return len(found.group()) if found else 1
    return 1


def _skip_blanks(text: str, here: int) -> int:
    while here < len(text) and text[here] in _BLANK:
        here += 1
    return here


def line_starts(text: str) -> list[int]:
    """Offsets at which the lines of a text begin."""
    return [0, *(found.end() for found in re.finditer("\n", text))]


def line_and_column(text: str, place: int) -> tuple[int, int]:
    """Line and column, counted from 1, of a character of a text."""
    return text.count("\n", 0, place) + 1, place - text.rfind("\n", 0, place)
