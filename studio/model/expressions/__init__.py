"""The expression and template language: pure, bounded in size and time, over JSON values only.

An expression is text like ``nodes.charge.output.status == "success" && params.amount > 100``;
a template is text with ``{{ expression }}`` in it. Both are parsed once, into closures, and
evaluated against a scope. The language is described in ``docs/reference/expressions.md``.

The classes of what is parsed (`expression.Expression`, `template.Template`, `syntax.Reference`) are not named here:
they come with the parser, which is loaded when the first expression is met (`parsing`).
"""

from studio.model.expressions.compiled_value import CompiledValue, compile_value
from studio.model.expressions.frame import Scope
from studio.model.expressions.parsing import parse_expression, parse_template
from studio.model.expressions.secret_slots import Rendered, SecretSlot, insert_secrets

__all__ = [
    "CompiledValue",
    "Rendered",
    "Scope",
    "SecretSlot",
    "compile_value",
    "insert_secrets",
    "parse_expression",
    "parse_template",
]
