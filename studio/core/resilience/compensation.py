"""Which nodes a compensation undoes, and in which order."""

import heapq
from collections.abc import Iterable
from itertools import islice

import msgspec

from studio.core.plan import base_path
from studio.core.scope import items_of
from studio.core.state import NodeState, RunState
from studio.core.transitions import EFFECTIVE


class UndoPlan(msgspec.Struct, frozen=True):
    """Steps in the order they are carried out; ``barrier`` is the irreversible node that cuts it short."""

    steps: tuple[str, ...]
    barrier: str | None


def undoable(node: NodeState) -> bool:
    """Whether the node's effect stands and it says how to take it back."""
    return node.status in EFFECTIVE and node.plan.undo is not None and node.items is None


def is_doubtful(node: NodeState) -> bool:
    """Whether the node failed in a way that may have left an effect for its undo to take back."""
    return node.uncertain and node.status == "failed" and node.plan.undo is not None


def given_up(node: NodeState) -> bool:
    """Whether the undo of the node failed and a person gave it up: its effect stands, and nobody waits for it."""
    return node.status == "compensation_failed" and node.disposition == "ignored"


def unfinished_undo(node: NodeState) -> bool:
    """Whether an earlier plan began to undo the node, did not get through, and was not given up."""
    return node.status in ("compensating", "compensation_failed") and not given_up(node)


def taken_back(node: NodeState) -> bool:
    """Whether the node was undone, or its undo given up half way: nothing may build on its output any more."""
    return node.status in ("compensated", "compensation_failed")


def first_undone(run: RunState, names: Iterable[str]) -> str | None:
    """The first of some nodes, or of their items, that nothing may build on any more; None when there is none.

    Args:
        run: the run they belong to.
        names: paths of nodes, not of items.
    """
    for name in names:
        node = run.nodes[name]
        if taken_back(node):
            return name
        for item in items_of(run, node):
            if taken_back(item):
                return item.path
    return None


def next_step(run: RunState) -> NodeState | None:
    """The first step of the plan under way that is not done, None when there is no plan or nothing left in it."""
    plan = run.compensation
    for path in islice(plan.steps, plan.position, None) if plan is not None else ():
        node = run.nodes[path]
        if undoable(node) or unfinished_undo(node):
            return node
    return None


def may_undo(run: RunState, node: NodeState) -> bool:
    """Whether the next step of the plan under way may be carried out, as far as its own run is concerned."""
    plan = run.compensation
    if plan is None or run.flying or run.paused or plan.expired:
        return False
    return node.retry_at is None and node.gate != "hold" and node.status != "compensation_failed"


def holds_effects(run: RunState, node: NodeState) -> bool:
    """Whether the node, or an item of it, has an effect that could still be undone."""
    if node.items is not None:
        return any(_stands(item) for item in items_of(run, node))
    return _stands(node)


def _stands(node: NodeState) -> bool:
    return undoable(node) or unfinished_undo(node) or given_up(node)


def plan_undo(
    run: RunState,
    among: Iterable[str] | None = None,
    *,
    force: bool = False,
    again: bool = False,
) -> UndoPlan:
    """Order the undos: reverse of the real dependencies, ties by reverse finish order.

    Args:
        run: the run to undo.
        among: paths to restrict the plan to; None for the whole run.
        force: go past nodes marked irreversible (they themselves cannot be undone).
        again: try undos again that a person has given up.
    """
    wanted = None if among is None else set(among)
    steps: list[str] = []
    for node in _backwards(run):
        parts = [node] if node.items is None else list(items_of(run, node))
        if wanted is not None and node.path not in wanted:
            parts = [part for part in parts if part.path in wanted]
            if not parts:
                continue
        if node.plan.node.irreversible and _acted(run, node) and not force:
            return UndoPlan(tuple(steps), node.path)
        parts.sort(key=lambda part: part.finished_position, reverse=True)
        steps.extend(part.path for part in parts if _is_step(part, again))
    return UndoPlan(tuple(steps), None)


def _is_step(node: NodeState, again: bool) -> bool:
    return undoable(node) or unfinished_undo(node) or (again and given_up(node))


def _acted(run: RunState, node: NodeState) -> bool:
    """Whether the node, or any item of it, has an effect, declared undoable or not."""
    return node.status in EFFECTIVE or any(item.status in EFFECTIVE for item in items_of(run, node))


def _backwards(run: RunState) -> Iterable[NodeState]:
    """Every node after all that depend on it; among free ones the last finished first."""
    left = {name: len(planned.outgoing) for name, planned in run.plan.nodes.items()}
    free = [_key(run, name) for name, count in left.items() if count == 0]
    # Nodes that a revision removed have no edges any more; their finish order places them.
    free += [
        _key(run, path) for path, node in run.nodes.items() if node.archived and not node.parent
    ]
    heapq.heapify(free)
    while free:
        name = heapq.heappop(free)[2]
        yield run.nodes[name]
        planned = run.plan.nodes.get(name)
        for edge in planned.incoming if planned is not None else ():
            left[edge.source] -= 1
            if left[edge.source] == 0:
                heapq.heappush(free, _key(run, edge.source))


def _key(run: RunState, name: str) -> tuple[int, int, str]:
    """Nodes without an undo go first, so that they never delay the choice among those with one."""
    node = run.nodes[name]
    if node.plan.undo is None and not node.plan.node.irreversible:
        return (0, 0, name)
    return (1, -node.finished_position, name)


def standing_dependants(run: RunState, paths: Iterable[str]) -> list[str]:
    """Nodes that follow one of ``paths`` and whose undoable effect still stands."""
    chosen = {base_path(path) for path in paths}
    return [
        name
        for name in run.plan.descendants(chosen)
        if name not in chosen and holds_effects(run, run.nodes[name])
    ]
