"""Templates, structures of templates, and secrets in them."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from studio.errors import ExpressionError
from studio.model.expressions import (
    CompiledValue,
    Rendered,
    SecretSlot,
    compile_value,
    insert_secrets,
    parse_template,
)
from studio.model.expressions.syntax import Reference

SCOPE: dict[str, object] = {
    "params": {"n": 3, "x": "{{ secrets.A }}", "none": None, "list": [1, "é"], "half": 0.5},
    "item": {"a": 1},
}


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("", ""),
        ("plain }} { } text", "plain }} { } text"),
        ("{{params.n}}", 3),
        ("{{ params.none }}", None),
        ("{{ params.list }}", [1, "é"]),
        (" {{ params.n }}", " 3"),
        ("{{ params.n }}\n", "3\n"),
        ("{{ params.n }}{{ params.n }}", "33"),
        ("{{ params.none }}.", "."),
        ("a{{ true }}b{{ params.half }}", "atrueb0.5"),
        ("x {{ params.list }} {{ item }}", 'x [1,"é"] {"a":1}'),
        ("{{ '}}' }}", "}}"),
        ("{{ '}}' }} {{ {a: {b: 2}}.a.b}}", "}} 2"),
        ("{{ {a: {b: 2}}}}", {"a": {"b": 2}}),
        ("{{{a: 1}}}", {"a": 1}),
        ("{{ params.x }}", "{{ secrets.A }}"),
        ("{{ params.x }}!", "{{ secrets.A }}!"),
    ],
)
def test_render(source: str, value: object) -> None:
    found = parse_template(source).render(SCOPE)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("source", "offset", "message"),
    [
        ("a {{ params.n", 2, "this {{ is never closed"),
        ("a {{ 1 } }", 2, "this {{ is never closed"),
        ("a {{ }}", 5, "the expression is empty"),
        ("{{ params.m }}", 10, 'params has no "m"'),
        ("ab {{ 1 / 0 }}", 8, "division by zero"),
        ("{{ 1 }} {{ nope }}", 11, 'unknown name "nope"'),
        ("{{ 1 2 }}", 5, "expected an operator or the end"),
        ("{{ secrets }}", 3, "name the secret, as in {{ secrets.NAME }}"),
        ("{{ secrets. }}", 3, "name the secret"),
        ("{{ secrets.A.b }}", 3, "a secret stands alone"),
        ("{{ secrets[params.n] }}", 3, "a secret stands alone"),
        ("{{ secrets.A + 'x' }}", 3, "a secret stands alone"),
        ("{{ (secrets.A) }}", 4, "a secret stands alone"),
        ("{{ [secrets.A] }}", 4, "a secret stands alone"),
        ("{{ 'a' in secrets }}", 10, "a secret stands alone"),
    ],
)
def test_error(source: str, offset: int, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_template(source).render(SCOPE)
    assert caught.value.offset == offset
    assert caught.value.message.startswith(message)


def test_constant_and_references() -> None:
    assert parse_template("a } b").is_constant
    template = parse_template("{{ params.n }} {{ secrets.A }}")
    assert not template.is_constant
    assert template.references == {Reference("params", "n", 3), Reference("secrets", "A", 18)}
    assert template == parse_template(template.source)
    assert len({template, parse_template(template.source)}) == 1
    assert pickle.loads(pickle.dumps(template)).render_parts(SCOPE).value == "3 "
    assert repr(template) == "Template('{{ params.n }} {{ secrets.A }}')"


def test_secret_is_a_place_and_not_a_value() -> None:
    template = parse_template(
        'Bearer {{ secrets.T }}/{{ params.n }}{{ secrets["a-b"] }}{{secrets.T}}'
    )
    assert template.render(SCOPE) == "Bearer /3"
    rendered = template.render_parts(SCOPE)
    assert rendered.secrets == (
        SecretSlot((), 7, "T"), SecretSlot((), 9, "a-b"), SecretSlot((), 9, "T"),
    )  # fmt: skip
    secrets = {"T": "tok", "a-b": "{{ params.n }}"}
    assert (
        insert_secrets(rendered.value, rendered.secrets, secrets) == "Bearer tok/3{{ params.n }}tok"
    )


def test_user_data_cannot_forge_a_secret() -> None:
    rendered = compile_value({"u": "{{ params.x }}", "h": "{{ secrets.A }}"}).render(SCOPE)
    inserted = insert_secrets(rendered.value, rendered.secrets, {"A": "s3cret"})
    assert inserted == {"u": "{{ secrets.A }}", "h": "s3cret"}


def test_structure_is_rendered_in_its_values() -> None:
    source: Any = {
        "{{ key }}": "{{ params.n }}",
        "list": [1, None, {"deep": "n={{ params.n }}"}, "{{ secrets.A }} {{ secrets.B }}"],
        "same": {"a": [True]},
    }
    before = copy.deepcopy(source)
    compiled = compile_value(source)
    rendered = compiled.render(SCOPE)
    assert source == before
    assert rendered.value == {
        "{{ key }}": 3,
        "list": [1, None, {"deep": "n=3"}, " "],
        "same": {"a": [True]},
    }
    assert rendered.secrets == (
        SecretSlot(("list", 3), 0, "A"), SecretSlot(("list", 3), 1, "B"),
    )  # fmt: skip
    inserted: Any = insert_secrets(rendered.value, rendered.secrets, {"A": "a", "B": "b"})
    assert inserted["list"][3] == "a b"
    rendered_value: Any = rendered.value
    assert rendered_value["list"][3] == " ", "the rendered value itself stays without secrets"


def test_structure_knows_where_its_references_are() -> None:
    compiled = compile_value({"a": ["x {{ params.n }}{{ nodes.b.state }}"], "c": "{{ secrets.S }}"})
    assert compiled.places == (
        (("a", 0), Reference("params", "n", 5)),
        (("a", 0), Reference("nodes", "b", 19, "state")),
        (("c",), Reference("secrets", "S", 3)),
    )
    assert compiled.references == {reference for _, reference in compiled.places}
    revived: CompiledValue = pickle.loads(pickle.dumps(compiled))
    assert revived.places == compiled.places


@pytest.mark.parametrize("value", [None, 1, "text", [], {"a": ["b", {"c": True}]}])
def test_structure_without_templates_is_constant(value: Any) -> None:
    compiled = compile_value(value)
    assert compiled.is_constant
    assert compiled.references == frozenset()
    assert compiled.render({}) == Rendered(value, ())


def test_errors_in_a_structure_have_their_path() -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_value({"a": [1, {"b": "x {{ 1 + }}"}]})
    assert (caught.value.path, caught.value.offset) == (("a", 1, "b"), 9)
    with pytest.raises(ExpressionError) as caught:
        compile_value({"a": [1, {"b": "x {{ params.m }}"}]}).render(SCOPE)
    assert (caught.value.path, caught.value.offset) == (("a", 1, "b"), 12)
    deep: Any = "{{ 1 }}"
    for _ in range(300):
        deep = [deep]
    with pytest.raises(ExpressionError, match="nested more than"):
        compile_value(deep)


@pytest.mark.parametrize(
    ("value", "slot"),
    [
        ({"a": "x"}, SecretSlot(("b",), 0, "A")),
        ({"a": "x"}, SecretSlot(("a",), 2, "A")),
        ({"a": 1}, SecretSlot(("a",), 0, "A")),
        ({"a": "x"}, SecretSlot(("a", 0), 0, "A")),
        (["x"], SecretSlot((1,), 0, "A")),
        (["x"], SecretSlot(("x",), 0, "A")),
        ("x", SecretSlot((), -1, "A")),
    ],
)
def test_slot_that_does_not_fit_is_refused(value: Any, slot: SecretSlot) -> None:
    with pytest.raises(ExpressionError, match="has changed since it was rendered") as caught:
        insert_secrets(value, [slot], {"A": "a"})
    assert caught.value.path == slot.path


def test_secret_without_a_value_is_named() -> None:
    with pytest.raises(ExpressionError, match='the secret "A" has no value') as caught:
        insert_secrets({"h": ""}, [SecretSlot(("h",), 0, "A")], {})
    assert caught.value.path == ("h",)
