"""The lines around the panes: the keys that work here, the panes' names, and the selected node in one line."""

from collections.abc import Sequence

import msgspec

from studio.core.plan import Plan
from studio.core.state import NodeState, RunState
from studio.projections.layout import Segment, cell_width, clean, fit
from studio.projections.listing import attempt_seconds
from studio.projections.plain import in_ascii
from studio.projections.screen.actions import (
    BY_ID,
    Action,
    footer_actions,
    label_of,
    shown_key,
    why_not,
)
from studio.projections.screen.graph import duration_text
from studio.projections.screen.panes import PANES, Pane
from studio.projections.screen.rules import Situation
from studio.projections.states import NODE_LOOKS, marks_of, node_look
from studio.projections.text import sanitise

Row = list[Segment]

Area = tuple[int, int, str]
"""Columns that call an action when clicked: first, end, id of the action."""

PANE_NAMES: dict[Pane, str] = {"runs": "Runs", "graph": "Graph", "inspector": "Node", "log": "Log"}

TAB_ORDER: tuple[Pane, ...] = ("graph", "inspector", "log", "runs")
"""As drawn in interface.md: what is used most comes first."""

PANE_CALL = "pane:"
"""Begins what a click on a pane's name calls; its number follows."""


ROOMY = 60
"""Columns from which two blanks part the keys, so that they can be told from labels without colour."""


class Line(msgspec.Struct, frozen=True):
    """A row and what can be clicked in it."""

    row: Row
    areas: list[Area]


def footer(
    at: Situation,
    width: int,
    *,
    pane: Pane = "graph",
    hidden: Sequence[Pane] = (),
    ascii: bool = False,
) -> tuple[Row, list[Area]]:
    """The footer's row, and the columns that call an action when clicked.

    Args:
        at: what actions would act on.
        width: columns of the screen.
        pane: the pane that has the focus; its own keys come first.
        hidden: panes that are not on screen and that no other line names.
        ascii: draw with ASCII characters only.
    """
    row: Row = [Segment(" ", "text")]
    areas: list[Area] = []
    used = 1
    room = " " if width < ROOMY else "  "
    for sign, label in PANE_KEYS[pane]:
        key = in_ascii(sign) if ascii else sign
        size = cell_width(key) + cell_width(label) + 1 + len(room)
        if used + size <= width // 2:
            row += [Segment(key, "key"), Segment(f" {label}{room}", "dim")]
            used += size
    others = [(str(PANES.index(name) + 1), PANE_NAMES[name]) for name in hidden]
    limit = (10 if width >= 100 else 9) - len(PANE_KEYS[pane]) - len(others)
    actions = footer_actions(at, limit)
    if at.file is None:
        actions.insert(0, BY_ID["new"])
    tail = [action for action in actions if action.rank >= 30]
    kept = sum(
        cell_width(_shown(at, action, ascii)) + 1 + cell_width(action.label) + len(room)
        for action in tail
    ) + sum(len(number) + len(title) + 1 + len(room) for number, title in others)
    for action in actions:
        if action is tail[0]:
            for number, title in others:
                row += [Segment(number, "key"), Segment(f" {title}{room}", "dim")]
                areas.append((used, used + len(number) + 1 + len(title), PANE_CALL + number))
                used += len(number) + 1 + len(title) + len(room)
        key = _shown(at, action, ascii)
        size = cell_width(key) + 1 + cell_width(action.label) + len(room)
        # The way to everything else keeps its place, whatever else has to go.
        if used + size + (kept if action.rank < 30 else -len(room)) > width:
            continue
        row += [Segment(key, "key"), Segment(f" {action.label}{room}", "dim")]
        areas.append((used, used + size - len(room), action.id))
        used += size
    return row, areas


def _shown(at: Situation, action: Action, ascii: bool) -> str:
    key = shown_key(at, action)
    return in_ascii(key) if ascii else key


PANE_KEYS: dict[Pane, tuple[tuple[str, str], ...]] = {
    "runs": (("⏎", "Show"),),
    "graph": (),
    "inspector": (("[ ]", "Tab"),),
    "log": (("W", "Wrap"), ("#", "Time"), ("%", "Level")),
}
"""Keys that work only in one pane."""


def tabs_line(
    pane: Pane, view: str, info: str, width: int, *, map_key: str = "", ascii: bool = False
) -> Line:
    """The names of the panes, the focused one in brackets, and to the right how the graph is drawn.

    Args:
        pane: the focused pane.
        view: what the second pane shows: ``Graph``, ``Table`` or ``Timeline``.
        info: such as ``live · pill · TB``.
        width: columns of the screen.
        map_key: key that shows the map; empty while there is none to show.
    """
    row: Row = [Segment(" ", "text")]
    areas: list[Area] = []
    used = 1
    for name in TAB_ORDER:
        number = PANES.index(name) + 1
        title = view if name == "graph" else PANE_NAMES[name]
        text = f"{number} {title}"
        chosen = name == pane
        text = f"[{text}]" if chosen else f" {text} "
        row.append(Segment(text, "key" if chosen else "dim"))
        areas.append((used, used + len(text), f"{PANE_CALL}{number}"))
        used += len(text)
    hint = f"{map_key} map" if map_key else ""
    tail = f" {'-' if ascii else '·'} " if hint and info else ""
    gap = width - used - cell_width(info) - cell_width(tail) - cell_width(hint) - 1
    if gap >= 1 and (info or hint):
        row += [Segment(" " * gap, "text"), Segment(f"{info}{tail}", "dim")]
        if hint:
            row += [Segment(map_key, "key"), Segment(" map", "dim")]
            areas.append((width - cell_width(hint) - 1, width - 1, "map"))
        row.append(Segment(" ", "text"))
    return Line(row, areas)


def detail_line(
    plan: Plan | None,
    node: NodeState | None,
    at: Situation,
    now: float,
    width: int,
    *,
    run: RunState | None = None,
    ascii: bool = False,
) -> Line:
    """The selected node in one line: its error and what can be done, or what it is and how it stands.

    Args:
        plan: the shown definition.
        node: the selected node of the shown run, None without a run.
        at: what actions would act on.
        now: seconds since the epoch.
        width: columns of the screen.
        run: the run that the node belongs to.
    """
    path = at.selected
    if plan is None or path is None or not plan.knows(path):
        return Line([], [])
    kind = plan.node(path).node.uses
    if node is None:
        look = NODE_LOOKS["blocked"]
        mark = look.ascii if ascii else look.glyph
        row: Row = [Segment(f" {mark} ", look.style), Segment(clean(path), "title")]
        return Line([*row, Segment(f"  {kind}", "dim")], [])
    look = node_look(node, run)
    mark = look.ascii if ascii else look.glyph
    name = clean(path) + marks_of(node, ascii=ascii)
    row = [Segment(f" {mark} ", look.style), Segment(f"{name}  ", "title")]
    if node.failure is not None and node.status in (
        "failed",
        "in_doubt",
        "compensation_failed",
        "backing_off",
    ):
        return _error_line(row, node, at, width)
    row.append(Segment(look.word, look.style))
    spent = attempt_seconds(node, now)
    if spent is not None and node.status not in ("blocked", "ready"):
        row.append(Segment(f"  {duration_text(spent)}", "text"))
    if node.attempt > 1:
        row.append(Segment(f"  attempt {node.attempt}", "dim"))
    row.append(Segment(f"  {kind}", "dim"))
    return Line(row, [])


def _error_line(row: Row, node: NodeState, at: Situation, width: int) -> Line:
    failure = node.failure
    if failure is None:
        return Line(row, [])
    actions = [BY_ID[name] for name in ("retry", "edit", "outcome")]
    keys = [
        (shown_key(at, action), label_of(at, action).lower(), action.id)
        for action in actions
        if why_not(at, action) is None
    ]
    tail = max(0, sum(len(key) + len(label) + 3 for key, label, _action in keys) - 1)
    used = sum(cell_width(part.text) for part in row)
    place = f"  {clean(failure.file.rpartition('/')[2])}:{failure.line}" if failure.line else ""
    text = sanitise(f"{failure.type}: {failure.message}".partition("\n")[0])
    room = width - used - tail - 2
    if cell_width(text) + cell_width(place) > room:
        if room - cell_width(place) < 24:
            place = ""
        text = fit(text, max(1, room - cell_width(place)))
    row += [Segment(text, "bad"), Segment(place, "dim")]
    used += cell_width(text) + cell_width(place)
    if room < 12:
        return Line(row, [])
    row.append(Segment(" " * max(1, width - used - tail), "text"))
    column = width - tail
    areas: list[Area] = []
    for key, label, action in keys:
        row += [Segment(key, "key"), Segment(f" {label}  ", "dim")]
        areas.append((column, column + len(key) + len(label) + 1, action))
        column += len(key) + len(label) + 3
    return Line(row, areas)
