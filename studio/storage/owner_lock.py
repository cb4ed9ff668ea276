"""Who owns a state folder: one process writes, all others read or send it their commands."""

from __future__ import annotations

import errno
import fcntl
import os
import time
import weakref
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from studio.errors import OwnerLockedError, StorageError

LOCK_NAME: Final = "owner.lock"

_TRIES: Final = 5
_PAUSE: Final = 0.01  # seconds; `inspect` holds the lock for microseconds while it looks

_DENIED: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


class Owner(msgspec.Struct, frozen=True):
    """What the lock file says about its owner.

    Args:
        pid: process id.
        started: start time of the process in clock ticks since boot, 0 where the system does not tell;
            with the pid it names a process for good.
        socket: path of the control socket, empty when there is none.
    """

    pid: int
    started: int = 0
    socket: str = ""


class OwnerLock:
    """Exclusive ownership of a state folder, for as long as this object holds it.

    An advisory ``flock`` on ``owner.lock``: the system gives it back when the process ends, however it
    ends. The file itself is never deleted, as a lock on a deleted file would protect nothing.

    A lock belongs to the open file, which a forked child would share and keep alive beyond its parent;
    so the descriptor is closed in every child, whether it is forked or executed.
    """

    def __init__(self, path: Path, descriptor: int, owner: Owner) -> None:
        self._path = path
        self._descriptor: int | None = descriptor
        self.owner = owner
        _HELD.add(self)

    @classmethod
    def acquire(cls, folder: Path, *, socket: str = "") -> OwnerLock:
        """Take ownership of a state folder, creating the folder (0700) when it is missing.

        Args:
            folder: the state folder.
            socket: path of the control socket that others find us under.

        Raises:
            OwnerLockedError: another process, or another part of this one, owns it.
            StorageError: the folder cannot be created or written.
        """
        owner = Owner(os.getpid(), process_started(os.getpid()), socket)
        return cls(folder / LOCK_NAME, _take(folder, owner), owner)

    def renew(self) -> None:
        """Take ownership anew when the lock file was deleted, perhaps with its folder.

        Raises:
            OwnerLockedError: another process was faster.
            StorageError: the folder cannot be written, or this lock was given back.
        """
        if self._descriptor is None:
            raise StorageError(f"{self._path} is not held any more.")
        held = os.fstat(self._descriptor)
        with suppress(FileNotFoundError):
            found = self._path.stat()
            if (found.st_dev, found.st_ino) == (held.st_dev, held.st_ino):
                return
        descriptor = _take(self._path.parent, self.owner)
        os.close(self._descriptor)
        self._descriptor = descriptor

    @property
    def held(self) -> bool:
        """Whether this object still owns the folder; false after `release` and in a child."""
        return self._descriptor is not None

    def announce(self, socket: str) -> None:
        """Write down the control socket once it listens. Raises `StorageError`."""
        if self._descriptor is None:
            raise StorageError(f"{self._path} is not held any more.")
        self.owner = Owner(self.owner.pid, self.owner.started, socket)
        content = msgspec.json.encode(self.owner)
        try:
            os.pwrite(self._descriptor, content, 0)
            os.ftruncate(self._descriptor, len(content))
        except OSError as error:
            raise _folder_error(self._path.parent, error) from error

    def release(self) -> None:
        """Give ownership back; idempotent."""
        descriptor, self._descriptor = self._descriptor, None
        _HELD.discard(self)
        if descriptor is not None:
            os.close(descriptor)

    def __enter__(self) -> OwnerLock:
        return self

    def __exit__(self, *exc: object) -> None:
        self.release()


_HELD: Final[weakref.WeakSet[OwnerLock]] = weakref.WeakSet()


def _release_in_child() -> None:
    for lock in list(_HELD):
        lock.release()


os.register_at_fork(after_in_child=_release_in_child)


def inspect(folder: Path) -> Owner | None:
    """Say who owns a state folder, None when nobody does.

    Raises:
        StorageError: the lock file is there but cannot be read.
    """
    path = folder / LOCK_NAME
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _folder_error(folder, error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read_owner(descriptor)
    finally:
        os.close(descriptor)
    return None


def prepare_folder(folder: Path) -> None:
    """Make sure a state folder exists and only its user may look into it.

    Raises:
        StorageError: it cannot be created, or is not a folder.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = folder.stat().st_mode
        if mode & 0o077:
            folder.chmod(
                mode & 0o700
            )  # takes from others, gives its user nothing that was taken away
    except OSError as error:
        raise _folder_error(folder, error) from error


def process_started(pid: int) -> int:
    """Start time of a process in clock ticks since boot, 0 where the system has no ``/proc``.

    Field 22 of ``/proc/PID/stat`` (proc(5)); the name of the program, which may hold anything, ends at
    the last closing parenthesis.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
        return int(text.rpartition(")")[2].split()[19])
    except (OSError, IndexError, ValueError):
        return 0


def _take(folder: Path, owner: Owner) -> int:
    """Lock the file and write the owner down; returns the descriptor that holds the lock."""
    prepare_folder(folder)
    path = folder / LOCK_NAME
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _folder_error(folder, error) from error
    try:
        _lock(path, descriptor)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, msgspec.json.encode(owner), 0)
    except OSError as error:
        os.close(descriptor)
        raise _folder_error(folder, error) from error
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _lock(path: Path, descriptor: int) -> None:
    for attempt in range(_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if attempt < _TRIES - 1:
                time.sleep(_PAUSE)
        else:
            return
    owner = _read_owner(descriptor)
    pid = owner.pid or None
    who = f"process {pid}" if pid else "another process"
    raise OwnerLockedError(
        f"The state folder {path.parent} is owned by {who}; only one process writes at a time.",
        pid,
        errno.EWOULDBLOCK,
    )


def _read_owner(descriptor: int) -> Owner:
    """Owner as written down; pid 0 while the owner is just writing it."""
    try:
        return msgspec.json.decode(os.pread(descriptor, 65536, 0), type=Owner)
    except (OSError, msgspec.DecodeError):
        return Owner(0)


def _folder_error(folder: Path, error: OSError) -> StorageError:
    if error.errno in _DENIED:
        return StorageError(
            f"The state folder {folder} cannot be written ({error.strerror}); make it writable or choose"
            " another one with --state.",
            errno.EROFS,
        )
    return StorageError(f"The state folder {folder}: {error.strerror or error}.", error.errno)
