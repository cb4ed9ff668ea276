"""What keeps a single ready node from starting."""

from studio.core.plan import base_path
from studio.core.state import NodeState, RunState


def gate_of(run: RunState, node: NodeState) -> str | None:
    """Why a ready node must not start although limits allow it; None when it may.

    A person's retry (``manual``) passes every gate of theirs (engine.md, invariant 11), not an undo that came later.
    """
    if run.compensation is not None:
        return "compensation"
    if node.manual is not None:
        return None
    if run.paused:
        return "pause"
    if node.gate is not None:
        return node.gate
    base = base_path(node.path)
    if run.within is not None and base not in run.within:
        return "until"
    if run.stepping and node.path not in run.allowed and base not in run.allowed:
        return "step"
    return None
