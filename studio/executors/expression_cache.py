"""Parsed expressions of inline kinds: a node of a large foreach parses its expressions once."""

from __future__ import annotations

from functools import lru_cache

from studio.model.expressions.expression import Expression
from studio.model.expressions.parsing import parse_expression


@lru_cache(maxsize=1024)
def parsed(source: str) -> Expression:
    """Parse an expression. Raises `ExpressionError`."""
    return parse_expression(source)
