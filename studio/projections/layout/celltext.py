"""Text measured in terminal cells."""

from __future__ import annotations

from functools import lru_cache
from unicodedata import category, east_asian_width

ELLIPSIS = "…"

MARKS_PER_CHARACTER = 4
"""Combining marks kept per character; text with thousands of them makes terminals crawl."""


@lru_cache(maxsize=4096)
def character_width(character: str) -> int:
    """Cells of one character: 2 for East Asian wide ones, 0 for combining marks, else 1.

    The rule is that of ``wcwidth`` (Kuhn, 2007) over Python's own Unicode tables. Control characters
    count 1, since :func:`clean` replaces them by one visible character.
    """
    kind = category(character)
    if kind in ("Mn", "Me") or character in "\u200b\u200c\u200d\ufeff":
        return 0
    return 2 if east_asian_width(character) in ("W", "F") else 1


def cell_width(text: str) -> int:
    """Number of cells that a text takes."""
    if text.isascii():
        return len(text)
    return sum(map(character_width, text))


def clean(text: str) -> str:
    """Text that takes exactly the cells it is measured at: control and format characters become ``?``.

    Escape sequences therefore cannot reach the terminal. Piled-up combining marks are capped.
    """
    if text.isascii() and text.isprintable():
        return text
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
        if kind == "Zs":
            kept.append(" ")
        elif kind[0] in "CZ":
            kept.append("?")
        else:
            kept.append(character)
    return "".join(kept)


def fit(text: str, width: int, ellipsis: str = ELLIPSIS) -> str:
    """Exactly ``width`` cells of a clean text: cut with an ellipsis or filled with spaces.

    Args:
        text: a text that went through :func:`clean`.
        width: cells to fill, at least 0.
        ellipsis: one character of one cell.
    """
    size = cell_width(text)
    if size <= width:
        return text + " " * (width - size)
    if width <= 0:
        return ""
    return cut(text, 0, width - 1) + ellipsis


def cut(text: str, start: int, stop: int) -> str:
    """The cells from ``start`` to ``stop`` of a text; halves of wide characters become spaces."""
    if text.isascii():
        return text[start:stop] if stop > start else ""
    kept: list[str] = []
    at = 0
    for character in text:
        width = character_width(character)
        if at >= stop and width:
            break
        if start <= at and at + width <= stop:
            if width or at > start or start == 0:
                kept.append(character)
        elif at + width > start and at < stop:
            kept.append(" ")
        at += width
    result = "".join(kept)
    return result + " " * max(0, stop - start - cell_width(result)) if at < stop else result
