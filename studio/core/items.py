"""The end of a foreach: its items' outputs become its own, or their failures do."""

import msgspec

from studio.core.decide.attempts import stops_after
from studio.core.decide.verdicts import fail_node, judge_edges, needs_output
from studio.core.events import AnyEvent, BreakpointHit, ItemsCollected, NodeCancelled
from studio.core.plan import item_path
from studio.core.scope import items_of
from studio.core.state import EngineState, NodeState, RunState
from studio.core.transitions import EFFECTIVE
from studio.model.failure import Failure


def collect(state: EngineState, run: RunState, node: NodeState) -> list[AnyEvent]:
    """Facts of a foreach some item of which has ended: none yet, no further items, or its own end."""
    items = node.items
    if items is None or node.status != "running":
        return []
    tolerant = node.plan.node.on_item_failure == "continue"
    if items.failed and not tolerant:
        waiting = [
            NodeCancelled(item_path(node.path, index), "another item failed")
            for index in items.pending
            if (item := run.nodes[item_path(node.path, index)]).status == "blocked"
            and item.manual is None
        ]
        if waiting:
            return list(waiting)
    if items.left:
        return []
    if items.failed and not tolerant:
        if all(item.status != "failed" for item in items_of(run, node)):
            return [NodeCancelled(node.path, "its items were cancelled")]
        return fail_node(state, run, node, _failure(run, node))
    output = b"[" + b",".join(_output(state, item) for item in items_of(run, node)) + b"]"
    watched = needs_output(node) or node.path in run.breakpoints
    decoded = msgspec.json.decode(output) if watched else None
    dead, broken = judge_edges(state, run, node, "success", "", decoded)
    held = stops_after(state, run, node, decoded)
    collected = ItemsCollected(
        node.path,
        output=msgspec.Raw(output),
        failed=items.failed,
        dead=dead,
        broken=broken,
        held=held,
    )
    return [collected, BreakpointHit(node.path, "after")] if held else [collected]


def _output(state: EngineState, item: NodeState) -> bytes:
    return state.raw(item.output) if item.status in EFFECTIVE else b"null"


def _failure(run: RunState, node: NodeState) -> Failure:
    """The first failed item speaks for the node."""
    failed = [
        item
        for item in items_of(run, node)
        if item.status == "cancelled" or (item.status == "failed" and item.disposition != "ignored")
    ]
    first = next((item for item in failed if item.failure is not None), None)
    count = node.items.count if node.items is not None else 0
    lead = f"{len(failed)} of {count} items did not succeed"
    if first is None or first.failure is None:
        return Failure("ItemsFailed", lead, "unexpected")
    cause = first.failure
    return Failure(
        "ItemsFailed",
        f"{lead}; first {first.path}: {cause.type}: {cause.message}"[:2000],
        cause.category,
        traceback=cause.traceback,
        file=cause.file,
        line=cause.line,
        function=cause.function,
    )
