"""From an open attempt in the state to the order an executor can carry out."""

import hashlib
import os
from collections.abc import Mapping
from typing import Any

import msgspec

from studio.core.events import AttemptStarted, Slot
from studio.core.scope import node_scope
from studio.core.state import EngineState, Flight, NodeState, RunState
from studio.ids import NodePath, RunId, RunNumber
from studio.model.expressions import SecretSlot
from studio.model.nodes import KindSettings
from studio.ports import AttemptKey, AttemptOrder

INLINE_SCOPES = frozenset({"transform", "branch"})
"""Kinds whose own settings hold expressions, evaluated by their executor."""


class RunContext(msgspec.Struct, frozen=True):
    """What a run gets from whoever started it, and what is never stored.

    Args:
        env: environment of its children, without the declared secrets.
        secrets: values of the declared secrets that are set.
        results: folder in which children leave their results.
    """

    env: Mapping[str, str] = msgspec.field(default_factory=dict)
    secrets: Mapping[str, str] = msgspec.field(default_factory=dict)
    results: str = ""


def result_file(context: RunContext, run: RunState, flight: Flight) -> str:
    """Where the child of an attempt leaves its result; distinct for every attempt of every run."""
    name = hashlib.sha256(f"{run.run_id}/{flight.node}".encode()).hexdigest()[:24]
    kind = "u" if flight.undo else "a"
    return os.path.join(context.results, f"{flight.run}-{name}-{kind}{flight.attempt}.json")


def make_order(
    state: EngineState, run: RunState, flight: Flight, context: RunContext, pin: str = ""
) -> AttemptOrder:
    """All an executor needs for an open attempt.

    Args:
        state: the state that has it open.
        run: its run.
        flight: which attempt.
        context: what the run got from whoever started it.
        pin: path of the run's stored code.

    Raises LookupError when the state has no start of it (a defect).
    """
    node = run.nodes[flight.node]
    started = started_event(state, node, undo=flight.undo)
    undo = node.plan.undo.definition if flight.undo and node.plan.undo is not None else None
    definition = undo if undo is not None else node.work.definition
    settings: KindSettings = definition.kind
    env_slots: tuple[SecretSlot, ...] = ()
    env = context.env
    workflow_env = run.plan.workflow.env
    if workflow_env:
        env = {**env, **workflow_env}
    if started.settings is not None:
        # A revision may have given the node another kind since: what that one lacks is not for it.
        recorded = as_texts(settings, started.settings)
        known = {name: recorded[name] for name in settings.__struct_fields__ if name in recorded}
        settings = msgspec.structs.replace(settings, **known)
        env_slots = tuple(
            SecretSlot(slot.path[1:], slot.offset, slot.name)
            for slot in started.setting_slots
            if slot.path and slot.path[0] == "env"
        )
    return AttemptOrder(
        key=AttemptKey(RunNumber(run.number), NodePath(node.path), flight.undo, flight.attempt),
        run_id=RunId(run.run_id),
        workflow=run.plan.workflow.name,
        folder=run.folder,
        settings=settings,
        isolation=definition.isolation,
        input=started.input,
        slots=_slots(started.slots),
        env=env,
        env_slots=env_slots,
        secrets=context.secrets,
        idempotency_key=idempotency_key(run, node, undo=flight.undo),
        result_file=result_file(context, run, flight),
        sensitive=node.plan.node.sensitive,
        scope=node_scope(state, run, node) if settings.uses in INLINE_SCOPES else {},
        pin=pin,
    )


def as_texts(settings: KindSettings, rendered: dict[str, Any]) -> dict[str, Any]:
    """Rendered settings of a shell as text: a template that is alone keeps its type, but a script, a folder and a
    variable are text (language.md, "Workflow keys": values of ``env`` become text)."""
    if settings.uses != "shell":
        return rendered
    found = {name: as_text(value) for name, value in rendered.items() if name != "env"}
    if found.get("cwd") == "":
        found["cwd"] = None
    env = rendered.get("env")
    if isinstance(env, dict):
        found["env"] = {name: as_text(value) for name, value in env.items()}
    return found


def as_text(value: Any) -> Any:
    """A JSON value as a variable or script holds it: text as it is, null empty, the rest as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else msgspec.json.encode(value).decode()


def idempotency_key(run: RunState, node: NodeState, *, undo: bool) -> str:
    """(run, node path, generation): the same across retries (engine.md, "Words"); undo and stand-in have their own."""
    suffix = ":undo" if undo else ":fallback" if node.standing_in else ""
    return f"{run.run_id}:{node.path}:{node.generation}{suffix}"


def started_event(state: EngineState, node: NodeState, *, undo: bool) -> AttemptStarted:
    """The event that carries the input of a node's open attempt."""
    position = node.undo_position if undo else node.input_position
    event = state.event(position)
    if not isinstance(event, AttemptStarted):
        raise LookupError(f"the attempt of {node.path} has no start at position {position}")
    return event


def _slots(slots: tuple[Slot, ...]) -> tuple[SecretSlot, ...]:
    return tuple(SecretSlot(slot.path, slot.offset, slot.name) for slot in slots)
