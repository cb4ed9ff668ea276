"""The syntax tree of an expression, and what it reads.

Chains of operators and of property accesses are one node each, not a node per link: depth then
measures nesting as a person sees it, and evaluation loops where it would recurse.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

ROOTS: Final = (
    "params", "nodes", "output", "input", "error", "item", "index", "event", "run", "env",
    "secrets",
)  # fmt: skip
"""Names an expression may start from; which of them have a value depends on the place."""

NODE_FIELDS: Final = ("output", "state", "error", "attempts")
RUN_FIELDS: Final = ("id", "started_at")


@dataclass(frozen=True)
class Reference:
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


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, text, true, false or null."""

    value: str | int | float | bool | None
    offset: int


@dataclass(frozen=True, slots=True)
class ListLiteral:
    """``[a, b]``"""

    items: tuple[Syntax, ...]
    offset: int


@dataclass(frozen=True, slots=True)
class MappingLiteral:
    """``{a: 1, "b": 2}``"""

    entries: tuple[tuple[str, Syntax], ...]
    offset: int


@dataclass(frozen=True, slots=True)
class Name:
    """One of ``ROOTS``."""

    root: str
    offset: int


@dataclass(frozen=True, slots=True)
class Key:
    """One link of an access: ``.name`` or ``["name"]``."""

    name: str
    offset: int


@dataclass(frozen=True, slots=True)
class Index:
    """One link of an access: ``[expression]``."""

    value: Syntax
    offset: int


@dataclass(frozen=True, slots=True)
class Access:
    """A value and the links followed from it."""

    base: Syntax
    links: tuple[Key | Index, ...]
    offset: int


@dataclass(frozen=True, slots=True)
class Unary:
    """``-x``, or ``!x`` and ``not x`` (both as ``!``)."""

    operator: str
    operand: Syntax
    offset: int


@dataclass(frozen=True, slots=True)
class Logic:
    """Operands joined by ``&&`` or by ``||``."""

    operator: str
    operands: tuple[Syntax, ...]
    offset: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two operands and one of ``== != < <= > >= in``, or ``not in``."""

    operator: str
    left: Syntax
    right: Syntax
    offset: int


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """A first operand, then operators of equal rank with their offsets and operands."""

    first: Syntax
    rest: tuple[tuple[str, int, Syntax], ...]
    offset: int


@dataclass(frozen=True, slots=True)
class Conditional:
    """``condition ? chosen : otherwise``"""

    condition: Syntax
    chosen: Syntax
    otherwise: Syntax
    offset: int


@dataclass(frozen=True, slots=True)
class Call:
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
