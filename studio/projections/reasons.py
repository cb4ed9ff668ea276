"""Why a node is in its state, for people and machines."""

from __future__ import annotations

from typing import Any

from studio.core.endings import phase_of
from studio.core.starts import gate_of
from studio.core.state import DEAD, TAKEN, EngineState, NodeState, RunState
from studio.projections.history_lines import failure_text
from studio.projections.masking import mask_run
from studio.projections.run_document import disposition_text, find_node, reason_of, state_of
from studio.projections.text import sanitise


def reasons_of(state: EngineState, run: RunState, path: str) -> dict[str, Any]:
    """Why a node is in its state: a document with ``run``, ``node``, ``state`` and ``reasons``.

    Each reason has a ``kind``, a ``text`` and the ``node`` it points at (None when it points at none).

    Raises:
        NotFoundError: the run has no such node.
    """
    node = find_node(run, path)
    mask = mask_run(state, run)
    reasons = [
        {"kind": kind, "text": mask.text(text), "node": about}
        for kind, text, about in _reasons(run, node)
    ]
    return {"run": run.number, "node": path, "state": state_of(run, node), "reasons": reasons}


Reason = tuple[str, str, str | None]


def _reasons(run: RunState, node: NodeState) -> list[Reason]:
    found: list[Reason] = []
    if node.status == "blocked":
        found += _blocked(run, node)
    elif node.failure is not None and node.status in (
        "failed",
        "backing_off",
        "compensation_failed",
    ):
        found.append(("error", failure_text(node.failure), node.path))
        outcome = disposition_text(node.path, node.disposition)
        if node.status == "failed" and outcome:
            found.append(("outcome", outcome, None))
    else:
        said = reason_of(run, node)
        gate = gate_of(run, node) if node.status in ("ready", "held") else None
        if said:
            found.append(("gate" if gate else "cause", said, None))
        elif node.status == "ready":
            found.append(("limit", "it waits for its turn: a limit or a lock is used up", None))
    if node.by is not None:
        who = f"by {node.by.actor}" if node.by.actor else "by hand"
        found.append(("actor", f"{who}: {node.by.reason}" if node.by.reason else who, None))
    found += [("mark", mark, None) for mark in sorted(node.marks)]
    return found or [("state", f"it is {node.status}; nothing keeps it", None)]


def _blocked(run: RunState, node: NodeState) -> list[Reason]:
    if run.ended:
        return [("ended", f"the run has ended ({phase_of(run)})", None)]
    if node.parent is not None:
        return [
            (
                "parent",
                f"it waits for its turn among the items of {node.parent.path}",
                node.parent.path,
            )
        ]
    found: list[Reason] = []
    for edge in node.plan.incoming:
        verdict = node.edges[edge.slot] if node.edges is not None else 0
        source = run.nodes[edge.source]
        if verdict in (TAKEN, DEAD):
            continue
        on = "" if edge.on == "success" else f" (on {edge.on})"
        held = reason_of(run, source)
        note = f": {sanitise(held)}" if held else ""
        found.append(
            (
                "upstream",
                f"waits for {edge.source}{on}, which is {state_of(run, source)}{note}",
                edge.source,
            )
        )
    return found
