"""The system's clock, kept from going backwards."""

import time


class SystemClock:
    """Seconds since the epoch.

    The monotonic clock carries it on from the moment of creation, so that a jump of the system's clock
    neither fires timers early nor holds them back; a suspend is seen because the offset is compared at each
    reading and only ever moves forward.
    """

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def now(self) -> float:
        """Seconds since the epoch; never less than an earlier answer."""
        return time.monotonic() + self._offset
