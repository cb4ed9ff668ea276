"""Looks over the shoulder of each turn: what a command may touch, and whether the history alone decides the same."""

import contextlib
from collections.abc import Iterable, Iterator
from random import Random
from typing import Any
from unittest.mock import patch

from studio.core import turn
from studio.core.commands import AnyCommand, NodeCommand, Refusal
from studio.core.events import RunReopened
from studio.core.plan import base_path
from studio.core.state import EngineState, NodeState, RunState
from studio.core.turn import Outcome, Turn, replay
from tests.simulation.ledger import Violation, require
from tests.simulation.world import World

SHARE = 0.08
"""Share of turns that are decided a second time, by a state replayed from the history."""


class WatchedTurn(Turn):
    """A turn that compares all nodes before and after a command about one of them."""

    world: World

    def apply(self, command: AnyCommand) -> Refusal | None:
        """Decide a command, and check what it changed."""
        run = self.state.runs.get(command.run)
        if run is None or not isinstance(command, NodeCommand) or not command.id:
            return super().apply(command)
        before = {path: _look_of(node) for path, node in run.nodes.items()}
        count = len(self.records)
        answer = super().apply(command)
        made = [record.event for record in self.records[count:]]
        try:
            _check_reach(run, command, before, made)
        except Violation as error:
            self.world.fail(error)
        return answer


WAITING = ("cancelled", "skipped", "ready", "held")
"""States in which a node was not to start; a run that is reopened may look at it again."""


def _look_of(node: NodeState) -> tuple[Any, ...]:
    return (
        node.status, node.generation, node.attempt, node.gate, node.output,
        node.disposition, node.retry_at, node.marks, node.stopping,
    )  # fmt: skip


def _check_reach(
    run: RunState, command: NodeCommand, before: dict[str, tuple[Any, ...]], made: list[Any]
) -> None:
    """An action on one node changes that node and its lawful downstream only."""
    base = base_path(command.node)
    if base not in run.nodes:
        require(13, not made, f"{command} about an unknown node makes {made}")
        return
    lawful = {base, *run.plan.descendants([base])} if base in run.plan.nodes else {base}
    reopened = [event for event in made if isinstance(event, RunReopened)]
    asked = {path for event in reopened for path in event.held}  # of what a cancel had given up
    for path, look in before.items():
        node = run.nodes.get(path)
        if base_path(path) in lawful | asked or node is None or _look_of(node) == look:
            continue
        revived = reopened and look[0] in WAITING and node.status == "blocked"
        require(13, revived, f"{command} changes {path}: {look} -> {_look_of(node)}")


class Twice:
    """Decides some turns a second time."""

    def __init__(self, world: World, rng: Random) -> None:
        self._world = world
        self._rng = rng
        self._take_turn = turn.take_turn

    def __call__(
        self,
        state: EngineState,
        commands: Iterable[AnyCommand],
        now: float,
        *,
        driven: bool = True,
    ) -> Outcome:
        """Take the turn; now and then compare with what a replayed state decides."""
        commands = list(commands)
        again = self._rng.random() < SHARE
        fresh = self._replayed(state) if again and driven else None
        outcome = self._take_turn(state, commands, now, driven=driven)
        if fresh is not None:
            try:
                self._compare(fresh, commands, now, outcome)
            except Violation as error:
                self._world.fail(error)
        return outcome

    def _replayed(self, state: EngineState) -> EngineState | None:
        history = self._world.history
        if state.visited or (len(state.runs) > 1 and _coupled(state)):
            return None
        if state.position != history.head():
            return None
        fresh = EngineState(state.plans, state.lookup, state.flow.max_concurrency)
        records = [record for record in history.read() if record.run in state.runs]
        if len({record.run for record in records}) != len(state.runs):
            return None
        replay(fresh, records)
        fresh.position = state.position
        return fresh

    def _compare(
        self, fresh: EngineState, commands: list[AnyCommand], now: float, outcome: Outcome
    ) -> None:
        quiet = self._take_turn(fresh, [], now)
        require(16, not quiet.records, f"a replayed history goes on: {quiet.records}")
        second = self._take_turn(fresh, commands, now)
        require(
            20,
            second.refusals == outcome.refusals,
            f"refused {outcome.refusals}, {second.refusals}",
        )
        for number in fresh.runs:
            live = [(record.at, record.event) for record in outcome.records if record.run == number]
            told = [(record.at, record.event) for record in second.records if record.run == number]
            require(20, live == told, f"run {number}: {differences(live, told)}")


def differences(live: list[Any], replayed: list[Any]) -> str:
    """Where two lists of facts part, without what they share."""
    count = 0
    while count < min(len(live), len(replayed)) and live[count] == replayed[count]:
        count += 1
    return f"after {live[:count][-1:]} live {live[count:][:2]}, replayed {replayed[count:][:2]}"


def _coupled(state: EngineState) -> bool:
    """Whether runs compete: then the order in which they are served is free, and decides who waits."""
    locks = any(
        planned.node.locks for run in state.runs.values() for planned in run.plan.nodes.values()
    )
    return locks or state.flow.max_concurrency is not None


@contextlib.contextmanager
def watched(world: World, seed: int) -> Iterator[None]:
    """Watch all turns taken meanwhile."""
    watching = type("WatchedTurn", (WatchedTurn,), {"world": world, "__slots__": ()})
    with (
        patch.object(turn, "Turn", watching),
        patch.object(turn, "take_turn", Twice(world, Random(seed + 3))),
    ):
        yield
