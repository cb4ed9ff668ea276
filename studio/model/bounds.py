"""Bounds of numbers in the declarations of the model, for pydantic to find there without being loaded for it."""

from collections.abc import Callable
from typing import Any, ClassVar


class _Bound:
    """A bound, written as ``Annotated[int, AtLeast(1)]``.

    Args:
        value: the bound.
    """

    key: ClassVar[str]

    def __init__(self, value: float) -> None:
        self.value = value

    def __get_pydantic_core_schema__(
        self, source: Any, handler: Callable[[Any], dict[str, Any]]
    ) -> dict[str, Any]:
        """Pydantic's way to ask an annotation what it adds to the schema of a type."""
        return {**handler(source), self.key: self.value}


class AtLeast(_Bound):
    """The value may be as small as this."""

    key = "ge"


class AtMost(_Bound):
    """The value may be as large as this."""

    key = "le"


class Above(_Bound):
    """The value is larger than this."""

    key = "gt"
