"""The Items tab of a foreach: a grid of all its items, and the list of them."""

from collections.abc import Callable
from typing import NamedTuple

from studio.core.plan import item_path
from studio.core.state import NodeState, RunState
from studio.projections.layout import Segment
from studio.projections.listing import attempt_seconds
from studio.projections.screen.inspecting.paragraphs import (
    Row,
    column,
    paragraph,
    plural,
    spent_text,
)
from studio.projections.screen.inspecting.subject import Subject
from studio.projections.states import NODE_LOOKS, node_look
from studio.projections.text import sanitise, shorten, width

GRID_ROWS = 6
"""Rows of the grid; where items outnumber its cells, a cell stands for several and shows the worst."""

WORST_FIRST = (
    "failed", "compensation_failed", "in_doubt", "held", "backing_off", "running", "waiting", "compensating",
    "ready", "blocked", "cancelled", "skipped", "compensated", "reused", "succeeded",
)  # fmt: skip
"""Order in which states win a cell that several items share."""


class ItemList(NamedTuple):
    """The items of a foreach as rows made when they are asked for.

    Args:
        head: grid and counts above the list.
        size: number of items.
        row: the row of the item at a place of the list.
        path: path of the item at a place of the list.
    """

    head: list[Row]
    size: int
    row: Callable[[int], Row]
    path: Callable[[int], str]


def item_list(subject: Subject) -> ItemList | None:
    """The Items tab; None while the node has no items."""
    run, node = subject.run, subject.node
    if run is None or node is None or node.items is None:
        return None
    count = node.items.count
    order = _order(run, node)
    return ItemList(
        [*grid(subject, run, node), *_counts(subject, run, node), []],
        count,
        lambda place: _item(subject, run, node, order[place]),
        lambda place: item_path(node.path, order[place]),
    )


def _order(run: RunState, node: NodeState) -> list[int]:
    """Items that need a look first, then the rest in their own order."""
    items = node.items
    if items is None:
        return []
    states = [run.nodes[item_path(node.path, index)].status for index in range(items.count)]
    needy = ("failed", "compensation_failed", "in_doubt", "held")
    first = [index for index, state in enumerate(states) if state in needy]
    chosen = set(first)
    return first + [index for index in range(items.count) if index not in chosen]


def grid(subject: Subject, run: RunState, node: NodeState) -> list[Row]:
    """All items as glyphs, left to right, top to bottom."""
    items = node.items
    if items is None or not items.count:
        return []
    columns = max(8, subject.width)
    share = max(1, -(-items.count // (columns * GRID_ROWS)))
    rank = {state: place for place, state in enumerate(WORST_FIRST)}
    rows: list[Row] = []
    cells: list[str] = []
    for start in range(0, items.count, share):
        states = [
            run.nodes[item_path(node.path, index)].status
            for index in range(start, min(items.count, start + share))
        ]
        cells.append(min(states, key=lambda state: rank[state]))
    for start in range(0, len(cells), columns):
        rows.append(_glyphs(subject, cells[start : start + columns]))
    if share > 1:
        rows += paragraph(
            f"a sign stands for {share} items, the worst of them", "dim", subject.width
        )
    return rows


def _glyphs(subject: Subject, states: list[str]) -> Row:
    row: Row = []
    start = 0
    for at in range(1, len(states) + 1):
        if at == len(states) or states[at] != states[start]:
            look = NODE_LOOKS[states[start]]
            row.append(Segment(subject.glyph(look.glyph, look.ascii) * (at - start), look.style))
            start = at
    return row


def _counts(subject: Subject, run: RunState, node: NodeState) -> list[Row]:
    """How many items are in which state, in as many rows as it takes."""
    items = node.items
    counts: dict[str, int] = {}
    for index in range(items.count if items is not None else 0):
        status = run.nodes[item_path(node.path, index)].status
        counts[status] = counts.get(status, 0) + 1
    parts = [Segment(plural(sum(counts.values()), "item"), "text")]
    for state in WORST_FIRST:
        if state in counts:
            look = NODE_LOOKS[state]
            text = f"{subject.glyph(look.glyph, look.ascii)} {counts[state]:,} {look.word}"
            parts.append(Segment(text, look.style))
    rows: list[Row] = [[]]
    used = 0
    for part in parts:
        if used and used + 2 + width(part.text) > subject.width:
            rows.append([])
            used = 0
        if used:
            rows[-1].append(Segment("  ", "text"))
        rows[-1].append(part)
        used += 2 + width(part.text)
    return rows


def _item(subject: Subject, run: RunState, node: NodeState, index: int) -> Row:
    item = run.nodes[item_path(node.path, index)]
    look = node_look(item, run)
    digits = len(str(node.items.count - 1 if node.items is not None else 0))
    row: Row = [
        Segment(f"{index:>{digits}} ", "dim"),
        Segment(f"{subject.glyph(look.glyph, look.ascii)} {column(look.word, 10)} ", look.style),
    ]
    spent = ""
    seconds = attempt_seconds(item, subject.now)
    if seconds is not None and item.status not in ("blocked", "ready"):
        spent = spent_text(seconds)
    row.append(Segment(f"{spent:<6}", "dim"))
    if item.failure is not None and item.status != "succeeded":
        text = sanitise(subject.mask.text(f"{item.failure.type}: {item.failure.message}"), 200)
        row.append(Segment(shorten(text, max(8, subject.width - digits - 20)), "bad"))
    elif item.attempt > 1:
        row.append(Segment(f"try {item.attempt}", "dim"))
    return row
