"""Moments to wake up at: one timer of the event loop for the earliest of them."""

import asyncio
import heapq
from collections.abc import Callable

from studio.core.state import TimerKey
from studio.ports import Clock

LONGEST_SLEEP = 3600.0
"""Seconds after which the clock is read again even if nothing is due: a suspended machine wakes late."""


class Timers:
    """Calls back when a moment has come.

    Args:
        clock: what the moments are measured by.
        fire: called with the key of each moment that has come; it must return at once.
    """

    def __init__(self, clock: Clock, fire: Callable[[TimerKey], None]) -> None:
        self._clock = clock
        self._fire = fire
        self._at: dict[TimerKey, float] = {}
        self._heap: list[tuple[float, TimerKey]] = []
        self._handle: asyncio.TimerHandle | None = None

    def set(self, key: TimerKey, at: float | None) -> None:
        """Wait for a moment (seconds since the epoch), or no longer with None."""
        if at is None:
            self._at.pop(key, None)
            return
        self._at[key] = at
        heapq.heappush(self._heap, (at, key))
        if self._heap[0][1] == key:
            self._arm()

    def clear(self) -> None:
        """Wait for nothing any more."""
        self._at.clear()
        self._heap.clear()
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _arm(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        if self._heap:
            delay = min(max(0.0, self._heap[0][0] - self._clock.now()), LONGEST_SLEEP)
            self._handle = asyncio.get_running_loop().call_later(delay, self._wake)

    def _wake(self) -> None:
        self._handle = None
        now = self._clock.now()
        while self._heap and self._heap[0][0] <= now:
            at, key = heapq.heappop(self._heap)
            if self._at.get(key) == at:
                del self._at[key]
                self._fire(key)
        self._arm()
