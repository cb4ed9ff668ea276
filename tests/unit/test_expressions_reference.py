"""The reference page says what the language does: every example on it is evaluated."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from studio.errors import ExpressionError
from studio.model.expressions import limits, parse_expression, parse_template
from studio.model.expressions.functions import SIGNATURES
from studio.model.expressions.syntax import NODE_FIELDS, ROOTS

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "expressions.md").read_text("utf-8")


def _scope() -> dict[str, Any]:
    found = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    scope: dict[str, Any] = json.loads(found.group(1))
    return scope


def _rows(heading: str) -> list[list[str]]:
    """Return the rows of every table with this heading, cells without backquotes."""
    rows: list[list[str]] = []
    inside = False
    for line in PAGE.splitlines():
        if line == heading:
            inside = True
        elif not line.startswith("|"):
            inside = False
        elif inside and not line.startswith("|---"):
            cells = re.split(r"(?<!\\)\|", line)[1:-1]
            rows.append([cell.strip().strip("`").replace("\\|", "|") for cell in cells])
    return rows


VALUES = _rows("| expression | value |")
TEMPLATES = _rows("| template | value |")
ERRORS = _rows("| expression | error | column |")


def test_page_has_its_tables() -> None:
    assert (len(VALUES) > 50, len(TEMPLATES) > 5, len(ERRORS) > 10) == (True, True, True)


@pytest.mark.parametrize(("source", "value"), VALUES)
def test_expression_has_the_documented_value(source: str, value: str) -> None:
    found = parse_expression(source).evaluate(_scope())
    expected = json.loads(value)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(("source", "value"), TEMPLATES)
def test_template_has_the_documented_value(source: str, value: str) -> None:
    assert parse_template(source).render(_scope()) == json.loads(value)


@pytest.mark.parametrize(("source", "message", "column"), ERRORS)
def test_error_has_the_documented_text_and_place(source: str, message: str, column: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_expression(source).evaluate(_scope())
    assert (caught.value.message, caught.value.offset + 1) == (message, int(column))


def test_every_function_and_name_is_on_the_page() -> None:
    assert [name for name in SIGNATURES if f"`{name}(" not in PAGE] == []
    assert [name for name in ROOTS if not re.search(rf"`{name}\b", PAGE)] == []
    assert [name for name in NODE_FIELDS if f".{name}`" not in PAGE] == []


def test_limits_are_on_the_page() -> None:
    section = PAGE.split("## Limits")[1]
    numbers = (limits.MAX_SOURCE, limits.MAX_STEPS, limits.MAX_TEXT, limits.MAX_ITEMS)
    assert [f"{n:,}" for n in numbers if f" {n:,} " not in section] == []
    assert f" {limits.MAX_DEPTH} deep" in section
