"""What is painted, and when: only what changed, and nothing less."""

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest
from textual.geometry import Region
from textual.strip import Strip

from studio.testing import run_virtual
from studio.tui.pacing import GAP, Beat, Pace
from tests.tui.screens import DIAMOND, Opened, opened

WIDE = "\n".join(
    [
        "workflow: wide",
        "nodes:",
        *[f"  n{i:02}: {{uses: noop{f', needs: n{i // 3:02}' if i else ''}}}" for i in range(60)],
        "  far: {uses: noop, needs: [n00, n59]}",
    ]
)


def stale_lines(at: Opened, name: str) -> list[int]:
    """Lines of a pane that were painted otherwise than they would be drawn now."""
    pane: Any = at.screen.query_one(f"#{name}")
    whole = Region(0, 0, *pane.outer_size)
    painted: list[Strip] = pane.render_lines(whole)
    pane._styles_cache.clear()
    anew: list[Strip] = pane.render_lines(whole)
    return [y for y, (one, other) in enumerate(zip(painted, anew, strict=True)) if one != other]


@pytest.mark.parametrize("text", [DIAMOND, WIDE], ids=["diamond", "wide"])
@pytest.mark.parametrize("size", [(120, 40), (200, 60), (80, 24)])
async def test_what_a_key_leaves_unpainted_is_as_it_was(
    tmp_path: Path, text: str, size: tuple[int, int]
) -> None:
    async with opened(tmp_path, text, size=size) as at:
        await at.launch()
        for key in (
            "J",
            "J",
            "j",
            "right",
            "K",
            "G",
            "K",
            "g",
            "down",
            "shift+down",
            "J",
            "m",
            "K",
        ):
            await at.press(key)
            assert stale_lines(at, "graph") == [], key
            if "inspector" in at.shown:
                assert stale_lines(at, "inspector") == [], key


async def test_the_map_is_painted_where_it_changes(tmp_path: Path) -> None:
    nodes = [f"  n{i:02}: {{uses: noop{f', needs: n{i - 1:02}' if i else ''}}}" for i in range(60)]
    async with opened(tmp_path, "\n".join(["workflow: chain", "nodes:", *nodes])) as at:
        graph = at.screen.graph
        picture = graph.picture
        assert picture is not None
        assert stale_lines(at, "graph") == []
        # A node that is out of sight: of all that is drawn, only its place on the map changes.
        picture.states["n50"] = "failed"
        graph.refresh_nodes(["n50"])
        await at.pilot.pause()
        assert stale_lines(at, "graph") == []


async def test_what_a_change_leaves_unpainted_is_as_it_was(tmp_path: Path) -> None:
    async with opened(tmp_path, WIDE) as at:
        await at.press("G", "K", "K")
        await at.launch()
        assert stale_lines(at, "graph") == []
        at.session._changes.nodes.update({"n01", "n40", "far"})
        at.screen._flush()
        await at.pilot.pause()
        assert stale_lines(at, "graph") == []


async def test_one_paint_shows_all_that_a_move_of_the_cursor_changes(tmp_path: Path) -> None:
    async with opened(tmp_path, DIAMOND) as at:
        at.screen.graph.move_in_order(1)
        # Nothing has been handed to a message or a timer: no paint can come in between.
        assert at.screen.selected == at.screen.inspector._inspected.path == "left"
        assert str(at.screen.log_pane.border_title).startswith("4 Log  left")


class FakeScreen:
    """Counts paints."""

    def __init__(self) -> None:
        self.paints: list[float] = []
        self.errors: list[Exception] = []
        self.is_running = True
        self._exit = False
        self.fails = False

    @property
    def app(self) -> "FakeScreen":
        """It is its own application."""
        return self

    def _on_timer_update(self) -> None:
        self.paints.append(asyncio.get_running_loop().time())
        if self.fails:
            raise ValueError("cannot paint")

    def _handle_exception(self, error: Exception) -> None:
        self.errors.append(error)


def test_paints_begin_at_once_and_keep_their_distance() -> None:
    screen = FakeScreen()

    async def run() -> None:
        pace = Pace(cast(Any, screen))
        await asyncio.sleep(5)
        pace.resume()
        pace.resume()
        await asyncio.sleep(GAP / 4)
        pace.resume()
        await asyncio.sleep(5)
        pace.resume()
        pace.pause()
        await asyncio.sleep(5)

    run_virtual(run())
    first, second = screen.paints
    assert second - first == pytest.approx(GAP)


def test_a_paint_that_fails_is_told_and_the_next_one_is_made() -> None:
    screen = FakeScreen()
    screen.fails = True

    async def run() -> None:
        pace = Pace(cast(Any, screen))
        for screen.is_running in (True, True, False):
            pace.resume()
            await asyncio.sleep(5)

    run_virtual(run())
    assert [str(error) for error in screen.errors] == ["cannot paint"] * 2
    assert len(screen.paints) == 2


def test_a_flush_that_costs_little_is_followed_by_the_next_after_the_beat() -> None:
    beat = Beat()
    assert beat.next() == 0.0
    beat.flushed(10.0, 10.004)
    beat.painted(10.004, 10.01)
    assert beat.next() == pytest.approx(10.05)


def test_a_costly_flush_leaves_most_of_the_time_to_the_engine() -> None:
    beat = Beat()
    beat.flushed(10.0, 10.02)
    assert beat.next() == pytest.approx(10.02 + 2.5 * 0.02)
    beat.painted(10.03, 10.05)
    after = beat.next()
    assert after == pytest.approx(10.05 + 2.5 * 0.04)
    # A paint for a key is none of its costs.
    beat.painted(10.06, 10.09)
    assert beat.next() == after


def test_however_costly_flushes_are_the_screen_does_not_stand_still() -> None:
    beat = Beat()
    beat.flushed(10.0, 11.0)
    assert beat.next() == pytest.approx(11.2)
