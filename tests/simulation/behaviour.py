"""What attempts do in a simulated run: decided by seed and attempt alone, so that a seed can be run again."""

from random import Random
from typing import Any

import msgspec

from studio.model.failure import Failure
from studio.model.terms import ERROR_CATEGORIES
from studio.ports import AttemptOrder, Failed, Outcome, Succeeded, Vanished
from studio.testing import Step
from tests.simulation.graphs import PORTS

VALUES: tuple[Any, ...] = (1, 1, 1, None, {"ok": True}, [1, 2, 3], "x" * 2000, 9)
"""Results; the long text is one that the state keeps by position only."""

TIMES = (0.0, 0.0, 0.01, 0.2, 1.0, 2.5)


class Behaviour:
    """The script of a simulation.

    Args:
        seed: of the simulation.

    Attributes:
        calm: set once faults stop: attempts end by themselves, soon, and mostly well.
    """

    def __init__(self, seed: int) -> None:
        self.calm = False
        self._seed = seed

    def __call__(self, order: AttemptOrder) -> Step:
        """What this attempt does."""
        key = order.key
        rng = Random(f"{self._seed}/{key.run}/{key.node}/{key.undo}/{key.attempt}/{self.calm}")
        outcome = self._outcome(rng, order)
        hangs = outcome is None or (rng.random() < 0.04 and not self.calm)
        return Step(
            outcome=outcome if not hangs or rng.random() < 0.3 else None,
            takes=rng.uniform(10, 40) if hangs else rng.choice(TIMES),
            spawn_takes=rng.choice((0.0, 0.0, 0.05)),
            report_takes=rng.choice((0.0, 0.0, 0.3)),
            stop_takes=rng.choice((0.0, 0.1, 5.0)),
            echoes=self._echoes(rng),
        )

    def _outcome(self, rng: Random, order: AttemptOrder) -> Outcome | None:
        roll = rng.random()
        if self.calm:
            roll = roll * 0.8
        fails = 0.3 if order.key.undo else 0.25
        if roll < 1 - fails - 0.08:
            port = rng.choice((*PORTS, "other")) if order.settings.uses == "branch" else ""
            return Succeeded(msgspec.json.encode(rng.choice(VALUES)), port)
        if roll < 0.92:
            kind = rng.choice(ERROR_CATEGORIES)
            return Failed(Failure(f"{kind.title()}Error", "as scripted", kind))
        if roll < 0.97 and order.settings.uses in ("python", "shell"):
            return Vanished("killed")
        return None if not self.calm else Failed(Failure("OSError", "as scripted", "transient"))

    def _echoes(self, rng: Random) -> tuple[tuple[float, Outcome], ...]:
        if rng.random() > 0.08:
            return ()
        late: Outcome = Succeeded(b'"late"')
        if rng.random() < 0.5:
            late = Failed(Failure("LateError", "a late report"))
        return tuple((rng.choice((0.0, 0.5, 3.0)), late) for _ in range(rng.choice((1, 2))))
