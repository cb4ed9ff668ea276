"""Thousands of simulated days. ``SEEDS`` sets how many, ``SEED`` runs one of them again."""

import os
from typing import get_args

import pytest

from studio.core.events import AnyEvent
from tests.simulation.simulator import simulate

SEEDS = int(os.environ.get("SEEDS", "2000"))
CHUNK = 100


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_every_seed_keeps_every_invariant(first: int) -> None:
    crashes = 0
    for seed in range(first, min(first + CHUNK, SEEDS)):
        crashes += simulate(seed).crashes
    assert crashes > 0, "no engine ever died: the faults do not work"


@pytest.mark.slow
def test_every_kind_of_event_occurs() -> None:
    seen: set[str] = set()
    wanted = {kind.__name__ for kind in get_args(AnyEvent)}
    for seed in range(1000):
        seen |= simulate(seed).events
        if seen == wanted:
            return
    pytest.fail(f"no seed makes {sorted(wanted - seen)}")


@pytest.mark.skipif("SEED" not in os.environ, reason="SEED names the seed to run again")
def test_one_seed() -> None:
    print(simulate(int(os.environ["SEED"])))
