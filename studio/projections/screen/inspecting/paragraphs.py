"""Building blocks of the tabs: wrapped text, labelled lines, times."""

from collections.abc import Sequence

from studio.projections.layout import Segment
from studio.projections.layout.celltext import character_width
from studio.projections.screen.graph import duration_text
from studio.projections.text import sanitise, shorten, width

Row = list[Segment]

LINE_CHARACTERS = 4_000
"""Characters of one line that are looked at for wrapping; the pager shows the whole."""

SHORT = 3
"""Up to so many lines a text that is cut ends with ``…`` alone."""

LABEL = 8
"""Cells of the labels at the left (``locals``, ``tries``, ``blocks``)."""


def wrap(text: str, cells: int, lines: int) -> list[str]:
    """Lines of a user's text, sanitised, at most ``cells`` wide, broken between words where that is possible.

    Args:
        text: anything; its line ends are kept.
        cells: width, at least 1.
        lines: lines to give at most; the last then tells, where there is room for it, how much there is in all.
    """
    cells = max(1, cells)
    # A line takes `cells` cells and a cell has at most a few characters: what lies behind is never looked at.
    looked_at = text[: (cells + 1) * lines * 2 + 64]
    found: list[str] = []
    for part in looked_at.splitlines() or [""]:
        found += _wrap_line(sanitise(part, LINE_CHARACTERS), cells, lines + 1 - len(found))
        if len(found) > lines:
            break
    if len(found) <= lines and len(looked_at) == len(text):
        return found
    told = shorten(f"… {len(text):,} characters in all", cells)
    if lines > SHORT:
        return [*found[: lines - 1], told]
    found = found[:lines]
    found[-1] = shorten(f"{found[-1][: cells - 1]}…", cells)
    return found


def _wrap_line(text: str, cells: int, most: int) -> list[str]:
    found: list[str] = []
    start = 0
    while len(found) < most:
        end = _reach(text, start, cells)
        if end >= len(text):
            found.append(text[start:])
            break
        space = text.rfind(" ", start, end + 1)
        if space - start > (end - start) // 3:
            found.append(text[start:space].rstrip())
            start = space + 1
        else:
            found.append(text[start:end])
            start = end
    return found


def _reach(text: str, start: int, cells: int) -> int:
    """Index behind the last character that fits into ``cells`` cells; always behind ``start``."""
    if text.isascii():
        return min(len(text), start + cells)
    used = 0
    for index in range(start, len(text)):
        used += character_width(text[index])
        if used > cells and index > start:
            return index
    return len(text)


def paragraph(text: str, style: str, cells: int, lines: int = 40) -> list[Row]:
    """A text as wrapped rows of one style."""
    return [[Segment(line, style)] for line in wrap(text, cells, lines)]


NARROWEST = 16
"""Columns below which a text is not wrapped beside what stands before it but under it."""

ROW_LINES = 60
"""Lines of one wrapped row at most: those of the longest notice that is kept."""


def row_width(row: Sequence[Segment]) -> int:
    """Columns of a row of segments."""
    return sum(width(part.text) for part in row)


def wrap_row(row: Sequence[Segment], cells: int) -> list[Sequence[Segment]]:
    """A row in as many lines as it takes: its last segment goes on below where it began."""
    if row_width(row) <= cells or not row:
        return [row]
    *lead, last = row
    indent = row_width(lead)
    if indent > cells - NARROWEST:
        # Nothing sensible fits beside what stands before: it goes below.
        below = wrap(last.text.lstrip(), max(1, cells - 4), ROW_LINES)
        return [lead, *([Segment("    " + part, last.style)] for part in below)]
    gap = last.text[: len(last.text) - len(last.text.lstrip())]
    parts = wrap(last.text.lstrip(), max(1, cells - indent - len(gap)), ROW_LINES)
    below_it = [[Segment(" " * indent + gap + part, last.style)] for part in parts[1:]]
    return [[*lead, Segment(gap + parts[0], last.style)], *below_it]


def labelled(label: str, text: str, style: str, cells: int, lines: int = 8) -> list[Row]:
    """A text behind a label, the following lines set in below it."""
    parts = wrap(text, max(1, cells - LABEL), lines)
    return [
        [Segment(_label(label if index == 0 else ""), "dim"), Segment(part, style)]
        for index, part in enumerate(parts)
    ]


def _label(text: str) -> str:
    return shorten(text, LABEL - 1).ljust(LABEL)


def one_line(text: str, style: str, cells: int) -> Row:
    """A text on one row, cut where the row ends."""
    return [Segment(shorten(sanitise(text, max(8, cells) * 2), cells), style)]


def column(text: str, cells: int) -> str:
    """A sanitised text in a column: cut or filled to ``cells`` cells."""
    short = shorten(text, cells)
    return short + " " * (cells - width(short))


def plural(count: int, word: str) -> str:
    """``1 node``, ``3 nodes``, ``12,000 rows``."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def size_text(size: int) -> str:
    """A number of bytes for people."""
    if size < 1_000:
        return plural(size, "byte")
    if size < 1_000_000:
        return f"{size / 1_000:.1f} kB"
    return f"{size / 1_000_000:.1f} MB"


def spent_text(seconds: float) -> str:
    """How long something took, in at most six cells; under a tenth of a second in milliseconds."""
    return f"{max(0.0, seconds) * 1000:.0f}ms" if seconds < 0.0995 else duration_text(seconds)
