"""The log's buffer: order, bounds, filters, wrapping, search; and what it costs, as counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.ids import NodePath, RunNumber
from studio.ports import AttemptKey, LogLine
from studio.projections.screen import log
from studio.projections.screen.log import (
    CAPACITY,
    SLACK,
    LogBuffer,
    LogView,
    breaks,
    in_order,
    newest,
    subtitle,
)
from studio.projections.text import sanitise, width


def key(node: str = "a", attempt: int = 1, *, undo: bool = False) -> AttemptKey:
    return AttemptKey(RunNumber(1), NodePath(node), undo, attempt)


def line(
    text: str,
    at: float = 0.0,
    level: Literal["debug", "info", "warning", "error"] = "info",
    stream: Literal["stdout", "stderr", "log"] = "stdout",
) -> LogLine:
    return LogLine(at, text, stream, level)


def buffer(**view: object) -> LogBuffer:
    made = LogBuffer(lambda at: f"t{at:.0f}")
    made.set_view(LogView(**{"width": 60, "time": False, **view}))  # type: ignore[arg-type]  # keys of LogView
    return made


def shown(made: LogBuffer) -> list[str]:
    return ["".join(part.text for part in made.row(index)) for index in range(len(made))]


def test_attempts_are_separated_and_undos_named() -> None:
    made = buffer()
    made.append(key(), [line("one", 1)])
    made.append(key(), [line("two", 2)])
    made.append(key(attempt=2), [line("three", 3)])
    made.append(key(attempt=1, undo=True), [line("back", 4)])
    rows = shown(made)
    assert rows[0].startswith("── attempt 1 · t1 ──")
    assert rows[1:3] == ["one", "two"]
    assert rows[3].startswith("── attempt 2 · t3 ──")
    assert rows[5].startswith("── undo attempt 1 · t4 ──")


def test_several_nodes_stand_with_their_names_and_times() -> None:
    made = buffer(named=True, time=True)
    made.append(key("load"), [line("one", 1)])
    made.append(key("a_very_long_name_of_a_node"), [line("two", 2)])
    assert shown(made) == ["t1 load               │ one", "t2 a_very_long_name_… │ two"]


def test_the_newest_lines_stay_and_the_rest_is_counted() -> None:
    made = buffer()
    gone = 0
    for start in range(0, 100_000, 700):
        gone += made.append(key(), [line(f"line {n}") for n in range(start, start + 700)])
        assert len(made) <= CAPACITY + SLACK + 1
    last = start + 699
    assert shown(made)[-1] == f"line {last}"
    assert made.dropped + made.lines == last + 1
    assert gone == made.dropped + 1  # the mark of the attempt went with the first lines


def test_a_batch_larger_than_the_buffer_keeps_its_end() -> None:
    made = buffer()
    made.append(key(), [line(str(n)) for n in range(CAPACITY * 3)])
    assert made.dropped == CAPACITY * 2
    assert shown(made)[-1] == str(CAPACITY * 3 - 1)


def test_appending_makes_no_rows_and_looks_at_no_old_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """What keeps a flood cheap: text is only sanitised where it is drawn."""
    looked: list[str] = []

    def counted(text: str, limit: int | None = None) -> str:
        looked.append(text)
        return sanitise(text, limit)

    monkeypatch.setattr(log, "sanitise", counted)
    made = buffer()
    for _ in range(20):
        made.append(key(), [line("\x1b[31mred\x1b[0m") for _ in range(1_000)])
    assert looked == []
    made.row(5)
    assert set(looked) == {"\x1b[31mred\x1b[0m"}
    assert len(looked) <= 2  # once for its level, once for its text


LEVELS: list[tuple[str, list[str]]] = [
    ("debug", ["d", "i", "w", "e", "Traceback (most recent call last):"]),
    ("info", ["i", "w", "e", "Traceback (most recent call last):"]),
    ("warning", ["w", "e", "Traceback (most recent call last):"]),
    ("error", ["e", "Traceback (most recent call last):"]),
]


@pytest.mark.parametrize(("level", "wanted"), LEVELS)
def test_levels_filter_and_plain_errors_count_as_errors(level: str, wanted: list[str]) -> None:
    made = buffer(level=level, named=True)
    for text, own in (("d", "debug"), ("i", "info"), ("w", "warning"), ("e", "error")):
        made.append(key(), [LogLine(0.0, text, "log", own)])  # type: ignore[arg-type]  # own is a level
    made.append(key(), [line("Traceback (most recent call last):", stream="stderr")])
    assert [row.rpartition("│ ")[2].split(maxsplit=1)[-1] if "Trace" not in row else row.rpartition("│ ")[2] for row in shown(made)] == wanted  # fmt: skip


def test_a_filter_applies_to_what_was_there_and_to_what_comes() -> None:
    made = buffer()
    made.append(key(), [line("quiet"), line("bad", level="error")])
    made.set_view(made.view._replace(level="error"))
    made.append(key(), [line("quiet too"), line("worse", level="error")])
    assert shown(made)[1:] == ["bad", "worse"]
    made.set_view(made.view._replace(level="debug"))
    assert shown(made)[1:] == ["quiet", "bad", "quiet too", "worse"]


def test_wrapping_shows_the_whole_line_set_in_below_its_lead() -> None:
    made = buffer(width=30, wrap=True, time=True)
    made.append(key(), [line("abcdefghij" * 6, 5), line("short", 6)])
    assert shown(made)[1:] == [
        "t5 abcdefghijabcdefghijabcdefg",
        "   hijabcdefghijabcdefghijabcd",
        "   efghij",
        "t6 short",
    ]
    made.set_view(made.view._replace(wrap=False))
    assert shown(made)[1].endswith("…")


TEXTS = st.lists(
    st.text(alphabet=st.characters(codec="utf-8"), max_size=120)
    | st.just("\x1b]52;c;x\x07" + "宽" * 40),
    max_size=12,
)


@given(TEXTS, st.integers(20, 90), st.booleans(), st.booleans())
def test_rows_fit_hold_no_control_characters_and_lose_nothing(
    written: list[str], cells: int, named: bool, time: bool
) -> None:
    made = buffer(width=cells, wrap=True, named=named, time=time)
    made.append(key(), [line(text, 1) for text in written])
    rows = shown(made)
    assert all(width(row) <= max(cells, 44) for row in rows)
    assert all(character.isprintable() for row in rows for character in row)
    lead = len("t1 ") * time + 21 * named
    if cells > lead + 8:
        body = "".join(row[lead:] for row in rows[0 if named else 1 :])
        assert body.replace(" ", "") == "".join(sanitise(text) for text in written).replace(" ", "")


@given(st.text(max_size=200), st.integers(2, 40))
def test_breaks_cover_a_text_in_order(text: str, room: int) -> None:
    clean = sanitise(text)
    starts = breaks(clean, room)
    assert starts[0] == 0
    assert starts == sorted(set(starts))
    ends = [*starts[1:], len(clean)]
    assert all(width(clean[a:b]) <= room for a, b in zip(starts, ends, strict=True))


def test_wrapping_many_lines_lays_out_the_newest() -> None:
    made = buffer(width=30, wrap=True)
    made.append(key(), [line("x" * 70) for _ in range(CAPACITY)])
    made.set_view(made.view._replace(width=31))
    assert len(made) == log.WRAPPED_CAPACITY * 3


@pytest.mark.parametrize("wrap", [False, True])
def test_search_goes_beyond_what_is_in_view_round_and_back(wrap: bool) -> None:
    made = buffer(wrap=wrap, width=40)
    made.append(
        key(),
        [line(f"{'needle' if n in (10, 900) else 'hay'} {n} " + "x" * 50) for n in range(1_000)],
    )
    first = made.find("NEEDLE", -1)
    assert first is not None
    assert "needle 10 " in "".join(part.text for part in made.row(first))
    assert [part.text for part in made.row(first) if part.style == "match"] == ["needle"]
    second = made.find("needle", first)
    assert second is not None
    assert "needle 900" in "".join(part.text for part in made.row(second))
    assert made.find("needle", second) == first
    assert made.find("needle", first, -1) == second
    assert made.find("nowhere", 0) is None
    assert made.find("", 0) is None
    assert all(part.style != "match" for part in made.row(first))


def test_the_first_error_is_found_then_the_next() -> None:
    made = buffer()
    made.append(key(), [line("fine"), line("ERROR: no"), line("fine"), line("bad", level="error")])
    assert made.first_error() == 2
    assert made.first_error(2) == 4
    assert made.first_error(4) == 2
    assert buffer().first_error() is None


def test_lines_of_a_run_come_in_the_order_of_time_newest_kept() -> None:
    parts: list[tuple[AttemptKey, Sequence[LogLine]]] = [
        (key("a"), [line("a1", 1), line("a2", 4)]),
        (key("b"), [line("b1", 2), line("b2", 3)]),
    ]
    found, skipped = in_order(parts)
    assert [(one.node, [part.text for part in lines]) for one, lines in found] == [
        ("a", ["a1"]),
        ("b", ["b1", "b2"]),
        ("a", ["a2"]),
    ]
    assert skipped == 0
    found, skipped = in_order(parts, 3)
    assert [part.text for _, lines in found for part in lines] == ["b1", "b2", "a2"]
    assert skipped == 1


def test_only_the_newest_lines_of_a_long_attempt_are_kept() -> None:
    kept, skipped = newest((line(str(n)) for n in range(50_000)), 1_000)
    assert kept[-1].text == "49999"
    assert len(kept) + skipped == 50_000
    assert len(kept) <= 1_000 + 2 * SLACK


def test_the_lower_border_says_what_is_on_and_what_was_let_go() -> None:
    assert subtitle(LogView(), True, 0, 5) == (
        "follow ● · W wrap ○ · # time ● · % all · ! error · / search"
    )
    assert "1,200 lines dropped" in subtitle(LogView(level="error"), False, 1_200, 5)
    assert subtitle(LogView(), True, 0, 0) == ""
    assert subtitle(LogView(), True, 0, 5, ascii=True).isascii()


def test_a_line_of_endless_combining_marks_is_bounded() -> None:
    made = buffer(wrap=True)
    made.append(key(), [line("e" + "\u0301" * 200_000)])
    assert sum(len(row) for row in shown(made)) < 300


@pytest.mark.parametrize("view", [{}, {"wrap": True, "width": 40}, {"level": "error"}])
def test_what_append_lets_go_is_what_the_rows_shift_by(
    view: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, size in (("CAPACITY", 300), ("WRAPPED_CAPACITY", 120), ("SLACK", 30)):
        monkeypatch.setattr(log, name, size)
    made = buffer(**view)
    tail: list[str] = []
    for number in range(40):
        rows_before = shown(made)
        texts = [f"{number}.{n} " + "x" * (n % 90) for n in range(70)]
        gone = made.append(key(), [line(text, level="error") for text in texts])
        rows = shown(made)
        if gone <= len(rows_before):
            kept = rows_before[gone:]
            assert rows[: len(kept)] == kept
        tail = rows[-3:]
    assert tail
    assert len(made) < 4 * 330
    assert made.dropped > 2_000
