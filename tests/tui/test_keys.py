"""Keys in quick succession: each is answered, by what the one before it left on screen."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from textual import events
from textual.keys import _character_to_key
from textual.pilot import Pilot
from textual.widgets import TextArea

from studio.application.local import LocalStudio
from studio.application.location import locate
from studio.application.opening import open_studio
from studio.application.session import Session
from studio.application.studio import Sender
from studio.tui.app import StudioApp
from studio.tui.key_queue import KeyQueue
from studio.tui.screens.editor import ValueEditor
from studio.tui.screens.main import MainScreen
from tests.tui.screens import DIAMOND, Opened, opened

HELD = """
workflow: held
parameters:
  amount: {type: integer, default: 5}
nodes:
  first: {uses: shell, run: "false"}
  second: {uses: noop, needs: first}
  third: {uses: noop, needs: second}
"""


def typed(app: StudioApp, *keys: str) -> None:
    """Type keys faster than anything can be answered: all of them arrive in one turn of the loop."""
    for key in keys:
        name = _character_to_key(key) if len(key) == 1 else key
        app.post_message(events.Key(name, key if len(key) == 1 else None))


async def answered(at: Opened) -> None:
    """Wait until every key has been handled and the engine has said what came of it."""
    for _ in range(40):
        await at.pilot.pause()
    if isinstance(at.session.studio, LocalStudio):
        await at.session.studio.rest()
    await at.pilot.pause()


def kinds(at: Opened, *names: str) -> list[str]:
    """Which of some events the shown run has, in order."""
    assert at.session.shown_run is not None
    events_of = at.session.studio.reading.records(at.session.shown_run)
    return [name for one in events_of if (name := type(one.event).__name__) in names]


async def test_keys_pressed_before_the_screen_is_up_are_answered_by_it(tmp_path: Path) -> None:
    async with opening(tmp_path, HELD, "J", "J") as (pilot, app):
        await app.workers.wait_for_complete()
        for _ in range(20):
            await pilot.pause()
        screen = app.screen
        assert isinstance(screen, MainScreen)
        assert screen.selected == "third"


async def test_the_pane_that_a_key_brings_up_gets_the_next_key(tmp_path: Path) -> None:
    async with opened(tmp_path, DIAMOND) as at:
        before, tab = at.screen.selected, at.screen.inspector.tab
        typed(at.app, "3", "right")
        await answered(at)
        assert at.screen.selected == before
        assert at.screen.inspector.tab != tab


async def test_a_menu_that_a_key_opens_gets_the_next_key(tmp_path: Path) -> None:
    async with opened(tmp_path, HELD) as at:
        await at.launch()
        # To the screen below it, `s` would be a step.
        typed(at.app, "o", "s")
        await answered(at)
        assert isinstance(at.app.screen, ValueEditor)
        assert kinds(at, "SteppingChanged") == []


async def test_a_dialog_that_follows_a_dialog_gets_what_is_typed_next(tmp_path: Path) -> None:
    async with opened(tmp_path, HELD) as at:
        await at.launch()
        typed(at.app, "o", "s", "4", "2")
        await answered(at)
        assert at.app.screen.query_one(TextArea).text == "42"


async def test_what_is_typed_after_the_launch_key_goes_into_the_form(tmp_path: Path) -> None:
    async with opened(tmp_path, HELD) as at:
        typed(at.app, "L", "7", "enter", "J")
        await answered(at)
        assert at.session.run is not None
        assert at.session.run.params == {"amount": 7}
        assert at.screen.selected == "second"


async def test_the_same_verb_again_acts_on_what_the_first_one_left(tmp_path: Path) -> None:
    async with opened(tmp_path, HELD) as at:
        await at.launch()
        typed(at.app, "P", "P", "P")
        await answered(at)
        assert kinds(at, "RunPaused", "RunResumed") == ["RunPaused", "RunResumed", "RunPaused"]


async def test_every_one_of_many_keys_counts(tmp_path: Path) -> None:
    nodes = "\n".join(f"  n{i:02}: {{uses: noop}}" for i in range(60))
    async with opened(tmp_path, f"workflow: many\nnodes:\n{nodes}\n") as at:
        typed(at.app, *"J" * 40, *"K" * 3)
        for _ in range(40):
            await answered(at)
            if at.screen.selected == "n37":
                break
        assert at.screen.selected == "n37"


async def test_a_graph_that_is_still_laid_out_answers_keys(tmp_path: Path) -> None:
    async with opened(tmp_path, DIAMOND) as at:
        at.screen.graph.picture = None
        at.screen.graph.cursor = at.screen.graph.selected = "load"
        await at.press("J")
        assert at.screen.selected == "left"
        await at.press("up")
        assert at.screen.selected == "load"


async def test_a_key_that_does_nothing_says_so(tmp_path: Path) -> None:
    async with opened(tmp_path, DIAMOND) as at:
        await at.press("Q")
        assert at.line("notice") == " Q is no key here: ? shows them"
        await at.press("J")
        assert at.line("notice") == ""
        await at.press("f9")
        assert at.line("notice") == " f9 is no key here: ? shows them"
        await at.press("3", "space")
        assert at.line("notice") == " space is no key here: ? shows them"
        await at.press("4", "exclamation_mark")
        assert at.line("notice") == " no line of this log tells of an error"


async def test_a_key_is_carried_out_once(tmp_path: Path) -> None:
    async with opened(tmp_path, HELD) as at:
        await at.press("J")
        assert at.screen.selected == "second"


async def test_a_verb_without_an_answer_yet_is_told_of(tmp_path: Path) -> None:
    async with opened(tmp_path, HELD) as at:
        await at.launch()
        may_answer = asyncio.Event()
        send = at.session.send

        async def slow(command: object) -> object:
            await may_answer.wait()
            return await send(command)  # type: ignore[arg-type]  # handed on as it came

        at.session.send = slow  # type: ignore[method-assign,assignment]  # a history that takes its time
        await at.press("P")
        while not at.line("notice"):
            await at.pilot.pause(0.05)
        assert "waits for the history" in at.line("notice")
        await at.press("J")
        assert at.screen.selected == "second"
        may_answer.set()
        await answered(at)
        assert at.line("notice").startswith(" paused")


# ----------------------------------------------------------------- the queue by itself


def key(name: str) -> events.Key:
    """A key."""
    return events.Key(name, name)


async def turns(count: int = 10) -> None:
    """Let the loop turn."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_a_key_passes_when_the_one_before_it_has_been_handled() -> None:
    posted: list[events.Key] = []
    queue = KeyQueue(posted.append, lambda: True)
    first, second, third = key("a"), key("b"), key("c")
    assert queue.admit(first)
    assert not queue.admit(second)
    assert not queue.admit(third)
    await turns()
    assert posted == []
    queue.handled(queue.number)
    assert posted == []
    await turns()
    assert posted == [second]
    # The one that was posted passes; a newer one does not overtake the third.
    assert not queue.admit(key("d"))
    assert queue.admit(second)
    # News of the first key that comes late does not stand for the second one.
    queue.handled(queue.number - 1)
    await turns()
    assert posted == [second]
    queue.handled(queue.number)
    queue.handled(queue.number)
    await turns()
    assert posted == [second, third]


async def test_no_key_passes_before_a_screen_can_answer_it_but_the_way_out() -> None:
    posted: list[events.Key] = []
    ready = False
    queue = KeyQueue(posted.append, lambda: ready)
    assert not queue.admit(key("a"))
    assert queue.admit(events.Key("ctrl+c", None))
    queue.go_on()
    assert posted == []
    ready = True
    queue.go_on()
    assert [one.key for one in posted] == ["a"]


@asynccontextmanager
async def opening(
    folder: Path, text: str, *keys: str
) -> AsyncIterator[tuple[Pilot[None], StudioApp]]:
    """The application; keys are typed once its session is open, when there is no screen yet."""
    (folder / "flow.yaml").write_text(text)
    studio = await open_studio(locate(folder, None, {}), environ={})
    session = Session(studio, locate(folder, None, {}), Sender("tester", {}), folder)

    async def open_session() -> Session:
        await session.open()
        assert not app.is_running or not app.screen_stack
        typed(app, *keys)
        return session

    app = StudioApp(open_session)
    try:
        async with app.run_test(size=(120, 40)) as pilot:
            yield pilot, app
    finally:
        await session.close()
        await studio.close()


async def test_brackets_turn_the_tabs_of_the_node_pane_from_any_pane(tmp_path: Path) -> None:
    async with opened(tmp_path, DIAMOND) as at:
        await at.launch()
        before = at.screen.inspector.tab
        await at.press("right_square_bracket")
        assert at.current() == "graph"
        assert at.screen.inspector.tab != before
        await at.press("4", "left_square_bracket")
        assert at.screen.inspector.tab == before
        await at.press("right_curly_bracket")
        assert at.line("notice") == " } is no key here: ? shows them"
        await at.pilot.resize_terminal(80, 24)
        await at.press("2", "right_square_bracket")
        assert at.line("notice") == " [ and ] turn the tabs of the node pane: 3 shows it"
        assert at.screen.inspector.tab == before
