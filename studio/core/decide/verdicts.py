"""What becomes of the outgoing edges of a node, and of its failure."""

from typing import Any, NamedTuple

import msgspec

from studio.core.events import (
    AnyEvent,
    AttemptFailed,
    BreakpointHit,
    Disposition,
    FailureDisposed,
    FallbackStarted,
    FallbackUsed,
    NodeFailed,
    RunFailing,
)
from studio.core.plan import PlanEdge, base_path
from studio.core.resilience.retry import delay, retries
from studio.core.scope import edge_scope, node_scope
from studio.core.state import TAKEN, EngineState, NodeState, RunState
from studio.core.transitions import EFFECTIVE
from studio.errors import ExpressionError
from studio.model.expressions import CompiledValue, parse_expression
from studio.model.failure import Failure

encode = msgspec.json.encode

Edges = tuple[tuple[int, ...], dict[int, str]]
"""Indexes of outgoing edges whose condition is false, and messages of those that could not be evaluated."""

NO_EDGES: Edges = ((), {})

GIVEN_UP = Failure("GivenUp", "given up by hand", "unexpected")
"""What a condition sees as the error of a node that was given up without having failed."""


def judge_edges(
    state: EngineState,
    run: RunState,
    node: NodeState,
    outcome: str,
    port: str,
    output: Any,
    failure: Failure | None = None,
) -> Edges:
    """Evaluate the conditions of the edges that the outcome and port would take.

    Args:
        output: the node's output, already decoded; what ``output`` means in a condition.
        failure: why it fails; what it has failed with already unless given.
    """
    if node.plan.plain or node.parent is not None:
        return NO_EDGES
    dead: list[int] = []
    broken: dict[int, str] = {}
    scope: dict[str, Any] | None = None
    for edge in node.plan.outgoing:
        if edge.when is None or not edge.matches(outcome, port):
            continue
        if scope is None:
            if outcome == "failure":
                failure = failure or node.failure or GIVEN_UP
            scope = edge_scope(state, run, output, node, failure)
        try:
            if not edge.when.truth(scope):
                dead.append(edge.index)
        except ExpressionError as error:
            broken[edge.index] = f"condition of the edge from {node.path}: {error.message}"
    return tuple(dead), broken


def needs_output(node: NodeState) -> bool:
    """Whether any outgoing edge has a condition, so that the output has to be decoded."""
    return not node.plan.plain and any(edge.when is not None for edge in node.plan.outgoing)


def stops(
    state: EngineState, run: RunState, node: NodeState, when: str | None, **names: Any
) -> bool:
    """Whether a breakpoint's condition holds; one that cannot be evaluated stops too.

    Args:
        when: the condition, None for always.
        names: what the condition sees beside the node's own scope: ``output`` or ``error``.
    """
    if when is None:
        return True
    scope = node_scope(state, run, node)
    scope.update(names)
    try:
        return parse_expression(when).truth(scope)
    except ExpressionError:
        return True


class Disposal(NamedTuple):
    """What becomes of a failure that is not retried; ``stopped`` when a breakpoint keeps it."""

    disposition: Disposition
    edges: Edges
    stopped: bool = False


def dispose(
    state: EngineState,
    run: RunState,
    node: NodeState,
    *,
    failure: Failure | None = None,
    handlers: bool = True,
) -> Disposal:
    """Stopped by a breakpoint, handled by an edge, tolerated, or left to the policy of the run.

    Args:
        failure: what a breakpoint on failure looks at; None once a person has been asked.
        handlers: false once the handlers have been tried and did not succeed.
    """
    edges = judge_edges(state, run, node, "failure", "", None, failure)
    if failure is not None and _stops_on_failure(state, run, node, failure):
        return Disposal("held", NO_EDGES, stopped=True)
    if node.parent is not None:
        holds = node.plan.node.on_item_failure == "hold" and not run.failing
        return Disposal("held" if holds else "continued", NO_EDGES)
    if handlers and not run.cancelled and _has_handler(run, node, edges):
        return Disposal("handling", edges)
    if not node.plan.node.critical:
        return Disposal("tolerated", edges)
    if _stands_in(run, node) and (run.failing or run.policy != "hold"):
        return Disposal("deferred", edges)
    if run.failing:
        return Disposal("failed", edges)
    if run.policy == "hold":
        return Disposal("held", edges)
    return Disposal("continued" if run.policy == "continue" else "failed", edges)


def _stops_on_failure(state: EngineState, run: RunState, node: NodeState, failure: Failure) -> bool:
    stop = run.breakpoints.get(node.path)
    if stop is None or stop.on != "failure" or run.failing or stop.consumed == node.attempt:
        return False
    error = {"type": failure.type, "message": failure.message, "category": failure.category}
    return stops(state, run, node, stop.when, error=error)


def _has_handler(run: RunState, node: NodeState, edges: Edges) -> bool:
    dead, broken = edges
    return any(
        edge.handles
        and edge.matches("failure", "")
        and edge.index not in dead
        and edge.index not in broken
        and _may_handle(run.nodes[edge.target])
        for edge in node.plan.outgoing
    )


def _stands_in(run: RunState, node: NodeState) -> bool:
    """Whether this one is tried in the place of a node that has failed, so that the failure of that one counts."""
    return any(
        edge.stands_in and first.standing_in and first.status == "failed"
        for edge, first in ((edge, run.nodes[edge.source]) for edge in node.plan.incoming)
    )


def _may_handle(target: NodeState) -> bool:
    """Whether a handler can still succeed: one that is done, skipped, cancelled or given up cannot."""
    return not target.settled and target.status not in EFFECTIVE


def with_policy(run: RunState, disposal: Disposal, node: str, message: str) -> list[AnyEvent]:
    """What a disposition means beyond its node: the stop at a breakpoint, or the whole run failing."""
    if disposal.stopped:
        return [BreakpointHit(node, "failure")]
    if disposal.disposition == "failed" and not run.failing:
        return [RunFailing(node, message)]
    return []


def end_failure(
    state: EngineState,
    run: RunState,
    node: NodeState,
    failure: Failure,
    now: float,
    *,
    final: bool = False,
) -> list[AnyEvent]:
    """Facts of a failed forward attempt: retried, replaced by a fallback, or disposed of.

    ``final`` rules out a retry: the attempt itself was fine, and another one would not change the outcome.
    """
    node_def = node.plan.node
    uncertain = node_def.side_effects == "external" and failure.category in (
        "timeout",
        "interrupted",
    )
    at = None if final else next_try(run, node, failure, now)
    if at is not None:
        return [
            AttemptFailed(
                node.path, node.attempt, failure, "retry", retry_at=at, uncertain=uncertain
            )
        ]
    if node.plan.fallback is not None and not run.cancelled:
        return _fall_back(state, run, node, failure, node.plan.fallback)
    if _may_stand_in(run, node):
        failed = AttemptFailed(node.path, node.attempt, failure, "fallback", uncertain=uncertain)
        return [failed, FallbackStarted(node.path)]
    disposal = dispose(state, run, node, failure=failure)
    event = AttemptFailed(
        node.path,
        node.attempt,
        failure,
        disposal.disposition,
        uncertain=uncertain,
        dead=disposal.edges[0],
        broken=disposal.edges[1],
    )
    return [event, *with_policy(run, disposal, node.path, _summary(node, failure))]


def _may_stand_in(run: RunState, node: NodeState) -> bool:
    """Whether something is to be tried in the node's place; a failing run starts nothing new for that."""
    if node.standing_in or leaves(run, node):
        return False
    if node.plan.stand_in is not None:
        return True
    edge = node.plan.stand_in_edge
    return edge is not None and node.parent is None and _may_handle(run.nodes[edge.target])


def leaves(run: RunState, node: NodeState) -> bool:
    """Whether the run fails and the node starts nothing more."""
    return run.failing and base_path(node.path) not in run.exempt


def _summary(node: NodeState, failure: Failure) -> str:
    return f"{node.path} failed: {failure.type}: {failure.message}"[:500]


def next_try(run: RunState, node: NodeState, failure: Failure, now: float) -> float | None:
    """Time of the next automatic attempt, or None.

    On screen an ``unexpected`` error (a bug) holds at its first attempt, retries or not (engine.md,
    "Failure"); a failing run ends its backoffs.
    """
    policy = node.work.definition.retry
    if leaves(run, node):
        return None
    if run.surface == "screen" and failure.category == "unexpected":
        return None
    budget = run.plan.workflow.limits.retry_budget
    if budget is not None and run.retries >= budget:
        return None
    if policy is None or not retries(policy, failure, node.tries):
        return None
    return now + delay(policy, node.tries, f"{run.run_id}/{node.path}/{node.attempt}")


def _fall_back(
    state: EngineState, run: RunState, node: NodeState, failure: Failure, template: CompiledValue
) -> list[AnyEvent]:
    failed = AttemptFailed(node.path, node.attempt, failure, "fallback")
    try:
        value = template.render(node_scope(state, run, node)).value
    except ExpressionError as error:
        worse = Failure("ExpressionError", error.within("fallback.value"), "validation")
        disposal = dispose(state, run, node, failure=worse)
        event = AttemptFailed(
            node.path,
            node.attempt,
            worse,
            disposal.disposition,
            dead=disposal.edges[0],
            broken=disposal.edges[1],
        )
        return [event, *with_policy(run, disposal, node.path, _summary(node, worse))]
    dead, broken = judge_edges(state, run, node, "success", "", value)
    return [
        failed,
        FallbackUsed(node.path, output=msgspec.Raw(encode(value)), dead=dead, broken=broken),
    ]


def fail_node(
    state: EngineState, run: RunState, node: NodeState, failure: Failure
) -> list[AnyEvent]:
    """Facts of a node that fails without an attempt."""
    disposal = dispose(state, run, node, failure=failure)
    event = NodeFailed(
        node.path,
        failure,
        disposal.disposition,
        dead=disposal.edges[0],
        broken=disposal.edges[1],
    )
    return [event, *with_policy(run, disposal, node.path, _summary(node, failure))]


def review_handlers(state: EngineState, run: RunState, node: NodeState) -> list[AnyEvent]:
    """What becomes of a failure that was left to handlers, or to a node that stands in, once that is resolved."""
    if node.disposition == "fallback":
        return _review_fallback(state, run, node, node.plan.stand_in_edge)
    if node.disposition != "handling" or node.archived:
        return []
    pending: list[str] = []
    for edge in node.plan.outgoing:
        target = run.nodes[edge.target]
        if not edge.handles or target.edges is None or target.edges[edge.slot] != TAKEN:
            continue
        if target.status in ("succeeded", "reused") and target.settled:
            return [FailureDisposed(node.path, "handled")]
        if not target.settled:
            pending.append(edge.target)
    if pending:
        return _end_wait(state, run, node, pending)
    disposal = dispose(state, run, node, handlers=False)
    event = FailureDisposed(node.path, disposal.disposition)
    message = f"{node.path} failed, and what should have handled it did not succeed"
    return [event, *with_policy(run, disposal, node.path, message)]


def _end_wait(
    state: EngineState, run: RunState, node: NodeState, handlers: list[str]
) -> list[AnyEvent]:
    """A node that stood in has failed, and all that may handle that waits for the one it stood in for.

    That one would wait for the handlers in turn. It has nothing to take over, so its own failure is disposed of now.
    """
    for edge in node.plan.incoming:
        first = run.nodes[edge.source]
        if edge.stands_in and first.disposition == "fallback":
            circular = all(_waits_for(run, handler, edge.source) for handler in handlers)
            return _dispose_first(state, run, first) if circular else []
    return []


def _waits_for(run: RunState, start: str, name: str) -> bool:
    """Whether a node that has not started has to wait until another one is resolved."""
    found = {start}
    for path in reversed(run.plan.order):
        if path in found and run.nodes[path].status == "blocked":
            found.update(edge.source for edge in run.nodes[path].plan.incoming)
    return name in found


def _review_fallback(
    state: EngineState, run: RunState, node: NodeState, edge: PlanEdge | None
) -> list[AnyEvent]:
    """The node takes over what stood in for it, or its failure is disposed of like any other."""
    if node.archived:
        return []
    instead = run.nodes[edge.target] if edge is not None else None
    if instead is not None and not instead.settled:
        return []
    if instead is not None and instead.status in EFFECTIVE:
        output = state.raw(instead.output)
        decoded = msgspec.json.decode(output) if needs_output(node) else None
        dead, broken = judge_edges(state, run, node, "success", "", decoded)
        return [FallbackUsed(node.path, output=msgspec.Raw(output), dead=dead, broken=broken)]
    return _dispose_first(state, run, node)


def _dispose_first(state: EngineState, run: RunState, node: NodeState) -> list[AnyEvent]:
    """What becomes of the failure of a node in whose place another one has failed, too."""
    disposal = dispose(state, run, node)
    dead, broken = disposal.edges
    event = FailureDisposed(node.path, disposal.disposition, dead=dead, broken=broken)
    message = f"{node.path} failed, and what should have stood in for it did not succeed"
    return [event, *with_policy(run, disposal, node.path, message)]
