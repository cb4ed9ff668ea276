"""Finding workflow files without touching what should be left alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from studio.loading import discovery
from studio.loading.discovery import discover

SOUND = "workflow: x\nnodes: {a: {uses: noop}}\n"


def write(folder: Path, name: str, text: str = SOUND) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def names(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in discover(folder).files]


def test_a_file_is_a_workflow_by_its_top_level(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml")
    write(tmp_path, "b.yml", "# a comment\nversion: 1.0.0\n'workflow': x\n")
    write(tmp_path, "c.json", '{"version": "1.0.0", "workflow": "x", "nodes": {}}')
    write(tmp_path, "broken.yaml", "workflow: x\nnodes: [\n")
    write(tmp_path, "broken.json", '{"workflow": "x", ')
    write(tmp_path, "flow.yaml", "{workflow: x, nodes: {a: {uses: noop}}}\n")
    write(tmp_path, "mark.yaml", "\ufeffworkflow: x\n")
    write(tmp_path, "compose.yaml", "services:\n  workflow: x\n")
    write(tmp_path, "package.json", '{"scripts": {"workflow": "x"}}')
    write(tmp_path, "run.json", '{"run": 7, "workflow": "x", "state": "succeeded", "nodes": {}}')
    write(tmp_path, "text.txt")
    write(tmp_path, "empty.yaml", "")
    assert names(tmp_path) == [
        "a.yaml",
        "b.yml",
        "broken.json",
        "broken.yaml",
        "c.json",
        "flow.yaml",
        "mark.yaml",
    ]


def test_ignore_files_are_respected_as_git_does(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    write(tmp_path, ".gitignore", "out/\n*.tmp.yaml\n!keep.tmp.yaml\n/only_root.yaml\n")
    write(tmp_path, "out/a.yaml")
    write(tmp_path, "b.tmp.yaml")
    write(tmp_path, "keep.tmp.yaml")
    write(tmp_path, "only_root.yaml")
    write(tmp_path, "sub/only_root.yaml")
    write(tmp_path, "sub/.gitignore", "c.yaml\n!b.tmp.yaml\n")
    write(tmp_path, "sub/c.yaml")
    write(tmp_path, "sub/b.tmp.yaml")
    assert names(tmp_path) == ["keep.tmp.yaml", "sub/b.tmp.yaml", "sub/only_root.yaml"]
    found = discover(tmp_path / "sub").files
    assert [path.name for path in found] == ["b.tmp.yaml", "only_root.yaml"]


def test_a_folder_that_was_asked_for_is_searched_though_rules_above_ignore_it(
    tmp_path: Path,
) -> None:
    (tmp_path / ".git").mkdir()
    write(tmp_path, ".gitignore", "demo/\n*.tmp.yaml\n")
    write(tmp_path, "demo/a.yaml")
    write(tmp_path, "demo/b.tmp.yaml")
    write(tmp_path, "demo/.gitignore", "own.yaml\nout/\n")
    write(tmp_path, "demo/own.yaml")
    write(tmp_path, "demo/sub/own.yaml")
    write(tmp_path, "demo/sub/c.yaml")
    write(tmp_path, "demo/out/d.yaml")
    write(tmp_path, "other/e.yaml")
    assert names(tmp_path) == ["other/e.yaml"]
    assert names(tmp_path / "demo") == ["a.yaml", "b.tmp.yaml", "sub/c.yaml"]
    assert names(tmp_path / "demo" / "sub") == ["c.yaml"], (
        "what the demo's own rules say still counts"
    )
    assert names(tmp_path / "demo" / "out") == ["d.yaml"]


def test_hidden_and_installed_folders_are_left_alone_and_told(tmp_path: Path) -> None:
    write(tmp_path, ".hidden/a.yaml")
    write(tmp_path, ".dot.yaml")
    write(tmp_path, "node_modules/a.yaml")
    write(tmp_path, "my_env/pyvenv.cfg", "home = /usr\n")
    write(tmp_path, "my_env/a.yaml")
    write(tmp_path, "real/a.yaml")
    found = discover(tmp_path)
    assert names(tmp_path) == ["real/a.yaml"]
    assert [(one.path.name, one.reason) for one in found.skipped] == [
        ("my_env", "not searched: installed or generated files"),
        ("node_modules", "not searched: installed or generated files"),
    ]


def test_depth_and_number_are_bounded_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = "/".join(["d"] * (discovery.MAX_DEPTH + 1))
    write(tmp_path, f"{deep}/a.yaml")
    write(tmp_path, f"{deep[:-2]}/b.yaml")
    found = discover(tmp_path)
    assert [path.name for path in found.files] == ["b.yaml"]
    assert found.skipped[-1].reason == "deeper than 8 folders"
    monkeypatch.setattr(discovery, "MAX_FILES", 3)
    assert "more than 3 entries" in discover(tmp_path).skipped[-1].reason


def test_things_that_are_not_files_are_told_and_never_waited_for(tmp_path: Path) -> None:
    (tmp_path / "folder.yaml").mkdir()
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "dangling.yaml").symlink_to("nowhere")
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    (tmp_path / "up.yaml").symlink_to(tmp_path)
    (tmp_path / "up").symlink_to(tmp_path)
    write(tmp_path, "a.yaml")
    (tmp_path / "linked.yaml").symlink_to("a.yaml")
    found = discover(tmp_path)
    assert [path.name for path in found.files] == ["a.yaml", "linked.yaml"]
    assert {one.path.name: one.reason for one in found.skipped} == {
        "dangling.yaml": "cannot be read: no such file or directory",
        "loop.yaml": "cannot be read: too many levels of symbolic links",
        "pipe.yaml": "not a file but a named pipe",
        "up.yaml": "a link to a folder; not followed",
    }


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    found = discover(tmp_path / "absent")
    assert found.files == ()
    assert [one.reason for one in found.skipped] == ["cannot be read: no such file or directory"]


def test_an_ignore_file_that_is_a_folder_or_not_text_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").mkdir()
    write(tmp_path, "sub/a.yaml")
    (tmp_path / "sub" / ".gitignore").write_bytes(b"\xff\xfe\x00!\n")
    assert names(tmp_path) == ["sub/a.yaml"]
