"""Verbs about one node."""

from typing import cast

import msgspec

from studio.core.commands import (
    CancelNode,
    ClearBreakpoint,
    HoldNode,
    MarkNode,
    NodeCommand,
    OverrideInput,
    OverrideOutput,
    Refusal,
    ReleaseNode,
    RetryNode,
    SetBreakpoint,
)
from studio.core.decide.runs import (
    Answer,
    busy_node,
    origin,
    release,
    reopen,
    status_text,
    stuck_item,
)
from studio.core.decide.verdicts import dispose, judge_edges, needs_output, with_policy
from studio.core.events import (
    AnyEvent,
    AttemptCancelled,
    AttemptStopRequested,
    BreakpointCleared,
    BreakpointSet,
    CompensationStarted,
    Disposition,
    FailureDisposed,
    InputOverridden,
    NodeCancelled,
    NodeHeld,
    NodeMarked,
    NodesReset,
    NodesStaled,
    OutputOverridden,
    RetryRequested,
)
from studio.core.evolve.graph import is_automatic
from studio.core.joins import join_verdict
from studio.core.plan import PlanEdge, base_path
from studio.core.resilience.compensation import first_undone, given_up
from studio.core.scope import items_of
from studio.core.state import TAKEN, EngineState, Flight, NodeState, RunState
from studio.core.transitions import EFFECTIVE, IN_FLIGHT
from studio.errors import ExpressionError
from studio.model.expressions import parse_expression

NOT_STARTED = frozenset({"blocked", "ready", "held"})
HOLDABLE = NOT_STARTED | {"running", "waiting", "backing_off", "compensating"}
RETRYABLE = frozenset(
    {"failed", "backing_off", "in_doubt", "cancelled", "skipped", "held", "ready"}
)


def _over(run: RunState, node: NodeState, verb: str) -> Refusal | None:
    """Refuse what makes no sense once the run has ended."""
    if run.ended:
        return Refusal(f"cannot {verb} {node.path}: run {run.number} has ended ({run.phase})")
    return None


def hold_node(state: EngineState, run: RunState, node: NodeState, command: HoldNode) -> Answer:
    """Close the gate before the node's start and before its next retry."""
    refusal = _over(run, node, "hold")
    if refusal is not None:
        return refusal
    if node.gate == "hold":
        return Refusal(f"{node.path} is held already", "`release` lets it go on")
    if node.status not in HOLDABLE:
        return Refusal(
            f"cannot hold {node.path}: it {status_text(node)}",
            "a hold stops the start or the next retry of a node; this one has neither before it",
        )
    return [NodeHeld(node.path, by=origin(command))]


def release_node(
    state: EngineState, run: RunState, node: NodeState, command: ReleaseNode
) -> Answer:
    """Open the gate of a held node, or leave the breakpoint it stopped at."""
    refusal = _over(run, node, "release")
    if refusal is not None:
        return refusal
    if node.gate is None:
        return Refusal(f"cannot release {node.path}: it {status_text(node)}, and is not held")
    return release(state, run, node, command)


def cancel_node(state: EngineState, run: RunState, node: NodeState, command: CancelNode) -> Answer:
    """End the node's attempt, or see that it never starts."""
    refusal = _over(run, node, "cancel")
    if refusal is not None:
        return refusal
    by = origin(command)
    if node.items is not None and node.status == "running":
        return _cancel_items(run, node, command)
    if node.status in ("running", "compensating"):
        if node.stopping:
            return Refusal(f"{node.path} is being stopped already ({node.stopping})")
        undo = node.status == "compensating"
        attempt = node.undo_attempt if undo else node.attempt
        if Flight(run.number, node.path, undo, attempt) not in state.flow.in_flight:
            # An undo between two attempts; a forward attempt that runs is always open.
            return [NodeCancelled(node.path, "cancelled by hand", undo=True, by=by)]
        return [AttemptStopRequested(node.path, attempt, "operator", undo=undo, by=by)]
    if node.wake is not None:
        return [AttemptCancelled(node.path, node.attempt, "cancelled by hand", by=by)]
    if node.status in NOT_STARTED or node.status in ("backing_off", "waiting"):
        return [NodeCancelled(node.path, "cancelled by hand", by=by)]
    return Refusal(f"cannot cancel {node.path}: it {status_text(node)}", _cancel_hint(run, node))


def _cancel_hint(run: RunState, node: NodeState) -> str:
    if node.status in ("failed", "in_doubt"):
        return f"`studio mark {run.number} {node.path} failed` gives it up"
    if node.status in EFFECTIVE and node.plan.undo is not None:
        return f"`studio compensate {run.number} {node.path}` takes its effect back"
    return ""


def _cancel_items(run: RunState, node: NodeState, command: CancelNode) -> Answer:
    by = origin(command)
    found: list[AnyEvent] = []
    for item in items_of(run, node):
        if item.status == "running":
            if not item.stopping:
                found.append(AttemptStopRequested(item.path, item.attempt, "operator", by=by))
        elif item.wake is not None:
            found.append(AttemptCancelled(item.path, item.attempt, "cancelled by hand", by=by))
        elif not item.settled:
            found.append(NodeCancelled(item.path, "cancelled by hand", by=by))
    return found or Refusal(f"{node.path} is being stopped already")


def retry_node(state: EngineState, run: RunState, node: NodeState, command: RetryNode) -> Answer:
    """A new attempt now; gates do not apply, limits do."""
    by = origin(command)
    if node.status == "compensation_failed" or (
        node.status == "compensating" and node.retry_at is not None
    ):
        if run.compensation is None:
            return Refusal(
                f"no compensation is under way in run {run.number}",
                f"`studio compensate {run.number} {node.path}` tries its undo again",
            )
        if given_up(node):
            return Refusal(
                f"cannot retry {node.path}: its undo was given up",
                f"`studio compensate {run.number} {node.path}` tries it again"
                " once the present compensation is over",
            )
        return [RetryRequested(node.path, undo=True, by=by)]
    if run.compensation is not None:
        return Refusal(f"cannot retry {node.path}: run {run.number} is being undone")
    refusal = _on_undone(run, node, "retry")
    if refusal is not None:
        return refusal
    if not (node.status in RETRYABLE or node.status in EFFECTIVE):
        return Refusal(f"cannot retry {node.path}: it {status_text(node)}", _retry_hint(node))
    missing = _missing_upstream(run, node)
    if missing:
        return Refusal(f"cannot retry {node.path}: {missing}", _upstream_hint(run, node))
    if command.has_input and not isinstance(command.input, dict):
        return _no_mapping(node)
    found: list[AnyEvent] = reopen(run, command)
    if command.has_input:
        found.append(InputOverridden(node.path, command.input, by=by))
    found += _follow(run, node, command)
    list_no_more = node.items is not None and node.plan.expand is None
    if node.status in EFFECTIVE or list_no_more:
        found.append(NodesReset((node.path,), cause="retry", by=by))
    found.append(RetryRequested(node.path, by=by))
    return found


def _on_undone(run: RunState, node: NodeState, verb: str) -> Refusal | None:
    """Refuse what would let a node, or a list, go on with the output of something that was undone."""
    own = base_path(node.path)
    undone = first_undone(run, [*run.plan.ancestors([own]), own])
    if undone is None:
        return None
    return Refusal(
        f"cannot {verb} {node.path}: {undone} was undone",
        f"`studio rerun {run.number} --from {base_path(undone)}` runs it again",
    )


def _retry_hint(node: NodeState) -> str:
    if node.status in IN_FLIGHT:
        return "cancel it first, or wait"
    return "it starts by itself when its upstreams are done"


def _missing_upstream(run: RunState, node: NodeState) -> str:
    """What the node's join still lacks, so that its input could not be computed; empty when it lacks nothing."""
    if node.parent is not None:
        return ""
    verdict = join_verdict(node)
    if verdict == "go":
        return ""
    if verdict == "fail":
        return node.blocking
    edge = _first_not_taken(node)
    return f"it needs {edge.source} (on {edge.on}), which {status_text(run.nodes[edge.source])}"


def _first_not_taken(node: NodeState) -> PlanEdge:
    """The edge to look at first when the join of a node does not hold."""
    verdicts = zip(node.plan.incoming, node.edges or b"", strict=True)
    return next(edge for edge, verdict in verdicts if verdict != TAKEN)


def _upstream_hint(run: RunState, node: NodeState) -> str:
    first = _first_not_taken(node).source
    return f"retry {first}, or `studio mark {run.number} {node.path} succeeded` goes past it"


def _follow(run: RunState, node: NodeState, command: RetryNode) -> list[AnyEvent]:
    """What has run behind the node becomes stale, or runs again with ``downstream``."""
    begun = [
        name
        for name in run.plan.descendants([node.path])
        if run.nodes[name].status not in ("blocked", "ready", "held")
    ]
    busy = [name for name in begun if busy_node(run, run.nodes[name])]
    idle = [name for name in begun if name not in busy]
    found: list[AnyEvent] = []
    by = origin(command)
    if command.downstream and idle:
        found.append(NodesReset(tuple(idle), keep=True, cause=f"follows {node.path}", by=by))
        idle = []
    ran = tuple([name for name in idle if run.nodes[name].status in EFFECTIVE] + busy)
    if ran:
        found.append(NodesStaled(ran, f"{node.path} runs again", by=by))
    return found


def mark_node(state: EngineState, run: RunState, node: NodeState, command: MarkNode) -> Answer:
    """Set the outcome by hand."""
    if node.status == "compensation_failed":
        return _mark_undo(run, node, command)
    if run.compensation is not None:
        return Refusal(f"cannot mark {node.path}: run {run.number} is being undone")
    if node.status in ("running", "compensating") or node.wake is not None:
        waiting = stuck_item(run, node)
        if waiting is not None:
            return Refusal(
                f"cannot mark {node.path}: its item {waiting} waits for a person",
                f"see to {waiting}, or `studio cancel {run.number} {node.path}` ends the others",
            )
        return Refusal(
            f"cannot mark {node.path}: it {status_text(node)}", "cancel it first, or wait"
        )
    if node.status in EFFECTIVE:
        return _already_done(run, node, command)
    if node.status == "compensated":
        return Refusal(f"cannot mark {node.path}: it was undone", "`rerun --from` runs it again")
    # What is in doubt builds on nothing anew: a person only tells what it did, and it may have to be undone, too.
    builds = command.outcome == "succeeded" and node.status != "in_doubt"
    refusal = _on_undone(run, node, "mark") if builds else None
    if refusal is not None:
        return refusal
    if command.outcome == "succeeded":
        return _mark_succeeded(state, run, node, command)
    if command.outcome == "skipped":
        marked = NodeMarked(node.path, "skipped", by=origin(command))
        return [*_reopen_for(run, node, command), marked]
    return _mark_failure(state, run, node, command)


def _mark_undo(run: RunState, node: NodeState, command: MarkNode) -> Answer:
    """Done by hand, or given up; done by hand once no plan is under way, it is a plan of one step."""
    by = origin(command)
    if command.outcome not in ("succeeded", "ignored"):
        return Refusal(f"the undo of {node.path} can be marked succeeded or ignored")
    marked = NodeMarked(node.path, command.outcome, undo=True, by=by)
    if command.outcome == "ignored" and given_up(node):
        return Refusal(
            f"the undo of {node.path} has been given up already",
            f"`studio compensate {run.number} {node.path}` tries it again",
        )
    if command.outcome == "ignored" or run.compensation is not None:
        return [marked]
    return [CompensationStarted((node.path,), final=run.ended, by=by), marked]


def _reopen_for(run: RunState, node: NodeState, command: MarkNode) -> list[AnyEvent]:
    """A mark opens the run again, unless it only tells what a doubtful node did in a run that ends anyway."""
    ends_anyway = run.cancelled or run.timed_out or run.failing_node != node.path
    if node.status == "in_doubt" and ends_anyway:
        return []
    return reopen(run, command)


def _already_done(run: RunState, node: NodeState, command: MarkNode) -> Refusal:
    verb = {"skipped": "skip", "failed": "fail", "ignored": "ignore"}.get(command.outcome, "mark")
    return Refusal(
        f"cannot {verb} {node.path}: it has already succeeded",
        f"`studio output {run.number} {node.path} JSON` replaces its output; "
        "`compensate` undoes it",
    )


def _mark_succeeded(
    state: EngineState, run: RunState, node: NodeState, command: MarkNode
) -> Answer:
    ports = node.plan.node.ports
    if ports and command.port not in ports:
        return Refusal(
            f"{node.path} leaves by a named port", f"say which: --port {'|'.join(ports)}"
        )
    value = msgspec.json.decode(command.output)
    dead, broken = judge_edges(state, run, node, "success", command.port, value)
    marked = NodeMarked(
        node.path,
        "succeeded",
        output=command.output,
        port=command.port,
        dead=dead,
        broken=broken,
        by=origin(command),
    )
    found: list[AnyEvent] = [*_reopen_for(run, node, command), marked]
    handlers = _ran_for_failure(run, node)
    if handlers:
        found.append(NodesStaled(handlers, f"{node.path} succeeded after all", by=origin(command)))
    return found


def _ran_for_failure(run: RunState, node: NodeState) -> tuple[str, ...]:
    """Handlers and observers of a failure that turned out to be none (engine.md, "Failure")."""
    if node.status != "failed" or node.parent is not None:
        return ()
    targets = [run.nodes[edge.target] for edge in node.plan.outgoing if edge.on == "failure"]
    return tuple(
        target.path
        for target in targets
        if target.status in EFFECTIVE or target.status in ("running", "backing_off")
    )


def _mark_failure(state: EngineState, run: RunState, node: NodeState, command: MarkNode) -> Answer:
    """``ignored`` lets the run go on past a failure; ``failed`` gives the node up."""
    by = origin(command)
    if node.status not in ("failed", "backing_off", "in_doubt"):
        return Refusal(
            f"cannot mark {node.path} {command.outcome}: it {status_text(node)}",
            "only a failed, retrying or doubtful node can be given up or ignored",
        )
    edges = judge_edges(state, run, node, "failure", "", None)
    if command.outcome == "ignored":
        return [
            *_reopen_for(run, node, command),
            FailureDisposed(node.path, "ignored", dead=edges[0], broken=edges[1], by=by),
        ]
    if node.status == "failed" and node.disposition not in ("held", "handling"):
        if node.uncertain:
            # It did not act: nothing of it has to be undone.
            return [FailureDisposed(node.path, as_disposition(node), by=by)]
        return Refusal(f"{node.path} has been given up already ({node.disposition})")
    disposal = dispose(state, run, node, handlers=node.status != "failed")
    if disposal.disposition == "held":
        disposal = disposal._replace(disposition="continued" if node.parent else "failed")
    message = f"{node.path} was given up" + (f" by {command.actor}" if command.actor else "")
    return [
        FailureDisposed(node.path, disposal.disposition, dead=edges[0], broken=edges[1], by=by),
        *with_policy(run, disposal, node.path, message),
    ]


def as_disposition(node: NodeState) -> Disposition:
    """What has become of a failed node, as its facts name it."""
    return cast("Disposition", node.disposition)


def override_input(
    state: EngineState, run: RunState, node: NodeState, command: OverrideInput
) -> Answer:
    """The input of the node's next attempt."""
    if node.plan.expand is not None and node.parent is None:
        return Refusal(
            f"{node.path} is a foreach: its items have inputs of their own",
            f"`studio input {run.number} {node.path}[0] JSON` overrides the first one",
        )
    if command.revert and not node.override_input:
        return Refusal(f"the input of {node.path} is not overridden")
    if not command.revert and not isinstance(command.input, dict):
        return _no_mapping(node)
    return [InputOverridden(node.path, command.input, revert=command.revert, by=origin(command))]


def _no_mapping(node: NodeState) -> Refusal:
    return Refusal(
        f"the input of {node.path} is a mapping of names to values", "such as '{\"amount\": 5}'"
    )


def override_output(
    state: EngineState, run: RunState, node: NodeState, command: OverrideOutput
) -> Answer:
    """The output of a finished node; what has used the old one becomes stale."""
    if node.status not in EFFECTIVE:
        return Refusal(
            f"cannot override the output of {node.path}: it {status_text(node)}",
            f"`studio mark {run.number} {node.path} succeeded --output JSON` gives it one",
        )
    output = command.output
    if command.revert:
        if not node.overridden:
            return Refusal(f"the output of {node.path} is not overridden")
        output = msgspec.Raw(state.raw(node.overridden[0]))
    value = msgspec.json.decode(output) if needs_output(node) else None
    dead, broken = judge_edges(state, run, node, "success", node.port, value)
    behind = run.plan.descendants([base_path(node.path)])
    opens = node.parent is not None or any(is_automatic(run.nodes[name]) for name in behind)
    found: list[AnyEvent] = reopen(run, command) if run.ended and opens else []
    found.append(
        OutputOverridden(
            node.path,
            output=output,
            revert=command.revert,
            dead=dead,
            broken=broken,
            by=origin(command),
        )
    )
    ran = tuple(
        name
        for name in behind
        if run.nodes[name].status in EFFECTIVE or run.nodes[name].status == "running"
    )
    if ran:
        found.append(NodesStaled(ran, f"output of {node.path} changed", by=origin(command)))
    return found


def set_breakpoint(
    state: EngineState, run: RunState, node: NodeState, command: SetBreakpoint
) -> Answer:
    """Stop at a node before or after it runs, or when it fails."""
    if command.when is not None:
        try:
            parse_expression(command.when)
        except ExpressionError as error:
            return Refusal(f"the condition cannot be read: {error.message}")
        unknown = _unknown_node(run, command.when)
        if unknown:
            return Refusal(f"the condition reads {unknown}, which run {run.number} does not have")
    return [BreakpointSet(node.path, command.on, command.when, by=origin(command))]


def _unknown_node(run: RunState, when: str) -> str:
    """A node that a condition names and the run does not have; empty when it has all of them."""
    for reference in parse_expression(when).references:
        if reference.root == "nodes" and reference.key not in (None, *run.plan.nodes):
            return f"node {reference.key}"
    return ""


def clear_breakpoint(
    state: EngineState, run: RunState, node: NodeState, command: ClearBreakpoint
) -> Answer:
    """Take the node's breakpoint away."""
    if node.path not in run.breakpoints:
        return Refusal(f"{node.path} has no breakpoint")
    return [BreakpointCleared(node.path, by=origin(command))]


def removed_node(run: RunState, node: NodeState) -> Refusal:
    """The answer to a command about a node that the run's present definition does not have."""
    return Refusal(
        f"{node.path} is no longer part of {run.plan.workflow.name}",
        "`compensate` can still undo it" if node.plan.undo is not None else "",
    )


def unknown_node(run: RunState, command: NodeCommand) -> Refusal:
    """The answer to a command about a node the run does not have."""
    names = ", ".join(list(run.plan.nodes)[:12])
    return Refusal(f"run {run.number} has no node {command.node}", f"it has {names}", unknown=True)
