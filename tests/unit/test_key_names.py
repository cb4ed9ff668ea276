"""Messages name the keys of the person who reads them, not those of the table."""

from __future__ import annotations

import re
from typing import Any

import pytest

from studio.core.revision import Verdict
from studio.projections.reload_lines import saved_line
from studio.projections.screen.actions import ACTIONS, BY_ID, Keys, Situation, key_of
from studio.projections.screen.consequences import cancel_rows
from studio.projections.screen.empty import broken_file, checklist_rows, hint_rows, no_workflows
from studio.projections.screen.footer import tabs_line
from studio.projections.screen.news import news_since, standing_of
from studio.projections.screen.runs import Shown, runs_rows
from studio.projections.screen.wording import with_keys
from tests.unit.core.driver import Driver, node
from tests.unit.test_screen_runs import Row

OWN: Keys = {action.id: (f"f{number}",) for number, action in enumerate(ACTIONS, 1)}
"""Every action on another key than its own."""


def own(action: str) -> str:
    return OWN[action][0]


def text(rows: list[Any]) -> str:
    return "\n".join("".join(part.text for part in row) for row in rows)


def test_a_key_is_that_of_the_person_else_that_of_the_table() -> None:
    assert key_of(OWN, "launch") == own("launch")
    assert key_of({}, "launch") == "L"
    assert key_of({"find": ("question_mark",)}, "find") == "?"


@pytest.mark.parametrize("action", [action.id for action in ACTIONS])
def test_rules_name_no_key_of_the_table(action: str) -> None:
    failed = Driver(node("a"), surface="screen", policy="hold").fail("a").run()
    running = Driver(node("a")).run()
    for at in (
        Situation(keys=OWN),
        Situation(file="f", keys=OWN),
        Situation(running, running.nodes["a"], "a", "f", keys=OWN),
        Situation(failed, failed.nodes["a"], "a", "f", keys=OWN),
    ):
        said = BY_ID[action].rule(at) or ""
        for key in re.findall(r"(?<![\w`])(\S+) (?:starts|creates|opens|cancels)\b", said):
            assert key in [keys[0] for keys in OWN.values()], said


def test_rules_name_the_keys_of_the_person() -> None:
    assert (
        BY_ID["pause"].rule(Situation(keys=OWN)) == f"no run is shown: {own('launch')} starts one"
    )
    assert own("new") in (BY_ID["launch"].rule(Situation(keys=OWN)) or "")
    assert own("edit") in (BY_ID["launch"].rule(Situation(file="f", keys=OWN)) or "")


def test_what_stands_beside_the_graph_names_them() -> None:
    run = Driver(node("a")).finish("a").run()
    assert own("new") in text(no_workflows("x", (), OWN))
    assert own("edit") in text(broken_file("x", ["f"], OWN))
    assert own("launch") in text(hint_rows(None, "x", (), driven=True, keys=OWN))
    assert own("launch") in text(hint_rows(run, "x", (), driven=True, keys=OWN))
    open_run = Driver(node("a")).run()
    assert own("continue_run") in text(hint_rows(open_run, "x", (), driven=False, keys=OWN))
    steps = text(checklist_rows([], OWN))
    for action in ("launch", "next_need", "edit", "retry"):
        assert f" {own(action)} " in steps
    assert len({len(line) for line in steps.splitlines()}) == 1, "the frame stays closed"


def test_lists_news_and_notices_name_them() -> None:
    driver = Driver(node("a"), node("b"), surface="screen", policy="hold")
    before = standing_of(driver.run())
    run = driver.fail("a").run()
    news = news_since(before, run, None, OWN)
    assert news is not None
    assert news.text.endswith(f"{own('next_need')} goes there")
    rows = runs_rows(
        [Row(1, open=True)], [], 200.0, shown=Shown(), driven=lambda _: False, width=60, keys=OWN
    )
    assert f"{own('continue_run')} continues" in text([entry.row for entry in rows])
    none = runs_rows([], [], 200.0, shown=Shown(), driven=lambda _: False, width=60, keys=OWN)
    assert own("new") in text([entry.row for entry in none])
    assert own("undo_run") in text(cancel_rows(run, OWN))
    assert own("map") in text([tabs_line("graph", "Graph", "info", 80, map_key=own("map")).row])
    assert own("retry") in with_keys("`retry` it", OWN)
    verdict = Verdict("a", "code changed", "new")
    assert saved_line(["m.py"], [verdict], ["a"], own("retry")).text.endswith(
        f"{own('retry')} retries it with the new code"
    )
