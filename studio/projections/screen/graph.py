"""The shown workflow as a graph: its nodes and edges for the layout, and what each node shows now."""

from collections.abc import Iterable

from studio.core.endings import needs_person
from studio.core.plan import Plan
from studio.core.state import DEAD, NodeState, RunState
from studio.projections.layout import LayoutEdge, LayoutNode, NodeCell, natural_width
from studio.projections.states import NODE_LOOKS, marks_of, node_look

NAME_CELLS = 28
"""Longest name in a box; longer ones are cut with an ellipsis so that one name cannot spread the drawing."""

RIGHT_CELLS = 8
"""Cells kept for the duration or countdown, so that a box does not change its size while its node runs."""


def graph_of(
    plan: Plan, only: frozenset[str] | None = None
) -> tuple[list[LayoutNode], list[LayoutEdge]]:
    """Nodes and edges for the layout.

    Args:
        plan: the shown definition.
        only: nodes to draw; None for all.
    """
    names = [name for name in plan.order if only is None or name in only]
    chosen = set(names)
    nodes = [_layout_node(plan, name) for name in names]
    edges = [
        LayoutEdge(edge.source, edge.target, edge.on)
        for name in names
        for edge in plan.nodes[name].outgoing
        if edge.target in chosen
    ]
    return nodes, edges


def _layout_node(plan: Plan, name: str) -> LayoutNode:
    node = plan.nodes[name].node
    cell = NodeCell(
        name, "○", title_of(plan, name), right="0" * RIGHT_CELLS, stack=node.foreach is not None
    )
    return LayoutNode(name, natural_width(cell), 3, node.group)


def title_of(plan: Plan, name: str) -> str:
    """What a node is called on screen: its name, cut if it is very long."""
    title = plan.nodes[name].node.name or name
    return title if len(title) <= NAME_CELLS else title[: NAME_CELLS - 1] + "…"


def plain_cell(plan: Plan, name: str, *, selected: bool = False, ascii: bool = False) -> NodeCell:
    """What a node shows while no run is shown: its name and kind."""
    look = NODE_LOOKS["blocked"]
    node = plan.nodes[name].node
    return NodeCell(
        name,
        look.ascii if ascii else look.glyph,
        title_of(plan, name),
        right=node.uses,
        state="blocked",
        selected=selected,
        stack=node.foreach is not None,
    )


def cell_of(
    run: RunState,
    node: NodeState,
    now: float,
    progress: float | None,
    *,
    selected: bool = False,
    ascii: bool = False,
) -> NodeCell:
    """What a node of a run shows at this moment.

    Args:
        now: seconds since the epoch, for durations and countdowns.
        progress: fraction the node reported, None when it reported none.
    """
    look = node_look(node)
    items = node.items
    if items is not None and items.count and node.status == "running":
        progress = 1.0 - items.left / items.count
    return NodeCell(
        node.path,
        look.ascii if ascii else look.glyph,
        title_of(run.plan, node.path),
        right=right_text(node, now, progress, look.word),
        state=node.status if node.gate != "breakpoint" else "held",
        marks=marks_of(node, ascii=ascii),
        progress=progress if node.status in ("running", "compensating") else None,
        selected=selected,
        stack=node.plan.expand is not None,
    )


def right_text(node: NodeState, now: float, progress: float | None, word: str) -> str:
    """The text at the right end of a box: duration, countdown, attempt or the state's word."""
    if node.status == "backing_off" and node.retry_at is not None:
        return f"in {duration_text(max(0.0, node.retry_at - now))}"
    if node.status == "waiting":
        until = node.wake if node.wake is not None else node.retry_at
        return f"in {duration_text(max(0.0, until - now))}" if until is not None else "waiting"
    if node.status in ("running", "compensating"):
        if node.items is not None:
            return f"{node.items.count - node.items.left}/{node.items.count}"
        if progress is not None:
            return f"{progress:.0%}"
        return duration_text(now - node.started_at) if node.started_at is not None else ""
    if node.status in ("succeeded", "compensated", "failed") and node.started_at is not None:
        if node.status == "failed" and node.attempt > 1:
            return f"try {node.attempt}"
        if node.finished_at is not None:
            return duration_text(node.finished_at - node.started_at)
    return SHORT_WORDS.get(word, word)[:RIGHT_CELLS]


SHORT_WORDS = {"blocked": "", "cancelled": "cancel", "breakpoint": "break", "undo failed": "undo ✗"}


def duration_text(seconds: float) -> str:
    """A duration in at most six cells: ``0.4s``, ``12s``, ``3m05``, ``2h07``, ``3d``."""
    seconds = max(0.0, seconds)
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    if seconds < 99.5:
        return f"{seconds:.0f}s"
    minutes, rest = divmod(int(seconds + 0.5), 60)
    if minutes < 60:
        return f"{minutes}m{rest:02d}"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours}h{minutes:02d}"
    return f"{hours // 24}d"


def dead_edges(run: RunState, edges: Iterable[LayoutEdge]) -> list[int]:
    """Indexes of edges that were not taken, for dim drawing."""
    found = []
    for index, edge in enumerate(edges):
        target = run.nodes.get(edge.target)
        if target is None or target.edges is None:
            continue
        for planned in target.plan.incoming:
            if planned.source == edge.source and target.edges[planned.slot] == DEAD:
                found.append(index)
                break
    return found


def around(plan: Plan, path: str) -> frozenset[str]:
    """A node with everything before and behind it: what focus shows."""
    return frozenset({path, *plan.ancestors([path]), *plan.descendants([path])})


def needs_in_order(run: RunState) -> list[str]:
    """Nodes and items that need a person, root causes first: in the order of the graph, items with their node."""
    found = [path for path, node in run.nodes.items() if needs_person(node)]

    def rank(path: str) -> tuple[int, int]:
        node = run.nodes[path]
        return node.plan.rank, node.index

    return sorted(found, key=rank)


def matches(plan: Plan, text: str) -> list[str]:
    """Nodes whose id or name contains a text, case aside, in the order of the graph."""
    wanted = text.casefold()
    return [
        name
        for name in plan.order
        if wanted in name.casefold() or wanted in (plan.nodes[name].node.name or "").casefold()
    ]
