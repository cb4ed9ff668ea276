"""Moments in the time zone of the person at the screen."""

import time


def local_time(at: float) -> str:
    """A moment (seconds since the epoch) as local time of day, such as ``12:00:04``."""
    return time.strftime("%H:%M:%S", time.localtime(at))


def exact_time(at: float) -> str:
    """A moment as local time of day to the millisecond, such as ``12:00:04.101``."""
    return f"{local_time(at)}.{int(at % 1 * 1000):03}"
