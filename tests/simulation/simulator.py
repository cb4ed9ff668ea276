"""One simulated day: real core, real engine loop, virtual time, crashes, people, and the auditor behind it all."""

import asyncio
import contextlib
from dataclasses import dataclass
from functools import partial
from random import Random

from studio.core import commands as verbs
from studio.core.commands import AnyCommand
from studio.core.plan import Plan
from studio.core.standing import phase_of
from studio.core.state import EngineState, Flight
from studio.core.turn import replay, take_turn
from studio.engine.lookup import look_up
from studio.engine.loop import Engine
from studio.engine.orders import RunContext
from studio.engine.recovery import recover
from studio.ids import NodePath, RunNumber
from studio.model.failure import Failure
from studio.ports import AttemptKey, Definition, Failed, RunFilter, Succeeded
from studio.testing import LoopClock, MemoryValues, run_virtual
from tests.simulation.auditor import Auditor, compare
from tests.simulation.behaviour import Behaviour
from tests.simulation.graphs import edit, make_workflow
from tests.simulation.ledger import GRACE, Violation, require
from tests.simulation.operators import helping_hand, random_command
from tests.simulation.watch import watched
from tests.simulation.world import Faults, SimulatedExecutor, World

PARAMS = {"number": 2, "list": [1, 2], "none": None}


@dataclass(slots=True)
class Report:
    """What a simulation came to."""

    seed: int
    records: int = 0
    crashes: int = 0
    appends: int = 0
    commands: int = 0
    phases: tuple[str, ...] = ()
    events: frozenset[str] = frozenset()


class SimulationError(AssertionError):
    """A seed that broke an invariant; its text says how to run it again, and shows the trace."""

    def __init__(self, seed: int, error: BaseException, trace: str) -> None:
        super().__init__(
            f"seed {seed}: {type(error).__name__}: {error}\n"
            f"again: SEED={seed} pytest tests/simulation -k one_seed\n{trace}"
        )
        self.seed = seed
        self.error = error


class Simulation:
    """One seed.

    Args:
        seed: decides everything.
        crashes: appends around which the engine dies, see `Faults`; None to let chance decide.
        calm: no people and no faults but these crashes.
    """

    def __init__(
        self, seed: int, crashes: frozenset[int] | None = None, *, small: bool = False
    ) -> None:
        self.rng = Random(seed)
        rng = self.rng
        self.small = small
        flows = [
            make_workflow(rng, f"flow{index}")
            for index in range(1 if small else rng.choice((1, 2)))
        ]
        plans = [Plan(flow) for flow in flows]
        plans += [Plan(edit(rng, flow)) for flow in flows for _ in range(2)]
        self.names = [flow.name for flow in flows]
        self.plans: dict[str, Plan] = {plan.version: plan for plan in plans}
        self.limit = rng.choice((None, None, 1, 2, 4))
        self.seed = seed
        self.report = Report(seed)
        behaviour = Behaviour(seed)
        rate = 0.0 if crashes is not None else rng.choice((0.0, 0.01, 0.05))
        faults = Faults(Random(seed + 1), crashes or frozenset(), rate)
        faults.on = crashes is None
        self.world = World(
            Random(seed + 2), Auditor(dict(self.plans), self.limit), behaviour, faults
        )
        self.clock = LoopClock()
        self.values = MemoryValues()
        self.sent: list[AnyCommand] = []
        self.pending: dict[asyncio.Task[object], AnyCommand] = {}
        self.number = 0

    # ----------------------------------------------------------------- the engine's life

    async def boot(self) -> None:
        """Start an engine over the history, and take up what is open there."""
        world = self.world
        world.crashed = False
        world.stopped.clear()
        self.executor = SimulatedExecutor(world)
        self.engine = Engine(
            world.history, self.executor, self.values, self.clock,
            grace=GRACE, max_concurrency=self.limit,
        )  # fmt: skip
        world.engine = self.engine
        for plan in self.plans.values():
            body = Definition(plan.version, plan.workflow.name, b"{}")
            self.engine.add_definition(plan, body)
        await self.engine.open()
        rows = world.history.rows(RunFilter(only_open=True, limit=1000))
        ledger = world.auditor.ledger
        told = sorted(number for number, run in ledger.runs.items() if not run.ended)
        require(1, sorted(row.run for row in rows) == told, f"rows {rows} but open are {told}")
        await self.load([row.run for row in reversed(rows)])

    async def load(self, numbers: list[int]) -> None:
        """Take up stored runs, as the application does. A crash on the way ends it."""
        contexts = {number: RunContext(results="/results") for number in numbers}
        await self.unless_stopped(recover(self.engine, self.executor, contexts))

    async def unless_stopped(self, work: object) -> None:
        """Await something that only a living engine brings to an end."""
        task = asyncio.ensure_future(work)  # type: ignore[call-overload]  # a coroutine
        stop = asyncio.ensure_future(self.world.stopped.wait())
        await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if not task.done():
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        else:
            task.result()

    async def kill(self) -> None:
        """The engine's process is gone; its children are confirmed dead."""
        self.report.crashes += 1
        world = self.world
        world.crashed = True
        self.executor.die()
        task = self.engine.task
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        world.auditor.disturb()
        for waiting, command in list(self.pending.items()):
            waiting.cancel()
            if self.rng.random() < 0.5:
                self.sent.append(command)
        self.pending.clear()
        await asyncio.sleep(self.rng.choice((0.0, 0.5, 5.0)))

    async def live(self, seconds: float) -> None:
        """Let time pass; an engine that dies is followed by another."""
        until = asyncio.get_running_loop().time() + seconds
        while True:
            left = until - asyncio.get_running_loop().time()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self.world.stopped.wait(), max(0.0, left))
            self.check()
            if not self.world.crashed:
                return
            await self.kill()
            await self.boot()

    def check(self) -> None:
        """Raise what was found so far."""
        if self.world.violation is not None:
            raise self.world.violation
        task = self.engine.task
        if task.done() and not task.cancelled() and not self.world.crashed:
            error = task.exception()
            raise error if error is not None else Violation(17, "the engine's loop has ended")
        if self.engine.feed.failures:
            raise Violation(2, self.engine.feed.failures[0])

    # ----------------------------------------------------------------- people

    def send(self, command: AnyCommand) -> None:
        """Send a command; its answer is checked when it comes."""
        self.report.commands += 1
        engine = self.engine
        task = asyncio.ensure_future(engine.submit(command))
        self.pending[task] = command

        def answered(done: asyncio.Task[object]) -> None:
            self.pending.pop(done, None)
            if done.cancelled() or done.exception() is not None:
                return
            taken = done.result() is None and command.id in engine.state.commands
            if taken and command.id not in self.world.auditor.ledger.commands:
                self.world.fail(Violation(1, f"{command} was acknowledged, but is not durable"))

        task.add_done_callback(answered)

    async def start_run(self) -> None:
        """Start another run."""
        self.number += 1
        rng = self.rng
        name = rng.choice(self.names)
        plan = next(plan for plan in self.plans.values() if plan.workflow.name == name)
        self.engine.contexts[self.number] = RunContext(results="/results")
        command = verbs.StartRun(
            run=self.number,
            id=f"s{self.number}",
            run_id=f"{self.seed}-{self.number}",
            version=plan.version,
            params=PARAMS,
            policy=rng.choice(("hold", "fail", "fail", "continue")),
            surface=rng.choice(("screen", "headless")),
            until=rng.choice(list(plan.nodes)) if rng.random() < 0.06 else None,
            stepping=rng.random() < 0.06,
        )
        self.sent.append(command)
        self.send(command)

    async def act(self) -> None:
        """One thing that happens to the studio."""
        rng, world = self.rng, self.world
        roll = rng.random()
        if roll < 0.05:
            world.faults.disk_full = rng.choice((1, 1, 3))
        elif roll < 0.08 and world.faults.rate:
            world.crashed = True
            world.stopped.set()
        elif roll < 0.16:
            self.forge()
        elif roll < 0.28 and self.sent:
            await self.send_again()
        else:
            await self.command()

    async def command(self) -> None:
        """A person sends a command about some run."""
        runs = list(self.world.auditor.ledger.runs)
        if not runs:
            return
        number = self.rng.choice(runs)
        await self.ensure_loaded(number)
        run = self.engine.state.runs.get(number)
        if run is None or self.world.crashed:
            return
        versions = [
            plan.version
            for plan in self.plans.values()
            if plan.workflow.name == run.plan.workflow.name
        ]
        command = random_command(self.rng, run, self.report.commands, versions)
        self.send(command)
        if self.rng.random() < 0.2:
            self.send(command)
        if self.rng.random() < 0.3:
            self.sent.append(command)

    async def send_again(self) -> None:
        """A command is sent a second time, perhaps long after the first."""
        command = self.sent.pop(self.rng.randrange(len(self.sent)))
        if command.run in self.world.auditor.ledger.runs:
            await self.ensure_loaded(command.run)
        if not self.world.crashed:
            self.engine.contexts.setdefault(command.run, RunContext(results="/results"))
            self.send(command)

    async def ensure_loaded(self, number: int) -> None:
        """Load a run that has ended before the last crash, as the application would."""
        if number not in self.engine.state.runs:
            await self.load([number])

    def forge(self) -> None:
        """A report about an attempt that is not open."""
        ledger = self.world.auditor.ledger
        nodes = [(run, book) for run in ledger.runs.values() for book in run.nodes.values()]
        nodes = [entry for entry in nodes if entry[0].number in self.engine.state.runs]
        if not nodes:
            return
        run, book = self.rng.choice(nodes)
        undo = self.rng.random() < 0.2
        last = book.undo_attempt if undo else book.attempt
        is_open = book.undo_open if undo else book.open
        attempt = self.rng.choice((last + 9, max(0, last - 1), last + (9 if is_open else 0)))
        flight = Flight(run.number, book.path, undo, attempt)
        if flight in self.engine.state.flow.in_flight:
            return  # it is on its way to disk
        key = AttemptKey(RunNumber(run.number), NodePath(book.path), undo, attempt)
        outcome = Succeeded(b'"forged"')
        self.engine.reports.finished(
            key, outcome if self.rng.random() < 0.5 else Failed(Failure("F", "f"))
        )

    # ----------------------------------------------------------------- the day

    async def day(self) -> None:
        """Chaos, calm, help, and a last look at everything."""
        await self.boot()
        for _ in range(1 if self.small else self.rng.choice((1, 1, 2, 3))):
            await self.start_run()
            await self.live(self.rng.choice((0.0, 0.0, 0.3)))
        for _ in range(0 if self.small else self.rng.choice((0, 4, 12, 25))):
            await self.live(self.rng.choice((0.0, 0.01, 0.2, 1.0, 3.0)))
            await self.act()
        self.world.faults.on = False
        self.world.behaviour.calm = True
        self.executor.wake_hanging()
        await self.live(400.0)
        await self.help()
        await self.live(1.0)
        for number in sorted(self.world.auditor.ledger.runs):
            await self.ensure_loaded(number)
        self.check()
        self.final_checks()

    async def help(self) -> None:
        """People do what the studio asks them for, until every run has ended. Raises `Violation` when it cannot."""
        for number in sorted(self.world.auditor.ledger.runs):
            await self.ensure_loaded(number)
        for count in range(60):
            moves = []
            for run in self.engine.state.runs.values():
                if run.ended:
                    continue
                command = helping_hand(run, 1000 * count + run.number)
                stuck = f"run {run.number} neither ends nor waits for a person ({phase_of(run)})"
                require(17, command is not None, stuck)
                waiting = phase_of(run) == "attention" or run.paused
                require(
                    17, waiting, f"run {run.number} is {phase_of(run)}, but only {command} helps"
                )
                moves.append(command)
            if not moves:
                return
            for command in moves:
                if command is not None:
                    self.send(command)
            await self.live(400.0)
        raise Violation(17, "runs do not end with a person's help")

    def final_checks(self) -> None:
        """Nothing is left, and the history alone tells the same."""
        ledger = self.world.auditor.ledger
        require(12, not self.executor.acting, f"attempts live on: {list(self.executor.acting)}")
        state = self.engine.state
        require(17, not state.flow.in_flight, f"in flight: {state.flow.in_flight}")
        find = partial(look_up, self.world.history, self.values)
        cold = EngineState(dict(self.plans), find, self.limit)
        replay(cold, self.world.history.read())
        for number, run in cold.runs.items():
            compare(run, state.runs[number])
        outcome = take_turn(cold, [], self.clock.now())
        require(16, not outcome.records, f"a replayed history goes on: {outcome.records}")
        self.report.records = self.world.history.head()
        self.report.appends = self.world.appends
        trace = self.world.auditor.trace
        self.report.events = frozenset(type(record.event).__name__ for record in trace)
        self.report.phases = tuple(run.phase for run in ledger.runs.values())


def simulate(seed: int, crashes: frozenset[int] | None = None, *, small: bool = False) -> Report:
    """Run one seed. Raises `SimulationError`."""
    simulation: list[Simulation] = []

    async def day() -> None:
        simulation.append(Simulation(seed, crashes, small=small))
        with watched(simulation[0].world, seed):
            try:
                await simulation[0].day()
            finally:
                await simulation[0].kill()

    try:
        run_virtual(day())
    except Exception as late:
        error = (simulation and simulation[0].world.violation) or late
        trace = simulation[0].world.auditor.tail() if simulation else ""
        raise SimulationError(seed, error, trace) from error
    return simulation[0].report
