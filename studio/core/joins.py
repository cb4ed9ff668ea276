"""How the incoming edges of a node combine (language.md, "Edges")."""

from typing import Literal

from studio.core.state import BROKEN, DEAD, NodeState

Verdict = Literal["go", "skip", "fail", "wait"]


def join_verdict(node: NodeState) -> Verdict:
    """Whether the node may start, has to be skipped, fails, or waits for more of its edges.

    An edge whose condition could not be evaluated resolves like a dead one and fails the node, unless a dead
    edge skips it anyway.
    """
    total = len(node.plan.incoming)
    if total == 0:
        return "go"
    verdict = _by_counts(node, total)
    edges = node.edges
    if verdict == "wait" or edges is None or BROKEN not in edges:
        return verdict
    return "skip" if node.plan.node.join == "all" and DEAD in edges else "fail"


def _by_counts(node: NodeState, total: int) -> Verdict:
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
