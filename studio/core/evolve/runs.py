"""What the facts about a run as a whole do to the state."""

from collections import deque

from studio.core.events import (
    CompensationFinished,
    CompensationStalled,
    CompensationStarted,
    Record,
    RunCancelRequested,
    RunFailing,
    RunFinished,
    RunPaused,
    RunReopened,
    RunResumed,
    RunStarted,
    RunTimedOut,
    SteppingChanged,
)
from studio.core.evolve.flights import clear_timer, set_timer
from studio.core.evolve.graph import FREE, become, is_automatic, revive, unresolve
from studio.core.resilience.compensation import first_undone
from studio.core.state import BreakpointState, CompensationState, EngineState, RunState
from studio.core.transitions import IN_FLIGHT


def start_run(state: EngineState, event: RunStarted, record: Record) -> RunState:
    """Make the state of a new run. Raises KeyError when its definition was not given to the state."""
    plan = state.plans[event.version]
    run = RunState(record.run, event.run_id, plan)
    run.params = event.params
    run.env = event.env
    run.policy = event.policy
    run.surface = event.surface
    run.file = event.file
    run.folder = event.folder
    run.pin = event.pin
    run.adopt()
    run.stepping = event.stepping
    run.by = event.by
    run.started_at = record.at
    _aim(run, event.until)
    for name, planned in plan.nodes.items():
        declared = planned.node.breakpoint
        if declared is not None:
            run.breakpoints[name] = BreakpointState(declared.on, declared.when)
        run.nodes[name].age = record.position
        run.unsettled.append(name)
    state.runs[record.run] = run
    if event.by is not None:
        state.commands[event.by.command] = record.run
    limit = plan.workflow.limits.timeout
    if limit is not None:
        run.deadline = record.at + limit
        set_timer(state, run, "run", run.deadline)
    return run


def _aim(run: RunState, until: str | None) -> None:
    run.until = until
    run.within = None if until is None else frozenset(run.plan.leading_to(until))


def _wake_up(run: RunState) -> None:
    """Gates have opened: look again at every node that could start."""
    for path, node in run.nodes.items():
        if node.status in FREE or node.status == "held":
            run.unsettled.append(path)


def on_paused(state: EngineState, run: RunState, event: RunPaused, record: Record) -> None:
    run.paused = True
    run.paused_at = record.at
    run.paused_by = event.by
    clear_timer(state, run, "run")
    clear_timer(state, run, "compensation")
    for node in run.nodes.values():
        if node.retry_at is not None:
            clear_timer(state, run, "retry", node.path, node.status == "compensating")


def on_resumed(state: EngineState, run: RunState, event: RunResumed, record: Record) -> None:
    stood = max(0.0, record.at - run.paused_at)
    run.paused = False
    if run.deadline is not None and not run.timed_out and run.deadline > run.paused_at:
        run.deadline += stood
        set_timer(state, run, "run", run.deadline)
    plan = run.compensation
    if plan is not None and plan.deadline is not None and not plan.expired:
        plan.deadline += stood
        set_timer(state, run, "compensation", plan.deadline)
    for node in run.nodes.values():
        if node.retry_at is not None:
            node.retry_at += stood
            undo = node.status == "compensating"
            if node.status != "held" and not (undo and node.gate == "hold"):
                set_timer(state, run, "retry", node.retry_at, node.path, undo)
    _wake_up(run)
    state.flow.dirty[run.number] = None


def on_cancel_requested(
    state: EngineState, run: RunState, event: RunCancelRequested, record: Record
) -> None:
    run.cancelled = True
    run.failing = True
    run.exempt = set()
    run.paused = False
    run.sweep = True
    run.message = "cancelled" + (f" by {event.by.actor}" if event.by and event.by.actor else "")


def on_timed_out(state: EngineState, run: RunState, event: RunTimedOut, record: Record) -> None:
    run.timed_out = True
    run.exempt = set()
    run.sweep = True
    run.message = "the run's time limit was exceeded"
    clear_timer(state, run, "run")


def on_failing(state: EngineState, run: RunState, event: RunFailing, record: Record) -> None:
    run.failing = True
    run.failing_node = event.node
    run.message = event.message or run.message
    if event.compensate:
        run.compensate_by = event.by
        run.forced = event.force
    run.exempt = set() if run.timed_out or run.compensate_by else failure_branches(run, event.node)
    run.sweep = True


def failure_branches(run: RunState, failed: str) -> set[str]:
    """Nodes that may still start while a run fails, because their author meant them for that case.

    They follow a failed or still running node by a failure edge or an ``any`` edge, or they follow it and
    join ``settled`` ("whatever the outcome"), or they follow such a node.
    """
    plan = run.plan
    sources = [
        path
        for path, node in run.nodes.items()
        if node.parent is None
        and not node.archived
        and (node.status in IN_FLIGHT or node.status in ("failed", "backing_off"))
    ]
    if failed in plan.nodes:
        sources.append(failed)
    found = {
        edge.target
        for source in sources
        for edge in plan.node(source).outgoing
        if edge.on in ("failure", "any")
    }
    found.update(
        name for name in plan.descendants(sources) if plan.nodes[name].node.join == "settled"
    )
    found.update(plan.descendants(found))
    return found


def on_finished(state: EngineState, run: RunState, event: RunFinished, record: Record) -> None:
    run.phase = event.phase
    run.outputs = event.outputs
    run.message = event.message
    run.degraded = event.degraded
    run.finished_at = record.at
    run.paused = False
    for key in [key for key in state.flow.timers if key.run == run.number]:
        clear_timer(state, run, key.kind, key.node, key.undo)
    state.flow.dirty.pop(run.number, None)
    state.flow.starved.pop(run.number, None)


def on_reopened(state: EngineState, run: RunState, event: RunReopened, record: Record) -> None:
    run.phase = "running"
    run.finished_at = None
    run.failing = run.cancelled = run.timed_out = run.sweep = run.forced = False
    run.failing_node = ""
    run.message = ""
    run.compensate_by = None
    run.compensation = None
    run.undone = False
    run.exempt = set()
    run.deadline = None
    clear_timer(state, run, "run")
    for path in run.plan.order:
        node = run.nodes[path]
        if node.resolved and first_undone(run, [path]) is not None:
            unresolve(run, node, record.position)
    for path in event.held:
        node = run.nodes[path]
        node.standing_in = False  # what was to stand in for it waits for the same decision
        become(run, node, "failed", "held")
        if node.resolved:
            unresolve(run, node, record.position)
    for path in run.plan.order:
        node = run.nodes[path]
        if node.status == "cancelled" and is_automatic(node):
            revive(run, node, record.position)
    # Looked at in the order of the plan, as at the start, not in the order in which they came back.
    again = [path for path in run.unsettled if path in run.nodes]
    again.sort(key=lambda path: run.nodes[path].plan.rank)
    run.unsettled = deque(again)


def on_stepping(state: EngineState, run: RunState, event: SteppingChanged, record: Record) -> None:
    run.stepping = event.stepping
    if not event.stepping:
        run.allowed.clear()
    _aim(run, event.until)
    run.allowed.update(event.allowed)
    _wake_up(run)


def on_compensation_started(
    state: EngineState, run: RunState, event: CompensationStarted, record: Record
) -> None:
    run.compensation = CompensationState(
        event.steps,
        event.barrier,
        event.failed,
        event.final,
        event.deadline,
        event.by or run.compensate_by,
    )
    run.compensate_by = None
    run.phase = "compensating"
    run.finished_at = None
    for path in event.steps:
        node = run.nodes[path]
        node.undo_tries = 0
        node.age = record.position  # its place in the lines for its locks
        if node.status == "compensation_failed":
            node.marks = node.marks - {"ignored", "marked"}
            become(run, node, "compensating")
    if event.deadline is not None:
        set_timer(state, run, "compensation", event.deadline)


def on_compensation_stalled(
    state: EngineState, run: RunState, event: CompensationStalled, record: Record
) -> None:
    clear_timer(state, run, "compensation")
    if run.compensation is not None:
        run.compensation.expired = True
        run.compensation.deadline = None


def on_compensation_finished(
    state: EngineState, run: RunState, event: CompensationFinished, record: Record
) -> None:
    clear_timer(state, run, "compensation")
    run.compensation = None
    run.phase = "running"
    run.message = event.message or run.message
    _wake_up(run)
    state.flow.dirty[run.number] = None
