"""Everything user code can do wrong ends as a proper outcome, and leaves no process behind.

The numbers are those of the list of faults in the project's targets.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from studio.executors.host import Caps
from studio.model.nodes import PythonSettings, ShellSettings
from studio.ports import AttemptKey, Stopped, Vanished
from tests.integration.executor_rig import (
    Recorded,
    Rig,
    alive,
    descendants_marked,
    failure,
    linux,
    output,
)

pytestmark = pytest.mark.skipif(not linux(), reason="needs /proc and subreapers")


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with Rig(tmp_path) as rig:
        yield rig
        mark = rig.executors.zygote_mark
    assert descendants_marked(mark) == []


def start_code(rig: Rig, code: str) -> tuple[Recorded, AttemptKey]:
    order = rig.order(PythonSettings(code=code))
    return rig.start(order), order.key


async def read_pid(rig: Rig, record: Recorded) -> int:
    """The process id that the node logged first."""
    await asyncio.wait_for(record.begun.wait(), 20)
    return int(record.logged[0].text)


# --------------------------------------------------------------------------- 17: import


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("raise SystemExit(3)\n", "SystemExit"),
        ("import os\nos._exit(3)\n", "ProcessExited"),
        ("1/0\n", "ZeroDivisionError"),
    ],
)
async def test_import_that_ends_the_process(rig: Rig, source: str, kind: str) -> None:
    rig.module("m", source + "def f(): ...\n")
    for _ in range(3):  # from the zygote, and while a template is tried
        assert failure(await rig.call("m:f")).type == kind


async def test_import_that_loops_is_stopped(rig: Rig) -> None:
    rig.module("m", "print('begun', flush=True)\nwhile True: pass\n")
    orders = [rig.order(PythonSettings(call="m:f")) for _ in range(3)]
    records = [rig.start(order) for order in orders]
    for order, record in zip(orders, records, strict=True):
        await record.begun.wait()
        rig.executors.cancel(order.key, 0.1)
        assert await rig.outcome(record) == Stopped()


async def test_import_that_forks_leaves_nothing(rig: Rig) -> None:
    rig.module(
        "m", "import os, time\nif os.fork() == 0:\n    time.sleep(60)\ndef f():\n    return 1\n"
    )
    for _ in range(3):
        assert output(await rig.call("m:f")) == 1


# --------------------------------------------------------------------------- 20–22: hangs


@pytest.mark.parametrize(
    "code",
    [
        "print(1, flush=True)\nwhile True: pass",
        "print(1, flush=True)\nimport re\nre.match(r'(a+)+$', 'a' * 64 + 'b')",
        "print(1, flush=True)\nimport asyncio, time\nasync def f():\n    time.sleep(60)\nawait f()",
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint(1, flush=True)\ntime.sleep(60)",
        "import os, signal\nprint(1, flush=True)\nos.kill(os.getpid(), signal.SIGSTOP)",
    ],
    ids=["loop", "holds-gil", "blocking-async", "ignores-sigterm", "stopped"],
)
async def test_hang_is_ended_by_cancel(rig: Rig, code: str) -> None:
    record, key = start_code(rig, code)
    await record.begun.wait()
    pid, _ = await record.spawned
    rig.executors.cancel(key, 0.1)
    assert await rig.outcome(record) == Stopped()
    assert not alive(pid)
    assert record.outcomes == [Stopped()]


# --------------------------------------------------------------------------- 23, 24: ends of its own


@pytest.mark.parametrize(
    ("code", "kind", "said", "exit_code"),
    [
        ("import sys\nsys.exit(3)", "SystemExit", "sys.exit(3)", 3),
        ("import sys\nsys.exit('because')", "SystemExit", "because", 1),
        ("import os\nos._exit(0)", "ProcessExited", "os._exit(0)", 0),
        ("import os\nos._exit(9)", "ProcessExited", "exit status 9", 9),
        ("raise KeyboardInterrupt", "KeyboardInterrupt", "KeyboardInterrupt", None),
        ("import ctypes\nctypes.string_at(0)", "ProcessCrashed", "SIGSEGV", None),
        ("import os\nos.abort()", "ProcessCrashed", "SIGABRT", None),
    ],
)
async def test_process_that_ends_itself_fails(
    rig: Rig, code: str, kind: str, said: str, exit_code: int | None
) -> None:
    found = failure(await rig.code(code))
    assert (found.type, found.exit_code) == (kind, exit_code)
    assert said in found.message


async def test_process_killed_from_outside_has_vanished(rig: Rig) -> None:
    record, _ = start_code(rig, "import time\nprint(1, flush=True)\ntime.sleep(60)")
    await record.begun.wait()
    pid, _ = await record.spawned
    os.kill(pid, signal.SIGKILL)
    outcome = await rig.outcome(record)
    assert isinstance(outcome, Vanished)
    assert "SIGKILL" in outcome.detail


# --------------------------------------------------------------------------- 25, 26: hogs


async def test_descriptor_hog_fails_alone(tmp_path: Path) -> None:
    async with Rig(tmp_path, limits={"core": 0, "descriptors": 64}) as rig:
        found = failure(await rig.code("import os\nwhile True: os.dup(0)"))
        assert (found.type, found.category) == ("OSError", "resource_exhausted")
        assert output(await rig.code("return 1")) == 1


async def test_memory_hog_fails_alone(tmp_path: Path) -> None:
    async with Rig(tmp_path, limits={"core": 0, "memory": 512 * 2**20}) as rig:
        found = failure(await rig.code("x = bytearray(2**30)"))
        assert (found.type, found.category) == ("MemoryError", "resource_exhausted")


async def test_recursion_is_told_briefly(rig: Rig) -> None:
    found = failure(await rig.code("def f(n):\n    return f(n + 1)\nreturn f(0)"))
    assert found.type == "RecursionError"
    assert len(found.traceback) < 20_000


# --------------------------------------------------------------------------- 27: output


async def test_flood_keeps_head_and_tail_and_the_loop_free(tmp_path: Path) -> None:
    caps = Caps(head=64 * 1024, tail=16 * 1024)
    async with Rig(tmp_path, caps) as rig:
        size = 64 * 2**20
        code = (
            "import os\nprint('first line', flush=True)\n"
            "block = b'0123456789abcde\\n' * 4096\n"
            f"for _ in range({size} // len(block)): os.write(1, block)\n"
            "print('last line', flush=True)\nreturn 'done'"
        )
        assert output(await rig.code(code)) == "done"
        texts = [line.text for line in rig.logs.lines[next(iter(rig.logs.lines))]]
        assert texts[0] == "first line"
        assert texts[-1] == "last line"
        assert any("bytes dropped" in text for text in texts)
        assert sum(map(len, texts)) < 200_000


async def test_one_endless_line_is_cut_into_pieces(tmp_path: Path) -> None:
    async with Rig(tmp_path, Caps(head=256 * 1024, tail=32 * 1024)) as rig:
        code = "import os\nfor _ in range(256): os.write(1, b'x' * 65536)\nreturn 1"
        assert output(await rig.code(code)) == 1
        lines = rig.logs.lines[next(iter(rig.logs.lines))]
        assert max(len(line.text) for line in lines) <= 16_384
        assert sum(len(line.text) for line in lines) < 400_000


async def test_bytes_that_are_no_text_become_replacement_characters(rig: Rig) -> None:
    code = (
        "import os\nos.write(1, b'caf\\xc3')\nos.write(1, b'\\xa9 \\xff\\xfe half \\xc3')\nreturn 1"
    )
    record, _ = start_code(rig, code)
    assert output(await rig.outcome(record)) == 1
    assert [line.text for line in record.logged] == ["café \ufffd\ufffd half \ufffd"]


async def test_streams_are_kept_apart(rig: Rig) -> None:
    record, _ = start_code(rig, "import sys\nprint('out')\nprint('err', file=sys.stderr)")
    await rig.outcome(record)
    assert {(line.stream, line.text) for line in record.logged} == {
        ("stdout", "out"),
        ("stderr", "err"),
    }


async def test_log_flood_is_capped(tmp_path: Path) -> None:
    async with Rig(tmp_path, Caps(head=10_000)) as rig:
        order = rig.order(PythonSettings(code="for n in range(5000): ctx.log.info('line %d', n)"))
        record = rig.start(order)
        assert output(await rig.outcome(record)) is None
        assert len(record.logged) < 300
        assert "dropped" in record.logged[-1].text


# --------------------------------------------------------------------------- 29: exceptions


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (
            "class E(Exception):\n    def __str__(self): raise ValueError\nraise E",
            "whose text fails",
        ),
        (
            "class E(Exception):\n    def __str__(self):\n        while True: pass\nraise E",
            "took longer",
        ),
        ("raise Exception('x' * 10_000_000)", "10,000,000 characters in all"),
        ("raise Exception('[/red] \\x1b[2J')", "[/red] \x1b[2J"),
        ("raise Exception('\\ud800')", "\\ud800"),
    ],
)
async def test_hostile_exceptions_are_described(rig: Rig, code: str, said: str) -> None:
    found = failure(await rig.code(code))
    assert said in found.message
    assert len(found.message) < 20_000
    assert len(found.traceback) < 100_000


async def test_hostile_locals_are_described_without_running_them(rig: Rig) -> None:
    code = (
        "class Bad:\n    def __init__(self): self.name = 'n'\n"
        "    def __repr__(self):\n        while True: pass\n"
        "bad, huge, card = Bad(), 'y' * 10**7, 'tok'\nraise RuntimeError"
    )
    found = failure(await rig.code(code, sensitive=("card",)))
    assert found.locals["bad"] == "<Bad name='n'>"
    assert len(found.locals["huge"]) < 300
    assert found.locals["card"] == "•••"


# --------------------------------------------------------------------------- 30: descriptors, forgery


async def test_closed_descriptors_do_not_lose_the_result(rig: Rig) -> None:
    code = "import os\nctx.log.info('before')\nos.closerange(0, 1000)\nctx.log.info('after')\nreturn 'kept'"
    assert output(await rig.code(code)) == "kept"


async def test_reused_descriptor_is_not_written_to(rig: Rig) -> None:
    target = rig.folder / "mine.txt"
    code = (
        f"import os\nos.closerange(3, 1000)\nfd = os.open({str(target)!r}, os.O_RDWR | os.O_CREAT)\n"
        "ctx.log.info('not into the file')\nctx.progress(0.5)\nreturn [fd, os.fstat(fd).st_size]"
    )
    assert output(await rig.code(code)) == [3, 0]


async def test_forged_results_are_not_taken(rig: Rig) -> None:
    code = (
        "import os, json\n"
        "for n in (3, 1):\n"
        '    os.write(n, b\'{"op":"ended","id":1,"status":0}\\n{"op":"result","size":3}\\nabcgarbage\\n\')\n'
        "import glob\n"
        f"open(sorted(glob.glob({str(rig.results)!r}))[0] + '/1.result', 'w').write('{{\"output\": \"forged\"}}')\n"
        "os._exit(0)"
    )
    found = failure(await rig.code(code))
    assert found.type == "ProcessExited"


async def test_child_forked_by_user_code_does_not_answer_for_it(rig: Rig) -> None:
    code = "import os\npid = os.fork()\nif pid == 0:\n    return 'child'\nos.waitpid(pid, 0)\nreturn 'parent'"
    assert output(await rig.code(code)) == "parent"


# --------------------------------------------------------------------------- 32: what is left behind

_DAEMON = (
    "import os, time\n"
    "r, w = os.pipe()\n"
    "if os.fork() == 0:\n"
    "    os.setsid()\n"
    "    if os.fork():\n        os._exit(0)\n"
    "    os.write(w, str(os.getpid()).encode())\n"
    "    os.close(w)\n"
    "    time.sleep(60)\n"
    "    os._exit(0)\n"
    "pid = os.read(r, 20).decode()\n"
    "print(pid, flush=True)\n"
)


@pytest.mark.parametrize(
    "end", ["return 1", "os._exit(1)", "os.abort()", "os.kill(os.getpid(), 9)"]
)
async def test_daemon_holding_the_pipes_is_killed_first(rig: Rig, end: str) -> None:
    record, _ = start_code(rig, _DAEMON + end)
    daemon = await read_pid(rig, record)
    await rig.outcome(record)
    assert not alive(daemon)


async def test_daemon_of_a_shell_is_killed_first(rig: Rig) -> None:
    order = rig.order(
        ShellSettings(run="setsid sleep 60 & echo $!; nohup sleep 61 >/dev/null 2>&1 & echo $!")
    )
    record = rig.start(order)
    found = output(await rig.outcome(record))
    pids = [int(word) for word in found["stdout"].split()]
    assert len(pids) == 2
    assert not any(alive(pid) for pid in pids)
    assert any("left behind" in line.text for line in record.logged)


async def test_daemons_do_not_touch_the_attempts_of_others(rig: Rig) -> None:
    other, key = start_code(rig, _DAEMON + "time.sleep(60)")
    daemon = await read_pid(rig, other)
    for _ in range(3):
        record, _ = start_code(rig, _DAEMON + "return 1")
        mine = await read_pid(rig, record)
        assert output(await rig.outcome(record)) == 1
        assert not alive(mine)
    assert alive(daemon)
    rig.executors.cancel(key, 0.0)
    assert await rig.outcome(other) == Stopped()
    assert not alive(daemon)


# --------------------------------------------------------------------------- 34, 35, 38


async def test_changes_of_the_process_stay_in_the_child(rig: Rig) -> None:
    before = os.getcwd(), dict(os.environ), os.umask(0o022)
    os.umask(before[2])
    code = (
        "import os, signal, sys\nos.chdir('/')\nos.environ.clear()\nos.umask(0o777)\n"
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\nsys.path.clear()\nreturn 1"
    )
    assert output(await rig.code(code)) == 1
    assert output(await rig.code("import os\nreturn os.getcwd()")) == str(rig.folder)
    assert (os.getcwd(), dict(os.environ)) == before[:2]


async def test_fork_bomb_ends_with_its_attempt(rig: Rig) -> None:
    code = (
        "import os, time\nprint(1, flush=True)\n"
        "for _ in range(6):\n    if os.fork() == 0: os.setsid()\n"
        "time.sleep(60)"
    )
    record, key = start_code(rig, code)
    await record.begun.wait()
    rig.executors.cancel(key, 0.0)
    assert await rig.outcome(record) == Stopped()
    assert len(descendants_marked(rig.executors.zygote_mark)) == 1


async def test_deleted_state_folder_does_not_lose_the_result(rig: Rig) -> None:
    code = f"import shutil\nshutil.rmtree({str(rig.results)!r})\nreturn ['x' * 200_000]"
    assert output(await rig.code(code)) == ["x" * 200_000]


async def test_deleted_project_folder_is_told(rig: Rig) -> None:
    rig.folder.rmdir()
    found = failure(await rig.code("return 1"))
    assert found.type == "FileNotFoundError"


# --------------------------------------------------------------------------- 49: zygote and template


async def test_zygote_killed_everything_vanishes_and_the_next_works(rig: Rig) -> None:
    first, _ = start_code(rig, _DAEMON + "time.sleep(60)")
    daemon = await read_pid(rig, first)
    second = rig.start(rig.order(ShellSettings(run="echo 1; sleep 60")))
    await second.begun.wait()
    zygote, pid = rig.executors.zygote_pid, (await first.spawned)[0]
    assert zygote is not None
    os.kill(zygote, signal.SIGKILL)
    for record in (first, second):
        assert isinstance(await rig.outcome(record), Vanished)
    assert not alive(pid)
    assert not alive(daemon)
    assert output(await rig.code("return 'again'")) == "again"
    assert rig.executors.zygote_pid != zygote


async def test_template_killed_its_attempts_vanish_and_the_next_works(rig: Rig) -> None:
    rig.module(
        "m",
        "import time, os\ndef f(stay):\n    print(os.getppid(), flush=True)\n    time.sleep(60 * stay)\n",
    )
    template = rig.executors.zygote_pid
    while template == rig.executors.zygote_pid:
        record = rig.start(rig.order(PythonSettings(call="m:f"), {"stay": 0}))
        assert output(await rig.outcome(record)) is None
        template = int(record.logged[0].text)
    record = rig.start(rig.order(PythonSettings(call="m:f"), {"stay": 1}))
    assert await read_pid(rig, record) == template
    os.kill(template, signal.SIGKILL)
    assert isinstance(await rig.outcome(record), Vanished)
    assert output(await rig.call("m:f", {"stay": 0})) is None


async def test_close_leaves_nothing_and_reports_nothing(tmp_path: Path) -> None:
    async with Rig(tmp_path) as rig:
        record, _ = start_code(rig, _DAEMON + "time.sleep(60)")
        daemon = await read_pid(rig, record)
        pid, _ = await record.spawned
        mark = rig.executors.zygote_mark
    assert record.outcomes == []
    assert not alive(pid)
    assert not alive(daemon)
    assert descendants_marked(mark) == []
