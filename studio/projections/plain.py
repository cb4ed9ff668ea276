"""What stands for our own signs where only ASCII is to be drawn; letters of users stay as they are."""

from typing import Final

_LEVEL = "─━┄┅┈┉╌╍═╴╶╸╺╼╾"
_UPRIGHT = "│┃┆┇┊┋╎╏║╵╷╹╻╽╿"
_FRAME = "".join(map(chr, range(0x2500, 0x2580)))
_BLOCKS = "".join(map(chr, range(0x2580, 0x25A0)))

STAND_INS: Final[dict[int, str]] = str.maketrans(
    {
        **dict.fromkeys(_FRAME, "+"),
        **dict.fromkeys(_LEVEL, "-"),
        **dict.fromkeys(_UPRIGHT, "|"),
        **dict.fromkeys(_BLOCKS, "#"),
        **dict.fromkeys("…⋮", "~"),
        **dict.fromkeys("–—·⁻", "-"),
        **dict.fromkeys("•■●◆", "*"),
        **dict.fromkeys("←‹◂", "<"),
        **dict.fromkeys("→›▸", ">"),
        **dict.fromkeys("↑▴", "^"),
        **dict.fromkeys("↓▾", "v"),
        "⏎": "$",
        "�": "?",
        "°": "o",
        "≥": ">",
        "≤": "<",
        "»": ">",
        "✓": "+",
        "✗": "!",
        "×": "x",
        "⚠": "!",
        "µ": "u",
    }
)  # fmt: skip
"""One character for one, so that columns stay where they are."""

_WORDS: Final = (("↑↓", "up/down"), ("← →", "left/right"), ("⏎", "enter"), ("≥", ">="), ("≤", "<="))


def in_ascii(text: str) -> str:
    """A sentence of our own in ASCII, keys and comparisons in words; it may grow longer.

    Args:
        text: a hint, a title or a label, before it is fitted to a width.
    """
    if text.isascii():
        return text
    for sign, word in _WORDS:
        text = text.replace(sign, word)
    return text.translate(STAND_INS)
