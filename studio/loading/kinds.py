"""Authored settings of each kind of node to the model's settings classes.

Each reader gets the section of a node, or of an undo, and answers None when it found problems.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Callable
from typing import Any

from studio.loading import vocabulary as words
from studio.loading.diagnostics import kind_of, named, quoted
from studio.loading.formulas import Formulas, Scope
from studio.loading.names import id_problem
from studio.loading.scopes import NodeScopes
from studio.loading.sections import Entry, Section, fill, section
from studio.model.durations import parse_moment
from studio.model.nodes import (
    BranchSettings,
    Case,
    KindSettings,
    NoopSettings,
    PythonSettings,
    ShellSettings,
    TransformSettings,
    WaitSettings,
)

_NOOP = NoopSettings()

Reader = Callable[[Section, Formulas, NodeScopes], KindSettings | None]


def read_kind(
    owner: Section, uses: str, formulas: Formulas, scopes: NodeScopes
) -> KindSettings | None:
    """The settings of a node or undo of a kind this version runs."""
    before = owner.report.error_count
    settings = _READERS[uses](owner, formulas, scopes)
    return settings if owner.report.error_count == before else None


def read_uses(owner: Section, fallback: str | None = None) -> str | None:
    """The kind that ``uses`` names, or ``fallback`` when the key is absent."""
    if "uses" not in owner:
        if fallback is not None:
            return fallback
        owner.report.error(owner.path, _missing_uses(owner), code="missing-key", key=True)
        return None
    value = owner.text("uses")
    if value is None or value in words.KIND_KEYS:
        return value
    if value in words.LATER_KINDS:
        owner.error(
            "uses",
            f"nodes of kind {quoted(value)} are not supported by this version yet",
            "unsupported",
        )
        return None
    hint = owner.report.suggest(value, words.KIND_KEYS) or f"; kinds are {named(words.KIND_KEYS)}"
    owner.error("uses", f"unknown kind of node {quoted(value)}{hint}", "kind-of-node")
    return None


def _missing_uses(owner: Section) -> str:
    for kind, keys in words.KIND_KEYS.items():
        if any(key in owner for key in keys if key not in ("input", "env")):
            return f'{owner.title} has no "uses"; add "uses: {kind}"'
    return f'{owner.title} has no "uses"; kinds are {named(words.KIND_KEYS)}'


def _python(owner: Section, formulas: Formulas, scopes: NodeScopes) -> KindSettings | None:
    call, code = owner.text("call"), owner.text("code")
    if "call" in owner and "code" in owner:
        owner.key_error("code", 'a python node takes "call" or "code", not both')
    elif "call" not in owner and "code" not in owner:
        message = f'{owner.title} needs "call: module:function" or "code"'
        owner.report.error(owner.path, message, code="missing-key", key=True)
    if call is not None and not re.match(words.CALL, call):
        owner.error("call", _call_problem(call), "call")
    if code is not None:
        _check_code(owner, code)
    return PythonSettings(call=call, code=code)


def _call_problem(call: str) -> str:
    if ":" not in call and "." in call:
        module, _, function = call.rpartition(".")
        if re.match(words.CALL, f"{module}:{function}"):
            return f'call has to be module:function; write "{module}:{function}"'
    return f'call has to be module:function, such as "orders:charge", not {quoted(call)}'


def _check_code(owner: Section, code: str) -> None:
    """Parse the body of an inline function, without running anything."""
    body = textwrap.indent(code, "    ", lambda line: True)
    try:
        ast.parse("def body():\n" + body + "\n    pass\n")
    except SyntaxError as error:
        line, column = max((error.lineno or 2) - 2, 0), max((error.offset or 5) - 5, 0)
        lines = code.split("\n")
        offset = sum(len(one) + 1 for one in lines[:line]) + column
        message = f"code: {error.msg}"
        owner.report.error(owner.path_of("code"), message, code="code", offset=offset)
    except (ValueError, RecursionError, MemoryError):
        owner.error("code", "code cannot be parsed; it is nested too deep", "code")


def _shell(owner: Section, formulas: Formulas, scopes: NodeScopes) -> KindSettings | None:
    if not owner.require("run", f'{owner.title} needs "run", the script'):
        return None
    run, cwd, shell = owner.text("run"), owner.text("cwd"), owner.text("shell", lines=False)
    if run is not None:
        formulas.template(owner.entries["run"], scopes.work("run"))
    if cwd is not None:
        formulas.template(owner.entries["cwd"], scopes.work("cwd"))
    env = read_env(owner, formulas, scopes.secret("env"))
    output = owner.word("output", words.SHELL_OUTPUTS)
    if run is None:
        return None
    values: dict[str, Any] = fill({}, run=run, cwd=cwd, shell=shell, env=env, output=output)
    return ShellSettings(**values)


def read_env(
    owner: Section, formulas: Formulas | None = None, scope: Scope | None = None
) -> dict[str, str] | None:
    """A mapping of environment variables; numbers and booleans become the text they were written as.

    Args:
        owner: the section that holds ``env``.
        formulas: takes the templates found; None where templates have no meaning.
        scope: what templates may use.
    """
    part = owner.mapping("env")
    if part is None:
        return None
    result: dict[str, str] = {}
    for name, entry in part.entries.items():
        if not re.match(words.VARIABLE, name):
            part.key_error(name, f"{quoted(name)} cannot name an environment variable", "name")
        elif isinstance(entry.value, (list, dict)) or entry.value is None:
            hint = '; write "" for an empty one' if entry.value is None else ""
            part.error(name, f"{name} has to be text, not {kind_of(entry.value)}{hint}", "kind")
        else:
            if formulas is not None and scope is not None:
                formulas.template(entry, scope)
            elif isinstance(entry.value, str) and "{{" in entry.value:
                part.error(name, "a template has no meaning here; put it into the env of the nodes")
            result[name] = _as_text(part, entry)
    return result


def _as_text(part: Section, entry: Entry) -> str:
    value = entry.value
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return part.report.document.written_number(entry.path) or str(value)


def _noop(owner: Section, formulas: Formulas, scopes: NodeScopes) -> KindSettings | None:
    return _NOOP


def _wait(owner: Section, formulas: Formulas, scopes: NodeScopes) -> KindSettings | None:
    if "for" in owner and "until" in owner:
        owner.key_error("until", f'{owner.title} has "for" and "until"; remove one of them')
        return None
    if "for" not in owner and "until" not in owner:
        message = f'{owner.title} needs either "for" or "until"'
        owner.report.error(owner.path, message, code="missing-key", key=True)
        return None
    if "for" in owner:
        raw = owner.raw("for")
        if isinstance(raw, str) and "{{" in raw:
            return WaitSettings(
                duration=formulas.template(owner.entries["for"], scopes.work("for"))
            )
        return WaitSettings(duration=owner.duration("for", zero=True))
    until = owner.text("until")
    if until is None:
        return None
    formulas.template(owner.entries["until"], scopes.work("until"))
    if "{{" not in until:
        try:
            parse_moment(until)
        except ValueError as error:
            owner.error("until", f"until: {error}", "moment")
    return WaitSettings(until=until)


_LIST_STEPS = ("filter", "map", "sort_by", "limit", "group_by", "aggregate", "batch_size")


def _transform(owner: Section, formulas: Formulas, scopes: NodeScopes) -> KindSettings | None:
    if "input" in owner and "value" in owner:
        owner.key_error("value", f'{owner.title} has "input" and "value"; remove one of them')
    elif "input" not in owner and "value" not in owner:
        message = f'{owner.title} needs either "input", a list, or "value"'
        owner.report.error(owner.path, message, code="missing-key", key=True)
    if "value" in owner:
        for key in _LIST_STEPS:
            if key in owner:
                owner.key_error(key, f'{key} works on "input"; it has no meaning beside "value"')
        value = _expressions(owner, "value", formulas, scopes.work("value"))
        return TransformSettings(value=value, has_value=True)
    values: dict[str, Any] = {}
    if "input" in owner:
        values["input"] = formulas.listing(owner.entries["input"], scopes.work("input"))
    for key in ("filter", "sort_by", "group_by"):
        if key in owner:
            values[key] = formulas.expression(owner.entries[key], scopes.each(key))
    if "map" in owner:
        values["map"] = _expressions(owner, "map", formulas, scopes.each("map"))
    fill(
        values,
        limit=owner.integer("limit", 0),
        batch_size=owner.integer("batch_size", 1),
        aggregate=_aggregates(owner, formulas, scopes),
    )
    return TransformSettings(**values)


def _expressions(owner: Section, key: str, formulas: Formulas, scope: Scope) -> Any:
    """One expression, or a mapping of expressions."""
    if not isinstance(owner.raw(key), dict):
        return formulas.expression(owner.entries[key], scope)
    part = owner.mapping(key)
    if part is None or not part.entries:
        owner.error(key, f"{key} is empty")
        return None
    return {
        name: "null" if entry.value is None else formulas.expression(entry, scope)
        for name, entry in part.entries.items()
    }


def _aggregates(
    owner: Section, formulas: Formulas, scopes: NodeScopes
) -> dict[str, dict[str, str]] | None:
    part = owner.mapping("aggregate")
    if part is None:
        return None
    result: dict[str, dict[str, str]] = {}
    for name, entry in part.entries.items():
        if not isinstance(entry.value, dict) or len(entry.value) != 1:
            example = f"{{sum: item.{name if name.isidentifier() else 'price'}}}"
            part.error(name, f"{name} has to be one of {named(words.AGGREGATES)}, as in {example}")
            continue
        inner = section(entry.value, entry.path, "aggregate", part.report)
        inner.check_keys(words.AGGREGATES)
        for function, source in inner.entries.items():
            text = formulas.expression(source, scopes.each("aggregate"))
            if text is not None:
                result[name] = {function: text}
    return result


def _branch(owner: Section, formulas: Formulas, scopes: NodeScopes) -> KindSettings | None:
    if not owner.require("cases", f'{owner.title} needs "cases", a list of {{port, when}}'):
        return None
    listed = owner.listing("cases")
    if listed is not None and not listed:
        owner.error("cases", "cases is empty; a branch needs at least one way out")
    cases = [_case(entry, owner, formulas, scopes) for entry in listed or ()]
    otherwise = _port(owner, "else")
    return BranchSettings(
        cases=tuple(case for case in cases if case is not None), otherwise=otherwise
    )


def _case(entry: Entry, owner: Section, formulas: Formulas, scopes: NodeScopes) -> Case | None:
    if not isinstance(entry.value, dict):
        message = f"a case is a mapping with port and when, not {kind_of(entry.value)}"
        owner.report.error(entry.path, message, code="kind")
        return None
    part = section(entry.value, entry.path, "a case", owner.report)
    part.check_keys(words.CASE_KEYS)
    named_port = part.require("port", 'a case needs "port"')
    conditional = part.require("when", 'a case needs "when"; the way out for the rest is "else"')
    port = _port(part, "port") if named_port else None
    when = None
    if conditional:
        when = formulas.expression(part.entries["when"], scopes.work("when"))
    return Case(port=port, when=when) if port is not None and when is not None else None


def _port(part: Section, key: str) -> str | None:
    port = part.text(key)
    if port is not None and (problem := id_problem("port", port)) is not None:
        part.error(key, problem, "name")
        return None
    return port


_READERS: dict[str, Reader] = {
    "python": _python,
    "shell": _shell,
    "noop": _noop,
    "wait": _wait,
    "transform": _transform,
    "branch": _branch,
}
