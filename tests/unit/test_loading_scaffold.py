"""``studio new``: every template is a sound workflow, and nothing is written over."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema_rs
import pytest

from studio.errors import DefinitionError, NotFoundError, RefusedError
from studio.loading.json_schema import language_schema
from studio.loading.loader import load_file
from studio.loading.scaffold import TEMPLATES, scaffold
from studio.loading.yaml_reader import read_yaml

NAMES = [template.name for template in TEMPLATES]


@pytest.mark.parametrize("template", NAMES)
@pytest.mark.parametrize("name", ["my-flow", "orders"])
def test_a_new_workflow_loads_without_any_remark(tmp_path: Path, template: str, name: str) -> None:
    written = scaffold(name, template, tmp_path / "new" / "folder")
    assert written[0].name == f"{name}.yaml"
    assert all(file.is_file() for file in written)
    result = load_file(written[0])
    assert result.diagnostics == ()
    assert result.workflow is not None
    assert result.workflow.name == name
    schema = jsonschema_rs.Draft202012Validator(language_schema())
    data = read_yaml(written[0].read_text("utf-8"), "f").data
    assert [error.message for error in schema.iter_errors(data)] == []


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "orders.py").write_text("mine\n")
    with pytest.raises(RefusedError, match=r"orders\.py exists; choose another name or folder"):
        scaffold("orders", "saga", tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["orders.py"]


def test_a_dangling_link_counts_as_a_file(tmp_path: Path) -> None:
    (tmp_path / "orders.yaml").symlink_to("nowhere")
    with pytest.raises(RefusedError, match="exists"):
        scaffold("orders", "minimal", tmp_path)


def test_wrong_names_are_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r'no template "sagas"; did you mean "saga"\?'):
        scaffold("x", "sagas", tmp_path)
    with pytest.raises(NotFoundError, match="there are minimal, etl, saga, fanout"):
        scaffold("x", "zzz", tmp_path)
    with pytest.raises(DefinitionError, match=r'workflow id "\.\./x" has to begin with a letter'):
        scaffold("../x", "minimal", tmp_path)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RefusedError, match="cannot write"):
        scaffold("x", "minimal", tmp_path / "file" / "below")


def test_the_schema_is_json_and_a_schema() -> None:
    schema = json.loads(json.dumps(language_schema()))
    jsonschema_rs.meta.validate(schema)
    assert schema["$schema"].endswith("2020-12/schema")
