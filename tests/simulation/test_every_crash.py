"""Small runs, with a crash before and after each single append. ``SMALL_RUNS`` sets how many runs."""

import os

import pytest

from tests.simulation.simulator import simulate

SMALL_RUNS = int(os.environ.get("SMALL_RUNS", "60"))
CHUNK = 15


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, SMALL_RUNS, CHUNK))
def test_a_crash_around_any_append_loses_nothing(first: int) -> None:
    for seed in range(first, min(first + CHUNK, SMALL_RUNS)):
        appends = simulate(seed, frozenset(), small=True).appends
        for number in range(1, appends + 1):
            for crash in (-number, number):
                report = simulate(seed, frozenset({crash}), small=True)
                assert report.crashes == 2, f"seed {seed}: no crash around append {crash}"


@pytest.mark.slow
def test_an_engine_that_dies_at_every_other_append_still_gets_through() -> None:
    for seed in range(30):
        simulate(seed, frozenset(range(2, 60, 2)), small=True)
