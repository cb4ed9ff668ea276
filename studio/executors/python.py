"""``uses: python``: a function, or a block of code, in a child of its own or in a warm worker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from studio.errors import ExpressionError
from studio.executors.child_attempt import Remains, Work
from studio.executors.endings import outcome_of_death, outcome_of_result
from studio.executors.redaction import Redactor
from studio.model.expressions import insert_secrets
from studio.model.nodes import PythonSettings
from studio.ports import AttemptOrder, Outcome, Succeeded, Vanished


def module_of(settings: PythonSettings) -> str | None:
    """Name of the module that is worth having imported before the fork, None for none."""
    if settings.call is not None:
        return settings.call.partition(":")[0]
    return "asyncio" if settings.code is not None and "await" in settings.code else None


def environment_of(order: AttemptOrder, own: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The environment but for what tells attempts apart, secrets inserted.

    Args:
        order: the attempt.
        own: variables of the node itself, over those of the order.

    Raises:
        ExpressionError: when a secret has no value, or a variable cannot be one.
    """
    env = insert_secrets({**order.env, **(own or {})}, order.env_slots, order.secrets)
    assert isinstance(env, dict)
    for name, value in env.items():
        if "\0" in f"{name}{value}" or "=" in name or not name:
            raise ExpressionError(f"env: {name!r} has a name or value that no environment can hold")
    return env


def attempt_variables(order: AttemptOrder) -> dict[str, str]:
    """What tells a child which attempt it is; set over the project's part."""
    return {
        "STUDIO_RUN": order.run_id,
        "STUDIO_NODE": order.key.node,
        "STUDIO_ATTEMPT": str(order.key.attempt),
        "STUDIO_IDEMPOTENCY_KEY": order.idempotency_key,
    }


def call_of(order: AttemptOrder, settings: PythonSettings) -> dict[str, Any]:
    """The call itself, in JSON types, as `zygote.function` reads it."""
    return {
        "kind": "python",
        "folder": order.folder,
        "pin": order.pin,
        "call": settings.call,
        "code": settings.code,
        "input": insert_secrets(order.input, order.slots, order.secrets),
        "secrets": dict(order.secrets),
        "sensitive": list(order.sensitive),
        "attempt": order.key.attempt,
        "idempotency_key": order.idempotency_key,
        "node": order.key.node,
        "run_id": order.run_id,
    }


def work_of(
    order: AttemptOrder,
    settings: PythonSettings,
    env: Mapping[str, str],
    redactor: Redactor,
    limits: Mapping[str, int],
) -> Work:
    """What a child of its own is told, and how its end is judged.

    Raises:
        ExpressionError: when a secret has no value.
    """
    body = call_of(order, settings)
    body |= {
        "env": {**env, **attempt_variables(order)},
        "limits": dict(limits),
        "result_file": order.result_file,
    }

    def judge(remains: Remains) -> Outcome:
        if remains.result is not None:
            return without_secrets(outcome_of_result(remains.result), redactor)
        if remains.status is None:
            return Vanished()
        return outcome_of_death(remains.status, "the process of the function")

    return Work(body, judge, redactor)


def without_secrets(outcome: Outcome, redactor: Redactor) -> Outcome:
    """Make sure of an output: the child has redacted it, but user code ran in that process, too."""
    if isinstance(outcome, Succeeded) and redactor.found(outcome.output):
        value = redactor.value(msgspec.json.decode(outcome.output))
        return Succeeded(msgspec.json.encode(value), outcome.port)
    return outcome
