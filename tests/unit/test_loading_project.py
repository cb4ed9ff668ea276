"""``studio.toml``: where a project begins and what it sets."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.loading.project import Settings, find_project


def problems(folder: Path, text: str) -> tuple[Settings, list[str]]:
    (folder / "studio.toml").write_text(text)
    project = find_project(folder)
    assert project.file == folder / "studio.toml"
    return project.settings, [str(one) for one in project.diagnostics]


def test_the_nearest_file_above_is_the_root(tmp_path: Path) -> None:
    (tmp_path / "studio.toml").write_text('state = "var"\n[limits]\nmax_concurrency = 8\n')
    deep = tmp_path / "flows" / "a"
    deep.mkdir(parents=True)
    (deep / "w.yaml").write_text("workflow: x\n")
    for start in (deep / "w.yaml", deep, tmp_path, deep / "absent.yaml"):
        project = find_project(start)
        assert project.root == tmp_path
        assert project.settings == Settings(8, "var")
        assert project.diagnostics == ()


def test_without_one_the_folder_itself_is_the_root(tmp_path: Path) -> None:
    file = tmp_path / "w.yaml"
    file.write_text("workflow: x\n")
    project = find_project(file)
    assert (project.root, project.settings, project.file) == (tmp_path, Settings(), None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("limit = 1\n", ['studio.toml:1:1: unknown key "limit" in studio.toml; did you mean "limits"?']),
        (
            "# note\n[limits]\n  max_concurency = 4\n",
            ['studio.toml:3:3: unknown key "max_concurency" in limits; did you mean "max_concurrency"?'],
        ),
        (
            "[limits]\nmax_concurrency = 0\n",
            ["studio.toml:2:1: max_concurrency has to be a whole number of at least 1"],
        ),
        ("[theme]\n", ['studio.toml:1:2: "theme" is not supported by this version yet']),
        ("state = 4\n", ["studio.toml:1:1: state has to be the path of a folder, not a number"]),
        ("limits = 3\n", ["studio.toml:1:1: limits has to be a table, not a number"]),
        ("a = [1,\n", ["studio.toml:1:1: Invalid value at the end of the file"]),
        ("a = 1\nb == 2\n", ["studio.toml:2:4: Invalid value"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_and_left_out(tmp_path: Path, text: str, expected: list[str]) -> None:
    settings, found = problems(tmp_path, text)
    assert found == expected
    assert settings == Settings()


def test_other_encodings_are_told(tmp_path: Path) -> None:
    (tmp_path / "studio.toml").write_bytes("state = 'x'".encode("utf-16"))
    [problem] = find_project(tmp_path).diagnostics
    assert str(problem) == "studio.toml:1:1: the file is UTF-16; save it as UTF-8"
