"""Which function carries out which action."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

from studio.tui.verbs import control, viewing

if TYPE_CHECKING:
    from studio.tui.screens.main import MainScreen

Verb: TypeAlias = Callable[["MainScreen"], Awaitable[None]]

VERBS: dict[str, Verb] = {**control.VERBS, **viewing.VERBS}
"""Functions by action id; a test compares it with the table of actions."""
