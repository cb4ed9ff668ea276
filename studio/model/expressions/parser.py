"""Parser: tokens to syntax tree, by precedence climbing.

From loosest to tightest: ``?:``, ``||``, ``&&``, ``not``, comparisons, ``+ -``, ``* / %``,
``! -``, then property access and calls.
"""

from __future__ import annotations

from typing import Final

from studio.errors import ExpressionError
from studio.model.expressions.functions import SIGNATURES
from studio.model.expressions.limits import MAX_DEPTH
from studio.model.expressions.suggestions import did_you_mean
from studio.model.expressions.syntax import (
    NODE_FIELDS,
    ROOTS,
    RUN_FIELDS,
    Access,
    Arithmetic,
    Call,
    Comparison,
    Conditional,
    Index,
    Key,
    ListLiteral,
    Literal,
    Logic,
    MappingLiteral,
    Name,
    Reference,
    Syntax,
    Unary,
)
from studio.model.expressions.tokens import Token

_ANY, _OR, _AND, _NOT, _COMPARE, _ADD, _MULTIPLY, _UNARY = range(8)
_RANKS: Final = {
    "?": _ANY, "||": _OR, "&&": _AND,
    "==": _COMPARE, "!=": _COMPARE, "<": _COMPARE, "<=": _COMPARE, ">": _COMPARE, ">=": _COMPARE,
    "in": _COMPARE, "not in": _COMPARE,
    "+": _ADD, "-": _ADD, "*": _MULTIPLY, "/": _MULTIPLY, "%": _MULTIPLY,
}  # fmt: skip
_WORDS: Final = {"and": "&&", "or": "||", "in": "in"}
_CONSTANTS: Final[dict[str, bool | None]] = {"true": True, "false": False, "null": None}
_FOREIGN: Final = {
    "True": "true", "TRUE": "true", "False": "false", "FALSE": "false",
    "None": "null", "nil": "null", "undefined": "null", "NULL": "null",
}  # fmt: skip

SECRET_ALONE: Final = (
    'a secret stands alone in a template of "with" or "env", as in {{ secrets.NAME }}; '
    "it cannot be part of an expression"
)


class Parser:
    """Reads the tokens of one expression.

    Args:
        tokens: the tokens, the last of kind ``end``.
    """

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._position = 0
        self._depth = 0
        self.references: list[Reference] = []

    def parse(self) -> Syntax:
        """Read the whole expression; what it reads is then in ``references``.

        Raises:
            ExpressionError: when the tokens are no expression, or name something unknown.
        """
        if self._token.kind == "end":
            raise ExpressionError("the expression is empty", self._token.offset)
        tree = self._expression(_ANY)
        token = self._token
        if token.kind != "end":
            raise ExpressionError(self._surplus(tree, token), token.offset)
        return tree

    # Tokens

    @property
    def _token(self) -> Token:
        return self._tokens[self._position]

    def _advance(self) -> Token:
        token = self._tokens[self._position]
        self._position += 1
        return token

    def _at(self, operator: str) -> bool:
        token = self._tokens[self._position]
        return token.kind == "operator" and token.value == operator

    def _take(self, operator: str) -> bool:
        if self._at(operator):
            self._position += 1
            return True
        return False

    def _expect(self, operator: str, opened: Token, what: str) -> None:
        if not self._take(operator):
            token = self._token
            raise ExpressionError(
                f'expected "{operator}" to end {what} begun at column {opened.offset + 1}, '
                f"found {_describe(token)}",
                token.offset,
            )

    # Operators

    def _infix(self) -> str | None:
        """Return the infix operator that comes next, without taking it."""
        token = self._token
        value = str(token.value)
        if token.kind == "operator":
            return value if value in _RANKS else None
        if token.kind != "name":
            return None
        if value == "not":
            after = self._tokens[self._position + 1]
            return "not in" if after.kind == "name" and after.value == "in" else None
        return _WORDS.get(value)

    def _expression(self, rank: int) -> Syntax:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ExpressionError(f"nested more than {MAX_DEPTH} deep", self._token.offset)
        tree = self._negation() if self._is_not() and rank <= _NOT else self._unary()
        while (operator := self._infix()) is not None and _RANKS[operator] >= rank:
            tree = self._continue(tree, operator)
        self._depth -= 1
        return tree

    def _is_not(self) -> bool:
        return self._token.kind == "name" and self._token.value == "not"

    def _negation(self) -> Syntax:
        token = self._advance()
        return Unary("!", self._expression(_NOT), token.offset)

    def _continue(self, left: Syntax, operator: str) -> Syntax:
        level = _RANKS[operator]
        if level == _ANY:
            return self._conditional(left)
        if level in (_OR, _AND):
            return self._logic(left, operator)
        if level == _COMPARE:
            return self._comparison(left, operator)
        return self._arithmetic(left, level)

    def _conditional(self, condition: Syntax) -> Syntax:
        opened = self._advance()
        chosen = self._expression(_ANY)
        self._expect(":", opened, 'the choice "? :"')
        return Conditional(condition, chosen, self._expression(_ANY), opened.offset)

    def _logic(self, left: Syntax, operator: str) -> Syntax:
        operands, offset = [left], self._token.offset
        while self._infix() == operator:
            self._advance()
            operands.append(self._expression(_RANKS[operator] + 1))
        return Logic(operator, tuple(operands), offset)

    def _comparison(self, left: Syntax, operator: str) -> Syntax:
        token = self._advance()
        if operator == "not in":
            self._advance()
        tree = Comparison(operator, left, self._expression(_ADD), token.offset)
        following = self._infix()
        if following is not None and _RANKS[following] == _COMPARE:
            raise ExpressionError(
                "comparisons do not chain; join two with && as in a < b && b < c",
                self._token.offset,
            )
        return tree

    def _arithmetic(self, first: Syntax, level: int) -> Syntax:
        rest: list[tuple[str, int, Syntax]] = []
        offset = self._token.offset
        while (operator := self._infix()) is not None and _RANKS[operator] == level:
            token = self._advance()
            rest.append((operator, token.offset, self._expression(level + 1)))
        return Arithmetic(first, tuple(rest), offset)

    def _unary(self) -> Syntax:
        token = self._token
        if token.kind == "operator" and token.value in ("!", "-"):
            self._advance()
            return Unary(str(token.value), self._expression(_UNARY), token.offset)
        return self._postfix()

    # Values

    def _postfix(self) -> Syntax:
        start = self._position
        base = self._primary()
        links: list[Key | Index] = []
        while True:
            token = self._token
            if self._take("."):
                links.append(self._property())
            elif self._take("["):
                value = self._expression(_ANY)
                self._expect("]", token, "the index")
                if isinstance(value, Literal) and isinstance(value.value, str):
                    links.append(Key(value.value, value.offset))
                else:
                    links.append(Index(value, token.offset))
            elif self._at("("):
                raise ExpressionError(
                    "only functions can be called, and there are no methods; "
                    "write lower(x), not x.lower()",
                    token.offset,
                )
            else:
                break
        if isinstance(base, Name):
            self._refer(base, links)
        offset = self._tokens[start].offset
        return Access(base, tuple(links), offset) if links else base

    def _property(self) -> Key:
        token = self._advance()
        if token.kind == "name":
            return Key(str(token.value), token.offset)
        hint = "; write [0] for an element" if token.kind == "number" else ""
        raise ExpressionError(
            f'expected a property name after ".", found {_describe(token)}{hint}', token.offset
        )

    def _primary(self) -> Syntax:
        token = self._advance()
        if token.kind in ("number", "text"):
            return Literal(token.value, token.offset)
        if token.kind == "name":
            return self._named(token)
        if token.value == "(":
            tree = self._expression(_ANY)
            self._expect(")", token, "the parenthesis")
            return tree
        if token.value == "[":
            return ListLiteral(tuple(self._sequence("]", token, "the list")), token.offset)
        if token.value == "{":
            return self._mapping(token)
        raise ExpressionError(f"expected a value, found {_describe(token)}", token.offset)

    def _named(self, token: Token) -> Syntax:
        name = str(token.value)
        if name in _CONSTANTS:
            return Literal(_CONSTANTS[name], token.offset)
        if self._at("("):
            return self._call(name, token)
        if name == "secrets":
            raise ExpressionError(SECRET_ALONE, token.offset)
        if name in ROOTS:
            return Name(name, token.offset)
        if name in SIGNATURES:
            raise ExpressionError(f"{name} is a function; write {name}(…)", token.offset)
        if name in _WORDS or name == "not":
            raise ExpressionError(f"expected a value, found {_describe(token)}", token.offset)
        hint = self._hyphen_hint(name)
        if name in _FOREIGN:
            hint = f'; did you mean "{_FOREIGN[name]}"?'
        elif not hint:
            hint = did_you_mean(name, (*ROOTS, *SIGNATURES, *_CONSTANTS))
        raise ExpressionError(f'unknown name "{_cut(name)}"{hint}', token.offset)

    def _hyphen_hint(self, name: str) -> str:
        """Explain ``nodes.a-b``, which subtracts ``b`` from the node ``a``."""
        before = [str(token.value) for token in self._tokens[: self._position - 1]][-4:]
        if len(before) == 4 and before[:2] == ["nodes", "."] and before[3] == "-":
            return f'; ids with a hyphen are written nodes["{_cut(before[2])}-{_cut(name)}"]'
        return ""

    def _call(self, name: str, token: Token) -> Syntax:
        signature = SIGNATURES.get(name)
        if signature is None:
            raise ExpressionError(
                f'unknown function "{_cut(name)}"{did_you_mean(name, SIGNATURES)}', token.offset
            )
        opened = self._advance()
        arguments = tuple(self._sequence(")", opened, f"the arguments of {name}"))
        least, most = signature
        if len(arguments) < least or (most is not None and len(arguments) > most):
            raise ExpressionError(
                f"{name}() takes {_count(least, most)}, not {len(arguments)}", token.offset
            )
        return Call(name, arguments, token.offset)

    def _sequence(self, closing: str, opened: Token, what: str) -> list[Syntax]:
        """Read expressions separated by commas; one comma before the end is allowed."""
        items: list[Syntax] = []
        while not self._take(closing):
            items.append(self._expression(_ANY))
            if not self._take(","):
                self._expect(closing, opened, what)
                break
        return items

    def _mapping(self, opened: Token) -> Syntax:
        entries: dict[str, Syntax] = {}
        while not self._take("}"):
            token = self._advance()
            if token.kind not in ("name", "text"):
                raise ExpressionError(
                    f"a mapping's key is a name or quoted text, not {_describe(token)}",
                    token.offset,
                )
            key = str(token.value)
            if key in entries:
                raise ExpressionError(f'the key "{_cut(key)}" stands twice', token.offset)
            self._expect(":", token, f'the key "{_cut(key)}"')
            entries[key] = self._expression(_ANY)
            if not self._take(","):
                self._expect("}", opened, "the mapping")
                break
        return MappingLiteral(tuple(entries.items()), opened.offset)

    # Names

    def _refer(self, base: Name, links: list[Key | Index]) -> None:
        first = links[0] if links else None
        second = links[1] if len(links) > 1 else None
        key = first.name if isinstance(first, Key) else None
        field = None
        if base.root == "nodes" and isinstance(second, Key):
            field = second.name
            _require(field, NODE_FIELDS, "a node", second.offset)
        if base.root == "run" and isinstance(first, Key):
            _require(first.name, RUN_FIELDS, "run", first.offset)
        self.references.append(Reference(base.root, key, base.offset, field))

    def _surplus(self, tree: Syntax, token: Token) -> str:
        if token.kind == "operator" and token.value in (")", "]", "}"):
            return f'"{token.value}" closes nothing'
        if token.kind == "operator" and token.value == ":":
            return '":" without "?"'
        return f"expected an operator or the end, found {_describe(token)}"


def _require(name: str, known: tuple[str, ...], owner: str, offset: int) -> None:
    if name not in known:
        raise ExpressionError(
            f'{owner} has no "{_cut(name)}", only {", ".join(known)}{did_you_mean(name, known)}',
            offset,
        )


def _describe(token: Token) -> str:
    if token.kind == "end":
        return "the end"
    if token.kind == "text":
        return "text"
    return f'"{_cut(str(token.value))}"'


def _cut(name: str) -> str:
    return name if len(name) <= 60 else name[:60] + "…"


def _count(least: int, most: int | None) -> str:
    if most is None:
        return f"at least {least} argument{'' if least == 1 else 's'}"
    if least == most:
        return f"{least} argument{'' if least == 1 else 's'}"
    return f"{least} or {most} arguments" if most == least + 1 else f"{least} to {most} arguments"
