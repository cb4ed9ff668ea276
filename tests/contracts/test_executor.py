"""What every `studio.ports.Executor` does, run over the real one and the scripted one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import pytest

from studio.executors.registry import Executors
from studio.ids import NodePath, RunId, RunNumber
from studio.model.nodes import KindSettings, NoopSettings, PythonSettings
from studio.ports import AttemptKey, AttemptOrder, Executor, LogLine, Outcome, Stopped, Succeeded
from studio.testing import ScriptedExecutor, Step, succeed
from tests.integration.executor_rig import MemoryLogs

SECONDS = 20.0
HANGS = "hangs"
RETURNS = "returns"
INLINE = "inline"


class Witness:
    """Records every report."""

    def __init__(self) -> None:
        self.spawns: dict[AttemptKey, list[tuple[int, int]]] = {}
        self.ends: dict[AttemptKey, list[Outcome]] = {}
        self._changed = asyncio.Event()

    def spawned(self, key: AttemptKey, pid: int, started: int) -> None:
        self.spawns.setdefault(key, []).append((pid, started))
        self._changed.set()

    def progressed(self, key: AttemptKey, fraction: float | None, message: str) -> None:
        self._changed.set()

    def logged(self, key: AttemptKey, lines: Sequence[LogLine]) -> None:
        self._changed.set()

    def finished(self, key: AttemptKey, outcome: Outcome) -> None:
        self.ends.setdefault(key, []).append(outcome)
        self._changed.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(SECONDS):
            while not condition():
                self._changed.clear()
                await self._changed.wait()


Make: TypeAlias = Callable[[], Executor]


def real() -> Executor:
    return Executors(MemoryLogs())


def scripted() -> Executor:
    def act(order: AttemptOrder) -> Step:
        if str(order.key.node) == HANGS:
            return Step(outcome=None, stop_takes=0.01)
        return succeed(order.input)

    return ScriptedExecutor(act)


@pytest.fixture(params=[real, scripted])
async def witness_and_executor(
    request: pytest.FixtureRequest,
) -> AsyncIterator[tuple[Witness, Executor]]:
    witness, executor = Witness(), request.param()
    executor.bind(witness)
    await executor.open()
    yield witness, executor
    await executor.close()


_KINDS: dict[str, KindSettings] = {
    RETURNS: PythonSettings(code="return ctx.input"),
    HANGS: PythonSettings(code="import time\ntime.sleep(600)"),
    INLINE: NoopSettings(),
}


def order(folder: Path, kind: str, attempt: int = 1) -> AttemptOrder:
    return AttemptOrder(
        key=AttemptKey(RunNumber(1), NodePath(kind), False, attempt),
        run_id=RunId("r"),
        workflow="w",
        folder=str(folder),
        settings=_KINDS[kind],
        isolation="process",
        input={"x": attempt},
        slots=(),
        env={},
        env_slots=(),
        secrets={},
        idempotency_key="k",
        result_file=str(folder / f"{kind}-{attempt}.result"),
    )


Both: TypeAlias = tuple[Witness, Executor]


async def test_child_waits_at_its_gate_then_ends_once(
    witness_and_executor: Both, tmp_path: Path
) -> None:
    witness, executor = witness_and_executor
    one = order(tmp_path, RETURNS)
    executor.start(one)
    await witness.until(lambda: one.key in witness.spawns)
    pid, _ = witness.spawns[one.key][0]
    assert pid > 0
    assert one.key not in witness.ends
    executor.release(one.key)
    await witness.until(lambda: one.key in witness.ends)
    assert witness.ends[one.key] == [Succeeded(b'{"x":1}')]
    assert len(witness.spawns[one.key]) == 1


async def test_kind_without_a_child_ends_without_a_gate(
    witness_and_executor: Both, tmp_path: Path
) -> None:
    witness, executor = witness_and_executor
    one = order(tmp_path, INLINE)
    executor.start(one)
    await witness.until(lambda: one.key in witness.ends)
    assert witness.ends[one.key] == [Succeeded(b'{"x":1}')]
    assert one.key not in witness.spawns


async def test_attempts_side_by_side_keep_their_own_ends(
    witness_and_executor: Both, tmp_path: Path
) -> None:
    witness, executor = witness_and_executor
    orders = [order(tmp_path, RETURNS, attempt) for attempt in range(1, 9)]
    for one in orders:
        executor.start(one)
    await witness.until(lambda: len(witness.spawns) == len(orders))
    for one in reversed(orders):
        executor.release(one.key)
    await witness.until(lambda: len(witness.ends) == len(orders))
    for one in orders:
        assert witness.ends[one.key] == [Succeeded(b'{"x":%d}' % one.key.attempt)]


@pytest.mark.parametrize("grace", [0.0, 5.0])
async def test_cancel_ends_a_running_attempt_as_stopped(
    witness_and_executor: Both, tmp_path: Path, grace: float
) -> None:
    witness, executor = witness_and_executor
    one = order(tmp_path, HANGS)
    executor.start(one)
    await witness.until(lambda: one.key in witness.spawns)
    executor.release(one.key)
    executor.cancel(one.key, grace)
    executor.cancel(one.key, grace)
    await witness.until(lambda: one.key in witness.ends)
    assert witness.ends[one.key] == [Stopped()]


async def test_cancel_at_the_gate_keeps_it_shut(witness_and_executor: Both, tmp_path: Path) -> None:
    witness, executor = witness_and_executor
    one = order(tmp_path, RETURNS)
    executor.start(one)
    await witness.until(lambda: one.key in witness.spawns)
    executor.cancel(one.key, 5.0)
    executor.release(one.key)
    await witness.until(lambda: one.key in witness.ends)
    assert witness.ends[one.key] == [Stopped()]


async def test_cancel_right_after_the_start(witness_and_executor: Both, tmp_path: Path) -> None:
    witness, executor = witness_and_executor
    one = order(tmp_path, RETURNS)
    executor.start(one)
    executor.cancel(one.key, 5.0)
    await witness.until(lambda: one.key in witness.ends)
    assert witness.ends[one.key] == [Stopped()]


async def test_release_and_cancel_of_what_is_over_do_nothing(
    witness_and_executor: Both, tmp_path: Path
) -> None:
    witness, executor = witness_and_executor
    one = order(tmp_path, INLINE)
    executor.release(one.key)
    executor.cancel(one.key, 1.0)
    executor.start(one)
    await witness.until(lambda: one.key in witness.ends)
    executor.release(one.key)
    executor.cancel(one.key, 1.0)
    assert len(witness.ends[one.key]) == 1


async def test_result_of_a_finished_attempt_is_recovered(
    witness_and_executor: Both, tmp_path: Path
) -> None:
    witness, executor = witness_and_executor
    one = order(tmp_path, RETURNS)
    executor.start(one)
    await witness.until(lambda: one.key in witness.spawns)
    pid, started = witness.spawns[one.key][0]
    executor.release(one.key)
    await witness.until(lambda: one.key in witness.ends)
    for _ in range(2):
        assert executor.recover(pid, started, one.result_file) == Succeeded(b'{"x":1}')
    assert executor.recover(pid, started, f"{one.result_file}.other") is None


@pytest.mark.parametrize("make", [real, scripted])
async def test_close_reports_nothing_of_what_was_in_flight(make: Make, tmp_path: Path) -> None:
    witness, executor = Witness(), make()
    executor.bind(witness)
    await executor.open()
    one = order(tmp_path, HANGS)
    executor.start(one)
    await witness.until(lambda: one.key in witness.spawns)
    executor.release(one.key)
    await executor.close()
    assert witness.ends == {}
