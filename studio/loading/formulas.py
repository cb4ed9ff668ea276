"""Expressions and templates of a file: parsed where they stand, their references kept for later checks."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from studio.errors import ExpressionError
from studio.loading.diagnostics import Report, kind_of
from studio.loading.document import Path
from studio.loading.sections import Entry
from studio.model.expressions import parse_expression, parse_template

if TYPE_CHECKING:
    from studio.model.expressions.syntax import Reference

MAX_TEMPLATES = 1_000
"""Templates in one text; a text with more is data, not a definition."""


class Scope(msgspec.Struct, frozen=True):
    """Which names an expression may use.

    Args:
        title: the key it stands in, for messages.
        roots: names that have a value there.
        node: id of the node it belongs to; its ancestors can be read. None: see ``all_nodes``.
        source: id of an edge's source; it and its ancestors can be read, in place of those of ``node``.
        all_nodes: whether every node can be read, as in ``outputs``.
    """

    title: str
    roots: frozenset[str]
    node: str | None = None
    source: str | None = None
    all_nodes: bool = False


class Formula(msgspec.Struct, frozen=True):
    """One reference found in the file, with where it stands and what is allowed there."""

    path: Path
    offset: int
    reference: Reference
    scope: Scope


class Formulas:
    """Parses the expressions of one file.

    Args:
        report: where problems go.
    """

    def __init__(self, report: Report) -> None:
        self.report = report
        self.found: list[Formula] = []

    def expression(self, entry: Entry, scope: Scope) -> str | None:
        """The source of an expression; one wrapped in a single ``{{ … }}`` counts as its inside.

        A number, ``true`` or ``false`` is an expression too, and is written as one. A key left empty is none: its
        ``null`` would count as false.
        """
        value = entry.value
        if value is None or isinstance(value, (list, dict)):
            self.report.error(
                entry.path,
                f"{scope.title} has to be an expression, not {kind_of(value)}",
                code="expression",
            )
            return None
        if not isinstance(value, str):
            return json.dumps(value)
        source, start = bare(value)
        if not source:
            self.report.error(entry.path, f"{scope.title} is empty", code="expression")
            return None
        try:
            references = _of_expression(source)
        except ExpressionError as error:
            self._problem(entry.path, error, start, scope)
            return None
        self._keep(entry.path, start, references, scope)
        return source

    def template(self, entry: Entry, scope: Scope) -> Any:
        """A value whose texts may hold templates, as written; its problems go to the report."""
        value = entry.value
        if isinstance(value, str):
            if "{{" in value:
                self._text(entry, scope)
        elif isinstance(value, dict):
            for key, one in value.items():
                self.template(Entry(one, (*entry.path, key)), scope)
        elif isinstance(value, list):
            for index, one in enumerate(value):
                self.template(Entry(one, (*entry.path, index)), scope)
        return value

    def listing(self, entry: Entry, scope: Scope) -> Any:
        """A list, or a text that yields one: a bare expression is written as a template."""
        value = entry.value
        if isinstance(value, str):
            source = self.expression(entry, scope)
            return None if source is None else "{{ " + source + " }}"
        if not isinstance(value, list):
            self.report.error(
                entry.path,
                f"{scope.title} has to be a list or an expression, not {kind_of(value)}",
                code="kind",
            )
            return None
        return self.template(entry, scope)

    def _text(self, entry: Entry, scope: Scope) -> None:
        if entry.value.count("{{") > MAX_TEMPLATES:
            self.report.error(
                entry.path,
                f"{scope.title}: a text holds at most {MAX_TEMPLATES} templates",
                code="size",
            )
            return
        try:
            references = _of_template(entry.value)
        except ExpressionError as error:
            self._problem(entry.path, error, 0, scope)
            return
        self._keep(entry.path, 0, references, scope)

    def _problem(self, path: Path, error: ExpressionError, start: int, scope: Scope) -> None:
        self.report.error(
            path, f"{scope.title}: {error.message}", code="expression", offset=start + error.offset
        )

    def _keep(self, path: Path, start: int, references: frozenset[Reference], scope: Scope) -> None:
        for reference in references:
            self.found.append(Formula(path, start + reference.offset, reference, scope))


# The same few texts stand in many nodes of a large file; a hundred edits of it ask for them again.
@lru_cache(maxsize=4096)
def _of_expression(source: str) -> frozenset[Reference]:
    return parse_expression(source).references


@lru_cache(maxsize=4096)
def _of_template(source: str) -> frozenset[Reference]:
    return parse_template(source).references


def bare(text: str) -> tuple[str, int]:
    """An expression without white space and a wrapping ``{{ }}``, and where it begins in the text."""
    source = text.strip()
    start = len(text) - len(text.lstrip())
    if source.startswith("{{") and source.endswith("}}") and "{{" not in source[2:]:
        inner = source[2:-2]
        return inner.strip(), start + 2 + len(inner) - len(inner.lstrip())
    return source, start
