"""Every file of the table is refused with exactly the messages and places it promises."""

from __future__ import annotations

import jsonschema_rs
import pytest

from studio.loading.document import SyntaxProblem
from studio.loading.json_schema import language_schema
from studio.loading.loader import load_text, parse_document
from tests.unit.bad_files import BAD_FILES, HEAD, BadFile

SCHEMA = jsonschema_rs.Draft202012Validator(language_schema())


def titles(bad: BadFile) -> str:
    return bad.title


@pytest.mark.parametrize("bad", BAD_FILES, ids=titles)
def test_the_problems_are_told_with_their_places(bad: BadFile) -> None:
    name = f"bad{bad.suffix}"
    result = load_text(bad.text, name)
    assert result.workflow is None
    told = tuple(str(one).removeprefix(f"{name}:") for one in result.errors)
    assert told == bad.problems


@pytest.mark.parametrize("bad", BAD_FILES, ids=titles)
def test_the_schema_agrees_where_it_can_tell(bad: BadFile) -> None:
    try:
        data = parse_document(bad.text, "bad", bad.suffix).data
    except SyntaxProblem:
        assert not bad.in_schema
    else:
        assert SCHEMA.is_valid(data) is not bad.in_schema


def test_the_beginning_of_the_table_is_itself_sound() -> None:
    result = load_text(HEAD)
    assert result.diagnostics == ()
    assert result.workflow is not None


def test_the_table_is_large_and_has_no_title_twice() -> None:
    assert len({bad.title for bad in BAD_FILES}) == len(BAD_FILES) >= 80
