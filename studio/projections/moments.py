"""Moments and spans of time as text, computed without a clock or a calendar module."""

from __future__ import annotations

_DAY = 86_400


def iso_time(at: float | None) -> str | None:
    """A moment in ISO 8601, UTC, to the millisecond; None stays None.

    Args:
        at: seconds since the epoch.

    The date follows from the day number by Howard Hinnant's ``civil_from_days`` (chrono-compatible low-level date
    algorithms), which is exact for every day of the proleptic Gregorian calendar.
    """
    if at is None:
        return None
    milliseconds = round(at * 1000)
    seconds, fraction = divmod(milliseconds, 1000)
    days, second = divmod(seconds, _DAY)
    year, month, day = _civil(days)
    hour, rest = divmod(second, 3600)
    minute, second = divmod(rest, 60)
    return f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:03}Z"


def _civil(days: int) -> tuple[int, int, int]:
    days += 719_468
    era, day_of_era = divmod(days, 146_097)
    year_of_era = (
        day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096
    ) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * shifted + 2) // 5 + 1
    month = shifted + 3 if shifted < 10 else shifted - 9
    return year_of_era + era * 400 + (month <= 2), month, day


def whole(seconds: float) -> int:
    """Whole seconds of a length of time that is over, half a second up: wherever it is told, it is the same number."""
    return int(max(0.0, seconds) + 0.5)


def span(seconds: float) -> str:
    """A length of time for people: ``8 ms``, ``2.3 s``, ``1 min 05 s``, ``2 h 03 min``, ``3 d 4 h``."""
    seconds = max(0.0, seconds)
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    rounded = whole(seconds)
    if rounded < 3600:
        return f"{rounded // 60} min {rounded % 60:02} s"
    if rounded < _DAY:
        return f"{rounded // 3600} h {rounded % 3600 // 60:02} min"
    return f"{rounded // _DAY} d {rounded % _DAY // 3600} h"
