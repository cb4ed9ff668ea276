"""What of a run needs a person, and the commands that get it on."""

from __future__ import annotations

from typing import NamedTuple

from studio.core.endings import needs_person
from studio.core.scope import items_of
from studio.core.starts import gate_of
from studio.core.state import EngineState, NodeState, RunState
from studio.projections.history_lines import failure_text
from studio.projections.masking import mask_run
from studio.projections.run_document import reason_of
from studio.projections.text import sanitise


class Need(NamedTuple):
    """One thing that waits for a person.

    Args:
        node: path of the node.
        state: its state.
        why: what is the matter, sanitised.
        hints: commands that would get it on, without the leading ``studio``.
    """

    node: str
    state: str
    why: str
    hints: tuple[str, ...]


def needs_of(state: EngineState, run: RunState) -> list[Need]:
    """Everything in a run that waits for a person, root causes first."""
    mask = mask_run(state, run)
    found = []
    for node in run.nodes.values():
        if node.items is not None and any(needs_person(item) for item in items_of(run, node)):
            continue
        if needs_person(node) or _stopped(run, node):
            why = failure_text(node.failure) if node.failure is not None else ""
            said = why or reason_of(run, node) or ""
            found.append(Need(node.path, node.status, sanitise(mask.text(said)), _hints(run, node)))
    return found


def _stopped(run: RunState, node: NodeState) -> bool:
    """Whether step mode or run-to-node keeps it back; a pause is told for the run as a whole."""
    return node.status == "ready" and gate_of(run, node) in ("step", "until")


def _hints(run: RunState, node: NodeState) -> tuple[str, ...]:
    at = f"{run.number} {node.path}"
    if node.status == "compensation_failed":
        return (f"retry {at}", f"mark {at} succeeded --reason TEXT")
    if node.status == "in_doubt":
        return (f"mark {at} succeeded --output JSON", f"retry {at}", f"mark {at} failed")
    if node.status == "failed":
        return (f"retry {at}", f"mark {at} succeeded --output JSON", f"mark {at} failed")
    gate = gate_of(run, node) or node.gate
    if gate == "hold":
        return (f"release {at}",)
    if gate == "step":
        return (f"step {at}", f"continue {run.number}")
    return (f"continue {run.number}",) if gate == "until" else (f"continue {at}",)
