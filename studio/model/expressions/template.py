"""Templates: text with ``{{ expression }}`` in it."""

from __future__ import annotations

from typing import Final, TypeAlias

from studio.errors import ExpressionError
from studio.model.expressions.expression import Expression, expression_of
from studio.model.expressions.frame import Frame, Scope
from studio.model.expressions.parsing import OPENING
from studio.model.expressions.secret_slots import Path, Rendered, SecretSlot
from studio.model.expressions.syntax import Reference
from studio.model.expressions.tokens import Token, tokenise
from studio.model.expressions.values import text_of
from studio.model.json_value import JsonValue


class SecretPart:
    """``{{ secrets.NAME }}`` inside a template."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


Part: TypeAlias = "str | SecretPart | tuple[Expression, int]"
"""Literal text, a secret, or an expression with its offset."""


class Template:
    """A parsed template. Immutable; equal to, and hashed as, any other of the same source.

    Made by `parse_template`.
    """

    __slots__ = ("_parts", "is_constant", "references", "source")

    source: Final[str]
    references: Final[frozenset[Reference]]
    is_constant: Final[bool]

    def __init__(
        self, source: str, parts: tuple[Part, ...], references: frozenset[Reference]
    ) -> None:
        self.source = source
        self.references = references
        self.is_constant = all(isinstance(part, str) for part in parts)
        self._parts = parts

    def render(self, scope: Scope) -> JsonValue:
        """Return the value in a scope, without its secrets.

        A source that is exactly one template keeps the value's type. Otherwise the result is
        text: null is empty, booleans are ``true`` and ``false``, lists and mappings compact JSON.

        Raises:
            ExpressionError: with the offset into ``source``.
        """
        return self.render_in(Frame(scope), (), [])

    def render_parts(self, scope: Scope) -> Rendered:
        """Return the value and the places of its secrets, whose paths are empty.

        Raises:
            ExpressionError: with the offset into ``source``.
        """
        slots: list[SecretSlot] = []
        value = self.render_in(Frame(scope), (), slots)
        return Rendered(value, tuple(slots))

    def render_in(self, frame: Frame, path: Path, slots: list[SecretSlot]) -> JsonValue:
        """Render within a larger structure.

        Args:
            frame: the rendering, whose budget of steps is shared.
            path: where the template stands in the structure.
            slots: gets the secrets' places.
        """
        if len(self._parts) == 1 and isinstance(self._parts[0], tuple):
            return self._parts[0][0].evaluate_in(frame)
        length = 0
        texts: list[str] = []
        for part in self._parts:
            if isinstance(part, str):
                text = part
            elif isinstance(part, SecretPart):
                slots.append(SecretSlot(path, length, part.name))
                continue
            else:
                expression, offset = part
                text = text_of(expression.evaluate_in(frame), frame, offset)
                frame.charge_text(length + len(text), offset)
            texts.append(text)
            length += len(text)
        return "".join(texts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Template) and self.source == other.source

    def __hash__(self) -> int:
        return hash((Template, self.source))

    def __repr__(self) -> str:
        return f"Template({self.source!r})"

    def __reduce__(self) -> tuple[object, ...]:
        return template_from, (self.source,)


def template_from(source: str) -> Template:
    """What `parse_template` returns."""
    parts: list[Part] = []
    references: set[Reference] = set()
    position = 0
    while (opening := source.find(OPENING, position)) >= 0:
        if opening > position:
            parts.append(source[position:opening])
        tokens, position = tokenise(source, opening + 2, template=True)
        secret = _secret_name(tokens)
        if secret is not None:
            parts.append(SecretPart(secret))
            references.add(Reference("secrets", secret, tokens[0].offset))
        else:
            written = source[opening + 2 : position - 2].strip()
            expression = expression_of(written, tokens)
            parts.append((expression, opening))
            references |= expression.references
    if position < len(source):
        parts.append(source[position:])
    return Template(source, tuple(parts), frozenset(references))


def _secret_name(tokens: list[Token]) -> str | None:
    """Return NAME of ``secrets.NAME`` or ``secrets["NAME"]`` when the template is nothing else."""
    words = [(token.kind, token.value) for token in tokens]
    if not words or words[0] != ("name", "secrets"):
        return None
    if len(words) == 4 and words[1] == ("operator", ".") and words[2][0] == "name":
        return str(words[2][1])
    if (
        len(words) == 5
        and (words[1], words[3]) == (("operator", "["), ("operator", "]"))
        and words[2][0] == "text"
    ):
        return str(words[2][1])
    if len(words) <= 3:
        raise ExpressionError("name the secret, as in {{ secrets.NAME }}", tokens[0].offset)
    return None
