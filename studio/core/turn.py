"""One turn of the engine, pure: commands in, records out, the state evolved in between."""

from collections.abc import Iterable
from typing import NamedTuple

from studio.core.commands import AnyCommand, Refusal
from studio.core.decide import decide
from studio.core.events import AnyEvent, AttemptStarted, ItemsExpanded, Record
from studio.core.evolve import evolve
from studio.core.reactions import react
from studio.core.state import EngineState

STARTS_PER_BATCH = 256
"""Attempts that one batch may start (engine.md, "Pure functions, one writer"): bounds the size of a transaction
and lets a wide fan-out begin before all of it is on disk."""


class Turn:
    """Collects what one batch of commands makes.

    Args:
        state: the working state; it is evolved in place and has to be rebuilt when the append fails.
        now: seconds since the epoch.
        driven: whether attempts may start; without it they wait for an engine that drives their run.
    """

    __slots__ = ("_driven", "_starts", "now", "records", "state")

    def __init__(self, state: EngineState, now: float, driven: bool = True) -> None:
        self.state = state
        self.now = now
        self._driven = driven
        self.records: list[Record] = []
        self._starts = 0

    def apply(self, command: AnyCommand) -> Refusal | None:
        """Decide one command and evolve the state by its facts."""
        answer = decide(self.state, command, self.now)
        if isinstance(answer, Refusal):
            return answer
        self._add(command.run, answer)
        return None

    def settle(self) -> bool:
        """Let everything happen that follows by itself.

        Returns whether more may start in the next turn because this batch carries as many starts as it may.
        """
        while True:
            room = self._starts < STARTS_PER_BATCH
            facts = react(self.state, self.now, room, driven=self._driven)
            if facts is None:
                break
            self._add(*facts)
        return bool(self.state.flow.dirty) and self._starts >= STARTS_PER_BATCH

    def _add(self, run: int, facts: Iterable[AnyEvent]) -> None:
        state = self.state
        for event in facts:
            record = Record(state.position + 1, run, self.now, event)
            state.unsaved[record.position] = event
            evolve(state, record)
            self.records.append(record)
            if isinstance(event, AttemptStarted | ItemsExpanded):
                self._starts += 1


class Outcome(NamedTuple):
    """What a batch of commands came to: records in order, and the refusals by index of their command."""

    records: list[Record]
    refusals: dict[int, Refusal]
    more: bool


def take_turn(
    state: EngineState, commands: Iterable[AnyCommand], now: float, *, driven: bool = True
) -> Outcome:
    """Apply a batch of commands and all that follows from them.

    Each command is decided against the state that the ones before it left. A person's command sees all
    consequences of what came before it too, so that its guards judge what the append will extend; reports of
    executors share one settling per batch.

    Args:
        state: the working state; evolved in place.
        commands: in the order they came.
        now: seconds since the epoch.
        driven: whether attempts may start. An engine that only records what it is asked leaves that to the one that
            will drive the run: deadlines count from a start that is one.
    """
    turn = Turn(state, now, driven)
    refusals: dict[int, Refusal] = {}
    for index, command in enumerate(commands):
        if command.id:
            turn.settle()
        refusal = turn.apply(command)
        if refusal is not None:
            refusals[index] = refusal
    more = turn.settle()
    return Outcome(turn.records, refusals, more)


def replay(state: EngineState, records: Iterable[Record]) -> None:
    """Fold stored records and find again what is derived from them.

    Raises what `evolve` raises. Nothing new follows from a complete history: consequences are appended in the
    same batch as their cause.
    """
    for record in records:
        evolve(state, record)


def derive(state: EngineState) -> None:
    """Find again what a replayed state does not store: which nodes are ready, and at which gate they stand.

    For readers of a history. Nothing is started and no fact is made: consequences that the writer has not
    appended yet are its business.
    """
    while react(state, 0.0, may_start=False) is not None:
        state.visited.clear()
