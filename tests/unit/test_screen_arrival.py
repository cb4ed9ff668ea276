"""Runs that somebody else has started: when the screen goes to them, and what is told."""

from dataclasses import dataclass
from typing import Any

import pytest

from studio.projections.screen.arrival import Arrival, arrival
from tests.unit.core.driver import Driver, node
from tests.unit.test_screen_runs import Row

FILE = "/saga.yaml"


@dataclass(frozen=True)
class Shown:
    """The part of a run that counts."""

    number: int
    ended: bool


def come(*started: Row, before: tuple[Row, ...] = (), run: Any = None, **keys: Any) -> Arrival:
    """What comes of runs that started just now."""
    rows = sorted((*before, *started), key=lambda row: -row.run)
    asked: dict[str, Any] = {"file": FILE, "busy": False} | keys
    found = arrival(started, rows, run=run, **asked)
    assert found is not None
    return found


def new(number: int, **keys: Any) -> Row:
    """A run that has just started."""
    return Row(number, state="running", open=True, **keys)


def test_nothing_new_is_nothing_to_tell() -> None:
    assert arrival([], [], file=FILE, run=None, busy=False) is None


def test_a_workflow_that_was_not_started_shows_its_run() -> None:
    found = come(new(1))
    assert found == Arrival("run 1 was started elsewhere by someone", 1, 1)


def test_the_last_run_gives_way_once_it_has_ended() -> None:
    assert come(new(2), before=(Row(1),), run=Shown(1, ended=True)).show == 2


@pytest.mark.parametrize(
    ("before", "run", "keys"),
    [
        ((), Shown(1, ended=False), {}),
        ((Row(1), Row(2)), Shown(1, ended=True), {}),
        ((), None, {"busy": True}),
        ((), None, {"file": "/other.yaml"}),
        ((), None, {"file": None}),
    ],
    ids=["looks at an open run", "looks at an old run", "in a dialog", "elsewhere", "at nothing"],
)
def test_nobody_is_taken_away_from_what_they_look_at(
    before: tuple[Row, ...], run: Any, keys: dict[str, Any]
) -> None:
    found = come(new(3), before=before, run=run, **keys)
    assert found.show is None
    assert found.found == 3
    assert found.text == "run 3 (saga) was started elsewhere by someone: 1, enter shows it"


def test_of_several_the_newest_of_the_shown_workflow_counts() -> None:
    other = new(4, file="/other.yaml")
    assert come(new(2), new(3), other).show == 3
    told = come(new(2), new(3), other, run=Shown(1, ended=False))
    assert told == Arrival("3 runs were started elsewhere: 1 lists them", None, 3)


def test_a_run_of_the_core_will_do() -> None:
    driver = Driver(node("a"))
    assert come(new(2), run=driver.run()).show is None
    assert come(new(2), before=(Row(1),), run=driver.finish("a").run()).show == 2
