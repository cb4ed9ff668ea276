"""Progress, line by line, and the history in words."""

from __future__ import annotations

from typing import get_args

import pytest

from studio.core import commands as verbs
from studio.core.events import AnyEvent
from studio.core.transitions import TRANSITIONS
from studio.model.policies import Retry
from studio.projections import history_lines
from studio.projections.history_lines import phrase
from studio.projections.masking import Mask
from studio.projections.progress_lines import Line, Progress, line_text
from studio.projections.signs import SIGNS
from tests.unit.core.driver import Driver, edges, node, undo


def told(driver: Driver, after: int = 0) -> list[str]:
    """Progress lines as ``state subject text``."""
    progress = Progress(1, driver.run().plan.order, Mask(None, {}), after)
    lines = [progress.feed(record) for record in driver.records]
    return [f"{line.state} {line.subject} {line.text}".strip() for line in lines if line]


def test_every_event_has_its_words() -> None:
    assert set(history_lines._PHRASES) == set(get_args(AnyEvent))


def test_every_state_has_its_sign() -> None:
    assert set(TRANSITIONS) <= set(SIGNS)
    assert all(len(sign.glyph) == len(sign.ascii) == 1 for sign in SIGNS.values())


def test_a_plain_run() -> None:
    driver = Driver(node("a"), node("b", "a"))
    driver.tick(1.5).finish("a").tick(0.25).finish("b")
    assert told(driver) == [
        "running run 1 flow started, by ada",
        "running a",
        "succeeded a 1.5 s",
        "running b",
        "succeeded b 250 ms",
        "succeeded run 1 1.8 s",
    ]


def test_retries_and_failure() -> None:
    retry = Retry(strategy="fixed", max_attempts=2, initial_delay=5, jitter=0)
    driver = Driver(node("a", retry=retry), node("b", "a"))
    driver.fail("a").tick(5).fail("a")
    assert told(driver)[2:] == [
        "backing_off a 0 ms, retry in 5.0 s: ValueError: a broke",
        "ready a",
        "running a attempt 2",
        "failed a 0 ms, ValueError: a broke, the run fails",
        "run 1 the run fails: a failed: ValueError: a broke",
        "cancelled b a failed: ValueError: a broke",
        "failed run 1 5.0 s, a failed: ValueError: a broke",
    ]


def test_an_undo_is_told_step_by_step() -> None:
    driver = Driver(node("a", compensate=undo()), node("b", "a"))
    driver.finish("a").fail("b").tick(2).finish("a", undo=True)
    assert told(driver)[-5:] == [
        "compensating run 1 undo of a",
        "compensating a",
        "compensated a 2.0 s",
        "run 1 the planned undos are done",
        "compensated run 1 2.0 s, b failed: ValueError: b broke",
    ]


def test_what_had_happened_before_is_counted_but_not_told() -> None:
    driver = Driver(node("a"), node("b", "a")).tick(3).finish("a")
    head = driver.records[-2].position
    driver.tick(1).finish("b")
    progress = Progress(1, driver.run().plan.order, Mask(None, {}), head)
    lines = [line for record in driver.records if (line := progress.feed(record))]
    assert [line.subject for line in lines] == ["b", "b", "run 1"]
    assert progress.states == {"a": "succeeded", "b": "succeeded"}
    assert lines[-1].text == "4.0 s"


def test_the_summary_names_what_runs() -> None:
    driver = Driver(node("a"), node("b"), node("c", ["a", "b"])).finish("a").tick(4)
    progress = Progress(1, driver.run().plan.order, Mask(None, {}))
    for record in driver.records:
        progress.feed(record)
    assert progress.summary(driver.now, 80) == "run 1  1/3  4.0 s  ● b"
    assert progress.summary(driver.now, 10) == "run 1  1/…"


def test_verbs_of_a_person_are_told() -> None:
    driver = Driver(node("a"), node("b", "a"), policy="hold")
    driver.verb(verbs.PauseRun).verb(verbs.ResumeRun, reason="go")
    driver.verb(verbs.SetBreakpoint, "b", on="after", when="output > 1").fail("a")
    driver.verb(verbs.MarkNode, "a", outcome="skipped")
    said = told(driver)
    assert "paused run 1 by ada" in said
    assert "running run 1 resumed, by ada: go" in said
    assert "b breakpoint after it, when output > 1, by ada" in said
    assert "skipped a marked skipped, by ada" in said


def test_items_say_that_the_others_go_on() -> None:
    driver = Driver(node("each", foreach=[1, 2], on_item_failure="continue"))
    driver.fail("each[0]").finish("each[1]")
    said = told(driver)
    assert "running each 2 items" in said
    assert "failed each[0] 0 ms, ValueError: each[0] broke" in said
    assert "succeeded each 0 ms, all items done, 1 failed" in said


def test_a_message_cannot_reach_the_terminal_raw() -> None:
    driver = Driver(node("a"))
    driver.fail("a", "\x1b[31mBoom\x07")
    assert all("\x1b" not in line and "\x07" not in line for line in told(driver))


@pytest.mark.parametrize(("ascii", "glyph"), [(False, "✗"), (True, "!")])
def test_a_line_has_time_glyph_name_and_word(ascii: bool, glyph: str) -> None:
    driver = Driver(node("a")).fail("a")
    progress = Progress(1, ["a"], Mask(None, {}))
    lines = [line for record in driver.records if (line := progress.feed(record))]
    head, text = line_text(lines[2], "10:00:00", progress.cells, ascii=ascii)
    assert head == f"10:00:00  {glyph} a      failed"
    assert text == "0 ms, ValueError: a broke, the run fails"


def test_an_item_keeps_its_index_and_a_huge_name_is_cut() -> None:
    line = Line(0.0, "running", "each[12]", "")
    assert line_text(line, "10:00:00", 5)[0] == "10:00:00  ● each[12]  running"
    long = line._replace(subject="n" * 200)
    assert line_text(long, "10:00:00", 5)[0] == f"10:00:00  ● {'n' * 31}…  running"


def test_phrases_of_a_long_list_are_cut() -> None:
    many = [node(f"n{i}", compensate=undo()) for i in range(12)]
    driver = Driver(*many, node("z", edges([f"n{i}" for i in range(12)])))
    for one in many:
        driver.finish(one.id)
    driver.fail("z")
    said = [phrase(record.event, record.at).text for record in driver.records]
    assert any(text.endswith("and 4 more") for text in said)
