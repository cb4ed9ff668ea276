"""The row of a run in lists, computed from its state."""

from collections.abc import Iterable, Mapping

from studio.core.standing import needs_person, phase_of
from studio.core.state import RunState
from studio.ids import RunId, RunNumber, VersionHash
from studio.ports import RunRow

ROW_INTERVAL = 0.25
"""Seconds between two rows of a run that differ only in their counts: lists need not be newer, and a chain of
nodes need not pay for a second row per commit. What was left out follows when the engine comes to rest."""


TROUBLE = ("failed", "held", "in_doubt", "compensation_failed")
"""States of nodes that a person may have to look at."""


class Rows:
    """Decides when the row of a run has to be written again.

    Attributes:
        behind: runs whose row on disk is older than their state.
    """

    def __init__(self) -> None:
        self.behind: set[int] = set()
        self._last: dict[int, tuple[tuple[str, bool, bool], float]] = {}

    def changed(self, run: RunState, now: float) -> RunRow | None:
        """The run's row, or None when what is on disk is good enough."""
        phase = phase_of(run)
        # A node in trouble is news for every list: nothing else may happen in this run that would bring it there.
        marks = (phase, run.paused, any(run.counts.get(state) for state in TROUBLE))
        last = self._last.get(run.number)
        same = last is not None and last[0] == marks
        if last is not None and same and now - last[1] < ROW_INTERVAL and not run.ended:
            self.behind.add(run.number)
            return None
        self.behind.discard(run.number)
        self._last[run.number] = (marks, now)
        return make_row(run, phase)

    def left_behind(self, runs: Mapping[int, RunState]) -> list[RunRow]:
        """The rows that are still to be written, as they are now."""
        return [make_row(runs[run], phase_of(runs[run])) for run in self.behind if run in runs]

    def put_off(self, runs: Iterable[int]) -> None:
        """Rows of these runs were handed out, but could not be written."""
        for run in runs:
            self._last.pop(run, None)
            self.behind.add(run)

    def forget(self, run: int) -> None:
        """The run is no longer in memory."""
        self.behind.discard(run)
        self._last.pop(run, None)


def make_row(run: RunState, phase: str) -> RunRow:
    """What lists show of a run."""
    needy = 0
    if phase == "attention" or run.counts.get("failed", 0) or run.counts.get("held", 0):
        needy = sum(needs_person(node) for node in run.nodes.values())
    return RunRow(
        RunNumber(run.number),
        RunId(run.run_id),
        run.plan.workflow.name,
        VersionHash(run.plan.version),
        run.file,
        phase,
        run.paused,
        not run.ended,
        run.started_at,
        run.finished_at,
        {name: count for name, count in run.counts.items() if count},
        needy,
        run.by.actor if run.by is not None else "",
        run.rested,
        run.active_at,
    )
