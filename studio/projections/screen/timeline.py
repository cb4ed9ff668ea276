"""The shown run on a line of time: a row a node, with every attempt, what it waited for, and a cursor in time."""

from collections.abc import Sequence
from math import ceil
from typing import Final

import msgspec

from studio.core.plan import Plan
from studio.core.state import NodeState, RunState
from studio.projections.layout import Segment, cell_width, clean, fit
from studio.projections.screen.graph import duration_text
from studio.projections.screen.inspecting.attempts import AttemptBook, AttemptLine
from studio.projections.screen.table import NICE_SPANS, Row, row_title, span_of
from studio.projections.states import NODE_LOOKS, Look, marks_of, node_look

LEAST: Final = 12
"""Cells of the line of time below which none is drawn."""

TICK_CELLS: Final = 12
"""Cells between two moments of the axis, at least."""


class Stretch(msgspec.Struct, frozen=True):
    """A part of a node's time.

    Args:
        start: seconds since the epoch.
        end: the same; not before ``start``.
        kind: ``queued``, ``attempt``, ``undo`` or ``backoff``.
        state: how it ended or stands, a name of `studio.projections.states.NODE_LOOKS`.
        open: whether it still goes on.
    """

    start: float
    end: float
    kind: str
    state: str
    open: bool = False


BODIES: Final[dict[str, tuple[str, str]]] = {
    "queued": ("·", "."),
    "attempt": ("━", "="),
    "undo": ("┅", "<"),
    "backoff": ("┄", "~"),
}
"""What each kind of stretch is drawn with; and with ASCII characters."""

LAST: Final[dict[str, tuple[str, str]]] = {
    "failed": ("✗", "!"),
    "compensation_failed": ("✗", "!"),
    "cancelled": ("×", "x"),
    "in_doubt": ("¿", "%"),
}
"""What the last cell of an attempt shows when it did not end well, so that colour is not needed to see it."""


class Scale(msgspec.Struct, frozen=True):
    """The line of time.

    Args:
        start: its left end, seconds since the epoch.
        span: seconds from its left to its right end.
        cells: its length.
    """

    start: float
    span: float
    cells: int

    def cell(self, at: float) -> int:
        """The cell of a moment, held within the line."""
        return min(self.cells - 1, max(0, int((at - self.start) / self.span * self.cells)))

    def last_cell(self, start: float, end: float) -> int:
        """The last cell of a stretch of time, which takes one cell at least."""
        first, behind = self.cell(start), (end - self.start) / self.span * self.cells
        return min(self.cells - 1, max(first, ceil(behind) - 1))

    def moment(self, cell: int) -> float:
        """The moment in the middle of a cell."""
        return self.start + (cell + 0.5) / self.cells * self.span


def scale_of(run: RunState | None, now: float, names: int, width: int) -> Scale | None:
    """The line of time of a run, None when there is no run or no room.

    Args:
        now: seconds since the epoch.
        names: cells of the name column.
        width: columns of the pane.
    """
    cells = width - names - 4
    if run is None or cells < LEAST:
        return None
    return Scale(run.started_at, span_of(run, now), cells)


def stretches_of(
    plan: Plan, run: RunState, path: str, lines: Sequence[AttemptLine], now: float
) -> list[Stretch]:
    """What a node's time was spent on, in order; several may overlap in one cell, the later is drawn over the earlier.

    Args:
        path: a node, or an item of a foreach.
        lines: everything that was tried at it, oldest first.
        now: seconds since the epoch.
    """
    found: list[Stretch] = []
    ready = _ready_at(plan, run, path)
    for line in lines:
        if line.number == 0 or not line.started_at:
            continue
        if ready is not None and ready < line.started_at and not line.undo:
            found.append(Stretch(ready, line.started_at, "queued", "ready"))
        end = line.finished_at if line.finished_at is not None else now
        kind = "undo" if line.undo else "attempt"
        end = max(end, line.started_at)
        found.append(Stretch(line.started_at, end, kind, line.state, line.finished_at is None))
        ready = None
        if line.retry_at is not None and line.finished_at is not None:
            found.append(Stretch(end, max(end, line.retry_at), "backoff", "backing_off"))
            ready = line.retry_at
    node = run.nodes.get(path)
    if node is not None and ready is not None and node.status == "ready" and ready < now:
        found.append(Stretch(ready, now, "queued", "ready", open=True))
    return _cut_backoffs(found, now)


def _cut_backoffs(found: list[Stretch], now: float) -> list[Stretch]:
    """Waiting for a retry ends where the next attempt starts: a person may have started it earlier."""
    cut: list[Stretch] = []
    for index, stretch in enumerate(found):
        if stretch.kind == "backoff":
            starts = [later.start for later in found[index + 1 :] if later.kind == "attempt"]
            end = min([stretch.end, *starts])
            stretch = msgspec.structs.replace(stretch, end=end, open=not starts and end > now)
        cut.append(stretch)
    return cut


def _ready_at(plan: Plan, run: RunState, path: str) -> float | None:
    """When the node's last source had ended, None while one has not; a node without sources could start at once."""
    if path.endswith("]"):
        parent = run.nodes.get(path[: path.rindex("[")])
        return parent.started_at if parent is not None else None
    ends = []
    for edge in plan.node(path).incoming:
        source = run.nodes.get(edge.source)
        if source is None or source.finished_at is None:
            return None
        ends.append(source.finished_at)
    return max(ends, default=run.started_at)


def state_at(stretches: Sequence[Stretch], moment: float) -> str:
    """How a node stood at a moment, a name of `studio.projections.states.NODE_LOOKS`."""
    state = "blocked"
    for stretch in stretches:
        if stretch.start > moment:
            break
        if stretch.end > moment:
            return {"attempt": "running", "undo": "compensating"}.get(stretch.kind, stretch.state)
        state = stretch.state
    return state


def timeline_row(
    plan: Plan,
    run: RunState | None,
    path: str,
    stretches: Sequence[Stretch],
    *,
    names: int,
    scale: Scale | None,
    cursor: float | None = None,
    usual: float | None = None,
    ascii: bool = False,
) -> Row:
    """One row: glyph and name as they are, or were at the cursor, and the node's time.

    Args:
        path: a node, or an item of a foreach.
        stretches: of `stretches_of`.
        names: cells of the name column.
        scale: the line of time; None leaves it out.
        cursor: the moment that is looked at; None is now.
        usual: seconds an attempt usually takes; a running one is drawn on to there.
    """
    node = run.nodes.get(path) if run is not None else None
    look = _look(run, node, stretches, cursor)
    marks = marks_of(node, ascii=ascii) if node is not None and cursor is None else ""
    title = clean(row_title(plan, path)) + marks
    row: Row = [
        Segment(f" {look.ascii if ascii else look.glyph} ", look.style),
        Segment(fit(title, names, "~" if ascii else "…"), "text"),
        Segment(" ", "text"),
    ]
    return row if scale is None else row + _line(stretches, scale, cursor, usual, ascii)


def _look(
    run: RunState | None,
    node: NodeState | None,
    stretches: Sequence[Stretch],
    cursor: float | None,
) -> Look:
    if node is None:
        return NODE_LOOKS["blocked"]
    ended = node.finished_at
    if cursor is None or (node.settled and ended is not None and cursor >= ended):
        return node_look(node, run)
    return NODE_LOOKS[state_at(stretches, cursor)]


def _line(
    stretches: Sequence[Stretch],
    scale: Scale,
    cursor: float | None,
    usual: float | None,
    ascii: bool,
) -> Row:
    cells: list[Segment] = [Segment(" ", "text")] * scale.cells
    marks: dict[int, Segment] = {}  # laid over everything, so that the briefest failure is seen
    for stretch in stretches:
        first, last = scale.cell(stretch.start), scale.last_cell(stretch.start, stretch.end)
        style = "dim" if stretch.kind == "queued" else NODE_LOOKS[stretch.state].style
        if stretch.open and usual is not None and stretch.kind == "attempt":
            rest = Segment("-" if ascii else "─", "dim")
            for cell in range(last, scale.last_cell(stretch.start, stretch.start + usual) + 1):
                cells[cell] = rest
        body = Segment(BODIES[stretch.kind][ascii], style)
        for cell in range(first, last + 1):
            cells[cell] = body
        if stretch.state in LAST and stretch.kind in ("attempt", "undo"):
            marks[last] = Segment(LAST[stretch.state][ascii], style)
    for cell, mark in marks.items():
        cells[cell] = mark
    if cursor is not None:
        here = scale.cell(cursor)
        if cells[here].text == " ":
            cells[here] = Segment("|" if ascii else "│", "accent")
    row: Row = []
    for part in cells:  # runs of one look in one piece: fewer changes of style are sent
        if row and row[-1].style == part.style:
            row[-1] = Segment(row[-1].text + part.text, part.style)
        else:
            row.append(part)
    return row


def axis_row(
    scale: Scale | None, names: int, cursor: float | None = None, *, ascii: bool = False
) -> Row:
    """The titles: names, and moments of the line of time, or the one under the cursor."""
    row: Row = [Segment("   " + fit("node", names) + " ", "dim")]
    if scale is None:
        return row
    if cursor is None:
        return [*row, Segment(_axis(scale), "dim")]
    text = f"{duration_text(max(0.0, cursor - scale.start))} after the start"
    here = scale.cell(cursor)
    mark = "v" if ascii else "▾"
    if here + 2 + cell_width(text) <= scale.cells:
        line = " " * here + f"{mark} {text}"
    else:
        line = f"{text} {mark}".rjust(here + 1)
    return [*row, Segment(fit(line, scale.cells), "accent")]


def _axis(scale: Scale) -> str:
    """Moments at round distances, each at the left of its cell: ``0    5s    10s``."""
    most = max(1, scale.cells // TICK_CELLS)
    step = next((nice for nice in NICE_SPANS if scale.span / nice <= most), scale.span)
    text = ""
    at = 0.0
    while at < scale.span:
        name = duration_text(at) if at else "0"
        cell = int(at / scale.span * scale.cells)
        if cell + len(name) > scale.cells:
            break
        text = text.ljust(cell) + name
        at += step
    return text


def usual_times(book: AttemptBook) -> dict[str, float]:
    """Seconds that each node's last successful attempt took in a run, by path.

    Args:
        book: the attempts of a run that succeeded.
    """
    times: dict[str, float] = {}
    for path, lines in book.all():
        for line in lines:
            if line.state == "succeeded" and line.number and line.finished_at is not None:
                times[path] = line.finished_at - line.started_at
    return times
