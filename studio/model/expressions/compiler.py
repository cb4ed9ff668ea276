"""Compiler: syntax tree to closures.

Each node becomes one Python function of the frame, so evaluating costs calls and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from studio.errors import ExpressionError
from studio.model.expressions.frame import Frame
from studio.model.expressions.functions import DEFAULT, FUNCTIONS
from studio.model.expressions.operators import (
    arithmetic,
    contained,
    element_of,
    negated,
    ordered,
    property_of,
    required_property,
)
from studio.model.expressions.syntax import (
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
    Syntax,
    Unary,
)
from studio.model.expressions.values import Value, plain, same

Evaluator: TypeAlias = Callable[[Frame], Value]

STRICT_ROOTS: Final = frozenset(["params", "nodes", "run"])
"""Roots whose names are declared somewhere, so that a missing one is a mistake and not null."""


def compile_syntax(tree: Syntax) -> Evaluator:
    """Turn a syntax tree into a function that evaluates it.

    Args:
        tree: the tree; its depth is bounded by the parser.
    """
    match tree:
        case Literal():
            return _literal(tree)
        case Name():
            return _name(tree)
        case Access():
            return _access(tree)
        case Comparison():
            return _comparison(tree)
        case Logic():
            return _logic(tree)
        case Arithmetic():
            return _arithmetic(tree)
        case Unary():
            return _unary(tree)
        case Conditional():
            return _conditional(tree)
        case Call():
            return _call(tree)
        case ListLiteral():
            return _list(tree)
        case MappingLiteral():
            return _mapping(tree)


def builds_values(tree: Syntax) -> bool:
    """Tell whether an expression may build a list or mapping, and not only select from data."""
    match tree:
        case Name() | Literal():
            return False
        case Access():
            return builds_values(tree.base)
        case Conditional():
            return builds_values(tree.chosen) or builds_values(tree.otherwise)
        case Call() if tree.function == DEFAULT:
            return any(builds_values(argument) for argument in tree.arguments)
        case _:
            return True


def _literal(tree: Literal) -> Evaluator:
    value = tree.value
    return lambda frame: value


def _name(tree: Name) -> Evaluator:
    root, offset = tree.root, tree.offset

    def read(frame: Frame) -> Value:
        try:
            return frame.scope[root]
        except KeyError:
            raise _unavailable(root, frame, offset) from None

    return read


def _unavailable(root: str, frame: Frame, offset: int) -> ExpressionError:
    there = ", ".join(sorted(str(name) for name in frame.scope)) or "nothing"
    return ExpressionError(f'"{root}" has no value here; there is {there}', offset)


def _access(tree: Access) -> Evaluator:
    base, links = tree.base, tree.links
    first = links[0]
    if isinstance(base, Name) and isinstance(first, Key):
        read = _first_property(base, first)
        links = links[1:]
    else:
        read = compile_syntax(base)
    if not links:
        return read
    keys = tuple((link.name, link.offset) for link in links if isinstance(link, Key))
    return _properties(read, keys) if len(keys) == len(links) else _parts(read, links)


def _first_property(base: Name, key: Key) -> Evaluator:
    root, root_offset, name, offset = base.root, base.offset, key.name, key.offset
    strict = root in STRICT_ROOTS

    def read(frame: Frame) -> Value:
        try:
            value = frame.scope[root]
        except KeyError:
            raise _unavailable(root, frame, root_offset) from None
        if strict:
            return required_property(root, value, name, offset)
        return property_of(value, name, offset)

    return read


def _properties(read: Evaluator, keys: tuple[tuple[str, int], ...]) -> Evaluator:
    if len(keys) == 1:
        ((only, at),) = keys
        return lambda frame: property_of(read(frame), only, at)

    def follow(frame: Frame) -> Value:
        value = read(frame)
        for name, offset in keys:
            value = property_of(value, name, offset)
        return value

    return follow


def _parts(read: Evaluator, links: tuple[Key | Index, ...]) -> Evaluator:
    """Follow keys and indexes in a loop: a chain of any length is no deeper than one link."""
    steps = tuple(
        (link.name, None, link.offset)
        if isinstance(link, Key)
        else ("", compile_syntax(link.value), link.offset)
        for link in links
    )

    def follow(frame: Frame) -> Value:
        value = read(frame)
        for name, index, offset in steps:
            if index is None:
                value = property_of(value, name, offset)
            else:
                value = element_of(value, index(frame), offset)
        return value

    return follow


def _comparison(tree: Comparison) -> Evaluator:
    left, right = compile_syntax(tree.left), compile_syntax(tree.right)
    sign, offset = tree.operator, tree.offset
    if sign == "==":
        return lambda frame: same(left(frame), right(frame), frame, offset)
    if sign == "!=":
        return lambda frame: not same(left(frame), right(frame), frame, offset)
    if sign == "in":
        return lambda frame: contained(left(frame), right(frame), frame, offset)
    if sign == "not in":
        return lambda frame: not contained(left(frame), right(frame), frame, offset)
    return lambda frame: ordered(sign, left(frame), right(frame), frame, offset)


def _logic(tree: Logic) -> Evaluator:
    operands = tuple(compile_syntax(operand) for operand in tree.operands)
    decisive = tree.operator == "||"

    def decide(frame: Frame) -> bool:
        for operand in operands:  # a generator expression would double the cost
            if bool(operand(frame)) is decisive:
                return decisive
        return not decisive

    return decide


def _arithmetic(tree: Arithmetic) -> Evaluator:
    first = compile_syntax(tree.first)
    rest = tuple((sign, offset, compile_syntax(operand)) for sign, offset, operand in tree.rest)

    def compute(frame: Frame) -> Value:
        value = first(frame)
        for sign, offset, operand in rest:
            value = arithmetic(sign, value, operand(frame), frame, offset)
        return value

    return compute


def _unary(tree: Unary) -> Evaluator:
    operand, offset = compile_syntax(tree.operand), tree.offset
    if tree.operator == "!":
        return lambda frame: not operand(frame)
    return lambda frame: negated(operand(frame), offset)


def _conditional(tree: Conditional) -> Evaluator:
    condition = compile_syntax(tree.condition)
    chosen, otherwise = compile_syntax(tree.chosen), compile_syntax(tree.otherwise)
    return lambda frame: chosen(frame) if condition(frame) else otherwise(frame)


def _call(tree: Call) -> Evaluator:
    arguments = [compile_syntax(argument) for argument in tree.arguments]
    offset = tree.offset
    if tree.function == DEFAULT:
        value, fallback = arguments

        def default(frame: Frame) -> Value:
            found = value(frame)
            return fallback(frame) if found is None else found

        return default
    function = FUNCTIONS[tree.function]
    if len(arguments) == 1:
        (argument,) = arguments
        return lambda frame: function(frame, offset, [argument(frame)])
    return lambda frame: function(frame, offset, [argument(frame) for argument in arguments])


def _list(tree: ListLiteral) -> Evaluator:
    items, offset = tuple(compile_syntax(item) for item in tree.items), tree.offset
    return lambda frame: [plain(item(frame), frame, offset) for item in items]


def _mapping(tree: MappingLiteral) -> Evaluator:
    entries = tuple((key, compile_syntax(value)) for key, value in tree.entries)
    offset = tree.offset
    return lambda frame: {key: plain(value(frame), frame, offset) for key, value in entries}
