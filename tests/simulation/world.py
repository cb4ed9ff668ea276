"""What outlives a simulated engine: the history, result files, and the memory of which attempts ran."""

import asyncio
from functools import partial
from random import Random

from studio.engine.loop import Engine
from studio.errors import StorageError
from studio.model.failure import Failure
from studio.ports import AttemptKey, AttemptOrder, Batch, Failed, Outcome
from studio.testing import MemoryHistory, ScriptedExecutor
from tests.simulation.auditor import Auditor
from tests.simulation.behaviour import Behaviour
from tests.simulation.ledger import Violation, require


class Faults:
    """Which appends go wrong.

    Args:
        rng: decides, while ``on``.
        crashes: append numbers, counted from 1, before (``-n``) or after (``n``) which the engine dies.
        rate: share of appends around which it dies by chance.
    """

    def __init__(
        self, rng: Random, crashes: frozenset[int] = frozenset(), rate: float = 0.0
    ) -> None:
        self.on = True
        self.disk_full = 0
        self._rng = rng
        self._crashes = crashes
        self.rate = rate

    def strikes(self, number: int) -> bool:
        """Whether the engine dies now; ``number`` is negative before the append, positive after it."""
        if number in self._crashes:
            return True
        return self.on and self.rate > 0 and self._rng.random() < self.rate


class World:
    """Everything around the engine, and the place where a failure is noted.

    Attributes:
        stopped: set when the engine has died or an invariant is broken.
        violation: the first broken invariant.
    """

    def __init__(self, rng: Random, auditor: Auditor, behaviour: Behaviour, faults: Faults) -> None:
        self.rng = rng
        self.auditor = auditor
        self.behaviour = behaviour
        self.faults = faults
        self.history = SimulatedHistory(self)
        self.results: dict[str, Outcome] = {}
        self.executed: set[AttemptKey] = set()
        self.stopped = asyncio.Event()
        self.crashed = False
        self.violation: BaseException | None = None
        self.engine: Engine | None = None
        self.appends = 0

    def fail(self, error: BaseException) -> None:
        """Note a broken invariant."""
        if self.violation is None:
            self.violation = error
        self.stopped.set()

    async def die(self) -> None:
        """The engine's process ends here: whoever awaits this never goes on."""
        self.crashed = True
        self.stopped.set()
        await asyncio.Event().wait()


class SimulatedHistory(MemoryHistory):
    """A history around whose appends the engine may die, and whose disk may be full."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    async def append(self, batch: Batch) -> None:
        """Append, or fail as the faults say."""
        world = self._world
        if world.crashed:
            await world.die()
        if world.faults.on and world.faults.disk_full > 0:
            world.faults.disk_full -= 1
            world.auditor.disturb()
            raise StorageError("no space left (simulated)")
        world.appends += 1
        if world.faults.strikes(-world.appends):
            await world.die()
        if world.rng.random() < 0.2:
            await asyncio.sleep(0.01)
        if world.crashed:
            await world.die()
        await super().append(batch)
        try:
            if world.engine is not None:
                world.auditor.see(list(batch.records), world.engine.state)
        except Exception as error:
            world.fail(error)
        if world.faults.strikes(world.appends):
            await world.die()


class SimulatedExecutor(ScriptedExecutor):
    """A scripted executor that checks what it is told against the history."""

    def __init__(self, world: World) -> None:
        super().__init__(world.behaviour, world.results)
        self._world = world

    def start(self, order: AttemptOrder) -> None:
        """Begin an attempt; it must be durable, and open."""
        try:
            key = order.key
            require(5, key not in self.acting, f"{key} is started twice by one engine")
            open_ones = self._world.auditor.ledger.open_attempts()
            require(6, tuple(key) in open_ones, f"{key} is started, but is not open in the history")
        except Violation as error:
            self._world.fail(error)
        super().start(order)

    def release(self, key: AttemptKey) -> None:
        """Open a gate; the child must be durable."""
        run = self._world.auditor.ledger.runs[key.run]
        if not run.nodes[key.node].spawned:
            self._world.fail(Violation(6, f"{key} is released before its child is in the history"))
        super().release(key)

    def wake_hanging(self) -> None:
        """Faults stop: what would hang for ever comes to an end."""
        for acting in list(self.acting.values()):
            if acting.step.outcome is None and not acting.stopping:
                failure = Failure("TimeoutError", "it hung", "transient")
                acting.later(1.0, partial(self._end, acting, Failed(failure)))

    def run_child(self, key: AttemptKey) -> None:
        """An attempt with a child is executed at most once, ever."""
        if key in self._world.executed:
            self._world.fail(Violation(5, f"{key} is executed a second time"))
        self._world.executed.add(key)
