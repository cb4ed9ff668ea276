"""How a run and its nodes stand, as whoever looks at them has to know it. Nothing is decided here."""

from studio.core.gates import gate_of
from studio.core.resilience.compensation import given_up, may_undo, next_step
from studio.core.state import NodeState, RunState
from studio.core.transitions import EFFECTIVE, Phase


def phase_of(run: RunState) -> Phase:
    """What the run shows: its phase, or ``attention`` when only a person can get it on."""
    if run.ended:
        return run.phase
    if run.flying or run.waits:
        return run.phase
    if run.compensation is not None:
        if run.paused and not run.compensation.expired:
            return "compensating"
        # A step that may go on, and does not, waits for a lock or for a place in the engine.
        step = next_step(run)
        return "compensating" if step is not None and may_undo(run, step) else "attention"
    if run.paused:
        return run.phase
    if not run.open:
        return "attention" if in_doubt(run) else run.phase
    # A node that waits for a lock is neither queued nor in flight; at rest a look at all nodes is affordable.
    waits_for_lock = any(
        node.status == "ready" and gate_of(run, node) is None for node in run.nodes.values()
    )
    return run.phase if waits_for_lock else "attention"


def in_doubt(run: RunState) -> bool:
    """Whether a person has to say what became of some node or item."""
    return any(node.status == "in_doubt" for node in run.nodes.values())


def needs_person(node: NodeState) -> bool:
    """Whether a node waits for a person."""
    if given_up(node) or (node.archived and node.status not in ("in_doubt", "compensation_failed")):
        return False
    return (
        node.status in ("in_doubt", "compensation_failed", "held")
        or node.disposition == "held"
        or (node.status in EFFECTIVE and node.gate is not None)
    )


def orphan(run: RunState) -> None:
    """Note for readers which nodes were in flight when the engine of a run died: nobody knows how they stand.

    That no engine has the run is told by no event; who takes it up folds it anew.
    """
    for node in run.nodes.values():
        node.orphaned = node.status in ("running", "compensating")
