"""With `--ascii` nothing outside ASCII is drawn, whatever is open; letters of users stay."""

from pathlib import Path

import pytest
from textual._compositor import LayoutUpdate

from studio.projections.plain import STAND_INS, in_ascii
from tests.tui.screens import DIAMOND, Opened, opened

FORM = """
workflow: form
parameters:
  day: {type: string, default: today, minLength: 2}
  rows: {type: integer, default: 3, minimum: 1, maximum: 9}
nodes:
  list: {uses: transform, value: "{'deep': {'er': [1, 2, {'x': 'a\\nb'}]}, 'text': 'line'}"}
  each: {uses: noop, needs: list, foreach: "[1, 2, 3]"}
  undoable: {uses: noop, needs: list, compensate: {uses: noop}}
  fails: {uses: shell, needs: undoable, run: "echo on stdout; echo on stderr >&2; exit 3"}
  never: {uses: noop, needs: [fails, each]}
outputs: {deep: "{{ nodes.list.output }}"}
"""


def whole_screen(at: Opened) -> str:
    """All that is on the screen, as it goes to the terminal."""
    update = at.app.screen._compositor.render_update(
        full=True, screen_stack=at.app._background_screens
    )
    assert isinstance(update, LayoutUpdate)
    return "\n".join("".join(part.text for part in strip) for strip in update.strips)


def foreign(at: Opened) -> set[str]:
    """Characters on the screen that are not ASCII."""
    return {character for character in whole_screen(at) if not character.isascii()}


DIALOGS = [
    ("L",),
    ("question_mark",),
    ("question_mark", "G"),
    ("colon",),
    ("colon", "u", "n", "d"),
    ("f", "enter"),
    ("f", "o"),
    ("f", "i"),
    ("f", "i", "end", "space", "x", "escape"),
    ("f", "y"),
    ("slash",),
    ("slash", "q", "q"),
    ("N",),
    ("N", "enter"),
    ("U",),
    ("X",),
    ("ctrl+r",),
    ("q",),
    ("M",),
    ("s", "P"),
    ("4", "slash"),
]


@pytest.mark.parametrize("keys", DIALOGS, ids=" ".join)
@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_dialogs_are_ascii(
    tmp_path: Path, keys: tuple[str, ...], size: tuple[int, int]
) -> None:
    async with opened(tmp_path, FORM, ascii=True, size=size) as at:
        await at.launch()
        await at.press(*keys)
        assert foreign(at) == set()


@pytest.mark.parametrize("size", [(50, 12), (80, 24), (120, 40), (200, 60)])
async def test_panes_are_ascii(tmp_path: Path, size: tuple[int, int]) -> None:
    async with opened(tmp_path, FORM, DIAMOND, ascii=True, size=size, first_start=True) as at:
        assert foreign(at) == set()
        await at.launch()
        at.screen.notice("one · two — three ⏎ and the rest of it …" * 9, "warning")
        await at.pilot.pause()
        assert foreign(at) == set()
        for view in ("graph", "table", "timeline"):
            for path in ("list", "each", "fails", "undoable", "never"):
                at.screen.select(path)
                await at.pilot.pause()
                assert foreign(at) == set(), (view, path)
            await at.press("v")
        for pane in ("1", "4", "3"):
            await at.press(pane)
            assert foreign(at) == set(), pane
        for path in ("list", "each", "fails"):
            at.screen.select(path)
            for tab in at.screen.inspector.tabs():
                at.screen.inspector.open_tab(tab)
                await at.pilot.pause()
                assert foreign(at) == set(), (path, tab)


async def test_letters_of_users_stay(tmp_path: Path) -> None:
    text = "workflow: größe\nnodes:\n  a: {uses: noop, name: Über}\n"
    async with opened(tmp_path, text, ascii=True) as at:
        assert foreign(at) <= set("ößÜ")
        assert "ö" in whole_screen(at)


def test_a_stand_in_takes_the_place_of_its_sign() -> None:
    assert all(len(stand_in) == 1 and stand_in.isascii() for stand_in in STAND_INS.values())
    assert in_ascii("↑↓ ⏎ choose · ≥ 3") == "up/down enter choose - >= 3"
