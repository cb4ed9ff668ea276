"""Warm workers: many calls in one process, and what happens to the others when one misbehaves."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from studio.executors.shared import MAX_WORKERS, WINDOW
from studio.model.nodes import PythonSettings
from studio.ports import AttemptOrder, Stopped, Succeeded, Vanished
from tests.integration.executor_rig import Rig, failure, output

_MODULE = """
import os, time

def pid():
    return os.getpid()

def note(path, text):
    with open(path, 'a') as file:
        file.write(text)
    return text

def hang():
    print('begun')
    while True:
        time.sleep(60)

def meet(path, side):
    os.close(os.open(path, side))  # blocks until the other side is opened
    return os.getpid()

def die(how):
    print('begun')
    os.kill(os.getpid(), how)

def show(x, ctx):
    print('printed', x)
    ctx.log.info('logged %s', x)
    ctx.progress(0.5, str(x))
    return ctx.attempt

def leak(secret):
    print('it is ' + secret)
    return {'it': secret}
"""


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with Rig(tmp_path) as rig:
        rig.module("m", _MODULE)
        yield rig


def shared(rig: Rig, call: str, **given: Any) -> AttemptOrder:
    return rig.order(PythonSettings(call=f"m:{call}"), given, isolation="shared")


async def test_calls_share_few_processes_and_are_told_apart(rig: Rig) -> None:
    records = [rig.start(shared(rig, "pid")) for _ in range(300)]
    pids = {output(await rig.outcome(record)) for record in records}
    assert 1 <= len(pids) <= MAX_WORKERS
    assert os.getpid() not in pids
    records = [rig.start(shared(rig, "show", x=n)) for n in range(20)]
    for n, record in enumerate(records):
        assert output(await rig.outcome(record)) == 1
        assert {line.text for line in record.logged} == {f"printed {n}", f"logged {n}"}
        assert record.progress == [(0.5, str(n))]
        assert not record.spawned.done()


@pytest.mark.skipif(MAX_WORKERS < 2, reason="one processor, one worker")
async def test_calls_that_block_run_side_by_side(rig: Rig, tmp_path: Path) -> None:
    pipe = str(tmp_path / "pipe")
    os.mkfifo(pipe)
    sides = (os.O_RDONLY, os.O_WRONLY)
    calls = [rig.start(shared(rig, "meet", path=pipe, side=side)) for side in sides]
    pids = {output(await rig.outcome(call)) for call in calls}
    assert len(pids) == 2


async def test_errors_fail_one_call(rig: Rig) -> None:
    bad = rig.start(shared(rig, "note", path="/nowhere/x", text=""))
    good = rig.start(shared(rig, "pid"))
    assert failure(await rig.outcome(bad)).type == "FileNotFoundError"
    assert isinstance(await rig.outcome(good), Succeeded)


async def test_changed_source_is_run_by_a_new_worker(rig: Rig) -> None:
    first = output(await rig.outcome(rig.start(shared(rig, "pid"))))
    rig.module("m", _MODULE.replace("return os.getpid()", "return -1"))
    assert output(await rig.outcome(rig.start(shared(rig, "pid")))) == -1 != first


@pytest.mark.parametrize("how", [9, 11])
async def test_crash_ends_only_the_call_that_had_begun(rig: Rig, how: int) -> None:
    path = rig.folder / "notes"
    bad = rig.start(shared(rig, "die", how=how))
    others = [
        rig.start(shared(rig, "note", path=str(path), text=f"{n};")) for n in range(2 * WINDOW)
    ]
    outcome = await rig.outcome(bad)
    if how == 9:
        assert isinstance(outcome, Vanished)
    else:
        assert failure(outcome).type == "ProcessCrashed"
    for n, record in enumerate(others):
        assert output(await rig.outcome(record)) == f"{n};"
    # Each ran exactly once.
    assert sorted(path.read_text().split(";")) == sorted(["", *(str(n) for n in range(2 * WINDOW))])


async def test_cancel_of_a_hung_call_spares_the_others(rig: Rig) -> None:
    path = rig.folder / "notes"
    hung_order = shared(rig, "hang")
    hung = rig.start(hung_order)
    await hung.begun.wait()
    orders = [shared(rig, "note", path=str(path), text=f"{n};") for n in range(4 * WINDOW)]
    others = [rig.start(order) for order in orders]
    rig.executors.cancel(orders[-1].key, 0.05)
    rig.executors.cancel(hung_order.key, 5.0)
    assert await rig.outcome(hung) == Stopped()
    assert await rig.outcome(others[-1]) == Stopped()
    for n, record in enumerate(others[:-1]):
        assert output(await rig.outcome(record)) == f"{n};"
    counted = path.read_text().split(";")
    assert sorted(counted) == sorted(["", *(str(n) for n in range(4 * WINDOW - 1))])


async def test_call_that_waits_behind_a_hung_one_is_stopped_within_its_grace(rig: Rig) -> None:
    path = rig.folder / "notes"
    hung_orders = [shared(rig, "hang") for _ in range(MAX_WORKERS)]
    for order in hung_orders:
        await rig.start(order).begun.wait()
    waiting = [shared(rig, "note", path=str(path), text="x") for _ in range(2)]
    records = [rig.start(order) for order in waiting]
    for order in waiting:
        rig.executors.cancel(order.key, 0.05)
    for record in records:
        assert await rig.outcome(record) == Stopped()
    for order in hung_orders:
        rig.executors.cancel(order.key, 0.0)
        assert await rig.outcome(rig.sink[order.key]) == Stopped()
    assert isinstance(await rig.outcome(rig.start(shared(rig, "pid"))), Succeeded)
    assert not path.exists()


async def test_secrets_are_redacted(rig: Rig) -> None:
    order = rig.order(
        PythonSettings(call="m:leak"),
        {"secret": "hunter2-hunter2"},
        isolation="shared",
        secrets={"PAY": "hunter2-hunter2"},
    )
    record = rig.start(order)
    assert output(await rig.outcome(record)) == {"it": "[secret PAY]"}
    assert [line.text for line in record.logged] == ["it is [secret PAY]"]


async def test_zygote_killed_calls_vanish_and_go_on(rig: Rig) -> None:
    record = rig.start(shared(rig, "hang"))
    await record.begun.wait()
    assert rig.executors.zygote_pid is not None
    os.kill(rig.executors.zygote_pid, 9)
    assert isinstance(await rig.outcome(record), Vanished)
    assert isinstance(await rig.outcome(rig.start(shared(rig, "pid"))), Succeeded)
