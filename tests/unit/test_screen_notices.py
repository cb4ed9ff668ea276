"""The notice line and the list of what was told."""

from hypothesis import given
from hypothesis import strategies as st

from studio.projections.screen.notices import Notice, Row, notice_rows, told_rows
from studio.projections.text import width

LONG = (
    "flow.yaml saved: 3 nodes removed (mid, tail544, fin) · slow is stale: it has external effects and is not run "
    "again by itself · ctrl+r runs it again"
)


def texts(rows: list[Row]) -> list[str]:
    """The rows as plain text."""
    return ["".join(part.text for part in row) for row in rows]


def test_a_notice_wraps_instead_of_losing_its_end() -> None:
    found = texts(notice_rows(LONG, "warning", 80, 24, "M"))
    assert len(found) == 2
    assert found[-1].endswith("ctrl+r runs it again")
    assert len(notice_rows("run 1 started", "good", 80, 24, "M")) == 1


def test_what_does_not_fit_names_the_key_that_shows_it() -> None:
    found = texts(notice_rows(LONG * 3, "warning", 80, 24, "M"))
    assert len(found) == 3
    assert found[-1].endswith("… M shows all")
    assert len(notice_rows(LONG, "warning", 80, 14, "M")) == 1
    assert texts(notice_rows(LONG, "warning", 80, 14, "M"))[0].endswith("… M shows all")


@given(st.text(max_size=400), st.integers(1, 200), st.integers(1, 80))
def test_a_notice_is_never_wider_than_the_screen(text: str, cells: int, height: int) -> None:
    rows = notice_rows(text, "info", cells, height, "M")
    assert len(rows) <= 3
    if cells > 20:
        assert all(width(line) <= cells for line in texts(rows))


def test_what_was_told_stands_in_full_the_newest_first() -> None:
    told = [Notice(1.0, "first", "info"), Notice(2.0, LONG + "\nits second line", "error", 3)]
    found = texts(told_rows(told, lambda at: f"at {at:.0f}"))
    assert found[0] == f"at 2  {LONG}"
    assert found[1].strip() == "its second line  (3 times)"
    assert found[2] == "at 1  first"
    assert texts(told_rows([], str)) == ["nothing was told yet"]
