"""The Input and Output tabs: which value there is to show, where it comes from, and how it is covered."""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from studio.core.events import Slot
from studio.core.state import NodeState
from studio.core.transitions import EFFECTIVE
from studio.projections.layout import Segment
from studio.projections.masking import COVER, Mask, declares_sensitive
from studio.projections.screen.inspecting.leaves import leaf_text, node_prefix
from studio.projections.screen.inspecting.paragraphs import (
    Row,
    labelled,
    paragraph,
    plural,
    size_text,
)
from studio.projections.screen.inspecting.subject import Subject, degraded_text
from studio.projections.screen.inspecting.tree import Cover, ValueTree
from studio.projections.states import node_look

AT_ONCE: Final = 2_000_000
"""Bytes of an encoded value that are decoded as soon as its tab is opened (about 20 ms); a larger one asks first."""


class Finding(NamedTuple):
    """What a value tab shows.

    Args:
        key: same key, same value; what is open in a tree then stays open.
        head: rows above the value.
        size: bytes of the encoded value; 0 when it is not known or small.
        load: gives the value; None when there is none. Raises what reading the history raises.
        prefix: expression for the whole value.
        cover: covers sensitive members.
    """

    key: Hashable
    head: list[Row]
    size: int = 0
    load: Callable[[], Any] | None = None
    prefix: str = ""
    cover: Cover | None = None

    def tree(self, ascii: bool) -> ValueTree | None:
        """The value as a tree, None when there is none."""
        if self.load is None:
            return None
        return ValueTree(self.load(), self.prefix, self.cover, ascii=ascii)


def finding_key(subject: Subject, tab: str) -> Hashable:
    """What the Input or Output tab depends on: while it is the same, nothing has to be read again."""
    node = subject.node
    if node is None:
        return (subject.path, tab, subject.plan.version)
    items = node.items.left if node.items is not None else -1
    return (
        subject.path, tab, node.status, node.finished_position, node.input_position, node.override_input,
        node.attempt, items, bool(node.overridden), node.generation,
    )  # fmt: skip


def output_of(subject: Subject) -> Finding:
    """What the Output tab shows."""
    node, state = subject.node, subject.state
    if node is None or state is None:
        return Finding(
            finding_key(subject, "Output"), [[Segment("A run gives it an output.", "dim")]]
        )
    key = finding_key(subject, "Output")
    stands = node.status in EFFECTIVE
    if not stands and node.status not in ("compensating", "compensated", "compensation_failed"):
        return Finding(key, paragraph(_no_output(subject, node), "dim", subject.width))
    raw = state.raw(node.output)
    head: list[Row] = []
    if not stands:
        head += paragraph("What it had returned before it was undone.", "dim", subject.width)
    if node.port:
        head += labelled("port", node.port, "text", subject.width)
    if node.overridden is not None:
        before = leaf_text(
            subject.mask.output(node.path, _small(state.raw(node.overridden[0]))), 200
        )
        head += paragraph(f"{subject.glyph('°', 'o')} given by hand", "warn", subject.width)
        head += labelled("before", before, "dim", subject.width, 2)
    if "degraded" in node.marks:
        text = f"{subject.glyph('▿', 'v')} {degraded_text(node)}"
        head += paragraph(text, "warn", subject.width)
    if head:
        head.append([])
    return Finding(
        key,
        head,
        len(raw),
        lambda: msgspec.json.decode(raw),
        node_prefix(subject.path, "output"),
        covering(subject.mask, subject.path) if declares_sensitive(subject.plan.workflow) else None,
    )


def result_of(subject: Subject) -> Finding:
    """What the Result tab shows: the outputs of the run."""
    run = subject.run
    if run is None or not run.outputs:
        return Finding(finding_key(subject, "Result"), [[Segment("It has no outputs.", "dim")]])
    outputs, key = run.outputs, (run.number, "Result", run.position)
    head: list[Row] = [*paragraph(f"What run {run.number} came to:", "dim", subject.width), []]
    cover = covering(subject.mask, "") if declares_sensitive(subject.plan.workflow) else None
    return Finding(key, head, 0, lambda: outputs, "outputs", cover)


def _small(raw: bytes) -> Any:
    if len(raw) > AT_ONCE:
        return f"{size_text(len(raw))} of JSON"
    return msgspec.json.decode(raw)


def _no_output(subject: Subject, node: NodeState) -> str:
    look = node_look(node)
    if node.items is not None and node.items.left:
        return f"{plural(node.items.left, 'item')} of {node.items.count:,} are not done yet."
    if node.status in ("failed", "in_doubt"):
        return f"It is {look.word}: there is no output. o gives it one by hand."
    if node.status in ("skipped", "cancelled"):
        return f"It was {look.word}: there is no output."
    return f"It is {look.word}: there is no output yet."


def covering(mask: Mask, path: str) -> Cover:
    """Covers the sensitive fields of a node's output, and sensitive texts anywhere."""

    def cover(key: str | int | None, value: Any) -> Any:
        inner = None if isinstance(value, dict | list) else value
        name = key if isinstance(key, str) else ""
        shown = mask.output(path, {name: inner})[name] if name else mask.output(path, inner)
        return value if shown is None else shown

    return cover


# --------------------------------------------------------------------------- input


def input_of(subject: Subject) -> Finding:
    """What the Input tab shows: the input given for the next attempt, the recorded one, or the one as written."""
    node, state, planned = subject.node, subject.state, subject.planned
    cover = covering(subject.mask, "") if declares_sensitive(subject.plan.workflow) else None
    if node is None or state is None:
        written = planned.node.input if planned is not None else None
        return _as_written(subject, written, finding_key(subject, "Input"), cover)
    key = finding_key(subject, "Input")
    head = _item_head(subject, node)
    waiting = node.override_input > node.input_position
    if node.override_input and waiting:
        text = f"{subject.glyph('°', 'o')} given by hand, for the next attempt"
        position = node.override_input
        head += [*paragraph(text, "warn", subject.width), []]
        return Finding(key, head, 0, lambda: state.event(position).input, "input", cover)
    if node.items is not None:
        head += [*paragraph("The list it goes through:", "dim", subject.width), []]
        values = node.items.values
        return Finding(key, head, 0, lambda: state.decode(values), "items", cover)
    if not node.input_position:
        written = planned.node.input if planned is not None else None
        return _as_written(subject, written, key, cover)
    event = state.event(node.input_position)
    if node.override_input:
        text = f"{subject.glyph('°', 'o')} given by hand, used by attempt {event.attempt}"
        head += [*paragraph(text, "warn", subject.width), []]
    elif event.attempt != node.attempt and node.attempt:
        head += [*paragraph(f"As recorded by attempt {event.attempt}.", "dim", subject.width), []]
    return Finding(key, head, 0, lambda: with_secrets(event.input, event.slots), "input", cover)


def _as_written(subject: Subject, written: Any, key: Hashable, cover: Cover | None) -> Finding:
    if written in (None, {}):
        return Finding(key, paragraph("It takes no input.", "dim", subject.width))
    text = "As written; the templates are filled in when it starts."
    head = [*paragraph(text, "dim", subject.width), []]
    return Finding(key, head, 0, lambda: written, "input", cover)


def _item_head(subject: Subject, node: NodeState) -> list[Row]:
    parent, state = node.parent, subject.state
    if parent is None or parent.items is None or state is None:
        return []
    items = state.decode(parent.items.values)
    item = items[node.index] if node.index < len(items) else None
    text = leaf_text(subject.mask.value(item), 200)
    return [*labelled("item", text, "text", subject.width, 3), []]


def with_secrets(value: Any, slots: Sequence[Slot]) -> Any:
    """An input with the names of its secrets where their values were inserted."""
    for slot in reversed(slots):  # the offsets of one text rise, and count without the secrets
        value = _insert(value, slot.path, slot)
    return value


def _insert(value: Any, path: Sequence[str | int], slot: Slot) -> Any:
    if path:
        held: Any = dict(value) if isinstance(value, dict) else list(value)
        held[path[0]] = _insert(held[path[0]], path[1:], slot)
        return held
    name = f"{{{{ secrets.{slot.name} }}}}"
    return value[: slot.offset] + name + value[slot.offset :] if isinstance(value, str) else name


def describe(value: Any) -> str:
    """A value in a few words, to be set beside another: ``48,090 rows``, ``{3 keys}``."""
    if isinstance(value, list):
        return plural(len(value), "row" if value and isinstance(value[0], dict) else "item")
    return COVER if value == COVER else leaf_text(value, 60)
