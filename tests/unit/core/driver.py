"""Drives the pure core by hand: commands in, records out, time as a number, no engine.

After every turn the history is folded again into an empty state; the result has to equal the live state, and
nothing may follow from it that has not followed already.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from studio.core import commands as verbs
from studio.core.commands import AnyCommand, Command, Refusal
from studio.core.effects import due
from studio.core.events import (
    AnyEvent,
    AttemptCancelled,
    AttemptDoubted,
    AttemptFailed,
    AttemptInterrupted,
    AttemptStarted,
    AttemptSucceeded,
    Record,
)
from studio.core.plan import Plan
from studio.core.reactions import react
from studio.core.standing import phase_of
from studio.core.state import EngineState, Flight, NodeState, RunState, TimerKey
from studio.core.transitions import EFFECTIVE
from studio.core.turn import replay, take_turn
from studio.model.failure import Failure
from studio.model.nodes import Edge, Node, NoopSettings, Undo
from studio.model.policies import CompensationPolicy, Limits
from studio.model.terms import ErrorCategory
from studio.model.workflow import Workflow

START = 1_000_000.0
"""Time at which every driver starts, seconds since the epoch."""

Needs = str | Edge | Sequence[str | Edge] | None


def edges(needs: Needs) -> tuple[Edge, ...]:
    """Edges as the model has them: ``"a"``, an `Edge`, or a list of both."""
    if needs is None:
        return ()
    listed = [needs] if isinstance(needs, str | Edge) else needs
    return tuple(Edge(source=one) if isinstance(one, str) else one for one in listed)


def node(name: str, needs: Needs = None, **keys: Any) -> Node:
    """A node of the kind ``noop`` unless ``kind`` says otherwise."""
    keys.setdefault("kind", NoopSettings())
    return Node(id=name, needs=edges(needs), **keys)


def undo(**keys: Any) -> Undo:
    """How to undo a node, as a ``noop``."""
    return Undo(kind=NoopSettings(), **keys)


def workflow(
    *nodes: Node,
    limits: Limits | None = None,
    compensation: CompensationPolicy | None = None,
    outputs: Any = None,
    name: str = "flow",
) -> Workflow:
    """A definition of the given nodes."""
    return Workflow(
        name=name,
        nodes={one.id: one for one in nodes},
        limits=limits or Limits(),
        compensation=compensation or CompensationPolicy(),
        outputs=outputs or {},
    )


class Driver:
    """One engine state and its whole history.

    Args:
        nodes: nodes of the first run's workflow.
        policy: failure policy of the first run.
        max_concurrency: bound over all runs.
        check: whether to compare with a replay after every turn (quadratic in the length of the history).
        start: keys of the first `StartRun`; None to start no run.
    """

    def __init__(
        self,
        *nodes: Node,
        policy: Literal["hold", "fail", "continue"] = "fail",
        surface: Literal["screen", "headless"] = "headless",
        limits: Limits | None = None,
        compensation: CompensationPolicy | None = None,
        outputs: Any = None,
        max_concurrency: int | None = None,
        check: bool = True,
        params: dict[str, Any] | None = None,
        until: str | None = None,
        stepping: bool = False,
    ) -> None:
        self.plans: dict[str, Plan] = {}
        self.records: list[Record] = []
        self.now = START
        self.check = check
        self.max_concurrency = max_concurrency
        self.state = EngineState(self.plans, self._look_up, max_concurrency)
        self.timers: dict[TimerKey, float] = {}
        self.launched: list[Flight] = []
        self.stopped: list[Flight] = []
        self._sent = 0
        if nodes:
            self.start(
                workflow(*nodes, limits=limits, compensation=compensation, outputs=outputs),
                policy=policy,
                surface=surface,
                params=params or {},
                until=until,
                stepping=stepping,
            )

    # ----------------------------------------------------------------- sending

    def start(self, definition: Workflow, **keys: Any) -> int:
        """Start a run of a definition; returns its number."""
        plan = Plan(definition)
        self.plans[plan.version] = plan
        number = len(self.state.runs) + 1
        refusal = self.send(
            verbs.StartRun(run=number, run_id=f"run-{number}", version=plan.version, **keys)
        )
        assert refusal is None, str(refusal)
        return number

    def send(self, *commands: AnyCommand, by: str = "ada") -> Refusal | None:
        """Take one turn with commands of a person (or of the clock and executors, as they are).

        Returns the refusal of the last command, None when it was taken.
        """
        named = [self._named(command, by) for command in commands]
        outcome = take_turn(self.state, named, self.now)
        self.records.extend(outcome.records)
        more = outcome.more
        while more:
            more = self._again()
        self._settle_books()
        return outcome.refusals.get(len(named) - 1)

    def _again(self) -> bool:
        outcome = take_turn(self.state, [], self.now)
        self.records.extend(outcome.records)
        return outcome.more

    def _named(self, command: AnyCommand, by: str) -> AnyCommand:
        mechanical = verbs.FinishAttempt | verbs.FireTimer | verbs.RecordSpawn
        if isinstance(command, mechanical) or command.id:
            return command
        self._sent += 1
        return msgspec.structs.replace(command, id=f"c{self._sent}", actor=command.actor or by)

    def do(self, command: AnyCommand) -> Driver:
        """Send a command that has to be taken."""
        refusal = self.send(command)
        assert refusal is None, str(refusal)
        return self

    def refused(self, command: AnyCommand) -> str:
        """Send a command that has to be refused; returns its text."""
        before = len(self.records)
        refusal = self.send(command)
        assert refusal is not None, f"{command} was taken: {self.events[before:]}"
        assert self.records[before:] == [], "a refusal makes no facts"
        return str(refusal)

    def verb(self, kind: type[Command], node: str = "", run: int = 1, **keys: Any) -> Driver:
        """Send a verb about a node (or about the run when no node is given)."""
        if node:
            keys["node"] = node
        return self.do(kind(run=run, **keys))  # type: ignore[arg-type]  # every subclass is in AnyCommand

    # ----------------------------------------------------------------- executors

    def finish(
        self, name: str, output: Any = None, port: str = "", *, run: int = 1, undo: bool = False
    ) -> Driver:
        """Let the open attempt of a node succeed."""
        return self._end(
            name, run, undo, outcome="succeeded", output=msgspec.Raw(encode(output)), port=port
        )

    def fail(
        self,
        name: str,
        type: str = "ValueError",
        category: ErrorCategory = "transient",
        *,
        run: int = 1,
        undo: bool = False,
    ) -> Driver:
        """Let the open attempt of a node fail."""
        failure = Failure(type, f"{name} broke", category)
        return self._end(name, run, undo, outcome="failed", failure=failure)

    def end(self, name: str, outcome: str, *, run: int = 1, undo: bool = False) -> Driver:
        """Let the open attempt of a node end as ``stopped``, ``vanished`` or ``lost``."""
        return self._end(name, run, undo, outcome=outcome, detail="the test says so")

    def _end(self, name: str, run: int, undo: bool, **keys: Any) -> Driver:
        found = self.open_attempt(name, run=run, undo=undo)
        assert found is not None, f"{name} has no open attempt: {self.states}"
        command = verbs.FinishAttempt(run=run, node=name, attempt=found.attempt, undo=undo, **keys)
        return self.do(command)

    def finish_all(self, run: int = 1) -> Driver:
        """Let every forward attempt succeed until nothing is in flight."""
        while (flight := next((f for f in self.flights(run)), None)) is not None:
            self.finish(flight.node, run=run, undo=flight.undo)
        return self

    def flights(self, run: int = 1) -> list[Flight]:
        """Open attempts of a run, in the order they started."""
        return [flight for flight in self.state.flow.in_flight if flight.run == run]

    def open_attempt(self, name: str, *, run: int = 1, undo: bool = False) -> Flight | None:
        """The open attempt of a node."""
        return next((f for f in self.flights(run) if f.node == name and f.undo == undo), None)

    # ----------------------------------------------------------------- time

    def tick(self, seconds: float) -> Driver:
        """Let time pass; every timer that comes due fires at its moment."""
        end = self.now + seconds
        while True:
            due_now = [(at, key) for key, at in self.timers.items() if at <= end]
            if not due_now:
                break
            at, key = min(due_now)
            del self.timers[key]
            self.now = max(self.now, at)
            self.do(verbs.FireTimer(run=key.run, kind=key.kind, node=key.node, undo=key.undo))
        self.now = end
        return self

    # ----------------------------------------------------------------- looking

    def run(self, number: int = 1) -> RunState:
        """State of a run."""
        return self.state.runs[number]

    def at(self, path: str, run: int = 1) -> NodeState:
        """State of a node."""
        return self.run(run).nodes[path]

    def output(self, path: str, run: int = 1) -> Any:
        """Output of a node."""
        return self.state.decode(self.at(path, run).output)

    @property
    def states(self) -> dict[str, str]:
        """State name of every node of the first run."""
        return {path: found.status for path, found in self.run().nodes.items()}

    def shown(self, run: int = 1) -> str:
        """Phase the run shows."""
        return phase_of(self.run(run))

    @property
    def events(self) -> list[AnyEvent]:
        """All events so far."""
        return [record.event for record in self.records]

    def of(self, kind: type[AnyEvent], node: str | None = None) -> list[Any]:
        """Events of one type, of one node if named."""
        return [
            event
            for event in self.events
            if isinstance(event, kind) and (node is None or getattr(event, "node", None) == node)
        ]

    def started(self, run: int = 1) -> list[str]:
        """Paths of forward attempts in the order they started."""
        return [
            record.event.node
            for record in self.records
            if record.run == run
            and isinstance(record.event, AttemptStarted)
            and not record.event.undo
        ]

    def undone(self, run: int = 1) -> list[str]:
        """Paths of undo attempts in the order they started."""
        return [
            record.event.node
            for record in self.records
            if record.run == run and isinstance(record.event, AttemptStarted) and record.event.undo
        ]

    # ----------------------------------------------------------------- checks

    def _look_up(self, position: int) -> AnyEvent:
        return self.records[position - 1].event

    def _settle_books(self) -> None:
        for effect in due(self.state):
            key = effect[0]
            if isinstance(key, TimerKey):
                at = self.state.flow.timers.get(key)
                if at is None:
                    self.timers.pop(key, None)
                else:
                    self.timers[key] = at
            elif self.state.flow.in_flight.get(key) == "start":
                self.launched.append(key)
            elif self.state.flow.in_flight.get(key) == "stop":
                self.stopped.append(key)
        self.state.unsaved.clear()
        for index, record in enumerate(
            self.records[-50:], len(self.records) - len(self.records[-50:])
        ):
            assert record.position == index + 1, "positions have no gap"
        if self.check:
            self.check_replay()
            self.check_counts()
            self.check_attempts()

    def replayed(self) -> EngineState:
        """A state folded from the history alone."""
        fresh = EngineState(self.plans, self._look_up, self.max_concurrency)
        replay(fresh, self.records)
        return fresh

    def check_replay(self) -> None:
        """Replay equals the live state, and nothing new follows from a complete history."""
        fresh = self.replayed()
        for number, live in self.state.runs.items():
            assert fresh.runs[number].snapshot() == live.snapshot()
        assert fresh.flow.in_flight == self.state.flow.in_flight
        assert fresh.flow.timers == self.state.flow.timers
        assert fresh.flow.holders == self.state.flow.holders
        follows = react(fresh, self.now)
        assert follows is None, f"a replayed state goes on by itself: {follows}"
        for number, live in self.state.runs.items():
            again = fresh.runs[number]
            statuses = {path: found.status for path, found in live.nodes.items()}
            assert {path: found.status for path, found in again.nodes.items()} == statuses
            assert phase_of(again) == phase_of(live)

    def check_counts(self) -> None:
        """The tallies kept along the way equal those counted afresh."""
        for run in self.state.runs.values():
            tops = [found for found in run.nodes.values() if found.parent is None]
            assert run.open == sum(not found.settled for found in tops), "open"
            counts = {status: count for status, count in run.counts.items() if count}
            fresh: dict[str, int] = {}
            for found in (one for one in tops if not one.archived):
                fresh[found.status] = fresh.get(found.status, 0) + 1
            assert counts == fresh, "counts"
            assert run.flying == len(self.flights(run.number)), "flying"
            waits = [key for key in self.state.flow.timers if key.run == run.number]
            assert run.waits == sum(key.kind in ("retry", "wake") for key in waits), "waits"
            for found in tops:
                if found.edges is not None:
                    assert found.taken == found.edges.count(1), f"{found.path} taken"
                    assert found.dead == found.edges.count(2) + found.edges.count(3), "dead"

    def check_attempts(self) -> None:
        """By the history, exactly those attempts have no end that are in flight or wait for their moment."""
        waits = {
            Flight(run.number, found.path, False, found.attempt)
            for run in self.state.runs.values()
            for found in run.nodes.values()
            if found.wake is not None
        }
        assert without_end(self.records) == waits | set(self.state.flow.in_flight)

    def reload(self) -> Driver:
        """Go on from a state folded from the history, as after a restart of the engine."""
        self.state = self.replayed()
        self.timers = dict(self.state.flow.timers)
        due(self.state)
        outcome = take_turn(self.state, [], self.now)
        assert outcome.records == [], "recovery is idempotent"
        return self


ENDS = AttemptSucceeded | AttemptFailed | AttemptCancelled | AttemptInterrupted | AttemptDoubted


def without_end(records: Sequence[Record]) -> set[Flight]:
    """Attempts that have started and not ended; fails when one starts or ends twice."""
    found: set[Flight] = set()
    failed: set[Flight] = set()
    for record in records:
        event = record.event
        if not isinstance(event, AttemptStarted | ENDS):
            continue
        flight = Flight(record.run, event.node, event.undo, event.attempt)
        if isinstance(event, AttemptStarted):
            assert flight not in found, f"{flight} started twice"
            found.add(flight)
        elif isinstance(event, AttemptDoubted) and flight in failed:
            failed.discard(flight)  # what it did before it failed is in doubt after all
        else:
            assert flight in found, f"{flight} ended twice"
            found.discard(flight)
            if isinstance(event, AttemptFailed):
                failed.add(flight)
    return found


def encode(value: Any) -> bytes:
    """A value as the JSON an executor would return."""
    return json.dumps(value).encode()


def effective(driver: Driver) -> set[str]:
    """Nodes of the first run whose effect stands."""
    return {path for path, state in driver.states.items() if state in EFFECTIVE}
