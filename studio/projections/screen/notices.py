"""The notice line: news in one to three lines, and the list of what was told."""

from collections.abc import Callable, Iterable
from typing import Final, Literal, TypeAlias

import msgspec

from studio.projections.layout import Segment
from studio.projections.screen.inspecting.paragraphs import wrap
from studio.projections.text import sanitise, shorten

Row = list[Segment]

NoticeKind: TypeAlias = Literal["info", "good", "warning", "error"]

STYLES: Final[dict[str, str]] = {"info": "text", "good": "good", "warning": "warn", "error": "bad"}

KEPT: Final = 100
"""Notices that can be looked at again."""

LINES: Final = 3
"""Lines of one notice at most: enough for the verdict on an edit of a large workflow at 80 columns."""

ROWS_PER_LINE: Final = 8
"""Rows of the terminal for each line of a notice, so that news never hide a small screen."""

LONGEST: Final = 4_000
"""Characters of a notice that are kept."""


class Notice(msgspec.Struct, frozen=True):
    """What was told.

    Args:
        at: when, seconds since the epoch.
        text: all of it, with line ends.
        kind: how it is meant.
        times: how often in a row it was told.
    """

    at: float
    text: str
    kind: NoticeKind
    times: int = 1


def notice_rows(text: str, kind: NoticeKind, width: int, height: int, key: str) -> list[Row]:
    """A notice as rows; what does not fit ends with the key that shows all of it.

    Args:
        text: what is told; line ends are kept where there is room.
        kind: how it is meant.
        width: columns of the terminal.
        height: rows of the terminal.
        key: shows the last notices in full.
    """
    most = max(1, min(LINES, height // ROWS_PER_LINE))
    cells = max(1, width - 2)
    parts = [part for part in wrap(text.strip(), cells, LONGEST) if part.strip()]
    style = STYLES[kind]
    rows: list[Row] = [[Segment(f" {part}", style)] for part in parts[:most]]
    if len(parts) > most:
        tail = f" {key} shows all"
        last = shorten(f"{parts[most - 1]} …", max(1, cells - len(tail)))
        last = last if last.endswith("…") else f"{last} …"
        rows[-1] = [Segment(f" {last}", style), Segment(tail, "key")]
    return rows


def told_rows(notices: Iterable[Notice], moment: Callable[[float], str]) -> list[Row]:
    """The notices that were told, the newest first, in full; long rows are for the dialog to wrap.

    Args:
        notices: the oldest first.
        moment: writes a moment as time of day.
    """
    rows: list[Row] = []
    for notice in reversed(list(notices)):
        lead = f"{moment(notice.at)}  "
        parts = [sanitise(part) for part in notice.text.strip().splitlines()]
        if notice.times > 1:
            parts[-1] += f"  ({notice.times} times)"
        for number, part in enumerate(parts):
            before = lead if number == 0 else " " * len(lead)
            rows.append([Segment(before, "dim"), Segment(part, STYLES[notice.kind])])
    return rows or [[Segment("nothing was told yet", "dim")]]
