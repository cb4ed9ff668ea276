"""The small nodes inside a node: how it is undone, and what is tried in its place."""

from __future__ import annotations

from typing import Any

from studio.loading import vocabulary as words
from studio.loading.formulas import Formulas
from studio.loading.kinds import read_kind, read_uses
from studio.loading.policies import read_retry
from studio.loading.scopes import NodeScopes
from studio.loading.sections import Section, fill
from studio.model.nodes import UNDO_RETRY, StandIn, StandInNode, Undo
from studio.model.policies import Fallback, Retry


def read_input(part: Section, formulas: Formulas, scopes: NodeScopes) -> Any:
    """The ``with`` of a node, undo or fallback: a mapping whose texts may hold templates and secrets."""
    if "with" not in part:
        return None
    if not isinstance(part.raw("with"), dict):
        part.wrong_kind("with", "a mapping")
        return None
    return formulas.template(part.entries["with"], scopes.secret("with"))


def read_undo(
    owner: Section, uses: str | None, formulas: Formulas, scopes: NodeScopes
) -> Undo | None:
    """The ``compensate`` of a node.

    Args:
        owner: the node's keys.
        uses: its kind, which the undo has unless it says otherwise.
        formulas: takes the expressions found.
        scopes: what they may use.
    """
    inner = owner.mapping("compensate")
    if inner is None:
        return None
    values = _read(inner, uses, formulas, scopes, UNDO_RETRY)
    return Undo(**values) if values is not None else None


def read_fallback(
    owner: Section, uses: str | None, formulas: Formulas, scopes: NodeScopes
) -> Fallback | StandIn | StandInNode | None:
    """The ``fallback`` of a node: a value, the id of another node, or a small node of its own.

    Args:
        owner: the node's keys.
        uses: its kind, which a small node has unless it says otherwise.
        formulas: takes the expressions found.
        scopes: what a value may use; a small node sees ``error`` too.
    """
    part = owner.mapping("fallback")
    if part is None:
        return None
    if not part.entries:
        owner.error(
            "fallback",
            "fallback is empty; write {value: …}, {node: ID} or a node: {uses: …, …}",
            "missing-key",
        )
        return None
    if "node" in part:
        part.check_keys(("node",))
        name = part.text("node")
        return StandInNode(node=name) if name is not None else None
    if "value" in part and "uses" not in part:
        part.check_keys(("value",))
        value = formulas.template(part.entries["value"], scopes.work("fallback"))
        return Fallback(value=value)
    inside = NodeScopes(scopes.node, scopes.foreach, stand_in=True)
    values = _read(part, uses, formulas, inside, None)
    return StandIn(**values) if values is not None else None


def _read(
    inner: Section, uses: str | None, formulas: Formulas, scopes: NodeScopes, retry: Retry | None
) -> dict[str, Any] | None:
    before = inner.report.error_count
    kind_name = read_uses(inner, uses)
    kinds = [kind_name] if kind_name is not None else list(words.KIND_KEYS)
    own = [key for name in kinds for key in words.KIND_KEYS[name]]
    for key in inner.entries:
        if key in words.LATER_NODE_KEYS or (key in words.NODE_KEYS and key not in words.UNDO_KEYS):
            inner.key_error(key, f'"{key}" has no meaning in {inner.title}')
        elif kind_name is not None and key not in own and (other := words.kind_of_key(key)):
            inner.key_error(
                key,
                f'"{key}" belongs to {other} nodes; {inner.title} is {kind_name} here'
                f'; add "uses: {other}"',
            )
            own.append(key)
    inner.check_keys((*own, *words.UNDO_KEYS, *words.NODE_KEYS, *words.LATER_NODE_KEYS))
    kind = read_kind(inner, kind_name, formulas, scopes) if kind_name is not None else None
    values = fill(
        {},
        input=read_input(inner, formulas, scopes),
        timeout=inner.duration("timeout"),
        retry=read_retry(inner, retry),
        isolation=inner.word("isolation", words.ISOLATIONS),
    )
    if kind is None or inner.report.error_count > before:
        return None
    return {**values, "kind": kind, "place": inner.report.document.key_place(inner.path)}
