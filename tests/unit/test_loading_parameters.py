"""Values given for a run, checked and converted by what the file declares."""

from __future__ import annotations

from typing import Any

import pytest

from studio.errors import DefinitionError
from studio.loading.loader import load_text
from studio.loading.parameters import check_parameters, parse_assignment
from studio.model.workflow import Workflow

TEXT = """\
workflow: shop
parameters:
  amount: {type: number, minimum: 1, default: 20}
  order: {type: string}
  count: {type: integer, default: 1}
  fast: {type: boolean, default: false}
  tags: {type: array, items: {type: string}, default: []}
  address:
    type: object
    required: [city]
    properties: {city: {type: string, minLength: 1}, zip: {type: string}}
    default: {city: Bern}
  card: {type: string, pattern: '^tok_', sensitive: true, default: tok_x}
  note: {required: false}
  either: {type: [string, integer], default: x}
  mail: {type: string, format: email, default: a@example.org}
nodes: {a: {uses: noop}}
"""


@pytest.fixture(scope="module")
def shop() -> Workflow:
    result = load_text(TEXT)
    assert result.diagnostics == ()
    assert result.workflow is not None
    return result.workflow


def test_defaults_fill_what_is_not_given(shop: Workflow) -> None:
    assert check_parameters(shop, {"order": "A-1", "amount": 3.5}) == {
        "amount": 3.5,
        "order": "A-1",
        "count": 1,
        "fast": False,
        "tags": [],
        "address": {"city": "Bern"},
        "card": "tok_x",
        "note": None,
        "either": "x",
        "mail": "a@example.org",
    }


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ['parameter "order" is missing; give it with -p order=…']),
        (
            {"order": "x", "amont": 3},
            ['shop has no parameter "amont"; did you mean "amount"?'],
        ),
        (
            {"order": 5, "amount": 0, "address": {"city": ""}},
            [
                'parameter "amount": 0 is less than the minimum of 1',
                'parameter "order": 5 is not of type "string"',
                'parameter "address" at .city: "" is shorter than 1 character',
            ],
        ),
        (
            {"order": "x", "tags": ["a", 1]},
            ['parameter "tags" at [1]: 1 is not of type "string"'],
        ),
        (
            {"order": "x", "card": "4111"},
            ['parameter "card" does not fit its schema (value hidden)'],
        ),
        ({"order": "x", "mail": "nobody"}, ['parameter "mail": "nobody" is not a "email"']),
    ],
)
def test_every_problem_is_told_at_once(
    shop: Workflow, given: dict[str, Any], expected: list[str]
) -> None:
    with pytest.raises(DefinitionError) as caught:
        check_parameters(shop, given)
    assert str(caught.value).split("\n") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("amount=20", ("amount", 20)),
        ("amount=2.5", ("amount", 2.5)),
        ("order=20", ("order", "20")),
        ("order=", ("order", "")),
        ("order=a=b", ("order", "a=b")),
        ("fast=true", ("fast", True)),
        ('tags=["a", "b"]', ("tags", ["a", "b"])),
        ('address={"city": "Bern"}', ("address", {"city": "Bern"})),
        ("either=7", ("either", 7)),
        ("either=seven", ("either", "seven")),
        ("note=free text", ("note", "free text")),
        ("note=null", ("note", None)),
    ],
)
def test_assignments_are_converted_by_the_declared_type(
    shop: Workflow, text: str, expected: tuple[str, Any]
) -> None:
    found = parse_assignment(text, shop)
    assert found == expected
    assert type(found[1]) is type(expected[1])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("amount", 'a parameter is given as name=value, not "amount"'),
        ("amunt=3", 'shop has no parameter "amunt"; did you mean "amount"?'),
        ("amount=lots", 'parameter "amount" takes a number, not "lots"'),
        ("count=", 'parameter "count" takes a whole number, not ""'),
        ("fast=yes", 'parameter "fast" takes true or false, not "yes"'),
        (
            "tags=[1,",
            'parameter "tags" takes a JSON list such as [1, 2], not "[1," '
            "(the file ends where a value is expected)",
        ),
    ],
)
def test_assignments_that_do_not_fit_are_told(shop: Workflow, text: str, expected: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        parse_assignment(text, shop)
    assert str(caught.value) == expected


def test_a_workflow_without_parameters_says_so() -> None:
    workflow = load_text("workflow: x\nnodes: {a: {uses: noop}}\n").workflow
    assert workflow is not None
    with pytest.raises(DefinitionError, match='x has no parameter "a"; it has none'):
        check_parameters(workflow, {"a": 1})


@pytest.mark.parametrize(
    "schema", ["{$ref: '#'}", "{$defs: {a: {$ref: '#/$defs/a'}}, $ref: '#/$defs/a'}"]
)
def test_a_schema_that_refers_to_itself_ends(schema: str) -> None:
    result = load_text(f"workflow: x\nparameters: {{p: {schema}}}\nnodes: {{a: {{uses: noop}}}}\n")
    if result.workflow is not None:
        assert check_parameters(result.workflow, {"p": 1}) == {"p": 1}


@pytest.mark.parametrize(
    ("schema", "whole", "fields"),
    [
        ("{type: string, sensitive: true}", True, ()),
        (
            "{type: object, properties: {pin: {type: string, sensitive: true}, n: {}}}",
            False,
            ("pin",),
        ),
        (
            "{properties: {a: {properties: {b: {sensitive: true}}}, c: {items: {sensitive: true}}}}",
            False,
            ("b", "c"),
        ),
        ("{type: array, items: {properties: {pin: {sensitive: true}}}}", False, ("pin",)),
        ("{type: array, items: {type: string, sensitive: true}}", True, ()),
        ("{anyOf: [{type: string, sensitive: true}, {type: number}]}", True, ()),
        ("{properties: {sensitive: {type: string}}}", False, ()),
        ("{default: {properties: {x: {sensitive: true}}}}", False, ()),
    ],
)
def test_sensitive_may_stand_anywhere_in_a_schema(
    schema: str, whole: bool, fields: tuple[str, ...]
) -> None:
    result = load_text(f"workflow: w\nparameters: {{o: {schema}}}\nnodes: {{a: {{uses: noop}}}}")
    assert result.workflow is not None, result.errors
    found = result.workflow.parameters["o"]
    assert (found.sensitive, found.sensitive_fields) == (whole, fields)


def test_sensitive_inside_a_schema_is_true_or_false() -> None:
    text = "workflow: w\nparameters: {o: {properties: {p: {sensitive: yes}}}}\nnodes: {a: {uses: noop}}"
    [error] = load_text(text, "w.yaml").errors
    assert str(error).startswith("w.yaml:2:46: sensitive has to be true or false")


def test_a_misfit_does_not_tell_what_is_sensitive_inside() -> None:
    text = "workflow: w\nparameters: {o: {properties: {p: {type: string, maxLength: 3, sensitive: true}}}}\nnodes: {a: {uses: noop}}"
    workflow = load_text(text).workflow
    assert workflow is not None
    with pytest.raises(DefinitionError) as caught:
        check_parameters(workflow, {"o": {"p": "hunter2"}})
    assert "hunter2" not in str(caught.value)
