"""Where two JSON values differ, in their smallest parts."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

MISSING: Final = object()
"""Stands for a member that only the other value has."""

MOST: Final = 2_000
"""Members compared of one value; what lies behind is taken as equal."""


class Difference(NamedTuple):
    """One part that differs.

    Args:
        path: keys and indexes from the top of the value.
        before: the part in the one value, `MISSING` where it has none.
        after: the part in the other.
    """

    path: tuple[str | int, ...]
    before: Any
    after: Any


def differences(before: Any, after: Any, most: int = MOST) -> Iterator[Difference]:
    """Where two values differ, depth first: members of mappings, and elements of lists that are equally long.

    Lists of different lengths are one part: what was put in where cannot be told from them alone.

    Args:
        before: a JSON value.
        after: another.
        most: members compared.
    """
    yield from _compare(before, after, (), [most])


def _compare(
    before: Any, after: Any, path: tuple[str | int, ...], left: list[int]
) -> Iterator[Difference]:
    left[0] -= 1
    if left[0] < 0:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in {**before, **after}:
            there, here = before.get(key, MISSING), after.get(key, MISSING)
            yield from _compare(there, here, (*path, key), left)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (there, here) in enumerate(zip(before, after, strict=True)):
            yield from _compare(there, here, (*path, index), left)
    elif type(before) is not type(after) or before != after:
        yield Difference(path, before, after)


def part_at(value: Any, path: tuple[str | int, ...]) -> Any:
    """The part of a value at a path, `MISSING` where there is none."""
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return MISSING
    return value
