"""Text that would hurt a terminal, and code of the screen that fails: the screen stays, and says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rich.segment import Segment
from textual.color import Color
from textual.strip import Strip
from textual.widgets import Input

from studio.errors import StudioError
from studio.tui.filters import ControlFilter
from studio.tui.terminal import GoneTerminal
from studio.tui.verbs.table import VERBS
from tests.tui.screens import DIAMOND, Opened, opened

ESCAPES = "\x1b]52;c;RVZJTA==\x07\x1b[31;5mRED\x9b2J\x00\u202egnirts\u202c"
MARKUP = "[/usr/bin/env] [bold]x[/bold] [@click=app.quit]y[/]"
ZALGO = "e" + "\u0301" * 200_000

SPEAKING = """
workflow: speaking
parameters:
  text: {type: string, default: hello}
nodes:
  says: {uses: transform, value: "{{ params.text }}"}
  prints: {uses: shell, run: "printf '%s\\\\n' \\"$TEXT\\"", env: {TEXT: "{{ params.text }}"}, needs: says}
  fails: {uses: shell, run: "printf '%s\\\\n' \\"$TEXT\\" >&2; exit 3", env: {TEXT: "{{ params.text }}"}, needs: says}
"""


def drawn(found: Opened) -> str:
    """Everything on the screen, through the filters it passes on its way to the terminal."""
    strips: list[Strip] = found.screen._compositor.render_strips()
    return "".join(segment.text for strip in strips for segment in strip)


def controls(text: str) -> set[str]:
    return {c for c in text if ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c in "\u202e\u202c"}


@pytest.mark.parametrize("text", [ESCAPES, MARKUP, ZALGO], ids=["escapes", "markup", "zalgo"])
async def test_every_pane_shows_hostile_text_as_text(tmp_path: Path, text: str) -> None:
    # An argument of a process cannot hold a NUL, nor more than the system allows.
    given = text.replace("\x00", "")[:20_000]
    async with opened(tmp_path, SPEAKING, size=(160, 50)) as found:
        file = found.session.shown_file
        assert file is not None
        await found.session.launch(file, {"text": given})
        await found.settle()
        for node in ("says", "prints", "fails"):
            found.screen.select(node)
            await found.settle()
            for key in ("3", *["right_square_bracket"] * 6, "4", "1", "2"):
                await found.press(key)
                shown = drawn(found)
                assert not controls(shown)
                assert "\u0301" * 20 not in shown
        assert found.app.errors == []


async def test_a_notice_is_text(tmp_path: Path) -> None:
    async with opened(tmp_path, DIAMOND) as found:
        found.session.tell(ESCAPES + MARKUP, "error")
        await found.settle()
        assert "[/usr/bin/env]" in found.line("notice")
        assert not controls(drawn(found))


async def test_a_field_for_typing_keeps_what_the_terminal_must_not_get(tmp_path: Path) -> None:
    async with opened(tmp_path, DIAMOND) as found:
        field = Input(value=ESCAPES)
        await found.screen.mount(field)
        await found.pilot.pause()
        assert field.value == ESCAPES
        assert not controls(drawn(found))


def test_the_filter_leaves_ordinary_lines_alone() -> None:
    line = [Segment("plain ✓ é 漢字")]
    assert ControlFilter().apply(line, Color(0, 0, 0)) is line


def test_the_filter_keeps_the_width_of_a_line() -> None:
    before = [Segment("a\x1b[31mb\u202ec")]
    after = ControlFilter().apply(before, Color(0, 0, 0))
    assert after[0].text == "a[31mbc"
    assert Segment.get_line_length(after) == Segment.get_line_length(before)


async def test_a_verb_that_raises_is_shown_and_the_screen_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(screen: Any) -> None:
        raise RuntimeError(f"broken {MARKUP}")

    async with opened(tmp_path, DIAMOND) as found:
        await found.launch()
        monkeypatch.setitem(VERBS, "why", broken)
        await found.press("w")
        await found.settle()
        assert "broken [/usr/bin/env]" in found.line("notice")
        await found.press("escape", "3")
        assert found.current() == "inspector"


async def test_a_handler_that_raises_is_shown_and_the_screen_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object) -> None:
        raise StudioError("the handler is broken")

    async with opened(tmp_path, DIAMOND) as found:
        monkeypatch.setattr(type(found.screen.body), "action_next_pane", broken)
        await found.press("tab")
        await found.settle()
        assert found.app.errors == ["the handler is broken"]
        await found.press("3")
        assert found.current() == "inspector"


@pytest.mark.parametrize("size", [(1, 1), (2, 200), (200, 1), (59, 14), (300, 100)])
async def test_any_size_is_drawn(tmp_path: Path, size: tuple[int, int]) -> None:
    async with opened(tmp_path, DIAMOND) as found:
        await found.launch()
        await found.pilot.resize_terminal(*size)
        await found.press("1", "2", "3", "4", "J", "v", "v")
        await found.pilot.resize_terminal(120, 40)
        await found.settle()
        assert found.app.errors == []
        assert "diamond" in found.line("top")


class _Broken:
    """A file whose terminal has gone."""

    writes = 0

    def write(self, text: str) -> int:
        self.writes += 1
        raise OSError(5, "Input/output error")

    def flush(self) -> None:
        raise OSError(5, "Input/output error")

    def fileno(self) -> int:
        return 2


def test_a_gone_terminal_is_told_of_once_and_takes_writes_ever_after() -> None:
    told: list[None] = []
    broken = _Broken()
    file = GoneTerminal(broken, lambda: told.append(None))  # type: ignore[arg-type]  # the part of a file it uses
    for _ in range(50):
        assert file.write("text") == 4
        file.flush()
    assert told == [None]
    assert broken.writes == 1


def test_what_cannot_be_encoded_does_not_end_the_screen(tmp_path: Path) -> None:
    told: list[None] = []
    with (tmp_path / "terminal").open("w", encoding="ascii") as stream:
        file = GoneTerminal(stream, lambda: told.append(None))
        file.write("✓")
        file.write("after")
    assert told == []
    assert (tmp_path / "terminal").read_text() == "after"
