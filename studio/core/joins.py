"""How the incoming edges of a node combine (language.md, "Edges")."""

from typing import Literal

from studio.core.resilience.compensation import given_up
from studio.core.scope import items_of
from studio.core.state import BROKEN, DEAD, NodeState, RunState

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


def verdict_in(run: RunState, node: NodeState) -> Verdict:
    """The same in its run: nothing starts while something that leads right to it was undone, or given up half way.

    That has to be asked for a race that another edge has won, and for a list of which some items were undone and
    that is done all the same, as the rest of them is.
    """
    verdict = join_verdict(node)
    if verdict != "go":
        return verdict
    sources = [run.nodes[edge.source] for edge in node.plan.incoming]
    parts = [part for source in sources for part in (source, *items_of(run, source))]
    return "wait" if any(one.status == "compensated" or given_up(one) for one in parts) else "go"


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
