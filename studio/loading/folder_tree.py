"""The files and folders that are watched, as they are on disk: listed, stamped, read and listened to."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Literal, NamedTuple, Protocol

import msgspec

from studio.loading.discovery import _LEFT_ALONE, MAX_DEPTH, MAX_FILES
from studio.loading.document import MAX_BYTES
from studio.loading.settling import Reading, Stamp

SUFFIXES = (".yaml", ".yml", ".json", ".py", ".toml")
"""Files whose saves are of interest: definitions, code and settings."""

DEBOUNCE = 50
"""Milliseconds over which the system's events are grouped at most."""

STEP = 20
"""Milliseconds between two looks for events. At 10 the looking alone took 0.57 % of a core here, at 20 0.30 %."""


class RawEvent(NamedTuple):
    """What the system tells of one path."""

    kind: Literal["added", "modified", "deleted"]
    path: str


class Listing(msgspec.Struct):
    """What stands below a folder.

    Args:
        folders: inode of each folder to be listened to, the start among them.
        files: stamp of each file of interest.
        truncated: the folder holds more than `MAX_FILES` entries; the rest was not looked at.
    """

    folders: dict[str, int] = msgspec.field(default_factory=dict)
    files: dict[str, Stamp] = msgspec.field(default_factory=dict)
    truncated: bool = False


class Disk(Protocol):
    """What a watcher needs from a file system. Only `events` waits."""

    def walk(self, root: str, left_out: frozenset[str], wanted: Callable[[str], bool]) -> Listing:
        """List the files of interest below ``root``, without the folders in ``left_out``."""
        ...

    def stamp(self, path: str) -> Stamp | None:
        """The stamp of an ordinary file, None when there is none."""
        ...

    def age(self, stamp: Stamp) -> float:
        """Seconds since a file came to have a stamp, by the clock of this machine; its own may be another."""
        ...

    def is_folder(self, path: str) -> bool:
        """Whether a path is a folder."""
        ...

    def read(self, path: str) -> Reading | None:
        """Read and hash a file; None when it is not there."""
        ...

    def events(self, folders: Iterable[str]) -> AsyncIterator[list[RawEvent]]:
        """What happens in these folders, not below them.

        Raises:
            FileNotFoundError: a folder is gone.
            OSError, RuntimeError: the system cannot watch that many, or at all.
        """
        ...


class SystemDisk:
    """The file system of the machine, listened to with watchfiles."""

    def walk(self, root: str, left_out: frozenset[str], wanted: Callable[[str], bool]) -> Listing:
        """List the files of interest below a folder; hidden, installed and generated ones are left alone."""
        found = Listing()
        try:
            waiting = [(root, os.stat(root).st_ino, 0)]
        except OSError:
            return found
        seen = 0
        while waiting:
            folder, inode, depth = waiting.pop()
            entries = _entries(folder)
            if entries is None:
                continue
            if depth and any(entry.name == "pyvenv.cfg" for entry in entries):
                continue
            found.folders[folder] = inode
            for entry in entries:
                seen += 1
                if seen > MAX_FILES:
                    found.truncated = True
                    return found
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    if (
                        depth < MAX_DEPTH
                        and entry.name not in _LEFT_ALONE
                        and entry.path not in left_out
                    ):
                        waiting.append((entry.path, entry.inode(), depth + 1))
                elif wanted(entry.path) and (one := _stamp_of(entry)) is not None:
                    found.files[entry.path] = one
        return found

    def stamp(self, path: str) -> Stamp | None:
        """The stamp of an ordinary file; links are followed, pipes, sockets and folders are no files."""
        return _stamp_of(path)

    def age(self, stamp: Stamp) -> float:
        """Seconds since its content or its name changed."""
        return time.time() - stamp.ctime_ns / 1e9

    def is_folder(self, path: str) -> bool:
        """Whether a path is a folder and no link to one."""
        return os.path.isdir(path) and not os.path.islink(path)

    def read(self, path: str) -> Reading | None:
        """Read and hash a file.

        One above `MAX_BYTES` is no definition and is told by its stamp; one that changes while it is read gets the
        stamp from before, so that it does not pass for quiet.
        """
        before = _stamp_of(path)
        if before is None:
            return None
        if before.size > MAX_BYTES:
            return Reading(before, f"{before.size}-{before.mtime_ns}")
        try:
            # Not blocking: a pipe may have taken the file's place since.
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(descriptor, "rb") as stream:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    return None
                digest = hashlib.sha256(stream.read(MAX_BYTES + 1)).hexdigest()
                after = _stamp(os.fstat(descriptor))
        except FileNotFoundError:
            return None
        except OSError:
            return Reading(before, "")
        return Reading(after, digest)

    async def events(self, folders: Iterable[str]) -> AsyncIterator[list[RawEvent]]:
        """What happens in these folders, grouped over at most `DEBOUNCE` ms."""
        from watchfiles import awatch  # lazy: only a session that watches pays for it

        watched = awatch(
            *folders,
            watch_filter=None,
            debounce=DEBOUNCE,
            step=STEP,
            recursive=False,
            ignore_permission_denied=True,
        )
        async for batch in watched:
            yield [RawEvent(change.raw_str(), path) for change, path in batch]  # type: ignore[arg-type]  # one of the three kinds


def _entries(folder: str) -> list[os.DirEntry[str]] | None:
    try:
        with os.scandir(folder) as found:
            return list(found)
    except OSError:
        return None


def _stamp_of(file: str | os.DirEntry[str]) -> Stamp | None:
    try:
        found = os.stat(file) if isinstance(file, str) else file.stat()
    except OSError:
        return None
    return _stamp(found) if stat.S_ISREG(found.st_mode) else None


def _stamp(found: os.stat_result) -> Stamp:
    return Stamp(found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino)
