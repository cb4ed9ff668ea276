"""The inspector's tabs: error, why, input, output, attempts, undo, definition, edges."""

from studio.core.plan import Plan
from studio.core.state import EngineState, RunState
from studio.projections.layout import Segment, clean
from studio.projections.states import node_look

TABS = ("Error", "Why", "Input", "Output", "Attempts", "Undo", "Definition", "Edges")

Row = list[Segment]


def tabs_for(run: RunState | None, plan: Plan | None, path: str) -> tuple[str, ...]:
    """Tabs a node has, the error first when it failed."""
    node = run.nodes.get(path) if run is not None else None
    if node is None:
        return ("Definition", "Edges")
    return TABS if node.failure is not None else TABS[1:]


def inspector_rows(
    state: EngineState | None,
    run: RunState | None,
    plan: Plan | None,
    path: str,
    tab: str,
    tabs: tuple[str, ...],
    *,
    width: int,
    now: float,
    ascii: bool = False,
) -> list[Row]:
    """Rows of one tab."""
    rows: list[Row] = []
    node = run.nodes.get(path) if run is not None else None
    if node is not None:
        look = node_look(node)
        rows.append([Segment(f"{look.ascii if ascii else look.glyph} {look.word}", look.style)])
    strip: Row = []
    for name in tabs:
        strip.append(
            Segment(f"[{name}]" if name == tab else f" {name} ", "accent" if name == tab else "dim")
        )
    rows += [strip, []]
    if node is not None and node.failure is not None and tab == "Error":
        failure = node.failure
        rows.append([Segment(clean(f"{failure.type}: {failure.message}")[:width], "bad")])
    return rows
