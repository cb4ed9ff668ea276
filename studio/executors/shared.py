"""Warm workers: long-lived children that answer many calls, for small functions without side effects."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import msgspec

from studio.errors import ExecutorError
from studio.executors.child_attempt import GO, encode_order, sealed_file
from studio.executors.endings import outcome_of_death, outcome_of_result
from studio.executors.fork_link import ForkLink
from studio.executors.freshness import Sources
from studio.executors.host import Host
from studio.executors.output import Output, Text
from studio.executors.python import without_secrets
from studio.executors.redaction import Redactor
from studio.executors.talk import Answer, Files, Gate, Logged, Printed, Progress, Talk, Told
from studio.executors.zygote.envelope import MAX_RESULT, Envelope
from studio.model.failure import Failure
from studio.ports import AttemptKey, Failed, Outcome, Stopped, Vanished

Key: TypeAlias = tuple[str, frozenset[tuple[str, str]], str]
"""Folder, environment and stored code: what a worker cannot change between two calls."""

WINDOW: Final = 16
"""Calls sent to one worker before the first is answered. Enough to hide the way there and back, few enough
that little waits behind a slow one."""

MAX_VERSIONS: Final = 2
"""Pools kept that differ in the stored code alone: what runs now, and what an older run still keeps to."""

MAX_WORKERS: Final = max(1, min(4, os.cpu_count() or 1))


@dataclass(eq=False)
class Call:
    """One attempt in a warm worker; also what the registry holds of it."""

    key: AttemptKey
    body: dict[str, Any]
    redactor: Redactor
    pool: Pool
    output: Output
    texts: dict[str, Text] = field(default_factory=dict)
    worker: Worker | None = None
    cancelled: bool = False

    def release(self) -> None:
        """A shared attempt has no gate: its start is on disk before its order exists."""

    def cancel(self, grace: float) -> None:
        """End the call: at once while it waits, else with its worker."""
        self.pool.cancel(self, grace)

    def abandon(self) -> None:
        """The engine closes; the worker is dead already."""
        self.finish(Stopped())

    def finish(self, outcome: Outcome) -> None:
        """Report the end."""
        for text in self.texts.values():
            text.finish()
        self.output.finish()
        self.pool.finish(self, outcome)


class Worker:
    """One warm worker; implements `fork_link.Forked`.

    Args:
        pool: the pool it belongs to.
        identity: its number on the zygote's link.
    """

    def __init__(self, pool: Pool, identity: int) -> None:
        self._pool = pool
        self.identity = identity
        self.calls: dict[int, Call] = {}
        self.sources: Sources | None = None
        self.retiring = False
        self._killer: asyncio.TimerHandle | None = None
        self._numbers = 0
        self._link: ForkLink | None = None
        self._talk: Talk | None = None
        self._ready = False
        self._early: list[bytes] = []

    def begin(self, link: ForkLink, body: dict[str, Any]) -> None:
        """Have the process forked. Raises `OSError`."""
        host = self._pool.host
        fds = [sealed_file(encode_order(body))]
        nowhere = [os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC) for _ in range(2)]
        mine, other = socket.socketpair()
        self._talk = Talk(host, mine, self._hear, longest=MAX_RESULT + 4096)
        self._link = link
        link.start(self.identity, self, (other.detach(), *nowhere, *fds))

    def send(self, call: Call) -> None:
        """Hand over a call."""
        self._numbers += 1
        call.worker = self
        self.calls[self._numbers] = call
        line = encode_order({"id": self._numbers, **call.body}) + b"\n"
        if self._ready and self._talk is not None:
            self._talk.send(line)
        else:
            self._early.append(line)

    def is_begun(self, call: Call) -> bool:
        """Whether a call may have begun: it is the first without an answer."""
        return next(iter(self.calls.values()), None) is call

    def skip(self, call: Call, grace: float) -> None:
        """Tell the process not to begin a call that waits behind another there."""
        number = next(number for number, each in self.calls.items() if each is call)
        line = msgspec.json.encode({"skip": number}) + b"\n"
        if self._ready and self._talk is not None:
            self._talk.send(line)
        else:
            self._early.append(line)
        self._pool.host.loop.call_later(grace, self._insist, number, call)

    def _insist(self, number: int, call: Call) -> None:
        """The grace of a skipped call is over and nothing was heard of it."""
        if self.calls.get(number) is not call:
            return
        if self.is_begun(call):
            self.kill(0)
            return
        # The call before it still runs, so the process reads of the skip before it could begin this one.
        del self.calls[number]
        call.finish(Stopped())

    def kill(self, grace: float) -> None:
        """End the process, gently at first."""
        self.retiring = True
        if self._link is None:
            return
        if grace > 0:
            self._link.signal(self.identity, signal.SIGTERM)
            if self._killer is None:
                self._killer = self._pool.host.loop.call_later(grace, self._kill_now)
        else:
            self._kill_now()

    def close(self) -> None:
        """Close the socket: a process that waits for calls ends."""
        self.retiring = True
        self.calls.clear()
        if self._talk is not None:
            self._talk.close()

    def ended(self, status: int, leftovers: int) -> None:
        """The process is dead: what it had begun is judged, the rest goes to another."""
        self._bury(lambda: outcome_of_death(status, "the warm worker"))

    def refused(self, why: str) -> None:
        """The system did not allow the fork."""
        text = f"no process could be started for it: {why}"
        outcome = Failed(Failure("OSError", text, "resource_exhausted"))
        calls = list(self.calls.values())
        self._bury(lambda: outcome)
        for call in calls[1:]:
            self._pool.withdraw(call, outcome)

    def lost(self, why: str) -> None:
        """The zygote is gone, and the process with it."""
        self._bury(lambda: Vanished(why))

    def _kill_now(self) -> None:
        if self._link is not None:
            self._link.signal(self.identity, signal.SIGKILL)

    def _bury(self, judge: Callable[[], Outcome]) -> None:
        if self._killer is not None:
            self._killer.cancel()
        if self._talk is not None:
            self._talk.close()
        calls, self.calls = list(self.calls.values()), {}
        self._pool.bury(self, calls, judge)

    def _hear(self, message: Told) -> None:
        if isinstance(message, Answer):
            call = self.calls.pop(message.id, None)
            if call is not None:
                found = outcome_of_result(Envelope(message.kind, bytes(message.body)))
                call.finish(Stopped() if call.cancelled else without_secrets(found, call.redactor))
            if self.retiring and not self.calls and self._killer is None:
                self.close()
            self._pool.pump()
        elif isinstance(message, Gate):
            self._open_gate()
        elif isinstance(message, Files):
            self.sources = Sources(message.files, message.folders)
        else:
            self._hear_call(message)

    def _hear_call(self, message: Told) -> None:
        assert not isinstance(message, Gate | Files | Answer)
        call = self.calls.get(getattr(message, "id", 0))
        if call is None:
            return
        if isinstance(message, Progress):
            call.output.progress(message.fraction, message.message)
        elif isinstance(message, Logged):
            call.output.log(message.level, message.text)
        elif isinstance(message, Printed):
            text = call.texts.get(message.stream)
            if text is None:
                text = call.texts[message.stream] = Text(call.output, message.stream)
            text.feed(message.text.encode())

    def _open_gate(self) -> None:
        if self._talk is not None and not self._ready:
            self._ready = True
            self._talk.send(GO + b"".join(self._early))
            self._early.clear()


class Pool:
    """The workers of one folder, environment and stored code.

    Args:
        host: surroundings.
        zygote: returns the link to the zygote; raises `ExecutorError`.
        numbers: source of identities on the zygote's link.
        key: what its workers have in common.
    """

    def __init__(
        self, host: Host, zygote: Callable[[], ForkLink], numbers: Iterator[int], key: Key
    ) -> None:
        self.host = host
        self._zygote = zygote
        self._numbers = numbers
        self._key = key
        self._workers: list[Worker] = []
        self._waiting: deque[Call] = deque()

    def add(self, call: Call) -> None:
        """Take a call."""
        self._waiting.append(call)
        self.pump()

    def pump(self) -> None:
        """Hand waiting calls to workers with room."""
        while self._waiting:
            worker = self._pick()
            if worker is None:
                return
            worker.send(self._waiting.popleft())

    def cancel(self, call: Call, grace: float) -> None:
        """End one call; those behind it in the same worker are not touched, or go to another one."""
        call.cancelled = True
        worker = call.worker
        if worker is None:
            self._waiting.remove(call)
            call.finish(Stopped())
        elif worker.is_begun(call):
            worker.kill(grace)
        else:
            worker.skip(call, grace)

    def withdraw(self, call: Call, outcome: Outcome) -> None:
        """End a call that waits."""
        if call in self._waiting:
            self._waiting.remove(call)
            call.finish(outcome)

    def finish(self, call: Call, outcome: Outcome) -> None:
        """Report the end of a call."""
        self.host.finish(call.key, outcome)

    def bury(self, worker: Worker, calls: list[Call], judge: Callable[[], Outcome]) -> None:
        """A worker is dead: end the call it had begun, pass the others on."""
        if worker in self._workers:
            self._workers.remove(worker)
        for call in reversed(calls[1:]):
            call.worker = None
            if call.cancelled:
                call.finish(Stopped())
            else:
                self._waiting.appendleft(call)
        if calls:
            calls[0].finish(Stopped() if calls[0].cancelled else judge())
        self.pump()

    @property
    def is_idle(self) -> bool:
        """Whether no call is under way or waits."""
        return not self._waiting and not any(worker.calls for worker in self._workers)

    def close(self) -> None:
        """Let go of every worker: those that are alive still end by it."""
        for worker in self._workers:
            worker.close()

    def _pick(self) -> Worker | None:
        usable = [worker for worker in self._workers if self._is_usable(worker)]
        best = min(usable, key=lambda worker: len(worker.calls), default=None)
        if best is None or (best.calls and len(usable) < MAX_WORKERS):
            # Not behind another call while there may be one more process: that call may hang.
            best = self._hire() or best
        return best if best is not None and len(best.calls) < WINDOW else None

    def _is_usable(self, worker: Worker) -> bool:
        if worker.retiring:
            return False
        if worker.sources is None or worker.sources.unchanged():
            return True
        worker.retiring = True
        if not worker.calls:
            worker.close()
        return False

    def _hire(self) -> Worker | None:
        folder, env, _pin = self._key
        worker = Worker(self, next(self._numbers))
        body = {
            "kind": "worker",
            "folder": folder,
            "env": dict(env),
            "limits": self.host.limits,
        }
        try:
            worker.begin(self._zygote(), body)
        except (OSError, ExecutorError) as error:
            if not self._workers:
                failure = Failure(type(error).__name__, str(error), "resource_exhausted")
                while self._waiting:
                    self._waiting.popleft().finish(Failed(failure))
            return None
        self._workers.append(worker)
        return worker


class SharedWorkers:
    """All pools.

    Args:
        host: surroundings.
        zygote: returns the link to the zygote; raises `ExecutorError`.
        numbers: source of identities on the zygote's link.
    """

    def __init__(self, host: Host, zygote: Callable[[], ForkLink], numbers: Iterator[int]) -> None:
        self._host = host
        self._zygote = zygote
        self._numbers = numbers
        self._pools: dict[Key, Pool] = {}

    def call(
        self, key: AttemptKey, body: dict[str, Any], env: Mapping[str, str], redactor: Redactor
    ) -> Call:
        """Make a call; `Pool.add` starts it."""
        where = (body["folder"], frozenset(env.items()), body["pin"])
        pool = self._pools.get(where)
        if pool is None:
            self._close_older(where)
            pool = Pool(self._host, self._zygote, self._numbers, where)
            self._pools[where] = pool
        return Call(key, body, redactor, pool, Output(self._host, key, redactor))

    def _close_older(self, key: Key) -> None:
        """Newer code comes into use: let workers with older code end, but for the last ones and those that work."""
        older = [each for each in self._pools if each[:2] == key[:2] and self._pools[each].is_idle]
        for each in older[: max(0, len(older) + 1 - MAX_VERSIONS)]:
            self._pools.pop(each).close()

    def close(self) -> None:
        """Forget every worker: their processes have died with the zygote."""
        for pool in self._pools.values():
            pool.close()
