"""Speed of executing nodes: fresh fork per attempt, shell, warm worker; ``python -m bench executors``.

Each figure is set against a floor measured in the same run: a bare fork and reap for children, a round trip
over a socket pair for the warm worker.
"""

from __future__ import annotations

import asyncio
import os
import socket
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.rows import Figure
from studio.executors.registry import Executors
from studio.ids import NodePath, RunId, RunNumber
from studio.model.nodes import KindSettings, PythonSettings, ShellSettings
from studio.model.policies import Isolation
from studio.ports import AttemptKey, AttemptOrder, LogLine, Outcome, Succeeded

IN_FLIGHT = 8
"""Attempts kept going at once where throughput is measured."""


class _Logs:
    """Keeps nothing."""

    def write(self, key: AttemptKey, lines: Sequence[LogLine]) -> None:
        """Take lines."""

    def close(self, key: AttemptKey) -> None:
        """Take the end of an attempt."""

    def read(self, key: AttemptKey) -> Any:
        """Nothing was kept."""
        return iter(())

    def attempts(self, run: RunNumber, node: NodePath | None = None) -> list[AttemptKey]:
        """Nothing was kept."""
        return []


class _Sink:
    """Releases children and resolves a future per attempt."""

    def __init__(self) -> None:
        self.executors: Executors | None = None
        self.waiting: dict[AttemptKey, asyncio.Future[Outcome]] = {}

    def spawned(self, key: AttemptKey, pid: int, started: int) -> None:
        """Release at once."""
        assert self.executors is not None
        self.executors.release(key)

    def progressed(self, key: AttemptKey, fraction: float | None, message: str) -> None:
        """Not measured."""

    def logged(self, key: AttemptKey, lines: Sequence[LogLine]) -> None:
        """Not measured."""

    def finished(self, key: AttemptKey, outcome: Outcome) -> None:
        """Resolve."""
        self.waiting.pop(key).set_result(outcome)


class _Bench:
    """Executors in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "tiny.py").write_text("def double(x):\n    return {'x': 2 * x}\n")
        self._sink = _Sink()
        self.executors = Executors(_Logs())
        self.executors.bind(self._sink)
        self._sink.executors = self.executors
        self._count = 0

    async def once(self, settings: KindSettings, isolation: Isolation) -> float:
        """Carry out one attempt and return its seconds."""
        self._count += 1
        order = AttemptOrder(
            key=AttemptKey(RunNumber(1), NodePath(f"n{self._count}"), False, 1),
            run_id=RunId("bench"),
            workflow="bench",
            folder=str(self._folder),
            settings=settings,
            isolation=isolation,
            input={"x": self._count} if isinstance(settings, PythonSettings) else {},
            slots=(),
            env={"PATH": os.environ["PATH"]},
            env_slots=(),
            secrets={},
            idempotency_key="bench",
            result_file=str(self._folder / f"{self._count}.result"),
        )
        done = asyncio.get_running_loop().create_future()
        self._sink.waiting[order.key] = done
        began = time.perf_counter()
        self.executors.start(order)
        outcome = await done
        assert isinstance(outcome, Succeeded), outcome
        return time.perf_counter() - began

    async def rate(
        self, settings: KindSettings, isolation: Isolation, count: int, at_once: int
    ) -> float:
        """Carry out many attempts and return how many a second."""
        left = count

        async def lane() -> None:
            nonlocal left
            while left > 0:
                left -= 1
                await self.once(settings, isolation)

        began = time.perf_counter()
        await asyncio.gather(*(lane() for _ in range(at_once)))
        return count / (time.perf_counter() - began)


def _bare_forks(count: int) -> float:
    """Seconds of one bare fork and reap, the median."""
    times = []
    for _ in range(count):
        began = time.perf_counter()
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitpid(pid, 0)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def _bare_spawns(count: int) -> float:
    """Seconds of one ``sh -c :`` by posix_spawn and reap, the median."""
    times = []
    for _ in range(count):
        began = time.perf_counter()
        pid = os.posix_spawn("/bin/sh", ["sh", "-c", ":"], {})
        os.waitpid(pid, 0)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def _round_trips(count: int) -> float:
    """Round trips a second over a socket pair to another process, one at a time."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        while data := theirs.recv(4096):
            theirs.send(data)
        os._exit(0)
    theirs.close()
    began = time.perf_counter()
    for _ in range(count):
        ours.send(b"x" * 200)
        ours.recv(4096)
    rate = count / (time.perf_counter() - began)
    ours.shutdown(socket.SHUT_RDWR)
    ours.close()
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    return rate


async def _measure(folder: Path) -> list[Figure]:
    bench = _Bench(folder)
    began = time.perf_counter()
    await bench.executors.open()
    opened = time.perf_counter() - began
    call = PythonSettings(call="tiny:double")
    try:
        first = await bench.once(call, "process")
        for _ in range(20):  # by then the template is there
            await bench.once(call, "process")
        single = statistics.median([await bench.once(call, "process") for _ in range(100)])
        fresh = await bench.rate(call, "process", 400, IN_FLIGHT)
        shell = await bench.rate(ShellSettings(run=":"), "process", 400, IN_FLIGHT)
        await bench.rate(call, "shared", 500, 64)
        shared = await bench.rate(call, "shared", 10_000, 64)
        flooded, lag = await _flood(bench)
    finally:
        await bench.executors.close()
    fork, spawn = _bare_forks(100), _bare_spawns(100)
    return [
        _row("open the executors, ms", opened * 1e3, 0.0, "<= 60"),
        _row("first python call, ms", first * 1e3, fork * 1e3, ""),
        _row("python call in a fresh fork, p50 ms", single * 1e3, fork * 1e3, "<= 6"),
        _row("python calls in fresh forks, per s", fresh, 1 / fork, ">= 300"),
        _row("shell nodes, per s", shell, 1 / spawn, ">= 500"),
        _row("python calls in a warm worker, per s", shared, _round_trips(5_000), ">= 4000"),
        _row("a node that prints 1 GiB, s", flooded, _bare_flood(), ""),
        _row("lag of the loop meanwhile, p99 ms", lag * 1e3, 0.0, "<= 50"),
    ]


async def _flood(bench: _Bench) -> tuple[float, float]:
    """Carry out a node that prints 1 GiB; return its seconds, and the loop's lag in seconds, 99th percentile."""
    lags: list[float] = []

    async def watch() -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.001)
            lags.append(time.perf_counter() - began - 0.001)

    watching = asyncio.create_task(watch())
    script = "head -c 1073741824 /dev/zero | tr '\\0' 'x'"
    seconds = await bench.once(ShellSettings(run=script), "process")
    watching.cancel()
    return seconds, sorted(lags)[len(lags) * 99 // 100]


def _bare_flood() -> float:
    """Seconds to read the same 1 GiB from a pipe and throw it away."""
    read, write = os.pipe()
    argv = ["sh", "-c", "head -c 1073741824 /dev/zero | tr '\\0' 'x'"]
    actions = [(os.POSIX_SPAWN_DUP2, write, 1), (os.POSIX_SPAWN_CLOSE, read)]
    began = time.perf_counter()
    pid = os.posix_spawn("/bin/sh", argv, dict(os.environ), file_actions=actions)
    os.close(write)
    while os.read(read, 1 << 18):
        pass
    os.waitpid(pid, 0)
    os.close(read)
    return time.perf_counter() - began


def _row(name: str, measured: float, floor: float, target: str) -> Figure:
    """A figure whose unit stands at the end of its name, and whose target says which way is better."""
    title, _comma, unit = name.rpartition(", ")
    sign, _space, bound = target.partition(" ")
    return Figure(
        title,
        measured,
        unit.replace("p50 ", "").replace("p99 ", "").replace("per s", "/s"),
        float(bound) if bound else None,
        floor or None,
        "more" if sign == ">=" else "less",
    )


def run() -> list[Figure]:
    """Measure everything."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measure(Path(folder)))
