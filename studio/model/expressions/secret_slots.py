"""Secrets: where they belong in a rendered value, and putting them there.

A rendered value never holds a secret nor a marker for one. It has the text as if the secret were
empty, and beside it the positions; so no data a user supplies can be taken for a secret.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import msgspec

from studio.errors import ExpressionError
from studio.model.json_value import JsonValue, json_path

Path: TypeAlias = tuple[str | int, ...]
"""Keys and indexes from the top of a structure to one of its values."""


class SecretSlot(msgspec.Struct, frozen=True):
    """A place where a secret is to be inserted.

    Args:
        path: keys and indexes that lead to the text.
        offset: index within that text, in characters, before any secret is inserted.
        name: the secret.
    """

    path: Path
    offset: int
    name: str


class Rendered(msgspec.Struct, frozen=True):
    """A rendered value without its secrets, and where they go."""

    value: JsonValue
    secrets: tuple[SecretSlot, ...] = ()


def insert_secrets(
    value: JsonValue, slots: Sequence[SecretSlot], secrets: Mapping[str, str]
) -> JsonValue:
    """Return a copy of a rendered value with its secrets put in.

    Only what lies on the way to a secret is copied; ``value`` itself stays as it is.

    Args:
        value: a value as it was rendered.
        slots: its secrets' places; those of one text in the order they were rendered.
        secrets: the secrets' values by name.

    Raises:
        ExpressionError: with ``path``, when a secret has no value or a slot does not fit the value.
    """
    # The value hangs below a list of one, so that the top needs no rule of its own.
    top: list[JsonValue] = [value]
    copies: dict[Path, dict[str, JsonValue] | list[JsonValue]] = {(): top}
    for slot in sorted(slots, key=lambda slot: slot.offset)[::-1]:
        if slot.name not in secrets:
            raise ExpressionError(f'the secret "{slot.name}" has no value', slot.offset, slot.path)
        steps: Path = (0, *slot.path)
        holder = _copied_holder(copies, steps, slot)
        text = _part(holder, steps[-1], slot)
        if not isinstance(text, str) or not 0 <= slot.offset <= len(text):
            raise _misfit(slot)
        holder[steps[-1]] = text[: slot.offset] + secrets[slot.name] + text[slot.offset :]  # type: ignore[index]  # _part has read it by this step
    return top[0]


def _copied_holder(
    copies: dict[Path, dict[str, JsonValue] | list[JsonValue]], steps: Path, slot: SecretSlot
) -> dict[str, JsonValue] | list[JsonValue]:
    """Return the container of the text, copied once with everything above it."""
    holder = copies[()]
    for length in range(1, len(steps)):
        reached = steps[:length]
        copy = copies.get(reached)
        if copy is None:
            part = _part(holder, reached[-1], slot)
            if not isinstance(part, dict | list):
                raise _misfit(slot)
            copy = copies[reached] = part.copy()
            holder[reached[-1]] = copy  # type: ignore[index]  # _part has read it by this step
        holder = copy
    return holder


def _part(
    holder: dict[str, JsonValue] | list[JsonValue], step: str | int, slot: SecretSlot
) -> JsonValue:
    try:
        return holder[step]  # type: ignore[index]  # a step of the wrong type raises, as handled
    except (KeyError, IndexError, TypeError):
        raise _misfit(slot) from None


def _misfit(slot: SecretSlot) -> ExpressionError:
    return ExpressionError(
        f'the secret "{slot.name}" belongs at {json_path(slot.path)}, '
        "but the value has changed since it was rendered",
        slot.offset,
        slot.path,
    )
