"""Short texts for values of user code, made without running any of its code."""

from __future__ import annotations

from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, Final

MAX_TEXT: Final = 200
MAX_ITEMS: Final = 8
MAX_DEPTH: Final = 3
MAX_NAMES: Final = 40
MASK: Final = "•••"

_TRUSTED: Final = frozenset(
    ["datetime", "decimal", "uuid", "pathlib", "fractions", "ipaddress", "zoneinfo"]
)
"""Standard modules whose ``repr`` is quick and short."""


def describe_locals(names: dict[str, Any], sensitive: frozenset[str]) -> dict[str, str]:
    """Describe local variables; dunder names and modules are left out.

    Args:
        names: the variables of one frame.
        sensitive: names, also of mapping keys inside, whose values are masked.
    """
    found: dict[str, str] = {}
    for name, value in names.items():
        if len(found) >= MAX_NAMES:
            break
        if not name.startswith(("__", "@")) and not isinstance(value, ModuleType):
            found[name] = MASK if name in sensitive else describe(value, sensitive)
    return found


def describe(value: object, sensitive: frozenset[str] = frozenset(), depth: int = 0) -> str:
    """Describe one value in at most `MAX_TEXT` characters.

    ``repr`` is asked only of types whose ``repr`` is Python's own: a user's may fail, hang, or write 10 MB.
    """
    return clip(_describe(value, sensitive, depth), MAX_TEXT)


def clip(text: str, limit: int) -> str:
    """Cut a text to ``limit`` characters, and say how long it was."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… ({len(text):,} characters in all)"


def _describe(value: object, sensitive: frozenset[str], depth: int) -> str:
    kind = type(value)
    if kind in (bool, type(None), float, complex):
        return repr(value)
    if kind is int:
        assert isinstance(value, int)
        return repr(value) if value.bit_length() < 256 else f"<int of {value.bit_length():,} bits>"
    if kind in (str, bytes, bytearray):
        return _describe_text(value)
    if kind in (list, tuple, set, frozenset, dict):
        return _describe_container(value, sensitive, depth)
    if isinstance(value, FunctionType | BuiltinFunctionType | MethodType):
        return f"<function {value.__name__}>"
    if isinstance(value, type):
        return f"<class {type.__getattribute__(value, '__name__')}>"
    if kind.__module__ in _TRUSTED:
        return repr(value)
    return _describe_object(value, sensitive, depth)


def _describe_text(value: Any) -> str:
    shown = repr(value[:MAX_TEXT])
    return shown if len(value) <= MAX_TEXT else f"{shown}… ({len(value):,} in all)"


def _describe_container(value: Any, sensitive: frozenset[str], depth: int) -> str:
    brackets = ("[", "]") if isinstance(value, list) else ("{", "}")
    opening, closing = ("(", ")") if isinstance(value, tuple) else brackets
    if depth >= MAX_DEPTH:
        return f"{opening}…{closing}"
    parts: list[str] = []
    for item in value:
        if len(parts) >= MAX_ITEMS:
            parts.append(f"… {len(value):,} in all")
            break
        if isinstance(value, dict):
            masked = type(item) is str and item in sensitive
            shown = MASK if masked else describe(value[item], sensitive, depth + 1)
            parts.append(f"{describe(item, sensitive, depth + 1)}: {shown}")
        else:
            parts.append(describe(item, sensitive, depth + 1))
    return opening + ", ".join(parts) + closing


def _describe_object(value: object, sensitive: frozenset[str], depth: int) -> str:
    name = type.__getattribute__(type(value), "__name__")
    try:
        attributes = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return f"<{name}>"
    if type(attributes) is not dict or not attributes or depth >= MAX_DEPTH - 1:
        return f"<{name}>"
    parts = [
        f"{key}={MASK if key in sensitive else describe(item, sensitive, depth + 1)}"
        for key, item in list(attributes.items())[:MAX_ITEMS]
        if type(key) is str
    ]
    return f"<{name} {', '.join(parts)}>"
