"""No expression hangs the engine or exhausts memory: each attack ends in an error with a place."""

from __future__ import annotations

from typing import Any

import pytest

from studio.errors import ExpressionError
from studio.model.expressions import compile_value, limits, parse_expression, parse_template
from studio.model.expressions.frame import Frame


def error_of(source: str, scope: dict[str, Any] | None = None) -> str:
    with pytest.raises(ExpressionError) as caught:
        parse_expression(source).evaluate(scope or {})
    assert 0 <= caught.value.offset <= len(source)
    return caught.value.message


@pytest.mark.parametrize("opening", ["(", "[", "{a:", "!", "-", "not ", "len(", "1?", "1+(", "a["])
def test_deep_nesting(opening: str) -> None:
    assert "at most 4,096 characters" in error_of(opening * 100_000)
    short = opening.replace("a[", "item[") * 200
    assert f"nested more than {limits.MAX_DEPTH} deep" in error_of(short)


def test_nesting_up_to_the_limit_works() -> None:
    depth = limits.MAX_DEPTH - 1
    assert parse_expression("(" * depth + "1" + ")" * depth).evaluate({}) == 1


def test_long_chains_are_not_deep() -> None:
    assert parse_expression("+".join(["1"] * 1500)).evaluate({}) == 1500
    assert parse_expression("||".join(["0"] * 1000)).evaluate({}) is False
    assert parse_expression("output" + ".a" * 1500).evaluate({"output": {}}) is None
    assert parse_expression("output" + "[0]" * 1000).evaluate({"output": None}) is None


def test_source_of_the_greatest_length_is_read() -> None:
    assert parse_expression("1" + " " * (limits.MAX_SOURCE - 1)).evaluate({}) == 1
    assert "characters" in error_of("1" + " " * limits.MAX_SOURCE + " 1")
    assert "characters" in error_of("'" + "x" * limits.MAX_SOURCE + "'")


def test_no_way_to_repeat_or_raise() -> None:
    assert '"*" does not take' in error_of("'a' * 1000000000")
    assert '"*" does not take' in error_of("[1] * 1000000000")
    assert "expected a value" in error_of("9**9")
    assert "64 bits" in error_of("*".join(["9223372036854775807"] * 100))


def test_text_growth_is_bounded() -> None:
    text = "x" * (limits.MAX_TEXT // 2)
    assert "text is longer" in error_of("item + item + item", {"item": text})
    assert "text is longer" in error_of("join([item, item, item], ',')", {"item": text})
    assert "text is longer" in error_of("join(item, output)", {"item": [1] * 9, "output": text})
    assert "text is longer" in error_of("str([item, item, item])", {"item": text})
    assert "text is longer" in error_of("str(item)", {"item": ["\x01" * 300_000]})
    assert "text is longer" in error_of("lower(item)", {"item": text * 3})


def test_list_growth_is_bounded() -> None:
    rows = [1] * limits.MAX_ITEMS
    assert "list has more" in error_of("item + [1]", {"item": rows})
    assert "list has more" in error_of("split(item, ',')", {"item": "," * 200_000})
    assert "list has more" in error_of("split(item)", {"item": "a " * 200_000})
    assert "list has more" in error_of(
        "keys(item)", {"item": dict.fromkeys(map(str, range(100_001)))}
    )


@pytest.mark.parametrize(
    "piece", ["[0] in item", "item == output", "sum(item) < 0", "len(item + []) < 0"]
)
def test_repeated_work_on_large_data_is_bounded(piece: str) -> None:
    scope = {"item": [1] * 90_000, "output": [*[1] * 89_999, 2]}
    assert "takes more than 1,000,000 steps" in error_of("||".join([piece] * 100), scope)


def test_values_without_end_are_bounded() -> None:
    loop: list[Any] = [1]
    loop.append(loop)
    twin: list[Any] = [1]
    twin.append(twin)
    assert "nested more than" in error_of("str(item)", {"item": loop})
    assert "takes more than" in error_of("item == output", {"item": loop, "output": twin})
    bomb: list[Any] = ["lol"]
    for _ in range(60):
        bomb = [bomb, bomb]
    same_bomb: list[Any] = ["lol"]
    for _ in range(60):
        same_bomb = [same_bomb, same_bomb]
    assert error_of("str(item)", {"item": bomb})
    assert "takes more than" in error_of("item == output", {"item": bomb, "output": same_bomb})


def test_results_built_of_shared_parts_are_bounded() -> None:
    scope: dict[str, Any] = {"item": [1] * 90_000, "output": [["x" * 900_000]]}
    assert parse_expression("[item, item]").evaluate(scope) == [scope["item"]] * 2
    for source in (
        "[" + "item," * 100 + "]",
        "{a: [" + "item," * 100 + "]}",
        "[[" + "item," * 100 + "]][0]",
        "true ? [" + "item," * 100 + "] : 1",
        "default(null, [" + "item," * 100 + "])",
        "values({a: [" + "item," * 100 + "]})",
        "output" + " + output" * 100,
    ):
        assert "takes more than 1,000,000 steps" in error_of(source, scope)
        with pytest.raises(ExpressionError, match="takes more than"):
            parse_template("{{ " + source + " }}").render(scope)


def test_selecting_from_large_data_costs_nothing() -> None:
    large = [[1] * 1000] * 2000
    assert parse_expression("item").evaluate({"item": large}) is large
    assert parse_expression("output ? 1 : default(item.x, input)").evaluate(
        {"item": {}, "input": large, "output": False}
    ) is large  # fmt: skip


def test_comparing_long_texts_is_paid_for() -> None:
    scope = {"item": "x" * 900_000, "output": "".join(["x"] * 900_000)}
    for sign in ("==", "<"):
        assert parse_expression(f"item {sign} output").evaluate(scope) is (sign == "==")
        source = "||".join([f"(item {sign} output) != {str(sign == '==').lower()}"] * 100)
        assert "takes more than" in error_of(source, scope)


def test_rendering_shares_one_budget() -> None:
    scope = {"item": [1] * 90_000}
    assert parse_template("{{ sum(item) }}").render(scope) == 90_000
    many = compile_value(["{{ sum(item) }}"] * 100)
    with pytest.raises(ExpressionError, match="takes more than") as caught:
        many.render(scope)
    assert isinstance(caught.value.path[0], int)


def test_template_text_is_bounded() -> None:
    template = parse_template("{{ item }} " * 3)
    with pytest.raises(ExpressionError, match="text is longer") as caught:
        template.render({"item": "x" * 400_000})
    assert template.source[caught.value.offset :].startswith("{{ item }}")


def test_template_source_of_many_openings_is_read_in_linear_time() -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_template("{{" * 1_000_000)
    assert caught.value.offset <= limits.MAX_SOURCE


@pytest.mark.parametrize("name", ["__class__", "__dict__", "__init__", "mro", "format"])
def test_attributes_of_python_objects_are_out_of_reach(name: str) -> None:
    for value in ("'x'", "1", "[1]"):
        assert "has no property" in error_of(f"{value}.{name}")
        assert "has no property" in error_of(f"{value}['{name}']")
    assert parse_expression(f"{{}}.{name}").evaluate({}) is None
    assert "unknown name" in error_of(name)
    assert "unknown function" in error_of(f"{name}()")


def test_frame_pays_before_the_work() -> None:
    frame = Frame({})
    frame.charge(limits.MAX_STEPS, 0)
    with pytest.raises(ExpressionError) as caught:
        frame.charge(1, 7)
    assert caught.value.offset == 7
