"""What the facts about attempts do to the state."""

from studio.core.events import (
    AttemptCancelled,
    AttemptDoubted,
    AttemptFailed,
    AttemptInterrupted,
    AttemptStarted,
    AttemptStopRequested,
    AttemptSucceeded,
    ChildSpawned,
    FallbackStarted,
    FallbackUsed,
    Record,
    ResultIgnored,
    RetryRequested,
)
from studio.core.evolve.flights import clear_timer, hold_locks, land, set_timer, take_off
from studio.core.evolve.graph import (
    become,
    drop_items,
    feed_items,
    reopen_parent,
    requeue_item,
    resolve,
    set_edge,
    unresolve,
    withdraw,
)
from studio.core.joins import verdict_in
from studio.core.plan import item_path
from studio.core.state import (
    TAKEN,
    EngineState,
    Flight,
    NodeState,
    RunState,
    Stored,
    keep_value,
)


def on_started(state: EngineState, run: RunState, event: AttemptStarted, record: Record) -> None:
    node = run.nodes[event.node]
    node.by = event.by
    if event.undo:
        node.undo_attempt = event.attempt
        node.undo_position = record.position
        node.undo_tries += 1
        become(run, node, "compensating")
    else:
        _start_forward(state, run, node, event, record)
    clear_timer(state, run, "retry", node.path, event.undo)
    node.retry_at = None
    node.manual = None
    node.started_position = record.position
    node.started_at = record.at
    node.finished_at = None
    if event.deadline is not None:
        node.deadline = event.deadline
        set_timer(state, run, "deadline", event.deadline, node.path, event.undo)
    hold_locks(state, run, node, event.undo)
    if event.wake is None:
        take_off(state, run, node, event.undo)


def _start_forward(
    state: EngineState, run: RunState, node: NodeState, event: AttemptStarted, record: Record
) -> None:
    if node.resolved:
        unresolve(run, node, record.position)
    if node.items is not None:
        drop_items(run, node, node.items.count)  # a revision made it a plain node
    node.attempt = event.attempt
    node.ran_under = run.definition
    node.generation = event.generation
    node.iteration = event.iteration
    node.tries += 1
    node.gate = None
    # Only what it last succeeded with may be kept; from now on that is another input.
    node.keep = False
    node.marks = node.marks - {"handled", "ignored", "marked"}
    node.wake = event.wake
    if not event.reuse:
        node.input_position = record.position
        node.input_attempt = event.attempt
    run.allowed.discard(node.path)
    become(run, node, "running" if event.wake is None else "waiting")
    if event.wake is not None:
        set_timer(state, run, "wake", event.wake, node.path)


def on_spawned(state: EngineState, run: RunState, event: ChildSpawned, record: Record) -> None:
    node = run.nodes[event.node]
    node.pid = event.pid
    node.pid_started = event.started
    flight = Flight(run.number, event.node, event.undo, event.attempt)
    if state.flow.in_flight.get(flight) == "start":
        state.flow.in_flight[flight] = "spawned"
        state.flow.touched[flight] = None


def on_stop_requested(
    state: EngineState, run: RunState, event: AttemptStopRequested, record: Record
) -> None:
    node = run.nodes[event.node]
    node.stopping = event.cause
    if event.cause == "operator":
        node.by = event.by
    flight = Flight(run.number, event.node, event.undo, event.attempt)
    if flight in state.flow.in_flight:
        state.flow.in_flight[flight] = "stop"
        state.flow.touched[flight] = None


def _end(state: EngineState, run: RunState, node: NodeState, record: Record, undo: bool) -> None:
    land(state, run, node, undo)
    clear_timer(state, run, "wake", node.path)
    node.wake = None
    node.finished_at = record.at
    node.finished_position = record.position


def on_succeeded(
    state: EngineState, run: RunState, event: AttemptSucceeded, record: Record
) -> None:
    node = run.nodes[event.node]
    _end(state, run, node, record, event.undo)
    if event.undo:
        run.undone = True
        node.undo_tries = node.interruptions = 0
        node.gate = None
        node.unmark("marked")
        become(run, node, "compensated")
        withdraw(run, node, record.position)
        return
    node.output = (
        keep_value(event.output, record.position) if event.blob is None else keep_blob(record)
    )
    node.failure = None
    node.port = event.port
    node.tries = 0
    if event.again is not None:
        become(run, node, "waiting" if node.gate != "hold" else "held")
        node.iteration += 1
        _wait_until(state, run, node, event.again)
        return
    node.uncertain = False
    node.overridden = None
    node.interruptions = 0
    for name in ("degraded", "overridden output"):
        node.unmark(name)
    if node.standing_in:
        node.mark("degraded")
        run.degraded = True
    _freshen(node)
    node.gate = "breakpoint" if event.held else None
    become(run, node, "succeeded")
    if not event.held:
        resolve(run, node, "success", record.position, event.dead, event.broken)


def _freshen(node: NodeState) -> None:
    """The node is stale no longer, unless it became so while this attempt was already under way."""
    if node.started_position > node.staled_position:
        node.unmark("stale")


def _wait_until(state: EngineState, run: RunState, node: NodeState, at: float) -> None:
    """The node goes on by itself at a moment; the timer stands still while it is held or the run paused."""
    node.retry_at = at
    if node.status != "held" and not run.paused:
        set_timer(state, run, "retry", at, node.path)


def keep_blob(record: Record) -> Stored:
    """A value whose event holds only its address is read through the history."""
    return Stored(record.position)


def on_failed(state: EngineState, run: RunState, event: AttemptFailed, record: Record) -> None:
    node = run.nodes[event.node]
    _end(state, run, node, record, event.undo)
    node.failure = event.failure
    node.uncertain = node.uncertain or event.uncertain
    if event.undo:
        if event.retry_at is None:
            become(run, node, "compensation_failed")
        else:
            node.retry_at = event.retry_at
            if not run.paused and node.gate != "hold":
                set_timer(state, run, "retry", event.retry_at, node.path, True)
        return
    if event.disposition == "retry" and event.retry_at is not None:
        run.retries += 1
        if node.gate == "hold":
            become(run, node, "held")
        else:
            become(run, node, "backing_off", "retry")
        _wait_until(state, run, node, event.retry_at)
        return
    fail(run, node, event.disposition, record.position, event.dead, event.broken)


def fail(
    run: RunState,
    node: NodeState,
    disposition: str,
    position: int,
    dead: tuple[int, ...],
    broken: dict[int, str],
) -> None:
    """A node has failed for good, as far as the engine is concerned; edges resolve unless it is held."""
    node.finished_position = position
    node.gate = None
    become(run, node, "failed", disposition)
    if disposition == "tolerated":
        run.degraded = True
    if disposition not in ("held", "fallback"):
        node.port = ""
        resolve(run, node, "failure", position, dead, broken)
    if disposition == "handling":
        run.handling.append(node.path)


def on_fallback(state: EngineState, run: RunState, event: FallbackUsed, record: Record) -> None:
    node = run.nodes[event.node]
    node.output = (
        keep_value(event.output, record.position) if event.blob is None else keep_blob(record)
    )
    node.port = event.port
    node.finished_at = record.at
    node.gate = None
    node.tries = 0
    node.overridden = None
    node.mark("degraded")
    node.unmark("overridden output")
    _freshen(node)
    run.degraded = True
    become(run, node, "succeeded")
    resolve(run, node, "success", record.position, event.dead, event.broken)


def on_fallback_started(
    state: EngineState, run: RunState, event: FallbackStarted, record: Record
) -> None:
    node = run.nodes[event.node]
    node.standing_in = True
    node.tries = node.iteration = node.interruptions = node.input_attempt = 0
    if node.plan.stand_in_edge is not None:
        # The other edges stay unresolved until it is known whether that node can stand in.
        set_edge(run, node.plan.stand_in_edge, TAKEN, record.position)
    elif node.parent is not None:
        requeue_item(run, node.parent, node)
    else:
        node.age = record.position
        become(run, node, "ready")
        run.unsettled.append(node.path)


def on_cancelled(
    state: EngineState, run: RunState, event: AttemptCancelled, record: Record
) -> None:
    node = run.nodes[event.node]
    _end(state, run, node, record, event.undo)
    node.cause = event.reason
    node.gate = None
    if event.undo:
        clear_timer(state, run, "retry", node.path, True)
        node.retry_at = None
        become(run, node, "compensation_failed")
        return
    node.by = event.by
    become(run, node, "cancelled")
    resolve(run, node, "none", record.position)


def on_interrupted(
    state: EngineState, run: RunState, event: AttemptInterrupted, record: Record
) -> None:
    node = run.nodes[event.node]
    _end(state, run, node, record, event.undo)
    node.cause = event.detail
    if event.undo:
        # The same step of the plan is carried out again; its idempotency key is the same.
        node.undo_tries -= 1
        node.interruptions += 1
        return
    node.interruptions += 1
    node.tries -= 1
    node.age = record.position
    become(run, node, "ready")
    run.unsettled.append(node.path)


def on_doubted(state: EngineState, run: RunState, event: AttemptDoubted, record: Record) -> None:
    node = run.nodes[event.node]
    _end(state, run, node, record, event.undo)
    node.cause = event.detail
    node.gate = None
    node.uncertain = False
    become(run, node, "compensation_failed" if event.undo else "in_doubt")


def on_ignored(state: EngineState, run: RunState, event: ResultIgnored, record: Record) -> None:
    """Kept in the history only: a closed attempt absorbs what comes late."""


def on_retry_requested(
    state: EngineState, run: RunState, event: RetryRequested, record: Record
) -> None:
    node = run.nodes[event.node]
    clear_timer(state, run, "retry", node.path, event.undo)
    node.retry_at = None
    if node.items is None:
        node.age = record.position
    if event.undo:
        if event.by is not None and run.compensation is not None:
            run.compensation.expired = False
            node.undo_tries = 0
        if node.status == "compensation_failed":
            become(run, node, "compensating")
        return
    if event.by is not None or node.status == "failed":
        # A retry that was asked for (in a paused run an edit's has no name, as it passes no gates) starts a new
        # series: own budget, first iteration, input computed again.
        node.tries = node.iteration = node.input_attempt = 0
        node.standing_in = False
    if event.by is not None:
        node.manual = event.by
        node.by = event.by
    if node.resolved or node.disposition == "fallback":
        # What was to stand in for the node is not to start any more: the node itself has its turn again.
        unresolve(run, node, record.position)
    if node.items is not None:
        _retry_items(run, node)
    elif node.parent is not None:
        reopen_parent(run, node, record.position)
        if node.status in ("backing_off", "waiting"):
            become(run, node, "ready")
            run.unsettled.append(node.path)
        else:
            requeue_item(run, node.parent, node)
    else:
        waits = node.status != "waiting" and verdict_in(run, node) != "go"
        if waits:
            # An edit gave it upstreams that have not run, or it or the run that is opened again lets one run: it starts
            # later, past no gates.
            node.manual = None
        become(run, node, "blocked" if waits else "ready")
        run.unsettled.append(node.path)


def _retry_items(run: RunState, node: NodeState) -> None:
    items = node.items
    if items is None:
        return
    node.manual = None
    become(run, node, "running")
    again: list[int] = []
    for index in range(items.count):
        item = run.nodes[item_path(node.path, index)]
        if item.status in ("failed", "cancelled"):
            item.tries = item.iteration = item.input_attempt = 0
            item.standing_in = False
            item.resolved = False
            become(run, item, "blocked")
            again.append(index)
    items.pending.extendleft(reversed([index for index in again if index not in items.pending]))
    feed_items(run, node)
