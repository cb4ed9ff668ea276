"""The Definition tab: the node as written in its file, and as it is after all defaults."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from studio.model.durations import format_duration
from studio.model.nodes import Node
from studio.projections.json_text import json_text
from studio.projections.layout import Segment
from studio.projections.screen.inspecting.paragraphs import Row, paragraph, wrap
from studio.projections.screen.inspecting.subject import Source, Subject

MOST_LINES = 200
"""Lines of the definition shown; a longer one is better read in the editor."""


def definition_rows(subject: Subject, source: Source | None, written: Node | None) -> list[Row]:
    """Rows of the Definition tab.

    Args:
        source: the workflow file as it is on disk, None when the run tells none.
        written: the node as the file's last good version has it, whose place the lines are found by; None when the
            file has none of that id.
    """
    planned = subject.planned
    if planned is None:
        return paragraph("This node is no part of the definition any more.", "dim", subject.width)
    rows = _written(subject, source, written)
    if written is not None and written.canonical() != planned.node.canonical():
        text = "The file has another version of this node than the run: below is the run's."
        rows = [*paragraph(text, "warn", subject.width), [], *rows]
    rows += [[], [Segment("resolved", "dim")]]
    settings = list(settings_of(planned.node))
    cells = max(len(key) for key, _value in settings) + 2
    for key, value in settings:
        rows += _setting(subject, key, value, cells)
    return rows


def _setting(subject: Subject, key: str, value: Any, cells: int) -> list[Row]:
    """One setting, its name in so many cells; the members of a mapping each on a row of their own."""
    if isinstance(value, dict):
        lines = [f"{name}: {_text(name, part)}" for name, part in value.items()]
    else:
        lines = _text(key, value).splitlines() or [""]
    parts: list[Row] = []
    for line in lines[:MOST_LINES]:
        parts += paragraph(subject.mask.text(line), "text", max(8, subject.width - cells), 12)
    return [
        [Segment(f"{key if index == 0 else '':<{cells}}", "json.key"), *part]
        for index, part in enumerate(parts)
    ]


DURATIONS = frozenset({"timeout", "initial_delay", "max_delay", "every", "for"})
"""Settings that the model holds in seconds; they are shown as files write them."""


def _text(key: str, value: Any) -> str:
    if key in DURATIONS and isinstance(value, int | float):
        return format_duration(value)
    return value if isinstance(value, str) else json_text(value, indent=None)


def _written(subject: Subject, source: Source | None, written: Node | None) -> list[Row]:
    if source is None or written is None or written.place is None:
        return paragraph("Its place in a file is not known.", "dim", subject.width)
    if source.problem:
        return paragraph(source.problem, "dim", subject.width)
    first = written.place.line
    last = last_line(source.lines, first)
    rows: list[Row] = paragraph(f"{source.name}:{first}", "accent", subject.width, 2)
    digits = len(str(last))
    bar = subject.glyph("│", "|")
    for number in range(first, min(last, first + MOST_LINES) + 1):
        if number > len(source.lines):
            break
        rows += _numbered(source.lines[number - 1], f"{number:>{digits}} {bar} ", subject.width)
    if last - first > MOST_LINES:
        rows.append([Segment(f"… {last - first - MOST_LINES:,} more lines", "dim")])
    return rows


def _numbered(line: str, lead: str, cells: int) -> list[Row]:
    """A line behind its number; what does not fit goes on below, set in as the line is."""
    indent = min(_indent(line), max(0, cells // 3))
    parts = wrap(line.strip(), max(8, cells - len(lead) - indent), 20)
    return [
        [
            Segment(lead if index == 0 else " " * (len(lead) - 2) + lead[-2:], "dim"),
            Segment(" " * indent + part, "text"),
        ]
        for index, part in enumerate(parts)
    ]


def last_line(lines: Sequence[str], first: int) -> int:
    """Number of the last line of the block that begins at line ``first``, by its indentation.

    That holds for YAML, and for JSON as people format it; a closing bracket at the block's own indentation belongs
    to it.
    """
    if not 1 <= first <= len(lines):
        return first
    own = _indent(lines[first - 1])
    last = first
    for number in range(first + 1, len(lines) + 1):
        line = lines[number - 1]
        if not line.strip():
            continue
        if _indent(line) <= own:
            return number if line.lstrip()[0] in "}]" else last
        if not line.lstrip().startswith("#"):
            last = number
    return last


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


_OUTER = ("name", "description", "group", "tags")
_LEFT_OUT = frozenset({"id", "kind", "needs", "place", "keys", *_OUTER})


def settings_of(node: Node) -> Iterator[tuple[str, Any]]:
    """The settings of a node after all defaults: its kind's first, then those that differ from nothing."""
    yield "uses", node.uses
    body = _tidy(msgspec.json.decode(node.to_json()))
    for key in _OUTER:
        if key in body:
            yield key, body[key]
    for key, value in body["kind"].items():
        if key not in ("uses", "has_value"):
            yield key, value
    for key, value in body.items():
        if key in _LEFT_OUT or _says_nothing(node, key):
            continue
        if key == "compensate":
            value = {**value.pop("kind"), **value}
            value.pop("place", None)
        if isinstance(value, dict):
            value = {NAMES.get(name, name): part for name, part in value.items()}
        yield NAMES.get(key, key), value


def _says_nothing(node: Node, key: str) -> bool:
    """Whether a setting cannot matter to this node."""
    if key == "on_item_failure":
        return node.foreach is None
    return key == "join" and len(node.needs) < 2


def _tidy(value: Any) -> Any:
    """A value without the members that say nothing."""
    if not isinstance(value, dict):
        return value
    tidy = {name: _tidy(part) for name, part in value.items()}
    return {name: part for name, part in tidy.items() if part not in (None, {}, [], "", False)}


NAMES = {"input": "with", "duration": "for"}
"""Keys that the model calls otherwise than the files."""
