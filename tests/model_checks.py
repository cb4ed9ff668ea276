"""What every definition that a reader hands over has to be: what pydantic makes of the same values."""

from __future__ import annotations

from typing import Any

import msgspec

from studio.model.workflow import Workflow, workflow_of


def assert_sound(workflow: Workflow) -> None:
    """A definition made without pydantic's check passes it, unchanged to the types of its values."""
    stored = workflow_of(workflow.to_json())
    assert stored == workflow
    assert types_of(stored) == types_of(workflow)
    assert stored.content_hash() == workflow.content_hash()


def types_of(value: Any) -> Any:
    """The types within a value: equality takes 1, 1.0 and true for the same."""
    if isinstance(value, msgspec.Struct):
        return {name: types_of(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, dict):
        return {key: types_of(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return (type(value).__name__, [types_of(one) for one in value])
    return type(value).__name__
