"""The functions of the expression language."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, TypeAlias

from studio.errors import ExpressionError
from studio.model.expressions.frame import Frame
from studio.model.expressions.limits import (
    MAX_ITEMS,
    MAX_NUMBER_TEXT,
    MAX_TEXT,
    TEXT_PER_STEP,
)
from studio.model.expressions.operators import arithmetic, checked, contained, ordered
from studio.model.expressions.values import (
    Kind,
    Value,
    a_kind,
    check_integer,
    kind_of,
    plain,
    text_of,
)

Function: TypeAlias = Callable[[Frame, int, list[Value]], Value]
"""Takes the frame, the offset of the call and the evaluated arguments."""


def _take(name: str, value: Value, kinds: tuple[Kind, ...], offset: int) -> Value:
    """Return an argument of one of the kinds, or say which ones the function takes."""
    if kind_of(value, offset) in kinds:
        return value
    names = {"boolean": "a boolean", "number": "a number", "list": "a list", "mapping": "a mapping"}
    wanted = [names.get(kind, kind) for kind in kinds]
    listed = " or ".join([", ".join(wanted[:-1]), wanted[-1]] if wanted[1:] else wanted)
    raise ExpressionError(f"{name}() takes {listed}, not {a_kind(value, offset)}", offset)


def _len(frame: Frame, offset: int, arguments: list[Value]) -> int:
    return len(_take("len", arguments[0], ("text", "list", "mapping"), offset))


def _candidates(name: str, frame: Frame, offset: int, arguments: list[Value]) -> list[Value]:
    """Return what an aggregate works on, without nulls: one list, or the arguments themselves."""
    values = arguments
    if len(arguments) == 1:
        values = _take(name, arguments[0], ("list",), offset)
    frame.charge(1 + len(values), offset)
    return [value for value in values if value is not None]


def _best(name: str, sign: str) -> Function:
    def best(frame: Frame, offset: int, arguments: list[Value]) -> Value:
        values = _candidates(name, frame, offset, arguments)
        if not values:
            return None
        chosen = values[0]
        _take(name, chosen, ("number", "text"), offset)
        for value in values[1:]:
            if ordered(sign, value, chosen, frame, offset):
                chosen = value
        return chosen

    return best


def _sum(frame: Frame, offset: int, arguments: list[Value]) -> int | float:
    total: int | float = 0
    for value in _candidates("sum", frame, offset, arguments):
        total = arithmetic("+", total, _take("sum", value, ("number",), offset), frame, offset)
    return total


def _any(frame: Frame, offset: int, arguments: list[Value]) -> bool:
    values = _take("any", arguments[0], ("list",), offset)
    frame.charge(1 + len(values), offset)
    return any(values)


def _all(frame: Frame, offset: int, arguments: list[Value]) -> bool:
    values = _take("all", arguments[0], ("list",), offset)
    frame.charge(1 + len(values), offset)
    return all(values)


def _round(frame: Frame, offset: int, arguments: list[Value]) -> int | float:
    number = _take("round", arguments[0], ("number",), offset)
    digits = arguments[1] if len(arguments) > 1 else 0
    if type(digits) is not int or not -15 <= digits <= 15:
        raise ExpressionError("round() takes a whole number of digits from -15 to 15", offset)
    try:
        return checked(round(number, digits) if digits > 0 else int(round(number, digits)), offset)
    except (OverflowError, ValueError):
        raise ExpressionError("round() takes a finite number", offset) from None


def _abs(frame: Frame, offset: int, arguments: list[Value]) -> int | float:
    return checked(abs(_take("abs", arguments[0], ("number",), offset)), offset)


def _change(name: str, method: Callable[[str], str]) -> Function:
    def change(frame: Frame, offset: int, arguments: list[Value]) -> str:
        value = _take(name, arguments[0], ("text",), offset)
        frame.charge_text(len(value), offset)
        changed = method(value)
        frame.charge_text(len(changed), offset)
        return changed

    return change


def _strip(frame: Frame, offset: int, arguments: list[Value]) -> str:
    value: str = _take("strip", arguments[0], ("text",), offset)
    frame.charge(1 + len(value) // TEXT_PER_STEP, offset)
    if len(arguments) == 1:
        return value.strip()
    characters: str = _take("strip", arguments[1], ("text",), offset)
    # Each end is scanned once per character of the set.
    frame.charge(1 + len(value) * len(characters) // TEXT_PER_STEP, offset)
    return value.strip(characters)


def _contains(frame: Frame, offset: int, arguments: list[Value]) -> bool:
    return contained(arguments[1], arguments[0], frame, offset)


def _compare_end(name: str, method: Callable[[str, str], bool]) -> Function:
    def compare(frame: Frame, offset: int, arguments: list[Value]) -> bool:
        value, part = (_take(name, argument, ("text",), offset) for argument in arguments)
        frame.charge(1 + len(part) // TEXT_PER_STEP, offset)
        return method(value, part)

    return compare


def _split(frame: Frame, offset: int, arguments: list[Value]) -> list[str]:
    value: str = _take("split", arguments[0], ("text",), offset)
    frame.charge(1 + len(value) // TEXT_PER_STEP, offset)
    if len(arguments) == 1:
        words = value.split(None, MAX_ITEMS)
        frame.charge_items(len(words), offset)
        return words
    separator: str = _take("split", arguments[1], ("text",), offset)
    if not separator:
        raise ExpressionError("split() needs a separator of at least one character", offset)
    frame.charge_items(value.count(separator) + 1, offset)
    return value.split(separator)


def _join(frame: Frame, offset: int, arguments: list[Value]) -> str:
    values = _take("join", arguments[0], ("list",), offset)
    separator = _take("join", arguments[1], ("text",), offset) if len(arguments) > 1 else ""
    frame.charge(1 + len(values), offset)
    length = 0
    texts: list[str] = []
    for value in values:
        text = text_of(value, frame, offset)
        length += len(text) + (len(separator) if texts else 0)
        if length > MAX_TEXT:
            break
        texts.append(text)
    frame.charge_text(length, offset)
    return separator.join(texts)


def _keys(frame: Frame, offset: int, arguments: list[Value]) -> list[str]:
    value = _take("keys", arguments[0], ("mapping",), offset)
    frame.charge_items(len(value), offset)
    return [str(key) for key in value]


def _values(frame: Frame, offset: int, arguments: list[Value]) -> list[Value]:
    value = _take("values", arguments[0], ("mapping",), offset)
    frame.charge_items(len(value), offset)
    return [plain(value[key], frame, offset) for key in value]


def _exists(frame: Frame, offset: int, arguments: list[Value]) -> bool:
    return arguments[0] is not None


def _int(frame: Frame, offset: int, arguments: list[Value]) -> int:
    value = _take("int", arguments[0], ("number", "boolean", "text"), offset)
    if isinstance(value, str):
        written = value.strip()
        # 20 characters hold the sign and the 19 digits of any 64-bit integer.
        if len(written) > 20 or not _INTEGER_CHARACTERS.issuperset(written):
            raise ExpressionError(f"int() cannot read {_quoted(written)} as a whole number", offset)
        value = _read(int, written, "int", offset)
    try:
        return check_integer(int(value), offset)
    except (OverflowError, ValueError):
        raise ExpressionError("int() takes a finite number", offset) from None


def _float(frame: Frame, offset: int, arguments: list[Value]) -> float:
    value = _take("float", arguments[0], ("number", "boolean", "text"), offset)
    if isinstance(value, str):
        return _read_float(value.strip(), "float", offset)
    try:
        return float(value)
    except OverflowError:
        raise ExpressionError("the number is too large", offset) from None


def _read_float(written: str, name: str, offset: int) -> float:
    """Read decimal digits only: Python's own reading allows "nan", "inf" and "1_000" as well."""
    if len(written) > MAX_NUMBER_TEXT or not _NUMBER_CHARACTERS.issuperset(written):
        raise ExpressionError(f"{name}() cannot read {_quoted(written)} as a number", offset)
    number: float = _read(float, written, name, offset)
    if not math.isfinite(number):
        raise ExpressionError("the number is too large", offset)
    return number


def _read(read: Callable[[str], Value], written: str, name: str, offset: int) -> Value:
    try:
        return read(written)
    except ValueError:
        what = "a whole number" if read is int else "a number"
        raise ExpressionError(
            f"{name}() cannot read {_quoted(written)} as {what}", offset
        ) from None


def _quoted(written: str) -> str:
    return f'"{written if len(written) <= 40 else written[:40] + "…"}"'


def _str(frame: Frame, offset: int, arguments: list[Value]) -> str:
    return text_of(arguments[0], frame, offset)


def _bool(frame: Frame, offset: int, arguments: list[Value]) -> bool:
    return bool(arguments[0])


_INTEGER_CHARACTERS: Final = frozenset("0123456789+-")
_NUMBER_CHARACTERS: Final = frozenset("0123456789+-.eE")

DEFAULT: Final = "default"
"""The one function whose second argument is evaluated only when it is needed."""

_TABLE: Final[dict[str, tuple[int, int | None, Function]]] = {
    "len": (1, 1, _len),
    "min": (1, None, _best("min", "<")),
    "max": (1, None, _best("max", ">")),
    "sum": (1, 1, _sum),
    "any": (1, 1, _any),
    "all": (1, 1, _all),
    "round": (1, 2, _round),
    "abs": (1, 1, _abs),
    "lower": (1, 1, _change("lower", str.lower)),
    "upper": (1, 1, _change("upper", str.upper)),
    "strip": (1, 2, _strip),
    "contains": (2, 2, _contains),
    "startswith": (2, 2, _compare_end("startswith", str.startswith)),
    "endswith": (2, 2, _compare_end("endswith", str.endswith)),
    "split": (1, 2, _split),
    "join": (1, 2, _join),
    "keys": (1, 1, _keys),
    "values": (1, 1, _values),
    "exists": (1, 1, _exists),
    "int": (1, 1, _int),
    "float": (1, 1, _float),
    "str": (1, 1, _str),
    "bool": (1, 1, _bool),
}

FUNCTIONS: Final[dict[str, Function]] = {name: row[2] for name, row in _TABLE.items()}
"""What each function does, by name; ``default`` is compiled as an operator."""

SIGNATURES: Final[dict[str, tuple[int, int | None]]] = {
    **{name: row[:2] for name, row in _TABLE.items()},
    DEFAULT: (2, 2),
}
"""The least and most arguments of each function; ``None`` for no upper bound."""
