"""User text made fit for a terminal: nothing of it is markup, moves the cursor or reorders the line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from unicodedata import category, east_asian_width

REPLACEMENT = "�"
"""Stands for a character that must not reach the terminal, so that its absence is seen."""

MARKS_PER_CHARACTER = 4
"""Combining marks kept per character: thousands of them freeze terminals."""

# Escape sequences go as a whole, so that coloured output reads well: control sequences (ECMA-48, 5.4), strings up
# to their terminator (OSC, DCS, APC, PM, SOS), and two-character escapes.
_SEQUENCES = (
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]P_^X]|[\x9d\x90\x9f\x9e\x98])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-~]"
)
_IN_LINE = {"\n": "⏎", "\t": "    ", "\r": ""}
_MARKS = ("Mn", "Me")


def sanitise(text: str, limit: int | None = None) -> str:
    """One line of text that is safe to write to a terminal.

    Escape sequences are dropped; other control characters (C0, C1), bidirectional and invisible controls, lone
    surrogates and line ends become visible; piled-up combining marks are capped.

    Args:
        text: anything a user, a file or a child process supplied.
        limit: characters to keep at most, the last being ``…`` when some are left out; None keeps all.
    """
    if limit is not None and len(text) > 8 * limit + 64:
        # Enough is left for a cut at the limit; the rest of a huge text is never looked at.
        text = text[: 8 * limit + 64]
    if not (text.isascii() and text.isprintable()):
        if not text.isprintable():  # every sequence begins with a control character
            text = re.sub(_SEQUENCES, "", text)
        text = visible(text, REPLACEMENT, _IN_LINE)
    if limit is not None and len(text) > limit:
        return text[: max(0, limit - 1)] + "…"
    return text


def escaped(text: str, limit: int | None = None) -> str:
    r"""One line of a value, in which nothing is left out: ``\x1b`` stands for an escape character.

    As `sanitise`, but for what a person has to see as it is. Line ends become ``⏎``.

    Args:
        text: a string of a value, or a key.
        limit: characters to keep at most, the last being ``…`` when some are left out; None keeps all.
    """
    if limit is not None and len(text) > 8 * limit + 64:
        text = text[: 8 * limit + 64]
    if not (text.isascii() and text.isprintable()):
        text = visible("".join(map(_escape, text)), REPLACEMENT, _IN_LINE)
    if limit is not None and len(text) > limit:
        return text[: max(0, limit - 1)] + "…"
    return text


_SHORT = {"\t": "\\t", "\r": "\\r"}


def _escape(character: str) -> str:
    if character == "\n" or (character.isascii() and character.isprintable()):
        return character
    kind = category(character)
    if kind[0] != "C" and kind not in ("Zl", "Zp"):
        return character
    code = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    return (
        f"\\x{code:02x}"
        if code < 0x100
        else f"\\u{code:04x}"
        if code < 0x10000
        else f"\\U{code:08x}"
    )


def visible(text: str, stand_in: str, instead: Mapping[str, str] | None = None) -> str:
    """Text without characters that act on a terminal or take no cell of their own; piled-up marks are capped.

    Args:
        text: any text, escape sequences already removed.
        stand_in: written for each control, format, surrogate and unassigned character, and for line separators.
        instead: characters that become something else.
    """
    special = instead or {}
    kept: list[str] = []
    marks = 0
    for character in text:
        kind = category(character)
        if kind in _MARKS:
            marks += 1
            if (
                marks <= MARKS_PER_CHARACTER and kept
            ):  # without a character to stand on it would hit a border
                kept.append(character)
            continue
        marks = 0
        if character in special:
            kept.append(special[character])
        elif kind == "Zs":
            kept.append(" ")
        elif kind[0] in "CZ":
            kept.append(stand_in)
        else:
            kept.append(character)
    return "".join(kept)


@lru_cache(maxsize=4096)
def character_width(character: str) -> int:
    """Cells of one character: 2 for East Asian wide ones, 0 for combining marks, else 1.

    The rule is that of ``wcwidth`` (Kuhn, 2007) over Python's own Unicode tables. Control characters
    count 1, since one visible character stands for each.
    """
    if category(character) in _MARKS or character in "\u200b\u200c\u200d\ufeff":
        return 0
    return 2 if east_asian_width(character) in ("W", "F") else 1


def width(text: str) -> int:
    """Cells that a sanitised text takes: wide East Asian characters two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(map(character_width, text))


def pad(text: str, cells: int) -> str:
    """A sanitised text filled with spaces to a number of cells; a longer one stays as it is."""
    return text + " " * max(0, cells - width(text))


def shorten(text: str, cells: int) -> str:
    """A sanitised text cut to at most ``cells`` cells, ``…`` marking the cut."""
    if width(text) <= cells:
        return text
    kept: list[str] = []
    left = max(0, cells - 1)
    for character in text:
        left -= character_width(character)
        if left < 0:
            break
        kept.append(character)
    return "".join(kept) + ("…" if cells > 0 else "")
