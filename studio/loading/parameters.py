"""Parameters of a workflow: their schemas in the file, and values given for a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from studio.errors import DefinitionError
from studio.loading import vocabulary as words
from studio.loading.diagnostics import kind_of, printable, quoted, suggestion
from studio.loading.document import Path, SyntaxProblem
from studio.loading.names import id_problem
from studio.loading.sections import Entry, Section, section
from studio.model.json_value import JsonValue
from studio.model.workflow import Parameter, Workflow

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator

_OWN_KEYS = ("default", "required", "sensitive", "description")
_TYPES = ("string", "number", "integer", "boolean", "array", "object", "null")
_OPAQUE = ("default", "enum", "const", "examples")  # their content is data, not schema
_NAMED = ("properties", "patternProperties", "$defs", "dependentSchemas", "dependentRequired")


def read_parameters(owner: Section) -> dict[str, Parameter]:
    """The ``parameters`` of a file; wrong ones are reported and left out."""
    part = owner.mapping("parameters")
    if part is None:
        return {}
    found: dict[str, Parameter] = {}
    for name, entry in part.entries.items():
        if (problem := id_problem("parameter", name)) is not None:
            part.key_error(name, problem, "name")
        parameter = _parameter(name, entry, part)
        if parameter is not None:
            found[name] = parameter
    return found


def _parameter(name: str, entry: Entry, owner: Section) -> Parameter | None:
    report = owner.report
    if not isinstance(entry.value, dict):
        hint = "; write {type: string}"
        if isinstance(entry.value, str) and entry.value in _TYPES:
            hint = f"; write {{type: {entry.value}}}"
        message = f"parameter {quoted(name)} has to be a mapping, not {kind_of(entry.value)}{hint}"
        report.error(entry.path, message, code="kind")
        return None
    before = report.error_count
    part = section(entry.value, entry.path, f"parameter {quoted(name)}", report)
    _check_vocabulary(part)
    description, sensitive = part.text("description"), part.flag("sensitive")
    fields: set[str] = set()
    covers_all = _find_sensitive(part, None, fields)
    schema = {key: value for key, value in entry.value.items() if key not in _OWN_KEYS}
    required = "default" not in part
    if isinstance(part.raw("required"), list):
        schema["required"] = part.raw("required")
    elif "required" in part:
        required = _required(part)
    if report.error_count == before:
        _check_schema(part, schema)
    if report.error_count > before:
        return None
    return Parameter(
        json_schema=schema,
        default=part.raw("default"),
        required=required,
        sensitive=bool(sensitive) or covers_all,
        sensitive_fields=tuple(sorted(fields)),
        description=description,
        place=report.document.key_place(entry.path),
    )


def _find_sensitive(part: Section, name: str | None, fields: set[str]) -> bool:
    """Collect the properties whose schema, or any part of it, says ``sensitive``.

    What has no name of its own (an item, an alternative) counts with the property it belongs to.

    Args:
        part: a schema.
        name: the property it describes, None for the parameter itself.
        fields: takes the names.

    Returns:
        Whether the parameter as a whole is sensitive.
    """
    whole = False
    if part.title == _INNER and part.flag("sensitive"):
        whole = name is None
        fields.update(() if name is None else (name,))
    for key, entry in part.entries.items():
        for below in _subschemas({key: entry}):
            if isinstance(below.value, dict):
                inner = section(below.value, below.path, _INNER, part.report)
                own = str(below.path[-1]) if key == "properties" else name
                whole |= _find_sensitive(inner, own, fields)
    return whole


_INNER = "the schema"
"""How messages call a schema inside another."""


def _required(part: Section) -> bool:
    said = part.flag("required")
    if said and "default" in part:
        part.key_error(
            "required", 'a parameter with a "default" is not required; remove one of them'
        )
    return bool(said)


def _check_vocabulary(part: Section) -> None:
    """Unknown keywords at any depth: JSON Schema itself would ignore a misspelt ``minimun``."""
    part.check_keys(words.PARAMETER_KEYS)
    if isinstance(part.raw("type"), str):
        part.word("type", _TYPES)
    for below in _subschemas(part.entries):
        if isinstance(below.value, dict):
            _check_vocabulary(section(below.value, below.path, _INNER, part.report))
    reference = part.raw("$ref")
    if isinstance(reference, str) and not reference.startswith("#"):
        part.error("$ref", "a schema cannot refer to another file; only to #/$defs/…", "schema")


def _subschemas(entries: Mapping[str, Entry]) -> Iterator[Entry]:
    for key, entry in entries.items():
        if key in _OPAQUE:
            continue
        if isinstance(entry.value, list):
            yield from (Entry(one, (*entry.path, at)) for at, one in enumerate(entry.value))
        elif isinstance(entry.value, dict):
            if key in _NAMED:
                yield from (Entry(one, (*entry.path, name)) for name, one in entry.value.items())
            else:
                yield entry


def _check_schema(part: Section, schema: dict[str, Any]) -> None:
    import jsonschema_rs  # lazy: only workflows with parameters need it

    try:
        for error in jsonschema_rs.Draft202012Validator(
            _META_SCHEMA, validate_formats=True
        ).iter_errors(schema):
            path: Path = (*part.path, *error.instance_path)
            part.report.error(path, f"not a JSON Schema: {_cut(error.message)}", code="schema")
            return
        checker = _validator(schema)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        text = getattr(error, "message", str(error))
        part.report.error(part.path, f"not a JSON Schema: {_cut(text)}", code="schema", key=True)
        return
    if "default" in part:
        for found in checker.iter_errors(part.raw("default")):
            path = (*part.path_of("default"), *found.instance_path)
            part.report.error(
                path, f"the default does not fit: {_cut(found.message)}", code="default"
            )


_META_SCHEMA = {"$ref": "https://json-schema.org/draft/2020-12/schema"}


def _validator(schema: dict[str, Any]) -> Draft202012Validator:
    import jsonschema_rs  # lazy: as above

    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


def _cut(message: str, limit: int = 200) -> str:
    line = " ".join(message.split())
    return line if len(line) <= limit else line[:limit] + "…"


def check_parameters(workflow: Workflow, given: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """The parameters of a run: given values checked against their schemas, defaults for the rest.

    Args:
        workflow: the definition that declares them.
        given: values by name.

    Raises:
        DefinitionError: unknown, missing or unfit values; all of them, one per line.
    """
    problems = [_unknown(name, workflow) for name in given if name not in workflow.parameters]
    values: dict[str, JsonValue] = {}
    for name, parameter in workflow.parameters.items():
        if name in given:
            values[name] = given[name]
            problems.extend(_misfits(name, parameter, given[name]))
        elif parameter.required:
            problems.append(f"parameter {quoted(name)} is missing; give it with -p {name}=…")
        else:
            values[name] = parameter.default
    if problems:
        raise DefinitionError("\n".join(printable(problem) for problem in problems))
    return values


def _unknown(name: str, workflow: Workflow) -> str:
    hint = suggestion(name, workflow.parameters)
    if not hint:
        hint = "; it has none" if not workflow.parameters else ""
    return f"{workflow.name} has no parameter {quoted(name)}{hint}"


def _misfits(name: str, parameter: Parameter, value: JsonValue) -> list[str]:
    try:
        found = list(_validator(parameter.json_schema).iter_errors(value))
    except ValueError as error:
        return [f"parameter {quoted(name)}: {_cut(str(error))}"]
    if parameter.hides:
        return [f"parameter {quoted(name)} does not fit its schema (value hidden)"] if found else []
    lines = []
    for misfit in found:
        where = "".join(
            f"[{step}]" if isinstance(step, int) else f".{step}" for step in misfit.instance_path
        )
        at = f" at {where}" if where else ""
        lines.append(f"parameter {quoted(name)}{at}: {_cut(misfit.message)}")
    return lines


def parse_assignment(text: str, workflow: Workflow) -> tuple[str, JsonValue]:
    """A parameter given as ``name=value`` on the command line, converted by its declared type.

    A parameter that may be text takes the value as it stands; any other is read as JSON.

    Args:
        text: the assignment.
        workflow: the definition that declares the parameter.

    Raises:
        DefinitionError: no ``=``, an unknown name, or a value that is not of the type.
    """
    name, sign, value = text.partition("=")
    if not sign:
        raise DefinitionError(f"a parameter is given as name=value, not {quoted(text)}")
    parameter = workflow.parameters.get(name)
    if parameter is None:
        raise DefinitionError(_unknown(name, workflow))
    declared = parameter.json_schema.get("type")
    types = [declared] if isinstance(declared, str) else list(declared or ())
    if types == ["string"]:
        return name, value
    try:
        return name, _from_json(value)
    except SyntaxProblem as problem:
        if not types or "string" in types:
            return name, value
        shown = "" if parameter.hides else f", not {quoted(value)}"
        wanted = " or ".join(_WRITTEN.get(str(one), str(one)) for one in types)
        reason = f" ({problem.message})" if "array" in types or "object" in types else ""
        raise DefinitionError(f"parameter {quoted(name)} takes {wanted}{shown}{reason}") from None


_WRITTEN = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a JSON list such as [1, 2]",
    "object": 'a JSON mapping such as {"a": 1}',
    "null": "null",
}
"""How a value of each type is written on the command line."""


def _from_json(text: str) -> JsonValue:
    if not text.strip():
        raise SyntaxProblem(1, 1, "it is empty")
    from studio.loading.json_reader import read_json  # lazy: files give their values as YAML

    return read_json(text, "value").data
