"""How a run ends: drained, perhaps undone, with its outputs."""

from typing import Any, Literal

from studio.core.decide.runs import FAILS_THE_RUN, compensation_started
from studio.core.events import (
    AnyEvent,
    AttemptDoubted,
    AttemptFailed,
    AttemptStarted,
    CompensationFinished,
    RunFailing,
    RunFinished,
)
from studio.core.plan import base_path
from studio.core.resilience.compensation import (
    given_up,
    holds_effects,
    is_doubtful,
    may_undo,
    next_step,
    plan_undo,
    unfinished_undo,
)
from studio.core.scope import run_scope
from studio.core.standing import in_doubt
from studio.core.starts import locks_free, render_undo
from studio.core.state import CompensationState, EngineState, NodeState, RunState
from studio.core.transitions import EFFECTIVE
from studio.errors import ExpressionError
from studio.model.failure import Failure


def end_run(state: EngineState, run: RunState, now: float) -> list[AnyEvent]:
    """Facts that end a run all of whose nodes are resolved; none while anything is open."""
    if _is_open(run) or run.flying or run.waits or run.paused or in_doubt(run):
        return []
    if run.compensate_by is not None:
        return _doubt(run) or _compensate(state, run, now, by_hand=True)
    if run.cancelled:
        return [RunFinished("cancelled", message=run.message)]
    failed = first_failure(run)
    if failed is None and not run.failing:
        return [_succeed(state, run)]
    policy = run.plan.workflow.compensation
    if policy.when == "failure":
        doubtful = _doubt(run)
        if doubtful:
            return doubtful
        return _compensate(state, run, now, by_hand=False)
    return [RunFinished("failed", message=_message(run, failed), degraded=is_degraded(run))]


def _is_open(run: RunState) -> bool:
    """Whether a node may still come to something; one whose undo waits for the plan of the whole run does not."""
    if run.compensate_by is None:
        return run.open > 0
    tops = (node for node in run.nodes.values() if node.parent is None)
    return any(not node.settled and not unfinished_undo(node) for node in tops)


def is_degraded(run: RunState) -> bool:
    """Whether a fallback stands in for a result, or a failure was tolerated."""
    return any(
        ("degraded" in node.marks and node.status in EFFECTIVE) or node.disposition == "tolerated"
        for node in run.nodes.values()
    )


def first_failure(run: RunState) -> NodeState | None:
    """The first node whose failure makes the run fail."""
    for path in run.plan.order:
        node = run.nodes[path]
        if node.disposition in FAILS_THE_RUN:
            return node
    return None


def _message(run: RunState, failed: NodeState | None) -> str:
    return run.message or _told(failed)


def _told(failed: NodeState | None) -> str:
    if failed is None or failed.failure is None:  # given up by hand: the run says so itself
        return ""
    return f"{failed.path} failed: {failed.failure.type}: {failed.failure.message}"[:500]


def _succeed(state: EngineState, run: RunState) -> RunFinished | RunFailing:
    """The end of a run all of whose nodes did well, unless its outputs cannot be rendered.

    Then it fails like any other run, so that what its nodes did is undone.
    """
    outputs: Any = {}
    if run.plan.outputs is not None:
        try:
            outputs = run.plan.outputs.render(run_scope(state, run)).value
        except ExpressionError as error:
            return RunFailing("", error.within("outputs"))
    return RunFinished("succeeded", outputs=outputs, degraded=is_degraded(run))


def _doubt(run: RunState) -> list[AnyEvent]:
    """Failed attempts that may have acted before they failed are in doubt for the undo (engine.md, "Failure")."""
    return [
        AttemptDoubted(node.path, node.attempt, "it may have acted before it failed")
        for node in run.nodes.values()
        if is_doubtful(node)
    ]


def _compensate(state: EngineState, run: RunState, now: float, *, by_hand: bool) -> list[AnyEvent]:
    failed = run.failing_node or None
    plan = plan_undo(run, _branch(run), force=run.forced)
    message = _message(run, first_failure(run))
    if not plan.steps:
        if by_hand:
            return [RunFinished("cancelled", message=f"{message}; there was nothing to undo")]
        return [RunFinished("failed", message=message, degraded=is_degraded(run))]
    return [compensation_started(run, plan, None, now, final=True, failed=failed)]


def next_undo(
    state: EngineState, run: RunState, now: float, *, driven: bool = True
) -> list[AnyEvent]:
    """Facts that carry a compensation one step further; none while a step is open, stuck or held back.

    An undo has the locks of its node, as it touches what the node has touched.
    """
    plan = run.compensation
    if plan is None:
        return []
    node = next_step(run)
    if node is None:
        return _finish(run, plan)
    plan.position = plan.steps.index(node.path, plan.position)
    if not driven or not may_undo(run, node):
        return []
    flow = state.flow
    if flow.max_concurrency is not None and len(flow.in_flight) >= flow.max_concurrency:
        flow.starved[run.number] = None
        return []
    if node.plan.node.locks and not locks_free(state, run, node):
        return []
    return _start_undo(state, run, node, now)


def _start_undo(state: EngineState, run: RunState, node: NodeState, now: float) -> list[AnyEvent]:
    undo = node.plan.undo
    if undo is None:
        return []
    attempt = node.undo_attempt + 1
    deadline = now + undo.definition.timeout
    by = node.manual
    try:
        done = render_undo(state, run, node, undo)
    except ExpressionError as error:
        failure = Failure("ExpressionError", error.within("compensate"), "validation")
        started = AttemptStarted(node.path, attempt, node.generation, undo=True, by=by)
        return [started, AttemptFailed(node.path, attempt, failure, "held", undo=True)]
    return [
        AttemptStarted(
            node.path,
            attempt,
            node.generation,
            undo=True,
            input=done.input,
            slots=done.slots,
            settings=done.settings,
            setting_slots=done.setting_slots,
            deadline=deadline,
            by=by,
        )
    ]


def _finish(run: RunState, plan: CompensationState) -> list[AnyEvent]:
    stopped = ""
    if plan.barrier is not None:
        stopped = f"stopped at {plan.barrier}, which is irreversible"
    else:
        stopped = _given_up_text([path for path in plan.steps if given_up(run.nodes[path])])
    found: list[AnyEvent] = [CompensationFinished(not stopped, stopped)]
    if plan.final:
        left = [path for path, node in run.nodes.items() if given_up(node)]
        stopped = stopped or _given_up_text(left)
        phase = _undone_phase(run, complete=plan.barrier is None)
        # What an earlier plan stopped at is over; the failure that began it all is not.
        failed = first_failure(run)
        cause = _told(failed) or run.message
        message = "; ".join(text for text in (cause, stopped) if text)
        found.append(RunFinished(phase, message=message, degraded=is_degraded(run)))
    return found


def _given_up_text(paths: list[str]) -> str:
    return f"the undo of {', '.join(paths)} was given up" if paths else ""


def _undone_phase(run: RunState, complete: bool) -> Literal["compensated", "partly_compensated"]:
    """``compensated`` when no undoable effect stands any more; with ``scope: branch`` its ancestors are all that counts."""
    branch = _branch(run)
    standing = any(
        holds_effects(run, node) and (branch is None or base_path(node.path) in branch)
        for node in run.nodes.values()
    )
    return "compensated" if complete and not standing else "partly_compensated"


def _branch(run: RunState) -> list[str] | None:
    """What leads to the failure, with ``scope: branch``; None where everything counts, as without a node to blame."""
    if run.plan.workflow.compensation.scope == "branch" and run.failing_node in run.plan.nodes:
        return run.plan.ancestors([run.failing_node])
    return None
