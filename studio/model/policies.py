"""What a definition says about failure, repetition, limits and undo.

Durations are seconds (float) everywhere in the model; the authored forms (``10s``, ``1h30m``) exist
only in the files.
"""

from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, Literal, get_type_hints

import msgspec

from studio.model.bounds import Above, AtLeast, AtMost
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


class Frozen(msgspec.Struct, frozen=True):
    """Base of every class of the model: immutable, and strict about unknown keys where pydantic reads one.

    The classes cost next to nothing to define, and pydantic reads their declarations when something stored has to be
    checked (`studio.model.workflow.workflow_of`): what the readers of files hand over has been checked by them, and
    the first picture of the screen need not wait for pydantic. Tests hold both against each other.
    """

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """Pydantic's way to ask a type of another library how it is checked: field by field, as declared."""
        from pydantic_core import core_schema  # lazy: pydantic itself has loaded it

        hints = get_type_hints(cls, include_extras=True)
        declared = {
            one.name: core_schema.typed_dict_field(
                handler.generate_schema(hints[one.name]), required=one.required
            )
            for one in msgspec.structs.fields(cls)
        }
        return core_schema.no_info_after_validator_function(
            lambda values: cls(**values),
            core_schema.typed_dict_schema(declared, extra_behavior="forbid"),
        )

    def deviations(self, *without: str) -> dict[str, Any]:
        """Fields that differ from their defaults, in JSON types, those of the parts likewise and without places.

        Args:
            without: fields to leave out.
        """
        cls: Any = type(self)
        found: dict[str, Any] = {}
        for name, default, make in _defaults_of(cls):
            if name in without:
                continue
            value = getattr(self, name)
            if value != (make() if make is not None else default):
                found[name] = _as_json(value)
        return found

    def to_json(self) -> bytes:
        """All fields, as JSON."""
        return msgspec.json.encode(self)


@cache
def _defaults_of(cls: Any) -> tuple[tuple[str, Any, Callable[[], Any] | None], ...]:
    """Name, default and maker of the default of each field; `NODEFAULT`, which equals nothing, for none."""
    return tuple(
        (
            one.name,
            one.default,
            None if one.default_factory is msgspec.NODEFAULT else one.default_factory,
        )
        for one in msgspec.structs.fields(cls)
    )


def _as_json(value: Any) -> Any:
    if isinstance(value, Frozen):
        return value.deviations("place")
    if isinstance(value, dict):
        return {key: _as_json(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_as_json(one) for one in value]
    return value


class Retry(Frozen, frozen=True, kw_only=True):
    """When and how often a failed attempt is tried again by itself.

    Args:
        strategy: ``none``, ``fixed``, ``linear`` (delay × n) or ``exponential`` (delay × multiplierⁿ⁻¹).
        max_attempts: attempts in all, the first included, 1 to 10.
        initial_delay: seconds before the second attempt.
        max_delay: upper bound of one delay, seconds, before jitter.
        multiplier: growth per attempt of ``exponential``.
        jitter: share of the delay by which it may vary in both directions, 0 to 1.
        retry_on: exception class names (bases count, modules before them do not) or categories that are retried; empty
            means every category except ``validation``.
        do_not_retry_on: the same, never retried; wins over ``retry_on``.
    """

    strategy: Literal["none", "fixed", "linear", "exponential"] = "exponential"
    max_attempts: Annotated[int, AtLeast(1), AtMost(10)] = 3
    initial_delay: Annotated[float, AtLeast(0)] = 1.0
    max_delay: Annotated[float, AtLeast(0)] = 60.0
    multiplier: Annotated[float, AtLeast(1)] = 2.0
    jitter: Annotated[float, AtLeast(0), AtMost(1)] = 0.25
    retry_on: tuple[str, ...] = ()
    do_not_retry_on: tuple[str, ...] = ()


class Repeat(Frozen, frozen=True, kw_only=True):
    """Run a node again until its condition holds (polling, sensors).

    Args:
        until: expression over ``output``; the node is done when it is true.
        every: seconds between two iterations.
        max: iterations allowed before the node fails.
    """

    until: str
    every: Annotated[float, AtLeast(0)] = 1.0
    max: Annotated[int, AtLeast(1)] = 100


class Fallback(Frozen, frozen=True, kw_only=True):
    """The value that stands in for a node whose attempts are used up. It may hold templates."""

    value: JsonValue = None


class Breakpoint(Frozen, frozen=True, kw_only=True):
    """A stop for a person at a node."""

    on: Literal["before", "after", "failure"] = "before"
    when: str | None = None


class Limits(Frozen, frozen=True, kw_only=True):
    """Bounds of one run.

    Args:
        max_concurrency: nodes of this run that may be in flight together; None for no bound of its own.
        retry_budget: automatic retries allowed in the whole run; None for no bound.
        timeout: seconds after which the run fails; None for no bound.
    """

    max_concurrency: Annotated[int, AtLeast(1)] | None = None
    retry_budget: Annotated[int, AtLeast(0)] | None = None
    timeout: Annotated[float, Above(0)] | None = None


class CompensationPolicy(Frozen, frozen=True, kw_only=True):
    """When and how far finished nodes are undone by themselves.

    Args:
        when: ``failure`` undoes as soon as the run ends as failed; ``never`` leaves it to a person.
        scope: ``workflow`` undoes all that succeeded, ``branch`` only the ancestors of the failure.
        timeout: seconds for the whole compensation; what is left then waits for a person.
    """

    when: Literal["failure", "never"] = "failure"
    scope: Literal["workflow", "branch"] = "workflow"
    timeout: Annotated[float, Above(0)] = 300.0
