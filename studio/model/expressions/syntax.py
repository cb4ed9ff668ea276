"""The syntax tree of an expression, and what it reads.

Chains of operators and of property accesses are one node each, not a node per link: depth then
measures nesting as a person sees it, and evaluation loops where it would recurse. Nodes are named tuples,
since creating a dozen dataclasses would take a third of the time to import the language.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import msgspec

ROOTS: Final = (
    "params", "nodes", "output", "input", "error", "cause", "failed", "steps", "item", "index",
    "event", "run", "env", "secrets",
)  # fmt: skip
"""Names an expression may start from; which of them have a value depends on the place."""

NODE_FIELDS: Final = ("output", "state", "error", "attempts")
RUN_FIELDS: Final = ("id", "started_at")


class Reference(msgspec.Struct, frozen=True):
    """Something an expression reads, known without evaluating it.

    Args:
        root: the name it starts from, one of ``ROOTS``.
        key: the property read of it, such as the parameter's name or the node's id; ``None`` when
            it is computed (``nodes[x]``) or the root is read as a whole.
        offset: where the reference starts in the source, in characters.
        field: for ``nodes``, which of the node's fields is read, else ``None``.
    """

    root: str
    key: str | None
    offset: int
    field: str | None = None


class Literal(msgspec.Struct, frozen=True):
    """A number, text, true, false or null."""

    value: str | int | float | bool | None
    offset: int


class ListLiteral(msgspec.Struct, frozen=True):
    """``[a, b]``"""

    items: tuple[Syntax, ...]
    offset: int


class MappingLiteral(msgspec.Struct, frozen=True):
    """``{a: 1, "b": 2}``"""

    entries: tuple[tuple[str, Syntax], ...]
    offset: int


class Name(msgspec.Struct, frozen=True):
    """One of ``ROOTS``."""

    root: str
    offset: int


class Key(msgspec.Struct, frozen=True):
    """One link of an access: ``.name`` or ``["name"]``."""

    name: str
    offset: int


class Index(msgspec.Struct, frozen=True):
    """One link of an access: ``[expression]``."""

    value: Syntax
    offset: int


class Access(msgspec.Struct, frozen=True):
    """A value and the links followed from it."""

    base: Syntax
    links: tuple[Key | Index, ...]
    offset: int


class Unary(msgspec.Struct, frozen=True):
    """``-x``, or ``!x`` and ``not x`` (both as ``!``)."""

    operator: str
    operand: Syntax
    offset: int


class Logic(msgspec.Struct, frozen=True):
    """Operands joined by ``&&`` or by ``||``."""

    operator: str
    operands: tuple[Syntax, ...]
    offset: int


class Comparison(msgspec.Struct, frozen=True):
    """Two operands and one of ``== != < <= > >= in``, or ``not in``."""

    operator: str
    left: Syntax
    right: Syntax
    offset: int


class Arithmetic(msgspec.Struct, frozen=True):
    """A first operand, then operators of equal rank with their offsets and operands."""

    first: Syntax
    rest: tuple[tuple[str, int, Syntax], ...]
    offset: int


class Conditional(msgspec.Struct, frozen=True):
    """``condition ? chosen : otherwise``"""

    condition: Syntax
    chosen: Syntax
    otherwise: Syntax
    offset: int


class Call(msgspec.Struct, frozen=True):
    """A function and its arguments."""

    function: str
    arguments: tuple[Syntax, ...]
    offset: int


Syntax: TypeAlias = (
    Literal
    | ListLiteral
    | MappingLiteral
    | Name
    | Access
    | Unary
    | Logic
    | Comparison
    | Arithmetic
    | Conditional
    | Call
)
