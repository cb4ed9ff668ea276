"""The runs pane: what needs a person on top, figures per workflow, interrupted runs."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from studio.projections.screen.runs import (
    RUNS_SHOWN,
    RunsEntry,
    Shown,
    Workflow,
    durations,
    last_live,
    percentile,
    runs_rows,
    sparkline,
)
from tests.unit.core.driver import Driver, node


@dataclass(frozen=True)
class Row:
    """A run as the list has it."""

    run: int
    state: str = "succeeded"
    open: bool = False
    needs: int = 0
    took: float = 4.0
    paused: bool = False
    workflow: str = "saga"
    file: str = "/saga.yaml"
    started_at: float = 100.0
    run_id: str = "r"
    version: str = "v"
    counts: dict[str, int] = field(default_factory=dict)
    actor: str = "someone"
    rested: float = 0.0
    active_at: float = 0.0

    @property
    def finished_at(self) -> float | None:
        """When it ended."""
        return None if self.open else self.started_at + self.took


NOTHING = Shown()
FILES = [Workflow("/saga.yaml", "saga")]


def lines(rows: list[Row], **keys: Any) -> list[str]:
    """The pane as text."""
    return ["".join(part.text for part in entry.row) for entry in entries(rows, **keys)]


def entries(
    rows: list[Row],
    *,
    files: list[Workflow] | None = None,
    driven: bool = True,
    width: int = 40,
    shown: Shown = NOTHING,
    ascii: bool = False,
) -> list[RunsEntry]:
    """The pane's rows."""
    return runs_rows(
        rows,
        FILES if files is None else files,
        110.0,
        shown=shown,
        driven=lambda _run: driven,
        width=width,
        ascii=ascii,
    )


def test_what_needs_a_person_is_on_top_with_its_nodes() -> None:
    driver = Driver(node("a"), node("b"), policy="hold", surface="screen")
    driver.fail("a")
    shown = Shown(driver.run(), "/saga.yaml", 7)
    found = entries([Row(8), Row(7, "attention", open=True, needs=1)], shown=shown)
    said = ["".join(part.text for part in entry.row).strip() for entry in found]
    assert said[0] == "Needs you"
    assert said[1].startswith("▸ ◆ #7 saga needs you")
    assert said[2] == "✗ a failed"
    assert (found[2].run, found[2].node) == (1, "a")


def test_nothing_needs_anybody() -> None:
    assert "Needs you" not in "".join(lines([Row(1)]))


def test_an_interrupted_run_says_how_it_goes_on() -> None:
    rows = [Row(3, "running", open=True)]
    here = lines(rows, driven=False, shown=Shown(number=3))
    assert here[1].strip() == "▸ ¿ #3 saga interrupted  C continues"
    elsewhere = lines(rows, driven=False)
    assert elsewhere[1].strip() == "¿ #3 saga interrupted  enter, then C continues"


def test_figures_of_the_last_runs_stand_flush_right() -> None:
    rows = [Row(3, took=8.0), Row(2, took=4.0), Row(1, took=2.0)]
    head = lines(rows)[0]
    assert head.endswith("▃▅█ p50 4.0s p95 8.0s")
    assert len(head) == 39
    assert lines(rows, width=24)[0].endswith("▃▅█ p50 4.0s")
    assert lines(rows, width=12)[0] == "  saga"
    assert "".join(lines(rows, ascii=True)).isascii()


def test_errors_of_a_file_stand_in_place_of_figures() -> None:
    said = lines([Row(2), Row(1)], files=[Workflow("/saga.yaml", "saga", 2)])
    assert said[0] == "  saga  2 errors"


def test_older_runs_are_counted() -> None:
    said = lines([Row(number) for number in range(RUNS_SHOWN + 3, 0, -1)])
    assert said[-1].strip() == "3 older"
    gone = [Row(number, file="/gone.yaml") for number in range(RUNS_SHOWN + 2, 0, -1)]
    assert lines(gone)[-1].strip() == "2 older"


def test_runs_of_files_that_are_gone_stay_reachable() -> None:
    found = entries([Row(5, file="/gone.yaml", workflow="gone")])
    assert found[-1].run == 5


def test_an_empty_list_says_what_to_do() -> None:
    assert lines([], files=[]) == ["no workflows here: N creates one"]


def test_names_are_no_markup_and_no_escapes() -> None:
    said = lines([], files=[Workflow("/x", "[bold]\x1b[2J")])
    assert said == ["  [bold]?[2J"]


def test_percentiles_are_of_the_nearest_rank() -> None:
    values = [5.0, 1.0, 3.0, 2.0, 4.0]
    assert percentile(values, 0.5) == 3.0
    assert percentile(values, 0.95) == 5.0
    assert percentile([7.0], 0.5) == 7.0


def test_a_sparkline_has_a_bar_for_every_value() -> None:
    assert sparkline([0.0, 0.0]) == "▁▁"
    assert sparkline([1.0, 8.0]) == "▂█"
    assert sparkline([]) == ""


def test_time_at_rest_is_no_usual_duration() -> None:
    waited = Row(1, took=604.0, rested=600.0)
    assert durations([waited, Row(2)]) == [4.0, 4.0]
    [line] = [line for line in lines([waited, Row(2)], width=60) if "p95" in line]
    assert "p50 4.0s p95 4.0s" in line
    assert any("#1 " in line and line.endswith(" 4.0s") for line in lines([waited]))


def test_an_open_run_counts_the_time_it_was_under_way() -> None:
    [line] = [
        line for line in lines([Row(1, state="running", open=True, rested=5.0)]) if "#1" in line
    ]
    assert line.endswith(" 5.0s")


@pytest.mark.parametrize("state", ["attention", "paused"])
def test_a_run_that_rests_shows_no_time_and_needs_no_engine(state: str) -> None:
    row = Row(1, state=state, open=True, paused=state == "paused", rested=5.0)
    for driven in (True, False):
        [*_named, line] = [one for one in lines([row], driven=driven) if "#1" in one]
        assert line.rstrip().endswith(("needs you", "paused"))


def test_who_comes_back_sees_the_run_that_was_live_last() -> None:
    old = Row(1, "attention", open=True, needs=1, active_at=1000.0)
    done = Row(2, active_at=5000.0)
    live = Row(3, "running", open=True, active_at=4000.0)
    assert last_live([live, done, old]) == done
    assert last_live([live, old]) == live
    assert last_live([]) is None


def test_of_runs_that_were_live_together_one_that_needs_somebody_comes_first() -> None:
    live = Row(3, "running", open=True, active_at=4000.0)
    waits = Row(1, "attention", open=True, needs=1, active_at=3950.0)
    other = Row(2, "attention", open=True, needs=2, active_at=3960.0)
    assert last_live([live, other, waits]) == other


def test_rows_without_a_moment_count_by_their_end_or_start() -> None:
    assert last_live([Row(2, open=True), Row(1, took=90.0)]) == Row(1, took=90.0)
    assert last_live([Row(2, open=True, started_at=900.0), Row(1)]) == Row(
        2, open=True, started_at=900.0
    )
