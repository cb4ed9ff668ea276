"""The inspector as a widget: tabs, folds, cursor, items, messages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import msgspec
from textual.content import Content
from textual.pilot import Pilot

from studio.core import commands as verbs
from studio.tui.widgets.inspector import Inspector
from tests.tui.panes import Bare, BrokenReading, FakeSession, screen_text
from tests.unit.core.driver import Driver, node


@asynccontextmanager
async def shown(
    driver: Driver, path: str, *, size: tuple[int, int] = (44, 24), ascii: bool = False
) -> AsyncIterator[tuple[Inspector, FakeSession, Pilot[None], Bare]]:
    """An inspector on a node, focused."""
    inspector = Inspector(ascii=ascii)
    app, session = Bare(inspector), FakeSession(driver)
    async with app.run_test(size=size) as pilot:
        look(inspector, session, path)
        inspector.focus()
        await pilot.pause()
        yield inspector, session, pilot, app
        assert app.reported == []


def look(inspector: Inspector, session: Any, path: str) -> None:
    """Show a node of a test's session."""
    inspector.show(session, path)


def failing() -> Driver:
    """A load that gave a nested value, and a node behind it that failed."""
    driver = Driver(node("load"), node("graph", "load", input={"n": "{{ nodes.load.output.n }}"}), policy="hold")  # fmt: skip
    driver.finish("load", {"n": 3, "many": [[i] for i in range(50)], "name": "x"})
    return driver.fail("graph", "KeyError")


async def test_a_failed_node_opens_on_its_error_and_others_keep_the_chosen_tab() -> None:
    async with shown(failing(), "load") as (inspector, session, pilot, _):
        assert inspector.tab == "Why"
        inspector.open_tab("Output")
        look(inspector, session, "graph")
        assert inspector.tab == "Error"
        await pilot.pause()
        assert "KeyError: graph broke" in screen_text(inspector)
        look(inspector, session, "load")
        assert inspector.tab == "Output"


async def test_keys_fold_move_and_tell_the_path_of_the_value() -> None:
    async with shown(failing(), "load") as (inspector, _, pilot, _app):
        inspector.open_tab("Output")
        await pilot.press("down")
        assert inspector.path_at() == "{{ nodes.load.output.many }}"
        assert "▸ many: [50 items]" in screen_text(inspector)[4]
        await pilot.press("right", "down", "down")
        assert inspector.path_at() == "{{ nodes.load.output.many[1] }}"
        assert str(inspector.border_subtitle) == "{{ nodes.load.output.many[1] }}"
        await pilot.press("space", "down")
        assert inspector.path_at() == "{{ nodes.load.output.many[1][0] }}"
        await pilot.press("up", "left", "enter")
        assert inspector.tab == "Output"
        await pilot.press("G")
        assert inspector.path_at() == "{{ nodes.load.output.name }}"
        await pilot.press("right")
        assert inspector.tab == "Attempts"


async def test_what_is_open_stays_open_while_the_value_is_the_same() -> None:
    driver = failing()
    async with shown(driver, "load") as (inspector, session, pilot, _):
        inspector.open_tab("Output")
        await pilot.press("down", "right")
        before = screen_text(inspector)
        driver.verb(verbs.RetryNode, "graph")
        look(inspector, session, "load")
        assert screen_text(inspector) == before


async def test_brackets_change_tabs_and_a_click_on_a_name_opens_it() -> None:
    async with shown(failing(), "graph", size=(60, 24)) as (inspector, _, pilot, _app):
        await pilot.press("right_square_bracket")
        assert inspector.tab == "Why"
        await pilot.press("left_square_bracket", "left_square_bracket")
        assert inspector.tab == "Edges"
        strip = screen_text(inspector)[1]
        await pilot.click(offset=(strip.index("Attempts") + 2, 1))
        assert inspector.tab == "Attempts"


async def test_items_are_selected_with_enter_and_left_with_backspace() -> None:
    driver = Driver(node("each", foreach=list(range(30))), policy="continue", check=False)
    for number in range(30):
        path = f"each[{number}]"
        driver.fail(path, "KeyError") if number == 7 else driver.finish(path)
    async with shown(driver, "each") as (inspector, session, pilot, app):
        inspector.open_tab("Items")
        await pilot.press("enter")
        assert app.selected == ["each[7]"]
        look(inspector, session, "each[7]")
        assert inspector.tab == "Error"
        await pilot.press("backspace")
        assert app.selected == ["each[7]", "each"]


async def test_search_opens_and_scrolls_to_what_it_finds() -> None:
    async with shown(failing(), "load") as (inspector, _, _pilot, _app):
        inspector.open_tab("Output")
        assert inspector.search("41")
        assert inspector.path_at() == "{{ nodes.load.output.many[41][0] }}"
        assert not inspector.search("nowhere")
        inspector.open_tab("Attempts")
        assert inspector.search("succeeded")


async def test_a_long_history_is_read_in_slices_until_it_is_complete(monkeypatch: Any) -> None:
    monkeypatch.setattr("studio.tui.widgets.attempt_history.SLICE", 5)
    driver = failing()
    for _ in range(10):
        driver.verb(verbs.RetryNode, "graph").fail("graph", "KeyError")
    async with shown(driver, "graph") as (inspector, _, pilot, _app):
        inspector.open_tab("Attempts")
        for _ in range(50):
            await pilot.pause(0.02)
            if not any("reading" in line for line in screen_text(inspector)):
                break
        assert "11 attempts, 11 failed" in " ".join(screen_text(inspector))


async def test_the_title_is_no_markup_and_nothing_is_selected_at_first() -> None:
    async with shown(failing(), "graph") as (inspector, session, pilot, _):
        inspector.set_title("3 [bold]each[3][/bold] \x1b[2J")
        title = Content.from_markup(str(inspector.border_title))
        assert title.plain == "3 [bold]each[3][/bold] "
        inspector.show(session, None)  # type: ignore[arg-type]  # a test's session
        await pilot.pause()
        assert screen_text(inspector)[0] == "select a node"


async def test_hostile_names_and_errors_reach_the_screen_tamed() -> None:
    evil = "\x1b[2J\x1b]52;c;aGk=\x07 [/bold] \u202e" + "e" + "\u0301" * 200_000
    named = msgspec.structs.replace(node("a", input={evil: evil}), name=evil)
    driver = Driver(named, policy="hold").fail("a", evil)
    async with shown(driver, "a", ascii=True) as (inspector, _, pilot, _app):
        for tab in inspector.tabs():
            inspector.open_tab(tab)
            await pilot.pause()
            for line in screen_text(inspector):
                assert all(character.isprintable() for character in line)
                assert len(line) < 400


async def test_a_workflow_without_a_run_shows_its_definition() -> None:
    async with shown(failing(), "graph") as (inspector, session, pilot, _):
        session.shown_run = None
        look(inspector, session, "graph")
        await pilot.pause()
        assert inspector.tabs() == ("Definition", "Edges")
        assert inspector.tab in inspector.tabs()


async def test_keys_it_has_no_use_for_go_on_to_the_screen() -> None:
    async with shown(failing(), "graph") as (_, _session, pilot, app):
        await pilot.press("enter", "space", "backspace")
        assert app.passed == ["enter", "space", "backspace"]


async def test_an_error_is_shown_even_when_the_history_cannot_be_read() -> None:
    driver = failing()
    async with shown(driver, "load") as (inspector, session, pilot, _app):
        session.studio.reading = BrokenReading(driver)
        look(inspector, session, "graph")
        await pilot.pause()
        text = screen_text(inspector)
        assert "KeyError: graph broke" in text
        assert "the history has gone" in text


async def test_the_input_of_the_last_good_run_stands_beside_the_failed_one() -> None:
    flow = (node("a", input={"n": "{{ params.n }}"}),)
    driver = Driver(*flow, params={"n": 1}).finish("a")
    driver.start(driver.run().plan.workflow, policy="hold", params={"n": 2})
    driver.fail("a", "KeyError", run=2)
    async with shown(driver, "a") as (inspector, session, pilot, _app):
        session.shown_run = 2
        session.rows = [SimpleNamespace(run=1, file="", state="succeeded")]
        look(inspector, session, "a")
        await pilot.pause()
        text = screen_text(inspector)
        assert "last OK run #1  input.n = 1" in text
        assert "        this run input.n = 2" in text


async def test_what_is_told_of_other_nodes_keeps_up_while_the_run_moves(monkeypatch: Any) -> None:
    monkeypatch.setattr("studio.tui.widgets.inspector.TICK", 0.01)
    driver = Driver(node("a"), node("b", "a"), node("c", "b")).finish("a")
    async with shown(driver, "a") as (inspector, _, pilot, _app):
        inspector.open_tab("Edges")
        assert "  ▸ b  ● running" in screen_text(inspector)
        driver.finish("b").finish("c")
        for _ in range(100):
            await pilot.pause(0.01)
            if "  ▸ b  ✓ succeeded" in screen_text(inspector):
                break
        assert "  ▸ b  ✓ succeeded" in screen_text(inspector)
