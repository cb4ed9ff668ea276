"""What tests of workflows need: a clock to turn, time that passes by itself, executors that act by script.

Nothing here sleeps, forks or touches a disk. A test runs the real engine on a `VirtualLoop` over a
`MemoryHistory`, with a `ScriptedExecutor` in place of child processes::

    async def scenario():
        executor = ScriptedExecutor({"charge": [fail("ConnectionError", "transient"), succeed({"ok": True})]})
        engine = Engine(MemoryHistory(), executor, MemoryValues(), LoopClock())
        ...

    run_virtual(scenario())
"""

from __future__ import annotations

import asyncio
import hashlib
import selectors
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import msgspec

from studio.errors import NotFoundError
from studio.model.failure import Failure
from studio.model.terms import ErrorCategory
from studio.ports import (
    AttemptKey,
    AttemptOrder,
    AttemptSink,
    Failed,
    Outcome,
    Stopped,
    Succeeded,
    Vanished,
)
from studio.storage.memory_history import AppendHooks, MemoryHistory

__all__ = [
    "EPOCH",
    "AppendHooks",
    "FakeClock",
    "LoopClock",
    "MemoryHistory",
    "MemoryValues",
    "ScriptedExecutor",
    "Step",
    "VirtualLoop",
    "fail",
    "run_virtual",
    "succeed",
]

EPOCH = 1_700_000_000.0
"""Where fake time begins, seconds since the epoch: a fixed date, so that stored moments look like moments."""

T = TypeVar("T")


# --------------------------------------------------------------------------- time


class FakeClock:
    """A `studio.ports.Clock` that stands still until it is turned.

    Args:
        start: first answer, seconds since the epoch.
    """

    def __init__(self, start: float = EPOCH) -> None:
        self._now = start

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Turn the clock forward. Raises ValueError for a negative number: clocks do not go backwards."""
        if seconds < 0:
            raise ValueError(f"a clock cannot go back by {-seconds:g} s")
        self._now += seconds


class LoopClock:
    """A `studio.ports.Clock` that reads the running event loop, so that timers and commands share one time.

    Args:
        start: answer at the loop's time 0, seconds since the epoch.
    """

    def __init__(self, start: float = EPOCH) -> None:
        self._start = start

    def now(self) -> float:
        """Seconds since the epoch. Raises RuntimeError outside of a running loop."""
        return self._start + asyncio.get_running_loop().time()


class _Jump:
    """A selector that never sleeps: where the loop would wait for a timer, the time jumps there instead."""

    def __init__(self, real: selectors.BaseSelector, jump: Callable[[float], None]) -> None:
        self._real = real
        self._jump = jump

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:  # no timer at all: only another thread or a descriptor can go on
            return self._real.select(None)
        if timeout > 0:
            found = self._real.select(0)
            if not found:
                self._jump(timeout)
            return found
        return []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time starts at 0 and jumps to the next timer whenever nothing else is to be done.

    ``await asyncio.sleep(3600)`` takes no time at all, and two timers fire in exactly the order of their moments.
    Work handed to threads is picked up, but virtual time may pass meanwhile; a loop that waits for something that
    never comes waits really, so give scenarios a timeout (`run_virtual` does).
    """

    def __init__(self) -> None:
        real = selectors.DefaultSelector()
        self._now = 0.0
        super().__init__(_Jump(real, self._advance))  # type: ignore[arg-type]  # delegates all but `select`

    def _advance(self, seconds: float) -> None:
        self._now += seconds

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._now


def run_virtual(scenario: Coroutine[Any, Any, T], *, limit: float = 1e7) -> T:
    """Run a coroutine to its end in virtual time.

    Args:
        scenario: what to run.
        limit: virtual seconds after which it is given up.

    Raises:
        TimeoutError: the scenario did not come to an end within the limit.
    """
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(asyncio.wait_for(scenario, limit))
    finally:
        _cancel_all(loop)
        loop.close()


def _cancel_all(loop: VirtualLoop) -> None:
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))


# --------------------------------------------------------------------------- storage


class MemoryValues:
    """A `studio.ports.Values` in memory."""

    def __init__(self) -> None:
        self._bodies: dict[str, bytes] = {}

    def put(self, body: bytes) -> str:
        """Keep bytes and return their address (SHA-256 in hexadecimal)."""
        address = hashlib.sha256(body).hexdigest()
        self._bodies[address] = body
        return address

    def get(self, address: str) -> bytes:
        """Raises `NotFoundError`."""
        try:
            return self._bodies[address]
        except KeyError:
            raise NotFoundError(f"There is no value {address[:12]}.") from None

    def place(self, address: str) -> str:
        """No file holds them."""
        return ""


# --------------------------------------------------------------------------- executors


RETURNS_NULL = Succeeded(b"null")


@dataclass(frozen=True, slots=True)
class Step:
    """What one attempt does.

    Args:
        outcome: how it ends by itself; None for an attempt that hangs until it is cancelled.
        takes: seconds from its release (its start, without a child) to its end.
        spawns: whether it has a child that waits behind a gate; None to go by the kind of node.
        spawn_takes: seconds from its start until the child stands at its gate.
        report_takes: seconds between the result file and the report, in which a crash leaves the file behind.
        stop_takes: seconds from a cancel to its end; never more than the grace time.
        echoes: reports that come after the first one, with their delays in seconds: late, duplicate or forged.
    """

    outcome: Outcome | None = RETURNS_NULL
    takes: float = 0.0
    spawns: bool | None = None
    spawn_takes: float = 0.0
    report_takes: float = 0.0
    stop_takes: float = 0.0
    echoes: tuple[tuple[float, Outcome], ...] = ()


def succeed(value: Any = None, port: str = "", **timing: Any) -> Step:
    """An attempt that returns a JSON value, leaving by a port. ``timing``: further arguments of `Step`."""
    return Step(Succeeded(msgspec.json.encode(value), port), **timing)


def fail(
    type: str = "RuntimeError",
    category: ErrorCategory = "unexpected",
    message: str = "scripted failure",
    **timing: Any,
) -> Step:
    """An attempt that raises. ``timing``: further arguments of `Step`."""
    return Step(Failed(Failure(type, message, category)), **timing)


Script: TypeAlias = Callable[[AttemptOrder], Step] | Mapping[str, Sequence[Step]]
"""A function from the order to what it does, or the steps of each node, forward attempts and undos (``NODE:undo``)
counted apart; the last step of a node is repeated. Nodes without a script return their input."""

CHILD_KINDS = frozenset({"python", "shell"})
"""Kinds whose attempts run in a child process behind a gate."""


class Acting:
    """An attempt under way in a `ScriptedExecutor`."""

    __slots__ = ("_timers", "order", "step", "stopping")

    def __init__(self, order: AttemptOrder, step: Step) -> None:
        self.order = order
        self.step = step
        self.stopping = False
        self._timers: list[asyncio.TimerHandle] = []

    def later(self, delay: float, act: Callable[[], None]) -> None:
        """Act after ``delay`` seconds, unless the attempt is over by then."""
        self._timers.append(asyncio.get_running_loop().call_later(delay, act))

    def forget(self) -> None:
        """The attempt does nothing any more."""
        for timer in self._timers:
            timer.cancel()


class ScriptedExecutor:
    """A `studio.ports.Executor` that acts by script, in the time of the running loop.

    Args:
        script: what attempts do.
        results: result files by path; give the same mapping to the next executor to simulate a crash.

    Attributes:
        started: keys of all orders, in order.
        executed: keys of all attempts that ran: released, or without a child.
        acting: attempts that have not reported an end.
    """

    def __init__(
        self, script: Script | None = None, results: dict[str, Outcome] | None = None
    ) -> None:
        self.started: list[AttemptKey] = []
        self.executed: list[AttemptKey] = []
        self.acting: dict[AttemptKey, Acting] = {}
        self.results: dict[str, Outcome] = {} if results is None else results
        self._script = script if script is not None else {}
        self._sink: AttemptSink | None = None
        self._calls: dict[str, int] = {}
        self._dead = False
        self._pid = 1000

    def bind(self, sink: AttemptSink) -> None:
        """Say where to report to."""
        self._sink = sink

    async def open(self) -> None:
        """Nothing has to be started."""

    def start(self, order: AttemptOrder) -> None:
        """Begin an attempt."""
        self.started.append(order.key)
        step = self.step_of(order)
        spawns = order.settings.uses in CHILD_KINDS if step.spawns is None else step.spawns
        acting = Acting(order, step)
        self.acting[order.key] = acting
        if spawns:
            acting.later(step.spawn_takes, lambda: self._spawn(acting))
        else:
            self._execute(acting)

    def release(self, key: AttemptKey) -> None:
        """Open the gate of a spawned child."""
        acting = self.acting.get(key)
        if acting is not None and not acting.stopping:
            self.run_child(key)
            self._execute(acting)

    def cancel(self, key: AttemptKey, grace: float) -> None:
        """End an attempt, at the latest after ``grace`` seconds."""
        acting = self.acting.get(key)
        if acting is None or acting.stopping:
            return
        acting.stopping = True
        acting.later(min(acting.step.stop_takes, grace), lambda: self._end(acting, Stopped()))

    def recover(self, pid: int, started: int, result_file: str) -> Outcome | None:
        """The result an earlier executor's child left behind, None when there is none."""
        return self.results.get(result_file)

    async def close(self) -> None:
        """End every attempt."""
        self.die()

    def die(self) -> None:
        """The engine's process is gone: nothing happens any more, no child lives on."""
        self._dead = True
        for acting in self.acting.values():
            acting.forget()
        self.acting.clear()

    def step_of(self, order: AttemptOrder) -> Step:
        """What the attempt is going to do."""
        if callable(self._script):
            return self._script(order)
        name = str(order.key.node) + (":undo" if order.key.undo else "")
        steps = self._script.get(name)
        if not steps:
            return succeed(order.input)
        call = self._calls.get(name, 0)
        self._calls[name] = call + 1
        return steps[min(call, len(steps) - 1)]

    def run_child(self, key: AttemptKey) -> None:
        """Called when a child passes its gate; a subclass may count."""

    def _spawn(self, acting: Acting) -> None:
        self._pid += 1
        self._report_to().spawned(acting.order.key, self._pid, self._pid)

    def _execute(self, acting: Acting) -> None:
        self.executed.append(acting.order.key)
        if acting.step.outcome is not None:
            acting.later(acting.step.takes, lambda: self._finish(acting))

    def _finish(self, acting: Acting) -> None:
        outcome = acting.step.outcome
        if outcome is None:
            return
        if not isinstance(outcome, Vanished):
            self.results[acting.order.result_file] = outcome
        acting.later(acting.step.report_takes, lambda: self._end(acting, outcome))

    def _end(self, acting: Acting, outcome: Outcome) -> None:
        key = acting.order.key
        if self.acting.pop(key, None) is None:
            return
        acting.forget()
        self._report_to().finished(key, outcome)
        loop = asyncio.get_running_loop()
        for delay, echo in acting.step.echoes:
            loop.call_later(delay, self._echo, key, echo)

    def _echo(self, key: AttemptKey, outcome: Outcome) -> None:
        if not self._dead:
            self._report_to().finished(key, outcome)

    def _report_to(self) -> AttemptSink:
        if self._sink is None:
            raise RuntimeError("the executor was not bound to an engine")
        return self._sink
