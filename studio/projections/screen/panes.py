"""Which panes are on screen and where, for a size of the terminal (interface.md, "Sizes")."""

from typing import Literal, TypeAlias

import msgspec

Pane: TypeAlias = Literal["runs", "graph", "inspector", "log"]

PANES: tuple[Pane, ...] = ("runs", "graph", "inspector", "log")
"""In the order of their keys, 1 to 4."""

SizeClass: TypeAlias = Literal["tiny", "small", "short", "tall", "normal", "wide"]

TINY_WIDTH, TINY_HEIGHT = 60, 15
"""Below either, the table stands for the graph."""

TALL_HEIGHT = 44
"""Rows from which a narrow screen holds a second pane below the first."""


class Place(msgspec.Struct, frozen=True):
    """A rectangle of the body, in cells from its upper left corner."""

    x: int
    y: int
    width: int
    height: int


class Arrangement(msgspec.Struct, frozen=True):
    """Where everything stands.

    Args:
        size: class of the terminal's size.
        places: visible panes; the others are hidden.
        tabs: whether the line with the panes' names is shown, because not all of them are.
        detail: whether a line tells about the selected node, because the inspector is not beside it.
        notice: rows kept for the notice line.
    """

    size: SizeClass
    places: dict[Pane, Place]
    tabs: bool
    detail: bool
    notice: int

    @property
    def hidden(self) -> tuple[Pane, ...]:
        """Panes that are not on screen, in the order of their keys."""
        return tuple(pane for pane in PANES if pane not in self.places)


def size_class(width: int, height: int) -> SizeClass:
    """The class of a terminal's size."""
    if width < TINY_WIDTH or height < TINY_HEIGHT:
        return "tiny"
    if width < 100:
        return "tall" if height >= TALL_HEIGHT else "small"
    if height < 30:
        return "short"
    return "wide" if width >= 170 and height >= 45 else "normal"


def arrange_panes(
    width: int, height: int, focused: Pane, side: Pane, *, zoomed: bool = False, news: int = 0
) -> Arrangement:
    """Divide the screen.

    News never moves the graph, which would have to be laid out anew: where the log or the inspector stands
    above the notice line, they give the rows; elsewhere a row about the selected node is always kept, and news
    takes its place, its further lines lying over the lower edge of the pane.

    Args:
        width: columns of the terminal.
        height: rows of the terminal.
        focused: the pane that has the focus.
        side: the pane beside the graph, where there is room for one; never the graph.
        zoomed: whether the focused pane has the whole body.
        news: rows of the notice line; 0 without news.
    """
    size = size_class(width, height)
    stacked = size == "tall" or (size == "tiny" and height >= TALL_HEIGHT)
    single = zoomed or (size in ("tiny", "small") and not stacked)
    tabs = size != "wide" or zoomed
    if size == "normal" and not zoomed:
        tabs = False
    detail = size in ("small", "short") or (zoomed and size != "tiny")
    notice = 0 if detail else news
    body = max(1, height - 2 - tabs - detail)
    free = max(1, body - notice)
    if single:
        only = Place(0, 0, width, free)
        return Arrangement(size, {focused: only}, tabs, detail, notice)
    if stacked:
        upper = max(12, body * 3 // 5)
        return Arrangement(
            size,
            {"graph": Place(0, 0, width, upper), side: Place(0, upper, width, free - upper)},
            tabs,
            detail,
            notice,
        )
    if size == "short":
        beside = _side_width(width)
        places: dict[Pane, Place] = {
            "graph": Place(0, 0, width - beside, free),
            side: Place(width - beside, 0, beside, free),
        }
        return Arrangement(size, places, tabs, detail, notice)
    return Arrangement(size, _many(size, width, body, free, side), tabs, detail, notice)


def _side_width(width: int) -> int:
    """Columns of the inspector: 42 of 120, as drawn in interface.md."""
    return min(60, max(36, width * 35 // 100))


def _many(size: SizeClass, width: int, body: int, free: int, side: Pane) -> dict[Pane, Place]:
    log = max(7, body // 4) if size == "normal" else max(10, body // 4)
    upper = body - log
    beside = _side_width(width)
    if size == "normal":
        shown: Pane = "runs" if side == "runs" else "inspector"
        return {
            "graph": Place(0, 0, width - beside, upper),
            shown: Place(width - beside, 0, beside, upper),
            "log": Place(0, upper, width, free - upper),
        }
    left = 36
    return {
        "runs": Place(0, 0, left, free),
        "graph": Place(left, 0, width - left - beside, upper),
        "inspector": Place(width - beside, 0, beside, upper),
        "log": Place(left, upper, width - left, free - upper),
    }
