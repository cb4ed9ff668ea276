"""News and consequences are never cut where they matter."""

from pathlib import Path

import pytest

from studio.projections.layout import Segment
from studio.tui.screens.dialog import Confirm, Entry, Menu, Reader
from tests.tui.screens import DIAMOND, opened
from tests.tui.test_ascii import whole_screen
from tests.unit.test_screen_notices import LONG

SMALL = [(80, 24), (120, 24), (120, 40), (200, 60), (80, 60)]


@pytest.mark.parametrize("size", SMALL)
async def test_news_in_several_lines_do_not_move_the_graph(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with opened(tmp_path, DIAMOND, size=size) as at:
        graph = at.screen.graph
        before, drawn = graph.region, graph.picture
        at.screen.notice(LONG + " · and this " * 8, "warning")
        await at.pilot.pause()
        shown = " ".join(line.strip() for line in whole_screen(at).splitlines())
        assert "ctrl+r runs it again" in shown
        assert graph.region == before
        assert graph.picture is drawn
        assert at.line("foot"), "the keys stay"
        at.screen.notice("short", "info")
        await at.pilot.pause()
        assert at.screen.notice_line.size.height == 1


async def test_a_notice_is_wrapped_anew_for_another_size(tmp_path: Path) -> None:
    async with opened(tmp_path, DIAMOND, size=(200, 60)) as at:
        at.screen.notice(LONG, "error")
        await at.pilot.pause()
        assert at.screen.notice_line.size.height == 1
        await at.pilot.resize_terminal(80, 24)
        await at.pilot.pause()
        assert at.screen.notice_line.size.height == 2
        assert "ctrl+r runs it again" in whole_screen(at)


async def test_the_last_notices_can_be_read_in_full(tmp_path: Path) -> None:
    async with opened(tmp_path, DIAMOND, size=(80, 24)) as at:
        at.screen.notice(LONG * 3 + " THE END", "warning")
        at.screen.notice("another", "info")
        at.screen.notice("another", "info")
        await at.press("M")
        assert isinstance(at.app.screen, Reader)
        shown = whole_screen(at)
        assert "another  (2 times)" in shown
        assert "THE END" in shown


ENTRIES = [
    Entry("skip", "Skipped", "and what needs its success: " + "busiest, " * 12 + "summary", "k"),
    Entry("fail", "Failed: give up", "the run fails and is undone in reverse order", "f"),
]


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_consequence_in_a_menu_is_whole(tmp_path: Path, size: tuple[int, int]) -> None:
    async with opened(tmp_path, DIAMOND, size=size) as at:
        answers: list[str | None] = []
        menu = Menu("Outcome", ENTRIES)
        at.app.push_screen(menu, answers.append)
        await at.pilot.pause()
        shown = whole_screen(at)
        assert "summary" in shown
        assert "in reverse order" in shown
        row = next(y for y, line in enumerate(shown.splitlines()) if "give up" in line)
        await at.pilot.click(offset=(40, row))
        await at.pilot.pause()
        assert answers == ["fail"]


async def test_a_long_menu_tells_the_consequence_of_the_entry_under_the_cursor(
    tmp_path: Path,
) -> None:
    many = [Entry(str(i), f"Entry {i}", f"{'what it does ' * 8}to {i}") for i in range(40)]
    async with opened(tmp_path, DIAMOND, size=(80, 24)) as at:
        answers: list[str | None] = []
        at.app.push_screen(Menu("Many", many, filters=True), answers.append)
        await at.pilot.pause()
        assert whole_screen(at).count("what it does to 0") == 1
        await at.press("down", "down")
        assert "what it does to 2" in whole_screen(at)
        await at.press("enter")
        assert answers == ["2"]


async def test_a_plan_is_whole(tmp_path: Path) -> None:
    rows = [
        [
            Segment("slow  ", "title"),
            Segment("stays done, stale: " + "because " * 20 + "END", "bad"),
        ]
    ]
    async with opened(tmp_path, DIAMOND, size=(80, 24)) as at:
        at.app.push_screen(Confirm("Edit", rows, "take it"))
        await at.pilot.pause()
        assert "END" in whole_screen(at)


async def test_the_error_of_a_file_that_never_loaded_is_whole(tmp_path: Path) -> None:
    lacks = ", ".join(f"missing_{i}_{'x' * 50}" for i in range(3))
    wrong = f"workflow: wrong\nnodes:\n  a: {{uses: noop, needs: [{lacks}]}}\n"
    async with opened(tmp_path, wrong, size=(80, 24)) as at:
        told = " ".join(at.text("graph").split())
        entry = next(iter(at.session.files.values()))
        for finding in entry.errors:
            assert " ".join(str(finding).split()) in told
        assert "starts one" not in whole_screen(at)
