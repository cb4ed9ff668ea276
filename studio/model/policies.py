"""What a definition says about failure, repetition, limits and undo.

Durations are seconds (float) everywhere in the model; the authored forms (``10s``, ``1h30m``) exist
only in the files.
"""

from collections.abc import Callable
from typing import Any, Final, Literal, NamedTuple, Self

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from studio.model.json_value import JsonValue
from studio.model.terms import (
    ERROR_CATEGORIES,
    ErrorCategory,
    FailurePolicy,
    Isolation,
    Priority,
    SideEffects,
)

__all__ = [
    "ERROR_CATEGORIES",
    "Breakpoint",
    "CompensationPolicy",
    "ErrorCategory",
    "FailurePolicy",
    "Fallback",
    "Frozen",
    "Isolation",
    "Limits",
    "Priority",
    "Repeat",
    "Retry",
    "SideEffects",
]


class _Shape(NamedTuple):
    """What `Frozen.of_checked` has to know of a class.

    Args:
        defaults: by field, in the order of the fields.
        factories: of fields whose default is made anew each time.
        given: sets of field names, each kept once: they are a fifth of a large definition otherwise.
    """

    defaults: dict[str, Any]
    factories: dict[str, Callable[[], Any]]
    given: dict[tuple[str, ...], set[str]]

    def keep(self, given: tuple[str, ...]) -> set[str]:
        """Keep a set of field names for the next instance."""
        return self.given.setdefault(given, set(given))


_SHAPES: Final[dict[type[BaseModel], _Shape]] = {}
_set = object.__setattr__


class Frozen(BaseModel):
    """Base of every model class: immutable, and strict about unknown keys.

    Pydantic builds what it validates with when something is validated first; that takes 25 ms for all classes, which
    the first picture of the screen does without.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    @classmethod
    def of_checked(cls, **values: Any) -> Self:
        """An instance of values that the reader of files has checked: equal to what validating them would give.

        Args:
            values: fields by name, exactly of the declared types (a float where one is declared, a tuple, no list).
        """
        shape = _SHAPES.get(cls) or _shape_of(cls)
        fields = shape.defaults | values
        for name, make in shape.factories.items():
            if name not in values:
                fields[name] = make()
        # As BaseModel.model_construct does, which takes seven times as long.
        model = cls.__new__(cls)
        _set(model, "__dict__", fields)
        given = tuple(values)
        _set(model, "__pydantic_fields_set__", shape.given.get(given) or shape.keep(given))
        _set(model, "__pydantic_extra__", None)
        _set(model, "__pydantic_private__", None)
        return model

    def deviations(self, *without: str) -> dict[str, Any]:
        """Fields that differ from their defaults, in JSON types, those of the parts likewise.

        What ``model_dump(mode="json", exclude_defaults=True)`` gives, without building its serializers.

        Args:
            without: fields to leave out.
        """
        shape = _SHAPES.get(type(self)) or _shape_of(type(self))
        found: dict[str, Any] = {}
        for name, default in shape.defaults.items():
            if name not in self.__pydantic_fields_set__ or name in without:
                continue
            value = getattr(self, name)
            make = shape.factories.get(name)
            if value != (make() if make is not None else default):
                found[name] = _as_json(value)
        return found

    def to_json(self) -> bytes:
        """All fields, as JSON that ``model_validate_json`` takes.

        What ``model_dump_json`` gives, without building its serializers.
        """
        return msgspec.json.encode(self, enc_hook=vars)


def _shape_of(cls: type[BaseModel]) -> _Shape:
    fields = cls.model_fields
    shape = _SHAPES[cls] = _Shape(
        {name: field.default for name, field in fields.items()},
        {
            name: field.default_factory  # type: ignore[misc]  # none of ours takes the fields before it
            for name, field in fields.items()
            if field.default_factory is not None
        },
        {},
    )
    return shape


def _as_json(value: Any) -> Any:
    if isinstance(value, Frozen):
        return value.deviations("place")
    if isinstance(value, dict):
        return {key: _as_json(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_as_json(one) for one in value]
    return value


class Retry(Frozen):
    """When and how often a failed attempt is tried again by itself.

    Args:
        strategy: ``none``, ``fixed``, ``linear`` (delay × n) or ``exponential`` (delay × multiplierⁿ⁻¹).
        max_attempts: attempts in all, the first included, 1 to 10.
        initial_delay: seconds before the second attempt.
        max_delay: upper bound of one delay, seconds, before jitter.
        multiplier: growth per attempt of ``exponential``.
        jitter: share of the delay by which it may vary in both directions, 0 to 1.
        retry_on: exception class names (bases count) or categories that are retried; empty means every
            category except ``validation``.
        do_not_retry_on: the same, never retried; wins over ``retry_on``.
    """

    strategy: Literal["none", "fixed", "linear", "exponential"] = "exponential"
    max_attempts: int = Field(default=3, ge=1, le=10)
    initial_delay: float = Field(default=1.0, ge=0)
    max_delay: float = Field(default=60.0, ge=0)
    multiplier: float = Field(default=2.0, ge=1)
    jitter: float = Field(default=0.25, ge=0, le=1)
    retry_on: tuple[str, ...] = ()
    do_not_retry_on: tuple[str, ...] = ()


class Repeat(Frozen):
    """Run a node again until its condition holds (polling, sensors).

    Args:
        until: expression over ``output``; the node is done when it is true.
        every: seconds between two iterations.
        max: iterations allowed before the node fails.
    """

    until: str
    every: float = Field(default=1.0, ge=0)
    max: int = Field(default=100, ge=1)


class Fallback(Frozen):
    """What stands in for a node whose attempts are used up. The value may hold templates."""

    value: JsonValue = None


class Breakpoint(Frozen):
    """A stop for a person at a node."""

    on: Literal["before", "after", "failure"] = "before"
    when: str | None = None


class Limits(Frozen):
    """Bounds of one run.

    Args:
        max_concurrency: nodes of this run that may be in flight together; None for no bound of its own.
        retry_budget: automatic retries allowed in the whole run; None for no bound.
        timeout: seconds after which the run fails; None for no bound.
    """

    max_concurrency: int | None = Field(default=None, ge=1)
    retry_budget: int | None = Field(default=None, ge=0)
    timeout: float | None = Field(default=None, gt=0)


class CompensationPolicy(Frozen):
    """When and how far finished nodes are undone by themselves.

    Args:
        when: ``failure`` undoes as soon as the run ends as failed; ``never`` leaves it to a person.
        scope: ``workflow`` undoes all that succeeded, ``branch`` only the ancestors of the failure.
        timeout: seconds for the whole compensation; what is left then waits for a person.
    """

    when: Literal["failure", "never"] = "failure"
    scope: Literal["workflow", "branch"] = "workflow"
    timeout: float = Field(default=300.0, gt=0)
