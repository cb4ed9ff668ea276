"""What values are: their kind, their truth, their equality, and their text."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias

from studio.errors import ExpressionError
from studio.model.expressions.frame import Frame
from studio.model.expressions.limits import (
    MAX_TEXT,
    MAX_VALUE_DEPTH,
    TEXT_PER_STEP,
)
from studio.model.json_value import INTEGER_MAX, INTEGER_MIN

Value: TypeAlias = Any
"""A JSON value or a view of one. The kind is known from a table, which type checkers cannot follow."""

Kind: TypeAlias = Literal["null", "boolean", "number", "text", "list", "mapping"]

_KINDS: Final[dict[type, Kind]] = {
    type(None): "null",
    bool: "boolean",
    int: "number",
    float: "number",
    str: "text",
    list: "list",
    dict: "mapping",
}
_SCALARS: Final = frozenset([type(None), bool, int, float, str])
_SMALL: Final = frozenset([type(None), bool, int, float])
PLAIN_TYPES: Final = frozenset([*_SCALARS, list, dict])
"""Types whose values are JSON already, contents included."""
_ARTICLES: Final[dict[Kind, str]] = {
    "null": "null",
    "boolean": "a boolean",
    "number": "a number",
    "text": "text",
    "list": "a list",
    "mapping": "a mapping",
}


def kind_of(value: Value, offset: int) -> Kind:
    """Return the JSON kind of a value.

    Raises:
        ExpressionError: when the scope holds something that is not a JSON value.
    """
    kind = _KINDS.get(type(value))
    if kind is not None:
        return kind
    if isinstance(value, str):
        return "text"
    if isinstance(value, Mapping):
        return "mapping"
    if isinstance(value, list | tuple):
        return "list"
    if isinstance(value, int | float):
        return "number"
    raise ExpressionError(f"{type(value).__name__} is not a JSON value", offset)


def a_kind(value: Value, offset: int) -> str:
    """Return the kind with its article, for messages."""
    return _ARTICLES[kind_of(value, offset)]


def same(left: Value, right: Value, frame: Frame, offset: int) -> bool:
    """Compare as JSON does: 1 equals 1.0, true does not equal 1, mappings ignore order.

    Raises:
        ExpressionError: when the comparison takes too many steps.
    """
    exact = type(left)
    if exact is type(right) and exact in _SCALARS:
        if exact is str:
            frame.charge_comparison(left, right, offset)
        return bool(left == right)
    pairs = [(left, right)]
    while pairs:
        left, right = pairs.pop()
        kind = kind_of(left, offset)
        if kind != kind_of(right, offset):
            return False
        if kind == "mapping" or kind == "list":
            if left is right:
                continue
            frame.charge(1 + len(left), offset)
            if len(left) != len(right):
                return False
            if kind == "list":
                pairs.extend(zip(left, right, strict=True))
                continue
            for key in left:
                if key not in right:
                    return False
                pairs.append((left[key], right[key]))
        else:
            if kind == "text":
                frame.charge_comparison(left, right, offset)
            if left != right:
                return False
    return True


def text_of(value: Value, frame: Frame, offset: int) -> str:
    """Write a value as text: null as nothing, lists and mappings as compact JSON.

    Raises:
        ExpressionError: when the text would be longer than ``MAX_TEXT``, or the value is none of
            JSON's.
    """
    kind = kind_of(value, offset)
    if kind == "text":
        return str.__str__(value)
    if kind == "null":
        return ""
    if kind == "boolean":
        return "true" if value else "false"
    if kind == "number":
        return _number_text(value, offset)
    size = _written_size(value, frame, offset)
    frame.charge_text(size, offset)
    try:
        written = json.dumps(
            plain(value, frame, offset), ensure_ascii=False, allow_nan=False, separators=(",", ":")
        )
    except ValueError as error:
        raise ExpressionError("NaN and infinity cannot be written as JSON", offset) from error
    frame.charge_text(len(written), offset)
    return written


def _number_text(value: int | float, offset: int) -> str:
    if isinstance(value, int):
        check_integer(value, offset)
        return int.__repr__(value)
    if not math.isfinite(value):
        raise ExpressionError("NaN and infinity cannot be written as JSON", offset)
    return float.__repr__(value)


def check_integer(value: int, offset: int) -> int:
    """Return an integer that fits into signed 64 bits.

    Raises:
        ExpressionError: when it does not.
    """
    if INTEGER_MIN <= value <= INTEGER_MAX:
        return value
    raise ExpressionError("the integer does not fit into 64 bits", offset)


def _written_size(value: Value, frame: Frame, offset: int) -> int:
    """Return a lower bound of the length of a value's JSON text, without building it.

    Stops at ``MAX_TEXT`` characters, so that neither a huge value nor shared references that
    expand without end cost more than the text they could become.
    """
    size = 0
    waiting = [(value, 0)]
    while waiting and size <= MAX_TEXT:
        value, depth = waiting.pop()
        kind = kind_of(value, offset)
        if kind in ("list", "mapping"):
            if depth >= MAX_VALUE_DEPTH:
                raise ExpressionError(f"a value nested more than {MAX_VALUE_DEPTH} deep", offset)
            size += 2 + len(value)
            if size > MAX_TEXT:
                break
            frame.charge(1 + len(value), offset)
            if kind == "mapping":
                size += sum(2 + len(key) for key in value)
                value = value.values()
            waiting.extend((item, depth + 1) for item in value)
        elif kind == "text":
            size += 2 + len(value)
        elif kind == "number" and isinstance(value, int):
            check_integer(value, offset)
    return size


def charge_contents(value: Value, frame: Frame, offset: int) -> None:
    """Pay for everything inside a built value, counted as JSON would write it.

    Lists and mappings that an expression builds share the parts they are built of, so that a short
    expression may stand for a value thousands of times the size of its data.

    Raises:
        ExpressionError: when the budget is used up, or the value is nested too deep.
    """
    waiting = [(value, 0)]
    while waiting:
        value, depth = waiting.pop()
        kind = kind_of(value, offset)
        if kind == "text":
            frame.charge(len(value) // TEXT_PER_STEP, offset)
        elif kind == "list" or kind == "mapping":
            if depth >= MAX_VALUE_DEPTH:
                raise ExpressionError(f"a value nested more than {MAX_VALUE_DEPTH} deep", offset)
            frame.charge(1 + len(value), offset)
            items = value if kind == "list" else value.values()
            waiting.extend((item, depth + 1) for item in items if type(item) not in _SMALL)


def plain(value: Value, frame: Frame, offset: int, depth: int = 0) -> Value:
    """Return a value as plain JSON: views become dicts, tuples become lists.

    A dict or list is taken as plain all the way down and returned as it is.

    Raises:
        ExpressionError: for a value that is none of JSON's, too deep, or too large to copy.
    """
    if type(value) in PLAIN_TYPES:
        return value
    kind = kind_of(value, offset)
    if depth >= MAX_VALUE_DEPTH:
        raise ExpressionError(f"a value nested more than {MAX_VALUE_DEPTH} deep", offset)
    if kind == "mapping":
        if isinstance(value, dict):
            return value
        frame.charge(1 + len(value), offset)
        return {str(key): plain(value[key], frame, offset, depth + 1) for key in value}
    if kind == "list":
        if isinstance(value, list):
            return value
        frame.charge(1 + len(value), offset)
        return [plain(item, frame, offset, depth + 1) for item in value]
    if kind == "text":
        return str.__str__(value)
    return value
