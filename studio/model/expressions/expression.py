"""Expressions: parsed once, evaluated many times."""

from __future__ import annotations

from typing import Final

from studio.model.expressions.compiler import Evaluator, builds_values, compile_syntax
from studio.model.expressions.frame import Frame, Scope
from studio.model.expressions.parser import Parser
from studio.model.expressions.syntax import Reference, Syntax
from studio.model.expressions.tokens import Token, tokenise
from studio.model.expressions.values import PLAIN_TYPES, charge_contents, plain
from studio.model.json_value import JsonValue


class Expression:
    """A parsed expression. Immutable; equal to, and hashed as, any other of the same source.

    Made by `parse_expression`.
    """

    __slots__ = ("_builds", "_evaluator", "_offset", "references", "source")

    source: Final[str]
    references: Final[frozenset[Reference]]

    def __init__(self, source: str, references: frozenset[Reference], tree: Syntax) -> None:
        self.source = source
        self.references = references
        self._evaluator: Evaluator = compile_syntax(tree)
        self._builds = builds_values(tree)
        self._offset = tree.offset

    def evaluate(self, scope: Scope) -> JsonValue:
        """Return the value in a scope.

        Args:
            scope: root name to value. It is read and never changed; the result may share parts
                with it, so change neither.

        Raises:
            ExpressionError: with the offset into ``source``, when the values do not fit or a
                limit is reached.
        """
        frame = Frame(scope)
        return self.evaluate_in(frame)

    def evaluate_in(self, frame: Frame) -> JsonValue:
        """Return the value within a larger rendering, whose budget of steps it shares."""
        value: JsonValue = self._evaluator(frame)
        if type(value) not in PLAIN_TYPES:
            value = plain(value, frame, self._offset)
        if self._builds and isinstance(value, list | dict):
            charge_contents(value, frame, self._offset)
        return value

    def truth(self, scope: Scope) -> bool:
        """Tell whether the value counts as true: all but null, false, 0, ``""``, ``[]``, ``{}``.

        Raises:
            ExpressionError: as :meth:`evaluate`.
        """
        return bool(self._evaluator(Frame(scope)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and self.source == other.source

    def __hash__(self) -> int:
        return hash((Expression, self.source))

    def __repr__(self) -> str:
        return f"Expression({self.source!r})"

    def __reduce__(self) -> tuple[object, ...]:
        return expression_from, (self.source,)


def expression_from(source: str) -> Expression:
    """What `parse_expression` returns."""
    tokens, _ = tokenise(source)
    return expression_of(source, tokens)


def expression_of(source: str, tokens: list[Token]) -> Expression:
    """Build an expression from its tokens, whose offsets point into a larger text if need be."""
    parser = Parser(tokens)
    tree = parser.parse()
    return Expression(source, frozenset(parser.references), tree)
