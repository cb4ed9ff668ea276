"""What follows from a fact by itself: nodes become ready, are skipped, start; runs fail, undo, end.

`react` is asked again and again after each turn's commands until it has nothing more to say. It reads the work
lists that `evolve` keeps, so its cost follows the facts, never the size of a run.
"""

from studio.core.decide.attempts import fail_expression
from studio.core.decide.runs import release_edges
from studio.core.decide.verdicts import dispose, fail_node, review_handlers
from studio.core.endings import end_run, next_undo
from studio.core.events import (
    AnyEvent,
    AttemptCancelled,
    FailureDisposed,
    NodeCancelled,
    NodeReleased,
    NodeSkipped,
)
from studio.core.evolve.graph import become, enqueue
from studio.core.items import collect
from studio.core.joins import verdict_in
from studio.core.losers import FASTER, has_lost
from studio.core.plan import PlanEdge, base_path
from studio.core.scope import node_scope
from studio.core.starts import start_next
from studio.core.state import DEAD, EngineState, NodeState, RunState
from studio.core.transitions import EFFECTIVE
from studio.errors import ExpressionError
from studio.model.failure import Failure

Facts = tuple[int, list[AnyEvent]]


def react(
    state: EngineState, now: float, may_start: bool = True, *, driven: bool = True
) -> Facts | None:
    """The next consequences of what has happened, as a run number and its facts; None when all is done.

    Args:
        state: the state; only its work lists are consumed.
        now: seconds since the epoch.
        may_start: false once a turn has granted as many starts as one batch may carry.
        driven: false where nothing is to start at all, no undo either.
    """
    while True:
        while state.visited:
            number = next(iter(state.visited))
            run = state.runs.get(number)
            facts = _react_in(state, run, now, driven) if run is not None else []
            if facts:
                return number, facts
            del state.visited[number]
        started = start_next(state, now) if may_start and driven else None
        # A lock may have been offered to an undo, which its own run has to take.
        if started is not None or not state.visited:
            return started


def _react_in(state: EngineState, run: RunState, now: float, driven: bool) -> list[AnyEvent]:
    if run.sweep:
        run.sweep = False
        facts = _sweep(state, run)
        if facts:
            return facts
    while run.handling:
        facts = review_handlers(state, run, run.nodes[run.handling.popleft()])
        if facts:
            return facts
    while run.unsettled:
        path = run.unsettled.popleft()
        node = run.nodes.get(path)
        facts = settle(state, run, node) if node is not None else []
        if facts:
            return facts
    while run.collecting:
        facts = collect(state, run, run.nodes[run.collecting.popleft()])
        if facts:
            return facts
    if run.ended:
        return []
    if run.compensation is not None:
        return next_undo(state, run, now, driven=driven)
    return end_run(state, run, now)


def _sweep(state: EngineState, run: RunState) -> list[AnyEvent]:
    """A run that fails or is cancelled: whatever has not started, and is not meant for that case, never will."""
    found: list[AnyEvent] = []
    for path, node in run.nodes.items():
        name = node.parent.path if node.parent is not None else path
        if name in run.exempt or node.archived:
            continue
        if node.status in ("blocked", "ready", "held"):
            found.append(_abandon(state, run, node))
        elif node.status == "backing_off":
            if run.cancelled:
                found.append(NodeCancelled(path, run.message))
            else:
                found.append(_give_up(state, run, node))
        elif node.status == "waiting":
            if node.wake is not None:
                found.append(AttemptCancelled(path, node.attempt, run.message))
            else:
                found.append(NodeCancelled(path, run.message))
        elif node.disposition == "held":
            found.append(_give_up(state, run, node))
        elif node.status in EFFECTIVE and node.gate is not None:
            found.append(NodeReleased(path, *release_edges(state, run, node)))
    # What is in doubt stays: a person still has to tell what happened to the outside world.
    return found


def _abandon(state: EngineState, run: RunState, node: NodeState) -> NodeCancelled | FailureDisposed:
    """A node that will not start: cancelled, unless it has failed and only its stand-in was still to be tried."""
    if node.standing_in and not run.cancelled:
        return _give_up(state, run, node)
    return NodeCancelled(node.path, run.message)


def _give_up(state: EngineState, run: RunState, node: NodeState) -> FailureDisposed:
    disposal = dispose(state, run, node)
    dead, broken = disposal.edges
    return FailureDisposed(node.path, disposal.disposition, dead=dead, broken=broken)


def settle(state: EngineState, run: RunState, node: NodeState) -> list[AnyEvent]:
    """Look at a node whose edges or gates changed: skip it, fail it, or let it become ready."""
    if node.archived:
        return []
    if node.status in ("ready", "held"):
        if run.failing and base_path(node.path) not in run.exempt:
            return [_abandon(state, run, node)]
        if has_lost(run, node):
            return [NodeCancelled(node.path, FASTER)]
        _offer(state, run, node)
        return []
    if node.status != "blocked" or node.parent is not None or run.ended:
        return []
    verdict = verdict_in(run, node)
    if verdict == "wait":
        return []
    if verdict == "fail":
        failure = Failure("ExpressionError", node.blocking, "validation")
        return fail_node(state, run, node, failure)
    if verdict == "skip":
        return [NodeSkipped(node.path, _dead_reason(run, node))]
    if has_lost(run, node):
        return [NodeCancelled(node.path, FASTER)]
    if run.failing and node.path not in run.exempt:
        return [NodeCancelled(node.path, run.message)]
    if node.plan.when is not None:
        try:
            if not node.plan.when.truth(node_scope(state, run, node)):
                return [NodeSkipped(node.path, f"when is false: {node.plan.node.when}")]
        except ExpressionError as error:
            return fail_expression(state, run, node, "when", error)
    become(run, node, "ready")
    _offer(state, run, node)
    return []


def _offer(state: EngineState, run: RunState, node: NodeState) -> None:
    """Queue a ready node, or keep it at its gate."""
    if node.gate is not None and node.manual is None:
        become(run, node, "held")
    else:
        enqueue(state, run, node)


def _how(status: str) -> str:
    active = status in ("succeeded", "failed")
    return f"has {status}" if active else f"was {status}"


def _is_taken_unless(edge: PlanEdge, source: NodeState) -> bool:
    """Whether nothing but its condition keeps an edge from being taken."""
    if source.status in EFFECTIVE:
        return edge.matches("success", source.port)
    return source.status == "failed" and edge.matches("failure", source.port)


def _dead_reason(run: RunState, node: NodeState) -> str:
    for edge in node.plan.incoming:
        if node.edges is not None and node.edges[edge.slot] == DEAD:
            source = run.nodes[edge.source]
            if edge.stands_in:
                return f"stands in for {edge.source}, which did without it"
            if _is_taken_unless(edge, source):
                return f"the condition of the edge from {edge.source} is false"
            port = f" by port {source.port}" if source.port and edge.port else ""
            wanted = f", port {edge.port}" if edge.port else ""
            return f"needs {edge.source} (on {edge.on}{wanted}), which {_how(source.status)}{port}"
    return "no incoming edge was taken"
