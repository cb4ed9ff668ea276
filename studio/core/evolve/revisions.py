"""What the adoption of another definition does to the state."""

from studio.core.events import EdgeVerdict, Record, RunRevised
from studio.core.evolve.graph import is_automatic, resolve, revive
from studio.core.joins import join_verdict
from studio.core.plan import base_path
from studio.core.state import EngineState, NodeState, RunState
from studio.core.transitions import EFFECTIVE, IN_FLIGHT

NO_VERDICT = EdgeVerdict()


def on_revised(state: EngineState, run: RunState, event: RunRevised, record: Record) -> None:
    """Put the new definition under the nodes; every edge is resolved anew from what its source came to."""
    plan = state.plans[event.version]
    run.plan = plan
    run.revision = event.revision
    run.versions.append(event.version)
    for path, node in run.nodes.items():
        base = base_path(path)
        if base in plan.nodes:
            node.plan = plan.nodes[base]
        elif not node.archived:
            _archive(run, node)
    for name in plan.order:
        known = run.nodes.get(name)
        if known is None or known.archived:
            _add(run, name)
    _rebuild_edges(run, event, record.position)
    for name in event.changed:
        changed = run.nodes.get(name)
        if changed is not None and changed.status not in IN_FLIGHT:
            # The input is computed again: its recipe may be another one.
            changed.input_position = changed.input_attempt = 0


def _archive(run: RunState, node: NodeState) -> None:
    was = node.settled
    node.archived = True
    if node.parent is None:
        run.counts[node.status] -= 1
        run.open += was - node.settled


def _add(run: RunState, name: str) -> None:
    run.nodes[name] = NodeState(name, run.plan.nodes[name])
    run.counts["blocked"] = run.counts.get("blocked", 0) + 1
    run.open += 1


def _rebuild_edges(run: RunState, event: RunRevised, position: int) -> None:
    skipped = [
        node
        for node in run.nodes.values()
        if node.status == "skipped"
        and is_automatic(node)
        and (join_verdict(node) == "skip" or node.path in event.changed)
    ]
    for name, planned in run.plan.nodes.items():
        node = run.nodes[name]
        node.edges = bytearray(len(planned.incoming)) if planned.incoming else None
        node.taken = node.dead = 0
        node.blocking = None
        if node.status in ("blocked", "ready", "held"):
            run.unsettled.append((name, position))
    for name in run.plan.order:
        node = run.nodes[name]
        if not node.resolved:
            continue
        verdict = event.edges.get(name, NO_VERDICT)
        outcome = (
            "success"
            if node.status in EFFECTIVE
            else "failure"
            if node.status == "failed"
            else "none"
        )
        resolve(run, node, outcome, position, verdict.dead, verdict.broken)
    for node in skipped:
        if not node.archived and join_verdict(node) != "skip":
            revive(run, node, position)
