"""The fakes that tests of workflows build on."""

import asyncio

import msgspec
import pytest

from studio.core.commands import StartRun
from studio.core.plan import Plan
from studio.engine.loop import Engine
from studio.engine.orders import RunContext
from studio.errors import NotFoundError
from studio.ids import RunNumber
from studio.model.nodes import Edge, Node, NoopSettings, PythonSettings
from studio.model.policies import Retry
from studio.model.workflow import Workflow
from studio.ports import Definition, Outcome
from studio.testing import (
    EPOCH,
    FakeClock,
    LoopClock,
    MemoryHistory,
    MemoryValues,
    ScriptedExecutor,
    Step,
    VirtualLoop,
    fail,
    run_virtual,
    succeed,
)


def test_a_fake_clock_stands_still_until_it_is_turned() -> None:
    clock = FakeClock()
    assert clock.now() == EPOCH
    clock.advance(2.5)
    assert clock.now() == EPOCH + 2.5
    with pytest.raises(ValueError, match="go back by 1 s"):
        clock.advance(-1)


def test_virtual_time_passes_by_itself_and_in_order() -> None:
    async def scenario() -> tuple[list[str], float]:
        order: list[str] = []

        async def wait(name: str, seconds: float) -> None:
            await asyncio.sleep(seconds)
            order.append(name)

        await asyncio.gather(wait("late", 3600), wait("early", 1), wait("now", 0))
        return order, LoopClock().now()

    order, now = run_virtual(scenario())
    assert order == ["now", "early", "late"]
    assert now == pytest.approx(EPOCH + 3600)


def test_a_scenario_that_never_ends_is_given_up() -> None:
    async def scenario() -> None:
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        run_virtual(scenario(), limit=60)


def test_work_in_a_thread_is_waited_for() -> None:
    loop = VirtualLoop()
    try:
        assert loop.run_until_complete(asyncio.to_thread(lambda: 7)) == 7
    finally:
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


def test_values_are_found_by_their_content() -> None:
    values = MemoryValues()
    address = values.put(b"body")
    assert values.get(address) == b"body"
    assert values.put(b"body") == address
    with pytest.raises(NotFoundError):
        values.get("0" * 64)


def _workflow(retry: Retry | None = None) -> Workflow:
    charge = Node(id="charge", kind=PythonSettings(call="m:f"), retry=retry)
    tell = Node(id="tell", kind=NoopSettings(), needs=(Edge(source="charge"),))
    return Workflow(name="pay", nodes={"charge": charge, "tell": tell})


async def _run(
    workflow: Workflow,
    executor: ScriptedExecutor,
    history: MemoryHistory | None = None,
    seconds: float = 100,
) -> Engine:
    plan = Plan(workflow)
    history = history or MemoryHistory()
    engine = Engine(history, executor, MemoryValues(), LoopClock())
    engine.add_definition(plan, Definition(plan.version, "pay", b"{}"))
    engine.contexts[1] = RunContext(results="/results")
    await engine.open()
    await engine.submit(StartRun(run=1, id="s", run_id="r", version=plan.version))
    await asyncio.sleep(seconds)
    await engine.close()
    return engine


def test_a_script_says_what_each_attempt_does() -> None:
    executor = ScriptedExecutor(
        {"charge": [fail("ConnectionError", "transient"), succeed({"paid": True}, takes=5)]}
    )
    retry = Retry(strategy="fixed", max_attempts=3, initial_delay=2.0, jitter=0.0)
    engine = run_virtual(_run(_workflow(retry), executor))
    run = engine.state.runs[1]
    assert run.phase == "succeeded"
    assert [key.attempt for key in executor.started if key.node == "charge"] == [1, 2]
    assert run.nodes["charge"].output == b'{"paid":true}'
    assert run.finished_at == pytest.approx(EPOCH + 7)


def test_children_run_only_after_their_release() -> None:
    executor = ScriptedExecutor({"charge": [succeed(spawn_takes=1.0)]})
    history = MemoryHistory()
    run_virtual(_run(_workflow(), executor, history))
    kinds = [type(record.event).__name__ for record in history.read(RunNumber(1))]
    assert kinds.index("ChildSpawned") < kinds.index("AttemptSucceeded")
    assert [key.node for key in executor.executed] == ["charge", "tell"]


def test_what_hangs_ends_when_it_is_cancelled() -> None:
    executor = ScriptedExecutor({"charge": [Step(outcome=None, stop_takes=1.0)]})
    node = msgspec.structs.replace(_workflow().nodes["charge"], timeout=3.0)
    workflow = Workflow(name="pay", nodes={"charge": node})
    engine = run_virtual(_run(workflow, executor))
    run = engine.state.runs[1]
    assert run.phase == "failed"
    assert run.finished_at == pytest.approx(EPOCH + 4)


def test_a_result_outlives_the_executor_that_made_it() -> None:
    results: dict[str, Outcome] = {}
    executor = ScriptedExecutor({"charge": [succeed(1, report_takes=50.0)]}, results)
    run_virtual(_run(_workflow(), executor, seconds=10))
    assert not executor.acting
    heir = ScriptedExecutor(results=results)
    assert len(results) == 1
    assert heir.recover(1, 1, next(iter(results))) == succeed(1).outcome
    assert heir.recover(1, 1, "/results/other.json") is None


def test_echoes_come_after_the_end_and_are_ignored() -> None:
    late = succeed("late").outcome
    assert late is not None
    executor = ScriptedExecutor({"charge": [succeed("first", echoes=((1.0, late),))]})
    history = MemoryHistory()
    engine = run_virtual(_run(_workflow(), executor, history))
    kinds = [type(record.event).__name__ for record in history.read(RunNumber(1))]
    assert "ResultIgnored" in kinds
    assert engine.state.runs[1].nodes["charge"].output == b'"first"'
