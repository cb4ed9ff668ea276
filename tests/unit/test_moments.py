"""Moments and spans as text."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.projections.moments import iso_time, span


@given(st.integers(-2_000_000_000_000, 100_000_000_000_000))
def test_iso_time_agrees_with_the_calendar(milliseconds: int) -> None:
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC)
    expected = f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03}Z"
    assert iso_time(milliseconds / 1000) == expected


def test_no_moment_stays_none() -> None:
    assert iso_time(None) is None


def test_a_moment_can_be_read_back() -> None:
    text = iso_time(1_700_000_000.25)
    assert text == "2023-11-14T22:13:20.250Z"
    assert datetime.fromisoformat(text).timestamp() == 1_700_000_000.25


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 ms"),
        (-1, "0 ms"),
        (0.0083, "8 ms"),
        (0.9996, "1.0 s"),
        (2.34, "2.3 s"),
        (59.96, "1 min 00 s"),
        (65, "1 min 05 s"),
        (7380, "2 h 03 min"),
        (3 * 86_400 + 4 * 3600, "3 d 4 h"),
    ],
)
def test_spans(seconds: float, shown: str) -> None:
    assert span(seconds) == shown
