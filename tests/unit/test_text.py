"""User text on its way to a terminal."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.projections.json_text import json_array, json_text
from studio.projections.text import MARKS_PER_CHARACTER, pad, sanitise, shorten, width


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text", "plain text"),
        ("[/usr/bin/env] {x}", "[/usr/bin/env] {x}"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]52;c;Zm9v\x07after", "after"),
        ("\x1b]0;title\x1b\\after", "after"),
        ("\x9b31mred", "red"),
        ("a\x1b(Bb", "ab"),
        ("bell\x07", "bell�"),
        ("lone \x1b", "lone �"),
        ("\x85next line", "�next line"),
        ("right\u202eto left", "right�to left"),
        ("zero\u200bwidth", "zero�width"),
        ("one\ntwo\r\n", "one⏎two⏎"),
        ("a\tb", "a    b"),
        ("no\u00a0break", "no break"),
        ("surrogate \ud800", "surrogate �"),
        ("Grüße 世界 ✓", "Grüße 世界 ✓"),
    ],
)
def test_what_a_text_becomes(text: str, shown: str) -> None:
    assert sanitise(text) == shown


def test_combining_marks_are_capped() -> None:
    assert sanitise("z" + "\u0301" * 200_000 + "!") == "z" + "\u0301" * MARKS_PER_CHARACTER + "!"


def test_a_limit_cuts_and_says_so() -> None:
    assert sanitise("abcdef", 4) == "abc…"
    assert sanitise("abcd", 4) == "abcd"
    assert len(sanitise("x" * 10_000_000, 80)) == 80


@given(st.text())
def test_no_control_character_is_left(text: str) -> None:
    shown = sanitise(text)
    assert all(unicodedata.category(c)[0] != "C" or c == "�" for c in shown)
    assert sanitise(shown) == shown


@given(st.text(max_size=40), st.integers(1, 30))
def test_a_shortened_text_fits(text: str, cells: int) -> None:
    shown = shorten(sanitise(text), cells)
    assert width(shown) <= cells
    assert width(pad(shown, cells)) == cells


def test_wide_characters_take_two_cells() -> None:
    assert width("世界") == 4
    assert shorten("世界", 3) == "世…"


def test_json_keeps_its_value_and_hides_no_character() -> None:
    value = {"a": "x\x1b[31m\x9b\u202e世界\ud800", "b": [1, None]}
    text = json_text(value)
    assert all(ch == "\n" or unicodedata.category(ch)[0] != "C" for ch in text)
    import json

    assert json.loads(text) == value


def test_an_array_has_one_element_a_line() -> None:
    assert json_array([]) == "[]"
    assert json_array([{"a": 1}, {"b": 2}]).splitlines() == ["[", '{"a": 1},', '{"b": 2}', "]"]
