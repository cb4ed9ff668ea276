"""What every history promises, asked of SQLite and of memory."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from studio.core.events import RunPaused
from studio.errors import NotFoundError, StorageError
from studio.ids import RunNumber, VersionHash
from studio.ports import Batch, Definition, History, RunFilter
from studio.storage.memory_history import MemoryHistory
from studio.storage.state_folder import open_history
from tests.storage_samples import (
    StandingClock,
    attempt_succeeded,
    records,
    run_row,
    run_started,
    whole_run,
)


@pytest.fixture(params=["sqlite", "memory"])
async def history(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[History]:
    found: History = (
        MemoryHistory()
        if request.param == "memory"
        else open_history(tmp_path / "state", clock=StandingClock())[0]
    )
    yield found
    await found.aclose()


async def test_an_empty_history_has_nothing(history: History) -> None:
    assert history.head() == 0
    assert list(history.read()) == []
    assert list(history.read(RunNumber(1))) == []
    assert history.rows(RunFilter()) == []
    for reference in ("last", "1", "abc", ""):
        with pytest.raises(NotFoundError):
            history.find(reference)
    for position in (0, 1, -1):
        with pytest.raises(NotFoundError):
            history.record(position)


async def test_what_is_appended_is_read_back_unchanged(history: History) -> None:
    batch = whole_run(0, 1)
    await history.append(Batch(batch))
    assert history.head() == len(batch)
    assert list(history.read()) == batch
    assert history.record(3) == batch[2]
    output = history.record(3).event.output  # type: ignore[union-attr]  # the third is a success
    assert msgspec.json.decode(output) == {"ok": True}


async def test_runs_are_told_apart_and_after_is_exclusive(history: History) -> None:
    first = whole_run(0, 1)
    second = whole_run(len(first), 2)
    await history.append(Batch([*first, *second]))
    assert list(history.read(RunNumber(2))) == second
    assert list(history.read(RunNumber(2), after=second[1].position)) == second[2:]
    assert list(history.read(after=first[-2].position)) == [first[-1], *second]
    assert list(history.read(after=history.head())) == []


async def test_reading_spans_many_pages(history: History) -> None:
    batch = records(0, *[attempt_succeeded(f"n{number}") for number in range(2500)])
    await history.append(Batch(batch))
    assert list(history.read()) == batch
    assert list(history.read(RunNumber(1), after=400)) == batch[400:]


async def test_a_reading_shows_the_history_of_its_beginning(history: History) -> None:
    await history.append(Batch(whole_run(0, 1)))
    reading = history.read()
    seen = [next(reading)]
    await history.append(Batch(whole_run(history.head(), 2)))
    seen += list(reading)
    assert {record.run for record in seen} == {1}


@pytest.mark.parametrize("position", [0, 2, 7])
async def test_positions_follow_the_head_without_a_gap(history: History, position: int) -> None:
    await history.append(Batch(records(0, run_started())))
    wrong = records(position - 1, RunPaused(), RunPaused())
    if position == 2:
        wrong = [wrong[0], wrong[0]]
    with pytest.raises(StorageError, match="does not follow"):
        await history.append(Batch(wrong, [run_row()]))
    assert history.head() == 1
    assert len(list(history.read())) == 1
    assert history.rows(RunFilter()) == []


async def test_an_event_that_is_no_json_leaves_nothing(history: History) -> None:
    bad = records(0, run_started(), attempt_succeeded("\ud800"))
    with pytest.raises(StorageError, match="JSON"):
        await history.append(Batch(bad, [run_row()]))
    assert history.head() == 0
    assert history.rows(RunFilter()) == []
    await history.append(Batch(records(0, run_started())))
    assert history.head() == 1


async def test_rows_and_definitions_come_without_records_too(history: History) -> None:
    definition = Definition(VersionHash("v1"), "etl", b"name: etl")
    await history.append(Batch([], [run_row(state="running")], [definition]))
    await history.append(Batch([], [run_row(state="failed", is_open=False)], [definition]))
    assert history.rows(RunFilter()) == [run_row(state="failed", is_open=False)]
    assert history.definition(VersionHash("v1")) == definition
    with pytest.raises(NotFoundError):
        history.definition(VersionHash("v2"))


async def _fill(history: History) -> None:
    states = ("running", "failed", "succeeded")
    rows = [
        run_row(
            run,
            state=states[run % 3],
            workflow="etl" if run % 2 else "report",
            is_open=run % 3 == 0,
        )
        for run in range(1, 31)
    ]
    await history.append(Batch([], rows))


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (RunFilter(limit=3), [30, 29, 28]),
        (RunFilter(workflow="etl", limit=3), [29, 27, 25]),
        (RunFilter(states=("failed",), limit=2), [28, 25]),
        (RunFilter(states=("failed", "running", "failed"), limit=4), [30, 28, 27, 25]),
        (RunFilter(only_open=True, limit=2), [30, 27]),
        (RunFilter(only_open=True, workflow="etl", limit=2), [27, 21]),
        (RunFilter(workflow="report", states=("succeeded",), limit=2), [26, 20]),
        (RunFilter(before=RunNumber(4)), [3, 2, 1]),
        (RunFilter(before=RunNumber(9), states=("running",)), [6, 3]),
        (RunFilter(workflow="none"), []),
        (RunFilter(limit=0), []),
    ],
)
async def test_lists_are_filtered_newest_first(
    history: History, where: RunFilter, expected: list[int]
) -> None:
    await _fill(history)
    assert [row.run for row in history.rows(where)] == expected


async def test_a_run_is_found_by_number_word_id_and_prefix(history: History) -> None:
    rows = [
        run_row(1, run_id="abc123"),
        run_row(2, run_id="abd456"),
        run_row(3, run_id="77aa"),
        run_row(4, run_id="abd4"),
    ]
    await history.append(Batch([], rows))
    expected = {"2": 2, " last ": 4, "abc": 1, "abd456": 2, "77a": 3, "77aa": 3, "abd4": 4}
    assert {reference: history.find(reference).run for reference in expected} == expected
    for reference in ("ab", "abd", "zz", "99", "77", "", "%", "_"):
        with pytest.raises(NotFoundError):
            history.find(reference)


async def test_a_cancelled_caller_knows_afterwards(history: History) -> None:
    task = asyncio.ensure_future(history.append(Batch(whole_run(0, 1), [run_row()])))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    # Whichever came first, head, events and rows tell the same.
    assert history.head() == len(list(history.read()))
    assert (history.head() > 0) == bool(history.rows(RunFilter()))
    await history.append(Batch(whole_run(history.head(), 2)))


async def test_appends_of_several_tasks_take_turns(history: History) -> None:
    async def claim() -> bool:
        try:
            await history.append(Batch(records(0, run_started())))
        except StorageError:
            return False
        return True

    outcomes = await asyncio.gather(claim(), claim(), claim())
    assert outcomes.count(True) == 1
    assert history.head() == 1
