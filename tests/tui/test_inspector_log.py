"""The log pane as a widget: follows, filters, keeps its place, takes each line once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual.pilot import Pilot

from studio.ids import NodePath, RunNumber
from studio.ports import AttemptKey, LogLine
from studio.tui.widgets.log_pane import LogPane
from tests.tui.panes import Bare, BrokenReading, FakeSession, Logs, screen_text
from tests.unit.core.driver import Driver, node


def key(path: str, attempt: int = 1) -> AttemptKey:
    return AttemptKey(RunNumber(1), NodePath(path), False, attempt)


def lines(*texts: str, at: float = 1.0) -> list[LogLine]:
    return [LogLine(at + number / 1000, text) for number, text in enumerate(texts)]


def driver() -> Driver:
    return Driver(
        node("a"), node("b", group="pair"), node("c", group="pair"), node("each", foreach=[1, 2])
    )


@asynccontextmanager
async def shown(
    path: str | None, logs: Logs, *, size: tuple[int, int] = (60, 10)
) -> AsyncIterator[tuple[LogPane, FakeSession, Pilot[None], Bare]]:
    """A log pane on a node, with what is on disk read."""
    pane = LogPane()
    app, session = Bare(pane), FakeSession(driver(), logs)
    async with app.run_test(size=size) as pilot:
        await look(pane, session, path, pilot)
        pane.focus()
        yield pane, session, pilot, app
        assert app.reported == []


async def look(pane: LogPane, session: Any, path: str | None, pilot: Pilot[None]) -> None:
    """Show a node and wait until its log is read."""
    pane.show(session, path)
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


async def test_it_shows_what_is_on_disk_and_what_comes_each_line_once() -> None:
    stored = lines("one", "two")
    async with shown("a", {key("a"): stored}) as (pane, _, pilot, _app):
        pane.append([(key("a"), stored), (key("b"), lines("other", at=5))])
        pane.append([(key("a"), lines("three", at=2))])
        pane.append([(key("a", 2), lines("four", at=3))])
        await pilot.pause()
        text = [line for line in screen_text(pane) if line]
        assert [line.rpartition(" ")[2] for line in text if "──" not in line] == [
            "one",
            "two",
            "three",
            "four",
        ]
        assert sum("attempt" in line for line in text) == 2
        assert str(pane.border_title) == "4 Log  a  attempt 2"


async def test_lines_that_come_while_the_disk_is_read_are_not_lost_or_doubled() -> None:
    stored = lines("one", "two")
    async with shown("b", {key("a"): stored}) as (pane, session, pilot, _):
        pane.show(session, "a")  # type: ignore[arg-type]  # a test's session
        pane.append([(key("a"), stored[1:]), (key("a"), lines("three", at=2))])
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()
        assert pane.text().split("\n") == ["one", "two", "three"]


async def test_a_batch_that_was_read_half_written_is_completed_not_doubled() -> None:
    batch = [LogLine(1.0, f"line {n}") for n in range(10)]
    async with shown("a", {key("a"): batch[:4]}) as (pane, _, pilot, _app):
        pane.append([(key("a"), batch)])
        pane.append([(key("a"), [LogLine(1.0, "the clock stood still")])])
        pane.append([(key("a"), [LogLine(0.5, "the clock went back")])])
        await pilot.pause()
        expected = [line.text for line in batch]
        assert pane.text().split("\n") == [
            *expected,
            "the clock stood still",
            "the clock went back",
        ]


async def test_the_log_of_a_run_that_another_process_drives_is_looked_at_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("studio.tui.widgets.log_pane.POLL", 0.01)
    logs = {key("a"): lines("one", "two")}
    async with shown("b", logs) as (pane, session, pilot, _):
        session.studio.owns = False
        await look(pane, session, "a", pilot)
        logs[key("a")] += lines("three", at=1.001)
        logs[key("a", 2)] = lines("four", at=0.1)
        for _ in range(100):
            await pilot.pause(0.01)
            if pane.text().endswith("four"):
                break
        assert pane.text().split("\n") == ["one", "two", "three", "four"]


async def test_a_foreach_shows_its_items_a_group_its_nodes_and_none_the_run() -> None:
    logs = {
        key(path): lines(f"of {path}", at=at)
        for at, path in enumerate(("each[0]", "b", "c", "each[1]", "a"))
    }
    async with shown("each", logs) as (pane, session, pilot, _):
        assert pane.text().split("\n") == ["of each[0]", "of each[1]"]
        assert "each[1]" in screen_text(pane)[1]
        await look(pane, session, "group:pair", pilot)
        assert pane.text().split("\n") == ["of b", "of c"]
        await look(pane, session, None, pilot)
        assert len(pane.text().split("\n")) == 5
        assert str(pane.border_title) == "4 Log  run 1"


async def test_it_follows_until_someone_scrolls_up_and_again_at_the_end() -> None:
    async with shown("a", {key("a"): lines(*(f"line {n}" for n in range(100)))}) as (
        pane,
        _,
        pilot,
        _app,
    ):
        assert screen_text(pane)[-1].endswith("line 99")
        pane.append([(key("a"), lines("newer", at=2))])
        await pilot.pause()
        assert screen_text(pane)[-1].endswith("newer")
        await pilot.press("pageup")
        assert not pane.follow
        before = screen_text(pane)
        pane.append([(key("a"), lines("newest", at=3))])
        await pilot.pause()
        assert screen_text(pane) == before
        assert "follow ○" in str(pane.border_subtitle)
        await pilot.press("G")
        assert "follow ●" in str(pane.border_subtitle)
        assert screen_text(pane)[-1].endswith("newest")


async def test_who_does_not_follow_keeps_looking_at_the_same_lines_while_old_ones_go() -> None:
    async with shown("a", {}) as (pane, _, pilot, _app):
        pane.append([(key("a"), lines(*(f"line {n}" for n in range(20_000))))])
        await pilot.press("pageup", "pageup", "pageup")
        before = screen_text(pane)
        pane.append([(key("a"), lines(*(f"more {n}" for n in range(3_000)), at=100.0))])
        await pilot.pause()
        assert screen_text(pane) == before
        assert "3,000 lines dropped" in str(pane.border_subtitle)


async def test_keys_switch_wrap_time_and_level() -> None:
    logs = {key("a"): [*lines("x" * 100), LogLine(2.0, "bad", "log", "error")]}
    async with shown("a", logs) as (pane, _, pilot, _app):
        assert len(pane.buffer) == 3
        await pilot.press("W")
        assert len(pane.buffer) == 5
        await pilot.press("number_sign")
        assert screen_text(pane)[1] == "x" * pane.row_cells
        await pilot.press("percent_sign", "percent_sign", "percent_sign")
        assert screen_text(pane)[1] == "ERROR bad"
        assert "% from error" in str(pane.border_subtitle)
        await pilot.press("percent_sign")
        assert len(pane.buffer) == 4


async def test_search_and_the_first_error_go_beyond_what_is_in_view() -> None:
    texts = [f"line {n}" for n in range(500)]
    texts[20] = "ERROR here"
    async with shown("a", {key("a"): lines(*texts)}) as (pane, _, pilot, _app):
        await pilot.press("exclamation_mark")
        assert any("ERROR here" in line for line in screen_text(pane))
        assert not pane.follow
        assert pane.search("line 499")
        assert pane.search("line 4", 1)
        assert not pane.search("nowhere")


async def test_a_log_that_cannot_be_read_or_is_empty_says_so() -> None:
    async with shown("a", {}) as (pane, session, pilot, _):
        assert screen_text(pane)[0] == "it wrote nothing"
        session.studio.reading = BrokenReading(session.driver)
        await look(pane, session, "b", pilot)
        assert screen_text(pane)[0] == "the state folder has gone"
        session.shown_run = None
        await look(pane, session, "b", pilot)
        assert screen_text(pane)[0].startswith("no run is shown")


async def test_a_line_that_is_cut_at_the_border_says_so() -> None:
    long = "x" * 200
    async with shown("a", {key("a"): lines("short", long)}, size=(40, 10)) as (
        pane,
        _,
        pilot,
        _app,
    ):
        assert [row[-2:] for row in drawn(pane)[1:3]] == ["  ", "x…"]
        await pilot.press("W")
        await pilot.pause()
        assert "…" not in "".join(drawn(pane))


def drawn(pane: LogPane) -> list[str]:
    """The lines of the pane as they are drawn."""
    return ["".join(part.text for part in pane.render_line(y)) for y in range(pane.size.height)]
