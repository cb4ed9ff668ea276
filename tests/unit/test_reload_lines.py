"""The wording of what a save means."""

from __future__ import annotations

import pytest

from studio.core.revision import Verdict
from studio.projections.reload_lines import asking_line, file_line, saved_line, unchanged_line


def test_a_node_that_runs_again() -> None:
    line = saved_line(
        ["orders.py"],
        [Verdict("charge_card", "code changed", "retried", "charge_card in orders.py")],
        [],
    )
    assert line == ("orders.py saved: charge_card changed, runs again", "good")


def test_a_node_that_waits_for_r() -> None:
    line = saved_line(["orders.py"], [Verdict("feat_graph", "code changed", "new")], ["feat_graph"])
    assert (
        line.text
        == "↻ orders.py reloaded · 1 node changed (feat_graph) · r retries it with the new code"
    )


def test_many_nodes_are_counted() -> None:
    verdicts = [Verdict(f"n{i}", "code changed", "run again") for i in range(6)]
    assert (
        saved_line(["a.py"], verdicts, []).text
        == "a.py saved: n0, n1, n2 and 3 more changed, run again"
    )


def test_a_change_of_the_graph() -> None:
    line = saved_line(
        ["a.yaml", "a.py"],
        [
            Verdict("one", "changed", "run again", "with"),
            Verdict("two", "unchanged", "stale", "follows one"),
            Verdict("three", "added", "new"),
            Verdict("four", "removed", "archived"),
            Verdict("five", "edges changed", "kept", "needs"),
        ],
        [],
    )
    assert line == (
        "↻ a.yaml, a.py reloaded · 1 node changed (one) · 1 node added (three) · 1 node removed (four) · "
        "1 node connected anew (five) · one runs again · two is stale: external effects, not run again unasked",
        "warning",
    )


@pytest.mark.parametrize(
    ("verdict", "text"),
    [
        (Verdict("a", "code changed", "finishes"), "a changed, is stale once done"),
        (
            Verdict("a", "code changed", "stale"),
            "a changed, is stale: external effects, not run again unasked",
        ),
        (Verdict("a", "unchanged", "run again"), "a follows if the input differs"),
        (Verdict("a", "code changed", "none"), "a changed"),
    ],
)
def test_each_fate_has_its_words(verdict: Verdict, text: str) -> None:
    assert saved_line(["x.py"], [verdict], []).text == f"x.py saved: {text}"


def test_an_edit_that_waits_for_a_person() -> None:
    line = asking_line(["x.py"], 7, [Verdict("a", "code changed", "run again")])
    assert line == (
        "x.py saved: a changed, would run again · run 7 waits for you to adopt it",
        "warning",
    )


def test_an_edit_without_a_run() -> None:
    assert (
        file_line(["x.yaml"], {"a": ("changed", "with"), "b": ("unchanged", "")}).text
        == "↻ x.yaml reloaded · 1 node changed (a)"
    )
    assert file_line(["x.yaml"], {"b": ("unchanged", "")}) == unchanged_line(["x.yaml"])
