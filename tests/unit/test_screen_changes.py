"""The difference between two values, by structure."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from studio.projections.screen.inspecting.changes import change_rows

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


def told(before: Any, after: Any) -> list[str]:
    """The rows as texts."""
    return ["".join(part.text for part in row) for row in change_rows(before, after, "input")]


def test_a_change_is_told_by_its_place() -> None:
    before = {"rows": [{"id": 1, "name": "a"}, {"id": 2}], "x": 3}
    after = {"rows": [{"id": 1, "name": "b"}, {"id": 2}, 5], "y": 3}
    assert told(before, after) == [
        '- input.rows[0].name: "a"',
        '+ input.rows[0].name: "b"',
        "+ input.rows[2]: 5",
        "- input.x: 3",
        "+ input.y: 3",
    ]


def test_kinds_of_numbers_and_words_differ() -> None:
    assert told({"a": 1}, {"a": True}) == ["- input.a: 1", "+ input.a: true"]
    assert told(1, 1.0) == ["- input: 1", "+ input: 1.0"]


@given(JSON)
def test_the_same_value_has_no_change(value: Any) -> None:
    assert told(value, value) == []


@given(JSON, JSON)
def test_other_values_always_have_one(one: Any, other: Any) -> None:
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert bool(told(one, other)) != same
