"""What the Error tab quotes: the line of the workflow file for code of its own, and enough of the line that raised."""

from __future__ import annotations

import pytest

from studio.model.failure import Failure
from studio.model.nodes import Node, PythonSettings, Undo
from studio.model.places import Place
from studio.projections.screen.inspecting.error import _whole, error_rows
from studio.projections.screen.inspecting.subject import Source
from studio.projections.screen.inspecting.written import line_in_file
from tests.unit.core.driver import Driver, node
from tests.unit.inspecting import subject, texts

FLOW = """\
workflow: wave
nodes:
  each:
    uses: python
    code: |
      x = 1

      y = x / 0
      return y
    compensate:
      uses: python
      code: |
        z = 2
        raise ValueError("undo")
  short: {uses: python, code: "return 1 / 0"}
  gone:
    uses: python
    call: nowhere:thing
""".splitlines()

CODE = "x = 1\n\ny = x / 0\nreturn y\n"
UNDO = Undo(kind=PythonSettings(code='z = 2\nraise ValueError("undo")\n'), place=Place("f", 10, 5))
EACH = node("each", kind=PythonSettings(code=CODE), place=Place("f", 3, 3), compensate=UNDO)
SHORT = node("short", kind=PythonSettings(code="return 1 / 0"), place=Place("f", 15, 3))
GONE = node(
    "gone", kind=PythonSettings(call="nowhere:thing"), place=Place("f", 16, 3),
    keys={"call": Place("f", 18, 5)},
)  # fmt: skip


def raised(name: str, line: int) -> Failure:
    """An error of inline code."""
    return Failure("ZeroDivisionError", "by zero", file=f"<code of {name}>", line=line)


def test_a_line_of_inline_code_is_a_line_of_the_file() -> None:
    assert line_in_file(EACH, raised("each", 3), None, FLOW, undo=False) == 8
    assert line_in_file(EACH, raised("each[2]", 3), None, FLOW, undo=False) == 8
    assert line_in_file(EACH, raised("each", 2), None, FLOW, undo=True) == 14
    assert line_in_file(SHORT, raised("short", 1), None, FLOW, undo=False) == 15


def test_a_module_that_is_gone_is_looked_for_at_the_call() -> None:
    missing = Failure("ModuleNotFoundError", "No module named 'nowhere'")
    assert line_in_file(GONE, missing, None, FLOW, undo=False) == 18
    elsewhere = Failure("ValueError", "no", file="/p/nowhere.py", line=3)
    assert line_in_file(GONE, elsewhere, None, FLOW, undo=False) == 0


def test_code_that_was_edited_since_is_not_found() -> None:
    edited = [line.replace("y = x / 0", "y = x") for line in FLOW]
    assert line_in_file(EACH, raised("each", 3), None, edited, undo=False) == 0
    assert line_in_file(EACH, raised("each", 30), None, FLOW, undo=False) == 0
    moved = ["# a line more", *FLOW]
    assert line_in_file(EACH, raised("each", 3), None, moved, undo=False) == 9


def failing(one: Node, failure: Failure, source: Source | None, width: int = 40) -> list[str]:
    """The Error tab of a node."""
    driver = Driver(one, policy="hold").fail(one.id, failure.type)
    return texts(error_rows(subject(driver, one.id, width=width), failure, [], source))


def test_the_tab_quotes_the_file_and_names_its_line() -> None:
    shown = failing(EACH, raised("each", 3), Source("wave.yaml", FLOW))
    assert "wave.yaml:8" in shown
    assert "▸8 │ y = x / 0" in shown
    assert not any("compensate" in line for line in shown)
    assert shown[-1].startswith("e edit :8")
    shown = failing(GONE, Failure("ModuleNotFoundError", "nowhere"), Source("wave.yaml", FLOW))
    assert "wave.yaml:18" in shown
    assert any("call: nowhere:thing" in line for line in shown)


PRACTICE = [
    "def build_graph(stations):",
    "    graph = {}",
    "    for row in stations:",
    '        graph[row["id"]] = dict(row["edges"])',
    "    return graph",
]


@pytest.mark.parametrize("width", [30, 40, 60])
def test_the_line_that_raised_is_whole(width: int) -> None:
    failure = Failure("KeyError", "'edges'", file="/p/practice.py", line=4)
    shown = failing(node("a"), failure, Source("practice.py", PRACTICE), width)
    assert any('row["edges"])' in line for line in shown)
    code = [line for line in shown if "│" in line]
    assert all(len(line) <= width for line in code)


def test_locals_that_the_line_names_come_first_and_whole() -> None:
    row = "{'id': 'quarry', 'name': 'Old Quarry', 'zone': 3, 'closed': True}"
    known = {"stations": "[{'id': 'harbour', 'name': 'Harbour', 'zone': 1}, {}]", "row": row}
    failure = Failure("KeyError", "'edges'", file="/p/practice.py", line=4, locals=known)
    shown = failing(node("a"), failure, Source("practice.py", PRACTICE))
    told = " ".join(line.strip() for line in shown)
    assert "'closed': True}" in told
    assert told.index("row ") < told.index("stations =")


def test_a_message_that_is_no_traceback_is_not_told_twice() -> None:
    failure = Failure("InputError", "rows has to be a number", traceback="rows has to be a number")
    shown = failing(node("a"), failure, None)
    assert "traceback" not in shown


def test_a_line_of_code_that_is_wrapped_keeps_its_indentation() -> None:
    text = "        total = price_of(order.item) * order.quantity + shipping_of(order)"
    rows = _whole(text, 40)
    assert rows[0].startswith("        total = ")
    assert len(rows) > 1
    assert all(row.startswith(" " * 10) and row[10] != " " for row in rows[1:])
    assert all(len(row) <= 40 for row in rows)
    assert " ".join(row.strip() for row in rows) == text.strip()
    assert _whole(text, 20)[0] == "total =", (
        "where it takes too many rows the indentation gives way"
    )
    assert _whole("        a = b", 40) == ["        a = b"]
    assert all(len(row) <= 4 for row in _whole(text, 4))
