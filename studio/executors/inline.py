"""Kinds of node that need no child: carried out in the engine's process, a slice at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import Final

from studio.errors import ExpressionError
from studio.executors.branch import choose
from studio.executors.noop import pass_on
from studio.executors.transform import transform
from studio.model.failure import Failure
from studio.model.nodes import BranchSettings, NoopSettings, TransformSettings
from studio.ports import AttemptOrder, Failed, Outcome

SLICE_SECONDS: Final = 0.005
"""Longest time without a pause. The loop's lag stays below 50 ms with several transforms at once."""


class InlineAttempt:
    """One attempt of an inline kind.

    Args:
        order: the attempt.
        later: calls a function in a later turn of the loop.
        finish: takes the outcome.
    """

    def __init__(
        self,
        order: AttemptOrder,
        later: Callable[[Callable[[], None]], object],
        finish: Callable[[Outcome], None],
    ) -> None:
        self._steps = _steps(order)
        self._later = later
        self._finish = finish
        self._cancelled = False

    def run(self) -> None:
        """Work for one slice, and go on in a later turn if that was not enough."""
        if self._cancelled:
            return
        until = time.perf_counter() + SLICE_SECONDS
        try:
            while time.perf_counter() < until:
                next(self._steps)
        except StopIteration as stop:
            self._finish(stop.value)
        except ExpressionError as error:
            self._finish(Failed(Failure("ExpressionError", error.message, "validation")))
        else:
            self._later(self.run)

    def cancel(self) -> None:
        """Work no further; the caller reports the end."""
        self._cancelled = True
        self._steps.close()


def _steps(order: AttemptOrder) -> Generator[None, None, Outcome]:
    settings = order.settings
    if isinstance(settings, NoopSettings):
        return pass_on(order)
    if isinstance(settings, BranchSettings):
        return choose(order, settings)
    if isinstance(settings, TransformSettings):
        return (yield from transform(order, settings))
    raise AssertionError(f"{settings.uses} is not carried out inline")
