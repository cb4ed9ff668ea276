"""What is a JSON value, and how the offending part of another one is named."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
from collections import OrderedDict
from pathlib import PurePosixPath
from typing import Any

import pytest
from pydantic import BaseModel

from studio.model.json_value import MAX_DEPTH, JsonValue, is_json, json_path, json_problem


class Level(enum.IntEnum):
    HIGH = 3


class Hostile(dict[str, object]):
    """Runs code of its own wherever it can."""

    def __iter__(self) -> Any:
        raise SystemExit

    def items(self) -> Any:
        raise SystemExit

    def __len__(self) -> int:
        raise SystemExit


class Liar:
    """Claims to be a dict."""

    @property  # type: ignore[misc]  # the lie is the point
    def __class__(self) -> type:
        return dict


LOOP: list[Any] = []
LOOP.append({"again": LOOP})


@pytest.mark.parametrize(
    "value",
    [
        *[None, True, 0, -(2**63), 2**63 - 1, 1.5, "é😀", [], {}, [{"a": [None, False]}]],
        *[Level.HIGH, OrderedDict(a=1), Hostile(a=[1])],
    ],
)
def test_json_values(value: object) -> None:
    assert json_problem(value) is None
    assert is_json(value)


WHEN = dt.datetime(2026, 1, 5)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"rows": [0, 1, 2, {"when": WHEN}]}, "$.rows[3].when is a datetime, not a JSON value; return when.isoformat()"),
        ([WHEN], "$[0] is a datetime, not a JSON value; return value.isoformat()"),
        (b"x", "$ is a bytes, not a JSON value; return value.decode() or"),
        ({"tags": {1}}, "$.tags is a set, not a JSON value; return sorted(tags)"),
        ((1, 2), "$ is a tuple, not a JSON value; return list(value)"),
        ([decimal.Decimal(1)], "$[0] is a Decimal, not a JSON value; return float(value) or str(value)"),
        (PurePosixPath("a"), "$ is a PurePosixPath, not a JSON value"),
        ([Liar()], "$[0] is a Liar, not a JSON value"),
        (object(), "$ is an object, not a JSON value"),
        ({"n": float("nan")}, "$.n is NaN, which JSON has no number for"),
        ([float("-inf")], "$[0] is infinite, which JSON has no number for"),
        ({"id": 2**63}, "$.id is an integer beyond 64 bits, which JSON tools lose; return it as text"),
        ([10**6000], "$[0] is an integer beyond 64 bits"),
        ({"a": "\ud800"}, "$.a holds a lone surrogate"),
        ({"a": {"\udfff": 1}}, "$.a has a key with a lone surrogate"),
        ({"a": {1: 2}}, "$.a has a key that is an int, not text; make it str(key)"),
        ({"a b": [{None: 2}]}, "$['a b'][0] has a key that is a NoneType"),
        (LOOP, "$[0].again contains itself"),
    ],
)  # fmt: skip
def test_problem_names_the_place(value: object, problem: str) -> None:
    found = json_problem(value)
    assert found is not None
    assert found.startswith(problem)
    assert not is_json(value)


def test_depth_is_bounded() -> None:
    value: list[Any] = []
    for _ in range(MAX_DEPTH - 1):
        value = [value]
    assert is_json(value)
    problem = json_problem([value])
    assert problem is not None
    assert problem.endswith(f"is nested more than {MAX_DEPTH} deep")
    assert len(problem) < 200, "a long path is cut"


def test_shared_references_that_expand_without_end_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("studio.model.json_value.MAX_VALUES", 10_000)
    bomb: list[Any] = ["lol"]
    for _ in range(100):
        bomb = [bomb, bomb]
    problem = json_problem(bomb)
    assert problem is not None
    assert "above 10,000 values" in problem


def test_the_same_part_twice_is_no_loop() -> None:
    part = [1]
    assert is_json({"a": part, "b": [part, part]})


def test_path_of_odd_keys_is_printable() -> None:
    assert json_path(["a", 0, "b-c", "\x1b[31m", "k" * 99]) == (
        "$.a[0]['b-c']['\\x1b[31m']['" + "k" * 40 + "...']"
    )


def test_alias_works_in_models() -> None:
    class Holder(BaseModel):
        value: JsonValue

    assert Holder(value={"a": [1, None, {"b": "c"}]}).value == {"a": [1, None, {"b": "c"}]}
