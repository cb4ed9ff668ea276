"""What stays in the scrollback after the screen has closed."""

from __future__ import annotations

from typing import Any

from studio.ids import RunId, RunNumber, VersionHash
from studio.ports import RunRow
from studio.projections.screen.summary import interrupted_runs, interrupted_text, summary_lines


def row(number: int, state: str = "running", **changes: Any) -> RunRow:
    fields: dict[str, Any] = {
        "run": RunNumber(number),
        "run_id": RunId(f"id{number}"),
        "workflow": "orders",
        "version": VersionHash("v"),
        "file": "/p/orders.yaml",
        "state": state,
        "paused": False,
        "open": state in ("running", "attention"),
        "started_at": 100.0,
        "finished_at": None if state in ("running", "attention") else 112.0,
        "counts": {},
        "needs": 0,
        **changes,
    }
    return RunRow(**fields)


def lines(*rows: RunRow, since: float = 50.0, owned: bool = True, more: str = "") -> str:
    return "\n".join(summary_lines(rows, since, 160.0, owned=owned, more=more))


def test_nothing_is_said_when_nothing_ran() -> None:
    assert lines() == ""
    assert lines(row(1, "succeeded"), since=150.0) == ""


def test_what_ran_is_told_with_how_it_ended() -> None:
    assert "✓ run 1    orders" in lines(row(1, "succeeded"))
    assert "succeeded, 12s" in lines(row(1, "succeeded"))


def test_an_open_run_is_interrupted_when_the_engine_ends_with_the_screen() -> None:
    text = lines(row(3), more=" --state s")
    assert "interrupted" in text
    assert "`studio resume 3 --state s` goes on with run 3" in text


def test_an_open_run_goes_on_in_the_other_studio() -> None:
    text = lines(row(3), owned=False)
    assert "running" in text
    assert "resume" not in text
    assert "goes on in the other studio" in text


def test_what_needs_a_person_comes_first_in_the_hints() -> None:
    text = lines(row(4), row(3, "attention", needs=2))
    assert "2 nodes wait for you" in text
    assert text.index("`studio show 3`") < text.index("`studio resume 4`")


def test_many_runs_are_counted() -> None:
    assert "and 4 more" in lines(*(row(n, "succeeded") for n in range(10, 0, -1)))


def test_names_of_workflows_are_made_safe() -> None:
    assert "\x1b" not in lines(row(1, "succeeded", workflow="\x1b]52;c;x\x07evil"))


def test_interrupted_runs_wait_for_nobody_and_are_driven_by_nobody() -> None:
    rows = [row(1), row(2), row(3, "attention"), row(4, paused=True), row(5, "failed")]
    assert [one.run for one in interrupted_runs(rows, lambda number: number == 2)] == [1]


def test_the_key_that_continues_is_told_for_the_run_on_screen_only() -> None:
    six, seven = row(6), row(7)
    assert interrupted_text([], "C", None) == ""
    assert interrupted_text([six], "C", 6) == "run 6 was interrupted, C continues it"
    assert interrupted_text([six], "C", 4) == (
        "run 6 was interrupted: 1 lists it, C continues it once it is shown"
    )
    several = "2 runs were interrupted: 1 lists them, C continues one that is shown"
    assert interrupted_text([seven, six], "C", None) == several
    assert interrupted_text([seven, six], "C", 6) == f"{several}; run 6 is"
