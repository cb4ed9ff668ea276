"""Runs and nodes in tables, and lists of runs for machines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from studio.projections.moments import iso_time, span
from studio.projections.signs import RESOLVED, Tone, sign
from studio.projections.text import pad, sanitise, shorten, width

if TYPE_CHECKING:  # loads the definitions, which a list of runs does without
    from studio.core.state import EngineState, RunState


class RowLike(Protocol):
    """What a list shows of a run (`studio.ports.RunRow`)."""

    @property
    def run(self) -> int: ...
    @property
    def run_id(self) -> str: ...
    @property
    def workflow(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def file(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def paused(self) -> bool: ...
    @property
    def open(self) -> bool: ...
    @property
    def started_at(self) -> float: ...
    @property
    def finished_at(self) -> float | None: ...
    @property
    def counts(self) -> dict[str, int]: ...
    @property
    def needs(self) -> int: ...
    @property
    def actor(self) -> str: ...
    @property
    def rested(self) -> float: ...
    @property
    def active_at(self) -> float: ...


class Timed(Protocol):
    """A run, or the row of one."""

    @property
    def started_at(self) -> float: ...
    @property
    def finished_at(self) -> float | None: ...
    @property
    def rested(self) -> float: ...


def seconds_taken(run: Timed, now: float) -> float:
    """How long a run took, or has taken so far, seconds.

    Time in which nothing of it was under way does not count: it was paused, or waited for a person or its turn. It would
    tell nothing about how long the next one takes.

    Args:
        run: the run.
        now: for one that is open: now, or since when it rests, seconds since the epoch.
    """
    end = run.finished_at if run.finished_at is not None else now
    return max(0.0, end - run.started_at - run.rested)


class Tried(Protocol):
    """A node or item of a run."""

    @property
    def started_at(self) -> float | None: ...
    @property
    def finished_at(self) -> float | None: ...
    @property
    def marks(self) -> frozenset[str]: ...
    @property
    def status(self) -> str: ...


def attempt_seconds(node: Tried, now: float) -> float | None:
    """How long the last attempt at a node took, or has taken so far, seconds; None without one.

    None as well where a person has set the outcome: the node was finished by them and not by its attempt, whose own end
    stands in the history alone; and for one in doubt, of which nobody knows when it ended.

    Args:
        node: the node.
        now: for an attempt that is under way, seconds since the epoch.
    """
    if node.started_at is None:
        return None
    if node.finished_at is None:
        return max(0.0, now - node.started_at)
    unknown = "marked" in node.marks or node.status == "in_doubt"
    return None if unknown else node.finished_at - node.started_at


class Cell(msgspec.Struct, frozen=True):
    """Text of a table cell, sanitised, and its tone."""

    text: str
    tone: Tone = "plain"


def runs_document(rows: Sequence[RowLike], *, owned: bool = True) -> list[dict[str, Any]]:
    """Runs as JSON objects, in the order given.

    Args:
        rows: the runs.
        owned: whether a process owns the state folder; without one a run under way was interrupted.
    """
    return [
        {
            "run": row.run,
            "run_id": row.run_id,
            "workflow": row.workflow,
            "version": row.version,
            "state": row.state,
            "paused": row.paused,
            "interrupted": not owned and _goes_on(row),
            "started_at": iso_time(row.started_at),
            "finished_at": iso_time(row.finished_at),
            "counts": row.counts,
            "needs": row.needs,
            "actor": row.actor,
            "file": row.file,
        }
        for row in rows
    ]


RUN_HEADINGS = ("RUN", "STATE", "WORKFLOW", "NODES", "STARTED", "TOOK", "")


def run_cells(
    row: RowLike,
    now: float,
    clock: Callable[[float], str],
    *,
    ascii: bool = False,
    owned: bool = True,
) -> tuple[Cell, ...]:
    """One run as the cells of a table, in the order of `RUN_HEADINGS`.

    Args:
        row: the run.
        now: seconds since the epoch, for runs that are under way.
        clock: writes a moment in the reader's time zone.
        ascii: use ASCII signs.
        owned: whether a process owns the state folder; without one a run under way was interrupted.
    """
    interrupted = not owned and _goes_on(row)
    shown = sign("paused" if row.paused else "interrupted" if interrupted else row.state)
    total = sum(row.counts.values())
    done = sum(row.counts.get(name, 0) for name in RESOLVED)
    timed = row.finished_at is not None or (_goes_on(row) and not interrupted)
    took = span(seconds_taken(row, now)) if timed else ""
    notes = [f"{row.needs} need{'s' if row.needs == 1 else ''} you"] if row.needs else []
    failed = row.counts.get("failed", 0)
    if failed:
        notes.append(f"{failed} failed")
    if interrupted:
        notes.append(f"`studio resume {row.run}` goes on")
    return (
        Cell(str(row.run)),
        Cell(f"{shown.ascii if ascii else shown.glyph} {shown.word}", shown.tone),
        Cell(sanitise(row.workflow, 40)),
        Cell(f"{done}/{total}"),
        Cell(clock(row.started_at)),
        Cell(took),
        Cell(", ".join(notes), "wait" if row.needs else "dim"),
    )


def _goes_on(row: RowLike) -> bool:
    return row.open and not row.paused and row.state in ("running", "compensating")


NODE_HEADINGS = ("NODE", "STATE", "TRIES", "TOOK", "")


def node_cells(state: EngineState, run: RunState, *, ascii: bool = False) -> list[tuple[Cell, ...]]:
    """Nodes of a run as rows of a table, in the order of `NODE_HEADINGS`; items stand behind their node."""
    from studio.projections.history_lines import failure_text  # lazy: lists of runs do without
    from studio.projections.masking import mask_run
    from studio.projections.run_document import WITH_ERROR, ordered_nodes, reason_of, state_of

    mask = mask_run(state, run)
    rows: list[tuple[Cell, ...]] = []
    for node in ordered_nodes(run):
        shown = sign(state_of(run, node))
        spent = attempt_seconds(node, 0.0) if node.finished_at is not None else None
        took = span(spent) if spent is not None else ""
        says = []
        if node.failure is not None and node.status in WITH_ERROR:
            says.append(failure_text(node.failure))
        reason = reason_of(run, node)
        if reason:
            says.append(reason)
        says += sorted(node.marks)
        indent = "  " if node.parent is not None else ""
        rows.append(
            (
                Cell(indent + sanitise(node.path, 60)),
                Cell(f"{shown.ascii if ascii else shown.glyph} {shown.word}", shown.tone),
                Cell(str(node.attempt) if node.attempt else ""),
                Cell(took),
                Cell(sanitise(mask.text("; ".join(says)))),
            )
        )
    return rows


def table(
    headings: Sequence[str], rows: Sequence[Sequence[Cell]], cells: int | None = None
) -> list[list[Cell]]:
    """Rows padded to columns, headings first; only the last column may be cut.

    Args:
        headings: one per column.
        rows: cells of each row, as many as there are headings.
        cells: width of the terminal; None cuts nothing.
    """
    everything = [[Cell(text, "dim") for text in headings], *rows]
    widths = [max(width(row[index].text) for row in everything) for index in range(len(headings))]
    found = []
    for row in everything:
        padded = [
            msgspec.structs.replace(cell, text=pad(cell.text, size))
            for cell, size in zip(row[:-1], widths, strict=False)
        ]
        last = row[-1]
        if cells is not None:
            left = max(10, cells - sum(widths[:-1]) - 2 * len(widths[:-1]))
            last = msgspec.structs.replace(last, text=shorten(last.text, left))
        found.append([*padded, last])
    return found
