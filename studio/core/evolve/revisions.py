"""What the adoption of another definition does to the state."""

from studio.core.events import CodeAdopted, EdgeVerdict, Record, RunRevised
from studio.core.evolve.flights import clear_timer
from studio.core.evolve.graph import (
    become,
    drop_items,
    is_automatic,
    regate,
    resolve,
    revive,
    set_edge,
)
from studio.core.joins import join_verdict
from studio.core.plan import base_path
from studio.core.resilience.compensation import holds_effects
from studio.core.scope import items_of
from studio.core.state import TAKEN, EngineState, NodeState, RunState
from studio.core.transitions import EFFECTIVE, IN_FLIGHT

NO_VERDICT = EdgeVerdict()


def on_revised(state: EngineState, run: RunState, event: RunRevised, record: Record) -> None:
    """Put the new definition under the nodes; every edge is resolved anew from what its source came to."""
    plan = state.plans[event.version]
    run.plan = plan
    run.revision = event.revision
    run.versions.append(event.version)
    run.pin = event.pin or run.pin
    run.adopt()
    for path, node in run.nodes.items():
        base = base_path(path)
        if base in plan.nodes:
            node.plan = plan.nodes[base]
        elif not node.archived:
            _archive(state, run, node)
    for name in plan.order:
        known = run.nodes.get(name)
        if known is None:
            _add(run, NodeState(name, plan.nodes[name]))
        elif known.archived:
            _bring_back(run, known)
    _rebuild_edges(run, event, record.position)
    state.flow.dirty[run.number] = None
    for name in event.changed:
        changed = run.nodes.get(name) if name not in event.rewired else None
        if changed is not None and changed.status not in IN_FLIGHT:
            # The input is computed again: its recipe may be another one.
            changed.input_position = changed.input_attempt = 0


def on_code_adopted(state: EngineState, run: RunState, event: CodeAdopted, record: Record) -> None:
    """What starts from now on starts with this code."""
    run.pin = event.pin
    run.adopt()


def _archive(state: EngineState, run: RunState, node: NodeState) -> None:
    if node.status in ("ready", "held"):
        become(run, node, "blocked")
    regate(run, node, None)
    was = node.settled
    node.archived = True
    clear_timer(state, run, "retry", node.path)
    node.retry_at = None
    if node.parent is None:
        run.counts[node.status] -= 1
        run.open += was - node.settled


def _add(run: RunState, node: NodeState) -> None:
    run.nodes[node.path] = node
    run.counts[node.status] = run.counts.get(node.status, 0) + 1
    run.open += not node.settled


def _bring_back(run: RunState, old: NodeState) -> None:
    """A removed node is defined again. An effect of it that can be undone is not forgotten; else it begins anew."""
    if holds_effects(run, old):
        for node in (old, *items_of(run, old)):
            node.archived = False
            node.mark("stale")
        _add(run, old)
        return
    node = NodeState(old.path, run.plan.nodes[old.path])
    ran = old.status in EFFECTIVE or old.status == "compensated"
    node.attempt, node.undo_attempt = old.attempt, old.undo_attempt
    node.generation = old.generation + ran
    if old.items is not None:
        drop_items(run, old, old.items.count)
    node.former = old.former
    _add(run, node)


def _rebuild_fallback(run: RunState, node: NodeState, position: int) -> None:
    """Another node is to stand in for this one, unless the new definition has none for it any more."""
    edge = node.plan.stand_in_edge
    if edge is not None:
        set_edge(run, edge, TAKEN, position)
    run.handling.append(node.path)


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
        node.blocking = ""
        if node.status in ("ready", "held") and node.manual is None and node.retry_at is None:
            # Its edges may be others now; whether it may start is judged anew.
            become(run, node, "blocked")
        if node.status in ("blocked", "ready", "held"):
            node.age = node.age or position
            run.unsettled.append(name)
        if node.disposition == "handling":
            run.handling.append(name)
    run.unsettled.extend(
        path
        for path, item in run.nodes.items()
        if item.parent is not None and item.status == "ready"
    )
    for name in run.plan.order:
        node = run.nodes[name]
        if node.disposition == "fallback":
            _rebuild_fallback(run, node, position)
        if not node.resolved:
            continue
        verdict = event.edges.get(name, NO_VERDICT)
        outcome = (
            "success"
            if node.status in EFFECTIVE
            else "failure"
            if node.status in ("failed", "in_doubt")
            else "none"
        )
        resolve(run, node, outcome, position, verdict.dead, verdict.broken)
    for node in skipped:
        if not node.archived and join_verdict(node) != "skip":
            revive(run, node, position)
