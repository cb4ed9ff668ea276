"""The attempts of each node, read off the history as it comes."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import msgspec

from studio.core import events as facts
from studio.core.events import Origin, Record
from studio.model.failure import Failure

MESSAGE: Final = 400
"""Characters kept of a failure's message."""


class AttemptLine(msgspec.Struct):
    """One try at a node, or something a person did in place of one.

    Args:
        number: number of the attempt; 0 for what was no attempt (a mark, a reuse).
        state: how it stands, a name of `studio.projections.states.NODE_LOOKS`.
        undo: whether it is an attempt at the undo.
        started_at: seconds since the epoch.
        finished_at: the same; None while it is open.
        failure: why it did not succeed, in short.
        note: what else is to be said about it.
        by: the person behind it, None when the engine went by its rules.
        overridden: its input was given by hand.
        reuse: the earlier attempt whose recorded input it took over, 0 for none.
        generation: rises when the node runs again after a success or an undo.
        iteration: round of a repeat, counted from 0.
        retry_at: when the next attempt follows by itself.
    """

    number: int
    state: str
    undo: bool = False
    started_at: float = 0.0
    finished_at: float | None = None
    failure: Failure | None = None
    note: str = ""
    by: Origin | None = None
    overridden: bool = False
    reuse: int = 0
    generation: int = 1
    iteration: int = 0
    retry_at: float | None = None

    @property
    def manual(self) -> bool:
        """Whether a person wanted it, or set its outcome."""
        return self.by is not None


class AttemptBook:
    """Attempts by node, kept up by handing it the records of one run in order.

    Attributes:
        position: of the last record taken in; reading goes on behind it.
    """

    def __init__(self) -> None:
        self.position = 0
        self._lines: dict[str, list[AttemptLine]] = {}
        self._overridden: set[str] = set()

    def add(self, records: Iterable[Record]) -> int:
        """Take in more of the history; what was taken in before is passed over. Returns how many were new."""
        count = 0
        for record in records:
            if record.position <= self.position:
                continue
            self.position = record.position
            count += 1
            handler = _HANDLERS.get(type(record.event))
            if handler is not None:
                handler(self, record.event, record.at)
        return count

    def of(self, path: str) -> list[AttemptLine]:
        """What was tried at a node, oldest first."""
        return self._lines.get(path, [])

    def all(self) -> Iterable[tuple[str, Sequence[AttemptLine]]]:
        """What was tried, by node."""
        return self._lines.items()

    # ----------------------------------------------------------------- events

    def _append(self, path: str, line: AttemptLine) -> None:
        self._lines.setdefault(path, []).append(line)

    def _open(self, event: Any) -> AttemptLine | None:
        """The attempt that an event is about, if its start has been seen."""
        for line in reversed(self._lines.get(event.node, ())):
            if line.number == event.attempt and line.undo == event.undo:
                return line
        return None

    def _started(self, event: facts.AttemptStarted, at: float) -> None:
        state = "compensating" if event.undo else "waiting" if event.wake is not None else "running"
        self._append(
            event.node,
            AttemptLine(
                event.attempt,
                state,
                event.undo,
                at,
                by=event.by,
                overridden=not event.undo and event.node in self._overridden,
                reuse=event.reuse,
                generation=event.generation,
                iteration=event.iteration,
                note="its fallback" if event.stand_in else "",
            ),
        )

    def _end(self, event: Any, at: float, state: str, note: str = "") -> AttemptLine | None:
        line = self._open(event)
        if line is not None:
            line.state = state
            line.finished_at = at
            if note:
                line.note = note
        return line

    def _succeeded(self, event: facts.AttemptSucceeded, at: float) -> None:
        note = f"by port {event.port}" if event.port else ""
        if event.again is not None:
            note = "not done yet, asks again"
        self._end(event, at, "compensated" if event.undo else "succeeded", note)

    def _failed(self, event: facts.AttemptFailed, at: float) -> None:
        line = self._end(event, at, "compensation_failed" if event.undo else "failed")
        if line is not None:
            line.failure = in_short(event.failure)
            line.retry_at = event.retry_at

    def _cancelled(self, event: facts.AttemptCancelled, at: float) -> None:
        line = self._end(event, at, "cancelled", event.reason)
        if line is not None and event.by is not None:
            line.by = event.by

    def _interrupted(self, event: facts.AttemptInterrupted, at: float) -> None:
        self._end(event, at, "cancelled", f"interrupted: {event.detail or 'the engine died'}")

    def _doubted(self, event: facts.AttemptDoubted, at: float) -> None:
        self._end(event, at, "in_doubt", event.detail)

    def _stop_requested(self, event: facts.AttemptStopRequested, at: float) -> None:
        line = self._open(event)
        if line is not None:
            line.note = STOPS[event.cause]

    def _ignored(self, event: facts.ResultIgnored, at: float) -> None:
        line = self._open(event)
        if line is not None:
            line.note = f"a late result was ignored: {event.detail or 'the attempt was over'}"

    def _fallback(self, event: facts.FallbackUsed, at: float) -> None:
        self._append(
            event.node, AttemptLine(0, "succeeded", False, at, at, note="its fallback stands in")
        )

    def _node_failed(self, event: facts.NodeFailed, at: float) -> None:
        line = AttemptLine(
            0, "failed", False, at, at, in_short(event.failure), "before any attempt"
        )
        self._append(event.node, line)

    def _marked(self, event: facts.NodeMarked, at: float) -> None:
        if event.undo:
            state = "compensated" if event.outcome == "succeeded" else "compensation_failed"
        else:
            state = {"ignored": "failed"}.get(event.outcome, event.outcome)
        note = f"marked {event.outcome}"
        self._append(event.node, AttemptLine(0, state, event.undo, at, at, note=note, by=event.by))

    def _reused(self, event: facts.NodeReused, at: float) -> None:
        note = "input and code as at its last success"
        self._append(event.node, AttemptLine(0, "reused", False, at, at, note=note))

    def _input_overridden(self, event: facts.InputOverridden, at: float) -> None:
        if event.revert:
            self._overridden.discard(event.node)
        else:
            self._overridden.add(event.node)

    def _output_overridden(self, event: facts.OutputOverridden, at: float) -> None:
        note = "output given by hand" + (" taken back" if event.revert else "")
        self._append(event.node, AttemptLine(0, "succeeded", False, at, at, note=note, by=event.by))


def in_short(failure: Failure) -> Failure:
    """What a table shows of a failure; tracebacks of a hundred thousand items would fill the memory."""
    return Failure(failure.type[:MESSAGE], failure.message[:MESSAGE], failure.category)


STOPS: Final[dict[str, str]] = {
    "timeout": "out of time",
    "operator": "ended by hand",
    "run": "ended with the run",
    "loser": "another branch was first",
}
"""Why an attempt was ended, in words."""

_HANDLERS: Final[dict[type, Callable[[AttemptBook, Any, float], None]]] = {
    facts.AttemptStarted: AttemptBook._started,
    facts.AttemptSucceeded: AttemptBook._succeeded,
    facts.AttemptFailed: AttemptBook._failed,
    facts.AttemptCancelled: AttemptBook._cancelled,
    facts.AttemptInterrupted: AttemptBook._interrupted,
    facts.AttemptDoubted: AttemptBook._doubted,
    facts.AttemptStopRequested: AttemptBook._stop_requested,
    facts.ResultIgnored: AttemptBook._ignored,
    facts.FallbackUsed: AttemptBook._fallback,
    facts.NodeFailed: AttemptBook._node_failed,
    facts.NodeMarked: AttemptBook._marked,
    facts.NodeReused: AttemptBook._reused,
    facts.InputOverridden: AttemptBook._input_overridden,
    facts.OutputOverridden: AttemptBook._output_overridden,
}


def attempts_of(records: Iterable[Record], path: str) -> list[AttemptLine]:
    """What was tried at a node of a run, read off its whole history."""
    book = AttemptBook()
    book.add(records)
    return book.of(path)
