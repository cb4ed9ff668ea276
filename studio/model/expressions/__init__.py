"""The expression and template language: pure, bounded in size and time, over JSON values only.

An expression is text like ``nodes.charge.output.status == "success" && params.amount > 100``;
a template is text with ``{{ expression }}`` in it. Both are parsed once, into closures, and
evaluated against a scope. The language is described in ``docs/reference/expressions.md``.
"""

from studio.model.expressions.compiled_value import CompiledValue, compile_value
from studio.model.expressions.expression import Expression, parse_expression
from studio.model.expressions.frame import Scope
from studio.model.expressions.secret_slots import Rendered, SecretSlot, insert_secrets
from studio.model.expressions.syntax import Reference
from studio.model.expressions.template import Template, parse_template

__all__ = [
    "CompiledValue",
    "Expression",
    "Reference",
    "Rendered",
    "Scope",
    "SecretSlot",
    "Template",
    "compile_value",
    "insert_secrets",
    "parse_expression",
    "parse_template",
]
