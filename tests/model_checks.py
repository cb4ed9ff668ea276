"""What every definition that a reader hands over has to be: what pydantic would have made of the same values."""

from __future__ import annotations

import json
import warnings
from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter

from studio.model.nodes import Node
from studio.model.workflow import Workflow, checker, workflow_of


def assert_sound(workflow: Workflow) -> None:
    """A definition made without pydantic's check passes it, unchanged, and tells of itself what pydantic would."""
    with warnings.catch_warnings():
        warnings.simplefilter(
            "error"
        )  # pydantic warns where it dumps a value of another type than declared
        dumped = checker().dump_python(workflow)
        body = checker().dump_json(workflow)
    again = checker().validate_python(dumped)
    assert again == workflow
    stored = workflow_of(workflow.to_json())
    assert stored == workflow
    assert types_of(asdict(stored)) == types_of(asdict(workflow))
    assert json.loads(workflow.to_json()) == json.loads(body)
    assert types_of(asdict(again)) == types_of(asdict(workflow))
    expected = json.loads(json.dumps(canonical_by_pydantic(workflow)))
    assert json.loads(json.dumps(workflow.canonical())) == expected
    assert json.dumps(workflow.canonical(), sort_keys=True) == json.dumps(expected, sort_keys=True)
    assert again.content_hash() == workflow.content_hash()


_NODES = TypeAdapter(Node)


def types_of(value: Any) -> Any:
    """The types within a value: equality takes 1, 1.0 and true for the same."""
    if isinstance(value, dict):
        return {key: types_of(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return (type(value).__name__, [types_of(one) for one in value])
    return type(value).__name__


def canonical_by_pydantic(workflow: Workflow) -> dict[str, Any]:
    """`Workflow.canonical`, by pydantic's own serializers."""
    left_out: dict[str, Any] = {
        "nodes": True,
        "folder": True,
        "file": True,
        "keys": True,
        "parameters": {"__all__": {"place"}},
    }
    body: dict[str, Any] = checker().dump_python(
        workflow, mode="json", exclude=left_out, exclude_defaults=True
    )
    body["nodes"] = {}
    for name, node in workflow.nodes.items():
        found = _NODES.dump_python(
            node,
            mode="json",
            exclude={
                "place": True,
                "keys": True,
                "needs": {"__all__": {"place"}},
                "compensate": {"place"},
            },
            exclude_defaults=True,
        )
        found["kind"]["uses"] = node.uses
        if node.compensate is not None:
            found["compensate"]["kind"]["uses"] = node.compensate.kind.uses
        body["nodes"][name] = found
    return body
