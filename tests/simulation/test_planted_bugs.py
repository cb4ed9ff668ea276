"""The simulation finds what it is there to find: every planted bug, within a bounded number of seeds."""

import pytest

from tests.simulation.planted import PLANTS, Plant
from tests.simulation.simulator import SimulationError, simulate

BOUND = 400
"""Seeds within which each bug has to show."""


@pytest.mark.slow
@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__)
def test_a_planted_bug_is_caught(plant: Plant) -> None:
    with plant():
        for seed in range(BOUND):
            try:
                simulate(seed)
            except SimulationError:
                return
    pytest.fail(f"{plant.__name__} went unnoticed for {BOUND} seeds")
