"""What happens in a run, told while it happens: one line per change of state, and a summary of where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from studio.core import events as facts
from studio.core.events import Record
from studio.projections.history_lines import phrase
from studio.projections.masking import Mask
from studio.projections.moments import span
from studio.projections.signs import RESOLVED, Tone, sign
from studio.projections.text import pad, sanitise, shorten, width

SUBJECT_CELLS = 32
"""Cells of the node column at most; longer names are cut in the line, never in documents."""

_FACTS_WITHOUT_STATE = (
    facts.CompensationFinished,
    facts.CompensationStalled,
    facts.InputOverridden,
    facts.NodeReleased,
    facts.NodesReset,
    facts.NodesStaled,
    facts.OutputOverridden,
    facts.BreakpointCleared,
    facts.BreakpointSet,
    facts.RunCancelRequested,
    facts.RunFailing,
    facts.RunRevised,
    facts.RunTimedOut,
    facts.SteppingChanged,
)
"""Facts worth a line although no state changes with them."""

_ENDS = (
    facts.AttemptSucceeded,
    facts.AttemptFailed,
    facts.AttemptCancelled,
    facts.AttemptDoubted,
    facts.ItemsCollected,
)


class Line(NamedTuple):
    """One change of state.

    Args:
        at: when, seconds since the epoch.
        state: key of `studio.projections.signs.SIGNS`, empty for a fact that is no state.
        subject: node, or ``run N``.
        text: what there is to say beside it, sanitised.
        item: whether it is about one item of a foreach.
    """

    at: float
    state: str
    subject: str
    text: str
    item: bool = False

    @property
    def tone(self) -> Tone:
        """What its colour says."""
        return sign(self.state).tone


class Progress:
    """Follows a run by its records.

    Args:
        run: its number.
        nodes: paths of its nodes, for the width of the node column and the totals.
        mask: covers sensitive values.
        after: position up to which records are only counted, not told: what had happened before.
    """

    def __init__(self, run: int, nodes: Sequence[str], mask: Mask, after: int = 0) -> None:
        self._run = run
        self._mask = mask
        self._after = after
        self._began: dict[str, float] = {}
        self.states: dict[str, str] = dict.fromkeys(nodes, "blocked")
        self.started_at: float | None = None
        self.cells = min(SUBJECT_CELLS, max([len(f"run {run}"), *map(width, nodes)]))

    def feed(self, record: Record) -> Line | None:
        """Take the next record in; returns the line to show for it, if any."""
        event = record.event
        said = phrase(event, record.at)
        text = said.text
        if isinstance(event, facts.RunStarted):
            self.started_at = record.at
        if isinstance(event, facts.AttemptStarted | facts.ItemsExpanded):
            self._began[said.subject] = record.at
        elif isinstance(event, _ENDS):
            took = record.at - self._began.pop(said.subject, record.at)
            text = f"{span(took)}{', ' if text else ''}{text}"
        elif isinstance(event, facts.RunFinished) and self.started_at is not None:
            text = f"{span(record.at - self.started_at)}{', ' if text else ''}{text}"
        self._count(event, said.subject, said.state)
        if record.position <= self._after:
            return None
        if not said.state and not isinstance(event, _FACTS_WITHOUT_STATE):
            return None
        item = said.subject.endswith("]")
        subject = said.subject or f"run {self._run}"
        return Line(record.at, said.state, subject, sanitise(self._mask.text(text)), item)

    def _count(self, event: facts.AnyEvent, subject: str, state: str) -> None:
        if subject and state and not subject.endswith("]"):
            self.states[subject] = state
        elif isinstance(event, facts.NodesReset):
            for path in event.nodes:
                self.states[path] = "blocked"

    def summary(self, now: float, cells: int) -> str:
        """Where the run stands, in one line.

        Args:
            now: seconds since the epoch.
            cells: width of the terminal.
        """
        done = sum(state in RESOLVED for state in self.states.values())
        parts = [f"run {self._run}", f"{done}/{len(self.states)}"]
        if self.started_at is not None:
            parts.append(span(now - self.started_at))
        busy = [path for path, state in self.states.items() if state in _BUSY]
        if busy:
            parts.append(f"{sign('running').glyph} {', '.join(busy[:6])}")
        failed = sum(state == "failed" for state in self.states.values())
        if failed:
            parts.append(f"{sign('failed').glyph} {failed}")
        return shorten("  ".join(parts), cells)


_BUSY = frozenset({"running", "waiting", "backing_off", "compensating"})


def line_text(line: Line, clock: str, cells: int, *, ascii: bool = False) -> tuple[str, str]:
    """A line in two parts, so that only the first is coloured: time, sign, subject and state; the rest.

    Args:
        line: what to show.
        clock: its time of day.
        cells: width of the node column; a longer name, of an item, pushes its line to the right.
        ascii: use ASCII signs.
    """
    shown = sign(line.state)
    glyph = shown.ascii if ascii else shown.glyph
    subject = pad(shorten(sanitise(line.subject), max(cells, SUBJECT_CELLS)), cells)
    head = f"{clock}  {glyph} {subject}"
    return (f"{head}  {shown.word}" if shown.word else head), line.text
