"""A run as one JSON document: ``studio run --json`` at the end, ``studio show --json`` at any time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from studio.core.gates import gate_of
from studio.core.revision import is_mixed
from studio.core.scope import items_of
from studio.core.standing import phase_of
from studio.core.state import EngineState, NodeState, RunState
from studio.core.transitions import EFFECTIVE
from studio.errors import NotFoundError
from studio.projections.masking import Mask, mask_run
from studio.projections.moments import iso_time

WITH_OUTPUT = EFFECTIVE | {"compensating", "compensated", "compensation_failed"}
"""States in which a node has returned something, undone or not."""

WITH_ERROR = frozenset({"failed", "backing_off", "in_doubt", "compensation_failed", "held"})
"""States in which the last failure still matters; a new attempt under way, or a success, has left it behind."""

GATES = {
    "pause": "the run is paused",
    "hold": "held by hand",
    "breakpoint": "stopped at a breakpoint",
    "until": "beyond the node the run goes to",
    "step": "step mode: it waits to be let go",
    "compensation": "the run is being undone",
}


def run_document(state: EngineState, run: RunState, *, owned: bool = True) -> dict[str, Any]:
    """The document of a run, in JSON types.

    Args:
        state: the state around the run, for outputs that stand in the history.
        run: the run, derived (`studio.core.turn.derive`) where it was replayed.
        owned: whether a process owns the state folder; without one a run under way was interrupted.

    Raises:
        StorageError: an output cannot be read.
    """
    mask = mask_run(state, run)
    phase = phase_of(run)
    return {
        "run": run.number,
        "workflow": run.plan.workflow.name,
        "version": run.versions[-1],
        "mixed_versions": is_mixed(run),
        "state": phase,
        "paused": run.paused,
        "interrupted": not owned and not run.paused and phase in ("running", "compensating"),
        "outputs": mask.value(run.outputs),
        "started_at": iso_time(run.started_at),
        "finished_at": iso_time(run.finished_at),
        "message": mask.text(run.message),
        "degraded": run.degraded,
        "params": mask.params(run.params),
        "nodes": {node.path: _entry(state, run, node, mask) for node in ordered_nodes(run)},
    }


def node_document(state: EngineState, run: RunState, path: str) -> dict[str, Any]:
    """The entry of one node, with what only matters when it is looked at alone.

    Raises:
        NotFoundError: the run has no such node.
        StorageError: an input or output cannot be read.
    """
    node = find_node(run, path)
    mask = mask_run(state, run)
    definition = node.plan.node
    entry = {"run": run.number, "node": path} | _entry(state, run, node, mask)
    return entry | {
        "uses": definition.uses,
        "generation": node.generation,
        "undo_attempts": node.undo_attempt,
        "input": mask.value(input_of(state, node)),
        "needs": [edge.source for edge in definition.needs],
        "side_effects": definition.side_effects,
        "traceback": mask.text(node.failure.traceback)
        if node.failure is not None and node.status in WITH_ERROR
        else "",
    }


def find_node(run: RunState, path: str) -> NodeState:
    """A node or item of a run. Raises `NotFoundError`."""
    node = run.nodes.get(path)
    if node is None:
        names = ", ".join(run.plan.order[:12])
        raise NotFoundError(f"run {run.number} has no node {path}; it has {names}")
    return node


def ordered_nodes(run: RunState) -> Iterator[NodeState]:
    """Nodes in topological order, the items of a foreach right behind it."""
    for path in run.plan.order:
        node = run.nodes[path]
        yield node
        yield from items_of(run, node)


def input_of(state: EngineState, node: NodeState) -> Any:
    """The input that the node's last attempt got, or its next one will get by an override; None before any."""
    position = node.override_input or node.input_position
    return getattr(state.event(position), "input", None) if position else None


def state_of(run: RunState, node: NodeState) -> str:
    """The state as shown: a ready node that a gate of the whole run keeps back is held."""
    if node.status == "ready" and gate_of(run, node) is not None:
        return "held"
    return node.status


def reason_of(run: RunState, node: NodeState) -> str | None:
    """Why a node is in its state, in a few words; None where the state says it all."""
    if node.status in ("ready", "held") or (node.gate is not None and node.status in EFFECTIVE):
        gate = gate_of(run, node) or node.gate
        return GATES.get(gate, gate) if gate is not None else None
    if node.status in ("skipped", "cancelled", "in_doubt"):
        return node.cause or None
    if node.status == "compensation_failed" and node.failure is None and node.cause:
        return f"its undo may have acted: {node.cause}"
    if node.status == "failed" and node.parent is not None and node.disposition == "continued":
        return _ITEM_POLICIES.get(node.plan.node.on_item_failure)
    if node.status == "failed" and node.disposition:
        return disposition_text(node.path, node.disposition) or None
    return None


def disposition_text(path: str, disposition: str) -> str:
    """What became of a failure, in words; empty where there is nothing to say."""
    if disposition == "continued" and path.endswith("]"):
        return ""  # of an item: its list decides, and tells so itself
    return _DISPOSITIONS.get(disposition, "")


_ITEM_POLICIES = {
    "continue": "the other items go on",
    "fail": "its list fails; items that had not started are cancelled",
}
_DISPOSITIONS = {
    "held": "needs you",
    "handling": "a failure branch takes care of it",
    "handled": "handled by its failure branch",
    "deferred": "what it stands in for decides",
    "tolerated": "not critical: the run goes on, degraded",
    "continued": "the run goes on and will end as failed",
    "failed": "the run fails",
    "ignored": "ignored by hand",
    "fallback": "its fallback is tried",
}


def _entry(state: EngineState, run: RunState, node: NodeState, mask: Mask) -> dict[str, Any]:
    output = state.decode(node.output) if node.status in WITH_OUTPUT else None
    reason = reason_of(run, node)
    return {
        "state": state_of(run, node),
        "attempts": node.attempt,
        "output": mask.output(node.path, output),
        "error": _error(node, mask),
        "marks": sorted({_mark(name) for name in node.marks}),
        "started_at": iso_time(node.started_at),
        "finished_at": iso_time(node.finished_at),
        "port": node.port or None,
        "reason": mask.text(reason) if reason else None,
    }


def _mark(name: str) -> str:
    return "overridden" if name.startswith("overridden") else name


def _error(node: NodeState, mask: Mask) -> dict[str, str] | None:
    failure = node.failure
    if failure is None or node.status not in WITH_ERROR:
        return None
    return {
        "type": failure.type,
        "message": mask.text(failure.message),
        "category": failure.category,
    }
