"""How a node's state, its edges and the counts of its run change together."""

import heapq
from collections import deque
from typing import NamedTuple

from studio.core.joins import join_verdict
from studio.core.plan import PlanEdge, item_path
from studio.core.state import (
    BROKEN,
    DEAD,
    TAKEN,
    UNRESOLVED,
    EngineState,
    Former,
    NodeState,
    RunState,
)
from studio.core.transitions import EFFECTIVE, TRANSITIONS, Status

FREE = frozenset({"blocked", "ready"})


class IllegalTransitionError(AssertionError):
    """An event asked for a transition that the table does not have: a defect of `decide`."""


def become(run: RunState, node: NodeState, status: Status, disposition: str = "") -> None:
    """Bring a node into a state, keeping the counts of the run and of a foreach right.

    Raises `IllegalTransitionError` when the table has no such transition.
    """
    old = node.status
    if status != old and status not in TRANSITIONS[old]:
        raise IllegalTransitionError(
            f"{node.path}: {old} -> {status}; legal: {', '.join(sorted(TRANSITIONS[old]))}"
        )
    was = node.settled
    if node.parent is None:
        node.status = status
        node.disposition = disposition
        if status != old and not node.archived:
            counts = run.counts
            counts[old] -= 1
            counts[status] = counts.get(status, 0) + 1
        run.open += was - node.settled
    else:
        before = _tally(node)
        node.status = status
        node.disposition = disposition
        _count_item(run, node.parent, node, before)
    if node.settled and not was and node.plan.is_handler:
        notify_sources(run, node)


class _Tally(NamedTuple):
    """What an item adds to the counts of its foreach."""

    settled: bool
    failed: bool
    active: bool


def _tally(item: NodeState) -> _Tally:
    """An item is active from ``ready`` on; one that waits for a person leaves its place to the next."""
    settled = item.settled
    failed = settled and (
        item.status == "cancelled" or (item.status == "failed" and item.disposition != "ignored")
    )
    active = not settled and item.status not in ("blocked", "failed", "in_doubt")
    return _Tally(settled, failed, active)


def _count_item(run: RunState, parent: NodeState, item: NodeState, before: _Tally) -> None:
    items = parent.items
    if items is None:
        return
    after = _tally(item)
    items.failed += after.failed - before.failed
    items.left += before.settled - after.settled
    items.active += after.active - before.active
    if after.settled and not before.settled and (items.left == 0 or after.failed):
        run.collecting.append(parent.path)
    if before.active and not after.active:
        feed_items(run, parent)


def regate(run: RunState, node: NodeState, gate: str | None) -> None:
    """Close (with its reason) or open the gate of a node that may already be finished."""
    if node.parent is not None:
        before = _tally(node)
        node.gate = gate
        _count_item(run, node.parent, node, before)
        return
    was = node.settled
    node.gate = gate
    run.open += was - node.settled
    if node.settled and not was and node.plan.is_handler:
        notify_sources(run, node)


def notify_sources(run: RunState, handler: NodeState) -> None:
    """A node that handles failures or stands in is resolved: look at the failures it was taken for."""
    for edge in handler.plan.incoming:
        if (
            (edge.handles or edge.stands_in)
            and handler.edges is not None
            and handler.edges[edge.slot] == TAKEN
        ):
            run.handling.append(edge.source)


def resolve(
    run: RunState,
    node: NodeState,
    outcome: str,
    position: int,
    dead: tuple[int, ...] = (),
    broken: dict[int, str] | None = None,
) -> None:
    """Resolve the outgoing edges of a finished node; ``outcome`` is success, failure or none."""
    node.resolved = True
    if node.parent is not None or node.archived:
        return
    if node.plan.plain and not dead and not broken:
        verdict = TAKEN if outcome == "success" else DEAD
        for edge in node.plan.outgoing:
            set_edge(run, edge, verdict, position)
        return
    for edge in node.plan.outgoing:
        if broken and edge.index in broken:
            run.nodes[edge.target].blocking = broken[edge.index]
            set_edge(run, edge, BROKEN, position)
        elif edge.stands_in and node.standing_in and outcome != "none":
            set_edge(run, edge, TAKEN, position)
        elif outcome == "none" or edge.index in dead or not edge.matches(outcome, node.port):
            set_edge(run, edge, DEAD, position)
        else:
            set_edge(run, edge, TAKEN, position)


def set_edge(run: RunState, edge: PlanEdge, verdict: int, position: int) -> None:
    """Record what an edge has come to; its target is looked at again."""
    target = run.nodes[edge.target]
    edges = target.edges
    if edges is None:
        return
    old = edges[edge.slot]
    skipped = target.status == "skipped" and is_automatic(target) and join_verdict(target) == "skip"
    if old != verdict:
        target.age = position
        edges[edge.slot] = verdict
        target.taken += (verdict == TAKEN) - (old == TAKEN)
        target.dead += (verdict in (DEAD, BROKEN)) - (old in (DEAD, BROKEN))
    if target.status in FREE or target.status == "held":
        waits = target.status == "blocked" or target.retry_at is not None
        if not waits and target.manual is None and join_verdict(target) != "go":
            become(run, target, "blocked")
        run.unsettled.append(target.path)
    elif skipped and join_verdict(target) != "skip":
        # The edges no longer ask for the skip (late success); a skip by `when` is not judged again.
        revive(run, target, position)


def is_automatic(node: NodeState) -> bool:
    """Whether a node was skipped or cancelled by the engine, so that the engine may take it back."""
    return (
        node.status in ("skipped", "cancelled") and node.by is None and "marked" not in node.marks
    )


def unresolve(run: RunState, node: NodeState, position: int) -> None:
    """Take back the outgoing edges of a node that is to run again.

    What was skipped or cancelled because of them returns to ``blocked`` (late success), what was ready waits
    again; what has run stays as it is.
    """
    stack = [node]
    while stack:
        source = stack.pop()
        source.resolved = False
        if source.parent is not None or source.archived:
            continue
        for edge in source.plan.outgoing:
            target = run.nodes[edge.target]
            edges = target.edges
            if edges is None or edges[edge.slot] == UNRESOLVED:
                continue
            old = edges[edge.slot]
            before = join_verdict(target)
            edges[edge.slot] = UNRESOLVED
            target.taken -= old == TAKEN
            target.dead -= old in (DEAD, BROKEN)
            target.age = position
            if target.status in ("ready", "held"):
                become(run, target, "blocked")
            elif is_automatic(target) and (
                target.status == "cancelled" or join_verdict(target) != before
            ):
                stack.append(_reopen(run, target, position))


def withdraw(run: RunState, node: NodeState, position: int) -> None:
    """An effect was taken back in a run that goes on: what follows must not start on it."""
    plan = run.compensation
    if plan is None or plan.final:
        return
    top = node.parent or node
    if top.gate is not None:
        regate(run, top, None)  # a list that stopped behind its success is not let go any more
    if top.resolved:
        unresolve(run, top, position)


def revive(run: RunState, node: NodeState, position: int) -> None:
    """Bring an automatically skipped or cancelled node back to ``blocked``, and what followed from it."""
    unresolve(run, _reopen(run, node, position), position)


def _reopen(run: RunState, node: NodeState, position: int) -> NodeState:
    become(run, node, "blocked")
    node.cause = ""
    node.failure = None
    node.age = position
    run.unsettled.append(node.path)
    run.sweep = run.sweep or run.failing
    return node


def reopen_parent(run: RunState, item: NodeState, position: int) -> None:
    """An item of a finished foreach goes on: the foreach is open again, and what waits for it waits."""
    parent = item.parent
    if parent is None or parent.status == "running":
        return
    if parent.resolved:
        unresolve(run, parent, position)
    become(run, parent, "blocked")
    become(run, parent, "running")
    run.collecting.append(parent.path)


def requeue_item(run: RunState, parent: NodeState, item: NodeState) -> None:
    """Let an item run again as soon as ``max_parallel`` has a place for it, before those not yet started."""
    items = parent.items
    if items is None:
        return
    become(run, item, "blocked")
    if item.index in items.pending:
        items.pending.remove(item.index)
    limit = parent.plan.node.max_parallel or items.count
    if items.active < limit:
        become(run, item, "ready")
        run.unsettled.append(item.path)
    else:
        items.pending.appendleft(item.index)


def put_back(run: RunState, item: NodeState) -> None:
    """A ready item gives its place back and waits for one again, in the order of the list."""
    parent = item.parent
    if parent is None or parent.items is None:
        return
    become(run, item, "blocked")
    parent.items.pending = deque(sorted({*parent.items.pending, item.index}))


def drop_items(run: RunState, node: NodeState, count: int) -> None:
    """Forget the items of a round; their attempts stay unique, and their idempotency keys move on."""
    former = node.former or {}
    for index in range(count):
        item = run.nodes.pop(item_path(node.path, index))
        ran = item.status in EFFECTIVE or item.status in ("compensated", "compensation_failed")
        former[index] = Former(
            item.attempt, item.undo_attempt, item.generation + ran, item.override_input
        )
    node.former = former
    node.items = None


def feed_items(run: RunState, parent: NodeState) -> None:
    """Let the next items of a foreach become ready, as far as ``max_parallel`` allows."""
    items = parent.items
    if items is None or parent.status != "running":
        return
    spoilt = items.failed and parent.plan.node.on_item_failure != "continue"
    limit = parent.plan.node.max_parallel or items.count
    while items.pending and items.active < limit:
        item = run.nodes[item_path(parent.path, items.pending[0])]
        if spoilt and item.status == "blocked" and item.manual is None:
            return
        items.pending.popleft()
        if item.status == "blocked":
            become(run, item, "ready")
            run.unsettled.append(item.path)


def enqueue(state: EngineState, run: RunState, node: NodeState) -> None:
    """Put a ready node into its run's queue: priority, then age, then place in the file.

    Its age is the position of the last event that changed whether it may start; a pause or step mode does not,
    so that whoever they stop keeps the place in line.
    """
    order = node.index if node.parent is not None else node.plan.rank
    heapq.heappush(run.queue, (node.plan.priority, node.age, order, node.path))
    state.flow.dirty[run.number] = None
