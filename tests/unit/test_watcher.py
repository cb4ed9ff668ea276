"""The watcher over a scripted disk, in virtual time."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any, TypeVar

from studio.loading.folder_tree import Listing, RawEvent
from studio.loading.settling import Appeared, Reading, Removed, Saved, Stamp
from studio.loading.watcher import SWEEP_EVERY, Limited, News, Watcher
from studio.testing import run_virtual

T = TypeVar("T")


class ScriptedDisk:
    """A disk in memory; it tells of what happens only when asked to."""

    def __init__(self) -> None:
        self.files: dict[str, tuple[Stamp, bytes]] = {}
        self.folders = {"/p": 1}
        self.walks = 0
        self.listened: list[tuple[str, ...]] = []
        self.broken: Exception | None = None
        self.ages: dict[str, float] = {}
        self._queue: asyncio.Queue[list[RawEvent]] = asyncio.Queue()
        self._tick = 0

    def write(self, path: str, text: str, *, inode: int | None = None) -> None:
        self._tick += 1
        before = self.files.get(path)
        node = inode or (before[0].inode if before else self._tick)
        self.files[path] = (Stamp(self._tick, self._tick, len(text), node), text.encode())

    def tell(self, *events: RawEvent) -> None:
        self._queue.put_nowait(list(events))

    def walk(self, root: str, left_out: frozenset[str], wanted: Callable[[str], bool]) -> Listing:
        self.walks += 1
        files = {path: one for path, (one, _) in self.files.items() if wanted(path)}
        return Listing(dict(self.folders), files)

    def stamp(self, path: str) -> Stamp | None:
        return self.files[path][0] if path in self.files else None

    def age(self, stamp: Stamp) -> float:
        path = next(path for path, (one, _) in self.files.items() if one == stamp)
        return self.ages.get(path, 0.0)

    def is_folder(self, path: str) -> bool:
        return path in self.folders

    def read(self, path: str) -> Reading | None:
        if path not in self.files:
            return None
        one, content = self.files[path]
        return Reading(one, hashlib.sha256(content).hexdigest())

    async def events(self, folders: Iterable[str]) -> AsyncIterator[list[RawEvent]]:
        self.listened.append(tuple(folders))
        if self.broken is not None:
            raise self.broken
        while True:
            yield await self._queue.get()


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


async def at_once(function: Callable[..., T], /, *arguments: Any) -> T:
    """In place of a thread, which would take virtual time at random."""
    return function(*arguments)


def watch(
    disk: ScriptedDisk,
    scenario: Callable[[Watcher], Awaitable[None]],
    seconds: float,
    known: dict[str, str] | None = None,
) -> list[tuple[float, News]]:
    """What a watcher tells in so many virtual seconds, with the moments."""
    told: list[tuple[float, News]] = []

    async def run() -> None:
        watcher = Watcher("/p", disk=disk, known=known, apart=at_once)
        acting = asyncio.ensure_future(scenario(watcher))

        async def listen() -> None:
            async for group in watcher.news():
                told.extend((asyncio.get_running_loop().time(), one) for one in group)

        listening = asyncio.ensure_future(listen())
        await asyncio.sleep(seconds)
        listening.cancel()
        await asyncio.wait([listening])
        await acting

    run_virtual(run())
    return told


def test_an_atomic_replacement_is_told_after_the_short_quiet() -> None:
    disk = ScriptedDisk()
    disk.write("/p/a.yaml", "one")

    async def scenario(watcher: Watcher) -> None:
        await asyncio.sleep(1)
        disk.write("/p/a.yaml", "two", inode=77)
        disk.tell(
            RawEvent("added", "/p/a.yaml"),
            RawEvent("added", "/p/.a.tmp"),
            RawEvent("deleted", "/p/.a.tmp"),
        )

    told = watch(disk, scenario, 1.8)
    assert [one for _, one in told] == [Saved("/p/a.yaml", sha("two"))]
    assert 1.05 <= told[0][0] < 1.2


def told_of_a_late_event(age: float) -> float:
    """When a replacement is told whose event came so many seconds after it, by the clock of the disk."""
    disk = ScriptedDisk()
    disk.write("/p/a.yaml", "one")
    disk.ages["/p/a.yaml"] = age

    async def scenario(watcher: Watcher) -> None:
        await asyncio.sleep(1)
        disk.write("/p/a.yaml", "two", inode=77)
        disk.tell(RawEvent("added", "/p/a.yaml"), RawEvent("deleted", "/p/.a.tmp"))

    told = watch(disk, scenario, 1.8)
    assert [one for _, one in told] == [Saved("/p/a.yaml", sha("two"))]
    return told[0][0]


def test_quiet_begins_with_the_change_and_not_with_the_news_of_it() -> None:
    assert 1.0 <= told_of_a_late_event(0.04) < 1.02


def test_a_stamp_of_another_clock_says_nothing_of_the_quiet() -> None:
    assert told_of_a_late_event(7.0) >= 1.05
    assert told_of_a_late_event(-7.0) >= 1.05


def test_a_file_created_in_place_waits_for_the_long_quiet() -> None:
    disk = ScriptedDisk()
    disk.write("/p/a.yaml", "one")

    async def scenario(watcher: Watcher) -> None:
        await asyncio.sleep(1)
        disk.write("/p/a.yaml", "half", inode=77)
        # A delete and a create, and another known file that goes away: no evidence of a rename.
        disk.tell(RawEvent("deleted", "/p/a.yaml"), RawEvent("added", "/p/a.yaml"))
        await asyncio.sleep(0.2)
        disk.write("/p/a.yaml", "the whole")
        disk.tell(RawEvent("modified", "/p/a.yaml"))

    told = watch(disk, scenario, 1.9)
    assert [one for _, one in told] == [Saved("/p/a.yaml", sha("the whole"))]
    assert told[0][0] >= 1.45


def test_a_lost_event_is_found_by_the_sweep() -> None:
    disk = ScriptedDisk()
    disk.write("/p/a.yaml", "one")

    async def scenario(watcher: Watcher) -> None:
        await asyncio.sleep(1)
        disk.write("/p/a.yaml", "two")
        disk.write("/p/b.py", "x = 1")

    told = watch(disk, scenario, 1 + SWEEP_EVERY + 0.5)
    assert {one for _, one in told} == {
        Saved("/p/a.yaml", sha("two")),
        Appeared("/p/b.py", sha("x = 1")),
    }


def test_without_events_it_sweeps_and_does_nothing_else() -> None:
    disk = ScriptedDisk()
    disk.write("/p/a.yaml", "one")

    async def scenario(watcher: Watcher) -> None:
        return None

    assert watch(disk, scenario, 100) == []
    assert disk.walks <= 100 / SWEEP_EVERY + 3


def test_a_new_folder_is_listened_to() -> None:
    disk = ScriptedDisk()

    async def scenario(watcher: Watcher) -> None:
        await asyncio.sleep(0.5)
        disk.folders["/p/new"] = 9
        disk.write("/p/new/a.yaml", "one")
        disk.tell(RawEvent("added", "/p/new"))

    told = watch(disk, scenario, 1.5)
    assert [one for _, one in told] == [Appeared("/p/new/a.yaml", sha("one"))]
    assert disk.listened[-1] == ("/p", "/p/new")


def test_a_folder_that_is_gone_and_comes_back_is_listened_to_again() -> None:
    disk = ScriptedDisk()
    disk.write("/p/a.yaml", "one")

    async def scenario(watcher: Watcher) -> None:
        await asyncio.sleep(0.5)
        saved, disk.folders = disk.files, {}
        disk.files = {}
        disk.tell(RawEvent("deleted", "/p"))
        await asyncio.sleep(1)
        disk.folders, disk.files = {"/p": 2}, saved

    told = watch(disk, scenario, 8)
    assert [one for _, one in told] == [Removed("/p/a.yaml"), Appeared("/p/a.yaml", sha("one"))]
    assert disk.listened == [("/p",), ("/p",)]


def test_a_system_that_cannot_watch_is_said_once_and_polled() -> None:
    disk = ScriptedDisk()
    disk.write("/p/a.yaml", "one")
    disk.broken = OSError("OS file watch limit reached")

    async def scenario(watcher: Watcher) -> None:
        await asyncio.sleep(5.1)
        disk.write("/p/a.yaml", "two")

    told = watch(disk, scenario, 12)
    limited, saved = told
    assert limited[1] == Limited(
        "the system cannot watch 1 folders (OS file watch limit reached); saves are noticed within a second"
    )
    assert saved[1] == Saved("/p/a.yaml", sha("two"))
    assert saved[0] < 6.1


def test_a_save_between_the_callers_reading_and_the_start_is_told() -> None:
    disk = ScriptedDisk()
    disk.write("/p/a.yaml", "two")

    async def scenario(watcher: Watcher) -> None:
        return None

    told = watch(disk, scenario, 1, known={"/p/a.yaml": sha("one")})
    assert [one for _, one in told] == [Saved("/p/a.yaml", sha("two"))]


def test_other_files_are_watched_when_they_are_followed() -> None:
    disk = ScriptedDisk()
    disk.write("/p/make.sh", "one")
    disk.write("/p/notes.txt", "one")

    async def scenario(watcher: Watcher) -> None:
        watcher.follow(["/p/make.sh"])
        await asyncio.sleep(1)
        disk.write("/p/make.sh", "two")
        disk.write("/p/notes.txt", "two")
        disk.tell(RawEvent("modified", "/p/make.sh"), RawEvent("modified", "/p/notes.txt"))

    told = watch(disk, scenario, 5)
    assert [one for _, one in told] == [Saved("/p/make.sh", sha("two"))]


def test_hidden_files_are_not_told_of() -> None:
    disk = ScriptedDisk()

    async def scenario(watcher: Watcher) -> None:
        await asyncio.sleep(0.5)
        disk.write("/p/.a.yaml", "one")
        disk.tell(RawEvent("added", "/p/.a.yaml"))

    assert watch(disk, scenario, 1.5) == []
