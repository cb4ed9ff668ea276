"""What the keys do: each action sends its verb, shows its consequence, or says why it does not apply."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.screen import Screen

from studio.application.local import LocalStudio
from studio.application.location import locate
from studio.application.opening import open_studio
from studio.application.session import Session
from studio.application.studio import Sender
from studio.projections.screen.actions import ACTIONS
from studio.tui.app import StudioApp
from studio.tui.editing import editor_command
from studio.tui.screens.dialog import Confirm, Menu, Reader
from studio.tui.screens.editor import ValueEditor, diff_rows, json_problem_of
from studio.tui.screens.launch import LaunchForm
from studio.tui.screens.main import MainScreen
from studio.tui.verbs.table import VERBS

SAGA = """
workflow: saga
parameters:
  amount: {type: integer, minimum: 1, default: 5}
nodes:
  reserve: {uses: noop, with: {id: 7}, compensate: {uses: noop}}
  charge:
    uses: shell
    needs: reserve
    run: test "$AMOUNT" -gt 100
    env: {AMOUNT: "{{ params.amount }}"}
  confirm: {uses: noop, needs: charge}
"""


@asynccontextmanager
async def opened(
    folder: Path, text: str = SAGA
) -> AsyncIterator[tuple[Pilot[None], MainScreen, Session]]:
    """The application over a real engine in a temporary folder."""
    (folder / "saga.yaml").write_text(text)
    location = locate(folder, None, {})
    studio = await open_studio(location, environ={})
    session = Session(studio, location, Sender("tester", {"PATH": "/usr/bin:/bin"}), folder)

    async def open_session() -> Session:
        await session.open()
        return session

    app = StudioApp(open_session)
    try:
        async with app.run_test(size=(120, 40)) as pilot:
            await app.workers.wait_for_complete()
            await pilot.pause()
            screen = app.screen
            assert isinstance(screen, MainScreen)
            yield pilot, screen, session
    finally:
        await session.close()
        await studio.close()


def shown(pilot: Pilot[None]) -> Screen[Any]:
    """The screen on top; a call, so that the checker does not hold on to an earlier answer."""
    return pilot.app.screen


def is_paused(session: Session) -> bool:
    """Whether the shown run is paused, asked anew."""
    return session.run is not None and session.run.paused


async def rest(pilot: Pilot[None], session: Session) -> None:
    """Wait until the engine rests and the screen has drawn it."""
    assert isinstance(session.studio, LocalStudio)
    await pilot.pause()
    await session.studio.rest()
    await pilot.pause()


async def failed_run(pilot: Pilot[None], screen: MainScreen, session: Session) -> None:
    """Launch with the default amount, which fails, and go to the failure."""
    await pilot.press("L")
    await pilot.pause()
    await pilot.press("enter")
    await pilot.pause()
    await rest(pilot, session)
    await pilot.press("f")
    await pilot.pause()
    assert screen.selected == "charge"


def test_every_action_has_a_verb() -> None:
    assert {action.id for action in ACTIONS} == set(VERBS)


def test_no_key_is_bound_twice() -> None:
    keys = [key for action in ACTIONS for key in action.keys]
    assert len(keys) == len(set(keys))


async def test_the_launch_form_checks_before_it_starts(tmp_path: Path) -> None:
    async with opened(tmp_path) as (pilot, _screen, session):
        await pilot.press("L")
        await pilot.pause()
        form = shown(pilot)
        assert isinstance(form, LaunchForm)
        await pilot.press("backspace", "0", "enter")
        await pilot.pause()
        assert shown(pilot) is form, "0 is below the minimum"
        await pilot.press("backspace", "9", "enter")
        await pilot.pause()
        await rest(pilot, session)
        assert session.run is not None
        assert session.run.params == {"amount": 9}
        assert session.last_params[session.shown_file or ""] == {"amount": 9}


async def test_enter_at_once_starts_with_the_same_values(tmp_path: Path) -> None:
    async with opened(tmp_path) as (pilot, _screen, session):
        await pilot.press("L", "backspace", "9", "enter")
        await pilot.pause()
        await rest(pilot, session)
        await pilot.press("L", "enter")
        await pilot.pause()
        await rest(pilot, session)
        assert not isinstance(shown(pilot), LaunchForm)
        assert session.run is not None
        assert (session.run.number, session.run.params) == (2, {"amount": 9})


TEXT = SAGA.replace(
    "amount: {type: integer, minimum: 1, default: 5}", "amount: {type: string, default: x}"
)


@pytest.mark.parametrize("value", ["Lisbon", "LL", "oL"])
async def test_a_value_may_begin_with_the_launch_key(tmp_path: Path, value: str) -> None:
    assert "type: string" in TEXT
    async with opened(tmp_path, TEXT) as (pilot, _screen, session):
        await pilot.press("L", *value)
        await pilot.pause()
        assert isinstance(shown(pilot), LaunchForm)
        assert session.shown_run is None, "nothing that is typed starts a run"
        await pilot.press("enter")
        await pilot.pause()
        await rest(pilot, session)
        assert session.run is not None
        assert session.run.params == {"amount": value}


async def test_on_the_row_above_the_fields_the_launch_key_starts_and_says_so(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path, TEXT) as (pilot, _screen, session):
        await pilot.press("L")
        await pilot.pause()
        assert start_row(pilot).startswith("⏎  start with these values")
        await pilot.press("up")
        await pilot.pause()
        assert start_row(pilot).startswith("⏎ L  start with these values")
        await pilot.press("a", "up", "L")
        await pilot.pause()
        await rest(pilot, session)
        assert session.run is not None
        assert session.run.params == {"amount": "a"}


def start_row(pilot: Pilot[None]) -> str:
    """The row of the launch form that starts the run."""
    form = shown(pilot)
    assert isinstance(form, LaunchForm)
    return "".join(part.text for part in form._start.rows[0])


async def test_another_launch_key_of_the_person_counts(tmp_path: Path) -> None:
    async with opened(tmp_path) as (pilot, _screen, session):
        session.keymap = session.keymap._replace(keys={"launch": ("ctrl+l",)})
        pilot.app.set_keymap({"launch": "ctrl+l"})
        await pilot.press("ctrl+l")
        await pilot.pause()
        await pilot.press("up")
        await pilot.pause()
        assert "ctrl+l" in start_row(pilot)
        await pilot.press("ctrl+l")
        await pilot.pause()
        await rest(pilot, session)
        assert session.run is not None


async def test_a_failure_is_marked_by_hand_with_an_output(tmp_path: Path) -> None:
    async with opened(tmp_path) as (pilot, screen, session):
        await failed_run(pilot, screen, session)
        await pilot.press("o")
        await pilot.pause()
        assert isinstance(shown(pilot), Menu)
        await pilot.press("s")
        await pilot.pause()
        editor = shown(pilot)
        assert isinstance(editor, ValueEditor)
        await pilot.press("escape", "enter")
        await pilot.pause()
        await rest(pilot, session)
        run = session.run
        assert run is not None
        assert run.phase == "succeeded"
        assert "marked" in run.nodes["charge"].marks


async def test_an_input_is_overridden_and_the_node_retried(tmp_path: Path) -> None:
    text = SAGA.replace("uses: shell\n", "uses: python\n").replace(
        '    run: test "$AMOUNT" -gt 100\n    env: {AMOUNT: "{{ params.amount }}"}\n',
        '    code: |\n      assert amount > 100\n      return amount\n    with: {amount: "{{ params.amount }}"}\n',
    )
    async with opened(tmp_path, text) as (pilot, screen, session):
        await failed_run(pilot, screen, session)
        await pilot.press("i")
        await pilot.pause()
        editor = shown(pilot)
        assert isinstance(editor, ValueEditor)
        editor._area.text = json.dumps({"amount": 500})
        await pilot.pause()
        await pilot.press("escape", "enter")
        await pilot.pause()
        await rest(pilot, session)
        await pilot.press("r")
        await pilot.pause()
        await rest(pilot, session)
        run = session.run
        assert run is not None
        assert run.phase == "succeeded"
        assert session.output_of("charge") == 500


async def test_a_draft_survives_leaving_the_editor(tmp_path: Path) -> None:
    async with opened(tmp_path) as (pilot, screen, session):
        await failed_run(pilot, screen, session)
        await pilot.press("i")
        await pilot.pause()
        editor = shown(pilot)
        assert isinstance(editor, ValueEditor)
        editor._area.text = '{"half": '
        await pilot.pause()
        await pilot.press("escape", "enter")
        await pilot.pause()
        assert shown(pilot) is editor, "what is not JSON is not applied"


async def test_the_run_is_undone_after_showing_the_plan(tmp_path: Path) -> None:
    async with opened(tmp_path) as (pilot, screen, session):
        await failed_run(pilot, screen, session)
        await pilot.press("U")
        await pilot.pause()
        assert isinstance(shown(pilot), Confirm)
        await pilot.press("enter")
        await pilot.pause()
        await rest(pilot, session)
        run = session.run
        assert run is not None
        assert run.phase == "compensated"
        assert run.nodes["reserve"].status == "compensated"


async def test_a_pause_is_taken_back(tmp_path: Path) -> None:
    text = SAGA.replace("confirm: {uses: noop, needs: charge}", "confirm: {uses: wait, for: 1h}")
    async with opened(tmp_path, text) as (pilot, _screen, session):
        await pilot.press("L")
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        await pilot.press("P")
        await pilot.pause()
        run = session.run
        assert run is not None
        assert is_paused(session)
        await pilot.press("z")
        await pilot.pause()
        assert not is_paused(session)
        await pilot.press("X")
        await pilot.pause()
        await pilot.press("enter")
        await rest(pilot, session)
        assert run.phase == "cancelled"


async def test_a_key_that_does_not_apply_says_why(tmp_path: Path) -> None:
    async with opened(tmp_path) as (pilot, screen, _session):
        said: list[str] = []
        screen.notice = lambda text, kind="info": said.append(text)  # type: ignore[method-assign]
        await pilot.press("r")
        await pilot.pause()
        assert said == ["r: no run is shown: L starts one"]


async def test_help_and_palette_open_and_close(tmp_path: Path) -> None:
    async with opened(tmp_path) as (pilot, screen, _session):
        await pilot.press("question_mark")
        await pilot.pause()
        assert isinstance(shown(pilot), Reader)
        await pilot.press("escape")
        await pilot.press("colon")
        await pilot.pause()
        menu = shown(pilot)
        assert isinstance(menu, Menu)
        await pilot.press(*"launch")
        await pilot.pause()
        assert menu.shown[0].value == "launch"
        await pilot.press("escape")
        await pilot.pause()
        assert shown(pilot) is screen


@pytest.mark.parametrize(
    ("editor", "command"),
    [
        ("vim", ["vim", "+7", "a.py"]),
        ("code --wait", ["code", "--wait", "--goto", "a.py:7"]),
        ("hx", ["hx", "a.py:7"]),
        ("pycharm", ["pycharm", "--line", "7", "a.py"]),
        ("", ["vi", "+7", "a.py"]),
    ],
)
def test_editors_are_told_the_line_in_their_own_way(editor: str, command: list[str]) -> None:
    assert editor_command(editor, "a.py", 7) == command


def test_the_editor_says_where_the_text_is_not_json() -> None:
    assert json_problem_of('{"a": 1}') is None
    assert (json_problem_of('{"a": }') or "").startswith("line 1, column 7")
    assert json_problem_of('{"a": NaN}') == "NaN is not JSON"


def test_the_diff_shows_only_what_changes() -> None:
    before = '{\n  "a": 1,\n  "b": 2\n}'
    rows = diff_rows(before, '{"b": 3, "a": 1}', "input")
    assert ["".join(part.text for part in row) for row in rows] == ["- input.b: 2", "+ input.b: 3"]
    assert diff_rows(before, before, "input")[0][0].text == "no change yet"
    assert "written otherwise" in diff_rows(before, '{"a": 1, "b": 2}', "input")[0][0].text
