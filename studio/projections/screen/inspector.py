"""The inspector: its tabs, the line that says how the node stands, and each tab's page."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from studio.core.plan import Plan
from studio.core.state import NodeState, RunState
from studio.model.nodes import Node
from studio.projections.layout import Segment
from studio.projections.listing import attempt_seconds
from studio.projections.screen.inspecting.definition import definition_rows
from studio.projections.screen.inspecting.edges import edge_rows
from studio.projections.screen.inspecting.paragraphs import Row, spent_text
from studio.projections.screen.inspecting.subject import Source, Subject
from studio.projections.states import marks_of, node_look
from studio.projections.text import sanitise, shorten

if TYPE_CHECKING:
    from studio.projections.screen.inspecting.items import ItemList
    from studio.projections.screen.inspecting.tree import ValueTree

TABS = (
    "Error",
    "Why",
    "Items",
    "Input",
    "Output",
    "Attempts",
    "Undo",
    "Definition",
    "Edges",
    "Result",
)

PLAN_TABS: Final = ("Definition", "Edges")
"""Tabs that a node has without a run."""

SHORT_NAMES: Final[dict[str, str]] = {
    "Input": "In",
    "Output": "Out",
    "Attempts": "Tries",
    "Definition": "Def",
}
"""Names of tabs where there is little room."""

BROKEN_STATES: Final = frozenset({"failed", "compensation_failed", "backing_off", "in_doubt"})
"""States in which a failure is what a person wants to see first."""


def tabs_for(run: RunState | None, plan: Plan | None, path: str) -> tuple[str, ...]:
    """Tabs a node has; the error first while it is what matters, last once it is past.

    The result is that of the run, whichever of its nodes is selected.
    """
    node = run.nodes.get(path) if run is not None else None
    if run is None or node is None:
        return PLAN_TABS
    absent = {"Items"} if node.items is None else set()
    if not run.outputs:
        absent.add("Result")
    tabs = [tab for tab in TABS[1:] if tab not in absent]
    if node.failure is None:
        return tuple(tabs)
    return ("Error", *tabs) if node.status in BROKEN_STATES else (*tabs, "Error")


class Page(msgspec.Struct, frozen=True):
    """The rows of a tab: some above, then a body whose rows are made when they are drawn.

    Args:
        head: rows that come first.
        length: rows of the body.
        body: the row of the body at a place.
        tree: the value that the body shows, when it is one.
        items: the items that the body lists, when it does.
        ask: bytes of a large value that is only read when asked for; 0 when there is none.
    """

    head: Sequence[Row]
    length: int = 0
    body: Callable[[int], Row] = lambda place: []
    tree: "ValueTree | None" = None
    items: "ItemList | None" = None
    ask: int = 0

    def __len__(self) -> int:
        return len(self.head) + self.length

    def row(self, index: int) -> Row:
        """The row at an index, head and body counted through."""
        if index < len(self.head):
            return self.head[index]
        return self.body(index - len(self.head))

    @property
    def chosen(self) -> bool:
        """Whether rows of the body can be chosen with a cursor."""
        return self.tree is not None or self.items is not None


def plan_page(
    subject: Subject, tab: str, source: Source | None = None, written: Node | None = None
) -> Page:
    """A tab that tells of the definition, and is there without a run too.

    Args:
        tab: one of `PLAN_TABS`.
        source: the workflow file as it is on disk.
        written: the node as the file's last good version has it.
    """
    if tab == "Edges":
        return Page(edge_rows(subject))
    return Page(definition_rows(subject, source, written))


# --------------------------------------------------------------------------- what stands above


def head_rows(subject: Subject, tab: str, tabs: Sequence[str]) -> list[Row]:
    """The line that says how the node stands, and the strip of tabs."""
    node = subject.node
    rows: list[Row] = []
    if node is not None:
        rows.append(state_row(subject, node))
    return [*rows, tab_strip(tabs, tab, subject.width, ascii=subject.ascii), []]


def state_row(subject: Subject, node: NodeState) -> Row:
    """Glyph, word, marks, attempt and time: ``✗ failed  attempt 3/3  in 4.1s``."""
    look = node_look(node, subject.run)
    marks = marks_of(node, ascii=subject.ascii)
    row: Row = [Segment(f"{subject.glyph(look.glyph, look.ascii)} {look.word}{marks}", look.style)]
    parts: list[str] = []
    if node.items is not None:
        parts.append(f"{node.items.count - node.items.left}/{node.items.count} items")
    elif node.attempt > 1 or (node.failure is not None and node.attempt):
        retry = node.plan.node.retry
        most = f"/{retry.max_attempts}" if retry is not None and retry.strategy != "none" else ""
        parts.append(f"attempt {node.attempt}{most}")
    spent = attempt_seconds(node, subject.now)
    if spent is not None and node.attempt + node.undo_attempt:
        word = "in" if node.finished_at is not None else "for"
        parts.append(f"{word} {spent_text(spent)}")
    used = sum(len(part.text) for part in row)
    text = shorten(sanitise("  " + "  ".join(parts)), max(0, subject.width - used))
    return [*row, Segment(text, "dim")]


def tab_strip(tabs: Sequence[str], tab: str, cells: int, *, ascii: bool = False) -> Row:
    """The names of the tabs, the open one in brackets; short names, then a part of them, where room is scarce."""
    for names in (tabs, [SHORT_NAMES.get(name, name) for name in tabs]):
        row = _strip(tabs, names, tab)
        if sum(len(part.text) for part in row) <= cells:
            return row
    here = list(tabs).index(tab) if tab in tabs else 0
    names = [SHORT_NAMES.get(name, name) for name in tabs]
    first, last = here, here + 1
    used = len(names[here]) + 2 + 4
    while first > 0 or last < len(tabs):
        behind = last < len(tabs) and used + len(names[last]) + 1 <= cells
        if not behind and (first == 0 or used + len(names[first - 1]) + 1 > cells):
            break
        used += len(names[last] if behind else names[first - 1]) + 1
        first, last = (first, last + 1) if behind else (first - 1, last)
    before, after = ("<", ">") if ascii else ("‹", "›")
    lead = [Segment(f"{before} ", "dim")] if first else []
    tail = [Segment(f" {after}", "dim")] if last < len(tabs) else []
    return [*lead, *_strip(tabs[first:last], names[first:last], tab), *tail]


def _strip(tabs: Sequence[str], names: Sequence[str], tab: str) -> Row:
    row: Row = []
    for key, name in zip(tabs, names, strict=True):
        if row:
            row.append(Segment(" ", "dim"))
        row.append(
            Segment(f"[{name}]", "accent") if key == tab else Segment(name, "dim"),
        )
    return row


def tab_at(row: Sequence[Segment], tabs: Sequence[str], x: int) -> str | None:
    """The tab whose name stands at a column of a strip, None where there is none."""
    names = {SHORT_NAMES.get(name, name): name for name in tabs} | {name: name for name in tabs}
    at = 0
    for part in row:
        at += len(part.text)
        if x < at:
            return names.get(part.text.strip("[] "))
    return None
