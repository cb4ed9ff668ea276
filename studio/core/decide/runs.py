"""Verbs about a run as a whole."""

from studio.core.commands import (
    CancelRun,
    Command,
    Compensate,
    Continue,
    PauseRun,
    Refusal,
    Rerun,
    ResumeRun,
    StartRun,
    Step,
)
from studio.core.decide.attempts import stop_all
from studio.core.decide.verdicts import (
    NO_EDGES,
    Edges,
    dispose,
    judge_edges,
    needs_output,
    with_policy,
)
from studio.core.events import (
    AnyEvent,
    CompensationFinished,
    CompensationStarted,
    FailureDisposed,
    NodeReleased,
    NodesReset,
    Origin,
    RunCancelRequested,
    RunFailing,
    RunPaused,
    RunReopened,
    RunResumed,
    RunStarted,
    SteppingChanged,
)
from studio.core.plan import Plan, base_path
from studio.core.resilience.compensation import (
    UndoPlan,
    first_undone,
    given_up,
    holds_effects,
    is_doubtful,
    plan_undo,
    standing_dependants,
    taken_back,
)
from studio.core.scope import items_of
from studio.core.state import EngineState, NodeState, RunState
from studio.core.transitions import EFFECTIVE, IN_FLIGHT

Answer = list[AnyEvent] | Refusal


def origin(command: Command) -> Origin:
    """Who caused the facts of a command."""
    return Origin(command.id, command.actor, command.reason)


def _no_node(owner: str, name: str, plan: Plan) -> Refusal:
    known = ", ".join(list(plan.nodes)[:12])
    return Refusal(f"{owner} has no node {name}", f"it has {known}", unknown=True)


def start_run(state: EngineState, command: StartRun) -> Answer:
    """A new run of a known definition; the number was given by the shell."""
    plan = state.plans.get(command.version)
    if plan is None:
        return Refusal(f"version {command.version} is not loaded")
    if command.run in state.runs:
        return Refusal(f"run {command.run} exists already")
    if command.until is not None and command.until not in plan.nodes:
        return _no_node(plan.workflow.name, command.until, plan)
    return [
        RunStarted(
            command.run_id,
            plan.workflow.name,
            command.version,
            command.params,
            command.policy,
            file=command.file,
            folder=command.folder,
            surface=command.surface,
            until=command.until,
            stepping=command.stepping,
            pin=command.pin,
            env=command.env,
            by=origin(command),
        )
    ]


def pause_run(state: EngineState, run: RunState, command: PauseRun) -> Answer:
    """Nothing starts any more; what runs finishes."""
    if run.ended:
        return Refusal(f"cannot pause run {run.number}: it has ended ({run.phase})")
    if run.paused:
        return Refusal(f"run {run.number} is paused already", "`resume` lets it go on")
    return [RunPaused(by=origin(command))]


def resume_run(state: EngineState, run: RunState, command: ResumeRun) -> Answer:
    """Leave a pause. A run that is not paused is simply driven on; that is no fact."""
    if run.ended:
        return Refusal(
            f"cannot resume run {run.number}: it has ended ({run.phase})",
            "`retry` or `rerun` opens it again",
        )
    return [RunResumed(by=origin(command))] if run.paused else []


def cancel_run(state: EngineState, run: RunState, command: CancelRun) -> Answer:
    """End the run: running attempts are stopped, the rest never starts."""
    if run.ended:
        return Refusal(f"cannot cancel run {run.number}: it has ended ({run.phase})")
    if run.compensation is not None:
        return Refusal(
            f"cannot cancel run {run.number}: it is being undone",
            "`pause` stops before the next undo",
        )
    if run.cancelled:
        return Refusal(f"run {run.number} is being cancelled already")
    return [RunCancelRequested(by=origin(command)), *stop_all(state, run)]


def rerun(state: EngineState, run: RunState, command: Rerun) -> Answer:
    """Stale nodes, or a node and all that follows it, run again as a new generation."""
    if run.compensation is not None:
        return Refusal(f"cannot rerun nodes of run {run.number}: it is being undone")
    if command.start is None:
        names = [path for path in run.plan.order if "stale" in run.nodes[path].marks]
        if not names:
            return Refusal(f"no node of run {run.number} is stale")
        keep, cause = True, "stale"
    else:
        if command.start not in run.plan.nodes:
            return _no_node(f"run {run.number}", command.start, run.plan)
        names = [command.start, *run.plan.descendants([command.start])]
        keep, cause = False, f"rerun from {command.start}"
    undone = first_undone(run, [name for name in run.plan.ancestors(names) if name not in names])
    if undone is not None:
        return Refusal(
            f"cannot rerun {names[0]}: {undone}, which comes before it, was undone",
            f"`studio rerun {run.number} --from {base_path(undone)}` runs both again",
        )
    busy = [path for path in names if busy_node(run, run.nodes[path])]
    stuck = stuck_item(run, run.nodes[busy[0]]) if busy else None
    if stuck is not None:
        return Refusal(
            f"cannot rerun {busy[0]}: its item {stuck} waits for a person",
            f"see to {stuck}, or `studio cancel {run.number} {busy[0]}` ends the others",
        )
    if busy:
        return Refusal(
            f"cannot rerun {busy[0]}: it {status_text(run.nodes[busy[0]])}",
            "wait for it, or cancel it first",
        )
    return [
        *reopen(run, command),
        NodesReset(tuple(names), keep=keep, cause=cause, by=origin(command)),
    ]


def busy_node(run: RunState, node: NodeState) -> bool:
    """Whether an attempt of the node is open, or its items are not all resolved."""
    return node.status in IN_FLIGHT


def stuck_item(run: RunState, node: NodeState) -> str | None:
    """An item that waits for a person while no other of its list runs; None when waiting may help."""
    items = list(items_of(run, node))
    if any(busy_node(run, item) for item in items):
        return None
    held = (item.path for item in items if item.status == "in_doubt" or item.disposition == "held")
    return next(held, None)


def reopen(run: RunState, command: Command) -> list[AnyEvent]:
    """The fact that an ended (or failing) run goes on, when it is one.

    What a person has cancelled is not undone, and nothing handles its failures, because somebody runs a part of it
    again: they come back as held, whatever the policy, and wait for a decision of their own.
    """
    if not (run.ended or run.failing):
        return []
    held = [path for path in run.plan.order if run.nodes[path].disposition in FAILS_THE_RUN]
    return [RunReopened(held=tuple(held) if run.cancelled else (), by=origin(command))]


FAILS_THE_RUN = frozenset({"failed", "continued"})
"""What became of a failure because of which the run fails in the end."""


def step(state: EngineState, run: RunState, command: Step) -> Answer:
    """Enter step mode, or let the next node or wave start in it; a paused run goes over from its pause."""
    if command.until is not None:
        return _run_to(run, command, command.until)
    if run.ended:
        return Refusal(f"cannot step run {run.number}: it has ended ({run.phase})")
    if run.compensation is not None:
        return Refusal(f"cannot step run {run.number}: it is being undone")
    ready = [
        path
        for path, node in run.nodes.items()
        if node.status in ("ready", "held") and node.gate != "hold"
    ]
    if command.node is not None:
        if command.node not in run.nodes:
            return _no_node(f"run {run.number}", command.node, run.plan)
        if command.node not in ready:
            return Refusal(
                f"cannot step {command.node}: it {status_text(run.nodes[command.node])}",
                f"ready: {', '.join(ready[:8]) or 'none'}",
            )
        ready = [command.node]
    allowed = ready if command.wave else ready[:1]
    if not allowed:
        return Refusal(f"cannot step run {run.number}: no node is ready", _step_hint(run))
    found: list[AnyEvent] = [
        SteppingChanged(stepping=True, allowed=tuple(allowed), by=origin(command))
    ]
    for path in allowed:
        if run.nodes[path].gate == "breakpoint":
            found += release(state, run, run.nodes[path], command)
    if run.paused:
        # Step mode keeps back what the pause did.
        found.append(RunResumed(by=origin(command)))
    return found


def _step_hint(run: RunState) -> str:
    running = [path for path, node in run.nodes.items() if busy_node(run, node)]
    held = next((path for path, node in run.nodes.items() if node.status == "held"), None)
    if held is not None:  # by hand: one that stopped at a breakpoint counts as ready
        return f"`studio release {run.number} {held}` lets {held} go on"
    if not running:
        return "`why` tells of a node what it waits for"
    names = ", ".join(running[:4]) + (" …" if len(running) > 4 else "")
    return (
        f"wait for {names}; to stop before what follows, run to a node with `step --until NODE`,"
        " or set a `breakpoint`"
    )


def _run_to(run: RunState, command: Step, name: str) -> Answer:
    """Start only what leads to a node, which has to be one that has not run yet."""
    if name not in run.plan.nodes:
        return _no_node(f"run {run.number}", name, run.plan)
    if run.ended:
        return Refusal(
            f"cannot run to {name}: run {run.number} has ended ({run.phase})",
            f"`studio rerun {run.number} --from {name}` runs it and what follows again",
        )
    if run.compensation is not None:
        return Refusal(f"cannot run to {name}: run {run.number} is being undone")
    node = run.nodes[name]
    if node.status in EFFECTIVE:
        return Refusal(
            f"cannot run to {name}: it has already succeeded",
            f"`studio rerun {run.number} --from {name}` runs it and what follows again",
        )
    if node.status in OVER:
        return Refusal(f"cannot run to {name}: it {status_text(node)}", _over_hint(run, node))
    return [SteppingChanged(until=name, by=origin(command))]


OVER = frozenset(
    {"failed", "in_doubt", "cancelled", "skipped", "compensated", "compensation_failed"}
)
"""States in which a node waits for nothing that a run could still bring."""


def status_text(node: NodeState) -> str:
    """What has become of a node, as the end of a sentence about it."""
    return {
        "failed": "has failed",
        "in_doubt": "is in doubt",
        "cancelled": "was cancelled",
        "skipped": "was skipped",
        "succeeded": "has already succeeded",
        "reused": "has already succeeded",
        "backing_off": "waits for its next retry",
        "compensating": "is being undone",
        "compensated": "was undone",
        "compensation_failed": "has an undo that was given up"
        if given_up(node)
        else "has an undo that failed",
    }.get(node.status, f"is {node.status}")


def _over_hint(run: RunState, node: NodeState) -> str:
    if node.status in ("compensated", "compensation_failed"):
        return f"`studio rerun {run.number} --from {node.path}` runs it again"
    return f"`studio retry {run.number} {node.path}` runs it now"


def go_on(state: EngineState, run: RunState, command: Continue) -> Answer:
    """Leave a breakpoint, or step mode and run-to-node for the whole run."""
    if run.ended:
        return Refusal(f"run {run.number} has ended ({run.phase})")
    if command.node is not None:
        node = run.nodes.get(command.node)
        if node is None:
            return _no_node(f"run {run.number}", command.node, run.plan)
        if node.gate is None:
            return Refusal(f"{command.node} is not stopped: it {status_text(node)}")
        return release(state, run, node, command)
    stopped = [node for node in run.nodes.values() if node.gate == "breakpoint"]
    found = [event for node in stopped for event in release(state, run, node, command)]
    if run.stepping or run.until is not None:
        found.append(SteppingChanged(by=origin(command)))
    if not found:
        return Refusal(f"run {run.number} is not stopped at a breakpoint or in step mode")
    return found


def release(state: EngineState, run: RunState, node: NodeState, command: Command) -> list[AnyEvent]:
    """The gate of a node opens; after a stop behind it, its edges or its failure are judged now."""
    by = origin(command)
    dead, broken = release_edges(state, run, node)
    found: list[AnyEvent] = [NodeReleased(node.path, dead=dead, broken=broken, by=by)]
    if node.status != "failed":
        return found
    disposal = dispose(state, run, node)
    if disposal.disposition != "held":
        dead, broken = disposal.edges
        found.append(FailureDisposed(node.path, disposal.disposition, dead, broken))
        found += with_policy(run, disposal, node.path, f"{node.path} failed")
    return found


def release_edges(state: EngineState, run: RunState, node: NodeState) -> Edges:
    """Verdicts on the outgoing edges of a node that succeeded and is let go now."""
    if node.status not in EFFECTIVE:
        return NO_EDGES
    output = state.decode(node.output) if needs_output(node) else None
    return judge_edges(state, run, node, "success", node.port, output)


def compensate(state: EngineState, run: RunState, command: Compensate, now: float) -> Answer:
    """Undo the whole run, or chosen nodes, in reverse order of their dependencies."""
    if command.force and not command.reason:
        return Refusal(
            "going past what stands in the way of an undo needs a reason", "--reason TEXT gives it"
        )
    if run.compensation is not None:
        if not run.compensation.expired:
            return Refusal(
                f"run {run.number} is being undone already",
                "`retry` or `mark` the step that stopped it",
            )
    elif run.compensate_by is not None:
        return Refusal(f"run {run.number} is about to be undone")
    doubtful = [
        node.path
        for node in run.nodes.values()
        if node.status == "in_doubt" or (run.ended and is_doubtful(node))
    ]
    what = command.nodes[0] if command.nodes else f"run {run.number}"
    if doubtful:
        return Refusal(
            f"cannot undo {what}: the outcome of {doubtful[0]} is in doubt",
            f"say what happened first: `studio mark {run.number} {doubtful[0]} succeeded|failed`",
        )
    if not command.nodes:
        return _compensate_run(state, run, command, now)
    return _compensate_nodes(run, command, now)


def _compensate_run(state: EngineState, run: RunState, command: Compensate, now: float) -> Answer:
    plan = plan_undo(run, force=command.force)
    if not plan.steps and not _may_leave_effects(run):
        if plan.barrier is not None:
            return Refusal(
                f"{plan.barrier} is irreversible and was done last",
                "--force with a reason undoes what comes before it",
            )
        return _nothing_left(run)
    earlier = run.compensation
    if run.ended or (earlier is not None and earlier.final):
        return [compensation_started(run, plan, origin(command), now, final=True)]
    message = "compensation was asked for" + (f" by {command.actor}" if command.actor else "")
    # A plan for some nodes whose time is over makes way: that of the run begins when all has come to rest.
    over = CompensationFinished(False, "the undo of the whole run takes its place")
    return [
        *([over] if earlier is not None else ()),
        RunFailing("", message, compensate=True, force=command.force, by=origin(command)),
        *stop_all(state, run),
    ]


def _nothing_left(run: RunState) -> Refusal:
    left = next((path for path, node in run.nodes.items() if given_up(node)), None)
    if left is not None:
        return Refusal(
            f"nothing left to undo in run {run.number}: the undo of {left} was given up",
            f"`studio compensate {run.number} {left}` tries it again",
        )
    if any(taken_back(node) for node in run.nodes.values()):
        message = f"nothing left to undo in run {run.number}: what it did was undone"
        return Refusal(message)
    message = f"nothing to undo in run {run.number}: no finished node declares an undo"
    return Refusal(message)


def _undo_hint(node: NodeState) -> str:
    return "only what has succeeded is undone" if node.status == "failed" else ""


def _may_leave_effects(run: RunState) -> bool:
    """Whether something under way may yet need its undo."""
    return any(
        node.plan.undo is not None and (node.status in IN_FLIGHT or is_doubtful(node))
        for node in run.nodes.values()
    )


def compensation_started(
    run: RunState,
    plan: UndoPlan,
    by: Origin | None,
    now: float,
    *,
    final: bool,
    failed: str | None = None,
) -> CompensationStarted:
    """The fact that a plan of undos is carried out, with its time limit."""
    return CompensationStarted(
        plan.steps,
        barrier=plan.barrier,
        failed=failed,
        final=final,
        deadline=now + run.plan.workflow.compensation.timeout,
        by=by,
    )


def _compensate_nodes(run: RunState, command: Compensate, now: float) -> Answer:
    for path in command.nodes:
        node = run.nodes.get(path)
        if node is None:
            return _no_node(f"run {run.number}", path, run.plan)
        if node.plan.undo is None:
            return Refusal(
                f"{path} declares no undo", "add `compensate:` to it, or mark what follows"
            )
        if node.items is None and not holds_effects(run, node):
            return Refusal(f"cannot undo {path}: it {status_text(node)}", _undo_hint(node))
    wanted = set(command.nodes)
    if command.downstream:
        wanted.update(run.plan.descendants(base_path(path) for path in command.nodes))
    hindrance = _still_open(run, command.nodes[0], wanted)
    if hindrance is not None:
        return hindrance
    standing = standing_dependants(run, wanted)
    count = len(wanted) + len(standing)
    if standing and not command.force:
        return Refusal(
            f"cannot undo {command.nodes[0]}: {standing[0]}, which follows it, still holds effects",
            f"--downstream undoes {'both' if count == 2 else f'all {count}'};"
            " --force with --reason undoes it alone",
        )
    plan = plan_undo(run, wanted, force=command.force, again=True)
    if not plan.steps:
        return Refusal(
            f"{plan.barrier} is irreversible" if plan.barrier else "nothing to undo",
            "--force with a reason goes past it" if plan.barrier else "",
        )
    final = run.ended or (run.compensation is not None and run.compensation.final)
    return [compensation_started(run, plan, origin(command), now, final=final)]


def _still_open(run: RunState, first: str, wanted: set[str]) -> Refusal | None:
    """Why nodes cannot be undone yet: a list that is not done, or something behind them runs or may have acted."""
    for name in dict.fromkeys(base_path(path) for path in wanted):
        if run.nodes[name].items is not None and run.nodes[name].status == "running":
            return Refusal(
                f"cannot undo {first}: not all items of {name} are done",
                f"see to the others first, or `studio cancel {run.number} {name}` ends them",
            )
    behind = run.plan.descendants(base_path(path) for path in wanted)
    busy = [name for name in behind if busy_node(run, run.nodes[name])]
    if busy:
        return Refusal(
            f"cannot undo {first}: {busy[0]}, which follows it, {status_text(run.nodes[busy[0]])}",
            "wait for it, or cancel it first",
        )
    concerned = {*behind, *(base_path(path) for path in wanted)}
    for path, node in run.nodes.items():
        if is_doubtful(node) and base_path(path) in concerned:
            return Refusal(
                f"cannot undo {first}: {path} may have acted before it failed",
                f"say what happened first: `studio mark {run.number} {path} succeeded|failed`",
            )
    return None
