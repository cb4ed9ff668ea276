"""Text measured, cut and filled to terminal cells."""

from __future__ import annotations

from studio.projections.text import character_width, visible
from studio.projections.text import width as cell_width

__all__ = ["ELLIPSIS", "cell_width", "character_width", "clean", "cut", "fit"]

ELLIPSIS = "…"

STAND_IN = "?"
"""Takes one cell in every terminal and in ASCII, which a drawing's columns depend on."""


def clean(text: str) -> str:
    """Text that takes exactly the cells it is measured at: control and format characters become ``?``.

    Escape sequences therefore cannot reach the terminal. Piled-up combining marks are capped.
    """
    if text.isascii() and text.isprintable():
        return text
    return visible(text, STAND_IN)


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
