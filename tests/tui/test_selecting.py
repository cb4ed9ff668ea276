"""Text that is dragged over with the mouse: it shows, stays within its pane, and is copied by ctrl+c."""

from pathlib import Path

import pytest
from textual import events
from textual.widget import Widget

from tests.tui.screens import DIAMOND, Opened, opened
from tests.tui.test_mouse import place_of

TALK = """
workflow: talk
nodes:
  say: {uses: shell, run: "echo first line; echo second line; echo 数 third; echo fourth"}
"""


async def drag(at: Opened, start: tuple[int, int], end: tuple[int, int]) -> None:
    """Press the button in one cell, move, and let it go in another."""
    await at.pilot.mouse_down(offset=start)
    for spot in (start, end):
        await at.pilot._post_mouse_events([events.MouseMove], offset=spot, button=1)
    await at.pilot.mouse_up(offset=end)
    await at.pilot.pause()


def reversed_text(at: Opened, pane: Widget) -> str:
    """What is drawn reversed within a pane."""
    region = pane.content_region
    strips = at.screen._compositor.render_strips()[region.y : region.bottom]
    parts = [part for strip in strips for part in strip.crop(region.x, region.right)]
    return "|".join(part.text for part in parts if part.style is not None and part.style.reverse)


async def test_what_is_dragged_over_in_the_log_shows_and_is_copied(tmp_path: Path) -> None:
    async with opened(tmp_path, TALK) as at:
        await at.launch()
        pane = at.screen.log_pane
        await at.press("4")
        x, y = place_of(at, pane, "first line")
        last = place_of(at, pane, "third")
        # A cell further than it is characters: 数 takes two.
        await drag(at, (x + 6, y), (last[0] + 5, last[1]))
        assert at.screen.get_selected_text() is not None
        text = at.screen.get_selected_text() or ""
        lines = text.split("\n")
        assert lines[0] == "line"
        assert lines[1].endswith("second line")
        assert lines[2].endswith("数 third")
        assert len(lines) == 3
        assert "line" in reversed_text(at, pane)
        assert str(at.screen.told[-1].text) == "ctrl+c copies what is selected, Esc lets it go"
        await at.press("ctrl+c")
        assert str(at.screen.told[-1].text).startswith(f"copied {len(text)} characters")


async def test_a_selection_stays_within_the_pane_where_it_began(tmp_path: Path) -> None:
    async with opened(tmp_path, TALK, size=(120, 40)) as at:
        await at.launch()
        inspector, log = at.screen.inspector, at.screen.log_pane
        start = place_of(at, inspector, "succeeded")
        x, y = place_of(at, log, "second line")
        await drag(at, start, (x, y))
        assert list(at.screen.selections) == [inspector]
        assert reversed_text(at, log) == ""
        assert (at.screen.get_selected_text() or "").startswith("succeeded")


async def test_escape_lets_a_selection_go_before_it_does_anything_else(tmp_path: Path) -> None:
    async with opened(tmp_path, TALK) as at:
        await at.launch()
        await at.press("4")
        x, y = place_of(at, at.screen.log_pane, "first line")
        await drag(at, (x, y), (x + 4, y))
        assert at.screen.get_selected_text() == "first"
        await at.press("escape")
        assert at.screen.get_selected_text() is None
        assert reversed_text(at, at.screen.log_pane) == ""
        assert at.current() == "log"


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_names_can_be_dragged_over_in_the_graph(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with opened(tmp_path, DIAMOND, size=size) as at:
        x, y = place_of(at, at.screen.graph, "right")
        await drag(at, (x, y), (x + 4, y))
        assert at.screen.get_selected_text() == "right"


async def test_a_click_selects_no_text(tmp_path: Path) -> None:
    async with opened(tmp_path, DIAMOND) as at:
        await at.pilot.click(offset=place_of(at, at.screen.graph, "right"))
        await at.pilot.pause()
        assert at.screen.get_selected_text() is None


async def test_what_scrolled_out_of_sight_is_still_selected(tmp_path: Path) -> None:
    text = TALK.replace("echo first line; ", "seq 100 160; ")
    async with opened(tmp_path, text) as at:
        await at.launch()
        pane = at.screen.log_pane
        await at.press("4", "g")
        x, y = place_of(at, pane, "100")
        await drag(at, (x, y), (x + 2, y + 2))
        await at.press("G")
        assert [line[-3:] for line in (at.screen.get_selected_text() or "").split("\n")] == [
            "100",
            "101",
            "102",
        ]
