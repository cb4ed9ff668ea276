"""How the incoming edges of a node combine (language.md, "Edges")."""

from typing import Literal

from studio.core.state import BROKEN, NodeState

Verdict = Literal["go", "skip", "wait"]


def join_verdict(node: NodeState) -> Verdict:
    """Whether the node may start, has to be skipped, or waits for more of its edges.

    An edge whose condition could not be evaluated counts as dead here; `has_broken` tells it apart.
    """
    total = len(node.plan.incoming)
    if total == 0:
        return "go"
    taken, dead = node.taken, node.dead
    join = node.plan.node.join
    if join == "all":
        if dead:
            return "skip"
        return "go" if taken == total else "wait"
    if join == "first" and taken:
        return "go"
    if taken + dead < total:
        return "wait"
    return "go" if taken or join == "settled" else "skip"


def has_broken(node: NodeState) -> bool:
    """Whether the condition of an incoming edge could not be evaluated."""
    return node.edges is not None and BROKEN in node.edges
