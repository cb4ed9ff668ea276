"""Real files with real damage: nothing whole is lost, nothing wrong is shown, nothing is deleted."""

import errno
import os
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

import pytest

from studio.core.events import Record
from studio.errors import DamagedError, StorageError
from studio.ids import RunNumber, VersionHash
from studio.ports import Batch, Definition, RunFilter
from studio.storage.codec import UnknownEventError, event_checksum
from studio.storage.integrity import examine, verify
from studio.storage.owner_lock import OwnerLock
from studio.storage.salvage import salvage
from studio.storage.set_aside import finish_salvage
from studio.storage.sqlite_file import HISTORY_NAME, create
from studio.storage.sqlite_reader import open_reader
from studio.storage.state_folder import open_history
from tests.storage_samples import StandingClock, attempt_succeeded, records, run_row, whole_run

CLOCK = StandingClock()
DEFINITION = Definition(VersionHash("v1"), "etl", b"name: etl\n" * 900)


async def _filled(folder: Path, runs: int = 12, nodes: int = 10) -> list[Record]:
    """A closed history of some runs, the last of them open; its definition fills overflow pages."""
    history, _ = open_history(folder, clock=CLOCK)
    for run in range(1, runs + 1):
        batch = whole_run(history.head(), run, nodes)
        last = run == runs
        row = run_row(run, state="running" if last else "succeeded", is_open=last)
        await history.append(Batch(batch[:-1] if last else batch, [row], [DEFINITION]))
    everything = list(history.read())
    await history.aclose()
    return everything


def _flip(path: Path, needle: bytes, occurrence: int = 0) -> int:
    """Flip a bit of the first byte of a piece of text in a file; returns its page."""
    body = path.read_bytes()
    offset = -1
    for _ in range(occurrence + 1):
        offset = body.index(needle, offset + 1)
    _patch(path, offset, bytes([body[offset] ^ 4]))
    return offset // 4096 + 1


def _patch(path: Path, offset: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(content)


def _collect(source: Iterable[Record], into: list[Record]) -> None:
    for record in source:
        into.append(record)  # one by one: what came before an error is kept


def _beside(folder: Path, pattern: str) -> list[Path]:
    return sorted(folder.glob(pattern))


async def test_a_flipped_row_is_never_read_as_if_it_were_right(tmp_path: Path) -> None:
    everything = await _filled(tmp_path)
    path = tmp_path / HISTORY_NAME
    _flip(path, b"node3", 0)
    reader = open_reader(tmp_path)
    read: list[Record] = []
    with pytest.raises(DamagedError):
        _collect(reader.read(), read)
    reader.close()
    assert read == everything[: len(read)]
    assert 0 < len(read) < len(everything)
    assert any("checksum" in problem for problem in verify(path))


async def test_a_flipped_row_costs_one_event_and_names_its_run(tmp_path: Path) -> None:
    everything = await _filled(tmp_path)
    path = tmp_path / HISTORY_NAME
    before = path.read_bytes()
    last = max(record.position for record in everything if record.run == 12)
    _flip(path, b'"node9"', before.count(b'"node9"') - 1)
    hurt = path.read_bytes()

    history, health = open_history(tmp_path, clock=CLOCK)
    (notice,) = health.notices
    (aside,) = _beside(tmp_path, "history.damaged-*.sqlite")
    assert aside.name == "history.damaged-20300317-174640.sqlite"
    assert aside.read_bytes() == hurt
    assert "known to be lost: 1 events. Runs that lost events: " in notice

    kept = list(history.read())
    assert len(kept) == len(everything) - 1
    (lost,) = [record for record in everything if record not in kept]
    assert f"lost events: {lost.run}." in notice
    assert history.head() == last
    assert history.find(str(lost.run)).state == "damaged"
    assert not history.find(str(lost.run)).open
    with pytest.raises(DamagedError, match=f"Run {lost.run} cannot be read beyond"):
        list(history.read(RunNumber(lost.run)))
    others = [run for run in range(1, 13) if run != lost.run]
    for run in others:
        assert list(history.read(RunNumber(run))) == [r for r in everything if r.run == run]
    assert history.definition(VersionHash("v1")) == DEFINITION
    await history.append(Batch(whole_run(history.head(), 13)))
    await history.aclose()

    again, health = open_history(tmp_path, clock=CLOCK)
    assert health.notices == []
    assert len(list(again.read(after=last))) == 8
    await again.aclose()
    assert verify(path) == []


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _no_header(path: Path) -> None:
    _patch(path, 0, os.urandom(100))


def _no_schema(path: Path) -> None:
    _patch(path, 0, b"\0" * 4096)


def _half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2 // 4096 * 4096 + 100)


def _wrong_application(path: Path) -> None:
    _patch(path, 68, b"\1\2\3\4")


def _no_event_root(path: Path) -> None:
    _patch(path, 4096, os.urandom(4096))


@pytest.mark.parametrize(
    ("hurt", "least"),
    [
        (_empty, 0.0),
        (_no_header, 1.0),
        (_no_schema, 1.0),
        (_half, 0.2),
        (_wrong_application, 1.0),
        (_no_event_root, 1.0),
    ],
)
async def test_every_kind_of_damage_leaves_a_studio_that_works(
    tmp_path: Path, hurt: Callable[[Path], None], least: float
) -> None:
    everything = await _filled(tmp_path, runs=30)
    path = tmp_path / HISTORY_NAME
    hurt(path)
    damaged = path.read_bytes()
    history, health = open_history(tmp_path, clock=CLOCK)
    assert len(health.notices) == 1
    assert "was damaged" in health.notices[0]
    (aside,) = _beside(tmp_path, "history.damaged-*.sqlite")
    assert aside.read_bytes() == damaged
    kept = list(history.read())
    assert all(record in everything for record in kept)
    assert len(kept) >= least * len(everything)
    if least == 1.0:
        rows = history.rows(RunFilter(limit=100))
        assert [(row.run, row.state, row.open) for row in rows] == [
            (run, "running" if run == 30 else "succeeded", run == 30) for run in range(30, 0, -1)
        ]
    await history.append(Batch(whole_run(history.head(), 31), [run_row(31)]))
    await history.aclose()
    assert verify(path) == []


async def test_random_flips_never_go_unnoticed_by_a_full_check(tmp_path: Path) -> None:
    everything = await _filled(tmp_path, runs=8)
    path = tmp_path / HISTORY_NAME
    body = path.read_bytes()
    step = len(body) // 60
    for offset in range(17, len(body), step):
        path.write_bytes(body[:offset] + bytes([body[offset] ^ 0x10]) + body[offset + 1 :])
        problems = verify(path)
        try:
            reader = open_reader(tmp_path)
            kept = list(reader.read())
            reader.close()
        except StorageError:
            continue
        # What can be read without an error is the truth; a flip in free space harms nobody.
        assert kept == everything or problems


async def test_a_damaged_log_is_told_and_what_follows_the_damage_is_saved(tmp_path: Path) -> None:
    history, _ = open_history(tmp_path, clock=CLOCK)
    batches = []
    for run in range(1, 7):
        batch = whole_run(history.head(), run)
        batches.append(batch)
        await history.append(Batch(batch, [run_row(run)]))
    images = {name: name.read_bytes() for name in _beside(tmp_path, "history.sqlite*")}
    await history.aclose()
    for name, image in images.items():
        if not name.name.endswith("-shm"):
            name.write_bytes(image)
    log = tmp_path / (HISTORY_NAME + "-wal")
    body = log.read_bytes()
    _patch(log, body.index(b'"node1"'), b'"nodeX"')

    history, health = open_history(tmp_path, clock=CLOCK)
    assert "cannot be reached" in health.notices[0]
    assert _beside(tmp_path, "history.damaged-*.sqlite-wal")
    kept = list(history.read())
    # Later frames hold newer images of the page that the flip hit, so that every event is whole.
    assert kept == [record for batch in batches for record in batch]
    await history.aclose()


async def test_a_torn_last_transaction_is_left_out_and_told(tmp_path: Path) -> None:
    history, _ = open_history(tmp_path, clock=CLOCK)
    for run in range(1, 4):
        await history.append(Batch(whole_run(history.head(), run), [run_row(run)]))
    everything = list(history.read())
    main, log = tmp_path / HISTORY_NAME, tmp_path / (HISTORY_NAME + "-wal")
    images = {place: place.read_bytes() for place in (main, log)}
    await history.aclose()
    for place, image in images.items():
        place.write_bytes(image)
    _patch(log, len(images[log]) - 4096, os.urandom(4096))  # the page of the last frame

    history, health = open_history(tmp_path, clock=CLOCK)
    assert list(history.read()) == everything[:16]
    assert len(health.notices) == 1
    assert "never completed" in health.notices[0]
    await history.append(Batch(whole_run(16, 3), [run_row(3)]))
    await history.aclose()
    assert verify(main) == []


async def test_events_of_a_newer_program_outlive_a_salvage(tmp_path: Path) -> None:
    await _filled(tmp_path, runs=2)
    path = tmp_path / HISTORY_NAME
    data = b'{"event":"node_teleported","node":"a"}'
    with closing(sqlite3.connect(path)) as connection:
        (head,) = connection.execute("SELECT max(position) FROM event").fetchone()
        row = (head + 1, 2, 5.5, data, event_checksum(head + 1, 2, 5.5, data))
        connection.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?)", row)
        connection.commit()
    _no_header(path)
    history, health = open_history(tmp_path, clock=CLOCK)
    assert health.read_only
    assert "was damaged" in health.notices[0]
    assert "node_teleported" in health.notices[1]
    assert history.head() == head + 1
    with pytest.raises(UnknownEventError):
        history.record(head + 1)
    await history.aclose()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT * FROM event WHERE data = ?", (data,)).fetchall() == [row]


async def test_a_salvage_that_finds_no_space_leaves_the_damaged_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _filled(tmp_path, runs=2)
    path = tmp_path / HISTORY_NAME
    _no_header(path)
    damaged = path.read_bytes()

    def refuse(place: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr("studio.storage.salvage.sync_path", refuse)
        with pytest.raises(StorageError) as caught:
            open_history(tmp_path, clock=CLOCK)
    assert caught.value.errno == errno.ENOSPC
    assert path.read_bytes() == damaged
    history, health = open_history(
        tmp_path, clock=CLOCK
    )  # nobody owns the folder after the failure
    assert "was damaged" in health.notices[0]
    await history.aclose()


async def test_a_lock_that_was_handed_in_stays_with_its_holder(tmp_path: Path) -> None:
    with OwnerLock.acquire(tmp_path) as lock:
        history, _ = open_history(tmp_path, clock=CLOCK, lock=lock)
        await history.append(Batch(whole_run(0, 1)))
        await history.aclose()
        await history.aclose()
        assert lock.held
        with pytest.raises(StorageError, match="has been closed"):
            list(history.read())


async def test_a_log_that_was_cut_off_leaves_a_whole_beginning(tmp_path: Path) -> None:
    history, _ = open_history(tmp_path / "live", clock=CLOCK)
    for run in range(1, 6):
        await history.append(Batch(whole_run(history.head(), run), [run_row(run)]))
    everything = list(history.read())
    main = (tmp_path / "live" / HISTORY_NAME).read_bytes()
    log = (tmp_path / "live" / (HISTORY_NAME + "-wal")).read_bytes()
    await history.aclose()
    for number, size in enumerate(range(0, len(log), 3001)):
        folder = tmp_path / f"cut{number}"
        folder.mkdir()
        (folder / HISTORY_NAME).write_bytes(main)
        (folder / (HISTORY_NAME + "-wal")).write_bytes(log[:size])
        copy, _ = open_history(folder, clock=CLOCK)
        kept = list(copy.read())
        assert kept == everything[: len(kept)]
        assert len(kept) % 8 == 0
        await copy.aclose()


async def test_a_lone_log_is_not_applied_to_a_new_file(tmp_path: Path) -> None:
    history, _ = open_history(tmp_path, clock=CLOCK)
    batch = whole_run(0, 1)
    await history.append(Batch(batch, [run_row(1)]))
    log = (tmp_path / (HISTORY_NAME + "-wal")).read_bytes()
    await history.aclose()
    (tmp_path / HISTORY_NAME).unlink()
    (tmp_path / (HISTORY_NAME + "-wal")).write_bytes(log)
    history, health = open_history(tmp_path, clock=CLOCK)
    assert len(health.notices) == 1
    assert list(history.read()) == batch
    await history.aclose()


async def test_a_salvage_that_was_interrupted_is_finished(tmp_path: Path) -> None:
    everything = await _filled(tmp_path, runs=3)
    path = tmp_path / HISTORY_NAME
    _no_header(path)
    salvage(path, CLOCK)
    (aside,) = _beside(tmp_path, "history.damaged-*.sqlite")
    saved = aside.with_name(aside.name.replace("damaged", "salvaged"))
    path.rename(saved)  # as if the process had died between the two moves
    finish_salvage(path)
    assert not saved.exists()
    history, health = open_history(tmp_path, clock=CLOCK)
    assert health.notices == []
    assert list(history.read()) == everything
    await history.aclose()


async def test_run_rows_that_are_gone_are_made_anew_from_events(tmp_path: Path) -> None:
    await _filled(tmp_path, runs=5)
    path = tmp_path / HISTORY_NAME
    connection = sqlite3.connect(path)
    connection.execute("UPDATE run SET checksum = checksum + 1")
    connection.commit()
    connection.close()
    history, _ = open_history(tmp_path, clock=CLOCK)
    rows = history.rows(RunFilter())
    assert [(row.run, row.state, row.open) for row in rows] == [
        (5, "running", True),
        *[(run, "succeeded", False) for run in range(4, 0, -1)],
    ]
    assert {row.workflow for row in rows} == {"etl"}
    await history.aclose()


async def test_two_salvages_of_one_second_get_two_names(tmp_path: Path) -> None:
    await _filled(tmp_path, runs=1)
    path = tmp_path / HISTORY_NAME
    for _ in range(2):
        _no_header(path)
        history, _ = open_history(tmp_path, clock=CLOCK)
        await history.aclose()
    names = sorted(name.name for name in _beside(tmp_path, "history.damaged-*.sqlite"))
    assert names == [
        "history.damaged-20300317-174640-2.sqlite",
        "history.damaged-20300317-174640.sqlite",
    ]


def test_the_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / HISTORY_NAME
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE music (title TEXT)")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StorageError, match="another program"):
        open_history(tmp_path, clock=CLOCK)
    assert path.read_bytes() == before


async def test_an_event_of_a_newer_program_opens_read_only(tmp_path: Path) -> None:
    everything = await _filled(tmp_path, runs=2)
    path = tmp_path / HISTORY_NAME
    connection = sqlite3.connect(path)
    connection.execute("INSERT INTO vocabulary VALUES ('node_teleported')")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    history, health = open_history(tmp_path, clock=CLOCK)
    assert health.read_only
    assert "node_teleported" in health.notices[0]
    assert list(history.read()) == everything
    with pytest.raises(StorageError):
        await history.append(Batch(records(history.head(), attempt_succeeded())))
    await history.aclose()
    assert path.read_bytes() == before


async def test_a_newer_schema_opens_read_only(tmp_path: Path) -> None:
    everything = await _filled(tmp_path, runs=2)
    connection = sqlite3.connect(tmp_path / HISTORY_NAME)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    history, health = open_history(tmp_path, clock=CLOCK)
    assert health.read_only
    assert "version 99" in health.notices[0]
    assert list(history.read()) == everything
    await history.aclose()


def test_a_sound_file_is_found_sound(tmp_path: Path) -> None:
    path = tmp_path / HISTORY_NAME
    create(path)
    assert examine(path).state == "sound"
    assert verify(path) == []
