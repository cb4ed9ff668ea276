"""Step mode is seen: where it stands, what it keeps back, and the key that leaves it."""

from pathlib import Path

import pytest

from tests.tui.screens import opened
from tests.tui.test_ascii import whole_screen

STEPS = """\
workflow: walk
nodes:
  first: {uses: noop}
  each: {uses: noop, needs: first, foreach: "[1, 2]"}
  last: {uses: noop, needs: each}
"""


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_a_run_in_step_mode_says_so(tmp_path: Path, size: tuple[int, int]) -> None:
    async with opened(tmp_path, STEPS, size=size) as at:
        assert at.session.shown_file is not None
        await at.session.launch(at.session.shown_file, {}, stepping=True)
        await at.settle()
        assert "step" in at.line("top")
        shown = whole_screen(at)
        assert "C leaves it" in shown
        assert "‖ first" in shown, "kept back is drawn as held"
        at.screen.select("first")
        await at.settle()
        await at.press("3")
        assert "‖ held" in at.text("inspector")
        await at.press("2", "f")
        assert "C leaves it" in at.line("notice")
        await at.press("C")
        await at.settle()
        assert "step" not in at.line("top")
        assert at.session.run is not None
        assert at.session.run.phase == "succeeded"


async def test_what_becomes_ready_in_step_mode_is_drawn_as_held(tmp_path: Path) -> None:
    async with opened(tmp_path, STEPS) as at:
        assert at.session.shown_file is not None
        await at.session.launch(at.session.shown_file, {}, stepping=True)
        await at.settle()
        await at.press("s")
        await at.settle()
        assert "✓ first" in at.text("graph")
        assert "‖ each" in at.text("graph")
        await at.press("v")
        assert "‖ held" in at.text("table")
