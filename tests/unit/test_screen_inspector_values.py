"""Values as trees and tables: folds, paths, bounds, masking, search."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from studio.core import commands as verbs
from studio.core.commands import OverrideInput
from studio.core.events import Slot
from studio.model.expressions import parse_expression
from studio.projections.masking import COVER
from studio.projections.screen.inspecting.leaves import expression, leaf_text, node_prefix
from studio.projections.screen.inspecting.run_pages import value_page
from studio.projections.screen.inspecting.tables import table_of
from studio.projections.screen.inspecting.tree import FIRST, ValueTree
from studio.projections.screen.inspecting.values import (
    AT_ONCE,
    finding_key,
    input_of,
    output_of,
    with_secrets,
)
from studio.projections.text import width
from tests.unit.core.driver import Driver, node
from tests.unit.inspecting import subject, texts, unstarted

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=8), inner, max_size=6)
    ),
    max_leaves=25,
)


def lines(tree: ValueTree, cells: int = 60) -> list[str]:
    return texts(tree.row(index, cells) for index in range(len(tree.rows)))


def test_small_values_are_open_and_large_ones_folded() -> None:
    tree = ValueTree({"n": 1, "deep": {"a": [True, None]}, "many": list(range(300))}, "output")
    assert lines(tree) == [
        "  n: 1",
        "▾ deep: {1 key}",
        "  ▾ a: [2 items]",
        "      [0] true",
        "      [1] null",
        "▸ many: [300 items]  0, 1, 2, 3, 4, 5",
    ]


def test_opening_a_long_list_shows_some_and_more_on_demand() -> None:
    tree = ValueTree({"many": list(range(1_000))}, "output")
    assert tree.toggle(0)
    assert len(tree.rows) == 1 + FIRST + 1
    assert lines(tree)[-1] == "  … 900 more, Enter shows 400"
    assert tree.toggle(len(tree.rows) - 1)
    assert lines(tree)[-1] == "  … 500 more, Enter shows 400"
    assert tree.toggle(0)
    assert len(tree.rows) == 1
    assert not tree.toggle(7)


def test_a_leaf_gives_the_template_of_its_value() -> None:
    tree = ValueTree({"rows": [[1, 2], [3]], "odd key": {"x": 1}}, "nodes.load.output")
    paths = {line.strip(): tree.path_at(index) for index, line in enumerate(lines(tree))}
    assert paths["[0] 3"] == "{{ nodes.load.output.rows[1][0] }}"
    assert paths["x: 1"] == '{{ nodes.load.output["odd key"].x }}'
    assert tree.value_at(len(tree.rows) - 1) == 1


@example([None, {"": None, "0": None, "00000000": None, "1": None}], 24)
@example([None, {"0000000⺀": None, "0⺀⺀𠀀": 0}], 24)
@example([[[{"\U0001019d": False}]]], 24)
@given(VALUES, st.integers(24, 120))
def test_every_path_is_an_expression_that_gives_the_value_and_every_row_fits(
    value: object, cells: int
) -> None:
    tree = ValueTree(value, "params.it")
    tree.fit(cells)
    for index, row in enumerate(tree.rows):
        assert width("".join(part.text for part in tree.row(index, cells))) <= cells
        if row.kind in ("value", "record"):
            source = tree.path_at(index).removeprefix("{{ ").removesuffix(" }}")
            assert parse_expression(source).evaluate({"params": {"it": value}}) == tree.value_at(
                index
            )


def test_names_that_are_no_identifiers_are_quoted() -> None:
    assert node_prefix("my-node", "output") == 'nodes["my-node"].output'
    assert node_prefix("each[3]", "output") == "nodes.each.output[3]"
    assert expression("input", ("a", 0, 'say "hi"')) == 'input.a[0]["say \\"hi\\""]'


def test_records_make_a_table_that_keeps_to_its_width() -> None:
    rows = [{"id": i, "name": "n" * (i % 40), "ok": True} for i in range(150)]
    tree = ValueTree(rows, "output")
    shown = lines(tree, 40)
    assert shown[0].split() == ["id", "name", "ok"]
    assert all(width(line) <= 40 for line in shown)
    assert shown[1].split() == ["▸", "0", "0", '""', "true"]
    assert shown[-1].endswith("50 more, Enter shows 50")
    assert tree.toggle(2)
    assert lines(tree, 40)[3].strip() == "id: 1"
    assert tree.path_at(3) == "{{ output[1].id }}"


@pytest.mark.parametrize(
    "value",
    [
        [{"a": 1}],
        [{"a": 1}, {"b": 1}],
        [{"a": 1}, {"a": [1]}],
        [1, 2],
        [{}, {}],
        [None, None],
    ],
)
def test_what_is_no_list_of_like_flat_records_makes_no_table(value: list[object]) -> None:
    assert table_of(value, lambda key, shown: shown) is None


def test_failed_items_do_not_spoil_a_table() -> None:
    tree = ValueTree([{"n": 1}, None, {"n": 3}], "output")
    assert [line.split() for line in lines(tree)] == [
        ["n"],
        ["▸", "0", "1"],
        ["1", "null"],
        ["▸", "2", "3"],
    ]


def test_a_long_text_opens_wrapped_at_the_width() -> None:
    tree = ValueTree({"note": "word " * 50}, "output")
    assert lines(tree, 40)[0].endswith("…")
    tree.fit(40)
    assert tree.toggle(0)
    shown = lines(tree, 40)
    assert len(shown) > 5
    assert all(len(line) <= 40 for line in shown)
    narrow = len(tree.rows)
    tree.fit(20)
    assert len(tree.rows) > narrow


HOSTILE = "\x1b[2J\x1b]0;t\x07[bold]\u202e" + "e" + "\u0301" * 200_000 + "\n\r\t"


def test_hostile_text_in_keys_and_values_is_tamed() -> None:
    tree = ValueTree({HOSTILE: HOSTILE, "list": [{HOSTILE: 1}, {HOSTILE: 2}]}, "output")
    tree.toggle(0)
    for line in lines(tree, 50):
        assert all(character.isprintable() for character in line)
        assert len(line) < 400


def test_no_character_of_a_value_is_left_out() -> None:
    tree = ValueTree(
        {"\x9b2J": "\x1b[2J", "t": "a\tb\rc\u202e", "long": "\x1b[1m" + "word " * 40}, "output"
    )
    shown = "\n".join(lines(tree))
    assert r'\x9b2J: "\x1b[2J"' in shown
    assert r'"a\tb\rc\u202e"' in shown
    tree.toggle(2)
    assert r"\x1b[1mword" in "\n".join(lines(tree))


def test_numbers_no_terminal_could_hold_are_described() -> None:
    assert leaf_text(10**5_000, 40) == "an integer of 16,610 bits"
    assert leaf_text(10**30, 10) == "100000000…"


def test_a_huge_value_costs_what_is_seen_of_it() -> None:
    made = 0

    def cover(key: object, value: object) -> object:
        nonlocal made
        made += 1
        return value

    tree = ValueTree({"rows": [{"id": i, "x": [i]} for i in range(100_000)]}, "output", cover)
    tree.toggle(0)
    lines(tree)
    assert made < 5_000


def test_search_finds_what_is_folded_goes_round_and_back() -> None:
    value = {
        "a": {"b": [{"k": "needle"}, 1]},
        "rows": [[f"row {i}"] for i in range(500)],
        "z": "Needle",
    }
    tree = ValueTree(value, "output")
    first = tree.find("needle", 0)
    assert first is not None
    assert tree.path_at(first) == "{{ output.a.b[0].k }}"
    second = tree.find("needle", first)
    assert second is not None
    assert tree.path_at(second) == "{{ output.z }}"
    assert tree.find("needle", second) == first
    assert tree.find("needle", second, -1) == first
    deep = tree.find("row 412", 0)
    assert deep is not None
    assert tree.path_at(deep) == "{{ output.rows[412][0] }}"
    assert tree.find("nowhere", 0) is None


# --------------------------------------------------------------------------- which value


def test_the_output_is_shown_when_there_is_one_and_why_there_is_none_otherwise() -> None:
    driver = Driver(node("a"), node("b", "a"), policy="hold")
    assert "there is no output yet" in texts(output_of(subject(driver, "a")).head)[0]
    driver.finish("a", {"n": 1}, port="left").fail("b", "KeyError")
    found = output_of(subject(driver, "a"))
    assert texts(found.head) == ["port    left", ""]
    assert found.load is not None
    assert found.load() == {"n": 1}
    assert "o gives it one by hand" in " ".join(
        texts(output_of(subject(driver, "b", width=60)).head)
    )
    assert "A run gives it" in texts(output_of(unstarted(driver, "a")).head)[0]


def test_sensitive_fields_and_their_values_are_covered_wherever_they_appear() -> None:
    driver = Driver(
        node("a", sensitive=("key",)),
        node("b", "a", input={"given": "{{ nodes.a.output.key }}", "n": 1}),
        policy="hold",
    )
    driver.finish("a", {"key": "hunter2-secret", "list": [{"key": "x1"}, {"key": "x2"}], "n": 1})
    tree = output_of(subject(driver, "a")).tree(ascii=False)
    assert tree is not None
    shown = "\n".join(lines(tree))
    assert "hunter2" not in shown
    assert shown.count(COVER) == 3
    assert tree.find("hunter2", 0) is None
    given = input_of(subject(driver, "b")).tree(ascii=False)
    assert given is not None
    assert lines(given) == [f"  given: {COVER}", "  n: 1"]


def test_inputs_come_from_the_file_the_history_or_a_person() -> None:
    driver = Driver(node("a"), node("b", "a", input={"n": "{{ nodes.a.output }}"}), policy="hold")
    before = input_of(subject(driver, "b"))
    assert texts(before.head)[0].startswith("As written")
    driver.finish("a", 7)
    recorded = input_of(subject(driver, "b"))
    assert recorded.load is not None
    assert recorded.load() == {"n": 7}
    driver.fail("b", "KeyError").do(OverrideInput(run=1, node="b", input={"n": 8}))
    override = input_of(subject(driver, "b", width=80))
    assert texts(override.head)[0] == "° given by hand, for the next attempt"
    assert override.load is not None
    assert override.load() == {"n": 8}
    driver.verb(verbs.RetryNode, "b")
    used = input_of(subject(driver, "b", width=80))
    assert texts(used.head)[0] == "° given by hand, used by attempt 2"
    assert len({before.key, recorded.key, override.key, used.key}) == 4
    assert used.key == finding_key(subject(driver, "b"), "Input")


def test_an_item_shows_its_element_and_its_foreach_the_list() -> None:
    driver = Driver(node("each", foreach=[{"id": 4}, {"id": 5}], input={"it": "{{ item.id }}"}))
    item = input_of(subject(driver, "each[1]"))
    assert texts(item.head)[0] == "item    {1 key}"
    assert item.load is not None
    assert item.load() == {"it": 5}
    whole = input_of(subject(driver, "each"))
    assert whole.load is not None
    assert whole.load() == [{"id": 4}, {"id": 5}]


def test_secrets_show_as_the_templates_they_come_from() -> None:
    given = {"auth": "Bearer , again ", "list": [""]}
    slots = (
        Slot(("auth",), 7, "TOKEN"),
        Slot(("auth",), 15, "OTHER"),
        Slot(("list", 0), 0, "TOKEN"),
    )
    assert with_secrets(given, slots) == {
        "auth": "Bearer {{ secrets.TOKEN }}, again {{ secrets.OTHER }}",
        "list": ["{{ secrets.TOKEN }}"],
    }
    assert given["list"] == [""]


def test_a_very_large_value_is_only_read_when_asked_for() -> None:
    driver = Driver(node("a"), check=False)
    driver.finish("a", ["x" * 1_000] * (AT_ONCE // 1_000 + 1))
    seen = subject(driver, "a")
    found = output_of(seen)
    page = value_page(seen, found, None)
    assert page.ask > AT_ONCE
    assert "Enter reads it" in texts(page.head)[-1]
    assert value_page(seen, found, found.tree(ascii=False)).chosen


def test_search_terms_may_be_any_text() -> None:
    tree = ValueTree(json.loads('{"a": {"b": "İstanbul"}}'), "output")
    assert tree.find("İ", 0) is not None
