"""Disks that fill up or fail, processes that are killed, files that vanish, readers that stay."""

import asyncio
import contextlib
import errno
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from studio.errors import NotFoundError, OwnerLockedError, StorageError
from studio.ports import Batch, RunFilter
from studio.storage import sqlite_history
from studio.storage.backups import backup
from studio.storage.integrity import verify
from studio.storage.migration import Migration, migrate, migrations
from studio.storage.sqlite_file import HISTORY_NAME
from studio.storage.sqlite_history import SqliteHistory
from studio.storage.sqlite_reader import open_reader
from studio.storage.state_folder import open_history
from tests.storage_samples import (
    StandingClock,
    attempt_succeeded,
    records,
    run_row,
    run_started,
    whole_run,
)

CLOCK = StandingClock()

WRITER = dedent(
    """
    import asyncio, sys
    from pathlib import Path
    from studio.ports import Batch
    from studio.storage.state_folder import open_history
    from tests.storage_samples import StandingClock, run_row, whole_run

    async def main():
        history, _ = open_history(Path(sys.argv[1]), clock=StandingClock())
        run = len({record.run for record in history.read()})
        while True:
            run += 1
            await history.append(Batch(whole_run(history.head(), run, 20), [run_row(run)]))
            sys.stdout.write(f"{history.head()}\\n")
            sys.stdout.flush()

    asyncio.run(main())
    """
)


def _killed_after(appends: int, folder: Path) -> int:
    """Kill a writing child after some acknowledgements; returns the last head it acknowledged."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(appends)]
        child.send_signal(signal.SIGKILL)
        lines += child.stdout.readlines()
    return max(int(line) for line in lines if line.endswith("\n"))


def _run(program: str, folder: Path) -> str:
    """Standard output of a Python program in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
async def test_what_was_acknowledged_outlives_a_kill(tmp_path: Path) -> None:
    for round_number in range(4):
        acknowledged = _killed_after(30 + 17 * round_number, tmp_path)
        history, health = open_history(tmp_path, clock=CLOCK)
        assert health.notices == []
        assert history.head() >= acknowledged
        everything = list(history.read())
        assert [record.position for record in everything] == list(range(1, history.head() + 1))
        assert len(everything) % 42 == 0  # batches are whole or not there
        assert len(history.rows(RunFilter(limit=10_000))) == len(everything) // 42
        await history.aclose()
    assert verify(tmp_path / HISTORY_NAME) == []


async def test_a_full_disk_loses_nothing_and_is_over_when_space_returns(tmp_path: Path) -> None:
    history, _ = open_history(tmp_path, clock=CLOCK)
    await history.append(Batch(whole_run(0, 1), [run_row(1)]))
    connection = _writing_connection(history)
    connection.execute("PRAGMA max_page_count = 20")
    with pytest.raises(StorageError) as caught:
        await history.append(Batch(_big(history.head()), [run_row(2)]))
    assert caught.value.errno == errno.ENOSPC
    assert "No space left" in str(caught.value)
    assert history.head() == 8
    assert len(list(history.read())) == 8
    assert [row.run for row in history.rows(RunFilter())] == [1]
    connection.execute("PRAGMA max_page_count = 1073741823")
    await history.append(Batch(_big(history.head()), [run_row(2)]))
    assert history.head() == 108
    await history.aclose()
    assert verify(tmp_path / HISTORY_NAME) == []


def _big(head: int) -> list[Any]:
    return records(
        head, *[attempt_succeeded(f"n{n}", b'"' + b"x" * 3000 + b'"') for n in range(100)]
    )


def _writing_connection(history: SqliteHistory) -> sqlite3.Connection:
    assert history._writer is not None
    return history._writer._conn


@pytest.mark.slow
async def test_a_real_limit_on_file_size_is_a_full_disk(tmp_path: Path) -> None:
    program = dedent(
        """
        import asyncio, resource, signal, sys
        from pathlib import Path
        from studio.errors import StorageError
        from studio.ports import Batch
        from studio.storage.state_folder import open_history
        from tests.storage_samples import StandingClock, whole_run

        async def main():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            history, _ = open_history(Path(sys.argv[1]), clock=StandingClock())
            resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
            run = 0
            try:
                while True:
                    run += 1
                    await history.append(Batch(whole_run(history.head(), run, 50)))
            except StorageError as error:
                head = history.head()
            assert len(list(history.read())) == head > 0
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
            await history.append(Batch(whole_run(head, run, 50)))
            assert len(list(history.read())) == head + 102
            await history.aclose()
            print("survived")

        asyncio.run(main())
        """
    )
    assert _run(program, tmp_path) == "survived\n"
    assert verify(tmp_path / HISTORY_NAME) == []


class FailingConnection(sqlite3.Connection):
    """A connection whose statements fail where a test says so, with the error of a bad disk."""

    fails_at = ""
    fails_after = False

    def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
        hit = bool(self.fails_at) and sql.startswith(self.fails_at)
        if hit and not self.fails_after:
            raise _io_error()
        cursor = super().execute(sql, *arguments)
        if hit:
            raise _io_error()
        return cursor


def _io_error() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
    return error


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> type[FailingConnection]:
    def connect(path: Path) -> sqlite3.Connection:
        connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, factory=FailingConnection
        )
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    monkeypatch.setattr(sqlite_history, "connect_writer", connect)
    monkeypatch.setattr(FailingConnection, "fails_at", "")
    monkeypatch.setattr(FailingConnection, "fails_after", False)
    return FailingConnection


@pytest.mark.parametrize("statement", ["BEGIN", "COMMIT"])
async def test_an_io_error_leaves_nothing_and_the_next_append_works(
    tmp_path: Path,
    failing: type[FailingConnection],
    monkeypatch: pytest.MonkeyPatch,
    statement: str,
) -> None:
    history, _ = open_history(tmp_path, clock=CLOCK)
    await history.append(Batch(whole_run(0, 1)))
    monkeypatch.setattr(failing, "fails_at", statement)
    for _ in range(3):
        with pytest.raises(StorageError) as caught:
            await history.append(Batch(whole_run(8, 2), [run_row(2)]))
        assert caught.value.errno == errno.EIO
        assert history.head() == len(list(history.read())) == 8
    monkeypatch.setattr(failing, "fails_at", "")
    await history.append(Batch(whole_run(8, 2), [run_row(2)]))
    assert history.head() == len(list(history.read())) == 16
    await history.aclose()


async def test_an_error_after_the_commit_is_not_taken_for_a_failed_append(
    tmp_path: Path, failing: type[FailingConnection], monkeypatch: pytest.MonkeyPatch
) -> None:
    history, _ = open_history(tmp_path, clock=CLOCK)
    monkeypatch.setattr(failing, "fails_at", "COMMIT")
    monkeypatch.setattr(failing, "fails_after", True)
    await history.append(Batch(whole_run(0, 1)))
    assert history.head() == len(list(history.read())) == 8
    await history.aclose()


async def test_a_connection_that_cannot_be_asked_is_replaced(
    tmp_path: Path, failing: type[FailingConnection], monkeypatch: pytest.MonkeyPatch
) -> None:
    history, _ = open_history(tmp_path, clock=CLOCK)
    monkeypatch.setattr(failing, "fails_at", "COMMIT")
    monkeypatch.setattr(
        FailingConnection, "in_transaction", property(_raise_io_error), raising=False
    )
    with pytest.raises(StorageError):
        await history.append(Batch(whole_run(0, 1)))
    monkeypatch.undo()
    await history.append(Batch(whole_run(0, 1)))
    assert history.head() == len(list(history.read())) == 8
    await history.aclose()


def _raise_io_error(connection: object) -> bool:
    raise _io_error()


async def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    history, _ = open_history(tmp_path, clock=CLOCK)
    with pytest.raises(OwnerLockedError) as caught:
        open_history(tmp_path, clock=CLOCK)
    assert caught.value.pid == os.getpid()
    await history.aclose()
    again, _ = open_history(tmp_path, clock=CLOCK)
    await again.aclose()


async def test_a_writer_without_the_lock_cannot_take_a_position_twice(tmp_path: Path) -> None:
    history, health = open_history(tmp_path, clock=CLOCK)
    intruder = SqliteHistory(tmp_path / HISTORY_NAME, health)
    await history.append(Batch(whole_run(0, 1)))
    with pytest.raises(StorageError):
        await intruder.append(Batch(records(0, run_started(2), run=2)))
    assert len(list(history.read())) == 8
    await intruder.aclose()
    await history.aclose()


async def test_a_cancelled_append_is_carried_out_and_known(tmp_path: Path) -> None:
    history, _ = open_history(tmp_path, clock=CLOCK)
    writing = _writing_connection(history)
    other = sqlite3.connect(tmp_path / HISTORY_NAME, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")  # the append has to wait for this
    task = asyncio.ensure_future(history.append(Batch(whole_run(0, 1))))
    await asyncio.sleep(0)
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0)
    assert not task.done()
    other.execute("ROLLBACK")
    other.close()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert history.head() == 8
    assert not writing.in_transaction
    await history.append(Batch(whole_run(8, 2)))
    await history.aclose()


async def test_a_reader_that_pins_the_log_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_history, "PINNED_BYTES", 5_000_000)
    monkeypatch.setattr(sqlite_history, "LOOK_SECONDS", 0.0)
    history, health = open_history(tmp_path, clock=CLOCK)
    await history.append(Batch(whole_run(0, 1)))
    pin = sqlite3.connect(f"file:{tmp_path / HISTORY_NAME}?mode=ro", uri=True, isolation_level=None)
    pin.execute("BEGIN")
    assert pin.execute("SELECT count(*) FROM event").fetchone() == (8,)
    for run in range(2, 30):
        await history.append(Batch(_big(history.head()), [run_row(run)]))
    assert pin.execute("SELECT count(*) FROM event").fetchone() == (8,)
    assert history.head() == len(list(history.read())) == 8 + 28 * 100
    (notice,) = health.notices
    assert "holds on to an old state" in notice
    pin.close()
    await history.aclose()
    assert verify(tmp_path / HISTORY_NAME) == []


async def test_a_slow_iterator_does_not_pin_the_log(tmp_path: Path) -> None:
    history, _ = open_history(tmp_path, clock=CLOCK)
    await history.append(Batch(whole_run(0, 1)))
    reader = open_reader(tmp_path)
    reading = reader.read()
    next(reading)
    busy, _, _ = _writing_connection(history).execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    assert busy == 0
    assert len(list(reading)) == 7
    reader.close()
    await history.aclose()


async def test_a_reader_that_closes_last_leaves_the_log_to_the_owner(tmp_path: Path) -> None:
    program = WRITER.replace("while True:", "for _ in range(3):")
    program = program.replace("main())", "main()); import os; os._exit(0)")
    acknowledged = int(_run(program, tmp_path).split()[-1])
    log = tmp_path / (HISTORY_NAME + "-wal")
    before = log.read_bytes()
    reader = open_reader(tmp_path)
    assert len(list(reader.read())) == reader.head() == acknowledged
    reader.close()
    assert log.read_bytes() == before


@pytest.mark.parametrize("whole_folder", [False, True])
async def test_a_history_deleted_while_open_is_written_anew(
    tmp_path: Path, whole_folder: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_history, "LOOK_SECONDS", 0.0)
    folder = tmp_path / "state"
    history, health = open_history(folder, clock=CLOCK)
    first, second = whole_run(0, 1), whole_run(8, 2)
    await history.append(Batch(first, [run_row(1)]))
    if whole_folder:
        shutil.rmtree(folder)
    else:
        for place in list(folder.glob("history.sqlite*")):
            place.unlink()
    with pytest.raises(StorageError, match="deleted or replaced") as caught:
        await history.append(Batch(second, [run_row(2)]))
    assert caught.value.errno == errno.ENOENT
    assert history.head() == 8
    await history.append(Batch(second, [run_row(2)]))
    assert "written anew" in health.notices[-1]
    assert list(history.read()) == [*first, *second]
    with pytest.raises(OwnerLockedError):
        open_history(folder, clock=CLOCK)
    await history.aclose()
    again, health = open_history(folder, clock=CLOCK)
    assert list(again.read()) == [*first, *second]
    assert health.notices == []
    await again.aclose()


async def test_a_history_deleted_just_now_is_written_anew_at_the_end(tmp_path: Path) -> None:
    history, health = open_history(tmp_path, clock=CLOCK)
    await history.append(Batch(whole_run(0, 1)))
    (tmp_path / HISTORY_NAME).unlink()
    await history.append(Batch(whole_run(8, 2)))  # too soon after the last look
    await history.aclose()
    assert "written anew" in health.notices[-1]
    reader = open_reader(tmp_path)
    assert len(list(reader.read())) == 16
    reader.close()


async def test_a_file_put_in_place_of_the_history_is_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_history, "LOOK_SECONDS", 0.0)
    history, _ = open_history(tmp_path, clock=CLOCK)
    await history.append(Batch(whole_run(0, 1)))
    stranger = tmp_path / "other"
    stranger.write_bytes(b"something else")
    stranger.replace(tmp_path / HISTORY_NAME)
    for text in ("deleted or replaced", "decide which"):
        with pytest.raises(StorageError, match=text):
            await history.append(Batch(whole_run(8, 2)))
    with pytest.raises(StorageError, match="decide which"):
        await history.aclose()
    assert (tmp_path / HISTORY_NAME).read_bytes() == b"something else"


async def test_an_online_backup_is_a_whole_history(tmp_path: Path) -> None:
    history, _ = open_history(tmp_path / "state", clock=CLOCK)
    await history.append(Batch(whole_run(0, 1), [run_row(1)]))
    target = tmp_path / "copy" / HISTORY_NAME
    target.parent.mkdir()
    backup(tmp_path / "state" / HISTORY_NAME, target)
    await history.append(Batch(whole_run(8, 2)))
    with pytest.raises(StorageError, match="exists already"):
        backup(tmp_path / "state" / HISTORY_NAME, target)
    await history.aclose()
    assert sorted(place.name for place in target.parent.iterdir()) == [HISTORY_NAME]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    reader = open_reader(target.parent)
    assert list(reader.read()) == whole_run(0, 1)
    reader.close()


TEST_STEPS = (
    Migration(
        2, ("ALTER TABLE run ADD COLUMN note TEXT", "CREATE INDEX run_by_note ON run (note)")
    ),
    Migration(3, ("UPDATE run SET note = 'kept'",)),
)


async def test_a_migration_is_carried_out_after_a_backup(tmp_path: Path) -> None:
    history, _ = open_history(tmp_path, clock=CLOCK)
    await history.append(Batch(whole_run(0, 1), [run_row(1)]))
    await history.aclose()
    path = tmp_path / HISTORY_NAME
    copy = migrate(path, 1, TEST_STEPS, CLOCK)
    assert copy.name == "history.before-v3-20300317-174640.sqlite"
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (3,)
        assert connection.execute("SELECT note FROM run").fetchall() == [("kept",)]
    connection.close()
    assert verify(copy) == []


async def test_a_failed_migration_changes_nothing(tmp_path: Path) -> None:
    history, _ = open_history(tmp_path, clock=CLOCK)
    await history.append(Batch(whole_run(0, 1), [run_row(1)]))
    await history.aclose()
    path = tmp_path / HISTORY_NAME
    steps = (TEST_STEPS[0], Migration(3, ("UPDATE run SET note = 'x'", "DROP TABLE nonsense")))
    with pytest.raises(StorageError, match=r"nonsense.*unchanged; a backup is at"):
        migrate(path, 1, steps, CLOCK)
    again, health = open_history(tmp_path, clock=CLOCK)
    assert health.notices == []
    assert list(again.read()) == whole_run(0, 1)
    await again.aclose()


def test_a_migration_without_a_way_is_refused(tmp_path: Path) -> None:
    assert migrations() == ()
    for steps in ((), TEST_STEPS[1:]):
        with pytest.raises(StorageError, match="no way"):
            migrate(tmp_path / HISTORY_NAME, 1, steps, CLOCK)


def _as_nobody(check: Callable[[], str]) -> str:
    """What a check returns in a forked child that may not write where only its owner may."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            if os.getuid() == 0:
                os.setuid(65534)
            os.write(writing, check().encode())
        os._exit(0)
    os.close(writing)
    with open(reading) as pipe:
        told = pipe.read()
    os.waitpid(pid, 0)
    return told


@pytest.fixture
async def read_only_folder() -> AsyncIterator[Path]:
    """A state folder that cannot be written, where any user can reach it."""
    top = Path(tempfile.mkdtemp())
    folder = top / "state"
    history, _ = open_history(folder, clock=CLOCK)
    await history.append(Batch(whole_run(0, 1), [run_row(1)]))
    await history.aclose()
    for place, mode in ((folder / HISTORY_NAME, 0o444), (folder, 0o555), (top, 0o755)):
        os.chmod(place, mode)
    yield folder
    folder.chmod(0o700)
    shutil.rmtree(top)


def test_a_read_only_folder_can_be_read_and_says_why_it_cannot_be_written(
    read_only_folder: Path,
) -> None:
    def check() -> str:
        reader = open_reader(read_only_folder)
        told = f"{len(list(reader.read()))} events, {reader.find('last').state}; "
        reader.close()
        try:
            open_history(read_only_folder, clock=CLOCK)
        except StorageError as error:
            return told + str(error)
        return told

    told = _as_nobody(check)
    assert told.startswith("8 events, running; The state folder ")
    assert "cannot be written" in told


def test_a_folder_without_history_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no history"):
        open_reader(tmp_path)


@pytest.mark.slow
async def test_reading_loads_neither_pydantic_nor_asyncio(tmp_path: Path) -> None:
    history, _ = open_history(tmp_path, clock=CLOCK)
    await history.append(Batch(whole_run(0, 1), [run_row(1)]))
    await history.aclose()
    program = dedent(
        """
        import sys
        from pathlib import Path
        from studio.ports import RunFilter
        from studio.storage.sqlite_reader import open_reader
        reader = open_reader(Path(sys.argv[1]))
        print(len(reader.rows(RunFilter())), len(list(reader.read())))
        loaded = {"pydantic", "asyncio", "aiosqlite", "textual", "rich", "logging"} & set(sys.modules)
        print(sorted(loaded))
        """
    )
    assert _run(program, tmp_path) == "1 8\n[]\n"
