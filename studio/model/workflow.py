"""What a workflow is: parameters, policies and nodes, frozen, with the place of everything."""

import hashlib
import json
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from studio.ids import VersionHash
from studio.model.json_value import JsonValue
from studio.model.nodes import Node
from studio.model.places import Place
from studio.model.policies import CompensationPolicy, FailurePolicy, Frozen, Limits

if TYPE_CHECKING:
    from pydantic import TypeAdapter

NO_LIMITS = Limits()
USUAL_COMPENSATION = CompensationPolicy()


class Parameter(Frozen, frozen=True, kw_only=True):
    """One parameter of a workflow.

    Args:
        schema: its JSON Schema, without the keys kept beside it here.
        default: value used when none is given; meaningful only if ``required`` is false.
        required: whether a value has to be given.
        sensitive: whether its value is masked wherever it is shown.
        sensitive_fields: names of properties inside it that are.
    """

    json_schema: dict[str, Any] = msgspec.field(default_factory=dict)
    default: JsonValue = None
    required: bool = False
    sensitive: bool = False
    sensitive_fields: tuple[str, ...] = ()
    description: str | None = None
    place: Place | None = None

    @property
    def hides(self) -> bool:
        """Whether anything of its value is masked."""
        return self.sensitive or bool(self.sensitive_fields)


class Workflow(Frozen, frozen=True, kw_only=True):
    """A definition as every room but ``loading`` sees it.

    Args:
        name: the workflow's id (authored ``workflow:``).
        folder: absolute path of the folder its code is looked up in and runs in.
        file: absolute path of the file it was read from.
        on_failure: the policy the file asks for, or None to take the default of the surface.
        outputs: authored ``outputs``: a JSON mapping whose strings may hold templates.
        environment: names of the environment variables that expressions read and ``env`` does not set.
        keys: place of each authored top-level key.
    """

    name: str
    version: str | None = None
    description: str | None = None
    owner: str | None = None
    tags: tuple[str, ...] = ()
    parameters: dict[str, Parameter] = msgspec.field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    env: dict[str, str] = msgspec.field(default_factory=dict)
    limits: Limits = NO_LIMITS
    on_failure: FailurePolicy | None = None
    compensation: CompensationPolicy = USUAL_COMPENSATION
    nodes: dict[str, Node]
    outputs: JsonValue = msgspec.field(default_factory=dict)
    folder: str = ""
    file: str = ""
    environment: tuple[str, ...] = ()
    keys: dict[str, Place] = msgspec.field(default_factory=dict)

    def canonical(self) -> dict[str, Any]:
        """The definition without places and paths, in JSON types; node order is kept."""
        body = self.deviations("nodes", "folder", "file", "environment", "keys")
        body["nodes"] = {name: node.canonical() for name, node in self.nodes.items()}
        return body

    def content_hash(self) -> VersionHash:
        """Content hash of the canonical definition: 16 hexadecimal digits of SHA-256."""
        text = json.dumps(
            self.canonical(), sort_keys=True, ensure_ascii=False, separators=(",", ":")
        )
        return VersionHash(hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16])


def workflow_of(body: bytes) -> Workflow:
    """A definition from the JSON that `Workflow.to_json` gave, checked. Raises ValueError when it is not one."""
    return checker().validate_json(body)


@cache
def checker() -> "TypeAdapter[Workflow]":
    """What checks definitions: pydantic, by the declarations of the model."""
    from pydantic import TypeAdapter  # lazy: 80 ms, and only what was stored needs a check

    return TypeAdapter(Workflow)
