"""What changes the code fingerprint of a node, and what does not."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from studio.loading.fingerprint import (
    CodeIndex,
    CodePrint,
    changed_code,
    code_fingerprints,
    files_of,
)
from studio.loading.loader import load_text
from studio.model.workflow import Workflow

ORDERS = '''"""Orders."""
import functools
import prices
from store import save as keep

LIMIT = 10
UNUSED = 1

def traced(function):
    return function

def helper(rows):
    """Docs."""
    return len(rows) + LIMIT  # count

def charge_card(order, times=2):
    rows = helper(order)
    return prices.tax(rows) * times

def refund(order):
    return keep(order)

@functools.cache
def other(order):
    return order

if __name__ == "__main__":
    print(charge_card([1]))
'''
PRICES = "RATE = 2\n\ndef tax(x):\n    return x * RATE\n\ndef unused():\n    return 1\n"
STORE = "def save(order):\n    return order\n"
FLOW = """
workflow: orders
nodes:
  charge:
    uses: python
    call: orders:charge_card
    compensate: { call: orders:refund }
  other: { uses: python, call: orders:other }
"""


class Project:
    """A folder of code, and what fingerprints say about edits to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.index = CodeIndex()

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.folder / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def workflow(self, flow: str) -> Workflow:
        result = load_text(flow, str(self.folder / "flow.yaml"), self.folder)
        assert result.workflow is not None, result.diagnostics
        return msgspec.structs.replace(result.workflow, folder=str(self.folder))

    def prints(self, flow: str = FLOW) -> dict[str, CodePrint]:
        return code_fingerprints(self.workflow(flow), self.index)

    def names(self, *files: str) -> frozenset[str]:
        return frozenset(str(self.folder / file) for file in files)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path)
    made.write("orders.py", ORDERS)
    made.write("prices.py", PRICES)
    made.write("store.py", STORE)
    return made


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("orders.py", "# count", "# counted"),
        ("orders.py", '"""Docs."""', '"""Other docs."""'),
        ("orders.py", '"""Orders."""', '"""All about orders."""'),
        ("orders.py", "len(rows) + LIMIT", "( len( rows )\n        + LIMIT )"),
        ("orders.py", "UNUSED = 1", "UNUSED = 2"),
        ("orders.py", "def helper", "def new():\n    return 3\n\ndef helper"),
        ("orders.py", "print(charge_card([1]))", "print('script')"),
        ("prices.py", "return 1", "return 2"),
    ],
)
def test_what_does_not_matter(project: Project, file: str, old: str, new: str) -> None:
    before = project.prints()
    project.edit(file, old, new)
    assert changed_code(before, project.prints()) == {}
    assert project.prints() == code_fingerprints(project.workflow(FLOW))


@pytest.mark.parametrize(
    ("file", "old", "new", "what"),
    [
        ("orders.py", "* times", "+ times", "charge_card in orders.py"),
        ("orders.py", "times=2", "times=3", "charge_card in orders.py"),
        ("orders.py", "def charge_card", "@traced\ndef charge_card", "charge_card in orders.py"),
        ("orders.py", "len(rows)", "sum(rows)", "helper in orders.py"),
        ("orders.py", "LIMIT = 10", "LIMIT = 11", "LIMIT in orders.py"),
        ("prices.py", "x * RATE", "x + RATE", "tax in prices.py"),
        ("prices.py", "RATE = 2", "RATE = 3", "RATE in prices.py"),
        ("prices.py", "RATE = 2", "RATE = 2\nprint('hello')", "top level of prices.py"),
    ],
)
def test_what_matters_and_for_whom(
    project: Project, file: str, old: str, new: str, what: str
) -> None:
    before = project.prints()
    project.edit(file, old, new)
    changed = changed_code(before, project.prints())
    assert changed["charge"].startswith(what)
    assert changed.keys() == ({"charge", "other"} if what.startswith("top") else {"charge"})


def test_an_edit_of_the_undo_is_told_apart(project: Project) -> None:
    before = project.prints()
    project.edit("store.py", "return order", "return None")
    after = project.prints()
    assert changed_code(before, after) == {}
    assert before["charge"].undo != after["charge"].undo


def test_the_files_of_a_node_are_those_it_reaches(project: Project) -> None:
    assert project.prints()["charge"].files == project.names("orders.py", "prices.py", "store.py")
    assert files_of(project.prints().values()) == project.names(
        "orders.py", "prices.py", "store.py"
    )


@pytest.mark.parametrize(
    ("header", "use"),
    [
        ("import pack.rates", "pack.rates.RATE"),
        ("import pack.rates as r", "r.RATE"),
        ("from pack import rates", "rates.RATE"),
        ("from pack.rates import RATE", "RATE"),
        ("from pack.rates import RATE as R", "R"),
        ("from pack.rates import *", "RATE"),
        ("from pack import public", "public()"),
        ("import pack", "pack.public()"),
        ("import pack", "getattr(pack, 'public')()"),
        ("import importlib", "importlib.import_module('pack.rates').RATE"),
        ("try:\n    from pack.rates import RATE\nexcept ImportError:\n    RATE = 0", "RATE"),
    ],
)
def test_every_way_of_importing_is_followed(project: Project, header: str, use: str) -> None:
    project.write("pack/__init__.py", "from .rates import rate as public\n")
    project.write("pack/rates.py", "RATE = 1\nOTHER = 1\n\ndef rate():\n    return RATE\n")
    for source in (
        f"{header}\n\ndef run():\n    return {use}\n",
        f"def run():\n    {header.replace(chr(10), chr(10) + '    ')}\n    return {use}\n",
    ):
        if "import *" in source and source.startswith("def"):
            continue  # not allowed inside of a function
        project.write("steps.py", source)
        flow = "workflow: w\nnodes:\n  run: { uses: python, call: steps:run }\n"
        before = project.prints(flow)
        project.edit("pack/rates.py", "RATE = 1", "RATE = 12")
        assert changed_code(before, project.prints(flow)).keys() == {"run"}, source
        project.edit("pack/rates.py", "RATE = 12", "RATE = 1")
        assert changed_code(before, project.prints(flow)) == {}


def test_modules_may_import_each_other(project: Project) -> None:
    project.write("a.py", "import b\n\ndef run(n=1):\n    return b.back(n)\n")
    project.write("b.py", "import a\n\ndef back(n):\n    return a.run(n) if n else 0\n")
    flow = "workflow: w\nnodes:\n  run: { uses: python, call: 'a:run' }\n"
    before = project.prints(flow)
    project.edit("b.py", "else 0", "else 1")
    assert changed_code(before, project.prints(flow)) == {"run": "back in b.py"}


def test_a_local_module_hides_one_of_the_standard_library(project: Project) -> None:
    project.write("json.py", "def dumps(x):\n    return str(x)\n")
    project.write("steps.py", "import json\n\ndef run():\n    return json.dumps(1)\n")
    flow = "workflow: w\nnodes:\n  run: { uses: python, call: steps:run }\n"
    before = project.prints(flow)
    project.edit("json.py", "str(x)", "repr(x)")
    assert changed_code(before, project.prints(flow)) == {"run": "dumps in json.py"}


def test_variables_of_a_function_hide_names_of_the_module(project: Project) -> None:
    source = "rows = 1\ndef run(limit):\n    rows = [limit]\n    return rows\ndef limit():\n    return 1\n"
    project.write("steps.py", source)
    flow = "workflow: w\nnodes:\n  run: { uses: python, call: steps:run }\n"
    before = project.prints(flow)
    project.edit("steps.py", "rows = 1", "rows = 2")
    project.edit("steps.py", "return 1", "return 2")
    assert changed_code(before, project.prints(flow)) == {}


@pytest.mark.parametrize(
    ("registry", "header", "decorator", "look_up"),
    [
        (
            "TABLE = {}\ndef register(f):\n    TABLE[f.__name__] = f\n    return f\n",
            "from registry import register, TABLE",
            "@register",
            "TABLE['double']",
        ),
        (
            "TABLE = {}\ndef register(n):\n    def add(f):\n        TABLE[n] = f\n        return f\n    return add\n",
            "import registry",
            "@registry.register('double')",
            "registry.TABLE['double']",
        ),
        (
            "class Table(dict):\n    def add(self, f):\n        self[f.__name__] = f\ntable = Table()\n",
            "from registry import table",
            "@table.add",
            "table['double']",
        ),
    ],
)
def test_a_registry_of_the_project_is_followed(
    project: Project, registry: str, header: str, decorator: str, look_up: str
) -> None:
    project.write("registry.py", registry)
    project.write(
        "steps.py",
        f"{header}\n{decorator}\ndef double(x):\n    return 2 * x\n\n"
        f"def run(x):\n    return {look_up}(x)\n",
    )
    flow = "workflow: w\nnodes:\n  run: { uses: python, call: steps:run }\n"
    before = project.prints(flow)
    project.edit("steps.py", "2 * x", "3 * x")
    assert changed_code(before, project.prints(flow)) == {"run": "double in steps.py"}


def test_a_decorator_that_only_wraps_ties_nothing_together(project: Project) -> None:
    project.edit("orders.py", "def helper", "@traced\ndef helper")
    before = project.prints()
    project.edit("orders.py", "len(rows)", "sum(rows)")
    assert changed_code(before, project.prints()) == {"charge": "helper in orders.py"}


def test_dynamic_code_reaches_its_whole_module(project: Project) -> None:
    project.write(
        "steps.py",
        "def run(n):\n    return globals()['step_' + n]()\n\ndef step_a():\n    return 1\n",
    )
    flow = "workflow: w\nnodes:\n  run: { uses: python, call: steps:run }\n"
    before = project.prints(flow)
    project.edit("steps.py", "return 1", "return 2")
    assert changed_code(before, project.prints(flow)) == {"run": "step_a in steps.py"}


def test_inline_code_is_followed_into_the_project(project: Project) -> None:
    flow = (
        "workflow: w\nnodes:\n  run:\n    uses: python\n    code: |\n"
        "      import prices\n      return prices.tax(1)\n"
    )
    before = project.prints(flow)
    assert before["run"].files == project.names("prices.py")
    project.edit("prices.py", "x * RATE", "x + RATE")
    assert changed_code(before, project.prints(flow)) == {"run": "tax in prices.py"}


def test_scripts_of_shell_nodes_count_by_content_and_data_does_not(project: Project) -> None:
    project.write("bin/load.sh", "echo 1\n")
    project.write("rows.csv", "1\n")
    project.write("tool.py", "import prices\nprint(prices.tax(1))  # say\n")
    flow = (
        "workflow: w\nnodes:\n"
        "  load: { uses: shell, run: 'sh bin/load.sh < rows.csv > out.json' }\n"
        "  tool: { uses: shell, run: 'python tool.py \"{{ params }}\"' }\n"
        "parameters: {}\n"
    ).replace(' "{{ params }}"', "")
    before = project.prints(flow)
    assert before["load"].files == project.names("bin/load.sh")
    project.write("rows.csv", "2\n")
    project.write("out.json", "{}")
    project.edit("tool.py", "# say", "# tell")
    assert changed_code(before, project.prints(flow)) == {}
    project.write("bin/load.sh", "echo 2\n")
    project.edit("prices.py", "x * RATE", "x + RATE")
    assert changed_code(before, project.prints(flow)) == {
        "load": "bin/load.sh",
        "tool": "tax in prices.py",
    }


@pytest.mark.parametrize(
    "broken", ["def charge_card(:\n", "x = '\0'", "(" * 300 + ")" * 300, "é = 1".encode("latin-1")]
)
def test_what_cannot_be_parsed_is_a_diagnostic(project: Project, broken: str | bytes) -> None:
    raw = broken if isinstance(broken, bytes) else broken.encode()
    (project.folder / "prices.py").write_bytes(raw)
    found = project.prints()["charge"]
    assert [one.place.file for one in found.problems] == ["prices.py"]
    assert found.problems[0].severity == "error"
    project.write("prices.py", PRICES)
    assert project.prints()["charge"].problems == ()


def test_an_edit_of_equal_size_within_one_tick_is_seen(project: Project) -> None:
    path = project.folder / "prices.py"
    before = project.prints()
    stamp = path.stat()
    project.edit("prices.py", "RATE = 2", "RATE = 3")
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert changed_code(before, project.prints()).keys() == {"charge"}


def test_missing_modules_and_other_peoples_are_no_files_of_the_node(project: Project) -> None:
    flow = (
        "workflow: w\nnodes:\n  a: { uses: python, call: 'missing_module:run' }\n"
        "  b: { uses: python, call: 'json:dumps' }\n  c: { uses: noop }\n"
    )
    prints = project.prints(flow)
    assert prints.keys() == {"a", "b"}
    assert prints["a"].files == prints["b"].files == frozenset()
    project.write("missing_module.py", "def run():\n    return 1\n")
    assert changed_code(prints, project.prints(flow)) == {"a": "run in missing_module.py"}


def test_imports_that_lead_out_of_the_project_are_left_alone(project: Project) -> None:
    project.write("steps.py", "from ... import x\nfrom . import y\n\ndef run():\n    return x, y\n")
    flow = "workflow: w\nnodes:\n  run: { uses: python, call: steps:run }\n"
    assert project.prints(flow)["run"].files == project.names("steps.py")
