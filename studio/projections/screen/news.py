"""What happened to the shown run that a person looking elsewhere on the screen should be told in a line."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

from studio.core.standing import needs_person, phase_of
from studio.core.state import NodeState, RunState
from studio.core.transitions import EFFECTIVE, IN_FLIGHT
from studio.projections.json_text import json_text
from studio.projections.layout import clean
from studio.projections.listing import seconds_taken
from studio.projections.screen.actions import key_of
from studio.projections.screen.again import risk_of
from studio.projections.screen.consequences import named
from studio.projections.screen.graph import duration_text, needs_in_order
from studio.projections.screen.rules import NO_KEYS, Keys
from studio.projections.states import node_look, run_look
from studio.projections.text import sanitise

RESULT = 200
"""Characters of a run's result at most: two lines at 120 columns."""

TEXT = 120
"""Characters of an error at most: the inspector has all of it."""


class Standing(NamedTuple):
    """What news are told against.

    Args:
        run: number of the run.
        needy: nodes and items that needed a person.
        ended: whether it had ended.
        asks: stale nodes about which a person had to decide.
    """

    run: int
    needy: frozenset[str]
    ended: bool
    asks: frozenset[str] = frozenset()


class News(NamedTuple):
    """One line, how it is meant, and whether it asks something: then no notice of another kind takes its place."""

    text: str
    kind: Literal["good", "warning"]
    asks: bool = False


def standing_of(run: RunState, asks: Sequence[str] = ()) -> Standing:
    """How a run stands now; ``asks`` are stale nodes about which a person has to decide."""
    needy = frozenset(path for path, node in run.nodes.items() if needs_person(node))
    return Standing(run.number, needy, run.ended, frozenset(asks))


def news_since(
    before: Standing | None,
    run: RunState,
    selected: str | None,
    asks: Sequence[str] = (),
    keys: Keys = NO_KEYS,
    masked: Callable[[Any], Any] = lambda value: value,
) -> News | None:
    """What is new since it stood so; None when nothing is, or another run was shown.

    Args:
        before: how the shown run stood when it was last looked at.
        run: the shown run.
        selected: the selected node: who looks at it needs no way to it.
        asks: stale nodes about which a person has to decide.
        keys: the person's own keys by action id.
        masked: covers what is sensitive in the outputs of the run.
    """
    if before is None or before.run != run.number:
        return None
    if run.ended and not before.ended:
        look = run_look(run, phase_of(run), driven=True)
        took = duration_text(seconds_taken(run, 0.0))
        good = run.phase == "succeeded" and not asks
        result = result_text(masked(run.outputs)) if good and run.outputs else ""
        stale = f" · stale: {named(list(asks))}, {key_of(keys, 'rerun')} decides" if asks else ""
        said = f"run {run.number} {look.word} in {took}{stale}"
        return News(f"{said}: {result}" if result else said, "good" if good else "warning")
    new = [path for path in needs_in_order(run) if path not in before.needy]
    if not new:
        fresh = [path for path in asks if path not in before.asks]
        return News(_decision(run, fresh, keys), "warning", asks=True) if fresh else None
    way = "" if new == [selected] else f" · {key_of(keys, 'next_need')} goes there"
    said = _matter(run.nodes[new[0]], keys) if len(new) == 1 else f"{named(new)} need you"
    before_them = len(needs_in_order(run)) - len(new)
    if before_them and len(new) > 1:
        said += f", and {before_them} more"
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


def result_text(outputs: Any) -> str:
    """What a run came to, in a line: ``day = "monday", rows = 3``; a long text is cut, the Result tab has all."""
    if not isinstance(outputs, dict):
        text = json_text(outputs, indent=None)
    else:
        parts = [f"{key} = {json_text(value, indent=None)}" for key, value in outputs.items()]
        text = ", ".join(parts)
    text = clean(text[: 2 * RESULT])
    return text if len(text) <= RESULT else f"{text[: RESULT - 1]}…"


def _decision(run: RunState, stale: list[str], keys: Keys) -> str:
    """What has to be decided about stale nodes: once for all of them."""
    one = len(stale) == 1
    why = f", and it {risk_of(run.nodes[stale[0]])}" if one else ", and they have acted"
    who = f"{named(stale)} {'is' if one else 'are'} stale{why}"
    return f"{key_of(keys, 'rerun')}: run again, undo first, or keep? · {who}"


def _matter(node: NodeState, keys: Keys) -> str:
    failure = node.failure
    if node.gate == "breakpoint":
        return f"{clean(node.path)} stands at a breakpoint: {key_of(keys, 'continue')} continues"
    said = f"{clean(node.path)} {node_look(node).word}"
    if failure is None or node.status == "held":
        return said
    text = sanitise(f"{failure.type}: {failure.message}".partition("\n")[0])
    return f"{said}: {text if len(text) <= TEXT else text[: TEXT - 1] + '…'}"
