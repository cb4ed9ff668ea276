"""Python nodes in real children: what they are given, what comes back, and what errors tell."""

from __future__ import annotations

import os
import py_compile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from studio.model.nodes import PythonSettings
from studio.ports import Stopped
from tests.integration.executor_rig import Rig, alive, failure, output, parent_of


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with Rig(tmp_path) as rig:
        yield rig


async def test_function_gets_its_input_and_returns_json(rig: Rig) -> None:
    rig.module(
        "orders",
        "def total(price, count=1):\n    return {'sum': price * count, 'ü': [None, True]}\n",
    )
    assert output(await rig.call("orders:total", {"price": 2, "count": 3})) == {
        "sum": 6,
        "ü": [None, True],
    }


async def test_async_function_is_awaited(rig: Rig) -> None:
    rig.module(
        "slow", "import asyncio\nasync def f(x):\n    await asyncio.sleep(0)\n    return x + 1\n"
    )
    assert output(await rig.call("slow:f", {"x": 1})) == 2


async def test_code_block_sees_input_as_names_and_returns(rig: Rig) -> None:
    code = "text = '''a\nb'''\nreturn [x, text, ctx.attempt]"
    assert output(await rig.code(code, {"x": 1, "not-a-name": 2, "class": 3})) == [1, "a\nb", 1]


async def test_code_block_may_await_and_may_be_empty(rig: Rig) -> None:
    code = "import asyncio\nreturn await asyncio.sleep(0, 'awake')"
    assert output(await rig.code(code)) == "awake"
    assert output(await rig.code("")) is None


async def test_context_reports_progress_log_and_identity(rig: Rig) -> None:
    rig.module(
        "report",
        "def f(n, ctx):\n"
        "    ctx.progress(0.4, '4 of 10')\n"
        "    ctx.progress(7)\n"
        "    ctx.log.info('step %d of %s', 1, 'x')\n"
        "    ctx.log.warning('odd')\n"
        "    return [ctx.idempotency_key, ctx.attempt, ctx.input, ctx.node]\n",
    )
    order = rig.order(PythonSettings(call="report:f"), {"n": 1})
    record = rig.start(order)
    assert output(await rig.outcome(record)) == [order.idempotency_key, 1, {"n": 1}, order.key.node]
    assert record.progress == [(0.4, "4 of 10"), (1.0, "")]
    assert [(line.stream, line.level, line.text) for line in record.logged] == [
        ("log", "info", "step 1 of x"),
        ("log", "warning", "odd"),
    ]
    assert list(rig.logs.read(order.key)) == record.logged
    assert rig.logs.closed == [order.key]


async def test_child_is_clean(rig: Rig) -> None:
    code = (
        "import os, sys, signal, resource, threading\n"
        "try:\n    tty = os.open('/dev/tty', os.O_RDWR)\nexcept OSError:\n    tty = None\n"
        "return {'cwd': os.getcwd(), 'path': sys.path[0], 'env': dict(os.environ), 'tty': tty,\n"
        "  'stdin': sys.stdin.read(), 'leader': os.getpid() == os.getsid(0) == os.getpgid(0),\n"
        "  'core': resource.getrlimit(resource.RLIMIT_CORE)[0], 'main': sys.modules['__main__'].__dict__.get('x'),\n"
        "  'fds': sorted(int(n) for n in os.listdir('/proc/self/fd'))[:5], 'mask': os.umask(0),\n"
        "  'term': signal.getsignal(signal.SIGTERM) == signal.SIG_DFL, 'threads': threading.active_count()}"
    )
    found = output(await rig.code(code, env={"GREETING": "hello", "PATH": os.environ["PATH"]}))
    assert found["cwd"] == found["path"] == str(rig.folder)
    own = {name: value for name, value in found["env"].items() if not name.startswith("STUDIO_")}
    assert own == {"GREETING": "hello", "PATH": os.environ["PATH"]}
    assert found["env"]["STUDIO_RUN"] == "run-1"
    assert found["tty"] is None
    assert found["stdin"] == ""
    assert found["leader"]
    assert found["core"] == 0
    assert found["mask"] == 0o022
    assert found["term"]
    assert found["threads"] == 1
    # Streams, the socket to the engine, and the listing itself.
    assert found["fds"] == [0, 1, 2, 3, 4]


async def test_gate_holds_the_child_until_it_is_released(rig: Rig) -> None:
    rig.sink.holds = True
    marker = rig.folder / "ran"
    order = rig.order(PythonSettings(code=f"open({str(marker)!r}, 'w').close()"))
    record = rig.start(order)
    pid, started = await record.spawned
    assert started > 0
    assert os.getsid(pid) == pid
    assert not marker.exists()
    rig.executors.release(order.key)
    assert output(await rig.outcome(record)) is None
    assert marker.exists()


async def test_cancel_at_the_gate_runs_nothing(rig: Rig) -> None:
    rig.sink.holds = True
    marker = rig.folder / "ran"
    order = rig.order(PythonSettings(code=f"open({str(marker)!r}, 'w').close()"))
    record = rig.start(order)
    pid, _ = await record.spawned
    rig.executors.cancel(order.key, 5.0)
    rig.executors.release(order.key)
    assert await rig.outcome(record) == Stopped()
    assert not marker.exists()
    assert not alive(pid)


# --------------------------------------------------------------------------- errors


async def test_error_tells_the_users_own_line_and_locals(rig: Rig) -> None:
    path = rig.module(
        "orders",
        "import json\n"
        "def charge(amount):\n"
        "    token = {'card': 'tok', 'left': amount}\n"
        "    return json.loads('{' + str(token))\n",
    )
    found = failure(await rig.call("orders:charge", {"amount": 3}))
    assert found.type == "JSONDecodeError"
    assert found.category == "unexpected"
    assert found.bases[:2] == ("ValueError", "Exception")
    assert (found.file, found.line, found.function) == (str(path), 4, "charge")
    assert found.locals == {"amount": "3", "token": "{'card': 'tok', 'left': 3}"}
    assert "zygote" not in found.traceback
    assert "json.loads('{' + str(token))" in found.traceback


async def test_code_block_error_has_the_line_of_the_block(rig: Rig) -> None:
    found = failure(await rig.code("x = 1\n\nraise RuntimeError('no')"))
    assert (found.type, found.message, found.line, found.function) == (
        "RuntimeError",
        "no",
        3,
        "code",
    )
    assert "raise RuntimeError('no')" in found.traceback


async def test_syntax_error_has_its_place(rig: Rig) -> None:
    path = rig.module("broken", "def f():\n    return (1\n")
    found = failure(await rig.call("broken:f"))
    assert (found.type, found.category, found.file, found.line) == (
        "SyntaxError",
        "unexpected",
        str(path),
        2,
    )


@pytest.mark.parametrize(
    ("call", "given", "said"),
    [
        ("m:f", {"a": 1, "c": 2}, ["is not given b", "does not take c", "it takes a, b"]),
        ("m:f", [1], ["not a list"]),
        ("m:gone", {}, ["m.py has no function gone", "did you mean gone2"]),
        ("m:VALUE", {}, ["cannot be called"]),
        ("nowhere:f", {}, ["nowhere"]),
    ],
)
async def test_wrong_calls_are_explained(
    rig: Rig, call: str, given: object, said: list[str]
) -> None:
    rig.module("m", "VALUE = 1\ndef f(a, b, ctx): ...\ndef gone2(): ...\n")
    found = failure(await rig.call(call, given))
    assert all(part in found.message for part in said), found.message


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (
            "import datetime\nreturn {'rows': [{'when': datetime.datetime.now()}]}",
            "$.rows[0].when is a datetime",
        ),
        ("return float('nan')", "$ is NaN"),
        ("return {'a': '\\ud800'}", "lone surrogate"),
        ("return 2**63", "beyond 64 bits"),
        ("x = []\nx.append(x)\nreturn x", "contains itself"),
        ("return {1: 2}", "a key that is an int"),
        ("return 'x' * (65 * 2**20)", "65 MiB"),
        ("class R:\n    def __reduce__(self): return (print, ('hi',))\nreturn R()", "is a R"),
    ],
)
async def test_results_that_are_no_json_name_the_place(rig: Rig, code: str, said: str) -> None:
    found = failure(await rig.code(code))
    assert found.type == "ResultError"
    assert said in found.message


@pytest.mark.parametrize(
    ("code", "kind", "category"),
    [
        ("raise TimeoutError('x')", "TimeoutError", "transient"),
        ("raise ConnectionResetError('x')", "ConnectionResetError", "transient"),
        ("raise OSError(28, 'full')", "OSError", "resource_exhausted"),
        ("raise MemoryError", "MemoryError", "resource_exhausted"),
        ("raise KeyError('x')", "KeyError", "unexpected"),
        ("raise ValueError('x')", "ValueError", "unexpected"),
        (
            "class ValidationError(ValueError): ...\nraise ValidationError('x')",
            "ValidationError",
            "validation",
        ),
        (
            "class Mine(Exception):\n    category = 'external_service'\nraise Mine",
            "Mine",
            "external_service",
        ),
        (
            "class HTTPStatusError(Exception):\n    status_code = 503\nraise HTTPStatusError",
            "HTTPStatusError",
            "external_service",
        ),
        ("import nothing_like_it", "ModuleNotFoundError", "unexpected"),
    ],
)
async def test_errors_find_their_category(rig: Rig, code: str, kind: str, category: str) -> None:
    found = failure(await rig.code(code))
    assert (found.type, found.category) == (kind, category)


# --------------------------------------------------------------------------- sources


async def test_same_second_edit_of_equal_size_runs_the_new_source(rig: Rig) -> None:
    path = rig.module("m", "def f():\n    return 1\n")
    os.utime(path, (1_000_000, 1_000_000))
    for _ in range(3):  # the third one is forked from a template
        assert output(await rig.call("m:f")) == 1
    path.write_text("def f():\n    return 2\n")
    os.utime(path, (1_000_000, 1_000_000))
    for _ in range(3):
        assert output(await rig.call("m:f")) == 2
    assert not (rig.folder / "__pycache__").exists()


async def test_stale_bytecode_is_never_run(rig: Rig) -> None:
    path = rig.module("m", "def f():\n    return 1\n")
    os.utime(path, (1_000_000, 1_000_000))
    py_compile.compile(str(path))
    path.write_text("def f():\n    return 2\n")
    os.utime(path, (1_000_000, 1_000_000))
    assert output(await rig.call("m:f")) == 2


async def test_helper_only_edit_is_seen(rig: Rig) -> None:
    rig.module("helper", "N = 1\n")
    rig.module("m", "import helper\ndef f():\n    return helper.N\n")
    await _until_template(rig, "m:f")
    rig.module("helper", "N = 2\n")
    assert output(await rig.call("m:f")) == 2


async def test_data_read_at_import_is_seen(rig: Rig) -> None:
    (rig.folder / "data.txt").write_text("one")
    rig.module("m", "DATA = open('data.txt').read()\ndef f():\n    return DATA\n")
    await _until_template(rig, "m:f")
    (rig.folder / "data.txt").write_text("two")
    assert output(await rig.call("m:f")) == "two"


async def test_project_module_wins_over_the_standard_library(rig: Rig) -> None:
    rig.module("json", "def f():\n    return 'mine'\n")
    assert output(await rig.call("json:f")) == "mine"


async def _until_template(rig: Rig, call: str) -> None:
    """Call until a template answers: its attempts are children of another process than the zygote."""
    for _ in range(200):
        record = rig.start(rig.order(PythonSettings(call=call)))
        rig.sink.holds = True
        pid, _ = await record.spawned
        parent = parent_of(pid)
        rig.sink.holds = False
        rig.executors.release(
            next(key for key, value in rig.sink.attempts.items() if value is record)
        )
        await rig.outcome(record)
        if parent != rig.executors.zygote_pid:
            return
    pytest.fail("no template was built")


async def test_template_children_do_not_share_randomness_or_state(rig: Rig) -> None:
    rig.module(
        "m",
        "import random\nSEEN = []\ndef f():\n    SEEN.append(1)\n    return [len(SEEN), random.random()]\n",
    )
    await _until_template(rig, "m:f")
    first, second = output(await rig.call("m:f")), output(await rig.call("m:f"))
    assert first[0] == second[0] == 1
    assert first[1] != second[1]


@pytest.mark.parametrize(
    "source",
    [
        "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n",
        "print('imported')\n",
        "import os\nos.environ['X'] if os.getppid() else None\n",
        "import subprocess\nP = subprocess.Popen(['sleep', '60'])\n",
    ],
)
async def test_modules_that_do_not_suit_a_template_still_run(rig: Rig, source: str) -> None:
    rig.module("m", source + "def f():\n    return 'ran'\n")
    for _ in range(4):
        outcome = await rig.call("m:f", env={"X": "1", "PATH": os.environ["PATH"]})
        assert output(outcome) == "ran"
