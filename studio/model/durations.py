"""Durations and moments as people write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_UNITS = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_PART = r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|[dhms])"
_WHOLE = r"(?:[0-9]{1,9}(?:\.[0-9]{1,9})?(?:ms|[dhms]))+\Z"

LONGEST = 36_500 * 86_400.0
"""One hundred years in seconds; a longer duration is a slip of the pen."""


def parse_duration(text: str) -> float:
    """Seconds of a duration such as ``250ms``, ``10s``, ``1h30m`` or ``2d``.

    Args:
        text: numbers with the units ``d``, ``h``, ``m``, ``s``, ``ms``, each at most once, largest first.

    Raises:
        ValueError: it is not a duration; the text is fit for a user.
    """
    stripped = text.strip()
    if re.fullmatch(r"[0-9]+(?:\.[0-9]+)?", stripped) and len(stripped) < 12:
        raise ValueError(f'a duration needs a unit: write "{stripped}s" for seconds')
    if len(stripped) > 80 or not re.match(_WHOLE, stripped):
        raise ValueError('not a duration; write it like "250ms", "10s", "5m", "1h30m" or "2d"')
    seconds, order = 0.0, list(_UNITS)
    for number, unit in re.findall(_PART, stripped):
        if unit not in order:
            raise ValueError('units go from large to small, each once, as in "1h30m"')
        order = order[order.index(unit) + 1 :]
        seconds += float(number) * _UNITS[unit]
    if seconds > LONGEST:
        raise ValueError("longer than 100 years")
    return round(seconds, 6)


def format_duration(seconds: float) -> str:
    """The shortest text that `parse_duration` reads as so many seconds, down to the microsecond: ``30s``, ``1h30m``."""
    left = round(max(0.0, seconds), 6)
    if left < 1.0:
        return f"{left * 1000:.3f}".rstrip("0").rstrip(".") + "ms" if left else "0s"
    parts = []
    for unit in ("d", "h", "m"):
        count, left = divmod(left, _UNITS[unit])
        if count:
            parts.append(f"{count:.0f}{unit}")
    left = round(left, 6)
    if left:
        parts.append(f"{left:.6f}".rstrip("0").rstrip(".") + "s")
    return "".join(parts)


def parse_moment(text: str) -> float:
    """Seconds since the epoch of an ISO 8601 time; one without a zone is taken as UTC.

    Raises:
        ValueError: it is not a moment; the text is fit for a user.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(
            f'"{text[:60]}" is not a time; write it like "2027-01-31T09:00:00Z"'
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp()


def format_moment(at: float) -> str:
    """The ISO 8601 text, in UTC and to the millisecond, of ``at`` seconds since the epoch."""
    moment = datetime.fromtimestamp(round(at * 1000) / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
