"""Files as they come: encodings, line ends, and things that are not files."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from studio.loading import document
from studio.loading.loader import LoadResult, load_file, load_text

SOUND = "workflow: x\nnodes:\n  a: {uses: noop, description: größe}\n"


def load_bytes(folder: Path, raw: bytes, name: str = "w.yaml") -> LoadResult:
    file = folder / name
    file.write_bytes(raw)
    return load_file(file, display=name)


def messages(result: LoadResult) -> list[str]:
    assert result.workflow is None
    return [str(one) for one in result.diagnostics]


@pytest.mark.parametrize(
    "raw",
    [
        SOUND.encode(),
        b"\xef\xbb\xbf" + SOUND.encode(),
        SOUND.replace("\n", "\r\n").encode(),
        SOUND.replace("\n", "\r").encode(),
        SOUND.rstrip("\n").encode(),
    ],
    ids=["plain", "mark", "crlf", "cr", "no last newline"],
)
def test_marks_and_line_ends_do_not_matter(tmp_path: Path, raw: bytes) -> None:
    result = load_bytes(tmp_path, raw)
    assert result.diagnostics == ()
    assert result.workflow is not None
    expected = load_text(SOUND).workflow
    assert expected is not None
    assert result.workflow.content_hash() == expected.content_hash()


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (SOUND.encode("utf-16"), "w.yaml:1:1: the file is UTF-16; save it as UTF-8"),
        (SOUND.encode("utf-32"), "w.yaml:1:1: the file is UTF-32; save it as UTF-8"),
        (
            SOUND.encode("utf-16-le"),
            "w.yaml:1:1: the file looks like UTF-16 without a mark; save it as UTF-8",
        ),
        (
            SOUND.encode("latin-1"),
            "w.yaml:3:34: byte 0xf6 is not UTF-8; the file looks like Latin-1 or Windows-1252: save it as UTF-8",
        ),
        (
            b"workflow: x\ndescription: a\x00b\n",
            "w.yaml:2:15: the file holds a NUL character (U+0000); remove it",
        ),
    ],
    ids=["utf-16", "utf-32", "utf-16 without mark", "latin-1", "nul"],
)
def test_other_encodings_are_named(tmp_path: Path, raw: bytes, expected: str) -> None:
    assert messages(load_bytes(tmp_path, raw)) == [expected]


def test_a_file_that_is_too_large_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = SOUND.encode() + b"#" * document.MAX_BYTES
    assert messages(load_bytes(tmp_path, raw)) == ["w.yaml:1:1: the file is larger than 10 MiB"]


def test_things_that_are_not_files_are_told_and_never_waited_for(tmp_path: Path) -> None:
    (tmp_path / "folder.yaml").mkdir()
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "dangling.yaml").symlink_to("nowhere")
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    expected = {
        "folder.yaml": "not a file but a folder",
        "pipe.yaml": "not a file but a named pipe",
        "dangling.yaml": "no such file or directory",
        "loop.yaml": "too many levels of symbolic links",
        "absent.yaml": "no such file or directory",
    }
    for name, reason in expected.items():
        result = load_file(tmp_path / name, display=name)
        assert messages(result) == [f"{name}:1:1: cannot be read: {reason}"]
        assert result.digest == ""


def test_a_socket_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket may have a hundred characters at most
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s.yaml")
        [message] = messages(load_file("s.yaml"))
    assert message.startswith("s.yaml:1:1: cannot be read: ")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_an_unreadable_file_is_told(tmp_path: Path) -> None:
    file = tmp_path / "w.yaml"
    file.write_text(SOUND)
    file.chmod(0)
    assert messages(load_file(file, display="w.yaml")) == [
        "w.yaml:1:1: cannot be read: permission denied"
    ]


def test_a_path_with_a_nul_is_told() -> None:
    [message] = messages(load_file("a\0b.yaml", display="w.yaml"))
    assert message.startswith("w.yaml:1:1: cannot be read: ")


def test_a_link_to_a_file_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real.yaml").write_text(SOUND)
    (tmp_path / "link.yaml").symlink_to("real.yaml")
    assert load_file(tmp_path / "link.yaml").workflow is not None


def test_half_of_a_character_in_a_text_is_told() -> None:
    [message] = messages(load_text("workflow: x\ndescription: \ud800\n", "w.yaml"))
    assert message == "w.yaml:2:14: the file holds half of a character (U+D800); save it as UTF-8"


def test_every_prefix_of_a_file_loads_or_tells_a_place_in_it() -> None:
    text = (
        "workflow: x\nparameters: {n: {type: number, default: 1}}\nnodes:\n  a:\n    uses: shell\n"
        "    run: |\n      echo {{ params.n }}\n    when: params.n > 0\n  b: {uses: noop, needs: [a]}\n"
    )
    for end in range(len(text)):
        result = load_text(text[:end])
        assert (result.workflow is None) == bool(result.errors)
        for one in result.diagnostics:
            assert 1 <= one.place.line <= text[:end].count("\n") + 1


def test_five_thousand_nodes_load_with_every_place() -> None:
    lines = ["workflow: big", "nodes:"]
    lines += [
        f"  n{i}: {{uses: noop{f', needs: n{i - 1}' if i else ''}, with: {{x: {i}}}}}"
        for i in range(5_000)
    ]
    result = load_text("\n".join(lines))
    assert result.diagnostics == ()
    assert result.workflow is not None
    last = result.workflow.nodes["n4999"]
    assert last.place is not None
    assert (last.place.line, last.place.column) == (5002, 3)


def test_a_file_that_is_wrong_everywhere_is_told_in_bounds() -> None:
    text = "workflow: x\nnodes:\n" + "".join(f"  n{i}: {{uses: nop}}\n" for i in range(2_000))
    result = load_text(text)
    assert len(result.diagnostics) == 500
    assert result.diagnostics[-1].message == "1501 more problems follow"
