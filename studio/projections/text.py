"""User text made fit for a terminal: nothing of it is markup, moves the cursor or reorders the line."""

from __future__ import annotations

import re
from functools import lru_cache
from unicodedata import category, east_asian_width

REPLACEMENT = "�"
"""Stands for a character that must not reach the terminal, so that its absence is seen."""

MARKS_PER_CHARACTER = 4
"""Combining marks kept per character: thousands of them freeze terminals."""

# Escape sequences go as a whole, so that coloured output reads well: control sequences (ECMA-48, 5.4), strings up
# to their terminator (OSC, DCS, APC, PM, SOS), and two-character escapes.
_SEQUENCES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]P_^X]|[\x9d\x90\x9f\x9e\x98])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-~]"
)
_TAB = "    "


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
        text = "".join(_visible(_SEQUENCES.sub("", text)))
    if limit is not None and len(text) > limit:
        return text[: max(0, limit - 1)] + "…"
    return text


def _visible(text: str) -> list[str]:
    kept: list[str] = []
    marks = 0
    for character in text:
        kind = category(character)
        if kind in ("Mn", "Me"):
            marks += 1
            if marks <= MARKS_PER_CHARACTER and kept:
                kept.append(character)
            continue
        marks = 0
        if character == "\n":
            kept.append("⏎")
        elif character == "\t":
            kept.append(_TAB)
        elif character == "\r":
            continue
        elif kind == "Zs":
            kept.append(" ")
        elif kind[0] in "CZ":
            kept.append(REPLACEMENT)
        else:
            kept.append(character)
    return kept


@lru_cache(maxsize=4096)
def _character_width(character: str) -> int:
    if category(character) in ("Mn", "Me"):
        return 0
    return 2 if east_asian_width(character) in ("W", "F") else 1


def width(text: str) -> int:
    """Cells that a sanitised text takes: wide East Asian characters two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(map(_character_width, text))


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
        left -= _character_width(character)
        if left < 0:
            break
        kept.append(character)
    return "".join(kept) + ("…" if cells > 0 else "")
