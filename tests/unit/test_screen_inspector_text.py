"""Wrapping of user text: nothing is lost that fits, nothing reaches the terminal that should not, all is bounded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from studio.projections.screen.inspecting.paragraphs import (
    labelled,
    plural,
    size_text,
    spent_text,
    wrap,
)
from studio.projections.text import sanitise, width
from tests.unit.inspecting import texts


@given(st.text(max_size=300), st.integers(2, 60))
def test_wrapped_lines_fit_and_lose_only_spaces(text: str, cells: int) -> None:
    found = wrap(text, cells, 400)
    assert all(width(line) <= cells for line in found)
    assert all(character.isprintable() for line in found for character in line)
    whole = "".join(sanitise(part) for part in text.splitlines())
    assert "".join(found).replace(" ", "") == whole.replace(" ", "")


def test_words_stay_whole_where_they_can() -> None:
    assert wrap("the service went away", 12, 9) == ["the service", "went away"]
    assert wrap("a" * 30, 12, 9) == ["a" * 12, "a" * 12, "a" * 6]
    assert wrap("one\n\ntwo", 12, 9) == ["one", "", "two"]


def test_what_does_not_fit_is_told() -> None:
    assert wrap("word " * 1_000, 20, 5)[-1] == "… 5,000 characters …"
    assert len(wrap("word " * 1_000, 20, 5)) == 5
    assert wrap("word " * 10, 9, 2) == ["word word", "word wor…"]


def test_a_text_of_hostile_size_keeps_its_beginning() -> None:
    found = wrap("RuntimeError: e" + "\u0301" * 200_000, 40, 12)
    assert found[0].startswith("RuntimeError: e")
    assert found[-1] == "… 200,015 characters in all"
    assert sum(map(len, found)) < 200
    assert len(wrap("x" * 50_000_000, 40, 3)) == 3


def test_labels_stand_before_the_first_line_only() -> None:
    assert texts(labelled("locals", "one two three four", "text", 18)) == [
        "locals  one two",
        "        three four",
    ]


def test_numbers_read_well() -> None:
    assert (plural(1, "node"), plural(12_000, "row")) == ("1 node", "12,000 rows")
    assert [size_text(size) for size in (1, 999, 16_040, 16_000_000)] == [
        "1 byte",
        "999 bytes",
        "16.0 kB",
        "16.0 MB",
    ]
    assert [spent_text(seconds) for seconds in (-1, 0.0081, 2.34, 75)] == [
        "0ms",
        "8ms",
        "2.3s",
        "75s",
    ]
