"""What the facts about nodes (gates, marks, overrides, resets, items) do to the state."""

from studio.core.events import (
    BreakpointCleared,
    BreakpointHit,
    BreakpointSet,
    FailureDisposed,
    InputOverridden,
    ItemsCollected,
    ItemsExpanded,
    NodeCancelled,
    NodeFailed,
    NodeHeld,
    NodeMarked,
    NodeReleased,
    NodeReused,
    NodeSkipped,
    NodesReset,
    NodesStaled,
    OutputOverridden,
    Record,
)
from studio.core.evolve.attempts import fail
from studio.core.evolve.flights import clear_timer, set_timer
from studio.core.evolve.graph import (
    become,
    drop_items,
    feed_items,
    regate,
    reopen_parent,
    resolve,
    unresolve,
    withdraw,
)
from studio.core.joins import verdict_in
from studio.core.plan import item_path
from studio.core.resilience.compensation import first_undone
from studio.core.state import (
    BreakpointState,
    EngineState,
    ItemsState,
    NodeState,
    RunState,
    Stored,
    Value,
    keep_value,
)
from studio.core.transitions import EFFECTIVE


def on_skipped(state: EngineState, run: RunState, event: NodeSkipped, record: Record) -> None:
    node = run.nodes[event.node]
    _stop_waiting(state, run, node)
    node.cause = event.reason
    node.by = event.by
    node.gate = None
    become(run, node, "skipped")
    resolve(run, node, "none", record.position)


def on_cancelled(state: EngineState, run: RunState, event: NodeCancelled, record: Record) -> None:
    node = run.nodes[event.node]
    if event.undo:
        clear_timer(state, run, "retry", node.path, True)
        node.retry_at = None
        node.cause = event.reason
        node.gate = None
        become(run, node, "compensation_failed")
        return
    _stop_waiting(state, run, node)
    node.cause = event.reason
    node.by = event.by
    node.gate = None
    become(run, node, "cancelled")
    resolve(run, node, "none", record.position)


def _stop_waiting(state: EngineState, run: RunState, node: NodeState) -> None:
    clear_timer(state, run, "retry", node.path)
    clear_timer(state, run, "wake", node.path)
    clear_timer(state, run, "deadline", node.path)
    node.retry_at = node.wake = node.deadline = None
    node.manual = None


def on_failed(state: EngineState, run: RunState, event: NodeFailed, record: Record) -> None:
    node = run.nodes[event.node]
    node.failure = event.failure
    node.finished_at = record.at
    fail(run, node, event.disposition, record.position, event.dead, event.broken)


def on_disposed(state: EngineState, run: RunState, event: FailureDisposed, record: Record) -> None:
    node = run.nodes[event.node]
    node.unmark("handled")
    node.unmark("ignored")
    node.gate = None
    if event.by is not None:
        node.uncertain = False
    if event.disposition == "tolerated":
        run.degraded = True
    if node.status == "backing_off":
        clear_timer(state, run, "retry", node.path)
        node.retry_at = None
    if event.disposition in ("handled", "ignored"):
        node.mark(event.disposition)
    if event.disposition == "handled":
        become(run, node, "failed", "handled")
    elif event.disposition == "held" or node.resolved:
        become(run, node, "failed", event.disposition)
    else:
        fail(run, node, event.disposition, record.position, event.dead, event.broken)


def on_held(state: EngineState, run: RunState, event: NodeHeld, record: Record) -> None:
    node = run.nodes[event.node]
    node.by = event.by
    node.manual = None
    if node.status in ("ready", "backing_off") or (
        node.status == "waiting" and node.retry_at is not None
    ):
        # The moment of the next try stays with the node; only its timer is off.
        clear_timer(state, run, "retry", node.path)
        become(run, node, "held")
    clear_timer(state, run, "retry", node.path, True)
    node.gate = "hold"


def on_released(state: EngineState, run: RunState, event: NodeReleased, record: Record) -> None:
    node = run.nodes[event.node]
    regate(run, node, None)
    if node.status in ("held", "blocked", "ready"):
        _go_on(state, run, node, record)
    elif node.status == "compensating":
        node.retry_at = None
    elif node.status in EFFECTIVE and not node.resolved:
        resolve(run, node, "success", record.position, event.dead, event.broken)


def _go_on(state: EngineState, run: RunState, node: NodeState, record: Record) -> None:
    """A held node waits for its moment again if that has not passed, else it may start."""
    if node.retry_at is not None and (node.retry_at > record.at or run.paused):
        if node.tries:
            become(run, node, "backing_off", "retry")
        else:
            become(run, node, "waiting")
        if not run.paused:
            set_timer(state, run, "retry", node.retry_at, node.path)
        return
    node.retry_at = None
    if node.parent is None:
        # A node that goes on with its series does so only if what it follows has not been taken back meanwhile.
        begun = (node.tries or node.iteration) and verdict_in(run, node) == "go"
        become(run, node, "ready" if begun else "blocked")
    elif node.status == "held":
        become(run, node, "ready")
    node.age = record.position
    run.unsettled.append(node.path)


def on_marked(state: EngineState, run: RunState, event: NodeMarked, record: Record) -> None:
    node = run.nodes[event.node]
    node.by = event.by
    node.finished_at = record.at
    node.finished_position = record.position
    node.mark("marked")
    if event.undo:
        # Given up (`ignored`) or done by hand: either way the plan goes on behind this step.
        node.gate = None
        if event.outcome == "succeeded":
            run.undone = True
            node.unmark("ignored")
            become(run, node, "compensated")
        else:
            node.mark("ignored")
            become(run, node, "compensation_failed", "ignored")
        withdraw(run, node, record.position)
        return
    _stop_waiting(state, run, node)
    node.gate = None
    node.uncertain = False
    node.standing_in = False
    for name in ("stale", "handled", "ignored", "degraded"):
        node.unmark(name)
    if event.outcome == "succeeded":
        node.output = keep_value(event.output, record.position)
        node.port = event.port
        reopen_parent(run, node, record.position)
        become(run, node, "succeeded")
        node.failure = None
        run.unsettled.extend(node.plan.losers)
        resolve(run, node, "success", record.position, event.dead, event.broken)
    elif event.outcome == "skipped":
        reopen_parent(run, node, record.position)
        become(run, node, "skipped")
        resolve(run, node, "none", record.position)


def on_input_overridden(
    state: EngineState, run: RunState, event: InputOverridden, record: Record
) -> None:
    node = run.nodes[event.node]
    node.override_input = 0 if event.revert else record.position
    # Whatever was recorded, the next attempt computes its input again.
    node.input_attempt = 0
    if event.revert:
        node.unmark("overridden")
    else:
        node.mark("overridden")


def on_output_overridden(
    state: EngineState, run: RunState, event: OutputOverridden, record: Record
) -> None:
    node = run.nodes[event.node]
    if event.revert:
        node.overridden = None
        node.unmark("overridden output")
    else:
        node.overridden = node.overridden or (node.output,)
        node.mark("overridden output")
    node.output = keep_value(event.output, record.position)
    if node.parent is not None:
        reopen_parent(run, node, record.position)
        run.collecting.append(node.parent.path)
    elif node.resolved:
        # What was skipped because of the old output is judged again by the new one.
        unresolve(run, node, record.position)
        resolve(run, node, "success", record.position, event.dead, event.broken)


def on_staled(state: EngineState, run: RunState, event: NodesStaled, record: Record) -> None:
    for path in event.nodes:
        run.nodes[path].mark("stale")
        run.nodes[path].staled_position = record.position


def on_reset(state: EngineState, run: RunState, event: NodesReset, record: Record) -> None:
    for path in event.nodes:
        node = run.nodes[path]
        _reset(state, run, node, event.keep, record.position)
        node.cause = event.cause


def _reset(state: EngineState, run: RunState, node: NodeState, keep: bool, position: int) -> None:
    _stop_waiting(state, run, node)
    regate(run, node, None)
    effective = node.status in EFFECTIVE
    if effective or node.status in ("compensated", "compensation_failed"):
        node.generation += 1
    # What a stand-in returned is no result of the node's own that could be kept.
    node.keep = keep and (effective or node.keep) and not node.standing_in
    node.standing_in = False
    stop = run.breakpoints.get(node.path)
    if stop is not None and node.attempt == 0:
        run.breakpoints[node.path] = stop._replace(consumed=-1)
    node.tries = node.iteration = node.interruptions = node.undo_tries = node.input_attempt = 0
    node.uncertain = False
    node.failure = None
    node.cause = ""
    node.by = None
    node.gate = None
    node.marks = node.marks & {"overridden"}
    if node.items is not None:
        drop_items(run, node, node.items.count)
    become(run, node, "blocked")
    unresolve(run, node, position)
    node.age = position
    run.unsettled.append(node.path)


def on_reused(state: EngineState, run: RunState, event: NodeReused, record: Record) -> None:
    node = run.nodes[event.node]
    node.keep = False
    node.gate = None
    # The effect that stands is that of the generation before the reset.
    node.generation -= 1
    become(run, node, "reused")
    resolve(run, node, "success", record.position, event.dead, event.broken)


def on_expanded(state: EngineState, run: RunState, event: ItemsExpanded, record: Record) -> None:
    node = run.nodes[event.node]
    values: Value = (
        Stored(record.position) if event.blob else keep_value(event.items, record.position)
    )
    if node.items is not None:
        drop_items(run, node, node.items.count)
    node.items = ItemsState(event.count, values)
    node.age = record.position
    node.started_at = record.at
    node.gate = None
    become(run, node, "running")
    for index in range(event.count):
        path = item_path(node.path, index)
        item = NodeState(path, node.plan, item=True)
        item.parent = node
        item.index = index
        item.age = record.position
        if node.former is not None and index in node.former:
            before = node.former[index]
            item.attempt, item.undo_attempt = before.attempt, before.undo_attempt
            item.generation, item.override_input = before.generation, before.override_input
            if before.override_input:
                item.mark("overridden")
        run.nodes[path] = item
    feed_items(run, node)
    if event.count == 0:
        run.collecting.append(node.path)


def on_collected(state: EngineState, run: RunState, event: ItemsCollected, record: Record) -> None:
    node = run.nodes[event.node]
    node.output = (
        Stored(record.position) if event.blob else keep_value(event.output, record.position)
    )
    node.finished_at = record.at
    node.finished_position = record.position
    node.failure = None
    node.gate = "breakpoint" if event.held else None
    node.unmark("degraded")
    node.unmark("stale")
    run.allowed.discard(node.path)
    if event.failed:
        node.mark("degraded")
        run.degraded = True
    become(run, node, "succeeded")
    # A list that is done by what was left of it: what follows waits until what was undone has run again.
    if not event.held and first_undone(run, [node.path]) is None:
        resolve(run, node, "success", record.position, event.dead, event.broken)


def on_breakpoint_set(
    state: EngineState, run: RunState, event: BreakpointSet, record: Record
) -> None:
    run.breakpoints[event.node] = BreakpointState(event.on, event.when)


def on_breakpoint_cleared(
    state: EngineState, run: RunState, event: BreakpointCleared, record: Record
) -> None:
    run.breakpoints.pop(event.node, None)


def on_breakpoint_hit(
    state: EngineState, run: RunState, event: BreakpointHit, record: Record
) -> None:
    node = run.nodes[event.node]
    found = run.breakpoints.get(event.node)
    before = event.on == "before"
    if found is not None:
        run.breakpoints[event.node] = found._replace(consumed=node.attempt + before)
    node.gate = "breakpoint"
    if before:
        become(run, node, "held")
