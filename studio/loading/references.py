"""What expressions read: parameters and secrets that are declared, nodes that come before."""

from __future__ import annotations

from collections.abc import Mapping

from studio.loading.diagnostics import Report, quoted
from studio.loading.formulas import Formula
from studio.loading.graph import find_ancestors, is_upstream, source_names
from studio.loading.nodes import AuthoredNode

MAX_BIT_SETS = 20_000
"""Nodes up to which the ancestors of all are kept as bits, 50 MB at most; beyond, each is searched for."""

_ABSENT = {
    "item": 'it exists in a node with "foreach" and in the steps of a transform',
    "index": 'it exists in a node with "foreach" and in the steps of a transform',
    "output": "it exists in edges, repeat and compensate; elsewhere write nodes.ID.output",
    "input": "it exists in compensate only",
    "error": "it exists in compensate and in a node as fallback; elsewhere write nodes.ID.error",
    "cause": "it exists in compensate only",
    "failed": "it exists in compensate only",
    "steps": "it exists in compensate only",
    "event": "triggers are not supported by this version yet",
    "secrets": 'secrets may be used in "with" and "env" only',
}


class ReferenceCheck:
    """Checks the references of one file.

    Args:
        nodes: its nodes by id, without cycles.
        parameters: names declared in ``parameters``.
        secrets: names declared in ``secrets``.
        report: where problems go.
    """

    def __init__(
        self,
        nodes: Mapping[str, AuthoredNode],
        parameters: frozenset[str],
        secrets: frozenset[str],
        report: Report,
    ) -> None:
        self.nodes = nodes
        self.parameters = parameters
        self.secrets = secrets
        self.report = report
        self._bits = {name: index for index, name in enumerate(nodes)}
        self._ancestors: dict[str, int] | None = None

    def check(self, formula: Formula) -> None:
        """Report what is wrong with one reference."""
        root, key = formula.reference.root, formula.reference.key
        if root not in formula.scope.roots:
            reason = self._why_absent(formula)
            self._error(formula, f"{root} cannot be used in {formula.scope.title}: {reason}")
        elif root == "params" and key is not None and key not in self.parameters:
            hint = self.report.suggest(key, self.parameters) or '; declare it in "parameters"'
            self._error(formula, f"unknown parameter {quoted(key)}{hint}")
        elif root == "secrets":
            self._check_secret(formula, key)
        elif root == "env" and key in self.secrets:
            self._error(formula, f"{key} is a secret; write secrets.{key}")
        elif root == "nodes":
            self._check_node(formula, key)

    def _why_absent(self, formula: Formula) -> str:
        root = formula.reference.root
        node = self.nodes.get(formula.scope.node or "")
        repeated = node is not None and node.node is not None and node.node.foreach is not None
        if root in ("item", "index") and repeated:
            return "it is evaluated once, before the list is split into items"
        if root == "output" and formula.scope.title == "breakpoint":
            return 'it exists after the node; add "on: after"'
        return _ABSENT.get(root, "it has no value there")

    def _check_secret(self, formula: Formula, key: str | None) -> None:
        if key is None:
            self._error(formula, "secrets are read one at a time: secrets.NAME")
        elif key not in self.secrets:
            hint = self.report.suggest(key, self.secrets) or f'; add it to "secrets": [{key}]'
            self._error(formula, f"secret {quoted(key)} is not declared{hint}")

    def _check_node(self, formula: Formula, key: str | None) -> None:
        scope = formula.scope
        if key is None:
            self._error(formula, 'nodes are read by a fixed id: nodes.ID or nodes["id"]')
        elif key not in self.nodes:
            hint = self.report.suggest(key, self.nodes)
            self._error(formula, f"unknown node {quoted(key)}{hint}", "unknown-node")
        elif not scope.all_nodes and not self._comes_before(key, scope.source, scope.node):
            self._error(formula, self._not_before(key, formula), "not-an-ancestor")

    def _comes_before(self, key: str, source: str | None, node: str | None) -> bool:
        """Whether a node has finished when an edge's source has, or else when a node starts."""
        if source is not None:
            return key == source or self._is_ancestor(key, source)
        return node is None or self._is_ancestor(key, node)

    def _is_ancestor(self, key: str, node: str) -> bool:
        if node not in self._bits:
            return True
        if key in source_names(self.nodes[node]):
            return True
        if len(self.nodes) > MAX_BIT_SETS:
            return is_upstream(key, node, self.nodes)
        if self._ancestors is None:
            self._ancestors = find_ancestors(self.nodes)
        return bool(self._ancestors[node] >> self._bits[key] & 1)

    def _not_before(self, key: str, formula: Formula) -> str:
        node, source = formula.scope.node or "", formula.scope.source
        if source is not None:
            return f"{quoted(key)} need not have finished when {quoted(source)} has; move the condition to the node"
        if key == node:
            hint = "; write output" if "output" in formula.scope.roots else ""
            return f"{quoted(key)} cannot read itself{hint}"
        if self._is_ancestor(node, key):
            return f"{quoted(key)} runs after {quoted(node)}, so its {formula.reference.field or 'output'} is not known here"
        return f"{quoted(key)} does not come before {quoted(node)}; add it to needs: {key}"

    def _error(self, formula: Formula, message: str, code: str = "reference") -> None:
        self.report.error(formula.path, message, code=code, offset=formula.offset)
