"""The functions that nodes call are looked for without importing anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.loading.loader import LoadResult, load_file

MODULE = """\
import os
from elsewhere import borrowed

raise SystemExit("this file must never be imported")


def reserve_stock(order_id, quantity=1, *, ctx=None):
    def inner():
        pass


async def refund(payment):
    pass


def anything(**given):
    pass


class Step:
    def execute(self):
        pass


if os.name == "posix":
    def guarded():
        pass

alias = reserve_stock
"""


def load(folder: Path, node: str, module: str = MODULE, name: str = "orders.py") -> LoadResult:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(module)
    (folder / "w.yaml").write_text(f"workflow: w\nnodes:\n  a: {{uses: python, {node}}}\n")
    return load_file(folder / "w.yaml", display="flows/w.yaml")


@pytest.mark.parametrize(
    "node",
    [
        "call: 'orders:reserve_stock', with: {order_id: 1}",
        "call: 'orders:reserve_stock', with: {order_id: 1, quantity: 2}",
        "call: 'orders:refund', with: {payment: p}",
        "call: 'orders:anything', with: {any: p}",
        "call: 'orders:borrowed'",
        "call: 'orders:Step'",
        "call: 'orders:guarded'",
        "call: 'orders:alias'",
        "call: 'json:dumps'",
        "call: 'os.path:join'",
    ],
)
def test_what_is_there_is_found(tmp_path: Path, node: str) -> None:
    result = load(tmp_path, node)
    assert [str(one) for one in result.diagnostics] == []
    assert result.workflow is not None


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (
            "call: 'orders:reserve_stok'",
            '3:27: flows/orders.py has no function "reserve_stok"; did you mean "reserve_stock"?',
        ),
        ("call: 'orders:inner'", '3:27: flows/orders.py has no function "inner"'),
        ("call: 'orders:execute'", '3:27: flows/orders.py has no function "execute"'),
        (
            "call: 'orders:refund', with: {payment: 1}, compensate: {call: 'orders:refunt'}",
            '3:83: flows/orders.py has no function "refunt"; did you mean "refund"?',
        ),
    ],
)
def test_what_is_not_there_is_an_error(tmp_path: Path, node: str, expected: str) -> None:
    result = load(tmp_path, node)
    assert result.workflow is None
    assert [str(one) for one in result.diagnostics] == [f"flows/w.yaml:{expected}"]


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (
            "call: 'ordes:refund'",
            '3:27: warning: no module "ordes" beside the file, and none can be imported; did you mean "orders"?',
        ),
        (
            "call: 'orders:reserve_stock', with: {order_id: 1, quantty: 2}",
            '3:71: warning: reserve_stock takes no argument "quantty"; did you mean "quantity"?',
        ),
        (
            "call: 'orders:reserve_stock'",
            '3:27: warning: reserve_stock is called without its argument "order_id"',
        ),
    ],
)
def test_what_may_still_work_is_a_warning(tmp_path: Path, node: str, expected: str) -> None:
    result = load(tmp_path, node)
    assert result.workflow is not None
    assert [str(one) for one in result.diagnostics] == [f"flows/w.yaml:{expected}"]


@pytest.mark.parametrize(
    "module", ["from elsewhere import *\n", "def __getattr__(name):\n    return print\n"]
)
def test_a_module_that_may_define_more_than_it_shows_is_trusted(
    tmp_path: Path, module: str
) -> None:
    assert load(tmp_path, "call: 'orders:unseen'", module).diagnostics == ()


def test_packages_and_dotted_modules_are_found(tmp_path: Path) -> None:
    assert load(tmp_path, "call: 'shop.orders:guarded'", name="shop/orders.py").diagnostics == ()
    assert load(tmp_path, "call: 'depot:guarded'", name="depot/__init__.py").diagnostics == ()


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("def f(:\n    pass\n", "flows/orders.py:1:7: invalid syntax"),
        ("x = 1\n    y = 2\n", "flows/orders.py:2:4: unexpected indent"),
    ],
)
def test_a_module_that_does_not_parse_is_told_once(
    tmp_path: Path, module: str, expected: str
) -> None:
    result = load(tmp_path, "call: 'orders:f', compensate: {call: 'orders:g'}", module)
    assert result.workflow is None
    [problem] = result.diagnostics
    assert problem.code == "python-syntax"
    assert str(problem) == expected


def test_deep_nesting_and_odd_encodings_in_a_module_do_no_harm(tmp_path: Path) -> None:
    assert load(tmp_path, "call: 'orders:f'", "x = '\0'\n").workflow is None
    assert load(tmp_path, "call: 'orders:f'", "x = " + "(" * 5_000 + ")" * 5_000).workflow is None
    (tmp_path / "orders.py").write_bytes(b"# coding: latin-1\n# \xe9\ndef f(): pass\n")
    assert load_file(tmp_path / "w.yaml").diagnostics == ()
    (tmp_path / "orders.py").write_bytes(b"# coding: nonsense\ndef f(): pass\n")
    assert load_file(tmp_path / "w.yaml").workflow is None


def test_inline_code_may_end_in_a_comment_and_return(tmp_path: Path) -> None:
    (tmp_path / "w.yaml").write_text(
        "workflow: w\nnodes:\n  a:\n    uses: python\n    with: {x: 1}\n"
        "    code: |\n      text = '''\n      two lines'''\n      return x + len(text)\n      # done\n"
    )
    assert load_file(tmp_path / "w.yaml").diagnostics == ()
