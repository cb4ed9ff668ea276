"""Drafts of edits: private, bounded, gone once applied, and without secrets on the disk."""

import os
import stat
from pathlib import Path

import pytest

from studio.application.drafts import FOLDER, KEPT, LARGEST, Drafts
from studio.application.location import Location, locate
from studio.loading.loader import load_file
from studio.model.workflow import Workflow

PLAIN = "workflow: plain\nnodes: {a: {uses: noop}}\n"
SECRET = "workflow: secret\nsecrets: [TOKEN]\nnodes: {a: {uses: noop}}\n"
VALUE = "s3cret-value-of-it"


@pytest.fixture
def location(tmp_path: Path) -> Location:
    found = locate(tmp_path, None, {})
    found.state.mkdir()
    return found


def drafts(location: Location) -> Drafts:
    """The drafts of a process that has just started."""
    return Drafts(location, {"TOKEN": VALUE})


def workflow(location: Location, text: str) -> Workflow:
    """A definition on disk."""
    path = location.root / "flow.yaml"
    path.write_text(text)
    found = load_file(path, display="flow.yaml").workflow
    assert found is not None
    return found


def files(location: Location) -> list[Path]:
    """What is stored."""
    folder = location.state / FOLDER
    return sorted(folder.iterdir()) if folder.exists() else []


def test_a_draft_outlives_its_process_and_goes_when_it_is_dropped(location: Location) -> None:
    plain = workflow(location, PLAIN)
    assert drafts(location).keep(3, "Input of a", '{"half": ', plain) == ""
    again = drafts(location)
    assert again.find(3, "Input of a") == '{"half": '
    assert again.find(4, "Input of a") is None
    assert again.find(3, "Output of a") is None
    [file] = files(location)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    again.drop(3, "Input of a")
    assert files(location) == []
    assert drafts(location).find(3, "Input of a") is None


def test_a_secret_reaches_no_disk_in_any_form_it_is_known_by(location: Location) -> None:
    declares = workflow(location, SECRET)
    kept = drafts(location)
    assert kept.keep(1, "Input of a", '{"token": "s3c', declares) == ""
    assert len(files(location)) == 1
    text = f'{{"token": "{VALUE}"}}'
    assert kept.keep(1, "Input of a", text, declares) == "it holds a secret"
    assert files(location) == [], "what was stored before goes, too"
    assert kept.find(1, "Input of a") == text
    assert kept.keep(1, "Input of a", VALUE.encode().hex(), declares) == "it holds a secret"


def test_there_are_no_more_and_no_larger_ones_than_so(location: Location) -> None:
    plain = workflow(location, PLAIN)
    kept = drafts(location)
    for number in range(KEPT + 3):
        assert kept.keep(number, "Input of a", str(number), plain) == ""
        newest = max(files(location), key=lambda file: file.stat().st_mtime_ns)
        os.utime(newest, (number, number))
    assert len(files(location)) == KEPT
    assert drafts(location).find(KEPT + 2, "Input of a") == str(KEPT + 2)
    assert "256 KiB" in kept.keep(1, "Input of b", "x" * (LARGEST + 1), plain)
    assert drafts(location).find(1, "Input of b") is None


def test_a_damaged_draft_is_no_draft_and_a_folder_that_takes_none_is_told(
    location: Location,
) -> None:
    plain = workflow(location, PLAIN)
    kept = drafts(location)
    kept.keep(1, "Input of a", "text", plain)
    [file] = files(location)
    file.write_bytes(b"\x00half")
    assert drafts(location).find(1, "Input of a") is None
    file.unlink()
    file.parent.rmdir()
    file.parent.write_text("in the way")
    assert kept.keep(1, "Input of a", "text", plain) != ""
    assert kept.find(1, "Input of a") == "text"
