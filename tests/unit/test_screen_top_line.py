"""The lines around the panes: they fit, and keep what matters when there is little room."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.application.verbs import retry
from studio.core.commands import CancelRun, MarkNode
from studio.core.standing import orphan, phase_of
from studio.engine.rows import make_row
from studio.projections.layout import Segment, cell_width
from studio.projections.listing import run_cells
from studio.projections.screen.empty import hint_rows
from studio.projections.screen.footer import detail_line, footer, tabs_line
from studio.projections.screen.rules import Situation
from studio.projections.screen.top_line import clock_text, fit_row, plan_line, run_line
from tests.unit.core.driver import Driver, node


def text_of(row: list[Segment]) -> str:
    """A row as plain text."""
    return "".join(part.text for part in row)


def failing() -> Driver:
    """A run with a node in each of several states."""
    driver = Driver(
        node("a"), node("b"), node("c", "a"), node("d", "c"), policy="hold", surface="screen"
    )
    driver.tick(83)
    driver.finish("a").fail("b")
    return driver


def top(width: int, others: int = 0, **keys: object) -> str:
    """The top line of that run."""
    driver = failing()
    return text_of(run_line(driver.run(), driver.now, width, others, driven=True, **keys))  # type: ignore[arg-type]  # keywords of the line


def test_the_top_line_tells_how_the_run_stands() -> None:
    said = top(120)
    assert said.startswith(" ◆ flow › run #1   ")
    assert "01:23" in said
    assert "1/4" in said
    assert all(part in said for part in ("✓ 1", "✗ 1", "● 1", "○ 1"))


def test_the_figures_are_those_of_the_list_of_runs() -> None:
    driver = Driver(node("a"), node("b"), node("c", "a"), node("d", "c"), node("e", "b"))
    driver.finish("a").verb(MarkNode, "e", outcome="skipped").verb(CancelRun)
    driver.end("b", "stopped").end("c", "stopped")
    run = driver.run()
    assert {one.status for one in run.nodes.values()} == {"succeeded", "skipped", "cancelled"}
    assert " 5/5 " in text_of(run_line(run, driver.now, 120, 0, driven=True))
    assert run_cells(make_row(run, phase_of(run)), driver.now, str)[3].text == "5/5"


def test_the_clock_stands_while_nothing_of_the_run_is_under_way() -> None:
    driver = failing().finish("c").finish("d")
    waited = driver.tick(600).run()
    said = text_of(run_line(waited, driver.now, 120, 0, driven=True))
    assert "01:23" in said, "it waits for a person: ten minutes pass"
    driver.do(retry(1, "b")).tick(5)
    assert "01:28" in text_of(run_line(driver.run(), driver.now, 120, 0, driven=True))


def test_the_clock_of_an_ended_run_is_the_time_that_lists_and_notices_tell() -> None:
    driver = Driver(node("a")).tick(10.5)
    assert "00:10" in text_of(run_line(driver.run(), driver.now, 120, 0, driven=True))
    run = driver.finish("a").run()
    assert "00:11" in text_of(run_line(run, driver.now + 60, 120, 0, driven=True))
    assert run_cells(make_row(run, phase_of(run)), driver.now, str)[5].text == "10.5 s"
    assert text_of(hint_rows(run, "flow", (), driven=True)[0]) == "✓ all green in 11s"
    run.started_at -= 60
    assert "01:11" in text_of(run_line(run, driver.now, 120, 0, driven=True))
    assert run_cells(make_row(run, phase_of(run)), driver.now, str)[5].text == "1 min 11 s"
    assert text_of(hint_rows(run, "flow", (), driven=True)[0]) == "✓ all green in 71s"


def test_what_an_engine_left_behind_does_not_count_as_running() -> None:
    driver = failing()
    run = driver.run()
    orphan(run)
    said = text_of(run_line(run, driver.now, 120, 0, driven=False))
    assert "¿ interrupted" in said
    assert "¿ 1" in said
    assert "● " not in said


def test_others_that_need_a_person_are_counted() -> None:
    assert top(120, others=2).endswith("+2 runs need you ")
    assert "+1" in top(80, others=1)


def test_the_time_left_is_told_where_there_is_room() -> None:
    assert "~12s left" in top(120, left=12.0)
    assert "left" not in top(80, left=12.0)


def test_what_failed_has_its_part_of_the_bar_however_small() -> None:
    driver = Driver(*(node(f"n{i}") for i in range(300)), policy="hold", surface="screen")
    driver.fail("n0")
    for i in range(1, 300):
        driver.finish(f"n{i}")
    row = run_line(driver.run(), driver.now, 80, 0, driven=True)
    assert "state.failed" in {part.style for part in row if "━" in part.text}


def test_in_a_narrow_line_counts_are_left_out_whole() -> None:
    assert top(46).rstrip().endswith(" ●1 ✗1")
    assert top(40).rstrip().endswith("1/4  ✗1")


@given(st.integers(1, 220), st.integers(0, 3), st.booleans())
def test_the_top_line_never_exceeds_the_screen(width: int, others: int, ascii: bool) -> None:
    said = top(width, others, ascii=ascii)
    assert cell_width(said) <= width
    assert not ascii or said.replace("…", "~").isascii()


@given(st.integers(1, 220))
def test_the_line_of_a_definition_never_exceeds_the_screen(width: int) -> None:
    plan = failing().run().plan
    assert cell_width(text_of(plan_line(plan, "flow", width, 2))) <= width


def test_one_node_is_no_nodes() -> None:
    one = Driver(node("a")).run().plan
    assert "  1 node  not started" in text_of(plan_line(one, "flow", 80, 0))


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "00:00"), (83.9, "01:23"), (7629, "2:07:09"), (274260, "3d 04:11")]
)
def test_the_clock(seconds: float, text: str) -> None:
    assert clock_text(seconds) == text


def test_a_row_is_cut_with_an_ellipsis() -> None:
    row = [Segment("abc", "text"), Segment("defgh", "dim")]
    assert text_of(fit_row(row, 6)) == "abcde…"


# ----------------------------------------------------------------- footer


def at(driver: Driver, path: str) -> Situation:
    """The situation of a run with a selected node."""
    run = driver.run()
    return Situation(run, run.nodes[path], path, "/saga.yaml", True, True)


@given(st.integers(1, 220))
def test_the_footer_fits_and_its_areas_are_where_its_keys_are(width: int) -> None:
    row, areas = footer(at(failing(), "b"), width)
    said = text_of(row)
    assert cell_width(said) <= max(width + 2, 1)
    for first, end, action in areas:
        assert end <= width
        assert said[first] != " ", action


def test_the_footer_holds_six_to_nine_keys_and_always_the_palette_and_help() -> None:
    for width in (80, 120, 200):
        _row, areas = footer(at(failing(), "b"), width)
        assert 6 <= len(areas) <= 10
        assert [area[2] for area in areas[-2:]] == ["palette", "help"]


def test_the_keys_of_the_focused_pane_come_first() -> None:
    row, _areas = footer(at(failing(), "b"), 120, pane="runs")
    assert text_of(row).startswith(" ⏎ Show")


def test_without_a_workflow_the_footer_offers_a_new_one() -> None:
    row, areas = footer(Situation(), 80)
    assert "N New" in text_of(row)
    assert areas[0][2] == "new"


def test_panes_out_of_sight_are_named_in_the_footer() -> None:
    row, areas = footer(at(failing(), "b"), 120, hidden=("runs",))
    said = text_of(row)
    first, end = next((first, end) for first, end, call in areas if call == "pane:1")
    assert said[first:end] == "1 Runs"
    assert [area[2] for area in areas[-3:]] == ["pane:1", "palette", "help"]
    assert "1 Runs" not in text_of(footer(at(failing(), "b"), 120)[0])


def test_the_way_to_the_next_need_is_offered_only_when_there_is_one() -> None:
    quiet = Situation(file="/saga.yaml", loadable=True, selected="a")
    assert "f Next" not in text_of(footer(quiet, 120)[0])
    assert "f Next" in text_of(footer(msgspec.structs.replace(quiet, elsewhere=True), 120)[0])


# ----------------------------------------------------------------- tabs and the selected node


def test_the_names_of_the_panes_are_clickable() -> None:
    line = tabs_line("graph", "Graph", "live · pill · TB", 80, map_key="m")
    said = text_of(line.row)
    assert said.startswith(" [2 Graph]")
    assert said.rstrip().endswith("live · pill · TB · m map")
    for first, end, call in line.areas:
        assert said[first:end].strip()
        assert call == "map" or call.startswith("pane:")
    assert "[4 Log]" in text_of(tabs_line("log", "Table", "", 80).row)
    assert "map" not in text_of(tabs_line("graph", "Graph", "live", 80).row)


def test_the_error_of_the_selected_node_stands_beside_the_keys_that_help() -> None:
    driver = failing()
    run = driver.run()
    line = detail_line(run.plan, run.nodes["b"], at(driver, "b"), driver.now, 80)
    said = text_of(line.row)
    assert said.startswith(" ✗ b")
    assert cell_width(said.rstrip()) <= 80
    assert said.rstrip().endswith("r retry  e edit  o outcome")
    assert [said[first:end] for first, end, _action in line.areas] == [
        "r retry",
        "e edit",
        "o outcome",
    ]


@given(st.integers(8, 200), st.sampled_from(["a", "b", "c", "d"]))
def test_the_line_of_the_selected_node_fits(width: int, path: str) -> None:
    driver = failing()
    run = driver.run()
    line = detail_line(run.plan, run.nodes[path], at(driver, path), driver.now, width)
    assert all(end <= width for _first, end, _action in line.areas)


def test_a_node_that_is_gone_has_no_line() -> None:
    driver = failing()
    assert detail_line(driver.run().plan, None, Situation(selected="nowhere"), 0.0, 80).row == []
