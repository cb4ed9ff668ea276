"""Every key and word of the language: what this version reads, and what it names but does not run yet.

One table serves the reader, the suggestions and the published schema, so that they cannot disagree.
"""

from __future__ import annotations

import re
from typing import Final, Literal, get_args

from studio.model.nodes import Join, Outcome
from studio.model.terms import FailurePolicy, Isolation, Priority, SideEffects

IDENTIFIER: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,99}\Z")
"""Ids of workflows, nodes, parameters and ports: a letter, then letters, digits, ``_`` or ``-``."""

VARIABLE: Final = r"[A-Za-z_][A-Za-z0-9_]{0,99}\Z"
"""Pattern, as those below, which `re` compiles when one is first asked for. Names of secrets and environment variables, as POSIX has them."""

LOCK: Final = r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}\Z"
CALL: Final = r"[^\W\d]\w*(?:\.[^\W\d]\w*)*:[^\W\d]\w*\Z"
EXCEPTION: Final = r"[^\W\d]\w*(?:\.[^\W\d]\w*)*\Z"
# The grammar given by semver.org, section "regular expression", without its named groups.
SEMANTIC_VERSION: Final = (
    r"(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)"
    r"(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?\Z"
)

WORKFLOW_KEYS: Final = (
    "workflow", "version", "description", "owner", "tags", "parameters", "secrets", "env",
    "defaults", "templates", "limits", "on_failure", "compensation", "nodes", "outputs",
)  # fmt: skip
LATER_WORKFLOW_KEYS: Final = ("triggers", "alerts")

NODE_KEYS: Final = (
    "uses", "extends", "name", "description", "group", "tags", "with", "needs", "join",
    "cancel_losers", "when", "foreach", "max_parallel", "on_item_failure", "item_key", "repeat", "timeout", "retry",
    "fallback", "compensate", "irreversible", "side_effects", "priority", "locks", "critical",
    "sensitive", "breakpoint",
)  # fmt: skip
LATER_NODE_KEYS: Final = ("breaker", "throttle", "resources", "cache")

KIND_KEYS: Final[dict[str, tuple[str, ...]]] = {
    "python": ("call", "code", "isolation"),
    "shell": ("run", "shell", "cwd", "env", "output"),
    "noop": (),
    "wait": ("for", "until"),
    "transform": (
        "input", "filter", "map", "sort_by", "limit", "group_by", "aggregate", "value",
        "batch_size",
    ),
    "branch": ("cases", "else"),
}  # fmt: skip


def kind_of_key(key: str) -> str | None:
    """The kind of node that a key belongs to, None for keys of every node and unknown ones."""
    return next((kind for kind, keys in KIND_KEYS.items() if key in keys), None)


LATER_KINDS: Final = (
    "validate", "http", "workflow", "approval", "event", "emit", "cache", "state", "agent",
    "endpoint",
)  # fmt: skip

DEFAULTS_KEYS: Final = (
    "uses", "with", "timeout", "retry", "side_effects", "isolation", "priority", "locks",
    "critical", "sensitive", "tags", "group", "max_parallel", "on_item_failure", "shell", "cwd",
    "env",
)  # fmt: skip
"""Keys that ``defaults`` may set: those that can mean the same for every node."""

MEANT: Final = {
    "depends_on": "needs", "dependsOn": "needs", "after": "needs", "requires": "needs", "type": "uses",
    "kind": "uses", "command": "run", "script": "run", "inputs": "with", "args": "with", "if": "when",
    "environment": "env", "retries": "retry", "on_error": "on_failure", "loop": "foreach",
    "on": "triggers", "steps": "nodes", "tasks": "nodes", "jobs": "nodes", "params": "parameters",
    "rollback": "compensate", "undo": "compensate",
}  # fmt: skip
"""Words that other tools have for a key of this language."""

MAX_NODES: Final = 100_000
"""Nodes of one workflow; the engine's own figures are measured up to here."""

MAX_DEFAULTS: Final = 200
"""Values in ``defaults``, at any depth, and in a template with all that it extends."""

UNDO_KEYS: Final = ("uses", "with", "timeout", "retry")
EDGE_KEYS: Final = ("node", "on", "port", "when", "handles")
RETRY_KEYS: Final = (
    "strategy", "max_attempts", "initial_delay", "max_delay", "multiplier", "jitter", "retry_on",
    "do_not_retry_on",
)  # fmt: skip
REPEAT_KEYS: Final = ("until", "every", "max")
BREAKPOINT_KEYS: Final = ("on", "when")
LIMIT_KEYS: Final = ("max_concurrency", "retry_budget", "timeout")
LATER_LIMIT_KEYS: Final = ("resources",)
COMPENSATION_KEYS: Final = ("when", "scope", "timeout")
CASE_KEYS: Final = ("port", "when")
AGGREGATES: Final = ("sum", "count", "min", "max", "avg")

EXTERNAL_KINDS: Final = ("python", "shell")
"""Kinds whose side effects count as external unless the author says otherwise (engine, "Failure")."""

OUTCOMES: Final[tuple[str, ...]] = get_args(Outcome)
JOINS: Final[tuple[str, ...]] = get_args(Join)
FAILURE_POLICIES: Final[tuple[str, ...]] = get_args(FailurePolicy)
ITEM_POLICIES: Final[tuple[str, ...]] = ("fail", "continue", "hold")
SIDE_EFFECTS: Final[tuple[str, ...]] = get_args(SideEffects)
ISOLATIONS: Final[tuple[str, ...]] = get_args(Isolation)
PRIORITIES: Final[tuple[str, ...]] = get_args(Priority)
STRATEGIES: Final = ("none", "fixed", "linear", "exponential")
STOPS: Final[tuple[Literal["before", "after", "failure"], ...]] = ("before", "after", "failure")
SHELL_OUTPUTS: Final = ("text", "json", "lines")
SCOPES: Final = ("workflow", "branch")
UNDO_TRIGGERS: Final = ("failure", "never")

PARAMETER_KEYS: Final = (
    "type", "default", "description", "title", "sensitive", "required", "enum", "const",
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength",
    "maxLength", "pattern", "format", "items", "prefixItems", "contains", "minContains",
    "maxContains", "minItems", "maxItems", "uniqueItems", "unevaluatedItems", "properties",
    "patternProperties", "additionalProperties", "propertyNames", "minProperties",
    "maxProperties", "dependentRequired", "dependentSchemas", "unevaluatedProperties", "allOf",
    "anyOf", "oneOf", "not", "if", "then", "else", "examples", "deprecated", "readOnly",
    "writeOnly", "$comment", "$defs", "$ref", "contentEncoding", "contentMediaType",
    "contentSchema",
)  # fmt: skip
"""The vocabulary of JSON Schema 2020-12 without its ways out of the file, and the studio's own
``sensitive`` and ``required``."""
