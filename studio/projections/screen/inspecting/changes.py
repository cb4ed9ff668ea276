"""What an edit by hand changes in a value: by its structure, whatever way it is written."""

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from studio.projections.json_text import json_text
from studio.projections.layout import Segment
from studio.projections.screen.inspecting.leaves import expression, summary
from studio.projections.screen.inspecting.paragraphs import Row
from studio.projections.text import escaped

MOST: Final = 200
"""Changes looked for: more than any dialog shows."""

LONGEST: Final = 400
"""Characters of a value that are shown."""

DEEPEST: Final = 50
"""Levels looked into; what differs further down is told as the value at that level."""

ABSENT: Final = object()

Change = tuple[tuple[str | int, ...], Any, Any]


def change_rows(before: Any, after: Any, prefix: str) -> list[Row]:
    """What differs, in a row for what goes and one for what comes; none when the values are the same.

    Args:
        before: the value as it was, JSON types.
        after: the value as it would be.
        prefix: what the whole value is called.
    """
    rows: list[Row] = []
    for path, old, new in islice(_changes(before, after, ()), MOST):
        name = expression(prefix, path)
        if old is not ABSENT:
            rows.append([Segment(f"- {name}: ", "bad"), Segment(_text(old), "bad")])
        if new is not ABSENT:
            rows.append([Segment(f"+ {name}: ", "good"), Segment(_text(new), "good")])
    return rows


def _changes(before: Any, after: Any, path: tuple[str | int, ...]) -> Iterator[Change]:
    deep = len(path) >= DEEPEST
    if isinstance(before, dict) and isinstance(after, dict) and not deep:
        for key in {**before, **after}:
            yield from _changes(before.get(key, ABSENT), after.get(key, ABSENT), (*path, key))
        return
    if isinstance(before, list) and isinstance(after, list) and not deep:
        for place in range(max(len(before), len(after))):
            old = before[place] if place < len(before) else ABSENT
            new = after[place] if place < len(after) else ABSENT
            yield from _changes(old, new, (*path, place))
        return
    if not _same(before, after):
        yield path, before, after


def _same(one: Any, other: Any) -> bool:
    """Whether two values are the same; true is not 1, and 1 is not 1.0: a node can tell them apart."""
    return type(one) is type(other) and bool(one == other)


def _text(value: Any) -> str:
    if isinstance(value, dict | list) and len(value) > 20:
        return summary(value)
    return escaped(json_text(value, indent=None), LONGEST)
