"""The engine when its storage fails, when it has a defect, and when it is closed while others wait."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from studio.core.commands import PauseRun, ResumeRun, StartRun
from studio.core.events import NodeSkipped
from studio.core.plan import Plan
from studio.core.turn import replay
from studio.engine.feed import EngineFailed, News, StorageNews
from studio.engine.large_results import INLINE_RESULT
from studio.engine.loop import STORAGE_RETRY, Engine
from studio.engine.orders import RunContext
from studio.errors import EngineStoppedError, StorageError
from studio.ids import RunNumber, VersionHash
from studio.model.nodes import Node, NoopSettings, PythonSettings
from studio.model.workflow import Workflow
from studio.ports import Batch, Definition, RunFilter
from studio.testing import (
    FakeClock,
    LoopClock,
    MemoryHistory,
    MemoryValues,
    ScriptedExecutor,
    run_virtual,
    succeed,
)
from tests.unit.core.driver import edges

FULL = StorageError("no space left on the device", errno.ENOSPC)


OVERLAPPING = {"b": [succeed(spawn_takes=1, takes=1)], "c": [succeed(takes=5)]}
"""While ``c`` is under way, all appends are about other nodes."""


def _diamond() -> Workflow:
    python = PythonSettings(call="m:f")
    nodes = (
        Node(id="a", kind=python),
        Node(id="b", kind=python, needs=edges("a")),
        Node(id="c", kind=NoopSettings(), needs=edges("a")),
        Node(id="d", kind=python, needs=edges(["b", "c"])),
    )
    return Workflow(name="diamond", nodes={node.id: node for node in nodes})


class Rig:
    """An engine in virtual time, and what it told."""

    def __init__(self, workflow: Workflow, script: dict[str, Any] | None = None) -> None:
        self.history = MemoryHistory()
        self.executor = ScriptedExecutor(script)
        self.values = MemoryValues()
        self.plan = Plan(workflow)
        self.news: list[News] = []
        self.engine = self.new_engine()

    def new_engine(self) -> Engine:
        engine = Engine(self.history, self.executor, self.values, LoopClock())
        engine.add_definition(self.plan, Definition(self.plan.version, "w", b"{}"))
        engine.feed.subscribe(on_news=self.news.append)
        return engine

    async def start(self, run: int = 1) -> None:
        self.engine.contexts[run] = RunContext(results="/results")
        command = StartRun(run=run, id=f"s{run}", run_id=f"r{run}", version=self.plan.version)
        assert await self.engine.submit(command) is None

    def kinds(self) -> list[str]:
        return [type(record.event).__name__ for record in self.history.read(RunNumber(1))]

    def storage_news(self) -> list[bool]:
        return [news.paused for news in self.news if isinstance(news, StorageNews)]


def _in_rig(
    scenario: Callable[[Rig], Awaitable[None]], script: dict[str, Any] | None = None
) -> Rig:
    async def carry_out() -> Rig:
        rig = Rig(_diamond(), script)
        await rig.engine.open()
        try:
            await scenario(rig)
        finally:
            await rig.engine.close()
        return rig

    return run_virtual(carry_out(), limit=100_000)


def _count_appends() -> int:
    appends = 0

    async def scenario(rig: Rig) -> None:
        def count(batch: Batch) -> None:
            nonlocal appends
            appends += bool(batch.records)

        rig.history.hooks.before = count
        await rig.start()
        await asyncio.sleep(100)

    _in_rig(scenario, OVERLAPPING)
    return appends


@pytest.mark.parametrize("tries", [1, 3])
@pytest.mark.parametrize("number", range(1, _count_appends() + 1))
def test_a_full_disk_at_any_append_loses_nothing_and_acts_once(number: int, tries: int) -> None:
    async def scenario(rig: Rig) -> None:
        seen = 0

        def refuse(batch: Batch) -> None:
            nonlocal seen
            seen += bool(batch.records)
            if number <= seen < number + tries:
                raise FULL

        rig.history.hooks.before = refuse
        await rig.start()
        assert rig.kinds()[0] == "RunStarted"  # acknowledged means durable
        assert await rig.engine.submit(PauseRun(run=1, id="p")) is None
        assert "RunPaused" in rig.kinds()
        assert await rig.engine.submit(ResumeRun(run=1, id="u")) is None
        assert "RunResumed" in rig.kinds()
        await asyncio.sleep(100)
        assert rig.engine.state.runs[1].phase == "succeeded"
        assert rig.engine.settled(1)

    rig = _in_rig(scenario, OVERLAPPING)
    for keys in (rig.executor.started, rig.executor.executed):
        assert len(keys) == len(set(keys)) == 4
    assert rig.storage_news() == [True, False]
    assert rig.engine.storage_error == ""
    state = rig.new_engine().state
    replay(state, rig.history.read(RunNumber(1)))
    assert state.runs[1].snapshot() == rig.engine.state.runs[1].snapshot()
    assert rig.history.rows(RunFilter())[0].state == "succeeded"


def test_nothing_of_a_failed_append_is_seen_while_storage_is_paused() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.start()
        await asyncio.sleep(100)

        def refuse(batch: Batch) -> None:
            raise FULL

        rig.history.hooks.before = refuse
        starting = asyncio.ensure_future(rig.start(2))
        await asyncio.sleep(STORAGE_RETRY / 2)
        assert 2 not in rig.engine.state.runs
        assert not starting.done()
        rig.history.hooks.before = lambda batch: None
        await starting
        assert rig.engine.state.runs[2].run_id == "r2"

    _in_rig(scenario)


def test_the_row_of_a_new_run_is_written_with_its_start_even_if_the_first_append_fails() -> None:
    async def scenario(rig: Rig) -> None:
        batches: list[Batch] = []

        def refuse_once(batch: Batch) -> None:
            batches.append(batch)
            if len(batches) == 1:
                raise FULL

        rig.history.hooks.before = refuse_once
        rig.engine._clock = FakeClock()  # no time passes between the two tries
        await rig.start()
        assert [row.run for row in batches[1].rows] == [1]

    _in_rig(scenario)


def test_a_definition_that_comes_while_another_is_written_is_stored_too() -> None:
    late = Plan(Workflow(name="late", nodes={"x": Node(id="x", kind=NoopSettings())}))

    async def scenario(rig: Rig) -> None:
        def add(batch: Batch) -> None:
            rig.engine.add_definition(late, Definition(late.version, "late", b"late"))

        rig.history.hooks.after = add
        await rig.start()
        rig.history.hooks.after = lambda batch: None
        await asyncio.sleep(100)

    rig = _in_rig(scenario)
    assert rig.history.definition(VersionHash(late.version)).body == b"late"


def test_a_history_that_cannot_be_read_either_is_waited_for() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.start()
        read, broken = rig.history.read, True

        def refuse(batch: Batch) -> None:
            if broken:
                raise FULL

        def unreadable(run: RunNumber | None = None, after: int = 0) -> Any:
            if broken:
                raise StorageError("input/output error", errno.EIO)
            return read(run, after)

        rig.history.hooks.before = refuse
        rig.history.read = unreadable  # type: ignore[method-assign] # a disk that fails for a while
        pausing = asyncio.ensure_future(rig.engine.submit(PauseRun(run=1, id="p")))
        await asyncio.sleep(10)
        assert rig.engine.storage_error == "input/output error"
        assert not pausing.done()
        broken = False
        assert await pausing is None
        assert rig.engine.storage_error == ""

    rig = _in_rig(scenario)
    assert rig.kinds().count("RunPaused") == 1


def test_closing_while_storage_is_paused_ends_and_tells_who_waits() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.start()

        def refuse(batch: Batch) -> None:
            raise FULL

        rig.history.hooks.before = refuse
        pausing = asyncio.ensure_future(rig.engine.submit(PauseRun(run=1, id="p")))
        await asyncio.sleep(10)
        await asyncio.wait_for(rig.engine.close(), 5)
        with pytest.raises(EngineStoppedError, match="closing"):
            await pausing
        with pytest.raises(EngineStoppedError):
            await rig.engine.submit(PauseRun(run=1, id="q"))
        with pytest.raises(EngineStoppedError):
            await rig.engine.between_turns(lambda: None)

    _in_rig(scenario)


class BrokenClock(LoopClock):
    """Stands for a defect: an exception that nobody raises on purpose."""

    def now(self) -> float:
        raise ZeroDivisionError("a planted defect")


def test_a_defect_is_told_to_everybody_and_ends_every_attempt() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.start()
        rig.engine._clock = BrokenClock()
        first = asyncio.ensure_future(rig.engine.submit(PauseRun(run=1, id="p")))
        second = asyncio.ensure_future(rig.engine.between_turns(lambda: 1 / 1))
        await asyncio.sleep(0)
        with pytest.raises(EngineStoppedError, match="ZeroDivisionError: a planted defect"):
            await first
        assert await second == 1  # it had been carried out before
        with pytest.raises(EngineStoppedError, match="studio resume"):
            await rig.engine.submit(PauseRun(run=1, id="q"))
        with pytest.raises(EngineStoppedError):
            rig.engine.task.result()
        await rig.engine.close()
        assert not rig.executor.acting

    rig = _in_rig(scenario, {"a": [succeed(takes=50)]})
    assert [type(news) for news in rig.news if isinstance(news, EngineFailed)] == [EngineFailed]
    assert "test_engine_faults.py:" in rig.engine.defect


def test_a_job_that_fails_or_is_given_up_leaves_the_engine_as_it_is() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.start()

        def wrong() -> None:
            raise ValueError("no")

        with pytest.raises(ValueError, match="no"):
            await rig.engine.between_turns(wrong)
        given_up = asyncio.ensure_future(rig.engine.between_turns(lambda: None))
        failing = asyncio.ensure_future(rig.engine.between_turns(wrong))
        await asyncio.sleep(0)
        given_up.cancel()
        failing.cancel()
        assert await rig.engine.submit(PauseRun(run=1, id="p")) is None

    _in_rig(scenario)


def test_a_run_that_cannot_be_folded_leaves_nothing_in_memory() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.start()
        await asyncio.sleep(100)
        heir = rig.new_engine()
        head = rig.history.head()
        rig.history.damage(head)
        with pytest.raises(StorageError):
            heir.load_run(1)
        assert not heir.state.runs
        rig.history.damage(head)  # the same bit once more
        read = rig.history.read

        def contradicted(run: RunNumber | None = None, after: int = 0) -> Any:
            *before, last = read(run, after)
            return [*before, msgspec.structs.replace(last, event=NodeSkipped("nowhere", "why"))]

        rig.history.read = contradicted  # type: ignore[method-assign] # a node that the run does not have
        with pytest.raises(KeyError):
            heir.load_run(1)
        assert not heir.state.runs
        del rig.history.read  # the method itself again
        heir.load_run(1)
        assert heir.state.runs[1].phase == "succeeded"

    _in_rig(scenario)


def test_a_large_result_that_has_gone_fails_the_node_that_reads_it_and_nothing_else() -> None:
    large = "x" * (INLINE_RESULT + 1)
    python = PythonSettings(call="m:f")
    between = Node(id="m", kind=python, needs=edges("a"))  # read in a later turn than it came in
    reader = Node(id="b", kind=python, needs=edges("m"), input={"x": "{{ nodes.a.output }}"})
    nodes = {"a": Node(id="a", kind=python), "m": between, "b": reader}
    workflow = Workflow(name="large", nodes=nodes)

    async def carry_out(gone: bool) -> Rig:
        rig = Rig(workflow, {"a": [succeed(large)], "b": [succeed()]})
        if gone:
            rig.values.get = MemoryValues().get  # type: ignore[method-assign] # a store that holds nothing
        turns: asyncio.Queue[object] = asyncio.Queue()
        rig.engine.feed.subscribe(turns.put_nowait)
        await rig.engine.open()
        await rig.start()
        async with asyncio.timeout(20):  # results go to files in a thread: real time
            while not rig.engine.state.runs[1].ended:
                await turns.get()
        assert not rig.engine.task.done()
        await rig.engine.close()
        return rig

    run = asyncio.run(carry_out(gone=False)).engine.state.runs[1]
    assert run.phase == "succeeded"
    run = asyncio.run(carry_out(gone=True)).engine.state.runs[1]
    assert run.phase == "failed"
    failure = run.nodes["b"].failure
    assert failure is not None
    assert "There is no value" in failure.message
