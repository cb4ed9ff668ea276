"""Several studios on one folder: who follows, what it sees, and what it does when the one that drives ends."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from studio.application import verbs
from studio.application.changes import Changes
from studio.application.location import locate
from studio.application.opening import open_studio
from studio.application.session import Session
from studio.application.studio import Launch, Sender

PATIENCE = 30.0

SLOW = """
workflow: slow
nodes:
  sleeper: {uses: shell, run: "sleep 600", side_effects: idempotent}
"""

QUICK = """
workflow: quick
nodes:
  first: {uses: noop}
"""

Open = Callable[[], Awaitable["Seen"]]


class Seen:
    """A session and all that it has told so far."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.told: list[str] = []
        self.started: list[int] = []
        self._news = asyncio.Event()
        session.on_change = self._news.set

    def take(self) -> Changes:
        """Take the changes, as a screen does when it flushes."""
        changes = self.session.take_changes()
        self.told += [notice.text for notice in changes.notices]
        self.started += [row.run for row in changes.started]
        return changes

    async def until(self, reached: Callable[[], bool]) -> None:
        """Take changes as they come until something is so."""
        async with asyncio.timeout(PATIENCE):
            while True:
                self._news.clear()
                self.take()
                if reached():
                    return
                await self._news.wait()


def how(session: Session) -> tuple[str, str]:
    """Whether the shown run goes on, and whether its clocks do."""
    return "live" if session.live else "interrupted", "moves" if session.moves else "stands"


@pytest.fixture
async def look(tmp_path: Path) -> AsyncIterator[Open]:
    """Opens a session on the folder; closed with its studio when the test ends."""
    (tmp_path / "slow.yaml").write_text(SLOW)
    (tmp_path / "quick.yaml").write_text(QUICK)
    opened: list[Session] = []

    async def begin() -> Seen:
        location = locate(tmp_path, None, {})
        studio = await open_studio(location, environ={})
        sender = Sender("tester", {"PATH": os.environ["PATH"]})
        session = Session(studio, location, sender, tmp_path)
        opened.append(session)
        await session.open()
        return Seen(session)

    yield begin
    for session in reversed(opened):
        await session.close()
        await session.studio.close()


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that drives a run of `slow`, its node under way."""
    (tmp_path / "slow.yaml").write_text(SLOW)
    child = subprocess.Popen(
        [sys.executable, "-m", "studio", "run", "slow.yaml", "--events"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    )
    limit = threading.Timer(PATIENCE, child.kill)
    limit.start()
    assert child.stdout is not None
    assert any("child_spawned" in line for line in child.stdout)
    limit.cancel()
    yield child
    child.kill()
    child.communicate()


async def test_who_follows_takes_the_place_of_an_owner_that_was_killed(
    look: Open, owner: subprocess.Popen[str]
) -> None:
    seen = await look()
    session = seen.session
    session.show_run(1)
    assert how(session) == ("live", "moves")
    owner.kill()
    await seen.until(lambda: session.studio.owns)
    await seen.until(lambda: any("this one drives now" in text for text in seen.told))
    assert seen.told[-1].endswith("this one drives now: run 1 was interrupted, C continues it"), (
        seen.told
    )
    run = session.run
    assert run is not None
    assert how(session) == ("interrupted", "stands"), "nothing is taken up by itself"
    assert run.nodes["sleeper"].orphaned
    stopped = session.now()
    assert session.now() == stopped, "its clocks stand"
    assert await session.send(verbs.pause(1)) is None
    assert session.run is not None
    assert session.run.paused
    assert await session.send(verbs.resume(1)) is None
    await seen.until(lambda: session.run is not None and session.run.nodes["sleeper"].pid > 0)
    assert how(session) == ("live", "moves")
    assert not session.run.nodes["sleeper"].orphaned
    assert await session.send(verbs.cancel(1)) is None


async def test_a_verb_that_finds_the_owner_dead_is_carried_out_all_the_same(
    look: Open, owner: subprocess.Popen[str]
) -> None:
    seen = await look()
    seen.session.show_run(1)
    owner.kill()
    owner.wait()
    assert await seen.session.send(verbs.pause(1)) is None
    assert seen.session.studio.owns
    assert seen.session.run is not None
    assert seen.session.run.paused


async def test_of_two_that_follow_one_drives_and_the_other_follows_it(
    look: Open, owner: subprocess.Popen[str]
) -> None:
    one, other = await look(), await look()
    owner.kill()

    def settled() -> bool:
        owning = [one.session.studio.owns, other.session.studio.owns]
        return sorted(owning) == [False, True] and all(
            any("has ended" in text for text in seen.told) for seen in (one, other)
        )

    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(
            one.until(lambda: any("has ended" in text for text in one.told)),
            other.until(lambda: any("has ended" in text for text in other.told)),
        )
    assert settled()
    follower = one if other.session.studio.owns else other
    assert follower.told[-1].endswith("this screen follows it")
    assert not follower.session.drives(1), "the new owner has not taken it up"
    follower.session.show_run(1)
    await follower.session.take_up(1)
    await follower.until(lambda: follower.session.live)
    assert await follower.session.send(verbs.cancel(1)) is None


async def test_an_interrupted_run_is_told_from_one_that_waits_for_a_person(look: Open) -> None:
    first = await look()
    folder = first.session.folder
    (folder / "held.yaml").write_text(
        'workflow: held\nnodes: {a: {uses: shell, run: "false"}}\non_failure: hold\n'
    )
    number = await first.session.launch(str(folder / "held.yaml"), {})
    await first.session.studio.rest()
    await first.session.close()
    await first.session.studio.close()
    again = await look()
    again.session.show_run(number)
    assert not again.session.drives(number)
    assert again.session.live, "it waits for a person, whoever has it"
    assert await again.session.send(verbs.mark(number, "a", "skipped")) is None


async def test_runs_started_elsewhere_are_told_of_and_own_ones_are_not(look: Open) -> None:
    owner, follower = await look(), await look()
    quick = str(owner.session.folder / "quick.yaml")
    await owner.session.launch(quick, {})
    await owner.until(lambda: bool(owner.session.rows))
    assert owner.started == []
    await follower.until(lambda: follower.started == [1])
    await follower.session.launch(quick, {})
    await owner.until(lambda: owner.started == [2])
    wish = Launch(file=quick, display="quick.yaml")
    await follower.session.studio.launch(wish, Sender("somebody"))
    await owner.until(lambda: owner.started == [2, 3])
    await follower.until(lambda: follower.started == [1, 3])


async def test_a_launch_that_is_under_way_does_not_hide_others(look: Open) -> None:
    owner = await look()
    quick = str(owner.session.folder / "quick.yaml")
    wish = Launch(file=quick, display="quick.yaml")
    numbers = await asyncio.gather(
        owner.session.launch(quick, {}),
        owner.session.studio.launch(wish, Sender("somebody")),
        owner.session.launch(quick, {}),
    )
    await owner.until(lambda: len(owner.session.rows) == 3)
    assert owner.started == [numbers[1]]
