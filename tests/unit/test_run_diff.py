"""Two runs beside each other, and where JSON values differ."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.core import commands as verbs
from studio.model.nodes import NoopSettings, WaitSettings
from studio.projections.differences import MISSING, Difference, differences, part_at
from studio.projections.run_diff import RunDiff, Side, diff_document
from studio.projections.run_diff_lines import diff_lines
from tests.unit.core.driver import Driver, node

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=3),
    max_leaves=12,
)  # fmt: skip


def put(value: Any, path: tuple[str | int, ...], part: Any) -> Any:
    """The value with another part at a path."""
    if not path:
        return part
    if isinstance(value, dict):
        changed = dict(value)
        if part is MISSING and len(path) == 1:
            changed.pop(str(path[0]))
        else:
            changed[str(path[0])] = put(value.get(path[0]), path[1:], part)
        return changed
    changed_list = list(value)
    changed_list[int(path[0])] = put(value[int(path[0])], path[1:], part)
    return changed_list


@given(VALUES, VALUES)
def test_putting_in_every_difference_makes_the_other_value(before: Any, after: Any) -> None:
    made = before
    for each in differences(before, after):
        assert part_at(before, each.path) == each.before
        assert part_at(after, each.path) == each.after
        made = put(made, each.path, each.after)
    assert made == after


@given(VALUES)
def test_a_value_does_not_differ_from_itself(value: Any) -> None:
    assert list(differences(value, value)) == []


def test_true_is_not_one_and_lists_of_other_lengths_are_one_part() -> None:
    assert list(differences({"a": 1}, {"a": True})) == [Difference(("a",), 1, True)]
    assert list(differences([1, 2], [1])) == [Difference((), [1, 2], [1])]
    assert list(differences([1, 2], [1, 3])) == [Difference((1,), 2, 3)]
    assert list(differences({}, {"a": None})) == [Difference(("a",), MISSING, None)]


def test_no_more_than_so_many_members_are_compared() -> None:
    assert list(differences(list(range(100)), [0] * 100, most=10))[-1].path == (8,)


def side(driver: Driver) -> Side:
    return Side(driver.state, driver.run())


def lines(before: Driver, after: Driver, **keys: Any) -> list[str]:
    return [line.text for line in diff_lines(RunDiff(side(before), side(after)), **keys)]


def good(rows: int = 3) -> Driver:
    """A run that succeeds."""
    driver = Driver(node("load"), node("save", "load", input={"rows": "{{ nodes.load.output.rows }}"}), node("tell", "save"))  # fmt: skip
    return driver.tick(1).finish("load", {"rows": rows}).tick(1).finish("save").finish("tell")


def test_runs_that_went_the_same_way_are_said_to() -> None:
    shown = lines(good(), good())
    assert shown[-1] == "3 nodes the same"
    assert len(shown) == 3
    document = diff_document(RunDiff(side(good()), side(good())))
    assert document["nodes"] == {}
    assert document["states"] == ["succeeded", "succeeded"]


def test_what_differs_is_told_with_the_input_and_the_error_behind_it() -> None:
    broken = Driver(node("load"), node("save", "load", input={"rows": "{{ nodes.load.output.rows }}"}), node("tell", "save"))  # fmt: skip
    broken.tick(1).finish("load", {"rows": 5}).tick(1).fail("save", "KeyError")
    shown = lines(good(), broken)
    assert "~ load  ✓ succeeded 1.0 s → ✓ succeeded 1.0 s" in shown
    assert "    output.rows: 3 → 5" in shown
    assert "~ save  ✓ succeeded 1.0 s → ✗ failed 1.0 s" in shown
    assert "    input.rows: 3 → 5" in shown
    assert any(line.startswith("    error after: KeyError") for line in shown)
    assert any(line.startswith("~ tell  ✓ succeeded") for line in shown)
    assert shown[-1] == "0 nodes the same"
    entry = diff_document(RunDiff(side(good()), side(broken)))["nodes"]["save"]
    assert entry["states"] == ["succeeded", "failed"]
    assert entry["input"] == [{"path": ["rows"], "before": 3, "after": 5}]
    assert entry["errors"][0] is None


def test_the_time_at_rest_and_that_until_a_mark_are_nobodys() -> None:
    marked = Driver(node("load"), node("save", "load"), policy="hold", surface="screen")
    marked.tick(1).finish("load").tick(2).fail("save").tick(60)
    marked.verb(verbs.MarkNode, "save", outcome="succeeded")
    shown = lines(good(), marked)
    assert shown[1] == "run 1    ✓ succeeded in 3.0 s  flow"
    entry = RunDiff(side(good()), side(marked)).node("save")
    assert entry.seconds == (1.0, None)
    assert not any("min" in line for line in shown)


def test_nodes_of_one_run_alone_and_changed_definitions_are_named() -> None:
    before = Driver(node("a"), node("b", kind=NoopSettings())).finish("a").finish("b")
    after = Driver(node("a"), node("b", kind=WaitSettings(duration=1.0)), node("c")).finish("a")
    shown = lines(before, after)
    assert "+ c  only in the second" in shown
    assert any(line.startswith("    definition: ") for line in shown)
    assert "- c  only in the first" in lines(after, before)


def test_a_node_that_took_much_longer_is_told_though_it_went_the_same_way() -> None:
    slow = Driver(node("load"), node("save", "load", input={"rows": "{{ nodes.load.output.rows }}"}), node("tell", "save"))  # fmt: skip
    slow.tick(9).finish("load", {"rows": 3}).tick(1).finish("save").finish("tell")
    shown = lines(good(), slow)
    assert "~ load  ✓ succeeded 1.0 s → ✓ succeeded 9.0 s" in shown
    assert shown[-1] == "3 nodes the same"


def test_attempts_are_told_where_they_differ() -> None:
    twice = good()
    twice.verb(verbs.RetryNode, "load").finish("load", {"rows": 3})
    assert any("attempt 1 → ✓ succeeded" in line for line in lines(good(), twice))


def test_sensitive_values_may_differ_but_are_not_told() -> None:
    def run(secret: str) -> Driver:
        driver = Driver(node("load", sensitive=("token",)))
        return driver.finish("load", {"token": secret, "rows": 1})

    diff = RunDiff(side(run("hunter2-one")), side(run("hunter2-two")))
    text = repr([line.text for line in diff_lines(diff)]) + repr(diff_document(diff))
    assert "output.token" in text
    assert "hunter2" not in text


def test_ascii_is_ascii() -> None:
    broken = Driver(node("load"), node("new"), policy="hold").fail("load", "KeyError")
    assert all(line.isascii() for line in lines(good(), broken, ascii=True))


@pytest.mark.parametrize("pins", [("", "x"), ("x", "x"), ("x", "")])
def test_code_that_is_not_kept_or_the_same_is_no_difference(pins: tuple[str, str]) -> None:
    runs = (good(), good())
    for driver, pin in zip(runs, pins, strict=True):
        driver.run().pin = pin
    assert not RunDiff(side(runs[0]), side(runs[1])).other_code


def test_other_code_is_told() -> None:
    runs = (good(), good())
    for driver, pin in zip(runs, ("x", "y"), strict=True):
        driver.run().pin = pin
    assert "code: other functions or modules than in the first" in lines(*runs)
