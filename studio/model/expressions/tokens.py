"""Tokens of the expression language."""

from __future__ import annotations

import math
import re
from typing import Final, Literal

import msgspec

from studio.errors import ExpressionError
from studio.model.expressions.limits import MAX_SOURCE
from studio.model.json_value import INTEGER_MAX

TokenKind = Literal["name", "number", "text", "operator", "end"]


class Token(msgspec.Struct, frozen=True):
    """One word of an expression.

    ``value`` is the name, the number, the text without its quotes, or the operator; ``offset`` is
    where it starts in the source, in characters.
    """

    kind: TokenKind
    value: str | int | float
    offset: int


_NAME: Final = re.compile(r"[^\W\d]\w*")
# Possessive by construction: each class excludes what may follow it, so matching is linear.
_NUMBER: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_PLAIN_TEXT: Final = {'"': re.compile(r'[^"\\]*'), "'": re.compile(r"[^'\\]*")}
_SPACE: Final = frozenset(" \t\r\n")
_OPERATORS: Final = frozenset(
    ["==", "!=", "<=", ">=", "&&", "||", *"<>!+-*/%?:.,()[]{}"],
)
_ESCAPES: Final = {
    "n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f",
    "\\": "\\", "/": "/", "'": "'", '"': '"',
}  # fmt: skip
_MISTAKES: Final = {
    "=": 'a single "=" compares nothing; write "=="',
    "&": 'a single "&" is no operator; write "&&"',
    "|": 'a single "|" is no operator; write "||", and filters as functions: lower(x)',
    "$": 'names are written without "$"',
    "`": "text is quoted with ' or \"",
}


def tokenise(source: str, start: int = 0, *, template: bool = False) -> tuple[list[Token], int]:
    """Split an expression into tokens, the last of which is an ``end`` token.

    Args:
        source: the text that holds the expression.
        start: index of its first character.
        template: the expression ends at the first ``}}`` outside text and mapping literals, and
            not at the end of ``source``.

    Returns:
        The tokens, and the index after the expression (after ``}}`` in a template).

    Raises:
        ExpressionError: for a character, number or text that cannot be read, an expression of
            more than ``MAX_SOURCE`` characters, or a template that never ends.
    """
    tokens: list[Token] = []
    position, braces, size = start, 0, len(source)
    while position < size:
        if position - start > MAX_SOURCE:
            break
        character = source[position]
        if character in _SPACE:
            position += 1
            continue
        if template and not braces and source.startswith("}}", position):
            tokens.append(Token("end", "}}", position))
            return tokens, position + 2
        token, position = _next_token(source, position)
        tokens.append(token)
        if token.kind == "operator":
            braces += (token.value == "{") - (token.value == "}")
    if position - start > MAX_SOURCE:
        raise ExpressionError(f"an expression has at most {MAX_SOURCE:,} characters", start)
    if template:
        raise ExpressionError("this {{ is never closed; write }} after the expression", start - 2)
    tokens.append(Token("end", "", size))
    return tokens, size


def _next_token(source: str, position: int) -> tuple[Token, int]:
    character = source[position]
    if character in "\"'":
        return _text(source, position)
    if "0" <= character <= "9":
        return _number(source, position)
    if (match := _NAME.match(source, position)) is not None:
        return Token("name", match.group(), position), match.end()
    for width in (2, 1):
        operator = source[position : position + width]
        if operator in _OPERATORS:
            return Token("operator", operator, position), position + len(operator)
    what = _MISTAKES.get(character, f"{_shown(character)} has no meaning here")
    raise ExpressionError(what, position)


def _number(source: str, position: int) -> tuple[Token, int]:
    match = _NUMBER.match(source, position)
    assert match is not None, "called on a digit"
    end = match.end()
    if _NAME.match(source, end) is not None or source[end : end + 1].isdigit():
        raise ExpressionError("a number must not run into a name", position)
    written = match.group()
    if written.isdigit():
        # 19 digits hold 2^63 - 1; Python refuses to read integers above 4,300 digits.
        digits = written.lstrip("0") or "0"
        if len(digits) > 19 or int(digits) > INTEGER_MAX:
            raise ExpressionError("the integer does not fit into 64 bits", position)
        return Token("number", int(digits), position), end
    number = float(written)
    if not math.isfinite(number):
        raise ExpressionError("the number is too large", position)
    return Token("number", number, position), end


def _text(source: str, start: int) -> tuple[Token, int]:
    quote = source[start]
    plain, position = _PLAIN_TEXT[quote], start + 1
    pieces: list[str] = []
    while True:
        match = plain.match(source, position)
        assert match is not None, "the pattern matches the empty text"
        pieces.append(match.group())
        position = match.end()
        if position >= len(source):
            raise ExpressionError(f"the text that starts with {quote} is never closed", start)
        if source[position] == quote:
            return Token("text", "".join(pieces), start), position + 1
        piece, position = _escape(source, position)
        pieces.append(piece)


def _escape(source: str, position: int) -> tuple[str, int]:
    """Read one backslash escape, both halves of a surrogate pair included."""
    letter = source[position + 1 : position + 2]
    if letter in _ESCAPES:
        return _ESCAPES[letter], position + 2
    if letter != "u":
        raise ExpressionError(
            f"unknown escape \\{letter}; use \\n \\t \\r \\b \\f \\\\ \\' \\\" or \\u and four digits",
            position,
        )
    code = _code_unit(source, position)
    end = position + 6
    if 0xD800 <= code <= 0xDBFF and source.startswith("\\u", end):
        low = _code_unit(source, end)
        if 0xDC00 <= low <= 0xDFFF:
            return chr(0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)), end + 6
    if 0xD800 <= code <= 0xDFFF:
        raise ExpressionError("half of a surrogate pair is not a character", position)
    return chr(code), end


def _code_unit(source: str, position: int) -> int:
    digits = source[position + 2 : position + 6]
    if len(digits) != 4 or any(digit not in "0123456789abcdefABCDEF" for digit in digits):
        raise ExpressionError("\\u is followed by four hexadecimal digits", position)
    return int(digits, 16)


def _shown(character: str) -> str:
    if character.isprintable():
        return f'"{character}"'
    return f"the character U+{ord(character):04X}"
