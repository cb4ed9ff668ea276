"""The runs pane: what needs a person, then the workflows with their runs."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from studio.projections.layout import Segment
from studio.projections.screen.graph import duration_text
from studio.projections.states import RUN_LOOKS

Row = list[Segment]


class RunRowLike(Protocol):
    """The part of a run's row that the pane reads."""

    @property
    def run(self) -> int: ...
    @property
    def workflow(self) -> str: ...
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
    def needs(self) -> int: ...


class RunsEntry(NamedTuple):
    """One row of the pane and what choosing it shows."""

    row: Row
    run: int | None = None
    file: str | None = None

    @property
    def target(self) -> bool:
        """Whether the row can be chosen."""
        return self.run is not None or self.file is not None


def state_of(row: RunRowLike, driven: bool) -> str:
    """The state to show: an open run that nobody drives is interrupted unless it waits for a person."""
    if row.paused:
        return "paused"
    if row.open and not driven and row.state != "attention":
        return "interrupted"
    return row.state


def runs_rows(
    rows: Sequence[RunRowLike],
    files: Sequence[tuple[str, str, str, int]],
    now: float,
    *,
    shown_run: int | None,
    shown_file: str | None,
    driven: Callable[[int], bool],
    ascii: bool = False,
) -> list[RunsEntry]:
    """Rows of the pane.

    Args:
        rows: runs, newest first.
        files: workflows as (path, name, display, number of errors).
        now: seconds since the epoch.
        shown_run: number of the run on screen.
        shown_file: path of the workflow on screen.
        driven: whether an engine drives the run with this number.
    """
    entries: list[RunsEntry] = []
    needy = [row for row in rows if _needs_person(row, driven(row.run))]
    if needy:
        entries.append(RunsEntry([Segment(f"Needs you  {len(needy)}", "state.held")]))
        entries += [_run_entry(row, now, shown_run, driven(row.run), ascii, True) for row in needy]
        entries.append(RunsEntry([Segment("", "text")]))
    for path, name, _display, errors in files:
        entries.append(_file_entry(path, name, errors, shown_run is None and path == shown_file))
        own = [row for row in rows if row.file == path][:8]
        entries += [_run_entry(row, now, shown_run, driven(row.run), ascii, False) for row in own]
    known = {path for path, *_ in files}
    others = [row for row in rows if row.file not in known][:8]
    if others:
        entries.append(RunsEntry([Segment("other workflows", "dim")]))
        entries += [_run_entry(row, now, shown_run, driven(row.run), ascii, True) for row in others]
    return entries


def _needs_person(row: RunRowLike, driven: bool) -> bool:
    return row.open and (row.needs > 0 or state_of(row, driven) in ("attention", "interrupted"))


def _file_entry(path: str, name: str, errors: int, shown: bool) -> RunsEntry:
    row: Row = [Segment("▸ " if shown else "  ", "accent"), Segment(name, "title")]
    if errors:
        row.append(Segment(f"  {errors} error{'s' if errors > 1 else ''}", "bad"))
    return RunsEntry(row, file=path)


def _run_entry(
    row: RunRowLike, now: float, shown: int | None, driven: bool, ascii: bool, named: bool
) -> RunsEntry:
    look = RUN_LOOKS[state_of(row, driven)]
    end = row.finished_at if row.finished_at is not None else now
    cells: Row = [
        Segment("  ▸ " if row.run == shown else "    ", "accent"),
        Segment(look.ascii if ascii else look.glyph, look.style),
        Segment(f" #{row.run} ", "text"),
    ]
    if named:
        cells.append(Segment(f"{row.workflow} ", "text"))
    cells.append(Segment(look.word, look.style))
    if driven or not row.open:
        cells.append(Segment(f" {duration_text(end - row.started_at)}", "dim"))
    return RunsEntry(cells, run=row.run)
