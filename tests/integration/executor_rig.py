"""A recording sink, a log store in memory, and orders: what tests of executors need."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from studio.executors.host import Caps
from studio.executors.registry import DEFAULT_LIMITS, Executors
from studio.executors.zygote import system
from studio.executors.zygote.pinned import pack
from studio.ids import NodePath, RunId, RunNumber
from studio.model.expressions import SecretSlot
from studio.model.failure import Failure
from studio.model.nodes import KindSettings, PythonSettings, ShellSettings
from studio.model.policies import Isolation
from studio.ports import (
    AttemptKey,
    AttemptOrder,
    Failed,
    LogLine,
    Outcome,
    Succeeded,
)

SECONDS = 20.0
"""No attempt of a test takes longer; a bound against hanging, not an expectation."""


class MemoryLogs:
    """A log store in memory."""

    def __init__(self) -> None:
        self.lines: dict[AttemptKey, list[LogLine]] = {}
        self.closed: list[AttemptKey] = []

    def write(self, key: AttemptKey, lines: Sequence[LogLine]) -> None:
        self.lines.setdefault(key, []).extend(lines)

    def close(self, key: AttemptKey) -> None:
        self.closed.append(key)

    def read(self, key: AttemptKey) -> Iterator[LogLine]:
        return iter(self.lines.get(key, []))

    def attempts(self, run: RunNumber, node: NodePath | None = None) -> list[AttemptKey]:
        return [key for key in self.lines if key.run == run and node in (None, key.node)]


@dataclass
class Recorded:
    """What was reported about one attempt."""

    finished: asyncio.Future[Outcome]
    spawned: asyncio.Future[tuple[int, int]]
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    progress: list[tuple[float | None, str]] = field(default_factory=list)
    logged: list[LogLine] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)


class RecordingSink:
    """Keeps every report. Releases children by itself unless told not to."""

    def __init__(self) -> None:
        self.attempts: dict[AttemptKey, Recorded] = {}
        self.executors: Executors | None = None
        self.holds = False

    def __getitem__(self, key: AttemptKey) -> Recorded:
        if key not in self.attempts:
            loop = asyncio.get_running_loop()
            self.attempts[key] = Recorded(loop.create_future(), loop.create_future())
        return self.attempts[key]

    def spawned(self, key: AttemptKey, pid: int, started: int) -> None:
        self[key].spawned.set_result((pid, started))
        if not self.holds and self.executors is not None:
            self.executors.release(key)

    def progressed(self, key: AttemptKey, fraction: float | None, message: str) -> None:
        self[key].progress.append((fraction, message))
        self[key].begun.set()

    def logged(self, key: AttemptKey, lines: Sequence[LogLine]) -> None:
        self[key].logged.extend(lines)
        self[key].begun.set()

    def finished(self, key: AttemptKey, outcome: Outcome) -> None:
        record = self[key]
        record.outcomes.append(outcome)
        if not record.finished.done():
            record.finished.set_result(outcome)


class Rig:
    """Executors under test, in a folder of their own."""

    def __init__(
        self, folder: Path, caps: Caps | None = None, limits: Mapping[str, int] = DEFAULT_LIMITS
    ) -> None:
        self.folder = folder / "project"
        self.results = folder / "results"
        self.folder.mkdir()
        self.results.mkdir()
        self.logs = MemoryLogs()
        self.sink = RecordingSink()
        self.executors = Executors(self.logs, caps=caps, limits=limits)
        self.executors.bind(self.sink)
        self.sink.executors = self.executors
        self._numbers = itertools.count(1)

    async def __aenter__(self) -> Rig:
        await self.executors.open()
        return self

    async def __aexit__(self, *reason: object) -> None:
        await self.executors.close()

    def module(self, name: str, source: str) -> Path:
        """Write a module of the project."""
        path = self.folder / f"{name}.py"
        path.write_text(source)
        return path

    def pin(self) -> str:
        """Store all modules as they are now; the path of the file."""
        texts = {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in self.folder.rglob("*.py")
        }
        place = self.results.parent / f"pin{next(self._numbers)}"
        place.write_bytes(pack(texts))
        return str(place)

    def order(
        self,
        settings: KindSettings,
        input: Any = None,
        *,
        isolation: Isolation = "process",
        secrets: Mapping[str, str] | None = None,
        slots: tuple[SecretSlot, ...] = (),
        env: Mapping[str, str] | None = None,
        env_slots: tuple[SecretSlot, ...] = (),
        sensitive: tuple[str, ...] = (),
        scope: Mapping[str, object] | None = None,
        pin: str = "",
    ) -> AttemptOrder:
        """An order for a new attempt."""
        number = next(self._numbers)
        return AttemptOrder(
            key=AttemptKey(RunNumber(1), NodePath(f"node{number}"), False, 1),
            run_id=RunId("run-1"),
            workflow="test",
            folder=str(self.folder),
            settings=settings,
            isolation=isolation,
            input={} if input is None else input,
            slots=slots,
            env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"} if env is None else env,
            env_slots=env_slots,
            secrets=secrets or {},
            idempotency_key=f"key-{number}",
            result_file=str(self.results / f"{number}.result"),
            sensitive=sensitive,
            scope=scope or {},
            pin=pin,
        )

    def start(self, order: AttemptOrder) -> Recorded:
        """Start an order and return what will be reported about it."""
        record = self.sink[order.key]
        self.executors.start(order)
        return record

    async def run(self, settings: KindSettings, input: Any = None, **more: Any) -> Outcome:
        """Carry out one attempt."""
        return await self.outcome(self.start(self.order(settings, input, **more)))

    async def outcome(self, record: Recorded) -> Outcome:
        """Wait for the end of an attempt."""
        return await asyncio.wait_for(asyncio.shield(record.finished), SECONDS)

    async def call(self, call: str, input: Any = None, **more: Any) -> Outcome:
        """Carry out a function of the project."""
        return await self.run(PythonSettings(call=call), input, **more)

    async def code(self, code: str, input: Any = None, **more: Any) -> Outcome:
        """Carry out a block of code."""
        return await self.run(PythonSettings(code=code), input, **more)

    async def shell(self, script: str, **more: Any) -> Outcome:
        """Carry out a script."""
        output = more.pop("output", None)
        return await self.run(ShellSettings(run=script, output=output), **more)

    def text(self, record: Recorded | None = None) -> str:
        """Everything logged, of one attempt or of all."""
        records = [record] if record is not None else list(self.sink.attempts.values())
        return "\n".join(line.text for each in records for line in each.logged)


def output(outcome: Outcome) -> Any:
    """The output of a success."""
    assert isinstance(outcome, Succeeded), outcome
    return msgspec.json.decode(outcome.output)


def failure(outcome: Outcome) -> Failure:
    """The failure of a failed attempt."""
    assert isinstance(outcome, Failed), outcome
    return outcome.failure


def alive(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except FileNotFoundError:
        return False
    return stat[stat.rindex(b")") + 2 :].split()[0] != b"Z"


def parent_of(pid: int) -> int:
    """Process id of a process's parent."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def descendants_marked(mark: str) -> list[int]:
    """Living processes that carry the mark of a zygote, the zygote included."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit() and alive(int(name)):
            try:
                environ = Path(f"/proc/{name}/environ").read_bytes()
            except OSError:
                continue
            if f"STUDIO_ZYGOTE={mark}".encode() in environ.split(b"\0"):
                found.append(int(name))
    return found


def linux() -> bool:
    """Whether the system has /proc and subreapers."""
    return system.LINUX
