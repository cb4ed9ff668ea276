"""Pictures of the screen in fixed states; ``pytest tests/tui/test_snapshots.py --snapshot-update`` draws them anew.

They come last: what the panes say is asserted elsewhere, in words. A stopped clock makes every duration nought.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from studio.application import looking, opening
from studio.application.screen import open_session
from studio.application.screen_options import ScreenOptions
from studio.application.session import Session
from studio.engine.clock import SystemClock
from studio.tui.app import StudioApp

NOON = 1_700_049_600.0

PIPELINE = """\
workflow: pipeline
description: Reads, checks and joins.
parameters:
  day: {type: string, default: 2026-01-31, description: Day to read}
  rows: {type: integer, default: 3, minimum: 1}
nodes:
  read: {uses: transform, value: {day: "{{ params.day }}", rows: "{{ params.rows }}"}}
  clean: {uses: noop, needs: read, group: prepare}
  split: {uses: noop, needs: read, group: prepare}
  each: {uses: noop, needs: clean, foreach: "[1, 2, 3]"}
  check: {uses: transform, needs: split, value: "{{ nodes.read.output.rows / 0 }}"}
  join: {uses: noop, needs: [each, check]}
  tell: {uses: noop, needs: join}
outputs: {day: "{{ nodes.read.output.day }}"}
"""

WRONG = "workflow: wrong\nnodes:\n  first: {uses: noop, needs: frist}\n"

Compare = Callable[..., bool]


class StoppedClock(SystemClock):
    """Always noon; timers still run."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return NOON


@pytest.fixture(autouse=True)
def _stopped(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(opening, "SystemClock", StoppedClock)
    monkeypatch.setattr(looking, "SystemClock", StoppedClock)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


class Stage:
    """A folder with workflows, and the application on it.

    Args:
        folder: an empty folder.
        compare: the fixture that compares pictures.
    """

    def __init__(self, folder: Path, compare: Compare) -> None:
        self.folder = folder
        self.compare = compare

    def shows(
        self,
        *keys: str,
        size: tuple[int, int] = (120, 40),
        text: str = PIPELINE,
        run: bool = False,
        theme: str = "dark",
        ascii: bool = False,
    ) -> bool:
        """Whether the screen is as it was, after a run (when asked for) and some keys."""
        (self.folder / "flow.yaml").write_text(text)
        (self.folder / ".studio").mkdir()
        (self.folder / ".studio" / "first-steps-shown").touch()
        stack = AsyncExitStack()
        options = ScreenOptions(path=str(self.folder))
        environ = {"STUDIO_ACTOR": "ada", "PATH": "/usr/bin:/bin", "HOME": str(self.folder)}

        async def begin() -> Session:
            return await stack.enter_async_context(open_session(options, environ))

        app = StudioApp(begin, theme_name=theme, ascii=ascii)

        async def before(pilot: Pilot[Any]) -> None:
            await app.workers.wait_for_complete()
            await pilot.pause()
            found = app.session
            assert found is not None
            if run:
                assert found.shown_file is not None
                await found.launch(found.shown_file, {})
                await found.studio.rest()
            await pilot.pause(0.2)
            for key in keys:
                await pilot.press(key)
                await pilot.pause(0.1)
            await pilot.pause(0.2)
            app.call_later(stack.aclose)

        return self.compare(app, terminal_size=size, run_before=before)


@pytest.fixture
def stage(tmp_path: Path, snap_compare: Compare) -> Stage:
    """A stage in a folder of its own."""
    return Stage(tmp_path, snap_compare)


def test_small(stage: Stage) -> None:
    assert stage.shows("f", size=(80, 24), run=True)


def test_normal(stage: Stage) -> None:
    assert stage.shows("f", run=True)


def test_wide(stage: Stage) -> None:
    assert stage.shows("f", size=(200, 60), run=True)


def test_tiny(stage: Stage) -> None:
    assert stage.shows(size=(50, 12), run=True)


def test_tall_and_narrow(stage: Stage) -> None:
    assert stage.shows("f", size=(70, 60), run=True)


def test_not_started(stage: Stage) -> None:
    assert stage.shows()


def test_a_file_with_errors(stage: Stage) -> None:
    assert stage.shows(text=WRONG)


def test_table(stage: Stage) -> None:
    assert stage.shows("v", run=True)


def test_outcome_menu(stage: Stage) -> None:
    assert stage.shows("f", "o", run=True)


def test_launch_form(stage: Stage) -> None:
    assert stage.shows("L")


def test_ascii(stage: Stage) -> None:
    assert stage.shows("f", run=True, ascii=True)


def test_light(stage: Stage) -> None:
    assert stage.shows("f", run=True, theme="light")
