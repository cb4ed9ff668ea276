"""The state of one evaluation: the scope it reads and the steps it has left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from studio.errors import ExpressionError
from studio.model.expressions.limits import MAX_ITEMS, MAX_STEPS, MAX_TEXT, TEXT_PER_STEP

Scope: TypeAlias = Mapping[str, object]
"""Root name to value: plain JSON, or any ``Mapping`` over it. Nothing but the mapping and list
protocols is used on values, never attributes."""

_SHORT: Final = 1_024
"""Texts up to this length compare in the time of a step."""


class Frame:
    """One evaluation or rendering.

    Args:
        scope: what names stand for.
    """

    __slots__ = ("left", "scope")

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.left = MAX_STEPS

    def charge(self, steps: int, offset: int) -> None:
        """Pay for work before it is done.

        Raises:
            ExpressionError: when the budget of ``MAX_STEPS`` is used up.
        """
        self.left -= steps
        if self.left < 0:
            raise ExpressionError(f"takes more than {MAX_STEPS:,} steps", offset)

    def charge_text(self, length: int, offset: int) -> None:
        """Pay for building a text of ``length`` characters, and refuse one too long.

        Raises:
            ExpressionError: above ``MAX_TEXT`` characters, or when the budget is used up.
        """
        if length > MAX_TEXT:
            raise ExpressionError(f"the text is longer than {MAX_TEXT:,} characters", offset)
        self.charge(1 + length // TEXT_PER_STEP, offset)

    def charge_comparison(self, left: str, right: str, offset: int) -> None:
        """Pay for comparing two texts, which costs something only when both are long.

        Raises:
            ExpressionError: when the budget is used up.
        """
        if len(left) > _SHORT and len(right) > _SHORT:
            self.charge(min(len(left), len(right)) // TEXT_PER_STEP, offset)

    def charge_items(self, count: int, offset: int) -> None:
        """Pay for building a list of ``count`` elements, and refuse one too long.

        Raises:
            ExpressionError: above ``MAX_ITEMS`` elements, or when the budget is used up.
        """
        if count > MAX_ITEMS:
            raise ExpressionError(f"the list has more than {MAX_ITEMS:,} elements", offset)
        self.charge(1 + count, offset)
