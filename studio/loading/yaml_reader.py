"""A strict reader of YAML 1.2 core over the events of libyaml.

What makes YAML surprising is refused with a reason: tags, anchors, aliases, merge keys, duplicate keys,
several documents. Events are taken one at a time and nesting is bounded while they come, so that neither
libyaml nor this builder ever goes deep (its own loader overflows the C stack at 100,000 brackets).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import yaml

from studio.loading.document import MAX_DEPTH, Document, Path, Position, SyntaxProblem
from studio.loading.plain_scalars import plain_value
from studio.model.json_value import JsonValue

# libyaml's parser where PyYAML was built with it, else PyYAML's own: the same events, ten times slower.
EventParser: Callable[[str], Any] = getattr(yaml, "CLoader", yaml.Loader)


def read_yaml(text: str, file: str) -> Document:
    """Read one YAML document.

    Args:
        text: its decoded text, line ends as ``\\n``.
        file: path to show in places.

    Raises:
        SyntaxProblem: the text is not YAML, or uses a part of YAML that the language leaves out.
    """
    builder = _Builder(text)
    try:
        data = builder.document()
    except yaml.MarkedYAMLError as error:
        from studio.loading.yaml_messages import explain  # lazy: most files can be read

        raise explain(error, text) from None
    except yaml.YAMLError as error:
        raise SyntaxProblem(1, 1, f"not readable as YAML: {error}".split("\n")[0]) from None
    return Document(file, text, data, builder.positions)


class _Builder:
    """Turns events into values and positions."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.positions: dict[Path, Position] = {}
        self._next: Callable[[], Any] = EventParser(text).get_event

    def document(self) -> JsonValue:
        """The one document of the stream; None when the stream holds none."""
        self._next()
        start = self._next()
        if isinstance(start, yaml.StreamEndEvent):
            return None
        if start.tags:
            raise _problem(start, "tag directives are not part of the language; remove this line")
        event = self._next()
        data = self._value(event, (), _line(event), _column(event))
        self._next()
        following = self._next()
        if not isinstance(following, yaml.StreamEndEvent):
            raise _problem(
                following, 'a file holds one workflow; remove the second document ("---")'
            )
        return data

    def _value(self, event: Any, path: Path, key_line: int, key_column: int) -> JsonValue:
        kind = type(event)
        if kind is yaml.AliasEvent:
            raise _problem(
                event, f'aliases ("*{event.anchor}") are not part of the language; repeat the value'
            )
        if event.anchor is not None:
            raise _problem(
                event, f'anchors ("&{event.anchor}") are not part of the language; remove it'
            )
        if event.tag is not None:
            raise _problem(
                event, f'tags ("{_short_tag(event.tag)}") are not part of the language; remove it'
            )
        mark = event.start_mark
        if kind is yaml.ScalarEvent:
            style = event.style or ""
            self.positions[path] = Position(
                key_line, key_column, mark.line + 1, mark.column + 1, style
            )
            return event.value if style else self._plain(event)
        self.positions[path] = Position(key_line, key_column, mark.line + 1, mark.column + 1)
        if len(path) >= MAX_DEPTH:
            raise _problem(event, f"nested deeper than {MAX_DEPTH} levels")
        if kind is yaml.MappingStartEvent:
            return self._mapping(event, path)
        return self._sequence(path)

    def _plain(self, event: Any) -> JsonValue:
        try:
            return plain_value(event.value)
        except ValueError as error:
            raise _problem(event, str(error), "number") from None

    def _sequence(self, path: Path) -> list[JsonValue]:
        items: list[JsonValue] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            line, column = _line(event), _column(event)
            items.append(self._value(event, (*path, len(items)), line, column))
        return items

    def _mapping(self, start: Any, path: Path) -> dict[str, JsonValue]:
        result: dict[str, JsonValue] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key = self._key(event, start)
            below = (*path, key)
            mark = event.start_mark
            if key in result:
                first = self.positions[below].key_line
                raise _problem(
                    event, f'duplicate key "{key}"; it is already on line {first}', "duplicate-key"
                )
            result[key] = self._value(self._next(), below, mark.line + 1, mark.column + 1)
        return result

    def _key(self, event: Any, mapping: Any) -> str:
        """The text of a key. Keys are text as written: ``on``, ``no`` and ``1`` need no quotes."""
        if type(event) is not yaml.ScalarEvent:
            if isinstance(event, yaml.AliasEvent):
                self._value(event, (), 1, 1)
            if self.text.startswith("{{", mapping.start_mark.index):
                raise _problem(
                    mapping, 'a template has to stand in quotes: "{{ … }}"', "unquoted-template"
                )
            raise _problem(event, "a key has to be text, not a mapping or list")
        if event.anchor is not None or event.tag is not None:
            self._value(event, (), 1, 1)
        key: str = event.value
        if not event.style:
            if key == "<<":
                raise _problem(
                    event, 'merge keys ("<<") are not part of the language; use "defaults"'
                )
            if key == "":
                raise _problem(event, "a key is missing here")
        return key


def _short_tag(tag: str) -> str:
    """A tag as people write it; libyaml tells the long form of ``!!``."""
    short = tag.removeprefix("tag:yaml.org,2002:")
    return tag if short == tag else f"!!{short}"


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _column(event: Any) -> int:
    return int(event.start_mark.column) + 1


def _problem(event: Any, message: str, code: str = "yaml") -> SyntaxProblem:
    return SyntaxProblem(_line(event), _column(event), message, code)
