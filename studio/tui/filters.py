"""The last gates before the terminal: whatever a widget draws, no control character passes, and no sign of our own
where ASCII is wanted."""

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from studio.projections.plain import STAND_INS

BIDI = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
"""Marks and overrides that reorder what is around them (Unicode Standard Annex 9, section 2)."""

_DROPPED: dict[int, None] = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0), *BIDI))


class ControlFilter(LineFilter):
    """Drops control characters from every line.

    Text of users is made safe and visible before it reaches a widget; this holds where a widget has to keep the text
    as it is, as a field for typing does. Each dropped character has no width, so that columns stay where they are.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments of a line without their control characters."""
        if all(text.isprintable() for text, _, _ in segments):
            return segments
        return [
            Segment(text.translate(_DROPPED), style, control) for text, style, control in segments
        ]


class AsciiFilter(LineFilter):
    """Draws signs, frames and scroll bars with ASCII characters, whichever widget they come from.

    Ours are drawn so where they are made; this is for Textual's own, such as the frames of dialogs.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments of a line with stand-ins of the same width."""
        if all(text.isascii() for text, _, _ in segments):
            return segments
        return [
            Segment(text.translate(STAND_INS), style, control) for text, style, control in segments
        ]
