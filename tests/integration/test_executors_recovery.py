"""After a crash of the engine: the old children are gone, and complete results are adopted."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from studio.executors.zygote import envelope, system
from studio.model.nodes import PythonSettings
from studio.ports import Succeeded
from tests.integration.executor_rig import Rig, alive, descendants_marked, failure, linux, output

pytestmark = pytest.mark.skipif(not linux(), reason="needs /proc")


def spawn(argv: list[str], **more: Any) -> subprocess.Popen[bytes]:
    """Start a process that is no child of the executors."""
    return subprocess.Popen(argv, **more)


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with Rig(tmp_path) as rig:
        yield rig


async def test_result_of_a_finished_child_is_adopted(rig: Rig) -> None:
    order = rig.order(PythonSettings(code="return {'a': 1}"))
    record = rig.start(order)
    outcome = await rig.outcome(record)
    pid, started = await record.spawned
    assert rig.executors.recover(pid, started, order.result_file) == outcome
    assert rig.executors.recover(pid, started, order.result_file) == outcome


async def test_failure_of_a_finished_child_is_adopted(rig: Rig) -> None:
    order = rig.order(PythonSettings(code="raise KeyError('x')"))
    record = rig.start(order)
    await rig.outcome(record)
    pid, started = await record.spawned
    recovered = rig.executors.recover(pid, started, order.result_file)
    assert recovered is not None
    assert failure(recovered).type == "KeyError"


async def test_foreign_cut_and_missing_results_are_not_adopted(rig: Rig, tmp_path: Path) -> None:
    good = envelope.seal("output", b'{"a":1}', 77, 88)
    file = tmp_path / "r"
    for data in (
        good[:-1],
        good + b" ",
        good.replace(b'"a":1', b'"a":2'),
        b"",
        b"\n",
        b"{}\n",
        b'{"a":1}',
    ):
        file.write_bytes(data)
        assert rig.executors.recover(77, 88, str(file)) is None, data
    file.write_bytes(good)
    assert rig.executors.recover(77, 89, str(file)) is None
    assert rig.executors.recover(78, 88, str(file)) is None
    assert rig.executors.recover(77, 88, str(file)) == Succeeded(b'{"a":1}')
    file.unlink()
    assert rig.executors.recover(77, 88, str(file)) is None
    file.mkdir()
    assert rig.executors.recover(77, 88, str(file)) is None
    (tmp_path / "part.part").write_bytes(good)
    assert rig.executors.recover(77, 88, str(tmp_path / "part")) is None


async def test_child_that_still_lives_is_killed(rig: Rig) -> None:
    order = rig.order(PythonSettings(code="import time\nprint(1, flush=True)\ntime.sleep(60)"))
    record = rig.start(order)
    await record.begun.wait()
    pid, started = await record.spawned
    assert rig.executors.recover(pid, started, order.result_file) is None
    assert not alive(pid)
    await rig.outcome(record)


async def test_process_with_the_same_id_but_another_start_is_left_alone(rig: Rig) -> None:
    process = spawn(["sleep", "60"], start_new_session=True)
    try:
        started = system.start_time(process.pid)
        assert rig.executors.recover(process.pid, started + 1, "/nowhere") is None
        assert alive(process.pid)
    finally:
        process.kill()
        process.wait()


_ENGINE = """
import asyncio, sys
from pathlib import Path
from studio.model.nodes import PythonSettings, ShellSettings
from tests.integration.executor_rig import Rig

async def main(folder):
    rig = Rig(folder)
    await rig.executors.open()
    code = '''
import os, time
r, w = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    os.write(w, b'x')
    time.sleep(60)
os.read(r, 1)
print('ready', flush=True)
time.sleep(60)
'''
    records = [rig.start(rig.order(PythonSettings(code=code))) for _ in range(2)]
    records.append(rig.start(rig.order(ShellSettings(run='setsid sleep 60 & echo ready; sleep 60'))))
    for record in records:
        await record.begun.wait()
    print(rig.executors.zygote_mark, flush=True)
    await asyncio.sleep(60)

asyncio.run(main(Path(sys.argv[1])))
"""


async def test_killed_engine_leaves_no_process(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    engine = spawn(
        [sys.executable, "-c", _ENGINE, str(tmp_path)],
        stdout=subprocess.PIPE,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert engine.stdout is not None
    mark = engine.stdout.readline().decode().strip()
    assert len(descendants_marked(mark)) > 6
    zygote = min(descendants_marked(mark))
    pidfd = os.pidfd_open(zygote)
    engine.send_signal(signal.SIGKILL)
    engine.wait()
    engine.stdout.close()
    # The zygote exits when it has killed all the others.
    assert select.select([pidfd], [], [], 20)[0]
    os.close(pidfd)
    assert descendants_marked(mark) == []


async def test_result_survives_the_engine(rig: Rig) -> None:
    """A child that has ended by itself leaves its result whether or not anybody listens."""
    order = rig.order(PythonSettings(code="return 'kept'"))
    record = rig.start(order)
    pid, started = await record.spawned
    assert output(await rig.outcome(record)) == "kept"
    data = envelope.read(order.result_file)
    assert data is not None
    assert envelope.unseal(data, pid, started) == envelope.Envelope("output", b'"kept"')
