"""ctrl+c and ctrl+q end nothing: they copy, or say how to quit. Keys that do nothing say so."""

from pathlib import Path
from typing import Any

import pytest
from textual.screen import Screen
from textual.widgets import Input, TextArea

from studio.tui.screens.dialog import Menu, Prompt
from studio.tui.screens.editor import ValueEditor
from tests.tui.screens import DIAMOND, Opened, opened

SLEEPER = """
workflow: sleeper
nodes:
  nap: {uses: shell, run: "sleep 600"}
"""


def on_top(at: Opened) -> Screen[Any]:
    """The screen on top; a call, so that the checker does not hold on to an earlier answer."""
    return at.app.screen


async def running(at: Opened) -> None:
    """Start the sleeper and wait until it sleeps."""
    await at.press("L")
    await at.app.workers.wait_for_complete()
    while at.session.moving_runs() != [1]:
        await at.pilot.pause(0.02)


@pytest.mark.parametrize("key", ["ctrl+c", "ctrl+q"])
async def test_a_live_run_survives_the_keys_that_end_other_programs(
    tmp_path: Path, key: str
) -> None:
    async with opened(tmp_path, SLEEPER) as at:
        await running(at)
        await at.press(key)
        assert at.app.is_running
        assert at.session.moving_runs() == [1]
        assert "q quits and asks first what becomes of run 1" in at.line("notice")
        assert not at.app._notifications, "what is told stands in the notice line"


async def test_the_way_out_is_named_by_the_persons_own_key(tmp_path: Path) -> None:
    (tmp_path / "keymap.toml").write_text('quit = "Q"\n')
    async with opened(tmp_path, DIAMOND) as at:
        at.session.keymap = at.session.keymap._replace(keys={"quit": ("Q",)})
        await at.press("ctrl+c")
        assert "Q quits" in at.line("notice")


async def test_a_dialog_says_how_to_leave_it(tmp_path: Path) -> None:
    async with opened(tmp_path, SLEEPER) as at:
        await running(at)
        await at.press("q", "ctrl+q", "ctrl+c")
        menu = on_top(at)
        assert isinstance(menu, Menu)
        assert menu.box.border_subtitle == "esc goes back"
        await at.press("escape")
        assert on_top(at) is at.screen
        assert at.session.moving_runs() == [1]


async def test_what_is_selected_in_a_field_is_copied(tmp_path: Path) -> None:
    async with opened(tmp_path, DIAMOND) as at:
        prompt = Prompt("Name", "its name", "abcdef")
        at.app.push_screen(prompt)
        await at.pilot.pause()
        prompt.query_one(Input).select_all()
        await at.press("ctrl+c")
        assert at.app.clipboard == "abcdef"
        assert str(prompt.box.border_subtitle).startswith("copied 6 characters")


async def test_the_editor_copies_a_selection_and_otherwise_asks(tmp_path: Path) -> None:
    async with opened(tmp_path, DIAMOND) as at:
        editor = ValueEditor("Input", {"a": 1})
        at.app.push_screen(editor)
        await at.pilot.pause()
        editor.query_one(TextArea).select_all()
        await at.press("ctrl+c")
        assert at.app.clipboard == '{\n  "a": 1\n}'
        assert at.app.screen is editor
        editor.query_one(TextArea).text = "2"
        await at.press("ctrl+c")
        assert "apply" in str(editor.box.border_subtitle)


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("E", "E"),
        ("space", "space"),
        ("full_stop", "."),
        ("less_than_sign", "<"),
        ("f5", "f5"),
    ],
)
async def test_a_key_that_does_nothing_says_so(tmp_path: Path, key: str, said: str) -> None:
    async with opened(tmp_path, DIAMOND) as at:
        await at.press(key)
        assert at.line("notice") == f" {said} is no key here: ? shows them"


async def test_a_key_for_going_around_is_silent_where_there_is_nowhere_to_go(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path, DIAMOND) as at:
        await at.press("v", "left", "shift+up")
        assert not at.news()


async def test_a_key_that_is_bound_in_one_pane_is_none_in_another(tmp_path: Path) -> None:
    async with opened(tmp_path, DIAMOND) as at:
        await at.press("W")
        assert "W is no key here" in at.line("notice")
        await at.press("4", "W")
        assert not at.news()
