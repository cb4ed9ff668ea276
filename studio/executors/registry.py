"""The executor of the engine: which kind of node is carried out how."""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import Mapping
from typing import Protocol

from studio.errors import ExecutorError, ExpressionError
from studio.executors import python, remains, shell
from studio.executors.child_attempt import ChildAttempt
from studio.executors.fork_link import Forked, ForkLink
from studio.executors.host import Caps, Host
from studio.executors.inline import InlineAttempt
from studio.executors.redaction import Redactor
from studio.executors.shared import SharedWorkers
from studio.executors.templates import Templates
from studio.executors.zygote.framing import Message
from studio.executors.zygote_process import Zygote
from studio.model.failure import Failure
from studio.model.nodes import (
    BranchSettings,
    NoopSettings,
    PythonSettings,
    ShellSettings,
    TransformSettings,
)
from studio.ports import (
    AttemptKey,
    AttemptOrder,
    AttemptSink,
    Failed,
    LogStore,
    Outcome,
    Stopped,
)

DEFAULT_LIMITS: Mapping[str, int] = {"core": 0}
MAX_REDACTORS = 32


class Attempt(Protocol):
    """An attempt in flight that has a process."""

    def release(self) -> None: ...

    def cancel(self, grace: float) -> None: ...

    def abandon(self) -> None:
        """The engine closes and the process is gone: let go of everything."""
        ...


class Executors:
    """Implements `studio.ports.Executor` for every kind of node but ``wait``, which is the engine's own.

    All methods but `recover` belong to the loop that `open` was called on.

    Args:
        logs: where output is kept.
        interpreter: Python for user code; its installed packages are what user code can import.
        caps: how much output is kept of each attempt.
        limits: resource limits of each child by name: ``core`` and ``memory`` in bytes, ``processes`` and
            ``descriptors`` as counts; see setrlimit(2).
    """

    def __init__(
        self,
        logs: LogStore,
        *,
        interpreter: str = sys.executable,
        caps: Caps | None = None,
        limits: Mapping[str, int] = DEFAULT_LIMITS,
    ) -> None:
        self._logs = logs
        self._interpreter = interpreter
        self._caps = caps or Caps()
        self._limits = dict(limits)
        self._sink: AttemptSink | None = None
        self._attempts: dict[AttemptKey, Attempt | InlineAttempt] = {}
        self._redactors: dict[tuple[tuple[str, str], ...], Redactor] = {}
        self._numbers = itertools.count(1)
        self._opened = False
        self._closing = False

    def bind(self, sink: AttemptSink) -> None:
        """Say where to report to; called once, before `open`."""
        self._sink = sink

    async def open(self) -> None:
        """See `begin`."""
        self.begin()

    def begin(self) -> None:
        """Start the zygote, which gets ready by itself; does not wait for it. Called within the loop.

        Raises:
            ExecutorError: when the interpreter cannot be started.
        """
        if self._sink is None:
            raise ExecutorError("bind a sink before opening the executors")
        loop = asyncio.get_running_loop()
        self._host = Host(loop, self._sink, self._logs, self._finish, self._caps, self._limits)
        self._zygote = Zygote(loop, self._interpreter, self._hear_zygote, self._lose_zygote)
        self._templates = Templates(self._host, self._zygote, self._numbers)
        self._shared = SharedWorkers(self._host, self._zygote.link, self._numbers)
        self._opened = True
        self._zygote.link()

    @property
    def zygote_pid(self) -> int | None:
        """Process id of the zygote, None while there is none; shown by ``studio doctor``."""
        return self._zygote.pid

    @property
    def zygote_mark(self) -> str:
        """What every descendant of the zygote carries as ``STUDIO_ZYGOTE`` in its environment."""
        return self._zygote.mark

    def start(self, order: AttemptOrder) -> None:
        """Begin an attempt; what cannot be begun is reported as failed."""
        settings = order.settings
        try:
            if isinstance(settings, NoopSettings | BranchSettings | TransformSettings):
                self._start_inline(order)
            elif isinstance(settings, PythonSettings):
                self._start_python(order, settings)
            elif isinstance(settings, ShellSettings):
                self._start_shell(order, settings)
            else:
                raise ExecutorError(f"no executor carries out nodes of kind {settings.uses}")
        except ExpressionError as error:
            self._finish(order.key, Failed(Failure("ExpressionError", error.message, "validation")))
        except ExecutorError as error:
            self._finish(order.key, Failed(Failure("ExecutorError", str(error))))
        except OSError as error:
            text = f"the engine cannot start it: {error}"
            failure = Failure(type(error).__name__, text, "resource_exhausted", ("OSError",))
            self._finish(order.key, Failed(failure))

    def release(self, key: AttemptKey) -> None:
        """Open the gate of a spawned child."""
        attempt = self._attempts.get(key)
        if attempt is not None and not isinstance(attempt, InlineAttempt):
            attempt.release()

    def cancel(self, key: AttemptKey, grace: float) -> None:
        """End an attempt; does nothing when it is over."""
        attempt = self._attempts.get(key)
        if isinstance(attempt, InlineAttempt):
            attempt.cancel()
            self._finish(key, Stopped())
        elif attempt is not None:
            attempt.cancel(grace)

    def recover(self, pid: int, started: int, result_file: str) -> Outcome | None:
        """Make sure a child of an earlier engine is gone, then look for its result; see `remains`."""
        return remains.recover(pid, started, result_file)

    async def close(self) -> None:
        """End every attempt and the zygote; no process is left.

        Attempts in flight are not reported: nobody cancelled them, and the next engine finds them as
        interrupted.
        """
        if self._closing or not self._opened:
            return
        self._closing = True
        self._templates.close()
        await self._zygote.close()
        for key, attempt in list(self._attempts.items()):
            if isinstance(attempt, InlineAttempt):
                self.cancel(key, 0)
            else:
                attempt.abandon()  # flushes its output and gives back its descriptors
        self._shared.close()

    def _start_inline(self, order: AttemptOrder) -> None:
        key = order.key
        attempt = InlineAttempt(
            order, self._host.loop.call_soon, lambda outcome: self._finish(key, outcome)
        )
        self._attempts[key] = attempt
        attempt.run()

    def _start_python(self, order: AttemptOrder, settings: PythonSettings) -> None:
        redactor = self._redactor(order)
        env = python.environment_of(order)
        if order.isolation == "shared":
            call = self._shared.call(order.key, python.call_of(order, settings), env, redactor)
            self._attempts[order.key] = call
            call.pool.add(call)
            return
        module = python.module_of(settings)
        link = None
        if module is not None:
            link = self._templates.find(order.folder, module, env, order.pin)
        work = python.work_of(order, settings, env, redactor, self._limits)
        self._begin(ChildAttempt(self._host, order, work, next(self._numbers)), link)

    def _start_shell(self, order: AttemptOrder, settings: ShellSettings) -> None:
        work = shell.work_of(order, settings, self._redactor(order), self._limits)
        self._begin(ChildAttempt(self._host, order, work, next(self._numbers)), None)

    def _begin(self, attempt: ChildAttempt, link: ForkLink | None) -> None:
        attempt.begin(link if link is not None else self._zygote.link())
        self._attempts[attempt.key] = attempt

    def _redactor(self, order: AttemptOrder) -> Redactor:
        """One redactor serves all orders with the same secrets."""
        key = tuple(sorted(order.secrets.items()))
        redactor = self._redactors.get(key)
        if redactor is None:
            if len(self._redactors) >= MAX_REDACTORS:
                self._redactors.clear()
            redactor = self._redactors[key] = Redactor(order.secrets)
        return redactor

    def _finish(self, key: AttemptKey, outcome: Outcome) -> None:
        self._attempts.pop(key, None)
        self._logs.close(key)
        if not self._closing:
            assert self._sink is not None, "nothing starts before bind"
            self._sink.finished(key, outcome)

    def _hear_zygote(self, message: Message) -> None:
        if message["op"] == "swept":
            self._templates.swept(message["id"])

    def _lose_zygote(self, forked: list[Forked]) -> None:
        for each in [*forked, *self._templates.forget()]:
            each.lost("the process that runs user code died")
