"""Which names expressions may use at each place of a node.

The rules of the language page, "Expressions and templates": ``output`` in edges, ``repeat`` and
compensations; ``item`` and ``index`` in a node with ``foreach`` and in the steps of a transform;
``secrets`` only where values reach the work itself (``with``, ``env``).
"""

from __future__ import annotations

import msgspec

from studio.loading.formulas import Scope

_BASE = frozenset({"params", "nodes", "run", "env"})
_ITEM = frozenset({"item", "index"})
_UNDO = frozenset({"output", "input", "error", "cause", "failed", "steps"})
_SECRETS = frozenset({"secrets"})


class NodeScopes(msgspec.Struct, frozen=True):
    """The scopes of one node, or of its undo.

    Args:
        node: id of the node.
        foreach: whether it runs once per element of a list.
        undo: whether these are the scopes of its compensation.
        stand_in: whether these are the scopes of what is tried in its place.
    """

    node: str
    foreach: bool = False
    undo: bool = False
    stand_in: bool = False

    def _roots(self) -> frozenset[str]:
        roots = _BASE | _ITEM if self.foreach else _BASE
        if self.stand_in:
            roots |= {"error"}
        return roots | _UNDO if self.undo else roots

    def work(self, title: str) -> Scope:
        """What an attempt is made of, without secrets."""
        return Scope(title, self._roots(), self.node)

    def secret(self, title: str) -> Scope:
        """What reaches the work itself: secrets too."""
        return Scope(title, self._roots() | _SECRETS, self.node)

    def each(self, title: str) -> Scope:
        """A step of a transform, evaluated for each element of its list."""
        return Scope(title, self._roots() | _ITEM, self.node)

    def once(self, title: str) -> Scope:
        """What is evaluated once for the whole node, before a list is split."""
        return Scope(title, _BASE, self.node)

    def per_item(self, title: str) -> Scope:
        """What is evaluated for each element of ``foreach``."""
        return Scope(title, _BASE | _ITEM, self.node)

    def result(self, title: str) -> Scope:
        """What is evaluated after an attempt: its output too."""
        return Scope(title, self._roots() | {"output"}, self.node)

    def stop(self, title: str, *, after: bool = False) -> Scope:
        """The condition of a breakpoint: one of a list stops it as a whole, where no item is current."""
        return Scope(title, _BASE | {"output"} if after else _BASE, self.node)


def edge_scope(node: str, source: str) -> Scope:
    """The ``when`` of an edge: its source's output, and what finished before."""
    return Scope("when", _BASE | {"output"}, node, source)


def outputs_scope() -> Scope:
    """The ``outputs`` of a workflow: every node, after the run."""
    return Scope("outputs", _BASE, all_nodes=True)
