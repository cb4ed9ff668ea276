"""The runs pane: what needs a person, then the workflows with their runs."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from studio.core.standing import needs_person
from studio.core.state import RunState
from studio.projections.layout import Segment, cell_width, clean, fit
from studio.projections.listing import RowLike, seconds_taken
from studio.projections.screen.actions import key_of
from studio.projections.screen.graph import duration_text, needs_in_order
from studio.projections.screen.rules import NO_KEYS, Keys
from studio.projections.states import RUN_LOOKS, node_look

Row = list[Segment]

RUNS_SHOWN = 8
"""Runs listed under each workflow; `studio runs` lists all."""

SPARK_RUNS = 12
"""Finished runs that the sparkline and the percentiles look at."""

NODES_SHOWN = 6
"""Nodes of the shown run listed under "Needs you"."""

SAME_TIME = 60.0
"""Seconds within which two runs count as live at the same time."""

BARS = "▁▂▃▄▅▆▇█"
ASCII_BARS = "._-=+*#@"


class RunsEntry(msgspec.Struct, frozen=True):
    """One row of the pane and what choosing it shows."""

    row: Row
    run: int | None = None
    file: str | None = None
    node: str | None = None

    @property
    def target(self) -> bool:
        """Whether the row can be chosen."""
        return self.run is not None or self.file is not None


class Workflow(msgspec.Struct, frozen=True):
    """A workflow file in the list.

    Args:
        path: absolute path.
        name: what the workflow is called.
        errors: findings that keep its newest version from being used.
    """

    path: str
    name: str
    errors: int = 0


class Shown(msgspec.Struct, frozen=True):
    """What is on screen.

    Args:
        run: the shown run, None when a workflow is shown.
        file: path of the shown workflow.
        number: number of the shown run.
    """

    run: RunState | None = None
    file: str | None = None
    number: int | None = None


RESTING = ("attention", "paused")
"""States in which the clock of a run stands; the list does not know since when."""


def state_of(row: RowLike, driven: bool) -> str:
    """The state to show: an open run that nobody drives is interrupted unless it waits for a person."""
    if row.paused:
        return "paused"
    if row.open and not driven and row.state != "attention":
        return "interrupted"
    return row.state


def runs_rows(
    rows: Sequence[RowLike],
    files: Sequence[Workflow],
    now: float,
    *,
    shown: Shown,
    driven: Callable[[int], bool],
    width: int,
    keys: Keys = NO_KEYS,
    ascii: bool = False,
) -> list[RunsEntry]:
    """Rows of the pane.

    Args:
        rows: runs, newest first.
        files: the workflows of the project.
        now: seconds since the epoch.
        shown: what is on screen.
        driven: whether an engine drives the run with this number.
        width: columns of the pane.
        keys: the person's own keys.
    """
    draw = _Drawer(now, shown, driven, width, keys, ascii)
    entries: list[RunsEntry] = []
    needy = [row for row in rows if needs_attention(row, driven(row.run))]
    if needy:
        count = "" if len(needy) == 1 else f"  {len(needy)} runs"
        entries.append(RunsEntry([Segment(f"Needs you{count}", "state.held")]))
        for row in needy:
            entries.append(draw.run(row, named=True))
            if row.run == shown.number and shown.run is not None:
                entries += draw.needs(shown.run)
        entries.append(RunsEntry([]))
    for file in files:
        own = [row for row in rows if row.file == file.path]
        entries += draw.file(file, own)
    known = {file.path for file in files}
    others = [row for row in rows if row.file not in known]
    if others:
        entries.append(RunsEntry([Segment("other workflows", "dim")]))
        entries += draw.runs(others, named=True)
    if not files and not rows:
        text = f"no workflows here: {key_of(keys, 'new')} creates one"
        entries.append(RunsEntry([Segment(text, "dim")]))
    return entries


def needs_attention(row: RowLike, driven: bool) -> bool:
    """Whether a run cannot go on without a person."""
    return row.open and (row.needs > 0 or state_of(row, driven) in ("attention", "interrupted"))


def last_live(rows: Sequence[RowLike]) -> RowLike | None:
    """The run that somebody who comes back looks for; None without runs.

    It is the one to which something happened last. Of those that were live within a minute of it, as several are when
    a screen is closed, one that needs a person comes first.
    """
    newest = max(map(_active_at, rows), default=0.0)
    recent = [row for row in rows if _active_at(row) >= newest - SAME_TIME]
    return max(recent, key=lambda row: (row.open and row.needs > 0, _active_at(row)), default=None)


def _active_at(row: RowLike) -> float:
    return row.active_at or row.finished_at or row.started_at


def durations(rows: Sequence[RowLike]) -> list[float]:
    """How long the last finished runs took, oldest first, seconds; time at rest left out."""
    found = [seconds_taken(row, 0.0) for row in rows if row.finished_at is not None]
    return found[:SPARK_RUNS][::-1]


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which a share of the values lies; nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered) + 0.5) - 1))]


def sparkline(values: Sequence[float], *, ascii: bool = False) -> str:
    """Bars as high as the values, one cell each."""
    bars = ASCII_BARS if ascii else BARS
    top = max(values, default=0.0)
    if top <= 0:
        return bars[0] * len(values)
    return "".join(
        bars[min(len(bars) - 1, int(value / top * (len(bars) - 1) + 0.5))] for value in values
    )


class _Drawer:
    def __init__(
        self,
        now: float,
        shown: Shown,
        driven: Callable[[int], bool],
        width: int,
        keys: Keys,
        ascii: bool,
    ) -> None:
        self._now = now
        self._shown = shown
        self._driven = driven
        self._width = max(12, width)
        self._keys = keys
        self._ascii = ascii
        self._pointer = "> " if ascii else "▸ "

    def file(self, file: Workflow, rows: Sequence[RowLike]) -> list[RunsEntry]:
        """A workflow, how its last runs went, and its runs."""
        shown = self._shown.number is None and file.path == self._shown.file
        row: Row = [
            Segment(self._pointer if shown else "  ", "accent"),
            Segment(clean(file.name), "title"),
        ]
        if file.errors:
            row.append(Segment(f"  {file.errors} error{'s' * (file.errors > 1)}", "bad"))
        else:
            row += self._figures(rows, sum(cell_width(part.text) for part in row))
        found = [RunsEntry(row, file=file.path)]
        return [*found, *self.runs(rows)]

    def runs(self, rows: Sequence[RowLike], *, named: bool = False) -> list[RunsEntry]:
        """The newest of some runs, and how many older ones there are."""
        found = [self.run(one, named=named) for one in rows[:RUNS_SHOWN]]
        if len(rows) > RUNS_SHOWN:
            found.append(RunsEntry([Segment(f"     {len(rows) - RUNS_SHOWN} older", "faint")]))
        return found

    def _figures(self, rows: Sequence[RowLike], used: int) -> Row:
        """Sparkline and percentiles of the last runs, as far as there is room, flush right."""
        times = durations(rows)
        if len(times) < 2:
            return []
        spark = sparkline(times, ascii=self._ascii)
        middle = f"p50 {duration_text(percentile(times, 0.5))}"
        high = f" p95 {duration_text(percentile(times, 0.95))}"
        for text in (f"{spark} {middle}{high}", f"{spark} {middle}", middle):
            gap = self._width - used - cell_width(text) - 1
            if gap >= 1:
                return [Segment(" " * gap + text, "dim")]
        return []

    def run(self, row: RowLike, *, named: bool = False) -> RunsEntry:
        """One run: state, number, word, and the duration of one that moves or has ended; one that was interrupted says how to go on."""
        driven = self._driven(row.run)
        state = state_of(row, driven)
        look = RUN_LOOKS[state]
        cells: Row = [
            Segment("  " + (self._pointer if row.run == self._shown.number else "  "), "accent"),
            Segment(look.ascii if self._ascii else look.glyph, look.style),
            Segment(f" #{row.run} ", "text"),
        ]
        if named:
            cells.append(Segment(f"{clean(row.workflow)} ", "text"))
        word = f"{row.needs} need you" if state == "attention" and row.needs > 1 else look.word
        cells.append(Segment(word, look.style))
        if state == "interrupted":
            # The key is for the run on screen.
            first = "" if row.run == self._shown.number else "enter, then "
            key = key_of(self._keys, "continue_run")
            cells.append(Segment(f"  {first}{key} continues", "dim"))
        elif state not in RESTING:
            cells.append(Segment(f" {duration_text(seconds_taken(row, self._now))}", "dim"))
        return RunsEntry(cells, run=row.run)

    def needs(self, run: RunState) -> list[RunsEntry]:
        """The nodes of the shown run that need a person."""
        paths = [path for path in needs_in_order(run) if needs_person(run.nodes[path])]
        found = []
        for path in paths[:NODES_SHOWN]:
            look = node_look(run.nodes[path])
            room = max(6, self._width - 9 - cell_width(look.word))
            name = fit(clean(path), min(room, cell_width(clean(path))))
            found.append(
                RunsEntry(
                    [
                        Segment("      ", "text"),
                        Segment(f"{look.ascii if self._ascii else look.glyph} ", look.style),
                        Segment(f"{name} ", "text"),
                        Segment(look.word, look.style),
                    ],
                    run=run.number,
                    node=path,
                )
            )
        if len(paths) > NODES_SHOWN:
            more = f"      and {len(paths) - NODES_SHOWN} more: {key_of(self._keys, 'next_need')} goes through them"
            found.append(RunsEntry([Segment(more, "dim")]))
        return found


def last_good_run(rows: Iterable[RowLike], run: RunState) -> int | None:
    """Number of the last run of the same file that began before this one and succeeded.

    Args:
        rows: the list of runs, newest first.
        run: this one.
    """
    return next(good_runs(rows, run), None)


def good_runs(rows: Iterable[RowLike], run: RunState) -> Iterator[int]:
    """Numbers of the runs of the same file that began before this one and succeeded, newest first."""
    for row in rows:
        if row.run < run.number and row.file == run.file and row.state == "succeeded":
            yield row.run
