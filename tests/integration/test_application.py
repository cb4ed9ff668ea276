"""The composed studio: launch, follow, take up, forget, and what another process may ask of it."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from studio.application import verbs
from studio.application.local import REMEMBERED, LocalStudio
from studio.application.location import Location, locate
from studio.application.opening import open_studio
from studio.application.remote import RemoteStudio
from studio.application.runs import is_owned, list_runs
from studio.application.studio import Launch, Sender
from studio.core.events import ChildSpawned, Record
from studio.core.transitions import ENDED
from studio.errors import (
    DefinitionError,
    EngineStoppedError,
    NotFoundError,
    StorageError,
)
from studio.ports import Batch
from studio.storage.sqlite_file import HISTORY_NAME

SENDER = Sender("tester", {"PATH": "/usr/bin:/bin"})

NOOP = """
workflow: quick
parameters: {n: {type: integer, default: 1}}
nodes:
  a: {uses: noop, with: {n: "{{ params.n }}"}}
  b: {uses: noop, needs: a}
outputs: {n: "{{ nodes.a.output.n }}"}
"""

FAILING = """
workflow: failing
nodes:
  a: {uses: noop}
  b: {uses: shell, needs: a, run: exit 3}
  c: {uses: noop, needs: b}
"""


@pytest.fixture
def location(tmp_path: Path) -> Location:
    (tmp_path / "quick.yaml").write_text(NOOP)
    (tmp_path / "failing.yaml").write_text(FAILING)
    return locate(tmp_path, None, {})


def _launch(location: Location, name: str, **more: object) -> Launch:
    file = str(location.root / name)
    return Launch(file=file, display=name, **more)  # type: ignore[arg-type] # keys of Launch


async def _until_rest(studio: LocalStudio | RemoteStudio, run: int) -> list[str]:
    return [type(r.event).__name__ async for rs in studio.follow(run) for r in rs]


async def test_a_run_is_followed_from_its_start_to_its_end(location: Location) -> None:
    studio = await open_studio(location, environ={})
    assert isinstance(studio, LocalStudio)
    number = await studio.launch(_launch(location, "quick.yaml", assignments=("n=7",)), SENDER)
    kinds = await _until_rest(studio, number)
    assert kinds[0] == "RunStarted"
    assert kinds[-1] == "RunFinished"
    assert studio.run(number).outputs == {"n": 7}
    assert studio.view(number).run.snapshot() == studio.run(number).snapshot()
    await studio.close()


async def test_the_same_launch_sent_twice_starts_one_run(location: Location) -> None:
    studio = await open_studio(location, environ={})
    launch = _launch(location, "quick.yaml", command="once")
    first = await studio.launch(launch, SENDER)
    assert await studio.launch(launch, SENDER) == first
    at_once = _launch(location, "quick.yaml", command="at once")
    both = await asyncio.gather(studio.launch(at_once, SENDER), studio.launch(at_once, SENDER))
    assert both[0] == both[1]
    assert studio.view(both[0]).run.number == both[0]
    await studio.close()


async def test_a_studio_that_cannot_be_opened_leaves_the_folder_to_the_next(
    location: Location,
) -> None:
    in_the_way = location.state / "control.sock"
    in_the_way.mkdir(parents=True)
    with pytest.raises(StorageError, match="control socket"):
        await open_studio(location, environ={})
    assert not is_owned(location)
    in_the_way.rmdir()
    studio = await open_studio(location, environ={})
    number = await studio.launch(_launch(location, "quick.yaml"), SENDER)
    await studio.rest()
    assert studio.view(number).run.phase == "succeeded"
    await studio.close()


async def test_a_defect_of_the_engine_reaches_whoever_waits(location: Location) -> None:
    (location.root / "slow.yaml").write_text("workflow: slow\nnodes: {a: {uses: wait, for: 1h}}\n")
    studio = await open_studio(location, environ={})
    assert isinstance(studio, LocalStudio)
    number = await studio.launch(_launch(location, "slow.yaml"), SENDER)
    remote = await open_studio(location, environ={})
    following = asyncio.create_task(_until_rest(studio, number))
    elsewhere = asyncio.create_task(_until_rest(remote, number))
    resting = asyncio.create_task(studio.rest())
    await asyncio.sleep(0)
    del studio.engine.state.runs[number].nodes  # a state that no history makes
    with pytest.raises(EngineStoppedError, match="AttributeError"):
        await studio.send(verbs.cancel(number), SENDER)
    for waiting in (following, resting, elsewhere):
        with pytest.raises(EngineStoppedError, match="AttributeError"):
            await asyncio.wait_for(waiting, 20)
    with pytest.raises(EngineStoppedError, match="AttributeError"):
        await remote.send(verbs.pause(number), SENDER)
    await remote.close()
    await studio.close()
    assert not is_owned(location)


async def test_a_second_process_talks_to_the_owner(location: Location) -> None:
    owner = await open_studio(location, environ={})
    remote = await open_studio(location, environ={})
    assert isinstance(owner, LocalStudio)
    assert isinstance(remote, RemoteStudio)
    number = await remote.launch(_launch(location, "failing.yaml", policy="hold"), SENDER)
    kinds = await _until_rest(remote, number)
    assert "AttemptFailed" in kinds
    assert await remote.send(verbs.retry(number, "c"), SENDER) is not None
    assert await remote.send(verbs.mark(number, "b", "succeeded", output=1), SENDER) is None
    await _until_rest(owner, number)
    assert owner.run(number).phase == "succeeded"
    with pytest.raises(DefinitionError):
        await remote.launch(_launch(location, "quick.yaml", assignments=("m=1",)), SENDER)
    with pytest.raises(NotFoundError):
        await remote.send(verbs.pause(99), SENDER)
    await remote.close()
    await owner.close()


async def test_a_run_is_taken_up_by_the_next_owner(location: Location) -> None:
    studio = await open_studio(location, environ={}, drive=False)
    number = await studio.launch(_launch(location, "quick.yaml"), SENDER)
    await studio.close()
    again = await open_studio(location, environ={})
    assert isinstance(again, LocalStudio)
    await again.take_up(number, SENDER)
    await _until_rest(again, number)
    assert again.run(number).phase == "succeeded"
    await again.close()


INTERRUPTED = """
workflow: slow
nodes:
  again: {uses: shell, run: "sleep 600", side_effects: idempotent}
  first: {uses: noop}
  next: {uses: noop, needs: first}
"""

STARTS = {"AttemptStarted", "ChildSpawned"}


@pytest.mark.parametrize(
    ("verb", "said"),
    [
        (verbs.pause, "RunPaused"),
        (lambda run: verbs.hold(run, "again"), "NodeHeld"),
        (lambda run: verbs.set_breakpoint(run, "again"), "BreakpointSet"),
        (verbs.cancel, "RunCancelRequested"),
        (lambda run: verbs.cancel(run, "again"), "AttemptStopRequested"),
    ],
    ids=["pause", "hold", "breakpoint", "cancel the run", "cancel the node"],
)
async def test_a_verb_that_closes_a_gate_comes_before_what_is_taken_up(
    location: Location, verb: Callable[[int], verbs.AnyCommand], said: str
) -> None:
    (location.root / "slow.yaml").write_text(INTERRUPTED)
    studio = await open_studio(location, environ={})
    assert isinstance(studio, LocalStudio)
    number = await studio.launch(_launch(location, "slow.yaml"), SENDER)
    spawned = asyncio.Event()

    def note(records: Sequence[Record]) -> None:
        if any(isinstance(record.event, ChildSpawned) for record in records):
            spawned.set()

    studio.feed.subscribe(note)
    await asyncio.wait_for(spawned.wait(), 20)
    await studio.close()
    again = await open_studio(location, environ={})
    assert isinstance(again, LocalStudio)
    before = len(list(again.reading.records(number)))
    assert await again.send(verb(number), SENDER) is None
    if said in ("RunPaused", "NodeHeld", "RunCancelRequested"):
        await asyncio.wait_for(again.rest(), 20)
    new = [type(record.event).__name__ for record in again.reading.records(number)][before:]
    assert new[0] == said, new
    if said == "RunPaused" or new.count("AttemptCancelled"):
        assert not STARTS & set(new), new
    await again.close()


async def test_ended_runs_are_forgotten_and_still_found(location: Location) -> None:
    studio = await open_studio(location, environ={})
    assert isinstance(studio, LocalStudio)
    numbers = [
        await studio.launch(_launch(location, "quick.yaml"), SENDER) for _ in range(REMEMBERED + 3)
    ]
    await studio.rest()
    await studio.forget_ended({numbers[0]})
    kept = set(studio.engine.state.runs)
    assert numbers[0] in kept
    assert len(kept) == REMEMBERED + 1
    gone = next(number for number in numbers if number not in kept)
    assert studio.view(gone).run.phase in ENDED
    refusal = await studio.send(verbs.pause(gone), SENDER)
    assert refusal is not None
    assert "has ended" in refusal.why
    await studio.close()


async def test_a_missing_secret_and_a_bad_file_are_told(location: Location) -> None:
    file = location.root / "secret.yaml"
    file.write_text("workflow: s\nsecrets: [TOKEN]\nnodes: {a: {uses: noop}}\n")
    studio = await open_studio(location, environ={})
    with pytest.raises(DefinitionError, match="TOKEN is not set"):
        await studio.launch(_launch(location, "secret.yaml"), SENDER)
    (location.root / ".env").write_text("TOKEN=abc123\n")
    assert await studio.launch(_launch(location, "secret.yaml"), SENDER) > 0
    file.write_text("workflow: s\nnodes: {a: {uses: nop}}\n")
    with pytest.raises(DefinitionError, match=r"secret\.yaml:2:"):
        await studio.launch(_launch(location, "secret.yaml"), SENDER)
    with pytest.raises(NotFoundError, match="no node nowhere"):
        await studio.launch(_launch(location, "quick.yaml", until="nowhere"), SENDER)
    await studio.close()


async def test_closing_while_a_run_is_followed_ends_the_following(location: Location) -> None:
    (location.root / "slow.yaml").write_text("workflow: slow\nnodes: {a: {uses: wait, for: 1h}}\n")
    studio = await open_studio(location, environ={})
    number = await studio.launch(_launch(location, "slow.yaml"), SENDER)
    following = asyncio.create_task(_until_rest(studio, number))
    await asyncio.sleep(0)
    await studio.close()
    with pytest.raises(EngineStoppedError):
        await following


LONG = """
workflow: long
nodes:
  a: {uses: noop}
  b: {uses: noop, needs: a}
  c: {uses: wait, needs: b, for: 1h}
"""


async def test_a_list_catches_up_with_a_run_that_has_come_to_wait(location: Location) -> None:
    (location.root / "long.yaml").write_text(LONG)
    studio = await open_studio(location, environ={})
    number = await studio.launch(_launch(location, "long.yaml"), SENDER)
    async with asyncio.timeout(20):
        while list_runs(location)[0].counts != {"succeeded": 2, "waiting": 1}:  # noqa: ASYNC110 # a reader of files is told nothing
            await asyncio.sleep(0.02)
    assert list_runs(location)[0].run == number
    assert is_owned(location)
    await studio.close()
    assert not is_owned(location)


async def test_what_happens_to_the_storage_is_told(
    location: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio = await open_studio(location, environ={})
    assert isinstance(studio, LocalStudio)
    studio.health.notices.append("a history was salvaged")
    told: list[tuple[str, bool]] = []
    end = studio.watch_storage(lambda text, bad: told.append((text, bad)))
    assert told == [("a history was salvaged", True)]
    append, full = studio.engine._history.append, [True]

    async def refuse_once(batch: Batch) -> None:
        if full.pop():
            full.append(False)
            raise StorageError("no space left")
        full.append(False)
        await append(batch)

    monkeypatch.setattr(studio.engine._history, "append", refuse_once)
    studio.health.notices.append("logs cannot be written")
    await studio.launch(_launch(location, "quick.yaml"), SENDER)
    assert told[1:] == [
        ("storage is paused, nothing starts: no space left", True),
        ("storage takes records again", False),
        ("logs cannot be written", True),
    ]
    end()
    studio.health.notices.append("unheard")
    await studio.launch(_launch(location, "quick.yaml"), SENDER)
    assert len(told) == 4
    await studio.close()


async def test_a_history_of_a_newer_program_is_refused_at_once(location: Location) -> None:
    studio = await open_studio(location, environ={})
    number = await studio.launch(_launch(location, "quick.yaml"), SENDER)
    await studio.rest()
    await studio.close()
    with closing(sqlite3.connect(location.state / HISTORY_NAME)) as connection:
        connection.execute("PRAGMA user_version = 9999")
        connection.commit()
    studio = await open_studio(location, environ={})
    assert studio.view(number).run.phase == "succeeded"
    async with asyncio.timeout(10):
        with pytest.raises(StorageError, match=r"for reading only: .*9999"):
            await studio.launch(_launch(location, "quick.yaml"), SENDER)
        with pytest.raises(StorageError, match="for reading only"):
            await studio.send(verbs.pause(number), SENDER)
        with pytest.raises(StorageError, match="for reading only"):
            await studio.take_up(number, SENDER)
    await studio.close()
