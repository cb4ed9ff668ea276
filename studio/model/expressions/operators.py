"""Operators on values: arithmetic, order, membership, and access to parts."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Final

from studio.errors import ExpressionError
from studio.model.expressions.frame import Frame
from studio.model.expressions.limits import TEXT_PER_STEP
from studio.model.expressions.suggestions import did_you_mean
from studio.model.expressions.values import Value, a_kind, check_integer, kind_of, plain, same

_NUMBERS: Final = frozenset([int, float])
_ORDERS: Final[dict[str, Callable[[Value, Value], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def checked(number: int | float, offset: int) -> int | float:
    """Return a computed number if JSON and 64 bits can hold it.

    Raises:
        ExpressionError: for larger integers, infinities and NaN.
    """
    if isinstance(number, int):
        return check_integer(number, offset)
    if math.isfinite(number):
        return number
    raise ExpressionError("the result is too large for a number", offset)


def arithmetic(sign: str, left: Value, right: Value, frame: Frame, offset: int) -> Value:
    """Apply ``+ - * / %``; ``+`` also joins two texts or two lists.

    Division yields an integer when two integers divide without remainder, else a float; the sign
    of a remainder is that of the divisor.

    Raises:
        ExpressionError: for kinds the operator does not take, division by zero, and results
            beyond the limits.
    """
    if type(left) in _NUMBERS and type(right) in _NUMBERS:
        return _computed(sign, left, right, offset)
    kinds = kind_of(left, offset), kind_of(right, offset)
    if kinds == ("number", "number"):
        return _computed(sign, left, right, offset)
    if sign == "+" and kinds == ("text", "text"):
        frame.charge_text(len(left) + len(right), offset)
        return f"{left}{right}"
    if sign == "+" and kinds == ("list", "list"):
        frame.charge_items(len(left) + len(right), offset)
        return [plain(item, frame, offset) for part in (left, right) for item in part]
    hint = "; str(x) turns a value into text" if sign == "+" and "text" in kinds else ""
    raise ExpressionError(
        f'"{sign}" does not take {a_kind(left, offset)} and {a_kind(right, offset)}{hint}', offset
    )


def _computed(sign: str, left: int | float, right: int | float, offset: int) -> int | float:
    try:
        if sign == "+":
            return checked(left + right, offset)
        if sign == "-":
            return checked(left - right, offset)
        if sign == "*":
            return checked(left * right, offset)
        if sign == "%":
            return checked(left % right, offset)
        if isinstance(left, int) and isinstance(right, int):
            quotient, remainder = divmod(left, right)
            return check_integer(quotient, offset) if not remainder else left / right
        return checked(left / right, offset)
    except ZeroDivisionError:
        raise ExpressionError("division by zero", offset) from None
    except OverflowError:
        raise ExpressionError("the result is too large for a number", offset) from None


def negated(value: Value, offset: int) -> int | float:
    """Return ``-value``.

    Raises:
        ExpressionError: for anything but a number.
    """
    if kind_of(value, offset) != "number":
        raise ExpressionError(f'"-" does not take {a_kind(value, offset)}', offset)
    return checked(-value, offset)


def ordered(sign: str, left: Value, right: Value, frame: Frame, offset: int) -> bool:
    """Apply ``< <= > >=`` to two numbers or two texts; against null the answer is false.

    Texts are ordered by code point, as Python and JSON tools do.

    Raises:
        ExpressionError: for values of different kinds, or of a kind without an order.
    """
    if type(left) in _NUMBERS and type(right) in _NUMBERS:
        return _ORDERS[sign](left, right)
    if left is None or right is None:
        return False
    kind, other = kind_of(left, offset), kind_of(right, offset)
    if kind == other and kind in ("number", "text"):
        if kind == "text":
            frame.charge_comparison(left, right, offset)
        return _ORDERS[sign](left, right)
    reason = "" if kind != other else "; only numbers and texts have an order"
    raise ExpressionError(
        f'"{sign}" cannot order {a_kind(left, offset)} and {a_kind(right, offset)}{reason}', offset
    )


def contained(part: Value, whole: Value, frame: Frame, offset: int) -> bool:
    """Tell whether a list has an element, a mapping has a key, or a text has a part.

    Nothing is contained in null.

    Raises:
        ExpressionError: for a ``whole`` of another kind, or a ``part`` that is not text where only
            text can be.
    """
    if whole is None:
        return False
    kind = kind_of(whole, offset)
    if kind == "list":
        frame.charge(1 + len(whole), offset)
        return any(same(part, item, frame, offset) for item in whole)
    if kind not in ("text", "mapping"):
        raise ExpressionError(
            f"looks into text, a list or a mapping, not {a_kind(whole, offset)}", offset
        )
    if kind_of(part, offset) != "text":
        what = "parts of text" if kind == "text" else "keys of a mapping"
        raise ExpressionError(f"{what} are text, not {a_kind(part, offset)}", offset)
    if kind == "text":
        frame.charge(1 + (len(whole) + len(part)) // TEXT_PER_STEP, offset)
    return part in whole


def property_of(value: Value, name: str, offset: int) -> Value:
    """Return a mapping's property; null when it is missing, and of null itself.

    Raises:
        ExpressionError: when ``value`` is neither a mapping nor null.
    """
    if type(value) is dict:
        return value.get(name)
    if value is None:
        return None
    if isinstance(value, Mapping):
        try:
            return value[name]
        except KeyError:
            return None
    hint = f"; write len(…) for its {name}" if name in ("length", "size", "count") else ""
    raise ExpressionError(f'{a_kind(value, offset)} has no property "{name[:60]}"{hint}', offset)


def required_property(owner: str, value: Value, name: str, offset: int) -> Value:
    """Return a property that must be there, such as a declared parameter.

    Args:
        owner: the root the property belongs to, for the message.
        value: the root's value.
        name: the property.
        offset: where it is written.

    Raises:
        ExpressionError: when it is missing, with the nearest name there is.
    """
    try:
        return value[name]
    except KeyError:
        known = did_you_mean(name, value)
        raise ExpressionError(f'{owner} has no "{name[:60]}"{known}', offset) from None
    except TypeError:
        return property_of(value, name, offset)


def element_of(value: Value, index: Value, offset: int) -> Value:
    """Return an element of a list or text by position, or a property of a mapping by name.

    A negative position counts from the end; of null everything is null.

    Raises:
        ExpressionError: for a position outside the list, or a kind that does not fit.
    """
    if value is None:
        return None
    kind = kind_of(value, offset)
    if kind == "mapping":
        if kind_of(index, offset) != "text":
            raise ExpressionError(
                f"a mapping is indexed by text, not {a_kind(index, offset)}", offset
            )
        return property_of(value, index, offset)
    if kind not in ("list", "text"):
        raise ExpressionError(f"{a_kind(value, offset)} cannot be indexed", offset)
    if kind_of(index, offset) != "number" or index != index // 1:
        what = a_kind(index, offset) if kind_of(index, offset) != "number" else str(index)
        raise ExpressionError(f"{_A[kind]} is indexed by a whole number, not {what}", offset)
    position = int(index)
    if -len(value) <= position < len(value):
        return value[position]
    raise ExpressionError(
        f"index {position} is outside the {kind} of {len(value)} {_PARTS[kind]}", offset
    )


_A: Final = {"list": "a list", "text": "text"}
_PARTS: Final = {"list": "elements", "text": "characters"}
