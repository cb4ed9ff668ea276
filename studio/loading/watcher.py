"""Tells which files of a folder were saved, appeared or went away, once they are whole.

Folders are listened to, never files: a watched file loses every save after its first atomic replacement. A sweep over
all stamps every two seconds finds what no event told of: a full event queue, a network file system, a folder that was
renamed and made anew. The rules for taking a file are in `studio.loading.settling`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from typing import Any, Protocol, TypeAlias, TypeVar

import msgspec

from studio.loading.folder_tree import SUFFIXES, Disk, Listing, RawEvent, SystemDisk
from studio.loading.settling import Appeared, FileChange, Removed, Saved, Settling, Stamp

__all__ = ["Appeared", "FileChange", "Limited", "News", "Removed", "Saved", "Watcher"]

SWEEP_EVERY = 2.0
"""Seconds between two sweeps (architecture.md, "Reload")."""

POLL_EVERY = 0.5
"""Seconds between two sweeps when the system tells nothing."""

SWEEP_SHARE = 250
"""A sweep is followed by at least this many times its own duration: 0.4 % of a core, however large the folder."""

LATE = 0.1
"""Seconds that an event may be told late (twice `folder_tree.DEBOUNCE`): by so much the quiet may have begun before.
A stamp that is older says nothing: a clock of another machine made it."""

LISTEN_AGAIN = 0.1
"""Seconds until the sweep that finds what happened while the system was told about new folders."""


class Limited(msgspec.Struct, frozen=True):
    """Saves are noticed later than usual, or not everywhere; ``reason`` says why, for people."""

    reason: str


News: TypeAlias = FileChange | Limited
T = TypeVar("T")


class Apart(Protocol):
    """Runs a function away from the event loop."""

    def __call__(self, function: Callable[..., T], /, *arguments: Any) -> Awaitable[T]:
        """Await what the function returns."""
        ...


class Watcher:
    """Watches one folder and what lies below it.

    Args:
        folder: where to begin; it may go away and come back.
        known: content hash of files as the caller last read them; a save since then is told of at once.
        left_out: folders that are not watched, the state folder for instance.
        disk: the file system.
        apart: runs a function that may block; in a thread unless told otherwise. Time is the running loop's.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        known: Mapping[str, str] | None = None,
        left_out: Iterable[str | os.PathLike[str]] = (),
        disk: Disk | None = None,
        apart: Apart = asyncio.to_thread,
    ) -> None:
        self.folder = os.path.abspath(folder)
        self._known = dict(known or {})
        self._left_out = frozenset(os.path.abspath(one) for one in left_out)
        self._disk: Disk = disk if disk is not None else SystemDisk()
        self._apart = apart
        self._settling = Settling()
        self._others: frozenset[str] = frozenset()
        self._folders: dict[str, int] = {}
        self._listener: asyncio.Task[None] | None = None
        self._deaf = False
        self._said: set[Limited] = set()
        self._wake = asyncio.Event()
        self._inbox: list[RawEvent] = []
        self._news: list[News] = []
        self._next_sweep = 0.0

    def follow(self, paths: Iterable[str]) -> None:
        """Watch these files too, whatever their suffix: scripts that nodes run."""
        others = frozenset(path for path in paths if not path.endswith(SUFFIXES))
        if others != self._others:
            self._settling.forget(self._others - others)
            for path in others - self._others:
                stamp = self._disk.stamp(path)
                if stamp is not None:
                    self._settling.begin({path: stamp}, {}, self._now())
            self._others = others

    async def news(self) -> AsyncGenerator[tuple[News, ...], None]:
        """What happens, in groups that settle together, for ever; close the iterator to stop watching."""
        listing = await self._walk()
        self._settling.begin(listing.files, self._known, self._now())
        self._listen_to(listing)
        try:
            while True:
                await self._rest()
                await self._hear()
                if self._now() >= self._next_sweep:
                    await self._sweep()
                await self._take()
                if self._news:
                    told, self._news = tuple(self._news), []
                    yield told
        finally:
            await self._stop_listening()

    # ----------------------------------------------------------------- time

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()

    async def _rest(self) -> None:
        """Wait for an event, a file that has been quiet long enough, or the next sweep."""
        due = self._settling.next_due
        until = self._next_sweep if due is None else min(due, self._next_sweep)
        if self._news or until <= self._now():
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), until - self._now())

    # ----------------------------------------------------------------- events

    async def _hear(self) -> None:
        """Hand the events that have come to the settle rules."""
        self._wake.clear()
        events, self._inbox = self._inbox, []
        if not events:
            return
        paths = {event.path for event in events if self._wanted(event.path)}
        stamps, shape = await self._apart(self._look, paths, events)
        now = self._now()
        kinds: dict[str, set[str]] = {}
        for event in events:
            kinds.setdefault(event.path, set()).add(event.kind)
        left = {
            os.path.dirname(path)
            for path, seen in kinds.items()
            if "deleted" in seen and path not in self._settling
        }
        for path in sorted(paths):
            stamp = stamps[path]
            replaced = (
                stamp is not None
                and "added" in kinds[path]
                and "modified" not in kinds[path]
                # A file that is written in place has the same time of change and of writing; a rename moves only
                # the first. Within one tick of the kernel's clock both are equal: then the name it had is gone.
                and (stamp.ctime_ns > stamp.mtime_ns or os.path.dirname(path) in left)
            )
            age = self._disk.age(stamp) if stamp is not None else 0.0
            # Quiet begins with the change and not with the news of it; whether it lasted is seen when it is read.
            since = now - age if 0.0 <= age <= LATE else now
            self._settling.noticed(path, stamp, since, replaced=replaced)
        if shape:
            self._next_sweep = now

    def _look(
        self, paths: set[str], events: list[RawEvent]
    ) -> tuple[dict[str, Stamp | None], bool]:
        """Stamps of files, and whether a folder came or went."""
        stamps = {path: self._disk.stamp(path) for path in paths}
        shape = any(
            event.path in self._folders
            or (event.kind == "added" and event.path not in paths and self._enters(event.path))
            for event in events
        )
        return stamps, shape

    def _enters(self, path: str) -> bool:
        return not os.path.basename(path).startswith(".") and self._disk.is_folder(path)

    def _wanted(self, path: str) -> bool:
        if path in self._others:
            return True
        return path.endswith(SUFFIXES) and not os.path.basename(path).startswith(".")

    def _listen_to(self, listing: Listing) -> None:
        """Listen to the folders of a listing, if they are others than before."""
        if listing.truncated:
            self._say(f"{self.folder} holds too many files, and not all are watched")
        finished = self._listener is None or self._listener.done()
        if listing.folders == self._folders and not (finished and not self._deaf):
            return
        if self._listener is not None:
            self._listener.cancel()
        self._folders = listing.folders
        self._deaf = False
        self._listener = None
        if listing.folders:
            self._listener = asyncio.get_running_loop().create_task(self._listen())
            self._next_sweep = min(self._next_sweep, self._now() + LISTEN_AGAIN)

    async def _listen(self) -> None:
        try:
            async for batch in self._disk.events(tuple(self._folders)):
                self._inbox += batch
                self._wake.set()
        except FileNotFoundError:
            return  # the next sweep lists the folders anew
        except (OSError, RuntimeError) as error:
            self._deaf = True
            reason = " ".join(str(error).split()) or type(error).__name__
            self._next_sweep = min(self._next_sweep, self._now() + POLL_EVERY)
            self._say(
                f"the system cannot watch {len(self._folders)} folders ({reason}); "
                "saves are noticed within a second"
            )

    def _say(self, reason: str) -> None:
        limited = Limited(reason)
        if limited not in self._said:
            self._said.add(limited)
            self._news.append(limited)
            self._wake.set()

    async def _stop_listening(self) -> None:
        if self._listener is not None:
            self._listener.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._listener
            self._listener = None

    # ----------------------------------------------------------------- the disk

    async def _walk(self) -> Listing:
        """List the folder, and plan the next sweep by what this one took."""
        started = self._now()
        listing = await self._apart(self._list)
        took = self._now() - started
        every = POLL_EVERY if self._deaf else SWEEP_EVERY
        self._next_sweep = started + took + max(every, took * SWEEP_SHARE)
        return listing

    def _list(self) -> Listing:
        listing = self._disk.walk(self.folder, self._left_out, self._wanted)
        for path in self._others - listing.files.keys():
            stamp = self._disk.stamp(path)
            if stamp is not None:
                listing.files[path] = stamp
        return listing

    async def _sweep(self) -> None:
        listing = await self._walk()
        self._settling.swept(listing.files, self._now())
        self._listen_to(listing)

    async def _take(self) -> None:
        """Read what is due, and keep what is news."""
        due = self._settling.due(self._now())
        if not due:
            return
        readings = await self._apart(lambda: [self._disk.read(path) for path in due])
        now = self._now()
        for path, reading in zip(due, readings, strict=True):
            change = self._settling.settle(path, reading, now)
            if change is not None:
                self._news.append(change)
