"""A whole file to a workflow: the top level, then the checks that see everything at once."""

from __future__ import annotations

import re
from pathlib import Path as FilePath
from typing import Any

from studio.loading import vocabulary as words
from studio.loading.code import CodeCheck
from studio.loading.diagnostics import Diagnostic, Report, kind_of, nearest, quoted
from studio.loading.document import Document
from studio.loading.formulas import Formulas
from studio.loading.graph import check_cycles, check_edges
from studio.loading.inheriting import Templates, size
from studio.loading.kinds import read_env
from studio.loading.names import id_problem
from studio.loading.nodes import AuthoredNode, check_template, read_node
from studio.loading.parameters import read_parameters
from studio.loading.policies import read_compensation, read_limits
from studio.loading.references import ReferenceCheck
from studio.loading.scopes import outputs_scope
from studio.loading.sections import Entry, Section, fill, section
from studio.loading.stand_ins import connect_stand_ins
from studio.model.nodes import Node, PythonSettings, StandIn
from studio.model.workflow import Workflow


class WorkflowReader:
    """Reads one document.

    Args:
        document: the file's content.
        folder: absolute path of its folder, or None when the code it calls is not to be looked at.
        file: absolute path of the file, ``""`` for a text without one.
    """

    def __init__(self, document: Document, folder: FilePath | None, file: str) -> None:
        self.document = document
        self.folder = folder
        self.file = file
        self.report = Report(document)
        self.formulas = Formulas(self.report)
        self.broken_code: tuple[Diagnostic, ...] = ()

    def read(self) -> Workflow | None:
        """The workflow, or None when the report holds errors."""
        data = self.document.data
        if not isinstance(data, dict):
            self.report.error((), _not_a_mapping(data), code="shape")
            return None
        top = section(data, (), "the workflow", self.report)
        top.check_keys(words.WORKFLOW_KEYS, words.LATER_WORKFLOW_KEYS)
        if "workflow" not in top:
            if nearest("workflow", top.entries) is None:
                message = 'no "workflow" here; the file begins with "workflow: name"'
                self.report.error((), message, code="missing-key")
            return None
        values = self._header(top)
        authored = self._nodes(top)
        nodes = connect_stand_ins(authored, self.report)
        if "outputs" in top:
            if isinstance(top.raw("outputs"), dict):
                values["outputs"] = self.formulas.template(top.entries["outputs"], outputs_scope())
            else:
                top.wrong_kind("outputs", "a mapping")
        if nodes is not None:
            self._check_graph(top, nodes)
        self._check_code(authored)
        if nodes is None or self.report.error_count or self.broken_code:
            return None
        return self._build(values, {one.id: one.node for one in nodes.values() if one.node})

    def _header(self, top: Section) -> dict[str, Any]:
        values: dict[str, Any] = fill(
            {},
            name=self._name(top),
            version=_version(top),
            description=top.text("description"),
            owner=top.text("owner", lines=False),
            tags=top.names("tags"),
            secrets=top.names(
                "secrets", words.VARIABLE, "a secret takes letters, digits and _, and no value"
            ),
            on_failure=top.word("on_failure", words.FAILURE_POLICIES),
            env=read_env(top),
        )
        values["parameters"] = read_parameters(top)
        values["limits"] = read_limits(top)
        values["compensation"] = read_compensation(top)
        return values

    def _name(self, top: Section) -> str | None:
        name = top.text("workflow")
        if name is not None and (problem := id_problem("workflow", name)) is not None:
            top.error("workflow", problem, "name")
        return name

    def _nodes(self, top: Section) -> dict[str, AuthoredNode]:
        if not top.require("nodes", 'the workflow has no "nodes"'):
            return {}
        part = top.mapping("nodes")
        defaults, templates = self._defaults(top), Templates(top)
        for one in templates.written.values():
            check_template(one)
        if part is None:
            return {}
        if not part.entries:
            top.error("nodes", "nodes is empty; a workflow needs at least one node")
        if len(part.entries) > words.MAX_NODES:
            top.error("nodes", f"more than {words.MAX_NODES} nodes", "size")
            return {}
        folded: dict[str, str] = {}
        for name in part.entries:
            if (problem := id_problem("node", name)) is not None:
                part.key_error(name, problem, "name")
            other = folded.setdefault(name.casefold(), name)
            if other != name:
                message = f"node ids {quoted(other)} and {quoted(name)} differ only in upper and lower case"
                part.key_error(name, message, "name")
        return {
            name: read_node(name, entry, defaults, templates, self.formulas)
            for name, entry in part.entries.items()
        }

    def _defaults(self, top: Section) -> Section | None:
        """The ``defaults``, without the keys that cannot be one."""
        part = top.mapping("defaults")
        if part is None:
            return None
        kept: dict[str, Entry] = {}
        every = {*words.NODE_KEYS, *(key for keys in words.KIND_KEYS.values() for key in keys)}
        for key, entry in part.entries.items():
            if key in words.DEFAULTS_KEYS:
                kept[key] = entry
            elif key in every:
                message = f"{quoted(key)} belongs to a single node and cannot be a default"
                part.key_error(key, message)
        part.check_keys((*words.DEFAULTS_KEYS, *every), words.LATER_NODE_KEYS)
        if size(top.raw("defaults")) > words.MAX_DEFAULTS:
            # Every node repeats them: a large one would grow as an alias bomb does.
            top.error("defaults", f"defaults holds more than {words.MAX_DEFAULTS} values", "size")
            return None
        return Section(kept, part.path, part.title, part.report)

    def _check_graph(self, top: Section, nodes: dict[str, AuthoredNode]) -> None:
        check_edges(nodes, self.report)
        if not check_cycles(nodes, self.report):
            return
        parameters = top.raw("parameters")
        secrets = top.raw("secrets")
        check = ReferenceCheck(
            nodes,
            frozenset(parameters if isinstance(parameters, dict) else ()),
            frozenset(one for one in _listed(secrets) if isinstance(one, str)),
            self.report,
        )
        for formula in self.formulas.found:
            check.check(formula)

    def _check_code(self, nodes: dict[str, AuthoredNode]) -> None:
        if self.folder is None:
            return
        shown = self.document.file.replace("\\", "/")
        shown = shown[: shown.rfind("/") + 1]
        check = CodeCheck(self.folder, shown, self.report)
        for one in nodes.values():
            if isinstance(one.kind, PythonSettings) and one.kind.call is not None:
                given = one.node.input if one.node is not None else None
                path = (*one.path, "call")
                check.check(one.kind.call, path, given, (*one.path, "with"))
            instead = one.instead if isinstance(one.instead, StandIn) else None
            for key, inner in (("compensate", one.undo), ("fallback", instead)):
                if inner is None or not isinstance(inner.kind, PythonSettings):
                    continue
                if inner.kind.call is not None:
                    at = (*one.path, key)
                    check.check(inner.kind.call, (*at, "call"), inner.input, (*at, "with"))
        self.broken_code = tuple(check.broken.values())

    def _build(self, values: dict[str, Any], nodes: dict[str, Node]) -> Workflow:
        keys = {
            str(path[0]): self.document.key_place(path)
            for path in self.document.positions
            if len(path) == 1
        }
        folder = str(self.folder) if self.folder is not None else ""
        read = {one.reference.key for one in self.formulas.found if one.reference.root == "env"}
        names = sorted(name for name in read if name and name not in values.get("env", {}))
        return Workflow(
            nodes=nodes,
            folder=folder,
            file=self.file,
            environment=tuple(names),
            keys=keys,
            **values,
        )


def _listed(value: object) -> list[Any]:
    if isinstance(value, str):
        return [value]
    return value if isinstance(value, list) else []


def _not_a_mapping(data: object) -> str:
    if data is None:
        return 'the file is empty; a workflow begins with "workflow: name"'
    return f'a workflow is a mapping that begins with "workflow: name", not {kind_of(data)}'


def _version(top: Section) -> str | None:
    if "version" not in top:
        return None
    value = top.raw("version")
    if isinstance(value, str) and re.match(words.SEMANTIC_VERSION, value):
        return value
    shown = quoted(value) if isinstance(value, str) else kind_of(value)
    top.error(
        "version", f"version has to be major.minor.patch such as 1.0.0, not {shown}", "version"
    )
    return None
