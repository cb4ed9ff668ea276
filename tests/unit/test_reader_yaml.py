"""What the YAML reader keeps, types and refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from studio.loading import yaml_reader
from studio.loading.document import MAX_DEPTH, SyntaxProblem
from studio.loading.json_reader import read_json
from studio.loading.loader import load_text
from studio.loading.yaml_reader import read_yaml
from tests.unit.bad_files import BAD_FILES


def value_of(text: str) -> Any:
    document = read_yaml(f"v: {text}\n", "f.yaml")
    assert isinstance(document.data, dict)
    return document.data["v"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("Null", None),
        ("nUll", "nUll"),
        ("true", True),
        ("FALSE", False),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("off", "off"),
        ("y", "y"),
        ("0", 0),
        ("-12", -12),
        ("+12", 12),
        ("012", 12),
        ("0o17", 15),
        ("0o8", "0o8"),
        ("0x1F", 31),
        ("0b11", "0b11"),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("12:30:45", "12:30:45"),
        ("1.5", 1.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("-1.5E-3", -0.0015),
        ("1.2.3", "1.2.3"),
        ("2024-01-31", "2024-01-31"),
        ("2024-99-99", "2024-99-99"),
        ("9223372036854775807", 2**63 - 1),
        ("'1'", "1"),
        ('"true"', "true"),
        ("a b c", "a b c"),
        ("-", None),
    ],
)
def test_plain_scalars_are_typed_by_the_core_schema(text: str, expected: Any) -> None:
    if text == "-":
        text, expected = "'-'", "-"
    found = value_of(text)
    assert found == expected
    assert type(found) is type(expected)


def test_keys_stay_text_as_written() -> None:
    document = read_yaml("on: 1\nno: 2\n3: 4\ntrue: 5\n'': 6\n", "f")
    assert document.data == {"on": 1, "no": 2, "3": 4, "true": 5, "": 6}


def test_every_key_and_value_has_its_position() -> None:
    document = read_yaml("a:\n  - x\n  - {b: 'c'}\nlong: |\n  text\n", "f")
    assert document.positions[("a",)][:4] == (1, 1, 2, 3)
    assert document.positions[("a", 1)][2:4] == (3, 5)
    assert document.positions[("a", 1, "b")] == (3, 6, 3, 9, "'")
    assert document.positions[("long",)] == (4, 1, 4, 7, "|")


def test_columns_count_characters_not_bytes() -> None:
    document = read_yaml("größe: {ключ: 1}\n", "f")
    assert document.positions[("größe", "ключ")][1] == 9


def test_what_is_not_in_the_file_stands_at_what_holds_it() -> None:
    document = read_yaml("a:\n  b: {c: 1}\n", "f")
    assert str(document.place(("a", "b", "zzz", 4))) == "f:2:6"
    assert str(document.place(("zzz",))) == "f:1:1"


@pytest.mark.parametrize(
    ("text", "needle"),
    [
        ("w: plain text with BAD here\n", "BAD"),
        ("w: 'it''s quoted BAD here'\n", "BAD"),
        ('w: "tab\\t and \\u00e9 and \\x41 BAD"\n', "BAD"),
        ("w: |\n    literal\n\n    and BAD\n", "BAD"),
        ("w: >-\n  folded\n  over BAD\n  lines\n", "BAD"),
        ("w: plain\n  over several\n  BAD lines\n", "BAD"),
        ('w: "over\n  several BAD\n  lines"\n', "BAD"),
    ],
)
def test_an_offset_leads_back_into_the_file(text: str, needle: str) -> None:
    document = read_yaml(text, "f")
    assert isinstance(document.data, dict)
    value = document.data["w"]
    assert isinstance(value, str)
    place = document.place_in_text(("w",), value.index(needle))
    line = text.split("\n")[place.line - 1]
    assert line[place.column - 1 :].startswith(needle)


def test_depth_is_bounded_and_the_bound_itself_is_allowed() -> None:
    fine = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    read_yaml(fine, "f")
    read_json(fine, "f")
    for reader in (read_yaml, read_json):
        with pytest.raises(SyntaxProblem, match="nested deeper"):
            reader(f"[{fine}]", "f")


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_a_hundred_thousand_brackets_are_refused_before_they_are_read(opening: str) -> None:
    with pytest.raises(SyntaxProblem, match=r"nested deeper|has to be text") as caught:
        read_yaml(opening * 100_000, "f")
    assert caught.value.line == 1


def test_json_is_read_alike_by_both_readers() -> None:
    data = {"a": [1, -2.5, True, None, 'x\n"é\u2028'], "b": {"c": {}, "d": []}}
    text = json.dumps(data, indent=2)
    assert read_json(text, "f").data == data
    assert read_yaml(text, "f").data == data
    assert read_json(text, "f").positions.keys() == read_yaml(text, "f").positions.keys()


def test_json_escapes_and_pairs() -> None:
    document = read_json('{"a": "\\ud83d\\ude00\\n\\/\\u0041"}', "f")
    assert document.data == {"a": "😀\n/A"}


def test_json_positions() -> None:
    document = read_json('{\n  "a": {"b": [10, "x"]}\n}', "f")
    assert document.positions[("a", "b", 1)] == (2, 19, 2, 19, '"')
    assert document.positions[("a", "b")][:4] == (2, 9, 2, 14)


def test_without_libyaml_the_same_files_are_read_and_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """PyYAML may be built without libyaml; its own parser words problems differently, nothing else."""
    sound = "a: [1, {b: 'c'}]\nlong: |\n  text\n"
    expected = read_yaml(sound, "f")
    monkeypatch.setattr(yaml_reader, "EventParser", yaml.Loader)
    assert read_yaml(sound, "f") == expected
    for bad in BAD_FILES:
        if bad.suffix != ".yaml" or "holds" in bad.problems[0]:
            continue
        result = load_text(bad.text)
        assert result.workflow is None, bad.title
        assert result.errors, bad.title
