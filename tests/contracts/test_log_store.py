"""What the store of logs promises."""

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.ids import NodePath, RunNumber
from studio.ports import AttemptKey, LogLine, LogStore, StorageHealth
from studio.storage import log_store
from studio.storage.log_files import log_keys, log_place
from studio.storage.log_store import LogFolder


def key(node: str = "fetch", attempt: int = 1, run: int = 1, *, undo: bool = False) -> AttemptKey:
    return AttemptKey(RunNumber(run), NodePath(node), undo, attempt)


def lines(*texts: str, at: float = 5.0) -> list[LogLine]:
    return [LogLine(at + number, text) for number, text in enumerate(texts)]


@pytest.fixture
def health() -> StorageHealth:
    return StorageHealth()


@pytest.fixture
def store(tmp_path: Path, health: StorageHealth) -> LogStore:
    return LogFolder(tmp_path, health)


def test_lines_are_read_back_while_and_after_the_attempt_runs(store: LogStore) -> None:
    written = [*lines("one", "zwei ü", "\x1b[31mred", "a\nb"), LogLine(9.5, "bad", "log", "error")]
    assert list(store.read(key())) == []
    store.write(key(), written[:2])
    assert list(store.read(key())) == written[:2]
    store.write(key(), written[2:])
    store.close(key())
    assert list(store.read(key())) == written
    store.write(key(), lines("late"))
    assert list(store.read(key()))[-1].text == "late"


def test_attempts_are_told_apart_and_come_oldest_first(store: LogStore) -> None:
    order = [key(attempt=1), key("b"), key(attempt=2), key(undo=True), key("child/sq"), key("e[3]")]
    for number, one in enumerate(order):
        store.write(one, lines(f"line of {number}", at=10.0 * number))
    store.write(key(run=2), lines("other run"))
    store.write(key(attempt=9), [])
    assert store.attempts(RunNumber(1)) == order
    assert store.attempts(RunNumber(1), NodePath("fetch")) == [order[0], order[2], order[3]]
    assert store.attempts(RunNumber(3)) == []
    for number, one in enumerate(order):
        assert [line.text for line in store.read(one)] == [f"line of {number}"]


def test_the_log_of_a_foreach_is_that_of_its_items(store: LogStore) -> None:
    written = [key("e[0]"), key("e[1]"), key("e2")]
    for number, one in enumerate(written):
        store.write(one, lines(f"line of {number}", at=10.0 * number))
    assert store.attempts(RunNumber(1), NodePath("e")) == written[:2]
    assert store.attempts(RunNumber(1), NodePath("e[1]")) == [written[1]]


def test_files_and_folders_are_private(store: LogStore, tmp_path: Path) -> None:
    store.write(key(), lines("secret"))
    place = log_place(tmp_path / "logs", key())
    assert place == tmp_path / "logs" / "1" / "fetch.1.jsonl"
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700


NAMES = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from("./~%[]"), min_size=1, max_size=300
)


@given(NAMES, st.booleans(), st.integers(1, 10**6))
def test_every_path_has_a_file_of_its_own(node: str, undo: bool, attempt: int) -> None:
    one = key(node, attempt, undo=undo)
    place = log_place(Path("/l"), one)
    steps = place.relative_to("/l/1").parts
    assert all(0 < len(os.fsencode(step)) < 255 and step not in (".", "..") for step in steps)
    swapped = log_place(Path("/l"), key(node + ".undo", attempt, undo=not undo))
    assert place != swapped


@pytest.mark.parametrize(
    "node", ["a" * 700, "ü" * 90, "..", "a/b.undo", "x.undo", "~", "%2E", "n.1.jsonl", "a\0b"]
)
def test_odd_paths_come_back_as_they_were(store: LogStore, tmp_path: Path, node: str) -> None:
    for one in (key(node), key(node, 2, undo=True)):
        store.write(one, lines("x"))
    found = {one for one, _ in log_keys(tmp_path / "logs", RunNumber(1))}
    assert found == {key(node), key(node, 2, undo=True)}


def test_foreign_files_are_passed_over(store: LogStore, tmp_path: Path) -> None:
    store.write(key(), lines("x"))
    folder = tmp_path / "logs" / "1"
    for name in ("notes.txt", ".jsonl", "a.b.jsonl", "fetch.1.jsonl.swp"):
        (folder / name).write_text("x")
    (folder / "sub").mkdir()
    (folder / "sub" / "a.1.jsonl").write_text("x")
    assert store.attempts(RunNumber(1)) == [key()]


def test_few_files_stay_open(
    tmp_path: Path, health: StorageHealth, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_store, "MAX_OPEN", 5)
    store = LogFolder(tmp_path, health)
    before = len(os.listdir("/proc/self/fd"))
    for turn in range(3):
        for number in range(20):
            store.write(key(f"n{number}"), lines(f"{turn}"))
    assert len(os.listdir("/proc/self/fd")) - before == 5
    assert all(
        [line.text for line in store.read(key(f"n{number}"))] == ["0", "1", "2"]
        for number in range(20)
    )
    for number in range(20):
        store.close(key(f"n{number}"))
    assert len(os.listdir("/proc/self/fd")) == before


def _failing(number: int, allowed: int) -> Callable[[int, bytes], int]:
    """A write that takes some bytes, then fails."""
    left = [allowed]

    def write(descriptor: int, body: bytes) -> int:
        if not left[0]:
            raise OSError(number, os.strerror(number))
        taken = min(left[0], len(body))
        left[0] -= taken
        return os.pwritev(descriptor, [body[:taken]], os.fstat(descriptor).st_size)

    return write


@pytest.mark.parametrize("allowed", [0, 7, 30])
def test_a_full_disk_is_told_once_and_the_log_says_what_is_missing(
    store: LogStore,
    health: StorageHealth,
    monkeypatch: pytest.MonkeyPatch,
    allowed: int,
) -> None:
    store.write(key(), lines("before"))
    with monkeypatch.context() as patched:
        patched.setattr("studio.storage.log_store.os.write", _failing(errno.ENOSPC, allowed))
        for _ in range(3):
            store.write(key(), lines("lost", "lost too"))
        store.write(key("b"), lines("lost"))
    assert len(health.notices) == 1
    assert "No space left" in health.notices[0]
    store.write(key(), lines("after"))
    texts = [line.text for line in store.read(key())]
    assert texts[0] == "before"
    assert texts[-2:] == ["6 lines are missing here: the disk did not take them.", "after"]
    assert health.notices == health.notices[:1]


def test_a_line_cut_short_is_left_out_and_nonsense_is_shown(
    store: LogStore, tmp_path: Path
) -> None:
    store.write(key(), lines("one"))
    place = log_place(tmp_path / "logs", key())
    with place.open("ab") as file:
        file.write(b'not json\n{"at":7.0,"te')
    assert [line.text for line in store.read(key())] == ["one", "not json"]


def test_a_surrogate_does_not_reach_the_engine_as_an_error(store: LogStore) -> None:
    store.write(key(), [LogLine(1.0, "bad \udcff byte")])
    assert [line.text for line in store.read(key())] == ["bad ? byte"]
