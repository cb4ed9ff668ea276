"""Records, run rows and clocks for tests of the storage."""

import msgspec

from studio.core.events import (
    AttemptStarted,
    AttemptSucceeded,
    Event,
    Origin,
    Record,
    RunFinished,
    RunStarted,
)
from studio.ids import RunId, RunNumber, VersionHash
from studio.ports import RunRow


class StandingClock:
    """A clock that shows one time until it is set."""

    def __init__(self, at: float = 1_900_000_000.0) -> None:
        self.at = at

    def now(self) -> float:
        return self.at


def run_started(run: int = 1) -> RunStarted:
    return RunStarted(
        run_id=f"{run:032x}",
        workflow="etl",
        version="v1",
        params={"day": "monday"},
        policy="hold",
        by=Origin("c1", "ada"),
    )


def attempt_started(node: str = "fetch") -> AttemptStarted:
    return AttemptStarted(node=node, attempt=1, input={"n": 1, "rows": [1, 2.5, None, "ü"]})


def attempt_succeeded(node: str = "fetch", output: bytes = b'{"ok": true}') -> AttemptSucceeded:
    return AttemptSucceeded(node=node, attempt=1, output=msgspec.Raw(output))


def run_finished() -> RunFinished:
    return RunFinished(phase="succeeded", outputs={"total": 3})


def records(head: int, *events: Event, run: int = 1) -> list[Record]:
    """Events as records behind ``head``, a quarter of a second apart."""
    return [
        Record(position, run, 1000.0 + position / 4, event)  # type: ignore[arg-type]  # any event
        for position, event in enumerate(events, head + 1)
    ]


def whole_run(head: int, run: int, nodes: int = 3) -> list[Record]:
    """A run that starts, carries out some nodes and finishes."""
    events: list[Event] = [run_started(run)]
    for node in range(nodes):
        events += [attempt_started(f"node{node}"), attempt_succeeded(f"node{node}")]
    return records(head, *events, run_finished(), run=run)


def run_row(
    run: int = 1,
    *,
    state: str = "running",
    workflow: str = "etl",
    is_open: bool = True,
    run_id: str | None = None,
) -> RunRow:
    return RunRow(
        run=RunNumber(run),
        run_id=RunId(run_id or f"{run:032x}"),
        workflow=workflow,
        version=VersionHash("v1"),
        file="flows/etl.yaml",
        state=state,
        paused=False,
        open=is_open,
        started_at=1000.0 + run,
        finished_at=None if is_open else 2000.0,
        counts={"succeeded": 2, "blocked": 1},
        needs=0,
        actor="ada",
    )
