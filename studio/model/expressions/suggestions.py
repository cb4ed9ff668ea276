"""Suggestions for names that do not exist."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``; did you mean "…"?`` for the nearest known name, or nothing.

    Args:
        name: the name as it was written.
        known: names that exist; only the first 500 are looked at, as the list may come from data.
    """
    if len(name) > 100:
        return ""
    near = get_close_matches(name, [str(one) for one in islice(known, 500)], n=1, cutoff=0.6)
    return f'; did you mean "{near[0]}"?' if near else ""
