"""The studio that owns its state folder: engine, executors and history in this process."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from studio.application.definitions import load_workflow
from studio.application.environment import make_context
from studio.application.late_executors import LateExecutors
from studio.application.location import Location
from studio.application.reading import Reading, RunView
from studio.application.stored_definitions import compiled, definition_of, plan_of
from studio.application.studio import Launch, Sender
from studio.core.commands import (
    AnyCommand,
    CancelNode,
    CancelRun,
    Compensate,
    HoldNode,
    PauseRun,
    Refusal,
    Rerun,
    RetryNode,
    SetBreakpoint,
    StartRun,
    Step,
)
from studio.core.events import Record
from studio.core.standing import phase_of
from studio.core.state import RunState
from studio.engine.control import ControlServer, socket_path
from studio.engine.feed import Feed, News, StorageNews
from studio.engine.loop import Engine
from studio.engine.orders import RunContext
from studio.errors import EngineStoppedError, NotFoundError, RefusedError, StorageError
from studio.ids import RunNumber, VersionHash
from studio.loading.parameters import check_parameters, parse_assignment
from studio.model.terms import FailurePolicy
from studio.model.workflow import Workflow
from studio.ports import Clock, History, RunFilter, StorageHealth, Values
from studio.storage.owner_lock import OwnerLock

if TYPE_CHECKING:
    from studio.application.pinned_code import PinnedCode

REMEMBERED = 20
"""Ended runs kept in memory: a studio that stays open all day re-runs workflows by the hundred."""


GATES = (PauseRun, CancelRun, CancelNode, HoldNode, SetBreakpoint, Step)
"""Commands that keep nodes from starting, or end them: on a run whose engine died they come before what was under way
is taken up again. One that is refused there is asked again behind it: what was in flight stands otherwise then."""


class LocalStudio:
    """Owns a state folder; made by `studio.application.opening.open_studio`.

    Args:
        location: project and state folder.
        lock: ownership of the folder; given back by `close`.
        history, executor, values, clock: the engine's ports.
        health: what the storage found.
    """

    def __init__(
        self,
        location: Location,
        lock: OwnerLock,
        history: History,
        executor: LateExecutors,
        values: Values,
        clock: Clock,
        health: StorageHealth,
    ) -> None:
        self.location = location
        self.health = health
        self._lock = lock
        self._history = history
        self._executor = executor
        self._values = values
        self._code: PinnedCode | None = None
        self.engine = Engine(
            history, executor, values, clock, max_concurrency=location.max_concurrency
        )
        newest = history.rows(RunFilter(limit=1))
        self._last_number = newest[0].run if newest else 0
        self._taking_up = asyncio.Lock()
        self._control: ControlServer | None = None
        self._changed = asyncio.Event()
        self._told = 0
        self._end_watch: Callable[[], None] = lambda: None
        self.reading = Reading(location.state, history)
        self.warnings: tuple[str, ...] = ()
        self.engine.feed.subscribe(self._on_records)

    @property
    def owns(self) -> bool:
        """The engine runs in this process."""
        return True

    @property
    def feed(self) -> Feed:
        """Committed records and passing news of the engine."""
        return self.engine.feed

    @property
    def code(self) -> "PinnedCode":
        """The code of workflows as it is on disk, and as runs keep it."""
        if self._code is None:
            # lazy: what runs nothing reads none
            from studio.application.pinned_code import PinnedCode

            self._code = PinnedCode(self._values)
        return self._code

    async def open(self, *, drive: bool = True) -> None:
        """Start the engine and listen for other processes. Raises `ExecutorError`, `StorageError`."""
        (self.location.state / "results").mkdir(mode=0o700, exist_ok=True)
        self.engine.driving = drive
        await self.engine.open()
        path = socket_path(self.location.state)
        self._control = ControlServer(path, self._answer)
        await self._control.open()
        self._lock.announce(str(path))

    def get_ready(self) -> None:
        """Start the executors, which otherwise the first node does. Raises `ExecutorError`."""
        self._executor.begin()

    async def close(self) -> None:
        """End all attempts, write what is pending, let go of the folder. Runs stay recoverable."""
        if self._control is not None:
            await self._control.close()
        try:
            await self.engine.close()
        finally:
            self._lock.release()

    def watch_storage(self, tell: Callable[[str, bool], None]) -> Callable[[], None]:
        """Be told what the storage has noticed, at opening and since, and when it stops and goes on.

        One listener at a time, as each notice is for one person to read once: a later one takes the place.

        Args:
            tell: gets a sentence, and whether it is bad news; it must return at once.

        Returns a function that ends it.
        """

        def on_records(_records: Sequence[Record] = ()) -> None:
            notices = self.health.notices
            while self._told < len(notices):
                self._told += 1
                tell(notices[self._told - 1], True)

        def on_news(news: News) -> None:
            if isinstance(news, StorageNews):
                text = f"storage is paused, nothing starts: {news.message}"
                tell(text if news.paused else news.message, news.paused)

        self._end_watch()
        on_records()
        self._end_watch = self.feed.subscribe(on_records, on_news)
        return self._end_watch

    def _require_writable(self) -> None:
        if self.health.read_only:
            raise StorageError(f"the history is open for reading only: {self.health.why_read_only}")

    # ----------------------------------------------------------------- use cases

    async def launch(self, launch: Launch, sender: Sender) -> int:
        """Start a run and return its number.

        Raises `DefinitionError`, `RefusedError`; `StorageError` when the history cannot be written.
        """
        self._require_writable()
        known = self.engine.state.commands.get(launch.command) if launch.command else None
        if known is not None:
            return known
        workflow, result = await asyncio.to_thread(load_workflow, launch.file, launch.display)
        self.warnings = tuple(str(one) for one in result.diagnostics)
        given = dict(launch.params)
        given.update(parse_assignment(text, workflow) for text in launch.assignments)
        params = check_parameters(workflow, given)
        context = make_context(workflow, self.location.root, self.location.state, sender.environ)
        plan = compiled(workflow)
        pin = await asyncio.to_thread(_pin, self.code, workflow, plan.version)
        self.engine.add_definition(plan, definition_of(workflow))
        self._last_number += 1
        number = self._last_number
        command = launch.command or new_command_id()
        self.engine.contexts[number] = context
        default: FailurePolicy = "hold" if launch.surface == "screen" else "fail"
        refusal = await self.engine.submit(
            StartRun(
                run=number,
                id=command,
                actor=launch.actor or sender.actor,
                run_id=uuid.uuid4().hex,
                version=plan.version,
                file=workflow.file,
                folder=workflow.folder,
                params=params,
                policy=launch.policy or workflow.on_failure or default,
                surface=launch.surface,
                until=launch.until,
                stepping=launch.stepping,
                pin=pin,
                env={
                    name: context.env[name] for name in workflow.environment if name in context.env
                },
            )
        )
        if refusal is not None:
            raise (NotFoundError if refusal.unknown else RefusedError)(str(refusal))
        # The same launch may have been sent a second time while this one was read: one of them started the run.
        return self.engine.state.commands.get(command, number)

    async def send(
        self, command: AnyCommand, sender: Sender, *, drive: bool = True
    ) -> Refusal | None:
        """Send a command; the run it is about is taken up first when nobody has it in memory.

        Raises `NotFoundError`, `DefinitionError`; `StorageError` when the history cannot be written.
        """
        self._require_writable()
        if not command.id or not command.actor:
            command = msgspec.structs.replace(
                command, id=command.id or new_command_id(), actor=command.actor or sender.actor
            )
        first = command if isinstance(command, GATES) else None
        if await self._load(command.run, sender, drive=drive, first=first):
            return None
        if isinstance(command, RetryNode | Rerun | Compensate):
            from studio.application.adopting import adopt_newest  # lazy: reads the code of nodes

            refusal = await adopt_newest(self.engine, self.code, self.location.root, command)
            if refusal is not None:
                return refusal
        return await self.engine.submit(command)

    async def take_up(self, run: int, sender: Sender) -> None:
        """Drive a run whose engine died. Raises `NotFoundError`, `DefinitionError`, `StorageError`."""
        self._require_writable()
        await self._load(run, sender, drive=True)

    async def forget_ended(self, keep: Collection[int]) -> None:
        """Drop ended runs from memory, oldest first, until at most `REMEMBERED` are left.

        Args:
            keep: runs that are being looked at.
        """
        runs = self.engine.state.runs
        ended = [number for number, run in runs.items() if run.ended and number not in keep]
        surplus = ended[: max(0, len(ended) - REMEMBERED)]
        if surplus:

            def forget() -> None:
                for number in surplus:
                    self.engine.forget_run(number)

            await self.engine.between_turns(forget)

    async def _load(
        self, number: int, sender: Sender, *, drive: bool, first: AnyCommand | None = None
    ) -> bool:
        """Have a run in memory. Returns whether the first command was taken before that."""
        async with self._taking_up:
            if number in self.engine.state.runs:
                return False
            row = self.reading.find(str(number))
            self._add_definitions(row.run)
            plan = plan_of(self._history.definition(VersionHash(row.version)))
            context = make_context(
                plan.workflow, self.location.root, self.location.state, sender.environ
            )
            if drive:
                # lazy: only what an engine left is taken up
                from studio.engine.recovery import recover

                contexts: dict[int, RunContext] = {row.run: context}
                found = await recover(self.engine, self._executor, contexts, first)
                return first is not None and found.refusal is None
            self.engine.contexts[row.run] = context
            await self.engine.between_turns(lambda: self.engine.load_run(row.run))
            return False

    def _add_definitions(self, number: RunNumber) -> None:
        for record in self._history.read(number):
            version = getattr(record.event, "version", None)
            if isinstance(version, str) and version not in self.engine.state.plans:
                self.engine.add_definition(
                    plan_of(self._history.definition(VersionHash(version))), None
                )

    # ----------------------------------------------------------------- looking

    def drives(self, number: int) -> bool:
        """Whether the engine has a run in memory."""
        return number in self.engine.state.runs

    def run(self, number: int) -> RunState:
        """The live state of a run in memory. Raises `NotFoundError`."""
        found = self.engine.state.runs.get(number)
        if found is None:
            raise NotFoundError(f"run {number} is not in memory")
        return found

    def view(self, run: int) -> RunView:
        """A replayed state of a run, as a reader sees it."""
        return self.reading.view(run)

    async def follow(self, run: int) -> AsyncIterator[Sequence[Record]]:
        """Records of a run from its start until it rests."""
        queue: asyncio.Queue[Sequence[Record]] = asyncio.Queue()
        unsubscribe = self.feed.subscribe(queue.put_nowait)
        try:
            old = list(self._history.read(RunNumber(run)))
            last = old[-1].position if old else 0
            if old:
                yield old
            while not (self.rests(run) and queue.empty()):
                getter = asyncio.ensure_future(queue.get())
                await self._next(getter)
                fresh = [r for r in getter.result() if r.run == run and r.position > last]
                if fresh:
                    last = fresh[-1].position
                    yield fresh
        finally:
            unsubscribe()

    async def _next(self, getter: "asyncio.Future[Sequence[Record]]") -> None:
        """Wait for records, or for the end of the engine. Raises what ended it."""
        engine = self.engine.task
        ends: list[asyncio.Future[Any]] = [getter, engine]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            unanswered = getter.cancel()
        if unanswered:
            engine.result()
            raise EngineStoppedError("the studio is closing")

    def rests(self, number: int) -> bool:
        """Whether a run cannot go on by itself: ended, in need of a person, or paused and drained."""
        run = self.engine.state.runs.get(number)
        if run is None:
            return True
        if not self.engine.settled(number):
            return False
        if run.ended:
            return True
        return phase_of(run) == "attention" or (run.paused and run.flying == 0)

    async def rest(self) -> None:
        """Wait until every run in memory rests."""
        while not all(self.rests(number) for number in list(self.engine.state.runs)):
            self._changed.clear()
            waiter = asyncio.ensure_future(self._changed.wait())
            ends: list[asyncio.Future[Any]] = [waiter, self.engine.task]
            try:
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            finally:
                unanswered = waiter.cancel()
            if unanswered:
                self.engine.task.result()
                return

    def _on_records(self, records: Sequence[Record]) -> None:
        self._changed.set()

    # ----------------------------------------------------------------- other processes

    async def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        sender = Sender(str(request.get("actor", "")), _environ(request.get("environ")))
        if "launch" in request:
            launch = msgspec.convert(request["launch"], Launch)
            return {"run": await self.launch(launch, sender)}
        if "command" in request:
            # By way of JSON: outputs travel as raw JSON, which `convert` does not take.
            body = msgspec.json.encode(request["command"])
            command: AnyCommand = msgspec.json.decode(body, type=AnyCommand)
            refusal = await self.send(command, sender)
            return {"refusal": msgspec.to_builtins(refusal)} if refusal is not None else {}
        if "take_up" in request:
            await self.take_up(int(request["take_up"]), sender)
            return {}
        if self.engine.task.done():
            self.engine.task.result()  # whoever follows a run from elsewhere has to know that nothing moves it
        return {
            "pid": os.getpid(),
            "state": str(self.location.state),
            "runs": list(self.engine.state.runs),
        }


def _pin(code: "PinnedCode", workflow: Workflow, version: str) -> str:
    """Store the code of a workflow as it is now; its address. Raises `StorageError`."""
    return code.keep(code.read(workflow), version)


def _environ(value: object) -> Mapping[str, str]:
    if not isinstance(value, dict):
        return {}
    return {str(name): str(text) for name, text in value.items()}


def new_command_id() -> str:
    """A client id for a command that came without one."""
    return uuid.uuid4().hex
