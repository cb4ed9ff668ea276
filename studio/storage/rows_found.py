"""The rows of a damaged history that are whole, and what their absence says about the others."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final, TypeGuard

import msgspec

from studio.core.events import (
    Record,
    RunFinished,
    RunPaused,
    RunReopened,
    RunResumed,
    RunRevised,
    RunStarted,
)
from studio.errors import DamagedError, StorageError
from studio.ids import RunId, RunNumber, VersionHash
from studio.ports import RunRow
from studio.storage.codec import (
    DefinitionColumns,
    EventColumns,
    decode_definition,
    decode_record,
    decode_run,
    event_checksum,
)
from studio.storage.gaps import Gap
from studio.storage.leaf_cells import Column, Pages, index_entries, table_rows
from studio.storage.sqlite_file import side_files
from studio.storage.wal import PAGE_SIZE, overlay

DAMAGED_STATE: Final = "damaged"
"""State under which lists show a run that may have lost events."""

_FARTHEST_HINT: Final = 100_000
"""Index entries have no checksum; one that points farther than this beyond the last event is nonsense."""


class RowsFound(msgspec.Struct):
    """What a search found; rows by position, run number and version.

    Args:
        gaps: positions below the highest known one that have no event.
        damaged_runs: runs that may have had events there.
    """

    events: dict[int, EventColumns] = msgspec.field(default_factory=dict)
    runs: dict[int, RunRow] = msgspec.field(default_factory=dict)
    definitions: dict[str, DefinitionColumns] = msgspec.field(default_factory=dict)
    gaps: list[Gap] = msgspec.field(default_factory=list)
    damaged_runs: set[int] = msgspec.field(default_factory=set)


def search(path: Path) -> RowsFound:
    """Search all pages of a history, and of its write-ahead log, for whole rows.

    Raises `OSError`.
    """
    body = path.read_bytes() if path.exists() else b""
    log_path = side_files(path)[0]
    newer = overlay(log_path.read_bytes()) if log_path.exists() else {}
    count = max(len(body) // PAGE_SIZE, max(newer, default=0))

    def page(number: int) -> bytes:
        image = newer.get(number)
        return body[(number - 1) * PAGE_SIZE : number * PAGE_SIZE] if image is None else image

    found = RowsFound()
    candidates: dict[int, set[tuple[bytes, int]]] = {}
    told: list[Gap] = []
    for rowid, columns in table_rows(page, count):
        _sort_in(found, candidates, told, rowid, columns)
    histories = _histories(found.events)
    _settle_runs(found, candidates, histories)
    _settle_gaps(found, histories, _hints(page, count, found), told)
    return found


def _sort_in(
    found: RowsFound,
    candidates: dict[int, set[tuple[bytes, int]]],
    told: list[Gap],
    rowid: int,
    columns: tuple[Column, ...],
) -> None:
    """Tell by form and checksum what a row is; anything else is passed over."""
    match columns:
        case (None, int(run), int() | float() as at, bytes(data), int(checksum)):
            # A whole number in a REAL column is stored as an integer to save space.
            if event_checksum(rowid, run, float(at), data) == checksum:
                found.events[rowid] = (rowid, run, float(at), data, checksum)
        case (None, str(), str(), str(), int(), bytes(data), int(checksum)):
            candidates.setdefault(rowid, set()).add((data, checksum))
        case (str(version), str(workflow), bytes(body), int(checksum)):
            row = (version, workflow, body, checksum)
            if _is_whole(row):
                found.definitions[version] = row
        case (None, int(last), str(runs)):
            if _is_run_list(runs) and last >= rowid:
                told.append(Gap(rowid, last, frozenset(msgspec.json.decode(runs))))


def _is_whole(row: DefinitionColumns) -> bool:
    try:
        decode_definition(row)
    except DamagedError:
        return False
    return True


def _is_run_list(text: str) -> TypeGuard[str]:
    try:
        msgspec.json.decode(text, type=list[int])
    except msgspec.DecodeError:
        return False
    return True


def _histories(events: dict[int, EventColumns]) -> dict[int, list[Record]]:
    """The events by run that say how it began and ended, and its first and last one."""
    marks = (RunStarted, RunRevised, RunPaused, RunResumed, RunFinished, RunReopened)
    histories: dict[int, list[Record]] = {}
    for position in sorted(events):
        try:
            record = decode_record(events[position])
        except StorageError:
            continue  # of a newer program: kept as it is, but it tells us nothing
        history = histories.setdefault(record.run, [])
        if not history or isinstance(record.event, marks):
            history.append(record)
    return histories


def _settle_runs(
    found: RowsFound,
    candidates: dict[int, set[tuple[bytes, int]]],
    histories: dict[int, list[Record]],
) -> None:
    for run in candidates.keys() | histories.keys():
        whole = [row for row in candidates.get(run, ()) if _run_row(run, *row) is not None]
        # Two rows of one run: one is a stale copy in a page no longer used, and nothing says which.
        row = _run_row(run, *whole[0]) if len(whole) == 1 else None
        row = row or _rebuilt(run, histories.get(run, []))
        if row is not None:
            found.runs[run] = row


def _run_row(run: int, data: bytes, checksum: int) -> RunRow | None:
    try:
        return decode_run(run, data, checksum)
    except DamagedError:
        return None


def _rebuilt(run: int, history: list[Record]) -> RunRow | None:
    """A run row from the events, as far as they tell; the engine completes it when it goes on."""
    if not history or not isinstance(history[0].event, RunStarted):
        return None
    start = history[0].event
    version, paused, state, finished_at = start.version, False, "running", None
    for record in history:
        match record.event:
            case RunRevised(version=version):
                pass
            case RunPaused():
                paused = True
            case RunResumed():
                paused = False
            case RunFinished(phase=state):
                finished_at = record.at
            case RunReopened():
                state, finished_at = "running", None
    return RunRow(
        run=RunNumber(run),
        run_id=RunId(start.run_id),
        workflow=start.workflow,
        version=VersionHash(version),
        file="",
        state=state,
        paused=paused,
        open=finished_at is None,
        started_at=history[0].at,
        finished_at=finished_at,
        counts={},
        needs=0,
        actor=start.by.actor if start.by else "",
        active_at=history[-1].at,
    )


def _hints(page: Pages, count: int, found: RowsFound) -> dict[int, int]:
    """Position to run of events that are gone but still stand in the index over runs."""
    most = max(found.events, default=0) + _FARTHEST_HINT
    known = {event[1] for event in found.events.values()} | found.runs.keys()
    hints: dict[int, int] = {}
    for entry in index_entries(page, count):
        match entry:
            case (int(run), int(position)) if run in known and 0 < position <= most:
                if position not in found.events:
                    hints[position] = run
    return hints


def _settle_gaps(
    found: RowsFound,
    histories: dict[int, list[Record]],
    hints: dict[int, int],
    told: Iterable[Gap],
) -> None:
    head = max(max(found.events, default=0), max(hints, default=0))
    spans = {run: _span(history, head) for run, history in histories.items()}
    expected = 1
    for position in (*sorted(found.events), head + 1):
        if position > expected:
            gap = Gap(expected, position - 1, _suspects(expected, position - 1, hints, spans, told))
            found.gaps.append(gap)
            found.damaged_runs |= gap.runs
        expected = position + 1
    for run in found.damaged_runs & found.runs.keys():
        found.runs[run] = msgspec.structs.replace(
            found.runs[run], state=DAMAGED_STATE, open=False, needs=0
        )


def _span(history: list[Record], head: int) -> tuple[int, int]:
    """First and last position at which a run may have had events."""
    first = history[0].position if isinstance(history[0].event, RunStarted) else 1
    ended = isinstance(history[-1].event, RunFinished)
    return first, history[-1].position if ended else head


def _suspects(
    first: int,
    last: int,
    hints: dict[int, int],
    spans: dict[int, tuple[int, int]],
    told: Iterable[Gap],
) -> frozenset[int]:
    """Runs that may have had events from first to last: by the index, by an earlier salvage, else all
    that were going on."""
    runs = {hints[position] for position in range(first, last + 1) if position in hints}
    left = [position for position in range(first, last + 1) if position not in hints]
    for gap in told:
        if left and gap.first <= left[0] and left[-1] <= gap.last:
            return frozenset(runs | gap.runs)
    if left:
        runs |= {run for run, (begin, end) in spans.items() if begin <= left[-1] and left[0] <= end}
    return frozenset(runs)
