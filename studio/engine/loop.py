"""The one writer: drain the mailbox, decide, append in one transaction, publish, start effects."""

import asyncio
import contextlib
import os
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from studio.core.commands import AnyCommand, FireTimer, Refusal
from studio.core.effects import AttemptEffect, Effect, TimerEffect, due, stands
from studio.core.events import Record
from studio.core.plan import Plan
from studio.core.state import EngineState, Flight, TimerKey
from studio.engine.feed import EngineFailed, Feed, StorageNews
from studio.engine.large_results import put_aside
from studio.engine.lookup import look_up
from studio.engine.orders import RunContext, make_order
from studio.engine.reports import Reports, attempt_key, finish_command
from studio.engine.rows import ROW_INTERVAL, Rows
from studio.engine.timers import Timers
from studio.errors import (
    DamagedError,
    EngineStoppedError,
    ExpressionError,
    NotFoundError,
    StorageError,
)
from studio.ids import RunNumber
from studio.ports import (
    Batch,
    Clock,
    Definition,
    Executor,
    History,
    Stopped,
    Values,
)

if TYPE_CHECKING:
    from studio.core.turn import Outcome

MAILBOX_BATCH = 1024
"""Commands decided in one turn: bounds the time between two looks at the event loop."""

STORAGE_RETRY = 0.5
"""Seconds between two tries while storage is paused."""

CHILD_KINDS = frozenset({"python", "shell"})
"""Kinds that run in a child and leave a result file."""

Result = TypeVar("Result")

Answer = Refusal | None
Letter = tuple[AnyCommand, asyncio.Future[Answer] | None]
Job = tuple[Callable[[], Any], asyncio.Future[Any]]


class Engine:
    """Runs workflows: owns the state, the history and the executors of one state folder.

    Args:
        history: where records go; the only writer of it.
        executor: carries out attempts.
        values: keeps results too large for the history.
        clock: time of all commands.
        grace: seconds between SIGTERM and SIGKILL of an attempt that is ended.
        max_concurrency: nodes in flight over all runs, None for no bound.
    """

    def __init__(
        self,
        history: History,
        executor: Executor,
        values: Values,
        clock: Clock,
        *,
        grace: float = 5.0,
        max_concurrency: int | None = None,
    ) -> None:
        self.feed = Feed()
        self.contexts: dict[int, RunContext] = {}
        self.storage_error = ""
        self.defect = ""
        self._history = history
        self._executor = executor
        self._values = values
        self._clock = clock
        self._grace = grace
        self._limit = max_concurrency
        self._plans: dict[str, Plan] = {}
        self._new_definitions: list[Definition] = []
        self._mailbox: deque[Letter] = deque()
        self._open_letters: list[Letter] = []
        self._jobs: deque[Job] = deque()
        self._wake = asyncio.Event()
        self._rows = Rows()
        self._timers = Timers(clock, self._on_timer)
        self._launched: set[Flight] = set()
        self._results: dict[Flight, str] = {}
        self._task: asyncio.Task[None] | None = None
        self._closing = False
        self._over = False
        self.driving = True
        self.state = self._new_state()
        self.state.position = history.head()
        self._published = self.state.position
        self.reports = Reports(self.post, self.feed, self._launched.discard)
        executor.bind(self.reports)

    # ----------------------------------------------------------------- life

    async def open(self) -> None:
        """Start the executors and the loop. Raises `ExecutorError`."""
        await self._executor.open()
        self._task = asyncio.get_running_loop().create_task(self._run(), name="engine")

    async def close(self) -> None:
        """Stop deciding, end every attempt, close the history; also after a defect.

        Runs stay as the history has them; the next owner takes them up again. Whoever still waits for an answer
        gets an `EngineStoppedError`.
        """
        self._closing = True
        self._wake.set()
        try:
            if self._task is not None:
                await asyncio.wait([self._task])
                if not self._task.cancelled():
                    self._task.exception()  # told already: to the feed, and to whoever waited
        finally:
            self._timers.clear()
            try:
                await self._executor.close()
            finally:
                await self._history.aclose()

    @property
    def task(self) -> asyncio.Task[None]:
        """The loop's task; it ends when the engine is closed, or with an `EngineStoppedError` after a defect."""
        if self._task is None:
            raise RuntimeError("the engine is not open")
        return self._task

    def settled(self, run: int) -> bool:
        """Whether all that has happened to a run is on disk, published, and followed by its consequences."""
        state = self.state
        pending = self._mailbox or self._jobs or run in state.visited or run in state.flow.dirty
        return not pending and state.position == self._published

    def add_definition(self, plan: Plan, definition: Definition | None) -> None:
        """Make a definition known; one that is not stored yet goes to disk with the next batch."""
        if plan.version not in self._plans:
            self._plans[plan.version] = plan
            if definition is not None:
                self._new_definitions.append(definition)

    async def submit(self, command: AnyCommand) -> Answer:
        """Send a command and wait until its facts are on disk.

        Returns None when it was taken (also when it had been sent before), or the refusal.

        Raises:
            EngineStoppedError: the engine has ended, or ends before it could tell.
        """
        return await self.enqueue(command)

    def enqueue(self, command: AnyCommand) -> asyncio.Future[Answer]:
        """Send a command; what `submit` returns and raises comes with the future.

        In a job between two turns this puts it before all that the job sends later, and before whatever follows by
        itself from what the job has changed.
        """
        self._require_running()
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._mailbox.append((command, future))
        self._wake.set()
        return future

    def post(self, command: AnyCommand) -> None:
        """Send a command without waiting for it."""
        self._mailbox.append((command, None))
        self._wake.set()

    def load_run(self, run: int) -> list[Effect]:
        """Fold a stored run into memory.

        Only between turns. Returns what it had open. A run that cannot be folded leaves nothing of itself.

        Raises:
            StorageError: its history cannot be read, or is damaged.
            LookupError: a definition of it was not added before.
        """
        records = list(self._history.read(RunNumber(run)))
        position = self.state.position
        try:
            _fold(self.state, records)
        except Exception:
            self._rebuild([number for number in self.state.runs if number != run])
            raise
        self.state.position = max(position, self.state.position)
        return due(self.state)

    async def between_turns(self, job: Callable[[], Result]) -> Result:
        """Call ``job`` while no batch is under way, so that it may change the state.

        Raises what it raises; `EngineStoppedError` when the engine ends before.
        """
        self._require_running()
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._jobs.append((job, future))
        self._wake.set()
        return await future

    def _require_running(self) -> None:
        if self._over:
            raise EngineStoppedError(self._why_over())

    def _why_over(self) -> str:
        if not self.defect:
            return "the studio is closing"
        return (
            f"the engine stopped because of a defect in Workflow Studio ({self.defect}); nothing that was"
            " recorded is lost, and `studio resume` goes on with the runs"
        )

    def forget_run(self, run: int) -> None:
        """Drop an ended run from memory; the history keeps it. Only between turns."""
        found = self.state.runs.get(run)
        if found is not None and found.ended and not found.flying:
            del self.state.runs[run]
            self.state.flow.per_run.pop(run, None)
            self.state.visited.pop(run, None)
            self.state.flow.dirty.pop(run, None)
            self.contexts.pop(run, None)
            self._rows.forget(run)

    def expect_result(self, flight: Flight, path: str) -> None:
        """A child of an earlier engine left this file; it goes once the attempt's end is on disk."""
        self._results[flight] = path

    def take_up(self, effects: Sequence[Effect]) -> None:
        """Carry out effects found by recovery, as far as they still stand."""
        self._carry_out([effect for effect in effects if stands(self.state, effect)])
        self._wake.set()

    # ----------------------------------------------------------------- the loop

    async def _run(self) -> None:
        try:
            await self._work()
        except Exception as error:
            self.defect = _describe(error)
            self.feed.tell(EngineFailed(self._why_over()))
            raise EngineStoppedError(self._why_over()) from error
        finally:
            self._dismiss()

    async def _work(self) -> None:
        while not self._closing:
            if not await self._woken():
                await self._catch_up()
                continue
            self._wake.clear()
            more = True
            while not self._closing and (self._mailbox or self._jobs or more):
                while self._jobs:
                    _carry_out_job(*self._jobs.popleft())
                more = await self._turn()
        if self._rows.behind:
            await self._catch_up()

    def _dismiss(self) -> None:
        """The loop is over: nobody may wait for an answer that never comes."""
        self._over = True
        waiting: list[asyncio.Future[Any] | None] = [
            *(future for _command, future in (*self._open_letters, *self._mailbox)),
            *(future for _job, future in self._jobs),
        ]
        for future in waiting:
            if future is not None and not future.done():
                future.set_exception(EngineStoppedError(self._why_over()))
        self._mailbox.clear()
        self._jobs.clear()

    async def _woken(self) -> bool:
        """Wait for something to do; false when there is time to write the rows that were left out."""
        if not self._rows.behind:
            return await self._wake.wait()
        try:
            async with asyncio.timeout(ROW_INTERVAL):
                return await self._wake.wait()
        except TimeoutError:
            return False

    async def _catch_up(self) -> None:
        """Write the rows that were left out; what cannot be written now is tried again."""
        rows = self._rows.left_behind(self.state.runs)
        try:
            await self._history.append(Batch([], rows, []))
        except StorageError:
            # Lists are late, no fact is lost: the next append of facts tells if the trouble lasts.
            await asyncio.sleep(STORAGE_RETRY)
        else:
            self._rows.behind.clear()

    async def _turn(self) -> bool:
        from studio.core.turn import take_turn  # lazy: an engine that runs nothing decides nothing

        letters = self._open_letters = self._drain()
        now = self._clock.now()
        try:
            commands = [letter[0] for letter in letters]
            outcome = take_turn(self.state, commands, now, driven=self.driving)
            if outcome.records:
                await self._append(outcome, now)
        except StorageError as error:
            await self._pause_storage(error)
            return True
        if outcome.records:
            self.feed.publish(outcome.records)
            self._published = outcome.records[-1].position
        if self.driving:
            self._carry_out(due(self.state))
        if self._results:
            self._remove_results()
        self.state.unsaved.clear()
        for index, (_command, future) in enumerate(letters):
            if future is not None and not future.done():
                future.set_result(outcome.refusals.get(index))
        self._open_letters = []
        if not outcome.records:
            # Whoever waits for the engine to settle has to look again: this turn made no fact, but it was one.
            self.feed.publish(())
        return outcome.more

    def _remove_results(self) -> None:
        """Files of children whose end is on disk: they were needed only in case the engine had died before."""
        landed = [flight for flight in self._results if flight not in self.state.flow.in_flight]
        for flight in landed:
            with contextlib.suppress(OSError):
                os.unlink(self._results.pop(flight))

    def _drain(self) -> list[Letter]:
        mailbox = self._mailbox
        if len(mailbox) <= MAILBOX_BATCH:
            letters = list(mailbox)
            mailbox.clear()
            return letters
        return [mailbox.popleft() for _ in range(MAILBOX_BATCH)]

    async def _append(self, outcome: "Outcome", now: float) -> None:
        """Write what a turn made. Raises `StorageError` when nothing of it is on disk."""
        runs = dict.fromkeys(record.run for record in outcome.records)
        rows = [self._rows.changed(self.state.runs[number], now) for number in runs]
        # More may be added while the append is under way; what it writes is what is known now.
        definitions = list(self._new_definitions)
        try:
            records = await put_aside(self._values, outcome.records)
            await self._history.append(
                Batch(records, [row for row in rows if row is not None], definitions)
            )
        except StorageError:
            self._rows.put_off(runs)
            raise
        del self._new_definitions[: len(definitions)]
        if self.storage_error:
            self.storage_error = ""
            self.feed.tell(StorageNews(False, "storage takes records again"))

    async def _pause_storage(self, error: StorageError) -> None:
        """Nothing of this turn is on disk: throw the working state away and try its letters again a little later.

        What executors report meanwhile waits in the mailbox: at most a start and an end for each open attempt.
        """
        self._mailbox.extendleft(reversed(self._open_letters))
        self._open_letters = []
        rebuilt = False
        while not rebuilt and not self._closing:
            if self.storage_error != str(error):
                self.storage_error = str(error)
                self.feed.tell(StorageNews(True, self.storage_error))
            try:
                self._rebuild(self.state.runs)
                rebuilt = True
            except StorageError as unreadable:
                error = unreadable
            await asyncio.sleep(STORAGE_RETRY)

    def _rebuild(self, runs: Iterable[int]) -> None:
        """Fold the state anew from the history; what was in flight stays so, and is not started again."""
        state = self._new_state()
        for number in runs:
            _fold(state, self._history.read(RunNumber(number)))
        state.position = self._history.head()
        due(state)
        self.state = state

    def _new_state(self) -> EngineState:
        return EngineState(self._plans, self._look_up, self._limit)

    def _look_up(self, position: int) -> Any:
        try:
            return look_up(self._history, self._values, position)
        except (NotFoundError, DamagedError) as error:
            # A result that has gone fails the nodes that read it, not the engine with all its runs.
            raise ExpressionError(str(error)) from error

    # ----------------------------------------------------------------- effects

    def _carry_out(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, TimerEffect):
                self._timers.set(effect.key, effect.at)
            else:
                self._carry_out_attempt(effect)

    def _carry_out_attempt(self, effect: AttemptEffect) -> None:
        flight = effect.flight
        run = self.state.runs[flight.run]
        key = attempt_key(flight)
        if effect.stage == "start":
            self._launched.add(flight)
            context = self.contexts.get(flight.run, NO_CONTEXT)
            pin = self._values.place(run.pin) if run.pin else ""
            order = make_order(self.state, run, flight, context, pin)
            if order.settings.uses in CHILD_KINDS:
                self._results[flight] = order.result_file
            self._executor.start(order)
        elif effect.stage == "spawned":
            self._executor.release(key)
        elif flight in self._launched:
            self._executor.cancel(key, self._grace)
        else:
            # It was asked to end before it had been started: there is nothing to end.
            self.post(finish_command(key, Stopped()))

    def _on_timer(self, key: TimerKey) -> None:
        self.post(FireTimer(run=key.run, kind=key.kind, node=key.node, undo=key.undo))


NO_CONTEXT = RunContext()


def _fold(state: EngineState, records: Iterable[Record]) -> None:
    from studio.core.turn import replay  # lazy: as in a turn

    replay(state, records)


def _carry_out_job(job: Callable[[], Any], future: asyncio.Future[Any]) -> None:
    try:
        result = job()
    except Exception as error:
        if not future.done():  # whoever asked may have gone
            future.set_exception(error)
    else:
        if not future.done():
            future.set_result(result)


def _describe(error: BaseException) -> str:
    """A defect in one line: what was raised, and by which line of which module."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error}, {os.path.basename(place.filename)}:{place.lineno}"
