"""The JSON Schema of the language, for editors: what ``studio schema`` prints.

It says what can be said about one file's shape; ids, references, cycles and code are the reader's.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from studio.loading import vocabulary as words
from studio.model.policies import ERROR_CATEGORIES

Schema: TypeAlias = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_ID = r"^[A-Za-z][A-Za-z0-9_-]{0,99}$"
_VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]{0,99}$"
_DURATION = r"^\s*([0-9]{1,9}(\.[0-9]{1,9})?(ms|[dhms]))+\s*$"
_TEXT: Schema = {"type": "string", "pattern": r"\S"}
_TEXTS: Schema = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT, "uniqueItems": True}]}


def language_schema() -> Schema:
    """The schema of a workflow file, JSON Schema draft 2020-12, as JSON data."""
    return {
        "$schema": DIALECT,
        "title": "Workflow Studio workflow",
        "type": "object",
        "required": ["workflow", "nodes"],
        "properties": _workflow_properties(),
        "additionalProperties": False,
        "$defs": {
            "id": {"type": "string", "pattern": _ID},
            "duration": _described(
                {"type": "string", "pattern": _DURATION}, "such as 250ms, 10s, 5m, 1h30m, 2d"
            ),
            "delay": {"anyOf": [{"const": 0}, {"$ref": "#/$defs/duration"}]},
            "expression": _expression(),
            "parameter": _parameter(),
            "edge": _edge(),
            "retry": _retry(),
            "node": _node(),
            "template": _template(),
            "undo": _undo(),
            "fallback": _fallback(),
        },
    }


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _described(schema: Schema, text: str) -> Schema:
    return {**schema, "description": text}


def _closed(properties: Schema, required: tuple[str, ...] = ()) -> Schema:
    schema: Schema = {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }
    if required:
        schema["required"] = list(required)
    return schema


def _expression() -> Schema:
    schema = {"type": ["string", "number", "boolean"], "pattern": r"\S"}
    return _described(schema, "such as nodes.check.output.ok && params.amount > 100")


def _integer(least: int, most: int | None = None) -> Schema:
    schema: Schema = {"type": "integer", "minimum": least}
    return schema if most is None else {**schema, "maximum": most}


def _env() -> Schema:
    return {
        "type": "object",
        "propertyNames": {"pattern": _VARIABLE},
        "additionalProperties": {"type": ["string", "number", "boolean"]},
    }


def _workflow_properties() -> Schema:
    named: Schema = {"type": "object", "propertyNames": _ref("id")}
    return {
        "workflow": _described(_ref("id"), "id of the workflow"),
        "version": {"type": "string", "pattern": r"^[0-9]+\.[0-9]+\.[0-9]+([-+].+)?$"},
        "description": _TEXT,
        "owner": _TEXT,
        "tags": _TEXTS,
        "parameters": {**named, "additionalProperties": _ref("parameter")},
        "secrets": {
            "anyOf": [
                {"type": "string", "pattern": _VARIABLE},
                {"type": "array", "items": {"type": "string", "pattern": _VARIABLE}},
            ]
        },
        "env": _env(),
        "defaults": _described(_defaults(), "merged into every node"),
        "templates": {**named, "additionalProperties": _ref("template")},
        "limits": _closed(
            {
                "max_concurrency": _integer(1),
                "retry_budget": _integer(0),
                "timeout": _ref("duration"),
            }
        ),
        "on_failure": {"enum": list(words.FAILURE_POLICIES)},
        "compensation": _closed(
            {
                "when": {"enum": list(words.UNDO_TRIGGERS)},
                "scope": {"enum": list(words.SCOPES)},
                "timeout": _ref("duration"),
            }
        ),
        "nodes": {**named, "minProperties": 1, "additionalProperties": _ref("node")},
        "outputs": {"type": "object"},
    }


def _parameter() -> Schema:
    properties: Schema = dict.fromkeys(words.PARAMETER_KEYS, True)
    properties["sensitive"] = {"type": "boolean"}
    properties["description"] = _TEXT
    properties["required"] = {
        "anyOf": [{"type": "boolean"}, {"type": "array", "items": {"type": "string"}}]
    }
    types = ["string", "number", "integer", "boolean", "array", "object", "null"]
    properties["type"] = {
        "anyOf": [{"enum": types}, {"type": "array", "items": {"enum": types}, "minItems": 1}]
    }
    for key in ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"):
        properties[key] = _integer(0)
    for key in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"):
        properties[key] = {"type": "number"}
    properties["enum"] = {"type": "array"}
    return _closed(properties)


def _edge() -> Schema:
    mapping = _closed(
        {
            "node": _TEXT,
            "on": {"enum": list(words.OUTCOMES)},
            "port": _TEXT,
            "when": _ref("expression"),
            "handles": {"type": "boolean"},
        },
        ("node",),
    )
    return {"anyOf": [_TEXT, mapping]}


def _retry() -> Schema:
    errors = _described(_TEXTS, f"exception classes or {', '.join(ERROR_CATEGORIES)}")
    return _closed(
        {
            "strategy": {"enum": list(words.STRATEGIES)},
            "max_attempts": _integer(1, 10),
            "initial_delay": _ref("delay"),
            "max_delay": _ref("delay"),
            "multiplier": {"type": "number", "minimum": 1, "maximum": 100},
            "jitter": {"type": "number", "minimum": 0, "maximum": 1},
            "retry_on": errors,
            "do_not_retry_on": errors,
        }
    )


def _node_properties() -> Schema:
    stop = {"enum": list(words.STOPS)}
    return {
        "uses": {"enum": list(words.KIND_KEYS)},
        "extends": _described(_TEXT, "name of the template to start from"),
        "name": _TEXT,
        "description": _TEXT,
        "group": _TEXT,
        "tags": _TEXTS,
        "with": {"type": "object"},
        "needs": {"anyOf": [_ref("edge"), {"type": "array", "items": _ref("edge")}]},
        "join": {"enum": list(words.JOINS)},
        "cancel_losers": {"type": "boolean"},
        "when": _ref("expression"),
        "foreach": {"anyOf": [_TEXT, {"type": "array"}]},
        "max_parallel": _integer(1),
        "on_item_failure": {"enum": list(words.ITEM_POLICIES)},
        "item_key": _ref("expression"),
        "repeat": _closed(
            {"until": _ref("expression"), "every": _ref("delay"), "max": _integer(1)}, ("until",)
        ),
        "timeout": _described(_ref("duration"), "limit for one attempt"),
        "retry": _ref("retry"),
        "fallback": _ref("fallback"),
        "compensate": _ref("undo"),
        "irreversible": {"type": "boolean"},
        "side_effects": {"enum": list(words.SIDE_EFFECTS)},
        "priority": {"enum": list(words.PRIORITIES)},
        "locks": _TEXTS,
        "critical": {"type": "boolean"},
        "sensitive": _TEXTS,
        "breakpoint": {
            "anyOf": [
                stop,
                {**_closed({"on": stop, "when": _ref("expression")}), "minProperties": 1},
            ]
        },
    }


def _kind_properties() -> Schema:
    expressions: Schema = {
        "anyOf": [
            _ref("expression"),
            {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": {"anyOf": [_ref("expression"), {"type": "null"}]},
            },
        ]
    }
    one_aggregate = {
        **_closed(dict.fromkeys(words.AGGREGATES, _ref("expression"))),
        "minProperties": 1,
        "maxProperties": 1,
    }
    case = _closed({"port": _ref("id"), "when": _ref("expression")}, ("port", "when"))
    return {
        "call": _described({"type": "string", "pattern": "^[^:]+:[^:.]+$"}, "module:function"),
        "code": _described(_TEXT, "the body of a function whose arguments are the keys of with"),
        "isolation": {"enum": list(words.ISOLATIONS)},
        "run": _described(_TEXT, "a script, run by sh -e"),
        "shell": _TEXT,
        "cwd": _TEXT,
        "env": _env(),
        "output": {"enum": list(words.SHELL_OUTPUTS)},
        "for": {"anyOf": [_ref("delay"), {"type": "string", "pattern": r"\{\{"}]},
        "until": _TEXT,
        "input": {"anyOf": [_TEXT, {"type": "array"}]},
        "filter": _ref("expression"),
        "map": expressions,
        "sort_by": _ref("expression"),
        "limit": _integer(0),
        "group_by": _ref("expression"),
        "aggregate": {"type": "object", "additionalProperties": one_aggregate},
        "value": expressions,
        "batch_size": _integer(1),
        "cases": {"type": "array", "minItems": 1, "items": case},
        "else": _ref("id"),
    }


_NEEDED: dict[str, Schema] = {
    "python": {"oneOf": [{"required": ["call"]}, {"required": ["code"]}]},
    "shell": {"required": ["run"]},
    "noop": {},
    "wait": {"oneOf": [{"required": ["for"]}, {"required": ["until"]}]},
    "transform": {"oneOf": [{"required": ["input"]}, {"required": ["value"]}]},
    "branch": {"required": ["cases"]},
}


def _by_kind() -> list[Schema]:
    """What each kind needs, unless a template may have it, and which keys belong to others."""
    every = {key for keys in words.KIND_KEYS.values() for key in keys}
    rules: list[Schema] = []
    for kind, keys in words.KIND_KEYS.items():
        foreign = [{"required": [key]} for key in sorted(every.difference(keys))]
        said: Schema = {"properties": {"uses": {"const": kind}}, "required": ["uses"]}
        rules.append({"if": said, "then": {"not": {"anyOf": foreign}}})
        rules.append({"if": {**said, **_STANDS_ALONE}, "then": _NEEDED[kind]})
    return rules


_STANDS_ALONE: Schema = {"not": {"required": ["extends"]}}


def _node() -> Schema:
    schema = _closed({**_node_properties(), **_kind_properties()})
    race = {"properties": {"join": {"const": "first"}}, "required": ["join"]}
    loses = {
        "properties": {"cancel_losers": {"const": True}},
        "required": ["cancel_losers"],
        **_STANDS_ALONE,
    }
    needs_foreach = ("max_parallel", "on_item_failure", "item_key")
    items = {"dependentRequired": {key: ["foreach"] for key in needs_foreach}}
    schema["allOf"] = [
        *_by_kind(),
        {"if": loses, "then": race},
        {"if": _STANDS_ALONE, "then": items},
    ]
    return schema


def _template() -> Schema:
    return _closed({**_node_properties(), **_kind_properties()})


def _undo() -> Schema:
    own = {key: value for key, value in _node_properties().items() if key in words.UNDO_KEYS}
    schema = _closed({**own, **_kind_properties()})
    schema["allOf"] = _by_kind()
    return schema


def _fallback() -> Schema:
    value = _closed({"value": True}, ("value",))
    node = _closed({"node": _ref("id")}, ("node",))
    return {"anyOf": [value, node, {**_undo(), "minProperties": 1}]}


def _defaults() -> Schema:
    every = {**_node_properties(), **_kind_properties()}
    return _closed({key: every[key] for key in words.DEFAULTS_KEYS})
