"""When a saved file is whole: the settle rules as a state machine that knows neither clock nor disk.

48 % of the cut-off prefixes of a workflow file still parse, so a file cannot be judged by whether it loads. What
can be judged is quiet: a file that was renamed into place was written before, and is taken after `REPLACED_QUIET`; one
that is written in place may be half there, and is taken after `WRITTEN_QUIET` without a further change. What is
taken has the same stamp before and after it was read (architecture.md, "Reload").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeAlias

import msgspec

REPLACED_QUIET = 0.05
"""Seconds without news after which a file that was renamed into place is taken."""

WRITTEN_QUIET = 0.25
"""Seconds without news after which a file that was written in place, or is gone, is taken."""


class Stamp(NamedTuple):
    """What tells one state of a file from the next without reading it."""

    mtime_ns: int
    ctime_ns: int
    size: int
    inode: int

    def same_content(self, other: Stamp | None) -> bool:
        """Whether nothing was written between the two; a change of mode or name moves only the ctime."""
        return (
            other is not None
            and self.mtime_ns == other.mtime_ns
            and self.size == other.size
            and self.inode == other.inode
        )


class Reading(NamedTuple):
    """A file as read: its stamp, equal before and after, and its content hash (``""`` when unreadable)."""

    stamp: Stamp
    digest: str


class Saved(msgspec.Struct, frozen=True):
    """A known file has another content; ``digest`` is its SHA-256, ``""`` when it cannot be read."""

    path: str
    digest: str


class Appeared(msgspec.Struct, frozen=True):
    """A file is there that was not before; ``digest`` as in `Saved`."""

    path: str
    digest: str


class Removed(msgspec.Struct, frozen=True):
    """A known file is gone, and nothing took its place."""

    path: str


FileChange: TypeAlias = Saved | Appeared | Removed


class _Known(msgspec.Struct):
    stamp: Stamp
    digest: str | None


class _Waiting(msgspec.Struct):
    stamp: Stamp | None
    replaced: bool
    due: float

    @property
    def quiet(self) -> float:
        """Seconds of quiet it takes. An empty file is never taken for a whole one that was renamed in."""
        whole = self.replaced and self.stamp is not None and self.stamp.size > 0
        return REPLACED_QUIET if whole else WRITTEN_QUIET


class Settling:
    """Files that are watched, and those of them that have changed and are not yet quiet.

    Moments are seconds of any clock that does not go back; the caller says what time it is.
    """

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}
        self._waiting: dict[str, _Waiting] = {}

    def begin(self, files: Mapping[str, Stamp], digests: Mapping[str, str], now: float) -> None:
        """Take what is there as known.

        Args:
            files: the files that are there.
            digests: content of some files as the caller last read it; these are compared once, so that a save
                between that reading and this moment is not missed.
            now: the present moment.
        """
        for path, stamp in files.items():
            self._known[path] = _Known(stamp, digests.get(path))
        for path, digest in digests.items():
            stamp_now = files.get(path)
            if stamp_now is None:
                self._known[path] = _Known(Stamp(0, 0, 0, 0), digest)
            self._waiting[path] = _Waiting(stamp_now, False, now + WRITTEN_QUIET)

    def __contains__(self, path: str) -> bool:
        """Whether a file was there when it was last looked at."""
        return path in self._known

    def noticed(
        self, path: str, stamp: Stamp | None, now: float, *, replaced: bool = False
    ) -> None:
        """Something happened to a file.

        Args:
            path: which.
            stamp: its stamp now; None when it is gone or no ordinary file.
            now: the present moment.
            replaced: there is evidence that it was renamed into place.
        """
        waiting = self._waiting.get(path)
        if waiting is None:
            if stamp is None and path not in self._known:
                return
            waiting = self._waiting[path] = _Waiting(stamp, replaced, now)
        elif stamp is not None and stamp.same_content(waiting.stamp):
            return
        else:
            same_file = (
                stamp is not None
                and waiting.stamp is not None
                and stamp.inode == waiting.stamp.inode
            )
            waiting.replaced = replaced and not same_file
            waiting.stamp = stamp
        waiting.due = now + waiting.quiet

    def swept(self, files: Mapping[str, Stamp], now: float) -> None:
        """Compare with a listing of all files: finds what no event has told of."""
        for path, stamp in files.items():
            known = self._known.get(path)
            if path not in self._waiting and (known is None or stamp != known.stamp):
                self.noticed(path, stamp, now)
        for path in self._known.keys() - files.keys():
            if path not in self._waiting:
                self.noticed(path, None, now)

    def forget(self, paths: Iterable[str]) -> None:
        """These files are not watched any more."""
        for path in paths:
            self._known.pop(path, None)
            self._waiting.pop(path, None)

    @property
    def next_due(self) -> float | None:
        """Moment at which the next file may be quiet; None when nothing has changed."""
        return min((one.due for one in self._waiting.values()), default=None)

    def due(self, now: float) -> list[str]:
        """Files that have been quiet long enough to be read, in the order of their names."""
        return sorted(path for path, one in self._waiting.items() if one.due <= now)

    def settle(self, path: str, reading: Reading | None, now: float) -> FileChange | None:
        """What a due file turned out to be; None when it is no news, or changed again and waits on.

        Args:
            path: one that `due` named.
            reading: its content; None when it is not there.
            now: the moment after it was read.
        """
        waiting = self._waiting[path]
        stamp = reading.stamp if reading is not None else None
        if not _same(stamp, waiting.stamp):
            replaced = waiting.replaced and not _same_inode(stamp, waiting.stamp)
            self.noticed(path, stamp, now, replaced=replaced)
            return None
        del self._waiting[path]
        known = self._known.get(path)
        if reading is None:
            self._known.pop(path, None)
            return Removed(path) if known is not None else None
        self._known[path] = _Known(reading.stamp, reading.digest)
        if known is None:
            return Appeared(path, reading.digest)
        return Saved(path, reading.digest) if known.digest != reading.digest else None


def _same(one: Stamp | None, other: Stamp | None) -> bool:
    return other is None if one is None else one.same_content(other)


def _same_inode(one: Stamp | None, other: Stamp | None) -> bool:
    return one is not None and other is not None and one.inode == other.inode
