"""The system's clock, kept from going backwards."""

import time

_COUNTER = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""A counter that goes on while the machine sleeps: Linux's monotonic clock stands still then (clock_gettime(2)),
macOS's does not."""


class SystemClock:
    """Seconds since the epoch.

    The system's clock is read once; from then on a counter carries it on, so that somebody who sets the system's
    clock neither fires timers early nor holds them back, while time that a suspended machine slept has passed.
    """

    def __init__(self) -> None:
        self._offset = time.time() - time.clock_gettime(_COUNTER)

    def now(self) -> float:
        """Seconds since the epoch; never less than an earlier answer."""
        return time.clock_gettime(_COUNTER) + self._offset
