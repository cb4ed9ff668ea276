"""Clauses of the language that the reference page does not show by example."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import pytest

from studio.errors import ExpressionError
from studio.model.expressions import parse_expression
from studio.model.expressions.expression import Expression
from studio.model.expressions.syntax import Reference


class State(StrEnum):
    SUCCEEDED = "succeeded"


class View(Mapping[str, object]):
    """A lazy mapping, as the engine hands in; an attribute access on it is a mistake."""

    def __init__(self, values: dict[str, object]) -> None:
        self.__values = values

    def __getitem__(self, key: str) -> object:
        return self.__values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.__values)

    def __len__(self) -> int:
        return len(self.__values)


SCOPE: dict[str, object] = {
    "params": View({"n": 3, "big": 2**63 - 1, "text": "äÖ", "none": None, "list": (1, 2)}),
    "nodes": View({"a": View({"output": {"x": [1, {"y": 2}]}, "state": State.SUCCEEDED})}),
    "output": {"class": 1, "in": 2, "true": 3, "größe": 4, "__class__": "data"},
    "item": [3, 1, 2],
    "event": {"deep": MappingProxyType({"list": [MappingProxyType({"a": 1})]})},
    "env": {},
}


def value_of(source: str) -> Any:
    return parse_expression(source).evaluate(SCOPE)


def error_of(source: str) -> tuple[int, str]:
    with pytest.raises(ExpressionError) as caught:
        parse_expression(source).evaluate(SCOPE)
    return caught.value.offset, caught.value.message


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("output.class + output.in + output.true", 6),
        ("output.größe", 4),
        ("output.__class__", "data"),
        ('output["cl" + "ass"]', 1),
        ("output . class", 1),
        ("item[index_of]".replace("index_of", "1.0"), 1),
        ("item[-3]", 3),
        ("(item)[0]", 3),
        ("[[1, 2], [3]][0][1]", 2),
        ("{a: {b: 5}}.a.b", 5),
        ("nodes.a.state == 'succeeded'", True),
        ("nodes['a'].output.x[1].y", 2),
        ("nodes['a']['output'].x[0]", 1),
        ("true ? 1 : false ? 2 : 3", 1),
        ("false ? 1 : false ? 2 : 3", 3),
        ("(true ? false : true) ? 1 : 2", 2),
        ("true ? 1 : 1 / 0", 1),
        ("true || 1 / 0", True),
        ("false and 1 / 0", False),
        ("1 && 'x' && [0]", True),
        ("0 or '' or {}", False),
        ("true || false && false", True),
        ("not not 1", True),
        ("not 1 in [1]", False),
        ("!!0", False),
        ("--3", 3),
        ("-2 * -3", 6),
        ("2 - 3 - 4", -5),
        ("24 / 4 / 2", 3),
        ("7 % -3", -2),
        ("7.5 % 2", 1.5),
        ("1 + 2 == 3 && 2 <= 2", True),
        ("0.1 + 0.2", 0.1 + 0.2),
        ("1e3", 1000.0),
        ("9007199254740993 == 9007199254740993.0", False),
        ("'\\u00e9\\n\\\\\\'\\ud83d\\ude00'", "é\n\\'😀"),
        ("'a' < 'b' and 'B' < 'a'", True),
        ("null <= null", False),
        ("null == null", True),
        ("[1, [2, {a: 1}]] == [1.0, [2, {a: true}]]", False),
        ("{a: null} == {b: null}", False),
        ("[1] == [1, 2]", False),
        ("'1' == 1", False),
        ("true in [1, 1.0]", False),
        ("[1] in [[1.0]]", True),
        ("'' in 'abc'", True),
        ("null in null", False),
        ("null in [null]", True),
        ("params.list == [1, 2]", True),
        ("params.list + [3]", [1, 2, 3]),
        ("params.none.a['b'][0].c", None),
        ("null[0]", None),
        ("params.text[1]", "Ö"),
        ("min('b', 'a')", "a"),
        ("max([3, 1, 3.5])", 3.5),
        ("min([null])", None),
        ("sum([])", 0),
        ("round(-2.5)", -2),
        ("round(1234, -2)", 1200),
        ("round(7)", 7),
        ("split('a\\n b')", ["a", "b"]),
        ("split('', ',')", [""]),
        ("join([], ',')", ""),
        ("join(params.list)", "12"),
        ("contains(null, 'x')", False),
        ("contains({a: 1}, 'a')", True),
        ("default(null, null)", None),
        ("default(false, 1)", False),
        ("int(true)", 1),
        ("int(-2.9)", -2),
        ("int(' -12 ')", -12),
        ("float('1e3')", 1000.0),
        ("float(2)", 2.0),
        ("str(null)", ""),
        ("str('x')", "x"),
        ("str(1.0)", "1.0"),
        ("str(true)", "true"),
        ("bool('false')", True),
        ("len(params.text)", 2),
        ("[]", []),
        ("{}", {}),
        ("{'a b': 1, c: 2,}", {"a b": 1, "c": 2}),
        ("\n 1 +\r\n\t2 ", 3),
    ],
)
def test_value(source: str, value: object) -> None:
    found = value_of(source)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("source", "offset", "message"),
    [
        ("", 0, "the expression is empty"),
        ("  ", 2, "the expression is empty"),
        ("1 +", 3, "expected a value, found the end"),
        ("(1", 2, 'expected ")" to end the parenthesis begun at column 1, found the end'),
        ("[1 2]", 3, 'expected "]" to end the list begun at column 1, found "2"'),
        ("{1: 2}", 1, 'a mapping\'s key is a name or quoted text, not "1"'),
        ("{a: 1, a: 2}", 7, 'the key "a" stands twice'),
        ("{a 1}", 3, 'expected ":" to end the key "a" begun at column 2, found "1"'),
        ("1)", 1, '")" closes nothing'),
        ("1 : 2", 2, '":" without "?"'),
        ("true ? 1", 8, 'expected ":" to end the choice "? :" begun at column 6, found the end'),
        ("1 'a'", 2, "expected an operator or the end, found text"),
        ("item.0", 5, 'expected a property name after ".", found "0"; write [0] for an element'),
        ("item.", 5, 'expected a property name after ".", found the end'),
        ("a and", 0, 'unknown name "a"'),
        ("1 and and", 6, 'expected a value, found "and"'),
        ("1 == 2 == 3", 7, "comparisons do not chain; join two with && as in a < b && b < c"),
        ("'abc", 0, "the text that starts with ' is never closed"),
        ("'\\x41'", 1, "unknown escape \\x; use"),
        ("'\\u12'", 1, "\\u is followed by four hexadecimal digits"),
        ("'\\ud800'", 1, "half of a surrogate pair is not a character"),
        ("12abc", 0, "a number must not run into a name"),
        ("1e999", 0, "the number is too large"),
        ("9223372036854775808", 0, "the integer does not fit into 64 bits"),
        ("1 & 2", 2, 'a single "&" is no operator; write "&&"'),
        ("item | lower", 5, 'a single "|" is no operator; write "||", and filters as functions'),
        ("item # x", 5, '"#" has no meaning here'),
        ("\x1b", 0, "the character U+001B has no meaning here"),
        ("2 ** 3", 3, 'expected a value, found "*"'),
        ("len", 0, "len is a function; write len(…)"),
        ("len()", 0, "len() takes 1 argument, not 0"),
        ("round(1, 2, 3)", 0, "round() takes 1 or 2 arguments, not 3"),
        ("min()", 0, "min() takes at least 1 argument, not 0"),
        ("item(1)", 0, 'unknown function "item"'),
        ("item[0](1)", 7, "only functions can be called, and there are no methods"),
        ("run.ID", 4, 'run has no "ID", only id, started_at'),
        ("nodes.a['outputs']", 8, 'a node has no "outputs"'),
        ("secrets", 0, "a secret stands alone in a template"),
        ("len(secrets.T)", 4, "a secret stands alone in a template"),
        ("index", 0, '"index" has no value here; there is env, event, item, nodes, output, params'),
        ("nodes.b.output", 6, 'nodes has no "b"'),
        ("params.bigg", 7, 'params has no "bigg"; did you mean "big"?'),
        ("item.x", 5, 'a list has no property "x"'),
        ("params.n[0]", 8, "a number cannot be indexed"),
        ("item['a']", 5, 'a list has no property "a"'),
        ("item[1.5]", 4, "a list is indexed by a whole number, not 1.5"),
        ("item[true]", 4, "a list is indexed by a whole number, not a boolean"),
        ("item[3]", 4, "index 3 is outside the list of 3 elements"),
        ("output[0]", 6, "a mapping is indexed by text, not a number"),
        ("1 % 0", 2, "division by zero"),
        ("1.0 / 0", 4, "division by zero"),
        ("true + 1", 5, '"+" does not take a boolean and a number'),
        ("'a' * 3", 4, '"*" does not take text and a number'),
        ("-'a'", 0, '"-" does not take text'),
        ("params.big + 1", 11, "the integer does not fit into 64 bits"),
        ("params.big * params.big", 11, "the integer does not fit into 64 bits"),
        ("1e308 * 10", 6, "the result is too large for a number"),
        (
            "[1] < [2]",
            4,
            '"<" cannot order a list and a list; only numbers and texts have an order',
        ),
        ("true < 1", 5, '"<" cannot order a boolean and a number'),
        ("1 in 5", 2, "looks into text, a list or a mapping, not a number"),
        ("1 in 'a1'", 2, "parts of text are text, not a number"),
        ("1 in output", 2, "keys of a mapping are text, not a number"),
        ("max([1, 'a'])", 0, '">" cannot order text and a number'),
        ("max([true, false])", 0, "max() takes a number or text, not a boolean"),
        ("sum([1, 'a'])", 0, "sum() takes a number, not text"),
        ("sum(1)", 0, "sum() takes a list, not a number"),
        ("len(null)", 0, "len() takes text, a list or a mapping, not null"),
        ("lower(1)", 0, "lower() takes text, not a number"),
        ("split('a', '')", 0, "split() needs a separator of at least one character"),
        ("round(1, 99)", 0, "round() takes a whole number of digits from -15 to 15"),
        ("int('')", 0, 'int() cannot read "" as a whole number'),
        ("int('1_000')", 0, 'int() cannot read "1_000" as a whole number'),
        ("float('nan')", 0, 'float() cannot read "nan" as a number'),
        ("float('1e999')", 0, "the number is too large"),
        ("int(1e300)", 0, "the integer does not fit into 64 bits"),
    ],
)
def test_error(source: str, offset: int, message: str) -> None:
    found = error_of(source)
    assert found[0] == offset, found
    assert found[1].startswith(message), found


def test_values_that_are_not_json_are_refused_by_name() -> None:
    expression = parse_expression("item")
    for value, name in (
        (object(), "object"),
        ({1}, "set"),
        (b"x", "bytes"),
        (parse_expression, "function"),
    ):
        with pytest.raises(ExpressionError, match=f"{name} is not a JSON value"):
            expression.evaluate({"item": value})
    with pytest.raises(ExpressionError, match="type is not a JSON value"):
        parse_expression("item.__name__").evaluate({"item": int})


def test_numbers_of_the_scope_that_json_cannot_hold_are_refused_as_text() -> None:
    for value in (float("nan"), float("inf"), [float("nan")], 10**5000, [10**5000]):
        with pytest.raises(ExpressionError):
            parse_expression("str(item)").evaluate({"item": value})


def test_views_become_plain_json() -> None:
    assert value_of("nodes.a") == {"output": {"x": [1, {"y": 2}]}, "state": "succeeded"}
    assert type(value_of("nodes.a")) is dict
    assert type(value_of("nodes.a.state")) is str
    assert type(value_of("event.deep.list[0]")) is dict
    assert value_of("[params.list, nodes.a.state]") == [[1, 2], "succeeded"]
    assert [type(part) for part in value_of("values(nodes)")] == [dict]


def test_evaluation_leaves_the_scope_alone() -> None:
    scope = {"item": {"a": [1, 2]}, "output": [3]}
    before = copy.deepcopy(scope)
    assert parse_expression("item.a + output").evaluate(scope) == [1, 2, 3]
    assert scope == before


@pytest.mark.parametrize(
    ("source", "true"),
    [
        *[("null", False), ("0", False), ("0.0", False), ("''", False), ("[]", False)],
        *[("{}", False), ("params.none", False)],
        *[("'0'", True), ("-1", True), ("[0]", True), ("{a: null}", True)],
    ],
)
def test_truth(source: str, true: bool) -> None:
    assert parse_expression(source).truth(SCOPE) is true


@pytest.mark.parametrize(
    ("source", "references"),
    [
        ("1", []),
        ("params.amount", [Reference("params", "amount", 0)]),
        ("1 + nodes.a.output.x", [Reference("nodes", "a", 4, "output")]),
        ("nodes['a-b']['state']", [Reference("nodes", "a-b", 0, "state")]),
        ("nodes[item].output", [Reference("nodes", None, 0, "output"), Reference("item", None, 6)]),
        ("nodes", [Reference("nodes", None, 0)]),
        ("nodes.a", [Reference("nodes", "a", 0)]),
        ("params[item.k]", [Reference("params", None, 0), Reference("item", "k", 7)]),
        ("default(env.X, run.id)", [Reference("env", "X", 8), Reference("run", "id", 15)]),
        ("{a: [output.b]}", [Reference("output", "b", 5)]),
        ("index ? error : input", [Reference(r, None, o) for r, o in (("index", 0), ("error", 8), ("input", 16))]),
    ],
)  # fmt: skip
def test_references(source: str, references: list[Reference]) -> None:
    assert parse_expression(source).references == frozenset(references)


def test_expressions_are_values() -> None:
    one, two = parse_expression("1 + item"), parse_expression("1 + item")
    assert one == two
    assert len({one, two, parse_expression("2")}) == 2
    revived: Expression = pickle.loads(pickle.dumps(one))
    assert revived.evaluate({"item": 2}) == 3
    assert repr(one) == "Expression('1 + item')"
