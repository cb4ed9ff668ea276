"""Stale nodes: which there are, and about which of them a person is asked before they run again."""

from collections.abc import Mapping

from studio.core.revision import safe
from studio.core.state import NodeState, RunState
from studio.core.transitions import EFFECTIVE


def stale_in_order(run: RunState) -> list[str]:
    """Stale nodes in the order of the graph."""
    return [path for path in run.plan.order if "stale" in run.nodes[path].marks]


def acts_again(node: NodeState) -> bool:
    """Whether the node has acted and running it again is a question."""
    return node.status in EFFECTIVE and not safe(node)


def open_questions(run: RunState, kept: Mapping[str, int]) -> list[str]:
    """Stale nodes that nothing but a person may have run again, in the order of the graph.

    Args:
        run: the run.
        kept: nodes that a person has decided to keep, with what made them stale: position of its record.
    """
    return [
        path
        for path in stale_in_order(run)
        if acts_again(run.nodes[path]) and kept.get(path) != run.nodes[path].staled_position
    ]
