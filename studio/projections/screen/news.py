"""What happened to the shown run that a person looking elsewhere on the screen should be told in a line."""

from typing import Literal, NamedTuple

from studio.core.endings import needs_person, phase_of
from studio.core.state import NodeState, RunState
from studio.core.transitions import EFFECTIVE, IN_FLIGHT
from studio.projections.layout import clean
from studio.projections.listing import seconds_taken
from studio.projections.screen.actions import NO_KEYS, Keys, key_of
from studio.projections.screen.consequences import named
from studio.projections.screen.graph import duration_text, needs_in_order
from studio.projections.states import node_look, run_look

TEXT = 120
"""Characters of an error at most: the inspector has all of it."""


class Standing(NamedTuple):
    """What news are told against.

    Args:
        run: number of the run.
        needy: nodes and items that needed a person.
        ended: whether it had ended.
    """

    run: int
    needy: frozenset[str]
    ended: bool


class News(NamedTuple):
    """One line, and how it is meant."""

    text: str
    kind: Literal["good", "warning"]


def standing_of(run: RunState) -> Standing:
    """How a run stands now."""
    needy = frozenset(path for path, node in run.nodes.items() if needs_person(node))
    return Standing(run.number, needy, run.ended)


def news_since(
    before: Standing | None, run: RunState, selected: str | None, keys: Keys = NO_KEYS
) -> News | None:
    """What is new since it stood so; None when nothing is, or another run was shown.

    Args:
        before: how the shown run stood when it was last looked at.
        run: the shown run.
        selected: the selected node: who looks at it needs no way to it.
        keys: the person's own keys.
    """
    if before is None or before.run != run.number:
        return None
    if run.ended and not before.ended:
        look = run_look(run, phase_of(run), driven=True)
        took = duration_text(seconds_taken(run, 0.0))
        good = run.phase == "succeeded"
        return News(f"run {run.number} {look.word} in {took}", "good" if good else "warning")
    new = [path for path in needs_in_order(run) if path not in before.needy]
    if not new:
        return None
    way = "" if new == [selected] else f" · {key_of(keys, 'next_need')} goes there"
    said = _matter(run.nodes[new[0]]) if len(new) == 1 else f"{named(new)} need you"
    return News(f"{said}{way}", "warning")


def gone_on(before: Standing | None, run: RunState) -> bool:
    """Whether a node that needed a person runs again or has come to a good end, whoever saw to that."""
    if before is None or before.run != run.number:
        return False
    nodes = (run.nodes[path] for path in before.needy if path in run.nodes)
    return any(
        node.status in IN_FLIGHT or node.status in EFFECTIVE
        for node in nodes
        if not needs_person(node)
    )


def _matter(node: NodeState) -> str:
    failure = node.failure
    said = f"{clean(node.path)} {node_look(node).word}"
    if failure is None or node.status == "held":
        return said
    text = clean(f"{failure.type}: {failure.message}".partition("\n")[0])
    return f"{said}: {text if len(text) <= TEXT else text[: TEXT - 1] + '…'}"
