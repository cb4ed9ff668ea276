"""Sensitive values covered wherever they are shown: declared fields by name, their values everywhere else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from studio.core.events import Record
from studio.core.plan import base_path
from studio.core.state import EngineState, NodeState, RunState
from studio.core.transitions import EFFECTIVE
from studio.model.workflow import Workflow

COVER = "•••"

SUBSTRING_LENGTH = 4
"""Characters from which a sensitive text is covered inside longer texts too; shorter ones (``no``, ``42``) occur by
chance, and are covered only where they are the whole value. Shorter numbers are not covered at all elsewhere."""


class Mask:
    """Covers what a workflow declares as sensitive.

    Args:
        workflow: declares sensitive parameters and output fields; None covers nothing.
        params: parameters of the run.
    """

    def __init__(self, workflow: Workflow | None, params: Mapping[str, Any]) -> None:
        self._fields: dict[str, frozenset[str]] = {}
        self._params: frozenset[str] = frozenset()
        self._inside: dict[str, frozenset[str]] = {}
        self._values: set[str] = set()
        if workflow is not None:
            self._fields = {
                name: frozenset(node.sensitive)
                for name, node in workflow.nodes.items()
                if node.sensitive
            }
            self._params = frozenset(
                name for name, parameter in workflow.parameters.items() if parameter.sensitive
            )
            self._inside = {
                name: frozenset(parameter.sensitive_fields)
                for name, parameter in workflow.parameters.items()
                if parameter.sensitive_fields
            }
        for name in self._params:
            self._learn(params.get(name))
        for name, fields in self._inside.items():
            for value in _fields_of(params.get(name), fields):
                self._learn(value)

    def learn_output(self, node: str, output: Any) -> None:
        """Take note of the values of a node's sensitive fields, so that they are covered elsewhere too."""
        fields = self._fields.get(base_path(node))
        if fields:
            for value in _fields_of(output, fields):
                self._learn(value)

    def declares(self, node: str) -> bool:
        """Whether outputs of the node have sensitive fields."""
        return base_path(node) in self._fields

    def params(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Parameters with the sensitive ones covered."""
        return {
            name: COVER
            if name in self._params
            else self._cover(value, self._inside.get(name, frozenset()))
            for name, value in params.items()
        }

    def output(self, node: str, output: Any) -> Any:
        """A node's output with its sensitive fields covered."""
        return self._cover(output, self._fields.get(base_path(node), frozenset()))

    def value(self, value: Any) -> Any:
        """Any other value: sensitive texts inside it are covered."""
        return self._cover(value, frozenset()) if self._values else value

    def text(self, text: str) -> str:
        """A message: sensitive texts inside it are covered."""
        if text in self._values:
            return COVER
        for value in self._values:
            if len(value) >= SUBSTRING_LENGTH and value in text:
                text = text.replace(value, COVER)
        return text

    def _learn(self, value: Any) -> None:
        if isinstance(value, str) and value:
            self._values.add(value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            if len(digits := str(value)) >= SUBSTRING_LENGTH:
                self._values.add(digits)
        elif isinstance(value, Mapping):
            for part in value.values():
                self._learn(part)
        elif isinstance(value, list):
            for part in value:
                self._learn(part)

    def _cover(self, value: Any, fields: frozenset[str]) -> Any:
        if isinstance(value, str):
            return self.text(value) if self._values else value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return COVER if self._values and str(value) in self._values else value
        if isinstance(value, list):
            return [self._cover(part, fields) for part in value]
        if isinstance(value, dict):
            return {
                name: COVER if name in fields else self._cover(part, fields)
                for name, part in value.items()
            }
        return value


def declares_sensitive(workflow: Workflow) -> bool:
    """Whether a workflow declares anything as sensitive."""
    return any(node.sensitive for node in workflow.nodes.values()) or any(
        parameter.hides for parameter in workflow.parameters.values()
    )


def mask_run(state: EngineState, run: RunState) -> Mask:
    """The mask of a run, which knows every sensitive value the run has seen. Raises what reading an output raises."""
    mask = Mask(run.plan.workflow, run.params)
    for node in run.nodes.values():
        if _finished_with_secrets(mask, node):
            mask.learn_output(node.path, state.decode(node.output))
    return mask


def _finished_with_secrets(mask: Mask, node: NodeState) -> bool:
    return node.status in EFFECTIVE and mask.declares(node.path)


def _fields_of(value: Any, fields: frozenset[str]) -> Iterator[Any]:
    if isinstance(value, dict):
        for name, part in value.items():
            if name in fields:
                yield part
            else:
                yield from _fields_of(part, fields)
    elif isinstance(value, list):
        for part in value:
            yield from _fields_of(part, fields)


def learn_record(mask: Mask, record: Record) -> None:
    """Take note of the sensitive fields of an output that a record carries."""
    event = record.event
    output = getattr(event, "output", None)
    node = getattr(event, "node", "")
    if isinstance(output, msgspec.Raw) and node and mask.declares(node):
        mask.learn_output(node, msgspec.json.decode(output))
