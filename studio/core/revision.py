"""What an edit of the definition means for a run: which nodes are kept, run again, are added or removed, and why.

The rules stand in engine.md, "Revision: a file changes". One difference: a node that is running and that the new
definition no longer has makes the revision wait (a refusal), instead of being archived in mid-flight.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

import msgspec

from studio.core.plan import Plan
from studio.core.resilience.compensation import first_undone, holds_effects
from studio.core.state import NodeState, RunState
from studio.core.transitions import EFFECTIVE, IN_FLIGHT
from studio.model.nodes import Node

Change: TypeAlias = Literal[
    "unchanged", "changed", "code changed", "edges changed", "added", "removed"
]

Consequence: TypeAlias = Literal[
    "kept", "new", "run again", "retried", "stale", "finishes", "archived", "none"
]
"""What becomes of a node: ``kept`` (done and still right), ``new`` (not started: it runs under the new definition),
``run again``, ``retried`` (it had failed), ``stale`` (done, but a person has to say), ``finishes`` (running, stale
afterwards), ``archived`` (removed), ``none`` (nothing to say)."""

EDGE_KEYS = frozenset({"needs", "join", "when"})
"""Keys that decide whether a node runs, not what it does."""

IDLE_KEYS = frozenset({"name", "description", "group", "tags"})
"""Keys for people; a change of them changes nothing."""


class Verdict(NamedTuple):
    """What an edit means for one node, and why."""

    node: str
    change: Change
    consequence: Consequence
    reason: str = ""


def compare(old: Plan, new: Plan, code: Mapping[str, str]) -> dict[str, tuple[Change, str]]:
    """What changed, per node of both definitions.

    Args:
        old: the definition the run has.
        new: the one it may adopt.
        code: nodes whose code changed although their definition may not have, with the name of the function.
    """
    found: dict[str, tuple[Change, str]] = {}
    for name in new.order:
        if name not in old.nodes:
            found[name] = ("added", "")
            continue
        before, after = old.nodes[name].node, new.nodes[name].node
        keys = changed_keys(before, after)
        doing = [key for key in keys if key not in EDGE_KEYS]
        if doing:
            found[name] = ("changed", differences_text(before, after, doing))
        elif name in code:
            found[name] = ("code changed", code[name])
        elif keys:
            found[name] = ("edges changed", differences_text(before, after, keys))
        else:
            found[name] = ("unchanged", "")
    for name in old.order:
        if name not in new.nodes:
            found[name] = ("removed", "")
    return found


def changed_keys(old: Node, new: Node) -> list[str]:
    """Authored keys in which two definitions of a node differ, names for people left out."""
    before, after = old.canonical(), new.canonical()
    keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    return sorted(key for key in keys if key not in IDLE_KEYS)


class Difference(msgspec.Struct, frozen=True):
    """A field in which two definitions of a node differ, as it is written in the file, with both values in short."""

    field: str
    before: str
    after: str


def differences(old: Node, new: Node, keys: Iterable[str]) -> list[Difference]:
    """The fields behind changed keys, the smallest parts of mappings.

    Args:
        old: the definition that was.
        new: the one that is.
        keys: what `changed_keys` found, or some of it.
    """
    before, after = old.canonical(), new.canonical()
    return [
        Difference(".".join(_authored(path)), _shown(path, there), _shown(path, here))
        for key in keys
        for path, there, here in _parts(before.get(key, _MISSING), after.get(key, _MISSING), (key,))
    ]


_MISSING: Any = object()

Path: TypeAlias = tuple[str, ...]


def _parts(before: Any, after: Any, path: Path) -> Iterable[tuple[Path, Any, Any]]:
    """The smallest parts of two mappings that differ, by their keys in the model."""
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys((*before, *after)):
            yield from _parts(before.get(key, _MISSING), after.get(key, _MISSING), (*path, key))
        return
    yield path, before, after


STEPS_OF_A_NODE = frozenset({"compensate", "fallback"})
"""Keys under which something is carried out, with settings and an input like those of the node itself."""


def _authored(path: Path) -> Path:
    """How the file calls a field: the settings of a kind stand right in what they belong to, an input is ``with``."""
    depth = 1 if path[0] in STEPS_OF_A_NODE else 0
    outer, own = path[:depth], path[depth:]
    if own[:1] == ("kind",):
        return (*outer, *own[1:])
    if own[:1] == ("input",):
        return (*outer, "with", *own[1:])
    return path


SHOWN_DIFFERENCES = 3
"""Fields of which both values are told; further ones are only named."""

SHORT = 32
"""Characters of a value in a sentence about it."""


def differences_text(old: Node, new: Node, keys: Iterable[str]) -> str:
    """The fields behind changed keys in one line: ``run: sleep 3 → sleep 4, timeout: nothing → 5.0``."""
    found = differences(old, new, keys)
    texts = [f"{one.field}: {one.before} → {one.after}" for one in found[:SHOWN_DIFFERENCES]]
    return ", ".join([*texts, *(one.field for one in found[SHOWN_DIFFERENCES:])])


def _shown(path: Path, value: Any) -> str:
    if value is _MISSING:
        return "nothing"
    if path == ("needs",):
        value = ", ".join(map(_edge, value))
    lines = _text(value).strip().splitlines() or ['""']
    first = lines[0]
    cut = len(first) > SHORT or len(lines) > 1
    return (first[: SHORT - 1].rstrip() + "…") if cut else first


def _edge(edge: dict[str, Any]) -> str:
    """An edge by where it comes from, and what else is said of it."""
    source, more = edge["source"], [f"{key} {_text(edge[key])}" for key in edge if key != "source"]
    return f"{source} ({', '.join(more)})" if more else str(source)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def review(run: RunState, new: Plan, code: Mapping[str, str]) -> list[Verdict]:
    """The plan of a revision: a verdict for every node that the edit touches, in the order of the graph."""
    changes = compare(run.plan, new, code)
    verdicts: dict[str, Verdict] = {}
    for name, (change, reason) in changes.items():
        if change == "removed":
            verdicts[name] = Verdict(name, change, "archived", reason)
        elif change == "added":
            verdicts[name] = Verdict(name, change, "new", reason)
        elif change != "unchanged":
            consequence = _consequence(run.nodes[name], change)
            if consequence == "retried" and _on_undone(run, new, name):
                consequence = "new"  # it has to wait until what was undone has run again
            if consequence == "retried" and _forgets_effects(run, new, name):
                consequence = "new"  # what its items did can be undone only as long as it has them
            verdicts[name] = Verdict(name, change, consequence, reason)
    _follow(run, new, verdicts)
    order = {name: rank for rank, name in enumerate(dict.fromkeys((*new.order, *run.plan.order)))}
    return sorted(verdicts.values(), key=lambda verdict: order[verdict.node])


def is_mixed(run: RunState) -> bool:
    """Whether what stands of a run was done under more than one version of its definition or its code."""
    under = {
        node.ran_under
        for node in run.nodes.values()
        if node.attempt and not node.archived and node.status not in ("blocked", "ready", "held")
    }
    return len(under) > 1


def _on_undone(run: RunState, new: Plan, name: str) -> bool:
    before = [one for one in new.ancestors([name]) if one in run.nodes]
    return first_undone(run, [*before, name]) is not None


def _forgets_effects(run: RunState, new: Plan, name: str) -> bool:
    node = run.nodes[name]
    return is_relisted(node, new) and holds_effects(run, node)


def is_relisted(node: NodeState, new: Plan) -> bool:
    """Whether the items of a node are those of a list that a new definition has otherwise, or not at all."""
    return node.items is not None and node.plan.node.foreach != new.nodes[node.path].node.foreach


def safe(node: NodeState) -> bool:
    """Whether a done node may run again without asking: no external effect, no undo, not irreversible."""
    definition = node.plan.node
    return (
        definition.side_effects != "external"
        and definition.compensate is None
        and not definition.irreversible
    )


def _consequence(node: NodeState, change: Change) -> Consequence:
    if node.status in IN_FLIGHT:
        return "finishes" if change != "edges changed" else "kept"
    if node.status in EFFECTIVE:
        if change == "edges changed":
            return "kept"
        return "run again" if safe(node) else "stale"
    if node.status in ("failed", "backing_off"):
        retriable = node.plan.node.side_effects != "external" and change != "edges changed"
        return "retried" if retriable else "new"
    if node.status in ("compensated", "compensation_failed", "in_doubt"):
        return "none"
    return "new"


def _follow(run: RunState, new: Plan, verdicts: dict[str, Verdict]) -> None:
    """What has run behind a node that runs again does so too, if its input turns out different.

    The walk ends at a node that may not run again without asking: it becomes stale, and what it feeds stays.
    """
    stack = [name for name, verdict in verdicts.items() if verdict.consequence == "run again"]
    while stack:
        source = stack.pop()
        for edge in new.nodes[source].outgoing:
            node = run.nodes.get(edge.target)
            known = verdicts.get(edge.target)
            if node is None or node.status not in EFFECTIVE:
                continue
            if known is not None and known.consequence != "kept":
                continue
            change: Change = known.change if known is not None else "unchanged"
            reason = f"follows {source}; runs again if its input differs"
            if safe(node):
                verdicts[edge.target] = Verdict(edge.target, change, "run again", reason)
                stack.append(edge.target)
            else:
                reason = f"follows {source}, which runs again"
                verdicts[edge.target] = Verdict(edge.target, change, "stale", reason)


def blocking_removal(run: RunState, new: Plan) -> str | None:
    """A running node that the new definition does not have, None when there is none."""
    for path, node in run.nodes.items():
        base = node.parent.path if node.parent is not None else path
        if base not in new.nodes and node.status in IN_FLIGHT and not node.archived:
            return path
    return None


def names(verdicts: Iterable[Verdict], *changes: str) -> tuple[str, ...]:
    """Nodes with one of the given changes."""
    return tuple(verdict.node for verdict in verdicts if verdict.change in changes)


def with_consequence(verdicts: Iterable[Verdict], consequence: str) -> tuple[str, ...]:
    """Nodes with the given consequence."""
    return tuple(verdict.node for verdict in verdicts if verdict.consequence == consequence)


def summary(verdicts: Iterable[Verdict]) -> dict[str, Any]:
    """Verdicts as a document, for ``--json`` and the screen."""
    return {verdict.node: verdict._asdict() for verdict in verdicts}
