"""JSON values: their type, and why something is not one."""

from __future__ import annotations

import math
from typing import Final, TypeGuard, cast

from typing_extensions import TypeAliasType

JsonValue = TypeAliasType(
    "JsonValue",
    "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None",
)
"""What JSON can say. A named alias, so that pydantic can resolve its recursion."""

INTEGER_MIN: Final = -(2**63)
INTEGER_MAX: Final = 2**63 - 1
"""Integers beyond signed 64 bits are lost by SQLite, jq, Go, Java and most other JSON readers."""

MAX_DEPTH: Final = 200
"""Deepest nesting of a value; well below where recursive JSON encoders give up."""

MAX_VALUES: Final = 5_000_000
"""Most values inside one value, counted as JSON would write them; stops shared references that
expand without end."""

_HINTS: Final = {
    "datetime": "{0}.isoformat()",
    "date": "{0}.isoformat()",
    "time": "{0}.isoformat()",
    "timedelta": "{0}.total_seconds()",
    "Decimal": "float({0}) or str({0})",
    "UUID": "str({0})",
    "PosixPath": "str({0})",
    "bytes": '{0}.decode() or base64.b64encode({0}).decode("ascii")',
    "bytearray": "bytes({0}).decode()",
    "tuple": "list({0})",
    "set": "sorted({0})",
    "frozenset": "sorted({0})",
    "generator": "list({0})",
    "dict_keys": "list({0})",
    "dict_values": "list({0})",
    "coroutine": "await {0}",
}


def is_json(value: object) -> TypeGuard[JsonValue]:
    """Tell whether ``value`` is a JSON value through and through; see :func:`json_problem`."""
    return json_problem(value) is None


def json_problem(value: object) -> str | None:
    """Say what keeps ``value`` from being a JSON value.

    Args:
        value: anything; only the built-in methods of ``dict``, ``list``, ``str``, ``int`` and
            ``float`` are used on it, so a hostile subclass runs no code of its own.

    Returns:
        ``None`` for a JSON value, else one sentence that names the first offending place, as in
        ``$.rows[3].when is a datetime, not a JSON value; return when.isoformat()``. Problems are
        other types, NaN and infinities, integers beyond signed 64 bits, lone surrogates, keys
        that are not text, values that contain themselves, nesting deeper than ``MAX_DEPTH`` and
        more than ``MAX_VALUES`` values.
    """
    return _Inspection().problem(value, 0)


class _Inspection:
    """One walk over a value: where it stands and how much it has seen.

    Types are asked for with ``issubclass(type(x), …)``, since ``isinstance`` would consult an
    object's own ``__class__``.
    """

    def __init__(self) -> None:
        self._path: list[str | int] = []
        self._open: set[int] = set()
        self._seen = 0

    def problem(self, value: object, depth: int) -> str | None:
        self._seen += 1
        if value is None or value is True or value is False:
            return None
        kind = type(value)
        if issubclass(kind, str):
            return self._text_problem(cast("str", value))
        if issubclass(kind, int):
            value = cast("int", value)
            if INTEGER_MIN <= int.__index__(value) <= INTEGER_MAX:
                return None
            return self._say(
                "is an integer beyond 64 bits, which JSON tools lose; return it as text"
            )
        if issubclass(kind, float):
            value = cast("float", value)
            if math.isfinite(value):
                return None
            name = "NaN" if math.isnan(value) else "infinite"
            return self._say(f"is {name}, which JSON has no number for; return null or text")
        if issubclass(kind, dict | list):
            return self._container_problem(value, depth)
        return self._foreign(value)

    def _container_problem(self, value: object, depth: int) -> str | None:
        is_list = issubclass(type(value), list)
        items, entries = cast("list[object]", value), cast("dict[object, object]", value)
        size = list.__len__(items) if is_list else dict.__len__(entries)
        if id(value) in self._open:
            return self._say("contains itself")
        if depth >= MAX_DEPTH:
            return self._say(f"is nested more than {MAX_DEPTH} deep")
        if self._seen + size > MAX_VALUES:
            return self._say(f"brings the whole above {MAX_VALUES:,} values; write it to a file")
        self._open.add(id(value))
        found = (
            self._items_problem(items, depth) if is_list else self._entries_problem(entries, depth)
        )
        self._open.discard(id(value))
        return found

    def _items_problem(self, items: list[object], depth: int) -> str | None:
        for index, item in enumerate(list.__iter__(items)):
            self._path.append(index)
            found = self.problem(item, depth + 1)
            if found is not None:
                return found
            self._path.pop()
        return None

    def _entries_problem(self, entries: dict[object, object], depth: int) -> str | None:
        for key, item in dict.items(entries):
            if not issubclass(type(key), str):
                return self._say(
                    f"has a key that is {_a(type(key).__name__)}, not text; make it str(key)"
                )
            key = cast("str", key)
            if not _encodable(key):
                return self._say("has a key with a lone surrogate, which UTF-8 cannot hold")
            self._path.append(key)
            found = self.problem(item, depth + 1)
            if found is not None:
                return found
            self._path.pop()
        return None

    def _text_problem(self, value: str) -> str | None:
        if _encodable(value):
            return None
        return self._say(
            "holds a lone surrogate, which UTF-8 cannot hold; decode its bytes with errors='replace'"
        )

    def _foreign(self, value: object) -> str:
        name = type(value).__name__
        hint = _HINTS.get(name)
        advice = "" if hint is None else "; return " + hint.format(self._last_name())
        return self._say(f"is {_a(name)}, not a JSON value{advice}")

    def _last_name(self) -> str:
        last = self._path[-1] if self._path else "value"
        return last if isinstance(last, str) and last.isidentifier() else "value"

    def _say(self, what: str) -> str:
        return f"{json_path(self._path)} {what}"


def json_path(steps: list[str | int] | tuple[str | int, ...]) -> str:
    """Write keys and indexes as a path such as ``$.rows[3].when``; long paths lose their middle."""
    shown = [*steps[:10], "…", *steps[-10:]] if len(steps) > 21 else steps
    parts = ["$"]
    for step in shown:
        if isinstance(step, int):
            parts.append(f"[{step}]")
        elif str.isidentifier(step) and len(step) <= 40:
            parts.append(f".{step}")
        elif step == "…":
            parts.append("…")
        else:
            key = step if len(step) <= 40 else step[:40] + "..."
            parts.append(f"[{key!a}]")
    return "".join(parts)


def _encodable(text: str) -> bool:
    if str.isascii(text):
        return True
    try:
        str.encode(text, "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _a(name: str) -> str:
    shown = name if len(name) <= 40 else name[:40] + "..."
    return f"{'an' if shown[:1].lower() in set('aeiou') else 'a'} {shown}"
