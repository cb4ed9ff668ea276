"""The shown workflow as a graph: its nodes and edges for the layout, and what each node shows now."""

from collections.abc import Mapping, Sequence

import msgspec

from studio.core.plan import Plan, item_path
from studio.core.standing import needs_person
from studio.core.state import ItemsState, NodeState, RunState
from studio.core.transitions import IN_FLIGHT
from studio.projections.layout import (
    LayoutEdge,
    LayoutNode,
    NodeCell,
    Segment,
    cell_width,
    clean,
    fit,
    group_id,
    least_width,
    natural_width,
)
from studio.projections.listing import attempt_seconds
from studio.projections.moments import whole
from studio.projections.signs import RESOLVED
from studio.projections.states import NODE_LOOKS, kept_by_step, marks_of, node_look

NAME_CELLS = 28
"""Longest name in a box; longer ones are cut with an ellipsis so that one name cannot spread the drawing."""

RIGHT_CELLS = 7
"""Cells kept for the duration, countdown or word, so that a box does not change its size while its node runs."""

GRID_ROWS = 3
"""Rows of item glyphs in the box of a foreach, at most."""

URGENCY: dict[str, int] = {
    "failed": 9,
    "compensation_failed": 9,
    "in_doubt": 8,
    "held": 7,
    "running": 6,
    "compensating": 6,
    "waiting": 5,
    "backing_off": 5,
    "ready": 4,
    "succeeded": 3,
    "reused": 3,
    "compensated": 3,
    "skipped": 2,
    "cancelled": 2,
    "blocked": 1,
}
"""Which state stands for several nodes: the one a person should see first."""


def graph_of(
    plan: Plan, only: frozenset[str] | None = None, items: Mapping[str, int] | None = None
) -> tuple[list[LayoutNode], list[LayoutEdge]]:
    """Nodes and edges for the layout.

    Args:
        plan: the shown definition.
        only: nodes to draw; None for all.
        items: how many items each foreach has, as far as that is known; its box gets rows for them.
    """
    names = [name for name in plan.order if only is None or name in only]
    chosen = set(names)
    nodes = [_layout_node(plan, name, (items or {}).get(name, 0)) for name in names]
    edges = [
        LayoutEdge(edge.source, edge.target, edge.on)
        for name in names
        for edge in plan.nodes[name].outgoing
        if edge.target in chosen
    ]
    return nodes, edges


def _layout_node(plan: Plan, name: str, items: int) -> LayoutNode:
    node = plan.nodes[name].node
    stack = node.foreach is not None
    right = "0" * max(RIGHT_CELLS, len(node.uses))
    cell = NodeCell(name, "○", title_of(plan, name), right=right, stack=stack)
    width = natural_width(cell)
    height = 3 + (grid_rows(items, width - 3) if stack else 0)
    least = least_width(msgspec.structs.replace(cell, marks="′"))
    return LayoutNode(name, width, height, node.group, least)


def grid_rows(items: int, width: int) -> int:
    """Rows for the items in a box: one glyph each in up to three rows, else one row with counts."""
    rows = -(-items // max(1, width))
    return rows if 1 <= rows <= GRID_ROWS else 1


def item_counts(run: RunState | None) -> tuple[tuple[str, int], ...]:
    """How many items each foreach of a run has; those that are not expanded yet are left out."""
    if run is None:
        return ()
    found = []
    for name in run.plan.order:
        node = run.nodes[name]
        if node.items is not None:
            found.append((name, node.items.count))
    return tuple(found)


def title_of(plan: Plan, name: str) -> str:
    """What a node is called on screen: its name, cut if it is very long."""
    title = clean(plan.nodes[name].node.name or name)
    return title if cell_width(title) <= NAME_CELLS else fit(title, NAME_CELLS).rstrip()


def plain_cell(plan: Plan, name: str, *, ascii: bool = False) -> NodeCell:
    """What a node shows while no run is shown: its name and kind."""
    look = NODE_LOOKS["blocked"]
    node = plan.nodes[name].node
    return NodeCell(
        name,
        look.ascii if ascii else look.glyph,
        title_of(plan, name),
        right=node.uses,
        state="plan",
        stack=node.foreach is not None,
    )


def cell_of(
    run: RunState,
    node: NodeState,
    now: float,
    progress: float | None,
    *,
    inner: int = 0,
    ascii: bool = False,
) -> NodeCell:
    """What a node of a run shows at this moment.

    Args:
        now: seconds since the epoch, for durations and countdowns.
        progress: fraction the node reported, None when it reported none.
        inner: cells of a row inside its box, for the items of a foreach; 0 leaves them out.
    """
    look = node_look(node, run)
    items = node.items
    if items is not None and items.count and node.status == "running":
        progress = 1.0 - items.left / items.count
    return NodeCell(
        node.path,
        look.ascii if ascii else look.glyph,
        title_of(run.plan, node.path),
        right=right_text(node, now, progress, look.word),
        short=short_text(node, now, look.word),
        state=state_style(node, run),
        marks=marks_of(node, ascii=ascii) + _stop_mark(run, node, ascii),
        progress=progress if node.status in ("running", "compensating") else None,
        stack=node.plan.expand is not None,
        grid=item_grid(run, node, inner, ascii=ascii) if items is not None and inner > 0 else (),
    )


def _stop_mark(run: RunState, node: NodeState, ascii: bool) -> str:
    """The mark of a node before or behind which the run will stop."""
    if node.path not in run.breakpoints or node.gate is not None:
        return ""
    return "*" if ascii else "◆"


def state_style(node: NodeState, run: RunState | None = None) -> str:
    """The state whose style a node has: stops at breakpoints and in step mode look like holds, what an engine left
    behind in doubt."""
    if node.orphaned and node.status in IN_FLIGHT:
        return "in_doubt"
    if run is not None and kept_by_step(run, node):
        return "held"
    return node.status if node.gate != "breakpoint" else "held"


def step_stops(run: RunState) -> list[str]:
    """What step mode or run-to-node keeps back, in topological order."""
    if run.ended or not (run.stepping or run.within is not None):
        return []
    found = [path for path, node in run.nodes.items() if kept_by_step(run, node)]
    return sorted(found, key=lambda path: run.nodes[path].plan.rank)


def item_grid(
    run: RunState, node: NodeState, width: int, *, ascii: bool = False
) -> tuple[tuple[Segment, ...], ...]:
    """The items of a foreach, a glyph each, or counts where there are too many.

    Args:
        width: cells of a row.
    """
    items = node.items
    if items is None or not items.count:
        return ()
    if items.count > GRID_ROWS * width:
        return (_item_summary(items, ascii),)
    rows: list[tuple[Segment, ...]] = []
    for start in range(0, items.count, width):
        row: list[Segment] = []
        for index in range(start, min(items.count, start + width)):
            item = run.nodes.get(item_path(node.path, index))
            look = node_look(item, run) if item is not None else NODE_LOOKS["blocked"]
            glyph, style = look.ascii if ascii else look.glyph, look.style
            if row and row[-1].style == style:
                row[-1] = Segment(row[-1].text + glyph, style)
            else:
                row.append(Segment(glyph, style))
        rows.append(tuple(row))
    return tuple(rows)


def _item_summary(items: ItemsState, ascii: bool) -> tuple[Segment, ...]:
    done = items.count - items.left - items.failed
    counts = (
        ("succeeded", max(0, done)),
        ("running", items.active),
        ("failed", items.failed),
        ("blocked", max(0, items.left - items.active)),
    )
    row: list[Segment] = []
    for state, count in counts:
        if count:
            look = NODE_LOOKS[state]
            text = f"{look.ascii if ascii else look.glyph}{count} "
            row.append(Segment(text, look.style))
    return tuple(row)


def group_cell(
    name: str, members: Sequence[NodeState], total: int, *, ascii: bool = False
) -> NodeCell:
    """What a closed group shows: the state of its member that a person should see first, and how many are done.

    Args:
        name: name of the group.
        members: nodes of the run in the group; empty while no run is shown.
        total: nodes in the group.
    """
    worst = max(members, key=lambda node: URGENCY.get(state_style(node), 0), default=None)
    if worst is None:
        look, state, done, right = (
            NODE_LOOKS["blocked"],
            "plan",
            0,
            f"{total} node{'s' * (total != 1)}",
        )
    else:
        done = sum(node.status in RESOLVED for node in members)
        started = any(node.status not in ("blocked", "ready") for node in members)
        look, state = node_look(worst), state_style(worst)
        if state in RESOLVED and done < total and started:
            look, state = NODE_LOOKS["ready"], "ready"
        right = f"{done}/{total}"
    return NodeCell(
        group_id(name),
        look.ascii if ascii else look.glyph,
        f"[{name}]",
        right=right,
        state=state,
        progress=done / total if members and 0 < done < total else None,
        stack=True,
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
        spent = attempt_seconds(node, now)
        if node.finished_at is not None and spent is not None:
            return duration_text(spent)
    return "" if node.status == "blocked" else word


def short_text(node: NodeState, now: float, word: str) -> str:
    """A shorter text for the right end of a box: a countdown without its "in", a word by half."""
    if node.status in ("backing_off", "waiting"):
        return right_text(node, now, None, word).removeprefix("in ")
    return SHORT_WORDS.get(word, "")


SHORT_WORDS = {"in doubt": "doubt", "breakpoint": "break", "undo failed": "undo ✗"}
"""Words for boxes that have no room for the whole one; the others give way to the glyph, which says the same."""


def duration_text(seconds: float) -> str:
    """A duration in at most six cells: ``0.4s``, ``12s``, ``3m05``, ``2h07``, ``3d``."""
    seconds = max(0.0, seconds)
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    if seconds < 99.5:
        return f"{whole(seconds)}s"
    minutes, rest = divmod(whole(seconds), 60)
    if minutes < 60:
        return f"{minutes}m{rest:02d}"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours}h{minutes:02d}"
    return f"{hours // 24}d"


def around(plan: Plan, path: str) -> frozenset[str]:
    """A node with everything before and behind it: what focus shows."""
    return frozenset({path, *plan.ancestors([path]), *plan.descendants([path])})


def first_to_see(plan: Plan, run: RunState | None) -> str | None:
    """The node a graph opens at: the first that needs a person, else the first that is under way, else the first."""
    if run is not None:
        needs = needs_in_order(run)
        if needs:
            return needs[0]
        for name in plan.order:
            node = run.nodes.get(name)
            if node is not None and node.status in UNDER_WAY:
                return name
    return plan.order[0] if plan.order else None


UNDER_WAY = frozenset({"running", "compensating", "waiting", "backing_off"})
"""States of a node that something is being done for, or waited for."""


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


def stale_nodes(run: RunState) -> list[str]:
    """Nodes whose input or definition is no longer what they ran with."""
    return [path for path, node in run.nodes.items() if "stale" in node.marks and not node.parent]
