"""The mouse: a click does what stands under it, a double click opens it, the wheel scrolls the pane it is over."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual import events
from textual.widget import Widget

from tests.tui.screens import DIAMOND, Opened, opened

SIZES = [(80, 24), (120, 40), (200, 60)]


def place_of(at: Opened, pane: Widget, text: str) -> tuple[int, int]:
    """Column and row on the terminal where a pane shows a text, as somebody who looks at the terminal sees it."""
    region = pane.region
    for y in range(region.y, region.bottom):
        strip = at.screen._compositor.render_strips()[y]
        line = "".join(part.text for part in strip)[region.x : region.right]
        if text in line:
            return region.x + line.index(text), y
    raise AssertionError(f"{text} is not on {pane.id}")


async def click(at: Opened, pane: Widget, text: str, times: int = 1) -> None:
    """Click on a text that a pane shows."""
    await at.pilot.click(offset=place_of(at, pane, text), times=times)
    await at.pilot.pause()
    await at.settle()


@asynccontextmanager
async def shown(folder: Path, size: tuple[int, int], view: str = "graph") -> AsyncIterator[Opened]:
    """The diamond with its run, in a view of the second pane."""
    async with opened(folder, DIAMOND, size=size) as at:
        await at.launch()
        while at.screen.body.view != view:
            await at.press("v")
        await at.settle()
        yield at


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("detail", ["", "-"])
async def test_a_click_in_the_graph_selects_what_is_under_it(
    tmp_path: Path, size: tuple[int, int], detail: str
) -> None:
    async with shown(tmp_path, size) as at:
        if detail:
            await at.press("minus", "minus", "plus")
        graph = at.screen.graph
        for name in ("join", "left", "check", "load", "right"):
            await click(at, graph, name)
            assert at.screen.selected == name


async def test_a_click_beside_a_line_of_the_graph_selects_nothing_else(tmp_path: Path) -> None:
    async with shown(tmp_path, (120, 40)) as at:
        await at.press("minus", "minus", "plus")  # one row a node
        assert at.screen.graph.drawing_text.startswith("pill")
        x, y = place_of(at, at.screen.graph, "join")
        for row in (y - 1, y + 1):
            await at.pilot.click(offset=(x, row))
            await at.pilot.pause()
            assert at.screen.selected != "join"


@pytest.mark.parametrize("view", ["table", "timeline"])
async def test_a_click_in_a_list_of_nodes_selects_the_row_under_it(
    tmp_path: Path, view: str
) -> None:
    async with shown(tmp_path, (120, 40), view) as at:
        pane = at.screen.body.pane("graph")
        for name in ("join", "left", "check", "load", "right"):
            await click(at, pane, name)
            assert at.screen.selected == name


@pytest.mark.parametrize("view", ["graph", "table", "timeline"])
async def test_a_double_click_opens_the_node_under_it(tmp_path: Path, view: str) -> None:
    async with shown(tmp_path, (120, 40), view) as at:
        await click(at, at.screen.body.pane("graph"), "right", times=2)
        assert at.screen.selected == "right"
        assert at.current() == "inspector"


async def test_a_click_on_a_run_shows_that_run(tmp_path: Path) -> None:
    other = DIAMOND.replace("diamond", "second")
    async with opened(tmp_path, DIAMOND, other) as at:
        await at.launch()
        await at.launch()
        await at.press("1")
        await at.settle()
        await click(at, at.screen.runs, "#1")
        assert at.session.shown_run == 1
        await at.press("1")
        await at.settle()
        await click(at, at.screen.runs, "second")
        assert at.session.shown_file is not None
        assert at.session.shown_file.endswith("flow1.yaml")


@pytest.mark.parametrize("view", ["graph", "table", "timeline"])
async def test_a_click_on_the_border_does_nothing(tmp_path: Path, view: str) -> None:
    async with shown(tmp_path, (120, 40), view) as at:
        before = at.screen.selected
        region = at.screen.body.pane("graph").region
        for spot in (
            (region.x, region.y + 3),
            (region.x + 3, region.y),
            (region.x + 3, region.bottom - 1),
        ):
            await at.pilot.click(offset=spot)
            await at.pilot.pause()
        assert at.screen.selected == before


async def test_the_wheel_scrolls_what_is_under_it_and_not_what_has_the_focus(
    tmp_path: Path,
) -> None:
    chain = "\n".join(
        f"  n{i}: {{uses: noop{f', needs: n{i - 1}' if i else ''}}}" for i in range(40)
    )
    log = "  talk: {uses: shell, run: 'seq 1 90'}"
    async with opened(tmp_path, f"workflow: long\nnodes:\n{chain}\n{log}\n") as at:
        await at.launch()
        at.screen.select("talk")
        await at.settle()
        panes = [at.screen.graph, at.screen.log_pane]
        for pane in panes:
            others = [one.scroll_offset for one in panes if one is not pane]
            pane.scroll_to(y=0, animate=False, force=True)
            await at.pilot.pause()
            x, y = pane.region.x + 5, pane.region.y + 3
            await at.pilot._post_mouse_events([events.MouseScrollDown], offset=(x, y), button=0)
            await at.pilot.pause(0.3)
            assert pane.scroll_offset.y > 0, pane.id
            assert [one.scroll_offset for one in panes if one is not pane] == others
