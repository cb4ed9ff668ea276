"""Authored ``needs`` to edges: an id, a mapping, or a list of either."""

from __future__ import annotations

from typing import Any

import msgspec

from studio.loading import vocabulary as words
from studio.loading.diagnostics import kind_of, quoted
from studio.loading.document import Path
from studio.loading.formulas import Formulas
from studio.loading.scopes import edge_scope
from studio.loading.sections import Entry, Section, fill, section
from studio.model.nodes import Edge


class AuthoredEdge(msgspec.Struct, frozen=True):
    """An edge, and the paths of its source and port in the file."""

    edge: Edge
    source_path: Path
    port_path: Path


def read_needs(owner: Section, node: str, formulas: Formulas) -> tuple[AuthoredEdge, ...]:
    """The incoming edges of a node; wrong ones are reported and left out."""
    entry = owner.entries.get("needs")
    if entry is None:
        return ()
    listed = isinstance(entry.value, list)
    entries = owner.listing("needs") or [] if listed else [entry]
    found: list[AuthoredEdge] = []
    known: set[tuple[object, ...]] = set()
    for one in entries:
        edge = _edge(one, node, owner, formulas)
        if edge is None:
            continue
        same = (edge.edge.source, edge.edge.on, edge.edge.port, edge.edge.when)
        if same in known:
            message = f"{quoted(edge.edge.source)} is there twice in needs"
            owner.report.error(edge.source_path, message, code="duplicate-edge")
            continue
        known.add(same)
        found.append(edge)
    return tuple(found)


def _edge(entry: Entry, node: str, owner: Section, formulas: Formulas) -> AuthoredEdge | None:
    place = owner.report.document.place(entry.path)
    if isinstance(entry.value, str):
        if not entry.value.strip():
            owner.report.error(entry.path, "needs holds an empty id", code="needs")
            return None
        return AuthoredEdge(Edge(source=entry.value, place=place), entry.path, entry.path)
    if not isinstance(entry.value, dict):
        message = f"needs takes a node id, a mapping or a list of them, not {kind_of(entry.value)}"
        owner.report.error(entry.path, message, code="kind")
        return None
    part = section(entry.value, entry.path, "needs", owner.report)
    part.check_keys(words.EDGE_KEYS)
    if not part.require("node", 'this edge has no "node"; write {node: ID, …}'):
        return None
    source = part.text("node")
    if source is None:
        return None
    before = owner.report.error_count
    values: dict[str, Any] = fill(
        {}, on=part.word("on", words.OUTCOMES), port=part.text("port"), handles=part.flag("handles")
    )
    if "when" in part:
        values["when"] = formulas.expression(part.entries["when"], edge_scope(node, source))
    _check_outcome(part, values)
    place = owner.report.document.place(part.path_of("node"))
    if owner.report.error_count > before:
        values = {}
    edge = Edge(source=source, place=place, **values)
    return AuthoredEdge(edge, part.path_of("node"), part.path_of("port"))


def _check_outcome(part: Section, values: dict[str, Any]) -> None:
    on = values.get("on", "success")
    if "handles" in part and on != "failure":
        part.key_error("handles", '"handles" has a meaning only with "on: failure"')
    if "port" in part and on == "failure":
        part.key_error(
            "port", 'a node that failed leaves by no port; remove "port" or "on: failure"'
        )
