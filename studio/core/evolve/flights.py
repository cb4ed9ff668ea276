"""Open attempts: what they hold from their start to their end, and which moments are waited for."""

from studio.core.evolve.graph import enqueue
from studio.core.state import EngineState, Flight, NodeState, RunState, TimerKey, TimerKind

NODE_TIMERS = ("retry", "wake")
"""Moments at which a node goes on by itself; while there are any, the run needs nobody."""


def take_off(state: EngineState, run: RunState, node: NodeState, undo: bool) -> None:
    """An attempt is granted: it holds its locks and counts against the limits."""
    flow = state.flow
    attempt = node.undo_attempt if undo else node.attempt
    flight = Flight(run.number, node.path, undo, attempt)
    flow.in_flight[flight] = "start"
    flow.touched[flight] = None
    flow.per_run[run.number] = flow.per_run.get(run.number, 0) + 1
    run.flying += 1
    if not undo:
        for name in node.plan.node.locks:
            flow.holders[name] = flight
            _leave_queue(state, name, run.number, node.path)


def _leave_queue(state: EngineState, lock: str, run: int, path: str) -> None:
    waiters = state.flow.waiters.get(lock)
    if waiters:
        waiters[:] = [entry for entry in waiters if entry[1:] != (run, path)]


def land(state: EngineState, run: RunState, node: NodeState, undo: bool) -> None:
    """The attempt is over: what it held is free, its deadline is off."""
    flow = state.flow
    attempt = node.undo_attempt if undo else node.attempt
    flight = Flight(run.number, node.path, undo, attempt)
    node.pid = node.pid_started = 0
    node.stopping = ""
    node.deadline = None
    clear_timer(state, run, "deadline", node.path, undo)
    if flow.in_flight.pop(flight, None) is None:
        return
    flow.touched[flight] = None
    flow.per_run[run.number] -= 1
    run.flying -= 1
    flow.dirty[run.number] = None
    if flow.starved:
        flow.dirty.update(flow.starved)
        flow.starved.clear()
    for name in node.plan.node.locks:
        if flow.holders.get(name) == flight:
            del flow.holders[name]
            wake_waiter(state, name)


def wake_waiter(state: EngineState, lock: str) -> None:
    """A lock is free: the one who has waited longest, and still can use it, is looked at again."""
    waiters = state.flow.waiters.get(lock)
    while waiters:
        _age, number, path = waiters[0]
        run = state.runs.get(number)
        node = run.nodes.get(path) if run is not None else None
        if run is not None and node is not None and node.status == "ready" and not run.paused:
            enqueue(state, run, node, node.age)
            return
        waiters.pop(0)


def set_timer(
    state: EngineState,
    run: RunState,
    kind: TimerKind,
    at: float,
    node: str = "",
    undo: bool = False,
) -> None:
    """Wait for a moment (seconds since the epoch)."""
    key = TimerKey(run.number, kind, node, undo)
    if kind in NODE_TIMERS and key not in state.flow.timers:
        run.waits += 1
    state.flow.timers[key] = at
    state.flow.touched[key] = None


def clear_timer(
    state: EngineState, run: RunState, kind: TimerKind, node: str = "", undo: bool = False
) -> None:
    """Wait no longer."""
    key = TimerKey(run.number, kind, node, undo)
    if state.flow.timers.pop(key, None) is not None:
        run.waits -= kind in NODE_TIMERS
        state.flow.touched[key] = None
