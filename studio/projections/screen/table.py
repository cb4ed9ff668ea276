"""The shown run as a table: nodes in topological order, each with state, duration, attempts and a Gantt bar."""

from collections.abc import Iterable

from studio.core.plan import Plan, item_path
from studio.core.state import NodeState, RunState
from studio.projections.layout import Segment, cell_width, clean, fit
from studio.projections.listing import attempt_seconds
from studio.projections.screen.graph import duration_text, title_of
from studio.projections.states import NODE_LOOKS, marks_of, node_look

Row = list[Segment]

WORD_CELLS = 12
"""Longest state word ("undo failed") and a space."""

TIME_CELLS, TRIES_CELLS = 9, 6
"""Columns of a duration or countdown, and of the number of attempts, with a space."""

NICE_SPANS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 43200, 86400)
"""Lengths of the Gantt column, seconds: it grows in steps, so that a moment keeps its place meanwhile."""


def table_paths(plan: Plan, run: RunState | None) -> list[str]:
    """What the table has a row for: every node, and behind a foreach its items."""
    if run is None:
        return list(plan.order)
    found: list[str] = []
    for name in plan.order:
        found.append(name)
        node = run.nodes.get(name)
        if node is not None and node.items is not None:
            paths = (item_path(name, index) for index in range(node.items.count))
            found.extend(path for path in paths if path in run.nodes)
    return found


def span_of(run: RunState | None, now: float) -> float:
    """Seconds that the Gantt column stands for; it does not grow while the run is paused or waits for a person."""
    if run is None:
        return 0.0
    rests = run.idle_since if run.idle_since is not None else now
    end = run.finished_at if run.finished_at is not None else rests
    length = end - run.started_at
    for nice in NICE_SPANS:
        if length <= nice:
            return float(nice)
    days = NICE_SPANS[-1]
    return float((int(length / days) + 1) * days)


def name_cells(plan: Plan, paths: Iterable[str], width: int) -> int:
    """Cells of the name column."""
    widest = max((cell_width(clean(row_title(plan, path))) for path in paths), default=4)
    return min(widest + 2, max(10, width * 2 // 5))


def head_row(names: int, span: float, width: int) -> Row:
    """The titles of the columns."""
    first = "state" if span else "kind"
    row: Row = [Segment("   " + fit(first, WORD_CELLS) + fit("node", names), "dim")]
    if span:
        row.append(Segment("    time tries " if _shows_tries(names, width) else "    time ", "dim"))
    room = width - sum(cell_width(part.text) for part in row)
    if span and room >= 10:
        end = duration_text(span)
        row.append(Segment("0".ljust(room - len(end) - 1) + end, "dim"))
    return row


def _shows_tries(names: int, width: int) -> bool:
    """Whether the number of attempts has room beside what matters more."""
    return width >= 3 + WORD_CELLS + names + TIME_CELLS + TRIES_CELLS


def table_row(
    plan: Plan,
    run: RunState | None,
    path: str,
    now: float,
    *,
    names: int,
    span: float,
    width: int,
    ascii: bool = False,
) -> Row:
    """One row.

    Args:
        path: a node, or an item of a foreach.
        now: seconds since the epoch.
        names: cells of the name column.
        span: seconds of the Gantt column; 0 leaves it out.
        width: columns of the table.
    """
    node = run.nodes.get(path) if run is not None else None
    look = node_look(node, run) if node is not None else NODE_LOOKS["blocked"]
    word = look.word if node is not None else plan.node(path).node.uses
    marks = marks_of(node, ascii=ascii) if node is not None else ""
    title = clean(row_title(plan, path)) + marks
    row: Row = [
        Segment(f" {look.ascii if ascii else look.glyph} ", look.style),
        Segment(fit(clean(word), WORD_CELLS), look.style if node is not None else "dim"),
        Segment(fit(title, names, "~" if ascii else "…"), "text"),
    ]
    tries = f"{_tries(node):>5} " if _shows_tries(names, width) else ""
    row.append(Segment(f"{_time(node, now):>8} {tries}", "dim"))
    room = width - 3 - WORD_CELLS - names - TIME_CELLS - TRIES_CELLS
    if run is not None and node is not None and span and room >= 10:
        row += _bar(run, node, now, span, room, ascii)
    return row


def row_title(plan: Plan, path: str) -> str:
    """What a node is called in a list; an item by its index, set in."""
    if path.endswith("]"):
        return "  " + path[path.rindex("[") :]
    return title_of(plan, path)


def _time(node: NodeState | None, now: float) -> str:
    if node is None:
        return ""
    if node.status == "backing_off" and node.retry_at is not None:
        return f"in {duration_text(max(0.0, node.retry_at - now))}"
    if node.started_at is None or node.status in ("blocked", "ready", "skipped"):
        return ""
    spent = attempt_seconds(node, now)
    return duration_text(spent) if spent is not None else ""


def _tries(node: NodeState | None) -> str:
    return str(node.attempt) if node is not None and node.attempt else ""


def _bar(run: RunState, node: NodeState, now: float, span: float, width: int, ascii: bool) -> Row:
    """The time the newest attempt took, on the time of the run."""
    if node.started_at is None or node.status in ("blocked", "ready", "skipped"):
        return []
    # Of an attempt whose outcome a person has set only the beginning is known here.
    end = node.started_at + (attempt_seconds(node, now) or 0.0)
    if node.status == "backing_off" and node.retry_at is not None:
        end = max(node.started_at, now)
    scale = width / span
    first = min(width - 1, max(0, int((node.started_at - run.started_at) * scale)))
    last = min(width, max(first + 1, round((end - run.started_at) * scale)))
    body = "=" if ascii else "━"
    row: Row = [Segment(" " * first, "text")] if first else []
    row.append(Segment(body * (last - first), node_look(node).style))
    return row
