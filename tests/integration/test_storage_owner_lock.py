"""One owner per state folder, whatever becomes of processes and children."""

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from studio.errors import OwnerLockedError, StorageError
from studio.storage.owner_lock import LOCK_NAME, OwnerLock, inspect, process_started


def test_the_lock_names_its_owner(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "state"
    assert inspect(folder) is None
    with OwnerLock.acquire(folder, socket="/run/x.sock") as lock:
        owner = inspect(folder)
        assert owner == lock.owner
        assert owner is not None
        assert (owner.pid, owner.socket) == (os.getpid(), "/run/x.sock")
        assert owner.started == process_started(os.getpid())
        lock.announce("/y")
        assert inspect(folder) == lock.owner
        assert lock.owner.socket == "/y"
    assert inspect(folder) is None
    assert not lock.held


def test_folder_and_file_are_for_their_user_only(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o755)
    before = os.umask(0)
    try:
        OwnerLock.acquire(folder).release()
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / LOCK_NAME).stat().st_mode) == 0o600


def test_a_second_owner_is_refused_by_name(tmp_path: Path) -> None:
    with OwnerLock.acquire(tmp_path):
        with pytest.raises(OwnerLockedError, match=f"process {os.getpid()}") as caught:
            OwnerLock.acquire(tmp_path)
        assert caught.value.pid == os.getpid()
    OwnerLock.acquire(tmp_path).release()


def _child(program: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", dedent(program), str(folder)],
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": os.environ["PATH"]},  # HOME unset
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_killed_owner_leaves_the_folder_free(tmp_path: Path) -> None:
    program = """
        import os, signal, sys
        from pathlib import Path
        from studio.storage.owner_lock import OwnerLock
        lock = OwnerLock.acquire(Path(sys.argv[1]))
        if os.fork() == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        os.wait()
        print(os.getpid(), flush=True)
        os.execv("/bin/true", ["true"])
    """
    pid = int(_child(program, tmp_path))
    assert f'"pid":{pid}' in (tmp_path / LOCK_NAME).read_text()
    assert inspect(tmp_path) is None
    OwnerLock.acquire(tmp_path).release()


def test_no_forked_child_keeps_the_lock(tmp_path: Path) -> None:
    lock = OwnerLock.acquire(tmp_path)
    to_child, from_parent = os.pipe()
    to_parent, from_child = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(from_parent)
        os.write(from_child, b"!")
        os.read(to_child, 1)
        os._exit(lock.held)
    os.read(to_parent, 1)
    lock.release()
    try:
        # The child is alive; were the descriptor shared with it, the folder would still be owned.
        assert inspect(tmp_path) is None
        OwnerLock.acquire(tmp_path).release()
    finally:
        for descriptor in (from_parent, to_child, to_parent, from_child):
            os.close(descriptor)
        _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0


def test_a_lock_whose_file_was_deleted_can_be_renewed(tmp_path: Path) -> None:
    lock = OwnerLock.acquire(tmp_path)
    lock.renew()
    (tmp_path / LOCK_NAME).unlink()
    lock.renew()
    assert inspect(tmp_path) == lock.owner
    (tmp_path / LOCK_NAME).unlink()
    with OwnerLock.acquire(tmp_path), pytest.raises(OwnerLockedError):
        lock.renew()
    lock.release()
    with pytest.raises(StorageError):
        lock.renew()


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES])
def test_a_folder_that_cannot_be_written_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*arguments: object) -> int:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patched:
        patched.setattr("studio.storage.owner_lock.os.open", refuse)
        with pytest.raises(StorageError, match="cannot be written") as caught:
            OwnerLock.acquire(tmp_path)
    assert caught.value.errno == errno.EROFS
    assert not isinstance(caught.value, OwnerLockedError)


def test_a_file_in_place_of_the_folder_is_an_error_of_storage(tmp_path: Path) -> None:
    place = tmp_path / "state"
    place.write_text("not a folder")
    with pytest.raises(StorageError, match=str(place)):
        OwnerLock.acquire(place)


@pytest.mark.parametrize("content", ["", "{", "[]", "\x00" * 40])
def test_a_lock_file_of_any_content_is_taken(tmp_path: Path, content: str) -> None:
    (tmp_path / LOCK_NAME).write_text(content)
    assert inspect(tmp_path) is None
    with OwnerLock.acquire(tmp_path) as lock:
        assert inspect(tmp_path) == lock.owner
