"""Python nodes of a run that keeps to stored code: real children, whatever happens to the files meanwhile."""

# ruff: noqa: ASYNC240  # small writes of a test, meant to happen in line

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import pytest

from tests.integration.executor_rig import Rig, failure, output

BROKEN = "def f(:\n"

ways = pytest.mark.parametrize("isolation", ["process", "shared"])
Way = Literal["process", "shared"]


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with Rig(tmp_path) as rig:
        yield rig


@ways
async def test_a_broken_file_is_not_what_runs(rig: Rig, isolation: Way) -> None:
    path = rig.module("orders", "import prices\ndef f():\n    return prices.one()\n")
    other = rig.module("prices", "def one():\n    return 1\n")
    pin = rig.pin()
    path.write_text(BROKEN)
    other.write_text(BROKEN)
    # From the second call on, a template with the module imported serves it; from the third it is ready.
    for _ in range(4):
        assert output(await rig.call("orders:f", pin=pin, isolation=isolation)) == 1
    assert failure(await rig.call("orders:f", isolation=isolation)).type == "SyntaxError"


@ways
async def test_two_versions_run_side_by_side(rig: Rig, isolation: Way) -> None:
    pins = []
    for number in range(4):
        rig.module("orders", f"def f():\n    return {number}\n")
        pins.append(rig.pin())
    for _ in range(3):
        for number, pin in enumerate(pins):
            assert output(await rig.call("orders:f", pin=pin, isolation=isolation)) == number
    assert output(await rig.call("orders:f", isolation=isolation)) == 3


async def test_files_that_are_gone_are_imported_all_the_same(rig: Rig) -> None:
    package = rig.folder / "shop" / "parts"
    package.mkdir(parents=True)
    (rig.folder / "shop" / "__init__.py").write_text("from . import tax\nRATE = tax.RATE\n")
    (rig.folder / "shop" / "tax.py").write_text("RATE = 2\n")
    (package / "deep.py").write_text("from .. import RATE\nTWICE = RATE * 2\n")
    rig.module("orders", "from shop.parts import deep\ndef f():\n    return deep.TWICE\n")
    pin = rig.pin()
    shutil.rmtree(rig.folder / "shop")
    (rig.folder / "orders.py").unlink()
    assert output(await rig.call("orders:f", pin=pin)) == 4


async def test_what_is_not_stored_comes_from_the_folder(rig: Rig) -> None:
    rig.module(
        "orders",
        "import importlib, pathlib, pkgutil\n"
        "def f():\n"
        "    found = sorted(one.name for one in pkgutil.iter_modules(['.']))\n"
        "    return [importlib.import_module('plug' + 'in').NAME, pathlib.Path('data.txt').read_text(), found]\n",
    )
    pin = rig.pin()
    rig.module("plugin", "NAME = 'late'\n")
    (rig.folder / "data.txt").write_text("data")
    found = output(await rig.call("orders:f", pin=pin))
    assert found == ["late", "data", ["orders", "plugin"]]


async def test_names_lines_and_texts_are_those_of_the_users_file(rig: Rig) -> None:
    path = rig.module(
        "orders",
        "import inspect\ndef g():\n    return 1\ndef f():\n    text = inspect.getsource(g)\n"
        "    raise KeyError(__file__, text)\n",
    )
    pin = rig.pin()
    path.write_text("# another text\n" * 9)
    found = failure(await rig.call("orders:f", pin=pin))
    assert (found.file, found.line, found.function) == (str(path), 6, "f")
    assert str(path) in found.message
    assert "def g():\\n    return 1" in found.message
    assert "    raise KeyError(__file__, text)" in found.traceback
    assert "another text" not in found.traceback


async def test_inline_code_imports_the_stored_modules(rig: Rig) -> None:
    path = rig.module("prices", "RATE = 1\n")
    pin = rig.pin()
    path.write_text("RATE = 2\n")
    assert output(await rig.code("import prices\nreturn prices.RATE", pin=pin)) == 1


@ways
async def test_stored_code_that_is_gone_or_damaged_fails_the_node_and_says_what_helps(
    rig: Rig, isolation: Way
) -> None:
    rig.module("orders", "try:\n    import prices\nexcept ImportError:\n    pass\ndef f(): pass\n")
    rig.module("prices", "RATE = 1\n")
    pin = Path(rig.pin())
    body = pin.read_bytes()
    pin.write_bytes(body.replace(b"RATE = 1", b"RATE = 7"))
    found = failure(await rig.call("orders:f", pin=str(pin), isolation=isolation))
    assert found.type == "PinnedCodeError"
    assert "prices.py in it is damaged" in found.message
    assert "retry the node by hand" in found.message
    for bad in (body[:20], body[:-3].replace(b"orders", b"ordurs"), b"", b"x" * 400):
        pin.write_bytes(bad)
        found = failure(await rig.call("orders:f", pin=str(pin), isolation="process"))
        assert found.type == "PinnedCodeError", bad
    pin.unlink()
    found = failure(await rig.call("orders:f", pin=str(pin), isolation="process"))
    assert f"{pin}: No such file or directory" in found.message


async def test_a_template_of_older_code_does_not_answer_for_newer(rig: Rig) -> None:
    rig.module("orders", "import os\ndef f():\n    return [1, os.getppid()]\n")
    first = rig.pin()
    parents = set()
    for _ in range(200):
        value, parent = output(await rig.call("orders:f", pin=first))
        parents.add(parent)
        assert value == 1
        if len(parents) == 2:
            break
    assert len(parents) == 2, "no template came into use"
    rig.module("orders", "import os\ndef f():\n    return [2, os.getppid()]\n")
    second = rig.pin()
    assert output(await rig.call("orders:f", pin=second))[0] == 2
    # The older template stays for the run that keeps to it.
    assert output(await rig.call("orders:f", pin=first))[1] in parents - {rig.executors.zygote_pid}
