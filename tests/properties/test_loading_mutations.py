"""Whatever becomes of a sound file: a workflow that pydantic agrees with, or errors with places within the file, never a traceback."""

from __future__ import annotations

import json
import random
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.loading import templates
from studio.loading.diagnostics import unprintable
from studio.loading.json_reader import read_json
from studio.loading.loader import LoadResult, load_text
from studio.loading.yaml_reader import read_yaml
from tests.model_checks import assert_sound

FOLDER = Path(next(iter(templates.__path__)))
SOURCES = [file.read_text("utf-8") for file in sorted(FOLDER.glob("*.yaml"))]
AS_JSON = [json.dumps(read_yaml(text, "f").data, indent=1) for text in SOURCES]
SCRAPS = [
    "", " ", "\n", "\t", ":", "-", "[", "]", "{", "}", "{{", "}}", "'", '"', "&a", "*a", "!!x", "|",
    ">", "#", "?", "<<: ", "\x00", "\x1b", "\u202e", "\ud800", "1e999", "0x", "null", "on", "@", "%",
    "nodes.", "params.", "item", "- a", "needs: ", "9" * 5000, "[" * 300, "a: " * 80, "\r", "\ufeff",
]  # fmt: skip


def check(result: LoadResult, text: str) -> None:
    assert (result.workflow is None) == bool(result.errors)
    if result.workflow is not None:
        assert_sound(result.workflow)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff").split("\n")
    for one in result.diagnostics:
        assert one.message
        assert not unprintable(one.message)
        assert 1 <= one.place.line <= len(lines)
        assert 1 <= one.place.column <= len(lines[one.place.line - 1]) + 1


def mutate(text: str, edits: list[tuple[float, float, str]]) -> str:
    for where, length, scrap in edits:
        start = int(where * len(text))
        text = text[:start] + scrap + text[start + int(length * 30) :]
    return text


fractions = st.floats(0, 1, allow_nan=False)
scraps = st.sampled_from(SCRAPS) | st.text(string.printable, max_size=4)
edits = st.lists(st.tuples(fractions, fractions, scraps), min_size=1, max_size=4)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(SOURCES), edits)
def test_mutated_yaml_is_answered_with_places(
    text: str, changes: list[tuple[float, float, str]]
) -> None:
    mutated = mutate(text, changes)
    check(load_text(mutated, "w.yaml"), mutated)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(AS_JSON), edits)
def test_mutated_json_is_answered_with_places(
    text: str, changes: list[tuple[float, float, str]]
) -> None:
    mutated = mutate(text, changes)
    check(load_text(mutated, "w.json"), mutated)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(string.ascii_letters, max_size=4), below, max_size=3),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.data(), st.sampled_from(AS_JSON), values)
def test_any_value_in_any_place_is_answered(data: st.DataObject, text: str, value: Any) -> None:
    """Replace a value anywhere in a sound file by any other: shapes nobody thought of."""
    document = read_json(text, "f")
    path = data.draw(st.sampled_from([path for path in document.positions if path]))
    target: Any = document.data
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    changed = json.dumps(document.data, indent=1)
    check(load_text(changed, "w.json"), changed)


@settings(max_examples=100, deadline=None)
@given(values)
def test_both_readers_agree_on_every_json_value(value: Any) -> None:
    text = json.dumps(value)
    assert read_json(text, "f").data == value
    read = read_yaml(json.dumps({"v": value}, ensure_ascii=False), "f").data
    assert isinstance(read, dict)
    assert read["v"] == value


def damage(text: str, chance: random.Random) -> str:
    """One edit as slips of people and tools make them: insert, cut, swap a word, repeat or shift a line."""
    place = chance.randint(0, len(text))
    lines = text.split("\n")
    line = chance.randrange(len(lines))
    words = [word for word in text.split() if word.isidentifier()]
    kind = chance.randint(0, 5)
    if kind == 0:
        return text[:place] + chance.choice(SCRAPS) + text[place:]
    if kind == 1:
        return text[:place] + text[place + chance.randint(1, 20) :]
    if kind == 2:
        return text[:place]
    if kind == 3 and words:
        return text.replace(chance.choice(words), chance.choice(words), 1)
    if kind == 4:
        lines.insert(line, chance.choice(lines))
    else:
        lines[line] = " " * chance.randint(0, 4) + lines[line].lstrip()
    return "\n".join(lines)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_a_thousand_damaged_files_per_seed_are_answered_with_places(seed: int) -> None:
    chance = random.Random(seed)
    sources = [(text, "w.yaml") for text in SOURCES] + [(text, "w.json") for text in AS_JSON]
    for _ in range(1_000):
        text, name = chance.choice(sources)
        for _ in range(chance.randint(1, 4)):
            text = damage(text, chance)
        check(load_text(text, name), text)
