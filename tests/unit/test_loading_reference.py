"""The reference pages tell the truth: their files load, their messages are said, no key is left out."""

from __future__ import annotations

import re
from pathlib import Path

import jsonschema_rs
import pytest

from studio.loading import vocabulary as words
from studio.loading.json_schema import language_schema
from studio.loading.loader import load_text
from studio.loading.project import find_project
from studio.loading.scaffold import TEMPLATES
from studio.loading.yaml_reader import read_yaml
from tests.unit.bad_files import BAD_FILES

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
PAGE = (REFERENCE / "workflow-file.md").read_text("utf-8")
MESSAGES = (REFERENCE / "messages.md").read_text("utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("text", EXAMPLES, ids=[text.split("\n")[0] for text in EXAMPLES])
def test_every_file_on_the_page_loads_and_fits_the_schema(text: str) -> None:
    result = load_text(text)
    assert [str(one) for one in result.diagnostics] == []
    schema = jsonschema_rs.Draft202012Validator(language_schema())
    assert schema.is_valid(read_yaml(text, "f").data)


def test_every_key_and_word_is_on_the_page() -> None:
    kinds = [key for keys in words.KIND_KEYS.values() for key in keys]
    later = [*words.LATER_NODE_KEYS, *words.LATER_WORKFLOW_KEYS, *words.LATER_KINDS]
    named = {*words.WORKFLOW_KEYS, *words.NODE_KEYS, *words.KIND_KEYS, *kinds, *later}
    named |= {*words.RETRY_KEYS, *words.LIMIT_KEYS, *words.EDGE_KEYS, *words.DEFAULTS_KEYS}
    missing = [word for word in sorted(named) if not re.search(rf"`{word}\b|\b{word}:", PAGE)]
    assert missing == []
    assert [one.name for one in TEMPLATES if f"`{one.name}`" not in PAGE] == []


def test_the_settings_on_the_page_are_read(tmp_path: Path) -> None:
    [text] = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "studio.toml").write_text(text)
    project = find_project(tmp_path)
    assert project.diagnostics == ()
    assert (project.settings.max_concurrency, project.settings.state) == (16, "var/studio")


def test_every_message_with_a_place_is_one_that_is_said() -> None:
    told = {problem for bad in BAD_FILES for problem in bad.problems}
    shown = re.findall(r"^\| `(\d+:\d+: .*?)` \|", MESSAGES, re.MULTILINE)
    assert len(shown) > 25
    assert [message for message in shown if message not in told] == []
