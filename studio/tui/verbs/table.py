"""Which function carries out which action."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

from studio.tui.verbs import comparing, control, viewing

if TYPE_CHECKING:
    from studio.tui.screens.main import MainScreen

Verb: TypeAlias = Callable[["MainScreen"], Awaitable[None]]

VERBS: dict[str, Verb] = {**control.VERBS, **viewing.VERBS, **comparing.VERBS}
"""Functions by action id; a test compares it with the table of actions."""

IN_TURN = frozenset(control.VERBS)
"""Actions that change a run: one is carried out after the other, and none is given up for the next."""
