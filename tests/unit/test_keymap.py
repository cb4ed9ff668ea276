"""The user's keys: what is taken, what is left out and how that is told."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from textual.keys import _character_to_key

from studio.application.keymap import read_keymap
from studio.application.location import Location
from studio.projections.screen.actions import ACTIONS
from studio.projections.screen.keymap import (
    FIXED,
    KEY_OF_CHARACTER,
    NEVER,
    Entry,
    Keymap,
    make_keymap,
    textual_key,
)


def keymap(**keys: object) -> Keymap:
    return make_keymap([Entry(action, value, "keymap.toml:1") for action, value in keys.items()])


def test_punctuation_has_the_names_that_textual_gives_it() -> None:
    assert {c: _character_to_key(c) for c in string.punctuation} == KEY_OF_CHARACTER


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("r", "r"),
        ("R", "R"),
        ("/", "slash"),
        ("ctrl+r", "ctrl+r"),
        ("ctrl+R", "ctrl+r"),
        ("F5", "f5"),
        ("shift+ctrl+up", "ctrl+shift+up"),
        ("ctrl++", "ctrl+plus"),
        ("space", "space"),
        ("", None),
        ("ctrl+", None),
        ("hyper+x", None),
        ("ä", None),
        ("\x1b", None),
    ],
)
def test_keys_are_written_as_people_write_them(written: str, key: str | None) -> None:
    assert textual_key(written) == key


def test_no_action_of_the_table_has_a_key_that_the_user_may_not_give() -> None:
    assert not [a.id for a in ACTIONS if (FIXED | NEVER) & set(a.keys)]


def test_an_entry_replaces_the_keys_of_its_action() -> None:
    found = keymap(retry=["f5", "ctrl+x"])
    assert found.keys == {"retry": ("f5", "ctrl+x")}
    assert found.problems == ()


def test_keys_can_be_exchanged() -> None:
    found = keymap(retry="o", outcome="r")
    assert found.keys == {"retry": ("o",), "outcome": ("r",)}
    assert found.problems == ()


def test_a_key_of_another_action_is_not_taken_away() -> None:
    found = keymap(retry="o")
    assert found.keys == {}
    assert found.problems == ('keymap.toml:1: retry: "o" is the key of outcome (Outcome)',)


def test_leaving_one_entry_out_can_make_another_one_wrong() -> None:
    found = keymap(retry="o", outcome="u")
    assert found.keys == {}
    assert len(found.problems) == 2


@pytest.mark.parametrize(
    ("action", "value", "said"),
    [
        ("retyr", "f5", 'unknown action "retyr"; did you mean "retry"?'),
        ("retry", 5, "write a key"),
        ("retry", [], "write a key"),
        ("retry", ["f5", 5], "write a key"),
        ("retry", "hyper+x", 'there is no key "hyper+x"'),
        ("retry", "ctrl+s", "belongs to the terminal"),
        ("retry", "enter", "is for going around"),
        ("retry", "j", "is for going around"),
    ],
)
def test_a_bad_entry_is_left_out_and_told(action: str, value: object, said: str) -> None:
    found = keymap(**{action: value})
    assert found.keys == {}
    assert said in found.problems[0]


def test_files_nearer_to_the_work_win(tmp_path: Path) -> None:
    own = tmp_path / "config" / "studio"
    own.mkdir(parents=True)
    (own / "keymap.toml").write_text('retry = "f5"\nundo = "f6"\nwhy = "f7"\n')
    root = tmp_path / "project"
    root.mkdir()
    (root / "studio.toml").write_text('state = "s"\n[keymap]\nundo = "f8"\nwhy = "f9"\n')
    (root / "keymap.toml").write_text('why = "f12"\n')
    location = Location(root, root / ".studio", {})
    found = read_keymap(location, {"XDG_CONFIG_HOME": str(tmp_path / "config")})
    assert found.keys == {"retry": ("f5",), "undo": ("f8",), "why": ("f12",)}


def test_problems_name_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "studio.toml").write_text('\n[keymap]\n\nretyr = "f5"\n')
    (tmp_path / "keymap.toml").write_text("retry = \n")
    found = read_keymap(Location(tmp_path, tmp_path / ".studio", {}), {"HOME": str(tmp_path)})
    assert found.problems[0].startswith("keymap.toml: ")
    assert found.problems[1].startswith('studio.toml:4: unknown action "retyr"')


def test_no_files_change_nothing(tmp_path: Path) -> None:
    found = read_keymap(Location(tmp_path, tmp_path / ".studio", {}), {"HOME": str(tmp_path)})
    assert found.keys == {}
    assert found.problems == ()
