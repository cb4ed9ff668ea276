"""The text tabs of the inspector, over runs driven by hand."""

from __future__ import annotations

import msgspec
import pytest

from studio.core import commands as verbs
from studio.core.commands import OverrideInput
from studio.model.failure import Failure
from studio.model.nodes import Edge, PythonSettings
from studio.model.places import Place
from studio.model.policies import CompensationPolicy, Retry
from studio.projections.screen.inspecting.attempts import AttemptBook, attempts_of
from studio.projections.screen.inspecting.comparison import Comparison, good_input
from studio.projections.screen.inspecting.definition import last_line, settings_of
from studio.projections.screen.inspecting.error import error_rows
from studio.projections.screen.inspecting.groups import group_rows
from studio.projections.screen.inspecting.items import item_list
from studio.projections.screen.inspecting.run_pages import items_page, text_page
from studio.projections.screen.inspecting.subject import Source
from studio.projections.screen.inspecting.why import why_rows
from studio.projections.screen.inspector import (
    PLAN_TABS,
    head_rows,
    plan_page,
    tab_at,
    tab_strip,
    tabs_for,
)
from studio.projections.text import width
from tests.unit.core.driver import Driver, node, undo
from tests.unit.inspecting import subject, texts, unstarted

RETRY = Retry(strategy="fixed", max_attempts=3, initial_delay=4.0, jitter=0.0)

FAILURE = Failure(
    "KeyError",
    "'edges'",
    "unexpected",
    file="/home/somebody/features.py",
    line=4,
    function="feat_graph",
    locals={"row": "{'id': 1201}", "g": "Graph 0 nodes"},
)
SOURCE = Source(
    "features.py",
    ["def feat_graph(data):", "    g = Graph()", "    for row in data:", "        g.add(row['edges'])", "    return g"],
)  # fmt: skip


def broken() -> Driver:
    """A node that failed for good and waits for a person, with two nodes behind it."""
    driver = Driver(node("load"), node("graph", "load", retry=RETRY), node("train", "graph"), node("last", "train"), policy="hold")  # fmt: skip
    driver.finish("load", {"rows": 3})
    driver.tick(2).fail("graph").tick(4).fail("graph").tick(4)
    return driver.fail("graph", "KeyError")


def test_the_error_comes_first_while_it_matters_and_last_once_it_is_past() -> None:
    driver = broken()
    run = driver.run()
    assert tabs_for(run, run.plan, "graph")[0] == "Error"
    assert "Error" not in tabs_for(run, run.plan, "load")
    assert tabs_for(None, run.plan, "graph") == ("Definition", "Edges")
    driver.verb(verbs.RetryNode, "graph").finish("graph")
    assert tabs_for(run, run.plan, "graph")[0] == "Why"


def test_the_error_shows_message_place_code_locals_tries_and_what_it_blocks() -> None:
    driver = broken()
    lines = attempts_of(driver.records, "graph")
    shown = texts(error_rows(subject(driver, "graph"), FAILURE, lines, SOURCE))
    assert shown[:2] == ["KeyError: 'edges'", "features.py:4 in feat_graph"]
    assert "▸4 │     g.add(row['edges'])" in shown
    assert " 3 │ for row in data:" in shown
    assert "locals  g   = Graph 0 nodes" in shown
    assert "        row = {'id': 1201}" in shown
    tries = [line for line in shown if "✗" in line]
    assert tries == [
        "tries   1 ✗ t0 2.0s ValueError",
        "        2 ✗ t6 0ms ValueError",
        "        3 ✗ t10 0ms KeyError",
    ]
    assert "blocks  train, last" in shown
    assert shown[-2:] == ["r retry     R retry + downstream", "e edit :4   y copy error"]


def test_names_of_locals_are_measured_in_cells() -> None:
    driver = broken()
    failure = Failure("KeyError", "'edges'", "unexpected", locals={"数": "1", "wide": "2"})
    shown = texts(error_rows(subject(driver, "graph"), failure, [], None))
    assert "locals  数   = 1" in shown
    assert "        wide = 2" in shown


def test_a_running_node_tells_for_how_long_and_a_finished_one_how_long_it_took() -> None:
    driver = Driver(node("load"), policy="hold").tick(4)
    line = texts(head_rows(subject(driver, "load"), "Why", ("Why",)))[0]
    assert line == "● running  for 4.0s"
    assert "time    started t0, 4.0s ago" in texts(why_rows(subject(driver, "load")))
    driver.finish("load")
    line = texts(head_rows(subject(driver, "load"), "Why", ("Why",)))[0]
    assert line == "✓ succeeded  in 4.0s"
    assert "time    started t0, ended t4, took 4.0s" in texts(why_rows(subject(driver, "load")))


def test_a_node_that_was_marked_took_as_long_as_its_last_attempt() -> None:
    driver = Driver(node("load"), policy="hold", surface="screen")
    driver.tick(2).fail("load").tick(15).verb(verbs.MarkNode, "load", outcome="succeeded")
    marked = subject(driver, "load", width=100)
    assert texts(head_rows(marked, "Why", ("Why",)))[0] == "✓ succeeded·"
    assert "time    started t0, marked t17" in texts(why_rows(marked))
    lines = attempts_of(driver.records, "load")
    shown = texts(text_page(marked, "Why", lines=lines).head)
    assert "time    started t0, ended t2, took 2.0s, marked t17" in shown


def test_what_was_under_way_when_the_engine_ended_does_not_run() -> None:
    driver = Driver(node("load"), node("next"), policy="hold").tick(4)
    left = msgspec.structs.replace(subject(driver, "load", width=100), driven=False)
    shown = texts(why_rows(left))
    assert shown[0] == (
        "‖ attempt 1 of load was under way when the engine of run 1 ended; C goes on with the run"
    )
    assert not [line for line in shown if "runs its attempt" in line]


def test_of_a_node_in_doubt_nobody_knows_how_long_it_took() -> None:
    driver = Driver(node("pay", side_effects="external"), policy="hold").tick(9)
    driver._end("pay", 1, False, outcome="lost", detail="the engine ended while it was running")
    assert driver.states["pay"] == "in_doubt"
    head = texts(head_rows(subject(driver, "pay"), "Why", ("Why",)))[0]
    assert head == "¿ in doubt"
    shown = texts(why_rows(subject(driver, "pay", width=80)))
    assert "time    started t0, nobody knows when it ended" in shown


def test_a_node_that_blocks_many_names_three_and_counts_the_rest() -> None:
    behind = [node(f"n{number}", "graph") for number in range(6)]
    driver = Driver(node("graph"), *behind, policy="hold").fail("graph", "KeyError")
    shown = texts(error_rows(subject(driver, "graph"), FAILURE, [], None))
    assert "blocks  n0, n1, n2 +3" in shown


def test_a_code_block_is_quoted_from_the_definition_it_ran_with() -> None:
    kind = PythonSettings(code="x = 1\ny = x / 0\nreturn y")
    driver = Driver(node("a", kind=kind), policy="hold").fail("a", "ZeroDivisionError")
    failure = Failure(
        "ZeroDivisionError", "division by zero", file="<code of a>", line=2, function="code"
    )
    shown = texts(error_rows(subject(driver, "a"), failure, [], None))
    assert "▸2 │ y = x / 0" in shown
    assert " 1 │ x = 1" in shown


def test_a_command_shows_its_exit_status_and_the_end_of_its_standard_error() -> None:
    driver = broken()
    failure = Failure("CommandFailed", "exit status 3", "external_service", traceback="a\nb\nno such file\n", exit_code=3)  # fmt: skip
    shown = texts(error_rows(subject(driver, "graph"), failure, [], None))
    assert "exit status 3" in shown
    assert shown[shown.index("standard error") + 3] == "no such file"


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (Source("features.py", problem="features.py cannot be read: gone"), "cannot be read: gone"),
        (Source("features.py", SOURCE.lines, changed_at=2_000_000.0), "was saved after this"),
    ],
)
def test_a_source_that_cannot_be_trusted_says_so(source: Source, told: str) -> None:
    shown = " ".join(texts(error_rows(subject(broken(), "graph"), FAILURE, [], source)))
    assert told in shown


def test_attempts_are_read_from_the_history_with_outcome_time_person_and_override() -> None:
    driver = broken()
    driver.do(OverrideInput(run=1, node="graph", input={"n": 1}))
    driver.tick(10).verb(verbs.RetryNode, "graph", reason="again please").tick(3).finish("graph")
    lines = attempts_of(driver.records, "graph")
    assert [(line.number, line.state, line.overridden) for line in lines] == [
        (1, "failed", False),
        (2, "failed", False),
        (3, "failed", False),
        (4, "succeeded", True),
    ]
    assert (lines[3].started_at, lines[3].finished_at) == (driver.now - 3, driver.now)
    assert lines[0].retry_at == lines[1].started_at
    shown = texts(text_page(subject(driver, "graph"), "Attempts", lines=lines).head)
    assert shown[0] == "4 attempts, 3 failed, 5.0s in all"
    assert "        ° input given by hand" in shown
    assert "        by ada: again please" in shown


def test_a_book_takes_the_history_in_pieces_of_any_size() -> None:
    driver = broken()
    book = AttemptBook()
    for end in range(len(driver.records) + 1):
        book.add(driver.records[max(0, end - 2) : end])
    assert book.of("graph") == attempts_of(driver.records, "graph")
    assert book.add(driver.records) == 0


def test_a_book_keeps_no_more_of_a_failure_than_a_table_shows() -> None:
    driver = Driver(node("a"), policy="hold")
    failure = Failure("E", "m" * 90_000, traceback="t" * 90_000, locals={"x": "y" * 9_000})
    driver.do(verbs.FinishAttempt(run=1, node="a", attempt=1, outcome="failed", failure=failure))
    (line,) = attempts_of(driver.records, "a")
    assert line.failure is not None
    assert len(repr(line.failure)) < 1_000


def test_marks_reuse_and_undos_are_told_among_the_attempts() -> None:
    driver = Driver(node("a", compensate=undo()), node("b", "a"), policy="hold")
    driver.finish("a").fail("b", "KeyError").verb(verbs.MarkNode, "b", outcome="skipped")
    assert [(line.number, line.state, line.note) for line in attempts_of(driver.records, "b")] == [
        (1, "failed", ""),
        (0, "skipped", "marked skipped"),
    ]
    driver.do(verbs.Compensate(run=1, nodes=("a",))).finish("a", undo=True)
    last = attempts_of(driver.records, "a")[-1]
    assert (last.undo, last.state) == (True, "compensated")


def test_why_explains_and_counts_down() -> None:
    driver = Driver(node("load"), node("graph", "load", retry=RETRY), node("train", "graph"))
    driver.finish("load").fail("graph").tick(1)
    shown = " ".join(texts(text_page(subject(driver, "graph"), "Why").head))
    assert "in 3 s, at t4" in " ".join(shown.split())
    assert "then 1 blocked" in " ".join(shown.split())
    waiting = " ".join(texts(text_page(subject(driver, "train"), "Why").head))
    assert "graph" in waiting
    assert "L starts one" in texts(text_page(unstarted(driver, "train"), "Why").head)[0]


def test_undo_says_what_it_would_do_or_why_not() -> None:
    nodes = [node("a", compensate=undo()), node("b", "a", compensate=undo()), node("c", "b")]
    driver = Driver(*nodes, policy="hold", compensation=CompensationPolicy(when="never"))
    driver.finish("a")
    shown = texts(text_page(subject(driver, "a"), "Undo").head)
    assert "now     cannot undo a: b, which follows" in shown
    driver.finish("b").fail("c", "KeyError")
    shown = texts(text_page(subject(driver, "a"), "Undo").head)
    assert "u asks whether to undo" in " ".join(" ".join(shown).split())
    assert "--" not in " ".join(shown)
    assert "with what follows it" in shown
    assert [line for line in shown if line.endswith(("  a", "  b"))] == ["   1    b", "   2    a"]
    assert "now     u undoes" in texts(text_page(subject(driver, "b"), "Undo").head)
    assert "declares no undo" in " ".join(texts(text_page(subject(driver, "c"), "Undo").head))


def test_a_running_compensation_numbers_its_steps_with_their_states() -> None:
    nodes = [node("a", compensate=undo()), node("b", "a", compensate=undo()), node("c", "b")]
    driver = Driver(*nodes).finish("a").finish("b").fail("c", "KeyError")
    driver.finish("b", undo=True)
    shown = texts(text_page(subject(driver, "a"), "Undo").head)
    assert "   1 ⟲ b  compensated" in shown
    assert "▸  2 ↶ a  compensating" in shown


def test_edges_say_what_they_came_to() -> None:
    nodes = [
        node("a"),
        node("b", Edge(source="a", when="output.n > 1")),
        node("c", [Edge(source="a", on="failure"), "b"], join="any"),
    ]
    driver = Driver(*nodes).finish("a", {"n": 1})
    shown = texts(plan_page(subject(driver, "a"), "Edges").head)
    assert "  nothing: it starts with the run" in shown
    assert shown[shown.index("  ▸ b  ⊘ skipped") + 1] == "    ⊘ not taken"
    assert "    when output.n > 1" in shown
    into = texts(plan_page(subject(driver, "c"), "Edges").head)
    assert "    ⊘ not taken  on failure, handles the failure" in into
    assert any("join: one of them" in line for line in into)


YAML = """nodes:
  first:
    uses: shell

    run: |
      echo one
      echo two
  # about the second
  second:
    uses: noop
""".splitlines()


def test_the_block_of_a_node_ends_where_its_indentation_ends() -> None:
    assert last_line(YAML, 2) == 7
    assert last_line(YAML, 9) == 10
    assert last_line(['{"nodes": {', '  "a": {', '    "uses": "noop"', "  },", '  "b": {}'], 2) == 4
    assert last_line(YAML, 99) == 99


def test_the_definition_shows_the_lines_of_the_file_and_the_settings_after_defaults() -> None:
    kind = PythonSettings(call="steps:load")
    own = node("second", kind=kind, retry=RETRY, place=Place("flow.yaml", 9, 3))
    driver = Driver(own)
    source = Source("flow.yaml", YAML)
    shown = texts(
        plan_page(subject(driver, "second"), "Definition", source=source, written=own).head
    )
    assert shown[:3] == ["flow.yaml:9", " 9 │   second:", "10 │     uses: noop"]
    assert "call          steps:load" in shown
    assert any(line.strip() == "initial_delay: 4s" for line in shown)
    assert dict(settings_of(own))["retry"]["max_attempts"] == 3
    other = msgspec.structs.replace(own, timeout=5.0)
    told = texts(
        plan_page(subject(driver, "second"), "Definition", source=source, written=other).head
    )
    assert "another version of this node" in " ".join(told)


def test_items_list_what_needs_a_look_first_and_share_cells_when_there_are_many() -> None:
    driver = Driver(node("each", foreach=list(range(300))), policy="continue", check=False)
    for number in range(300):
        path = f"each[{number}]"
        driver.fail(path, "KeyError") if number == 150 else driver.finish(path)
    shown = subject(driver, "each")
    page = items_page(shown)
    found = item_list(shown)
    assert found is not None
    assert found.path(0) == "each[150]"
    assert found.path(1) == "each[0]"
    assert len(page) == len(found.head) + 300
    grid = [line for line in texts(found.head) if set(line) <= {"✓", "✗"} and line]
    assert sum(line.count("✗") for line in grid) == 1
    assert all(len(line) <= 40 for line in grid)
    assert any("✗ 1 failed" in line and "✓ 299 succeeded" in line for line in texts(found.head))
    assert texts([page.row(len(found.head))])[0].startswith("150 ✗ failed")


def test_the_last_good_input_stands_beside_this_one() -> None:
    driver = Driver(node("a", input={"n": 1, "same": 2}))
    driver.finish("a")
    before = good_input(driver.records, "a")
    assert before is not None
    compared = Comparison(41, before.input, {"n": 3, "same": 2, "new": [{}, {}]})
    assert compared.lines(subject(driver, "a")) == [
        "run #41  input.n = 1",
        "this run input.n = 3",
        "run #41  input.new = nothing",
        "this run input.new = 2 rows",
    ]
    assert Comparison(4, {"n": 1}, {"n": 1}).lines(subject(driver, "a")) == [
        "run #4  had the same input"
    ]


@pytest.mark.parametrize("cells", [18, 24, 39, 60, 120])
def test_the_strip_of_tabs_fits_and_always_holds_the_open_one(cells: int) -> None:
    tabs = ("Error", "Why", "Items", "Input", "Output", "Attempts", "Undo", "Definition", "Edges")
    for tab in tabs:
        row = tab_strip(tabs, tab, cells)
        text = "".join(part.text for part in row)
        assert width(text) <= cells
        assert text.count("[") == 1
        assert tab_at(row, tabs, text.index("[")) == tab


def test_the_head_says_state_attempt_and_time() -> None:
    shown = texts(head_rows(subject(broken(), "graph"), "Error", ("Error", "Why")))
    assert shown[0] == "✗ failed  attempt 3/3  in 0ms"
    assert texts(head_rows(subject(broken(), "graph", ascii=True), "Why", ("Why",)))[0][0] == "!"


@pytest.mark.parametrize("tab", ["Error", "Why", "Attempts", "Undo", "Definition", "Edges"])
def test_ascii_drawing_and_narrow_panes_hold_on_every_tab(tab: str) -> None:
    driver = broken()
    lines = attempts_of(driver.records, "graph")
    for cells in (16, 40, 100):
        seen = subject(driver, "graph", width=cells, ascii=True)
        if tab in PLAN_TABS:
            page = plan_page(seen, tab, SOURCE)
        else:
            page = text_page(seen, tab, lines=lines, source=SOURCE)
        rows = texts(page.head)
        assert rows
        if cells >= 40:
            assert all(width(row) <= cells for row in rows), rows
        assert all(set(row) <= set(map(chr, range(32, 127))) | {"…"} for row in rows), rows


def test_a_group_lists_its_nodes_with_their_states() -> None:
    nodes = [node("a", group="pair"), node("b", "a", group="pair"), node("c")]
    driver = Driver(*nodes).finish("a")
    assert texts(group_rows(subject(driver, "group:pair"))) == [
        "2 nodes",
        "✓ a  succeeded",
        "● b  running",
    ]
    assert texts(group_rows(unstarted(driver, "group:pair")))[1:] == ["  a", "  b"]


def test_an_input_is_good_only_where_the_node_succeeded_with_it() -> None:
    retry = Retry(strategy="fixed", max_attempts=2, initial_delay=1, jitter=0)
    driver = Driver(node("a", input={"x": 1}, retry=retry), policy="hold")
    driver.fail("a").tick(1).fail("a")
    driver.verb(verbs.MarkNode, "a", outcome="succeeded")
    assert good_input(driver.records, "a") is None
    driver.verb(verbs.OverrideInput, "a", input={"x": 2}).verb(verbs.RetryNode, "a")
    driver.fail("a").tick(1).finish("a")
    found = good_input(driver.records, "a")
    assert found is not None
    assert (found.attempt, found.input) == (3, {"x": 2})
    driver.verb(verbs.RetryNode, "a").fail("a").tick(1).fail("a")
    assert good_input(driver.records, "a") == found
