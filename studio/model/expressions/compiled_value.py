"""Whole structures with templates in their texts, such as a node's ``with:``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeAlias

from studio.errors import ExpressionError
from studio.model.expressions.frame import Frame, Scope
from studio.model.expressions.limits import MAX_VALUE_DEPTH
from studio.model.expressions.parsing import OPENING, parse_template
from studio.model.expressions.secret_slots import Path, Rendered, SecretSlot
from studio.model.json_value import JsonValue

if TYPE_CHECKING:
    from studio.model.expressions.syntax import Reference
    from studio.model.expressions.template import Template

Renderer: TypeAlias = Callable[[Frame, list[SecretSlot]], JsonValue]


class CompiledValue:
    """A structure whose texts are templates. Immutable. Made by :func:`compile_value`."""

    __slots__ = ("_render", "is_constant", "places", "references", "source")

    source: Final[JsonValue]
    places: Final[tuple[tuple[Path, Reference], ...]]
    references: Final[frozenset[Reference]]
    is_constant: Final[bool]

    def __init__(
        self,
        source: JsonValue,
        places: tuple[tuple[Path, Reference], ...],
        render: Renderer | None,
    ) -> None:
        self.source = source
        self.places = places
        self.references = frozenset(reference for _, reference in places)
        self.is_constant = render is None
        self._render = render

    def render(self, scope: Scope) -> Rendered:
        """Return the structure with its templates rendered, and the places of its secrets.

        Args:
            scope: root name to value; read and never changed. The result may share parts with it
                and with the source, so change none of them.

        Raises:
            ExpressionError: with ``path`` inside the structure and the offset into that text.
        """
        if self._render is None:
            return Rendered(self.source)
        slots: list[SecretSlot] = []
        value = self._render(Frame(scope), slots)
        return Rendered(value, tuple(slots))

    def __repr__(self) -> str:
        return f"CompiledValue({self.source!r})"

    def __reduce__(self) -> tuple[object, ...]:
        return compile_value, (self.source,)


def compile_value(value: JsonValue) -> CompiledValue:
    """Parse the templates in a structure's texts; keys are taken as they are.

    Args:
        value: the structure. It is kept, so do not change it afterwards.

    Raises:
        ExpressionError: with ``path`` inside the structure and the offset into that text.
    """
    places: list[tuple[Path, Reference]] = []
    render = _compile(value, (), places)
    return CompiledValue(value, tuple(places), render)


def _compile(value: JsonValue, path: Path, places: list[tuple[Path, Reference]]) -> Renderer | None:
    """Return what renders a value, or ``None`` when there is nothing to render in it."""
    if isinstance(value, str):
        return _compile_text(value, path, places) if OPENING in value else None
    if not isinstance(value, dict | list):
        return None
    if len(path) >= MAX_VALUE_DEPTH:
        raise ExpressionError(f"nested more than {MAX_VALUE_DEPTH} deep", 0, path)
    if isinstance(value, list):
        items = [_compile(item, (*path, index), places) for index, item in enumerate(value)]
        return _list_renderer(value, items) if any(items) else None
    entries = {key: _compile(item, (*path, key), places) for key, item in value.items()}
    return _mapping_renderer(value, entries) if any(entries.values()) else None


def _compile_text(source: str, path: Path, places: list[tuple[Path, Reference]]) -> Renderer:
    try:
        template = parse_template(source)
    except ExpressionError as error:
        raise ExpressionError(error.message, error.offset, path) from None
    places.extend((path, reference) for reference in sorted(template.references, key=_offset))
    return _text_renderer(template, path)


def _offset(reference: Reference) -> int:
    return reference.offset


def _text_renderer(template: Template, path: Path) -> Renderer:
    def render(frame: Frame, slots: list[SecretSlot]) -> JsonValue:
        try:
            return template.render_in(frame, path, slots)
        except ExpressionError as error:
            raise ExpressionError(error.message, error.offset, path) from None

    return render


def _list_renderer(source: list[JsonValue], items: list[Renderer | None]) -> Renderer:
    changing = [(index, render) for index, render in enumerate(items) if render is not None]

    def render_list(frame: Frame, slots: list[SecretSlot]) -> JsonValue:
        rendered = source.copy()
        for index, render in changing:
            rendered[index] = render(frame, slots)
        return rendered

    return render_list


def _mapping_renderer(
    source: dict[str, JsonValue], entries: dict[str, Renderer | None]
) -> Renderer:
    changing = [(key, render) for key, render in entries.items() if render is not None]

    def render_mapping(frame: Frame, slots: list[SecretSlot]) -> JsonValue:
        rendered = source.copy()
        for key, render in changing:
            rendered[key] = render(frame, slots)
        return rendered

    return render_mapping
