"""Actions that change what is seen."""

from typing import TYPE_CHECKING

from studio.projections.screen.graph import needs_in_order

if TYPE_CHECKING:
    from studio.tui.screens.main import MainScreen


async def next_need(screen: "MainScreen") -> None:
    """Go to the next thing that needs a person."""
    await _go(screen, 1)


async def previous_need(screen: "MainScreen") -> None:
    """Go to the previous thing that needs a person."""
    await _go(screen, -1)


async def _go(screen: "MainScreen", step: int) -> None:
    run = screen.session.run
    found = needs_in_order(run) if run is not None else []
    if not found:
        screen.notice("nothing needs you in this run", "good")
        return
    here = found.index(screen.selected) if screen.selected in found else (-1 if step > 0 else 0)
    screen.select(found[(here + step) % len(found)])


async def more_detail(screen: "MainScreen") -> None:
    """Draw nodes with more detail."""
    screen.graph.change_detail(1)


async def less_detail(screen: "MainScreen") -> None:
    """Draw nodes with less detail."""
    screen.graph.change_detail(-1)


async def fit(screen: "MainScreen") -> None:
    """Let the pane choose the drawing."""
    screen.graph.change_detail(0)


async def fold(screen: "MainScreen") -> None:
    """Show only what is around the selected node, or everything again."""
    screen.graph.toggle_focus()


async def why(screen: "MainScreen") -> None:
    """Open the inspector's Why."""
    screen.inspector.open_tab("Why")


VERBS = {
    "next_need": next_need,
    "previous_need": previous_need,
    "more_detail": more_detail,
    "less_detail": less_detail,
    "fit": fit,
    "fold": fold,
    "why": why,
}
