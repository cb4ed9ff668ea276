"""Authored nodes to the model's, ``defaults`` merged in."""

from __future__ import annotations

from typing import Any

import msgspec

from studio.loading import vocabulary as words
from studio.loading.diagnostics import kind_of, quoted
from studio.loading.document import Path
from studio.loading.edges import AuthoredEdge, read_needs
from studio.loading.formulas import Formulas
from studio.loading.inheriting import Templates, apply_defaults, check_keys, check_taken_over
from studio.loading.inline_nodes import read_fallback, read_input, read_undo
from studio.loading.kinds import read_kind, read_uses
from studio.loading.policies import read_breakpoint, read_repeat, read_retry
from studio.loading.scopes import NodeScopes
from studio.loading.sections import Entry, Section, fill, section
from studio.model.nodes import KindSettings, Node, StandIn, StandInNode, Undo
from studio.model.policies import Fallback


class AuthoredNode(msgspec.Struct, frozen=True):
    """A node as read, for the checks that see the whole file.

    Args:
        id: its id, possibly one that is refused.
        path: where it stands.
        edges: its incoming edges as far as they could be read.
        kind: its settings, None when they are wrong.
        undo: its compensation, None when absent or wrong.
        instead: its fallback, None when absent or wrong.
        node: the node; None when anything about it is wrong.
    """

    id: str
    path: Path
    edges: tuple[AuthoredEdge, ...] = ()
    kind: KindSettings | None = None
    undo: Undo | None = None
    instead: Fallback | StandIn | StandInNode | None = None
    node: Node | None = None


def read_node(
    name: str, entry: Entry, defaults: Section | None, templates: Templates, formulas: Formulas
) -> AuthoredNode:
    """Read one node of the file.

    Args:
        name: its id.
        entry: its mapping.
        defaults: the file's ``defaults``.
        templates: the file's ``templates``.
        formulas: takes the expressions found.
    """
    report = formulas.report
    if not isinstance(entry.value, dict):
        hint = '; write at least "uses"' if entry.value is None else ""
        message = f"node {quoted(name)} has to be a mapping, not {kind_of(entry.value)}{hint}"
        report.error(entry.path, message, code="kind")
        return AuthoredNode(name, entry.path)
    before = report.error_count
    written = section(entry.value, entry.path, f"node {quoted(name)}", report)
    own = templates.over(written)
    if own is None:
        # What it would take over is not known, so only what is written here can be judged.
        check_keys(written, None)
        return AuthoredNode(name, entry.path, read_needs(written, name, formulas))
    uses = _uses(own, defaults)
    part = own if defaults is None else apply_defaults(own, defaults, uses)
    check_keys(written, uses)
    if uses is not None:
        check_taken_over(written, own, uses)
    _keep_places(written, part)
    scopes = NodeScopes(name, "foreach" in own)
    edges = read_needs(own, name, formulas)
    kind = read_kind(part, uses, formulas, scopes) if uses is not None else None
    values = _labels(part) | _flow(part, formulas, scopes) | _policies(part, formulas, scopes)
    instead = read_fallback(part, uses, formulas, scopes)
    undo = read_undo(part, uses, formulas, NodeScopes(name, "foreach" in own, undo=True))
    fill(values, fallback=instead, compensate=undo)
    values["side_effects"] = _side_effects(part, uses, instead)
    node = None
    if kind is not None and report.error_count == before:
        values |= {"needs": tuple(one.edge for one in edges), "kind": kind}
        node = _build(name, own, values)
    return AuthoredNode(name, entry.path, edges, kind, undo, instead, node)


def _uses(own: Section, defaults: Section | None) -> str | None:
    if "uses" in own or defaults is None or "uses" not in defaults:
        return read_uses(own)
    entries = {**own.entries, "uses": defaults.entries["uses"]}
    return read_uses(Section(entries, own.path, own.title, own.report))


def check_template(part: Section) -> None:
    """Report wrong values of a template that mean the same whatever node extends it."""
    _labels(part)
    read_retry(part)


def _keep_places(written: Section, part: Section) -> None:
    """Let the paths of a node lead to where its keys are written, for checks that see the whole file."""
    for key, entry in part.entries.items():
        if key not in written:
            written.report.document.taken_over[(*written.path, key)] = entry.path


def _build(name: str, own: Section, values: dict[str, Any]) -> Node:
    document = own.report.document
    keys = {key: document.key_place(entry.path) for key, entry in own.entries.items()}
    return Node(id=name, place=document.key_place(own.path), keys=keys, **values)


def _labels(part: Section) -> dict[str, Any]:
    return fill(
        {},
        name=part.text("name", lines=False),
        group=part.text("group", lines=False),
        description=part.text("description"),
        tags=part.names("tags"),
        sensitive=part.names("sensitive"),
        critical=part.flag("critical"),
        irreversible=part.flag("irreversible"),
        priority=part.word("priority", words.PRIORITIES),
        isolation=part.word("isolation", words.ISOLATIONS),
        timeout=part.duration("timeout"),
        locks=part.names(
            "locks", words.LOCK, "a lock takes letters, digits and _ - . : /, and no template"
        ),
    )


def _flow(part: Section, formulas: Formulas, scopes: NodeScopes) -> dict[str, Any]:
    values: dict[str, Any] = fill(
        {},
        join=part.word("join", words.JOINS),
        cancel_losers=part.flag("cancel_losers"),
        input=read_input(part, formulas, scopes),
        max_parallel=part.integer("max_parallel", 1),
        on_item_failure=part.word("on_item_failure", words.ITEM_POLICIES),
    )
    if "when" in part:
        values["when"] = formulas.expression(part.entries["when"], scopes.once("when"))
    if "foreach" in part:
        values["foreach"] = formulas.listing(part.entries["foreach"], scopes.once("foreach"))
        if part.raw("uses") == "branch":
            part.key_error(
                "foreach", "a branch cannot run once per item: its ports belong to one node"
            )
    if "item_key" in part:
        values["item_key"] = formulas.expression(
            part.entries["item_key"], scopes.per_item("item_key")
        )
    if values.get("cancel_losers") and values.get("join") != "first":
        part.key_error("cancel_losers", '"cancel_losers" has a meaning only with "join: first"')
    for key in ("max_parallel", "on_item_failure", "item_key"):
        if key in part and "foreach" not in part:
            part.key_error(key, f'{quoted(key)} has a meaning only with "foreach"')
    return values


def _policies(part: Section, formulas: Formulas, scopes: NodeScopes) -> dict[str, Any]:
    return fill(
        {},
        retry=read_retry(part),
        repeat=read_repeat(part, formulas, scopes.result("until")),
        breakpoint=read_breakpoint(
            part, formulas, scopes.stop("breakpoint"), scopes.stop("breakpoint", after=True)
        ),
    )


def _side_effects(
    part: Section, uses: str | None, instead: Fallback | StandIn | StandInNode | None
) -> str:
    said = part.word("side_effects", words.SIDE_EFFECTS)
    if said is not None:
        if said == "none" and "compensate" in part:
            message = 'a node with "side_effects: none" has nothing to undo; remove one of the two'
            part.report.warning(part.path_of("compensate"), message, key=True, code="undo")
        return said
    if part.raw("isolation") == "shared" and "side_effects" not in part:
        part.report.warning(
            part.path_of("isolation"),
            'a shared worker is for functions without side effects; add "side_effects: none" '
            "if this is one",
            code="shared",
        )
    kinds = {uses, instead.kind.uses if isinstance(instead, StandIn) else None}
    return "external" if kinds.intersection(words.EXTERNAL_KINDS) else "none"
