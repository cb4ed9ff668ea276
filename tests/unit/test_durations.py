"""Durations as files write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.model.durations import LONGEST, format_duration, parse_duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (30.0, "30s"),
        (0.25, "250ms"),
        (0.0015, "1.5ms"),
        (1.5, "1.5s"),
        (5400.0, "1h30m"),
        (172_800.0, "2d"),
        (0.0, "0s"),
    ],
)
def test_durations_are_written_short(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@given(st.integers(0, int(LONGEST)), st.integers(0, 999_999))
def test_a_written_duration_reads_the_same(whole: int, micro: int) -> None:
    seconds = min(whole + micro / 1_000_000, LONGEST)
    assert parse_duration(format_duration(seconds)) == pytest.approx(seconds, abs=2e-6)
