"""What executors and the clock report about attempts."""

import msgspec

from studio.core.commands import FinishAttempt, FireTimer, RecordSpawn
from studio.core.decide.verdicts import (
    end_failure,
    fail_node,
    judge_edges,
    leaves,
    needs_output,
    stops,
)
from studio.core.events import (
    AnyEvent,
    AttemptCancelled,
    AttemptDoubted,
    AttemptFailed,
    AttemptInterrupted,
    AttemptStopRequested,
    AttemptSucceeded,
    BreakpointHit,
    ChildSpawned,
    CompensationStalled,
    ResultIgnored,
    RetryRequested,
    RunFailing,
    RunTimedOut,
)
from studio.core.resilience.retry import delay, retries
from studio.core.scope import node_scope
from studio.core.state import EngineState, Flight, NodeState, RunState, TimerKey
from studio.errors import ExpressionError
from studio.model.failure import Failure

MAX_INTERRUPTIONS = 5
"""Crashes that may end attempts of one node in a row before it fails: a node that takes the engine down with
it must not do so for ever."""

PURE_KINDS = frozenset({"noop", "transform", "branch", "wait"})
"""Kinds that run inside the engine and touch nothing outside it."""


def record_spawn(state: EngineState, run: RunState, command: RecordSpawn) -> list[AnyEvent]:
    """A child waits behind its gate."""
    flight = Flight(run.number, command.node, command.undo, command.attempt)
    if state.flow.in_flight.get(flight) not in ("start", "stop"):
        return []
    return [
        ChildSpawned(command.node, command.attempt, command.pid, command.started, undo=command.undo)
    ]


def finish_attempt(
    state: EngineState, run: RunState, command: FinishAttempt, now: float
) -> list[AnyEvent]:
    """An attempt is over. The first end counts; what comes later is recorded as ignored."""
    flight = Flight(run.number, command.node, command.undo, command.attempt)
    node = run.nodes.get(command.node)
    if node is None:
        return []
    if flight not in state.flow.in_flight:
        return [
            ResultIgnored(
                command.node,
                command.attempt,
                f"{command.outcome} after its end",
                undo=command.undo,
            )
        ]
    if command.undo:
        return _finish_undo(run, node, command, now)
    if command.outcome == "succeeded":
        return succeed(state, run, node, command.output, command.port, now)
    if command.outcome == "lost":
        return _lose(state, run, node, command.detail, now)
    if node.stopping in CANCELLING:
        # However the end was reported: it was asked for, so it is no failure and never retried.
        return [_cancelled(run, node, node.attempt)]
    return end_failure(state, run, node, _failure(node, command), now)


CANCELLING = frozenset({"operator", "run", "loser"})
"""Causes of a stop after which the node counts as cancelled; a timeout is a failure."""


def _cancelled(
    run: RunState, node: NodeState, attempt: int, *, undo: bool = False
) -> AttemptCancelled:
    by = node.by if node.stopping == "operator" else None
    return AttemptCancelled(node.path, attempt, _stop_reason(run, node), undo=undo, by=by)


def _stop_reason(run: RunState, node: NodeState) -> str:
    if node.stopping == "operator":
        return "cancelled" + (f" by {node.by.actor}" if node.by and node.by.actor else "")
    if node.stopping == "loser":
        return "another branch was faster"
    return run.message


def _failure(node: NodeState, command: FinishAttempt) -> Failure:
    if node.stopping == "timeout":
        return Failure("TimeoutError", f"no result within {_limit(node)}", "timeout")
    if command.failure is not None:
        return command.failure
    return Failure("ChildDied", command.detail or "the child process died", "interrupted")


def _limit(node: NodeState) -> str:
    timeout = node.work.definition.timeout
    return f"{timeout:g} s" if timeout is not None else "its time limit"  # a revision took it away


def succeed(
    state: EngineState,
    run: RunState,
    node: NodeState,
    output: msgspec.Raw,
    port: str,
    now: float,
) -> list[AnyEvent]:
    """Facts of an attempt that returned."""
    decoded = None
    if needs_output(node) or node.plan.repeat_until is not None or run.breakpoints:
        decoded = msgspec.json.decode(output)
    repeat = node.plan.node.repeat if not node.standing_in else None
    if repeat is not None and node.plan.repeat_until is not None:
        scope = node_scope(state, run, node)
        scope["output"] = decoded
        try:
            done = node.plan.repeat_until.truth(scope)
        except ExpressionError as error:
            failure = Failure("ExpressionError", f"repeat.until: {error.message}", "validation")
            return end_failure(state, run, node, failure, now)
        if not done and (leaves(run, node) or node.stopping in CANCELLING):
            return [_cancelled(run, node, node.attempt)]
        if not done and node.iteration + 1 >= repeat.max:
            message = f"the condition is still false after {repeat.max} iterations"
            failure = Failure("RepeatError", message, "timeout")
            return end_failure(state, run, node, failure, now, final=True)
        if not done:
            again = now + repeat.every
            return [AttemptSucceeded(node.path, node.attempt, output=output, again=again)]
    dead, broken = judge_edges(state, run, node, "success", port, decoded)
    held = stops_after(state, run, node, decoded)
    succeeded = AttemptSucceeded(
        node.path,
        node.attempt,
        output=output,
        port=port,
        dead=dead,
        broken=broken,
        held=held,
    )
    return [succeeded, BreakpointHit(node.path, "after")] if held else [succeeded]


def stops_after(state: EngineState, run: RunState, node: NodeState, output: object) -> bool:
    """Whether a breakpoint keeps the outgoing edges of a node that has just succeeded."""
    stop = run.breakpoints.get(node.path)
    if stop is None or stop.on != "after" or run.failing or stop.consumed == node.attempt:
        return False
    return stops(state, run, node, stop.when, output=output)


def _lose(
    state: EngineState, run: RunState, node: NodeState, detail: str, now: float
) -> list[AnyEvent]:
    """The engine died with the attempt open, and its child left no result."""
    if node.plan.node.side_effects == "external":
        return [AttemptDoubted(node.path, node.attempt, detail)]
    if node.stopping in CANCELLING:
        return [_cancelled(run, node, node.attempt)]
    if node.interruptions + 1 >= MAX_INTERRUPTIONS:
        message = f"interrupted {MAX_INTERRUPTIONS} times in a row: {detail}"
        return end_failure(state, run, node, Failure("Interrupted", message, "interrupted"), now)
    return [AttemptInterrupted(node.path, node.attempt, detail)]


def _finish_undo(
    run: RunState, node: NodeState, command: FinishAttempt, now: float
) -> list[AnyEvent]:
    undo = node.plan.undo
    if command.outcome == "succeeded":
        return [AttemptSucceeded(node.path, command.attempt, output=command.output, undo=True)]
    if command.outcome == "lost":
        pure = undo is not None and undo.definition.kind.uses in PURE_KINDS
        safe = pure or node.plan.node.side_effects != "external"
        if safe and node.interruptions + 1 < MAX_INTERRUPTIONS:
            return [AttemptInterrupted(node.path, command.attempt, command.detail, undo=True)]
        return [AttemptDoubted(node.path, command.attempt, command.detail, undo=True)]
    if node.stopping in CANCELLING:
        return [_cancelled(run, node, command.attempt, undo=True)]
    failure = _undo_failure(node, command)
    policy = undo.definition.retry if undo is not None else None
    at = None
    if policy is not None and retries(policy, failure, node.undo_tries):
        at = now + delay(policy, node.undo_tries, f"{run.run_id}/{node.path}/u{command.attempt}")
    return [
        AttemptFailed(
            node.path,
            command.attempt,
            failure,
            "retry" if at is not None else "held",
            retry_at=at,
            undo=True,
        )
    ]


def _undo_failure(node: NodeState, command: FinishAttempt) -> Failure:
    if node.stopping == "timeout" and node.plan.undo is not None:
        limit = node.plan.undo.definition.timeout
        return Failure("TimeoutError", f"the undo gave no result within {limit:g} s", "timeout")
    return _failure(node, command)


def fire_timer(state: EngineState, run: RunState, command: FireTimer, now: float) -> list[AnyEvent]:
    """A moment has come; one that is waited for no longer makes no fact.

    A later moment may stand under the same name by now: the limit of an attempt that was interrupted long ago must
    not end the attempt that has just taken its place.
    """
    key = TimerKey(run.number, command.kind, command.node, command.undo)
    at = state.flow.timers.get(key)
    if at is None or at > now:
        return []
    if command.kind == "run":
        return _time_out(state, run)
    if command.kind == "compensation":
        return [CompensationStalled()]
    node = run.nodes.get(command.node)
    if node is None:
        return []
    if command.kind == "retry":
        return [RetryRequested(node.path, undo=command.undo)]
    if command.kind == "wake":
        return succeed(state, run, node, msgspec.Raw(b"null"), "", now)
    return _pass_deadline(state, run, node, command.undo, now)


def _pass_deadline(
    state: EngineState, run: RunState, node: NodeState, undo: bool, now: float
) -> list[AnyEvent]:
    if node.stopping:
        return []
    if node.status == "waiting":
        failure = Failure("TimeoutError", f"still waiting after {_limit(node)}", "timeout")
        return end_failure(state, run, node, failure, now)
    attempt = node.undo_attempt if undo else node.attempt
    return [AttemptStopRequested(node.path, attempt, "timeout", undo=undo)]


def _time_out(state: EngineState, run: RunState) -> list[AnyEvent]:
    if run.compensation is not None or _waits_for_person(run):
        # A run that only waits for a person has no time limit (engine.md, "Failure": hold).
        return []
    limit = run.plan.workflow.limits.timeout
    text = f" of {limit:g} s" if limit is not None else ""  # a revision took it away
    found: list[AnyEvent] = [RunTimedOut()]
    found += stop_all(state, run)
    if not run.failing:
        found.append(RunFailing("", f"the run took longer than its limit{text}"))
    return found


def _waits_for_person(run: RunState) -> bool:
    """Whether nothing of the run moves, and a person is wanted."""
    return (
        run.flying == 0
        and run.waits == 0
        and any(
            node.status in ("in_doubt", "held") or node.disposition == "held"
            for node in run.nodes.values()
        )
    )


def stop_all(state: EngineState, run: RunState) -> list[AnyEvent]:
    """Facts that end every open attempt of a run; an undo that is under way comes to its own end."""
    return [
        AttemptStopRequested(flight.node, flight.attempt, "run")
        for flight in state.flow.in_flight
        if flight.run == run.number and not flight.undo and not run.nodes[flight.node].stopping
    ]


def fail_expression(
    state: EngineState, run: RunState, node: NodeState, what: str, error: ExpressionError
) -> list[AnyEvent]:
    """A condition, list or input of the node could not be evaluated."""
    failure = Failure("ExpressionError", error.within(what), "validation")
    return fail_node(state, run, node, failure)
