"""Single JSON values as one piece of styled text, whatever their size."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import msgspec

from studio.projections.layout import Segment
from studio.projections.masking import COVER
from studio.projections.screen.inspecting.paragraphs import plural
from studio.projections.text import escaped, shorten

PREVIEW_MEMBERS = 6
"""Members of a closed value named beside it."""


def leaf_text(value: Any, cells: int) -> str:
    """A value on one line, sanitised and cut to ``cells`` cells; of a huge one only the beginning is looked at."""
    if isinstance(value, str):
        if value == COVER:
            return COVER
        return shorten('"' + escaped(value, 2 * cells + 16) + '"', cells)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value.bit_length() > 4_000:
        return shorten(f"an integer of {value.bit_length():,} bits", cells)
    if isinstance(value, dict | list):
        return shorten(summary(value), cells)
    return shorten(escaped(str(value), 2 * cells + 16), cells)


def leaf_style(value: Any) -> str:
    """Style of a value by its type."""
    if isinstance(value, str):
        return "warn" if value == COVER else "json.text"
    if isinstance(value, bool) or value is None:
        return "json.word"
    return "json.number" if isinstance(value, int | float) else "dim"


def summary(value: dict[str, Any] | list[Any]) -> str:
    """How many members a value has: ``{3 keys}``, ``[120 items]``."""
    if isinstance(value, dict):
        return f"{{{plural(len(value), 'key')}}}" if value else "{}"
    return f"[{plural(len(value), 'item')}]" if value else "[]"


def preview(value: dict[str, Any] | list[Any], cells: int, seen: Any) -> Segment:
    """The first members of a closed value, as far as they fit.

    Args:
        cells: room there is.
        seen: covers sensitive members: key and value in, what may be shown out.
    """
    parts: list[str] = []
    if isinstance(value, list) and value and isinstance(value[0], dict):
        names = ", ".join(escaped(key, 24) for key in islice(value[0], PREVIEW_MEMBERS))
        return Segment(shorten(f"  {names}", max(0, cells)), "dim")
    members: Iterable[tuple[Any, Any]] = (
        value.items() if isinstance(value, dict) else enumerate(value)
    )
    for key, member in islice(members, PREVIEW_MEMBERS):
        text = leaf_text(seen(key, member), 24)
        parts.append(f"{escaped(key, 24)}: {text}" if isinstance(value, dict) else text)
    return Segment(shorten("  " + ", ".join(parts), max(0, cells)), "dim")


def members(value: Any) -> Iterator[tuple[str | int, Any]]:
    """Keys or indexes with their values; nothing for a value that has no members."""
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)


def expression(prefix: str, path: Iterable[str | int]) -> str:
    """The expression for a member, such as ``nodes.load.output.rows[3]["odd key"]``."""
    parts = [prefix]
    for step in path:
        if isinstance(step, int):
            parts.append(f"[{step}]")
        elif step.isidentifier() and step.isascii():
            parts.append(f".{step}")
        else:
            parts.append(f"[{msgspec.json.encode(step).decode()}]")
    return "".join(parts)


def node_prefix(path: str, part: str) -> str:
    """How an expression names a part of a node; an item is an element of its node's output."""
    base, index = path, ""
    if path.endswith("]"):
        base, _, rest = path.rpartition("[")
        index = f"[{rest}"
    name = f".{base}" if base.isidentifier() else f"[{msgspec.json.encode(base).decode()}]"
    return f"nodes{name}.{part}{index}"
