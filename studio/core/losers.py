"""``cancel_losers``: when a ``join: first`` starts, the slower branches are stopped (language.md, "Edges")."""

from studio.core.decide.runs import release_edges
from studio.core.events import (
    AnyEvent,
    AttemptCancelled,
    AttemptStopRequested,
    NodeCancelled,
    NodeReleased,
)
from studio.core.scope import items_of
from studio.core.state import EngineState, NodeState, RunState
from studio.core.transitions import EFFECTIVE

FASTER = "another branch was faster"

NOT_BEGUN = frozenset({"blocked", "ready", "held", "skipped", "cancelled"})


def stop_losers(state: EngineState, run: RunState, winner: NodeState) -> list[AnyEvent]:
    """Facts that end whatever only leads into a race that is won.

    A failure that a handler still works on, and what is in doubt, stay: the one ends by itself, the other needs
    a person.
    """
    found: list[AnyEvent] = []
    for name in winner.plan.losers:
        node = run.nodes[name]
        if node.items is not None and node.status == "running":
            for item in items_of(run, node):
                found += _stop(state, run, item)
        else:
            found += _stop(state, run, node)
    return found


def _stop(state: EngineState, run: RunState, node: NodeState) -> list[AnyEvent]:
    if node.status in EFFECTIVE and node.gate is not None:
        return [NodeReleased(node.path, *release_edges(state, run, node))]
    if node.settled or node.status == "in_doubt" or node.disposition == "handling":
        return []
    if node.status == "running":
        if node.stopping:
            return []
        return [AttemptStopRequested(node.path, node.attempt, "loser")]
    if node.wake is not None:
        return [AttemptCancelled(node.path, node.attempt, FASTER)]
    return [NodeCancelled(node.path, FASTER)]


def has_lost(run: RunState, node: NodeState) -> bool:
    """Whether every path of a node that has not started leads into a race that is won."""
    return node.manual is None and any(
        run.nodes[name].status not in NOT_BEGUN for name in node.plan.loses_to
    )
