"""Open attempts: what they hold from their start to their end, and which moments are waited for."""

from studio.core.state import EngineState, Flight, NodeState, RunState, TimerKey, TimerKind

NODE_TIMERS = ("retry", "wake")
"""Moments at which a node goes on by itself; while there are any, the run needs nobody."""


def take_off(state: EngineState, run: RunState, node: NodeState, undo: bool) -> None:
    """An attempt is granted: it counts against the limits."""
    flow = state.flow
    flight = _flight(run, node, undo)
    flow.in_flight[flight] = "start"
    flow.touched[flight] = None
    flow.per_run[run.number] = flow.per_run.get(run.number, 0) + 1
    run.flying += 1


def _flight(run: RunState, node: NodeState, undo: bool) -> Flight:
    return Flight(run.number, node.path, undo, node.undo_attempt if undo else node.attempt)


def hold_locks(state: EngineState, run: RunState, node: NodeState, undo: bool) -> None:
    """An attempt has the locks of its node from its start to its end, also while it only waits for a moment."""
    flow = state.flow
    names = node.plan.node.locks
    if not names:
        return
    flight = _flight(run, node, undo)
    flow.held[flight] = names
    for name in names:
        # Runs are read back one after another: what an older one held once must not displace a holder of today.
        flow.holders.setdefault(name, flight)
        waiters = flow.waiters.get(name)
        if waiters:
            waiters[:] = [entry for entry in waiters if entry[1:] != (run.number, node.path)]


def land(state: EngineState, run: RunState, node: NodeState, undo: bool) -> None:
    """The attempt is over: what it held is free, its deadline is off."""
    flow = state.flow
    flight = _flight(run, node, undo)
    node.pid = node.pid_started = 0
    node.stopping = ""
    node.deadline = None
    clear_timer(state, run, "deadline", node.path, undo)
    for name in flow.held.pop(flight, ()):
        if flow.holders.get(name) == flight:
            del flow.holders[name]
            if flow.waiters.get(name):
                flow.contended[name] = None
    if flow.in_flight.pop(flight, None) is None:
        return
    flow.touched[flight] = None
    flow.per_run[run.number] -= 1
    run.flying -= 1
    flow.dirty[run.number] = None
    if flow.starved:
        flow.dirty.update(flow.starved)
        state.visited.update(flow.starved)
        flow.starved.clear()


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
