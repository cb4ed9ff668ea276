"""Glyphs of the drawing, as tables from a byte of line bits to a character.

The low four bits of a byte are light lines to the north, east, south and west of a cell, the high four
bits heavy ones. Unicode's box drawing block has a glyph for every mixture (U+2500 to U+254B).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from studio.projections.layout.graph import Direction

NORTH, EAST, SOUTH, WEST = 1, 2, 4, 8
HEAVY = 4
"""Shift from a light line bit to its heavy twin."""

HEAD = 0x11
"""Arrow head of an edge; light and heavy line in one direction mean nothing else."""

HEAVY_HEAD = 0x22
"""Arrow head of an edge of the selected node."""

_LIGHT = " ╵╶└╷│┌├╴┘─┴┐┤┬┼"
_HEAVY = " ╹╺┗╻┃┏┣╸┛━┻┓┫┳╋"

# By weights north, east, south, west: 0 none, 1 light, 2 heavy.
_MIXED = {
    "0102": "╾", "0201": "╼", "1020": "╽", "2010": "╿",
    "0120": "┎", "0210": "┍", "0012": "┑", "0021": "┒",
    "2100": "┖", "1200": "┕", "1002": "┙", "2001": "┚",
    "1210": "┝", "2110": "┞", "1120": "┟", "2120": "┠", "2210": "┡", "1220": "┢",
    "1012": "┥", "2011": "┦", "1021": "┧", "2021": "┨", "2012": "┩", "1022": "┪",
    "0112": "┭", "0211": "┮", "0212": "┯", "0121": "┰", "0122": "┱", "0221": "┲",
    "1102": "┵", "1201": "┶", "1202": "┷", "2101": "┸", "2102": "┹", "2201": "┺",
    "1112": "┽", "1211": "┾", "1212": "┿", "2111": "╀", "1121": "╁", "2121": "╂",
    "2112": "╃", "2211": "╄", "1122": "╅", "1221": "╆", "2212": "╇", "1222": "╈",
    "2122": "╉", "2221": "╊",
}  # fmt: skip

_DASHED = str.maketrans("│─┃━", "┆┄┇┅")
_ROUND = str.maketrans("┌┐└┘", "╭╮╰╯")
_DOUBLE_TOP = str.maketrans("─╭╮┬", "═╔╗╦")
_DOUBLE_SIDES = str.maketrans("│├┝", "║╟╟")
_DOUBLE_BOTTOM = str.maketrans("─╰╯┴┬┰", "═╚╝╩╤╤")

HEADS: Mapping[Direction, str] = {"TB": "▾", "LR": "▸"}
ASCII_HEADS: Mapping[Direction, str] = {"TB": "v", "LR": ">"}

ASCII_STATES = str.maketrans(
    {
        "○": ".", "◌": ":", "●": ">", "◔": ">", "◑": ">", "◕": ">", "↻": "~", "‖": '"', "◆": "*",
        "✗": "!", "¿": "%", "⊘": "-", "×": "x", "↶": "<", "⟲": "(", "✓": "+", "≡": "=",
        "′": "'", "°": "^", "·": ",", "▿": "_", "…": "~", "▐": "[", "▌": "]", "»": "#",
    }
)  # fmt: skip
"""The state glyphs, marks and pill ends for terminals without Unicode."""


@cache
def line_table(direction: Direction, *, dashed: bool = False, ascii: bool = False) -> str:
    """The 256 characters that line bits stand for.

    Args:
        direction: decides where arrow heads point.
        dashed: straight pieces are dashed, as for failure edges.
        ascii: use only ASCII characters; heavy lines become ``#`` and ``=``.
    """
    characters = [" "] * 256
    for bits in range(256):
        light, heavy = bits & 15, bits >> 4
        if not light & heavy:
            characters[bits] = _ascii_line(light, heavy, dashed) if ascii else _line(light, heavy)
    table = "".join(characters)
    if dashed and not ascii:
        table = table.translate(_DASHED)
    heads = ASCII_HEADS if ascii else HEADS
    return _with_heads(table, heads[direction])


def _with_heads(table: str, head: str) -> str:
    characters = list(table)
    characters[HEAD] = characters[HEAVY_HEAD] = head
    return "".join(characters)


def _line(light: int, heavy: int) -> str:
    if not heavy:
        return _LIGHT[light]
    if not light:
        return _HEAVY[heavy]
    weights = "".join(
        "2" if heavy & bit else "1" if light & bit else "0" for bit in (NORTH, EAST, SOUTH, WEST)
    )
    return _MIXED[weights]


def _ascii_line(light: int, heavy: int, dashed: bool) -> str:
    bits = light | heavy
    if not bits:
        return " "
    if not bits & (NORTH | SOUTH):
        return "=" if heavy else "." if dashed else "-"
    if not bits & (EAST | WEST):
        return "#" if heavy else ":" if dashed else "|"
    return "#" if heavy == bits else "+"


BOX_LINES = line_table("TB")
"""Lines of frames; corners that are light on both sides are rounded with :func:`rounded`."""

ASCII_BOX_LINES = line_table("TB", ascii=True)


def rounded(text: str) -> str:
    """Replace light square corners by round ones; frames have them, edges do not."""
    return text.translate(_ROUND)


def doubled(rows: Sequence[str], *, ascii: bool = False) -> list[str]:
    """The rows of a light frame as a double one; the lines that leave it stay as they are.

    Args:
        rows: top, sides and bottom of a frame.
        ascii: use ``!`` and ``=``, since ASCII has no double lines.
    """
    if ascii:
        ends = [row[0] + row[1:-1].replace("-", "=") + row[-1] for row in (rows[0], rows[-1])]
        top, bottom = (f"!{row[1:-1]}!" for row in ends)
        return [top, *(row.replace("|", "!") for row in rows[1:-1]), bottom]
    sides = [row.translate(_DOUBLE_SIDES) for row in rows[1:-1]]
    return [rows[0].translate(_DOUBLE_TOP), *sides, rows[-1].translate(_DOUBLE_BOTTOM)]
