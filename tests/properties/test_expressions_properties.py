"""Properties of the expression language over arbitrary text and data."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from studio.errors import ExpressionError
from studio.model.expressions import (
    compile_value,
    insert_secrets,
    parse_expression,
    parse_template,
)
from studio.model.expressions.functions import SIGNATURES
from studio.model.expressions.syntax import ROOTS
from studio.model.json_value import is_json

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)
WORDS = [
    *ROOTS, *SIGNATURES, *"+-*/%<>!?:.,()[]{}'\"", "==", "!=", "<=", "&&", "||", "and", "or", "not",
    "in", "true", "null", "0", "1.5", "'a'", "{{", "}}", "a", "\\u00", "9223372036854775807", " ",
]  # fmt: skip
jumbles = st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join)

operands = st.sampled_from(["item", "output", "1", "'a'", "[1]", "{a: item}", "null", "-2.5"])
operators = ["+", "-", "*", "/", "%", "==", "<", ">=", "in", "not in", "&&", "or"]


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    unary_functions = [name for name, (least, _) in SIGNATURES.items() if least == 1]
    binary_functions = [name for name, (_, most) in SIGNATURES.items() if most in (2, None)]
    return st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(operators), inner),
        st.builds("{}({})".format, st.sampled_from(unary_functions), inner),
        st.builds("{}({}, {})".format, st.sampled_from(binary_functions), inner, inner),
        st.builds("({} ? {} : {})".format, inner, inner, inner),
        st.builds("({})[{}]".format, inner, inner),
        st.builds("({}).a".format, inner),
        st.builds("(not {})".format, inner),
        st.builds("[{}, {}]".format, inner, inner),
    )


well_formed = st.recursive(operands, _grown, max_leaves=12)


def _checked(error: ExpressionError, source: str) -> tuple[str, int]:
    assert error.message
    assert 0 <= error.offset <= len(source)
    return error.message, error.offset


def outcome(source: str, scope: dict[str, Any]) -> tuple[str, object]:
    """Evaluate; return what came out as comparable text, checking what every outcome promises."""
    try:
        value = parse_expression(source).evaluate(scope)
    except ExpressionError as error:
        return "error", _checked(error, source)
    assert is_json(value)
    return "value", json.dumps(value)


@given(st.text(max_size=60) | jumbles)
@example("'\\ud83d")
@example("{{ {a: }}")
def test_arbitrary_text_is_an_expression_or_an_error_with_a_place(source: str) -> None:
    outcome(source, {"item": {"a": 1}, "output": [1, "a"]})


@given(st.text(max_size=60) | jumbles.map("x {{{{ {} }} {{{{".format))
def test_arbitrary_text_is_a_template_or_an_error_with_a_place(source: str) -> None:
    try:
        parse_template(source).render({"item": {"a": 1}, "output": [1, "a"]})
    except ExpressionError as error:
        _checked(error, source)


@settings(max_examples=300)
@given(well_formed, json_values, json_values)
def test_evaluation_is_deterministic_and_yields_json(source: str, item: Any, output: Any) -> None:
    scope = {"item": item, "output": output}
    before = json.dumps(scope)
    assert outcome(source, scope) == outcome(source, scope)
    assert json.dumps(scope) == before, "the scope is left alone"


@given(well_formed, json_values)
def test_negation_and_truth_agree(source: str, item: Any) -> None:
    scope = {"item": item, "output": [1]}
    try:
        truth = parse_expression(source).truth(scope)
    except ExpressionError:
        return
    assert parse_expression(f"not ({source})").evaluate(scope) is (not truth)
    assert parse_expression(f"bool({source})").evaluate(scope) is truth


@given(json_values, json_values)
def test_equality_is_that_of_json(left: Any, right: Any) -> None:
    def canonical(value: Any) -> Any:
        """Tag booleans, which Python takes for numbers."""
        if isinstance(value, bool):
            return ("boolean", value)
        if isinstance(value, list):
            return [canonical(item) for item in value]
        if isinstance(value, dict):
            return {key: canonical(item) for key, item in value.items()}
        return value

    scope = {"item": left, "output": right}
    expected = canonical(left) == canonical(right)
    assert parse_expression("item == output").evaluate(scope) is expected
    assert parse_expression("item != output").evaluate(scope) is not expected
    assert parse_expression("item in [output]").evaluate(scope) is expected
    assert parse_expression("item == item").evaluate(scope) is True


@given(json_values)
def test_one_template_keeps_the_value(item: Any) -> None:
    found = parse_template("{{ item }}").render({"item": item})
    assert json.dumps(found) == json.dumps(item)


@given(
    st.lists(st.text(max_size=6).filter(lambda text: "{{" not in text), min_size=2, max_size=5),
    json_values,
)
def test_text_around_templates_is_kept(texts: list[str], item: Any) -> None:
    source = "{{ item }}".join(text.removesuffix("{") for text in texts)
    written = parse_template("{{ str(item) }}").render({"item": item})
    expected = str(written).join(text.removesuffix("{") for text in texts)
    assert parse_template(source).render({"item": item}) in (expected, item)


@given(
    st.lists(st.none() | st.text(max_size=5), max_size=6), st.text(max_size=5), st.text(max_size=5)
)
def test_secrets_go_exactly_where_they_were_written(
    data: list[str | None], first: str, second: str
) -> None:
    """``None`` stands for a secret; the data comes in through the scope and may look like one."""
    names = iter(["A", "B"] * 3)
    secrets = {"A": first, "B": second}
    source, expected = "#", "#"
    for index, text in enumerate(data):
        if text is None:
            name = next(names)
            source, expected = source + f"{{{{ secrets.{name} }}}}", expected + secrets[name]
        else:
            source, expected = source + f"{{{{ item[{index}] }}}}", expected + text
    rendered = compile_value({"list": [source]}).render({"item": data})
    assert len(rendered.secrets) == data.count(None)
    assert insert_secrets(rendered.value, rendered.secrets, secrets) == {"list": [expected]}
