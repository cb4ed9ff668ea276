"""Step mode is seen: where it stands, what it keeps back, and the key that leaves it."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from studio.application import verbs
from tests.tui.screens import Opened, opened
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


def waiting_for(go: Path) -> str:
    """A workflow whose first node ends when something is written into a pipe."""
    os.mkfifo(go)
    return f"""\
workflow: kept
limits: {{max_concurrency: 2}}
nodes:
  first: {{uses: shell, run: "read line < {go}"}}
  next: {{uses: noop, needs: first}}
  other: {{uses: shell, needs: first, run: "read line < {go}"}}
"""


async def write_into(go: Path) -> None:
    """Let the node that reads go on."""
    await asyncio.to_thread(go.write_text, "on\n")


@asynccontextmanager
async def launched(folder: Path, text: str) -> AsyncIterator[Opened]:
    """A screen with a run that has just begun; nobody waits for anything of it."""
    async with opened(folder, text) as at:
        assert at.session.shown_file is not None
        await at.session.launch(at.session.shown_file, {})
        yield at


async def test_what_becomes_ready_in_a_paused_run_is_drawn_at_once(tmp_path: Path) -> None:
    go = tmp_path / "go"
    async with launched(tmp_path, waiting_for(go)) as at:
        await at.press("P")
        at.screen._flush()
        await write_into(go)
        await at.settle()
        assert at.session.run is not None
        assert at.session.run.counts["ready"] == 2
        assert "◌ next" in at.text("graph")
        assert "◌ other" in at.text("graph")


async def test_a_node_held_before_it_could_start_is_drawn_as_held_once_it_could(
    tmp_path: Path,
) -> None:
    go = tmp_path / "go"
    async with launched(tmp_path, waiting_for(go)) as at:
        at.screen.select("next")
        await at.press("p")
        await at.session.send(verbs.hold(1, "other"))
        at.screen._flush()
        await write_into(go)
        await at.settle()
        assert at.session.run is not None
        assert at.session.run.counts["held"] == 2
        assert "‖ next" in at.text("graph")
        assert "‖ other" in at.text("graph")


async def test_what_waits_for_a_place_is_drawn_as_ready(tmp_path: Path) -> None:
    go, then = tmp_path / "go", tmp_path / "then"
    os.mkfifo(then)
    narrow = waiting_for(go).replace("max_concurrency: 2", "max_concurrency: 1")
    narrow = narrow.replace("  next: {uses: noop, needs: first}\n", "")
    narrow = narrow.replace(
        f'needs: first, run: "read line < {go}"', f'needs: first, run: "read line < {then}"'
    )
    narrow += "  last: {uses: shell, needs: first, run: ':'}\n"
    async with launched(tmp_path, narrow) as at:
        at.screen._flush()
        await write_into(go)
        assert at.session.run is not None
        nodes = at.session.run.nodes
        for _ in range(500):
            if nodes["other"].status == "running":
                break
            await at.pilot.pause(0.02)
        at.screen._flush()
        await at.pilot.pause()
        assert nodes["last"].status == "ready"
        assert "◌ last" in at.text("graph")
        await write_into(then)
        await at.settle()
