"""``uses: transform``: filter, map, sort, limit, group and aggregate a list, or compute one value.

The steps are generators that yield now and then, so that a list of a million items does not hold up the loop
(see `inline`).
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from typing import Any, Final, TypeAlias

import msgspec

from studio.errors import ExpressionError
from studio.executors.expression_cache import parsed
from studio.model.expressions.expression import Expression
from studio.model.json_value import JsonValue, json_problem
from studio.model.nodes import TransformSettings
from studio.ports import AttemptOrder, Outcome, Succeeded

Steps: TypeAlias = Generator[None, None, Any]
"""Work that pauses at each yield and returns its result."""

PAUSE_ITEMS: Final = 64
"""Evaluations between two pauses; each takes a few microseconds as a rule."""

AGGREGATES: Final = ("sum", "count", "min", "max", "avg")


class TransformError(ExpressionError):
    """The data does not fit a step of the transform."""


def transform(order: AttemptOrder, settings: TransformSettings) -> Generator[None, None, Outcome]:
    """Carry out the node.

    Raises:
        ExpressionError: naming the step, and the index of the item where there is one.
    """
    if settings.has_value:
        result = _value(settings.value, order.scope, "value")
    else:
        result = yield from _list_steps(order, settings)
    return Succeeded(msgspec.json.encode(result))


def _value(value: JsonValue, scope: Mapping[str, object], step: str) -> JsonValue:
    """An expression, a mapping of expressions, or a value that stands for itself."""
    if isinstance(value, str):
        try:
            return parsed(value).evaluate(scope)
        except ExpressionError as error:
            raise ExpressionError(f"{step}: {error.message}", error.offset) from None
    if isinstance(value, dict):
        return {name: _value(item, scope, f"{step}.{name}") for name, item in value.items()}
    return value


def _list_steps(order: AttemptOrder, settings: TransformSettings) -> Steps:
    items = settings.input
    if not isinstance(items, list):
        raise TransformError(f"input is {_a(items)}, and a transform works on a list")
    scope = order.scope
    if settings.filter is not None:
        items = yield from _filtered(items, settings.filter, scope)
    if settings.map is not None:
        items = yield from _mapped(items, settings.map, scope)
    if settings.sort_by is not None:
        items = yield from _sorted(items, settings.sort_by, scope)
    if settings.limit is not None:
        items = items[: settings.limit]
    if settings.group_by is not None:
        groups = yield from _grouped(items, settings.group_by, scope)
        if settings.aggregate is None:
            return groups
        totals: dict[str, Any] = {}
        for key, members in groups.items():
            totals[key] = yield from _aggregated(members, settings.aggregate, scope)
        return totals
    if settings.aggregate is not None:
        return (yield from _aggregated(items, settings.aggregate, scope))
    if settings.batch_size is not None:
        size = settings.batch_size
        return [items[start : start + size] for start in range(0, len(items), size)]
    return items


def _evaluations(
    items: list[Any], expression: Expression, scope: Mapping[str, object], step: str
) -> Iterator[Any]:
    own: dict[str, object] = {**_roots(scope), "item": None, "index": 0}
    for index, item in enumerate(items):
        own["item"], own["index"] = item, index
        try:
            yield expression.evaluate(own)
        except ExpressionError as error:
            raise TransformError(f"{step}, item {index}: {error.message}", error.offset) from None


def _roots(scope: Mapping[str, object]) -> dict[str, object]:
    """The scope's own names; their values stay as lazy as they are."""
    return {name: scope[name] for name in scope}


def _evaluated(items: list[Any], source: str, scope: Mapping[str, object], step: str) -> Steps:
    found: list[Any] = []
    for value in _evaluations(items, parsed(source), scope, step):
        found.append(value)
        if len(found) % PAUSE_ITEMS == 0:
            yield
    return found


def _filtered(items: list[Any], source: str, scope: Mapping[str, object]) -> Steps:
    kept = yield from _evaluated(items, source, scope, "filter")
    return [item for item, keep in zip(items, kept, strict=True) if keep]


def _mapped(items: list[Any], shape: dict[str, str] | str, scope: Mapping[str, object]) -> Steps:
    if isinstance(shape, str):
        return (yield from _evaluated(items, shape, scope, "map"))
    columns = []
    for name, source in shape.items():
        columns.append((yield from _evaluated(items, source, scope, f"map.{name}")))
    return (
        [dict(zip(shape, row, strict=True)) for row in zip(*columns, strict=True)]
        if shape
        else [{} for _ in items]
    )


def _sorted(items: list[Any], source: str, scope: Mapping[str, object]) -> Steps:
    """Ascending and stable; null comes last, whatever the others are."""
    keys = yield from _evaluated(items, source, scope, "sort_by")
    present = [index for index, key in enumerate(keys) if key is not None]
    _require_one_kind([keys[index] for index in present], "sort_by")
    present.sort(key=lambda index: keys[index])
    absent = [index for index, key in enumerate(keys) if key is None]
    return [items[index] for index in present + absent]


def _grouped(items: list[Any], source: str, scope: Mapping[str, object]) -> Steps:
    """Groups in the order of their first item; their names are the keys as text."""
    keys = yield from _evaluated(items, source, scope, "group_by")
    groups: dict[str, list[Any]] = {}
    for index, (item, key) in enumerate(zip(items, keys, strict=True)):
        if isinstance(key, dict | list):
            raise TransformError(f"group_by, item {index}: {_a(key)} cannot name a group")
        name = key if isinstance(key, str) else msgspec.json.encode(key).decode()
        groups.setdefault(name, []).append(item)
    return groups


def _aggregated(
    items: list[Any], shape: dict[str, dict[str, str]], scope: Mapping[str, object]
) -> Steps:
    totals: dict[str, Any] = {}
    for name, rule in shape.items():
        if len(rule) != 1 or next(iter(rule)) not in AGGREGATES:
            raise TransformError(f"aggregate.{name} takes one of {', '.join(AGGREGATES)}")
        ((kind, source),) = rule.items()
        step = f"aggregate.{name}"
        values = yield from _evaluated(items, source, scope, step)
        totals[name] = _total(kind, values, step)
    return totals


def _total(kind: str, values: list[Any], step: str) -> Any:
    """``count`` counts what is true; the others leave null out, and are null (``sum`` 0) of nothing."""
    if kind == "count":
        return sum(1 for value in values if value)
    present = [value for value in values if value is not None]
    _require_one_kind(present, step)
    if kind in ("sum", "avg"):
        if present and isinstance(present[0], str):
            raise TransformError(f"{step}: {kind} takes numbers, not text")
        return _in_range(sum(present) if kind == "sum" else _average(present), step)
    if not present:
        return None
    return min(present) if kind == "min" else max(present)


def _average(values: list[Any]) -> Any:
    return sum(values) / len(values) if values else None


def _in_range(total: Any, step: str) -> Any:
    problem = json_problem(total)
    if problem is not None:
        raise TransformError(f"{step}: the total {problem.removeprefix('$ ')}")
    return total


def _require_one_kind(values: list[Any], step: str) -> None:
    kinds = {_a(value) for value in values}
    bad = kinds - {"a number", "text"}
    if bad:
        raise TransformError(f"{step}: {min(bad)} has no order")
    if len(kinds) > 1:
        raise TransformError(f"{step}: a number and text cannot be compared")


def _a(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "text"
    return "a list" if isinstance(value, list) else "a mapping"
