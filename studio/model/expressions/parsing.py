"""From a text to what evaluates it. Parser and evaluator are loaded with the first text that needs them.

Many workflows hold few expressions or none, and a screen or a list of runs evaluates nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from studio.model.expressions.expression import Expression
    from studio.model.expressions.template import Template

OPENING: Final = "{{"


def parse_expression(source: str) -> Expression:
    """Parse an expression.

    Args:
        source: the text, without ``{{ }}``.

    Raises:
        ExpressionError: with the offset into ``source``, when it is no expression.
    """
    from studio.model.expressions.expression import expression_from  # lazy: see above

    return expression_from(source)


def parse_template(source: str) -> Template:
    """Parse a text that may hold templates. A literal ``{{`` is written ``{{ "{{" }}``.

    Args:
        source: the text.

    Raises:
        ExpressionError: with the offset into ``source``.
    """
    from studio.model.expressions.template import template_from  # lazy: see above

    return template_from(source)
