"""Starting what is ready: gates, limits, locks, inputs."""

import heapq
from bisect import insort
from typing import Any, NamedTuple

import msgspec

from studio.core.decide.attempts import fail_expression
from studio.core.decide.verdicts import fail_node, judge_edges, needs_output, stops
from studio.core.events import (
    AnyEvent,
    AttemptStarted,
    BreakpointHit,
    ItemsExpanded,
    NodeReused,
    Slot,
)
from studio.core.evolve.graph import enqueue, put_back
from studio.core.gates import gate_of
from studio.core.losers import stop_losers
from studio.core.plan import PlanUndo
from studio.core.resilience.compensation import may_undo, next_step
from studio.core.scope import items_of, node_scope, recorded_input, undo_scope
from studio.core.state import EngineState, NodeState, RunState, Waiter
from studio.errors import ExpressionError
from studio.model.durations import parse_duration, parse_moment
from studio.model.expressions import CompiledValue, SecretSlot
from studio.model.expressions.expression import Expression
from studio.model.expressions.values import a_kind
from studio.model.failure import Failure
from studio.model.nodes import WaitSettings

encode = msgspec.json.encode


class Rendering(NamedTuple):
    """Input and settings of an attempt, ready for an executor, secrets left out."""

    input: Any
    slots: tuple[Slot, ...]
    settings: dict[str, Any] | None
    setting_slots: tuple[Slot, ...]


def hits_breakpoint(state: EngineState, run: RunState, node: NodeState) -> bool:
    """Whether the node stops before its next attempt; a breakpoint is consumed once per attempt."""
    stop = run.breakpoints.get(node.path)
    if stop is None or stop.on != "before" or node.manual is not None or run.failing:
        return False
    if stop.consumed == node.attempt + 1:
        return False
    return stops(state, run, node, stop.when)


def start_next(state: EngineState, now: float) -> tuple[int, list[AnyEvent]] | None:
    """Facts that start the next ready node of any run, or None when nothing may start now.

    Without an engine-wide bound the runs are served in turn; with one, the best by priority and age over all
    runs goes first.
    """
    flow = state.flow
    _offer_locks(state)
    while flow.dirty:
        number = next(iter(flow.dirty)) if flow.max_concurrency is None else _best(state)
        facts = _start_in(state, state.runs[number], now)
        if facts:
            return number, facts
        flow.dirty.pop(number, None)
    return None


def _best(state: EngineState) -> int:
    dirty = state.flow.dirty
    heads = [
        (run.queue[0], number) for number in dirty if _head(run := state.runs[number]) is not None
    ]
    return min(heads)[1] if heads else next(iter(dirty))


def _head(run: RunState) -> NodeState | None:
    """The first in the queue of a run; who may not start, or no longer stands there, leaves it."""
    while run.queue:
        _priority, age, _order, path = run.queue[0]
        node = run.nodes.get(path)
        # An entry of another age is one from before the node was held back; it stands in line anew.
        if (
            node is not None
            and node.status == "ready"
            and node.age == age
            and gate_of(run, node) is None
        ):
            return node
        heapq.heappop(run.queue)
    return None


def _start_in(state: EngineState, run: RunState, now: float) -> list[AnyEvent]:
    flow = state.flow
    while (node := _head(run)) is not None:
        if is_full(state, run):
            return []
        if flow.max_concurrency is not None and len(flow.in_flight) >= flow.max_concurrency:
            flow.starved[run.number] = None
            return []
        heapq.heappop(run.queue)
        if _is_crowded(run, node):
            put_back(run, node)
            continue
        if not locks_free(state, run, node):
            continue
        return start(state, run, node, now)
    return []


def _is_crowded(run: RunState, item: NodeState) -> bool:
    """Whether an edit has lowered the bound of a list so far that one of its ready items may not start now."""
    parent = item.parent
    bound = item.plan.node.max_parallel
    if parent is None or parent.items is None or bound is None or parent.items.active <= bound:
        return False
    return sum(other.status in UNDER_WAY for other in items_of(run, parent)) >= bound


UNDER_WAY = frozenset({"running", "waiting", "backing_off"})
"""States of an item that has begun and goes on by itself."""


def locks_free(state: EngineState, run: RunState, node: NodeState) -> bool:
    """Take a place in the queue of each lock; true when every lock is free and it is this node's turn."""
    flow = state.flow
    turn = True
    entry = Waiter(node.age, run.number, node.path)
    for name in node.plan.node.locks:
        waiters = flow.waiters.setdefault(name, [])
        if entry not in waiters:
            insort(waiters, entry)
        first = _first_waiter(state, name)
        if name in flow.holders:
            turn = False
        elif first != entry:
            flow.contended.setdefault(name, first)
            turn = False
    return turn


def _first_waiter(state: EngineState, lock: str) -> Waiter | None:
    """Whose turn it is at a lock; who can no longer use it loses the place."""
    waiters = state.flow.waiters.get(lock, [])
    while waiters:
        if _still_waits(state, waiters[0]):
            run = state.runs[waiters[0].run]
            if not is_full(state, run):
                return waiters[0]
            # Its run has no place for it now; it comes back to the line, by its age, once there is one.
            enqueue(state, run, run.nodes[waiters[0].node])
        waiters.pop(0)
    return None


def is_full(state: EngineState, run: RunState) -> bool:
    """Whether as many attempts of the run are open as it may have."""
    limit = run.plan.workflow.limits.max_concurrency
    return limit is not None and state.flow.per_run.get(run.number, 0) >= limit


def _offer_locks(state: EngineState) -> None:
    """Look again at the first in line of each free lock, once per turn of each."""
    flow = state.flow
    for name, offered in list(flow.contended.items()):
        first = None if name in flow.holders else _first_waiter(state, name)
        if first is None:
            del flow.contended[name]
        elif first != offered:
            flow.contended[name] = first
            run = state.runs[first.run]
            node = run.nodes[first.node]
            if node.status == "ready":
                enqueue(state, run, node)
            else:
                state.visited[run.number] = None  # its undo is the next step of a plan


def _still_waits(state: EngineState, entry: Waiter) -> bool:
    run = state.runs.get(entry.run)
    if run is None:
        return False
    node = run.nodes.get(entry.node)
    if node is None or node.age != entry.age:
        return False
    if node.status == "ready":
        return gate_of(run, node) is None
    return next_step(run) is node and may_undo(run, node)


def start(state: EngineState, run: RunState, node: NodeState, now: float) -> list[AnyEvent]:
    """Facts that start a ready node whose gates and limits are open."""
    if hits_breakpoint(state, run, node):
        return [BreakpointHit(node.path, "before")]
    if node.plan.expand is not None and node.parent is None:
        return _expand(state, run, node, node.plan.expand)
    attempt = node.attempt + 1
    reuse = node.input_attempt
    try:
        rendering = NO_INPUT if reuse else render(state, run, node)
    except ExpressionError as error:
        return fail_expression(state, run, node, "", error)
    if node.keep and node.manual is None and _unchanged(state, node, rendering):
        return _reuse(state, run, node)
    wake = None
    work = node.work
    if work.definition.kind.uses == "wait":
        try:
            wake = _wake_time(state, node, rendering, reuse, now)
        except ValueError as error:
            return fail_node(state, run, node, Failure("ValueError", str(error), "validation"))
    timeout = work.definition.timeout
    started = AttemptStarted(
        node.path,
        attempt,
        node.generation,
        iteration=node.iteration,
        input=rendering.input,
        slots=rendering.slots,
        settings=rendering.settings,
        setting_slots=rendering.setting_slots,
        reuse=reuse,
        deadline=None if timeout is None else now + timeout,
        wake=wake,
        stand_in=node.standing_in,
        by=node.manual,
    )
    return [started, *stop_losers(state, run, node)]


NO_INPUT = Rendering(None, (), None, ())


def render(state: EngineState, run: RunState, node: NodeState) -> Rendering:
    """The input and settings of a node's next attempt. Raises `ExpressionError`."""
    planned = node.work
    if node.override_input and not node.standing_in:
        given: Any = state.event(node.override_input).input
        settings = planned.settings
        if settings is None:
            return Rendering(given, (), None, ())
        return _render_settings(settings, node_scope(state, run, node), given, ())
    if planned.input is None and planned.settings is None:
        return EMPTY_INPUT
    scope = node_scope(state, run, node)
    value, slots = _rendered(planned.input, scope)
    if planned.settings is None:
        return Rendering(value, slots, None, ())
    return _render_settings(planned.settings, scope, value, slots)


EMPTY_INPUT = Rendering({}, (), None, ())


def _rendered(
    compiled: CompiledValue | None, scope: dict[str, Any]
) -> tuple[Any, tuple[Slot, ...]]:
    if compiled is None:
        return {}, ()
    try:
        done = compiled.render(scope)
    except ExpressionError as error:
        raise ExpressionError(error.message, error.offset, ("with", *error.path)) from None
    return done.value, to_slots(done.secrets)


def _render_settings(
    compiled: CompiledValue, scope: dict[str, Any], value: Any, slots: tuple[Slot, ...]
) -> Rendering:
    done = compiled.render(scope)
    settings = done.value if isinstance(done.value, dict) else {}
    return Rendering(value, slots, settings, to_slots(done.secrets))


def to_slots(secrets: tuple[SecretSlot, ...]) -> tuple[Slot, ...]:
    """Secret slots as the history keeps them."""
    return tuple(Slot(slot.path, slot.offset, slot.name) for slot in secrets)


def render_undo(state: EngineState, run: RunState, node: NodeState, undo: PlanUndo) -> Rendering:
    """The input and settings of an undo. Raises `ExpressionError`."""
    given = recorded_input(state, node)
    scope = undo_scope(state, run, node, given)
    value, slots = _rendered(undo.input, scope)
    if undo.settings is None:
        return Rendering(value, slots, None, ())
    return _render_settings(undo.settings, scope, value, slots)


SCOPED_KINDS = frozenset({"transform", "branch"})
"""Kinds whose own expressions read more than their input; they cost nothing and are evaluated again."""


def _unchanged(state: EngineState, node: NodeState, rendering: Rendering) -> bool:
    """Whether a node that may be kept would run with exactly the input of its last success."""
    if not node.input_position or node.plan.node.uses in SCOPED_KINDS:
        return False
    before = state.event(node.input_position)
    return (
        encode(before.input) == encode(rendering.input)
        and before.slots == rendering.slots
        and before.settings == rendering.settings
        and before.setting_slots == rendering.setting_slots
    )


def _reuse(state: EngineState, run: RunState, node: NodeState) -> list[AnyEvent]:
    output = state.decode(node.output) if needs_output(node) else None
    dead, broken = judge_edges(state, run, node, "success", node.port, output)
    return [NodeReused(node.path, dead=dead, broken=broken)]


def _wake_time(
    state: EngineState, node: NodeState, rendering: Rendering, reuse: int, now: float
) -> float:
    """When a wait is over. Raises ValueError for text that is no duration or moment."""
    kind = node.work.definition.kind
    if not isinstance(kind, WaitSettings):
        return now
    settings = rendering.settings
    if reuse:
        settings = state.event(node.input_position).settings
    duration = settings["duration"] if settings else kind.duration
    until = settings["until"] if settings else kind.until
    if duration is not None:
        seconds: float = (
            float(duration) if isinstance(duration, int | float) else parse_duration(str(duration))
        )
        return now + max(0.0, seconds)
    if isinstance(until, int | float):
        return float(until)
    return parse_moment(str(until))


def _expand(
    state: EngineState, run: RunState, node: NodeState, source: Expression | CompiledValue
) -> list[AnyEvent]:
    scope = node_scope(state, run, node)
    try:
        value: Any = (
            source.evaluate(scope) if isinstance(source, Expression) else source.render(scope).value
        )
    except ExpressionError as error:
        return fail_expression(state, run, node, "foreach", error)
    if not isinstance(value, list):
        failure = Failure(
            "TypeError", f"foreach needs a list, not {a_kind(value, 0)}", "validation"
        )
        return fail_node(state, run, node, failure)
    expanded = ItemsExpanded(node.path, items=msgspec.Raw(encode(value)), count=len(value))
    return [expanded, *stop_losers(state, run, node)]
