"""The table, and where panes stand at every size."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.core import commands as verbs
from studio.projections.layout import cell_width
from studio.projections.screen.panes import PANES, Pane, arrange_panes, size_class
from studio.projections.screen.table import (
    head_row,
    name_cells,
    span_of,
    table_paths,
    table_row,
)
from tests.unit.core.driver import Driver, node


def text_of(row: object) -> str:
    """A row as plain text."""
    return "".join(part.text for part in row)  # type: ignore[attr-defined]  # a row of Segments


def line(driver: Driver, path: str, **keys: object) -> str:
    """The table's row of a node."""
    run = driver.run()
    settings = {"names": 12, "span": 10.0, "width": 60} | keys
    return text_of(table_row(run.plan, run, path, driver.now, **settings))  # type: ignore[arg-type]  # keywords of the row


def test_a_row_tells_state_name_time_and_attempts() -> None:
    driver = Driver(node("load"), node("save", "load"))
    driver.tick(2)
    driver.finish("load")
    assert line(driver, "load").split() == ["✓", "succeeded", "load", "2.0s", "1", "━" * 4]
    driver.tick(3)
    assert line(driver, "save").rstrip().endswith("    " + "━" * 6)
    assert line(driver, "save", ascii=True).isascii()


def test_what_has_not_started_has_neither_time_nor_bar() -> None:
    driver = Driver(node("a"), node("b", "a"))
    assert line(driver, "b").split() == ["○", "blocked", "b"]


def test_items_follow_their_foreach() -> None:
    driver = Driver(node("each", foreach=[1, 2]), node("end", "each"))
    assert table_paths(driver.run().plan, driver.run()) == ["each", "each[0]", "each[1]", "end"]
    assert table_paths(driver.run().plan, None) == ["each", "end"]
    assert "  [1]" in line(driver, "each[1]")


def test_the_gantt_column_grows_in_steps() -> None:
    driver = Driver(node("a"))
    spans = []
    for _ in range(8):
        driver.tick(1)
        spans.append(span_of(driver.run(), driver.now))
    assert spans == [1, 2, 5, 5, 5, 10, 10, 10]
    assert span_of(None, driver.now) == 0
    assert span_of(driver.run(), driver.now + 86400 * 3.5) == 86400 * 4


def test_the_gantt_column_does_not_grow_while_the_run_waits_for_a_person() -> None:
    driver = Driver(node("a"), policy="hold", surface="screen")
    driver.tick(1.5).fail("a").tick(600)
    assert span_of(driver.run(), driver.now) == 2


def test_a_mark_is_no_end_of_an_attempt() -> None:
    driver = Driver(node("a"), policy="hold", surface="screen")
    driver.tick(2).fail("a").tick(6).verb(verbs.MarkNode, "a", outcome="succeeded")
    assert line(driver, "a").split() == ["✓", "succeeded", "a·", "1", "━"]


def test_a_definition_shows_kinds_instead_of_states() -> None:
    driver = Driver(node("a"))
    plan = driver.run().plan
    row = table_row(plan, None, "a", 0.0, names=10, span=0.0, width=60)
    assert text_of(row).split() == ["○", "noop", "a"]


def test_columns_stand_below_their_titles() -> None:
    driver = Driver(node("load"))
    driver.tick(1)
    head, row = text_of(head_row(12, 10.0, 60)), line(driver, "load")
    assert head.index("node") == row.index("load")
    assert head.index("time") + 4 == row.index("1.0s") + 4
    assert cell_width(head) <= 60


def test_long_names_do_not_push_the_other_columns_out() -> None:
    driver = Driver(node("n" * 60))
    plan = driver.run().plan
    assert name_cells(plan, plan.order, 60) == 24


def test_a_retried_node_shows_the_countdown() -> None:
    from studio.model.policies import Retry

    retry = Retry(strategy="fixed", max_attempts=2, initial_delay=4.0, jitter=0.0)
    driver = Driver(node("a", retry=retry))
    driver.fail("a")
    assert "in 4.0s" in line(driver, "a")
    driver.verb(verbs.CancelRun)


# ----------------------------------------------------------------- panes


@pytest.mark.parametrize(
    ("width", "height", "name"),
    [
        (59, 24, "tiny"),
        (80, 14, "tiny"),
        (80, 24, "small"),
        (80, 60, "tall"),
        (120, 24, "short"),
        (120, 40, "normal"),
        (200, 60, "wide"),
        (1, 1, "tiny"),
    ],
)
def test_size_classes(width: int, height: int, name: str) -> None:
    assert size_class(width, height) == name


@given(
    st.integers(1, 260),
    st.integers(1, 90),
    st.sampled_from(PANES),
    st.sampled_from([pane for pane in PANES if pane != "graph"]),
    st.booleans(),
    st.booleans(),
)
def test_the_focused_pane_is_on_screen_and_no_two_overlap(
    width: int, height: int, focused: Pane, side: Pane, zoomed: bool, news: bool
) -> None:
    if focused != "graph":
        side = focused if size_class(width, height) != "normal" or focused != "log" else side
    found = arrange_panes(width, height, focused, side, zoomed=zoomed, news=news)
    assert focused in found.places
    cells: set[tuple[int, int]] = set()
    for place in found.places.values():
        assert place.width > 0
        assert place.height > 0
        own = {
            (x, y)
            for x in range(place.x, place.x + place.width)
            for y in range(place.y, place.y + place.height)
        }
        assert not cells & own
        cells |= own
        assert place.x + place.width <= width


def test_where_it_is_narrow_and_tall_the_node_stands_below() -> None:
    for width in (45, 80):
        places = arrange_panes(width, 60, "graph", "inspector").places
        assert set(places) == {"graph", "inspector"}
        assert places["inspector"].y == places["graph"].height
    assert arrange_panes(45, 30, "graph", "inspector").hidden == ("runs", "inspector", "log")


@given(st.integers(60, 260), st.integers(15, 90))
def test_news_does_not_move_the_graph(width: int, height: int) -> None:
    quiet = arrange_panes(width, height, "graph", "inspector")
    loud = arrange_panes(width, height, "graph", "inspector", news=True)
    assert quiet.places["graph"] == loud.places["graph"]


@given(st.integers(20, 260), st.integers(8, 90), st.booleans())
def test_panes_and_lines_fill_the_screen(width: int, height: int, news: bool) -> None:
    found = arrange_panes(width, height, "graph", "inspector", news=news)
    lines = 2 + found.tabs + (found.detail or found.notice)
    assert max(place.y + place.height for place in found.places.values()) == height - lines
