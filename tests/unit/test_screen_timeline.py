"""The timeline, over runs driven by hand."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from studio.core import commands as verbs
from studio.model.policies import Retry
from studio.projections.layout import cell_width
from studio.projections.screen.inspecting.attempts import AttemptBook, attempts_of
from studio.projections.screen.runs import last_good_run
from studio.projections.screen.timeline import (
    Scale,
    Stretch,
    axis_row,
    scale_of,
    state_at,
    stretches_of,
    timeline_row,
    usual_times,
)
from tests.unit.core.driver import Driver, node, undo

RETRY = Retry(strategy="fixed", max_attempts=3, initial_delay=4.0, jitter=0.0)


def stretches(driver: Driver, path: str) -> list[Stretch]:
    """The stretches of a node, in seconds since the run's start."""
    run = driver.run()
    found = stretches_of(run.plan, run, path, attempts_of(driver.records, path), driver.now)
    return [
        msgspec.structs.replace(s, start=s.start - run.started_at, end=s.end - run.started_at)
        for s in found
    ]


def line(driver: Driver, path: str, **keys: object) -> str:
    """A row as text: ten cells of name, then a cell a second."""
    run = driver.run()
    found = stretches_of(run.plan, run, path, attempts_of(driver.records, path), driver.now)
    settings: dict[str, object] = {"names": 6, "scale": Scale(run.started_at, 20.0, 20)}
    row = timeline_row(run.plan, run, path, found, **(settings | keys))  # type: ignore[arg-type]  # keywords of the row
    return "".join(part.text for part in row)


def flaky() -> Driver:
    """A node that fails after 2 s, waits 4 s and succeeds after 3 s more, and a node behind it."""
    driver = Driver(node("call", retry=RETRY), node("after", "call"))
    driver.tick(2).fail("call").tick(4).tick(3)
    return driver.finish("call")


def test_every_attempt_has_its_place_and_what_lies_between() -> None:
    assert stretches(flaky(), "call") == [
        Stretch(0, 2, "attempt", "failed"),
        Stretch(2, 6, "backoff", "backing_off"),
        Stretch(6, 9, "attempt", "succeeded"),
    ]


def test_a_row_draws_attempts_failures_and_backoff() -> None:
    driver = flaky().tick(5)
    assert line(driver, "call") == " ✓ call   ━✗┄┄┄┄━━━           "
    assert line(driver, "after") == " ● after           ━━━━━      "
    assert line(driver, "call", ascii=True) == " + call   =!~~~~===           "


def test_without_colour_each_kind_of_stretch_looks_its_own() -> None:
    driver = Driver(node("pay", compensate=undo()), node("ship", "pay"), policy="fail")
    driver.tick(3).finish("pay").tick(2).fail("ship").tick(4)
    assert line(driver, "pay") == " ↶ pay    ━━━  ┅┅┅┅           "
    assert line(driver, "ship") == " ✗ ship      ━✗               "


def test_waiting_for_a_place_is_drawn_before_the_attempt() -> None:
    driver = Driver(node("a"), node("b"), max_concurrency=1)
    driver.tick(4).finish("a").tick(2)
    waiting = next(name for name in ("a", "b") if len(stretches(driver, name)) == 2)
    assert stretches(driver, waiting) == [
        Stretch(0, 4, "queued", "ready"),
        Stretch(4, 6, "attempt", "running", open=True),
    ]
    assert "····" in line(driver, waiting)


def test_a_retry_by_hand_ends_the_backoff_early() -> None:
    driver = Driver(node("call", retry=RETRY))
    driver.tick(2).fail("call").tick(1).verb(verbs.RetryNode, "call").tick(1)
    assert stretches(driver, "call")[1] == Stretch(2, 3, "backoff", "backing_off")


def test_a_running_node_is_drawn_on_to_where_it_usually_ends() -> None:
    driver = Driver(node("call")).tick(3)
    assert line(driver, "call", usual=8.0) == " ● call   ━━━─────            "
    assert line(driver, "call", usual=2.0) == " ● call   ━━━                 "


def test_the_cursor_shows_how_things_stood() -> None:
    driver = flaky()
    start = driver.run().started_at
    glyphs = [line(driver, "call", cursor=start + at)[1] for at in (1, 3, 7, 12)]
    assert glyphs == ["●", "↻", "●", "✓"]
    assert line(driver, "after", cursor=start + 3)[1] == "○"
    assert line(driver, "after", cursor=start + 3)[10 + 3] == "│"


def test_a_state_before_anything_happened_is_blocked() -> None:
    found = [Stretch(5, 8, "attempt", "failed")]
    assert [state_at(found, at) for at in (4, 5, 7.9, 8)] == [
        "blocked",
        "running",
        "running",
        "failed",
    ]


def test_the_axis_names_round_moments_or_the_one_under_the_cursor() -> None:
    scale = Scale(100.0, 20.0, 60)
    text = "".join(part.text for part in axis_row(scale, 6))
    assert text.split() == ["node", "0", "5.0s", "10s", "15s"]
    assert text.index("10s") == 10 + 30
    at = "".join(part.text for part in axis_row(scale, 6, 102.5))
    assert at.index("▾") == 10 + 7
    assert "2.5s after the start" in at
    late = "".join(part.text for part in axis_row(scale, 6, 119.9))
    assert late.rstrip().endswith("20s after the start ▾")


@given(st.floats(0, 1e6), st.floats(0.1, 1e6), st.integers(12, 200), st.floats(0, 1e6))
def test_rows_fill_exactly_their_width(
    start: float, span: float, cells: int, moment: float
) -> None:
    scale = Scale(start, span, cells)
    driver = Driver(node("a"))
    found = [Stretch(moment, moment + 3, "attempt", "failed")]
    row = timeline_row(
        driver.run().plan, driver.run(), "a", found, names=6, scale=scale, cursor=moment
    )
    assert cell_width("".join(part.text for part in row)) == 10 + cells
    head = "".join(part.text for part in axis_row(scale, 6, moment))
    assert cell_width(head) == 10 + cells
    assert scale.start <= scale.moment(scale.cell(moment)) <= scale.start + scale.span


def test_there_is_no_line_of_time_without_a_run_or_without_room() -> None:
    driver = Driver(node("a"))
    assert scale_of(None, 0.0, 10, 80) is None
    assert scale_of(driver.run(), driver.now, 10, 25) is None
    plan = driver.run().plan
    row = timeline_row(plan, None, "a", (), names=6, scale=None)
    assert "".join(part.text for part in row) == " ○ a      "


def test_what_is_usual_is_what_the_last_good_run_took() -> None:
    driver = flaky()
    book = AttemptBook()
    book.add(driver.records)
    assert usual_times(book) == {"call": 3.0}


def test_the_last_good_run_is_of_the_same_file_and_earlier() -> None:
    class Row:
        def __init__(self, run: int, file: str, state: str) -> None:
            self.run, self.file, self.state = run, file, state

    run = Driver(node("a")).run()
    run.number, run.file = 5, "x"
    rows = [Row(6, "x", "succeeded"), Row(4, "y", "succeeded"), Row(3, "x", "failed")]
    assert last_good_run(rows, run) is None  # type: ignore[arg-type]  # only what it reads
    assert last_good_run([*rows, Row(2, "x", "succeeded")], run) == 2  # type: ignore[list-item]  # only what it reads
