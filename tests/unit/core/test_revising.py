"""A run adopts another definition: what is kept, runs again, is added or removed, and when it is refused."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from studio.core import commands as verbs
from studio.core.commands import Refusal
from studio.core.decide import decide
from studio.core.events import (
    AttemptStarted,
    NodesReset,
    NodesStaled,
    RetryRequested,
    RunFailing,
    RunReopened,
    RunRevised,
)
from studio.core.plan import Plan
from studio.core.revision import blocking_removal, is_mixed, review
from studio.model.nodes import Edge, Node, ShellSettings, Undo, WaitSettings
from studio.model.policies import CompensationPolicy, Limits, Repeat, Retry
from tests.unit.core.driver import Driver, node, undo, workflow
from tests.unit.core.scenes import SCENES

SLOW = Retry(strategy="fixed", initial_delay=10, jitter=0)


def plan_of(driver: Driver, *nodes: Node, compensation: CompensationPolicy | None = None) -> Plan:
    """Another definition that the driver's state knows."""
    plan = Plan(workflow(*nodes, compensation=compensation))
    driver.plans[plan.version] = plan
    return plan


def revise(
    driver: Driver, *nodes: Node, compensation: CompensationPolicy | None = None, **keys: Any
) -> Driver:
    """Let run 1 adopt a definition of the given nodes."""
    version = plan_of(driver, *nodes, compensation=compensation).version
    return driver.verb(verbs.Revise, version=version, **keys)


def refused(driver: Driver, *nodes: Node) -> str:
    return driver.refused(verbs.Revise(run=1, version=plan_of(driver, *nodes).version))


def edited(driver: Driver, **keys: Any) -> Plan:
    """The definition of run 1 with some keys of node n changed."""
    flow = driver.run().plan.workflow
    changed = msgspec.structs.replace(flow.nodes["n"], **keys)
    return Plan(msgspec.structs.replace(flow, nodes={**flow.nodes, "n": changed}))


def verdicts(driver: Driver, plan: Plan, **code: str) -> dict[str, tuple[str, str]]:
    found = review(driver.run(), plan, code)
    return {verdict.node: (verdict.change, verdict.consequence) for verdict in found}


# --------------------------------------------------------------------------- verdicts

NEW = ("new", "new")
FINISHES = ("finishes", "kept")
RETRIED = ("retried", "new")
STALE = ("stale", "kept")  # the scenes' n has an undo wherever it succeeds
NONE = ("none", "none")

CONSEQUENCES = {
    "blocked": NEW,
    "ready": NEW,
    "running": FINISHES,
    "stopping": FINISHES,
    "waiting": FINISHES,
    "repeating": FINISHES,
    "backing_off": RETRIED,
    "held": NEW,
    "at_breakpoint": NEW,
    "succeeded": STALE,
    "stopped_after": STALE,
    "reused": STALE,
    "failed_held": RETRIED,
    "failed_over": RETRIED,
    "handling": RETRIED,
    "stopped_on_failure": RETRIED,
    "in_doubt": NONE,
    "skipped": NEW,
    "cancelled": NEW,
    "compensating": FINISHES,
    "undo_backing_off": FINISHES,
    "compensated": NONE,
    "compensation_failed": NONE,
    "ended": STALE,
}
"""What becomes of a node in each state when what it does has changed, and when only its edges have."""


@pytest.mark.parametrize("scene", SCENES)
def test_what_an_edit_means_for_a_node_in_each_state(scene: str) -> None:
    doing, edges = CONSEQUENCES[scene]
    driver = SCENES[scene]()
    assert verdicts(driver, edited(driver, input={"x": 1})) == {"n": ("changed", doing)}
    assert verdicts(driver, driver.run().plan, n="f") == {"n": ("code changed", doing)}
    assert verdicts(driver, edited(driver, when="true")) == {"n": ("edges changed", edges)}


@pytest.mark.parametrize(
    ("keys", "consequence"),
    [
        ({}, "run again"),
        ({"side_effects": "idempotent"}, "run again"),
        ({"side_effects": "external"}, "stale"),
        ({"compensate": undo()}, "stale"),
        ({"irreversible": True}, "stale"),
    ],
)
def test_a_done_node_runs_again_only_if_nobody_has_to_be_asked(
    keys: dict[str, Any], consequence: str
) -> None:
    driver = Driver(node("n", **keys)).finish("n")
    plan = edited(driver, input={"x": 1})
    assert verdicts(driver, plan) == {"n": ("changed", consequence)}


def test_a_failed_node_with_external_effects_waits_for_a_person() -> None:
    driver = Driver(node("n", side_effects="external"), policy="hold").fail("n")
    assert verdicts(driver, edited(driver, input={"x": 1})) == {"n": ("changed", "new")}


@pytest.mark.parametrize(
    "keys", [{"name": "N"}, {"description": "d"}, {"group": "g"}, {"tags": ("t",)}]
)
def test_a_key_for_people_changes_nothing(keys: dict[str, Any]) -> None:
    driver = Driver(node("n")).finish("n")
    assert verdicts(driver, edited(driver, **keys)) == {}


@pytest.mark.parametrize("keys", [{"needs": ()}, {"join": "any"}, {"when": "true"}])
def test_a_key_of_the_edges_keeps_what_is_done(keys: dict[str, Any]) -> None:
    driver = Driver(node("a"), node("n", "a")).finish("a").finish("n")
    assert verdicts(driver, edited(driver, **keys)) == {"n": ("edges changed", "kept")}


def test_a_verdict_names_the_keys_that_changed() -> None:
    driver = Driver(node("a"), node("n", "a")).finish("a").finish("n")
    (verdict,) = review(driver.run(), edited(driver, input={"x": 1}, join="any", retry=SLOW), {})
    assert verdict.reason == (
        'with: nothing → {"x": 1}, retry: nothing → {"strategy": "fixed", "initial_…'
    )
    (verdict,) = review(driver.run(), driver.run().plan, {"n": "charge in orders.py"})
    assert verdict.reason == "charge in orders.py"


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        (
            {"kind": ShellSettings(run="sleep 3")},
            {"kind": ShellSettings(run="sleep 4\nexit")},
            "run: sleep 3 → sleep 4…",
        ),
        ({"kind": ShellSettings(run="x")}, {}, "run: x → nothing, uses: shell → noop"),
        (
            {"input": {"n": 1, "same": 2, "gone": [1]}},
            {"input": {"n": None, "same": 2}},
            "with.n: 1 → null, with.gone: [1] → nothing",
        ),
        (
            {"compensate": Undo(kind=ShellSettings(run="a"))},
            {"compensate": Undo(kind=ShellSettings(run="" + "b" * 40))},
            "compensate.run: a → " + "b" * 31 + "…",
        ),
        (
            {},
            {"timeout": 2.0, "locks": ("l",), "max_parallel": 3, "critical": False},
            'critical: nothing → false, locks: nothing → ["l"], max_parallel: nothing → 3, timeout',
        ),
        (
            {"description": "old"},
            {"description": "new", "priority": "high"},
            "priority: nothing → high",
        ),
    ],
)
def test_a_verdict_names_the_field_that_differs_and_both_values(
    before: dict[str, Any], after: dict[str, Any], text: str
) -> None:
    driver = Driver(node("n", **before)).verb(verbs.PauseRun)
    (verdict,) = review(driver.run(), Plan(workflow(node("n", **after))), {})
    assert (verdict.change, verdict.reason) == ("changed", text)


def test_a_verdict_names_edges_by_where_they_come_from() -> None:
    driver = Driver(node("a"), node("b"), node("n", "a"))
    plan = Plan(workflow(node("a"), node("b"), node("n", ["a", "b"])))
    (verdict,) = review(driver.run(), plan, {})
    assert (verdict.change, verdict.reason) == ("edges changed", "needs: a → a, b")


def test_what_is_stale_or_runs_again_says_which_field_differs() -> None:
    driver = Driver(node("n"), node("p", "n", compensate=undo()), node("q"))
    driver.finish("n").finish("p").finish("q")
    plan = Plan(workflow(node("n", input={"x": 1}), node("p", "n", compensate=undo()), node("q")))
    driver.plans[plan.version] = plan
    driver.do(verbs.Revise(run=1, version=plan.version, code={"q": "charge in orders.py"}))
    assert [(event.nodes, event.cause) for event in driver.of(NodesReset)] == [
        (("n",), 'revised: with: nothing → {"x": 1}'),
        (("q",), "revised: code of charge in orders.py"),
    ]
    assert [(event.nodes, event.cause) for event in driver.of(NodesStaled)] == [
        (("p",), "revised: follows n, which runs again"),
    ]


def test_verdicts_stand_in_the_order_of_the_graph_with_added_and_removed_nodes() -> None:
    driver = Driver(node("z"), node("gone", "z"), node("a", "gone")).finish_all()
    plan = Plan(workflow(node("z", input={"x": 1}), node("fresh", "z"), node("a", "fresh")))
    found = [
        (verdict.node, verdict.change, verdict.consequence)
        for verdict in review(driver.run(), plan, {})
    ]
    assert found == [
        ("z", "changed", "run again"),
        ("fresh", "added", "new"),
        ("a", "edges changed", "kept"),
        ("gone", "removed", "archived"),
    ]


def test_what_follows_runs_again_up_to_what_may_not_be_repeated_unasked() -> None:
    driver = Driver(
        node("n"),
        node("b", "n"),
        node("pay", "b", side_effects="external"),
        node("after", "pay"),
        node("failed", "b"),
        policy="continue",
    )
    driver.finish("n").finish("b").finish("pay").finish("after").fail("failed")
    assert verdicts(driver, edited(driver, input={"x": 1})) == {
        "n": ("changed", "run again"),
        "b": ("unchanged", "run again"),
        "pay": ("unchanged", "stale"),
    }


def test_what_follows_and_has_changed_keeps_its_own_verdict() -> None:
    driver = Driver(node("n"), node("b", "n", compensate=undo()), node("c", "b"))
    driver.finish("n").finish("b").finish("c")
    plan = Plan(
        workflow(
            node("n", input={"x": 1}),
            node("b", "n", compensate=undo(), input={"x": 1}),
            node("c", "b"),
        )
    )
    found = review(driver.run(), plan, {})
    assert [(verdict.node, verdict.change, verdict.reason) for verdict in found] == [
        ("n", "changed", 'with: nothing → {"x": 1}'),
        ("b", "changed", 'with: nothing → {"x": 1}'),
    ]


# --------------------------------------------------------------------------- refusals


def test_only_a_known_version_is_adopted() -> None:
    driver = Driver(node("n"))
    text = driver.refused(verbs.Revise(run=1, version="nope"))
    assert text == "version nope is not loaded"


def test_the_same_definition_with_the_same_code_is_no_revision() -> None:
    driver = Driver(node("n")).finish("n")
    version = driver.run().plan.version
    driver.verb(verbs.Revise, version=version)
    assert driver.of(RunRevised) == []
    driver.verb(verbs.Revise, version=version, code={"n": "f"})
    assert [event.changed for event in driver.of(RunRevised)] == [("n",)]
    assert driver.states["n"] == "running"


def test_a_run_that_is_or_will_be_undone_is_not_revised() -> None:
    driver = SCENES["compensating"]()
    assert refused(driver, node("n")) == "cannot revise run 1: it is being undone"
    driver = Driver(node("n", compensate=undo())).verb(verbs.Compensate)
    assert refused(driver, node("n"), node("m")) == "cannot revise run 1: it is being undone"


@pytest.mark.parametrize("keys", [{}, {"foreach": [1]}])
def test_a_running_node_is_not_removed(keys: dict[str, Any]) -> None:
    driver = Driver(node("n", **keys), node("m"))
    assert refused(driver, node("m")) == (
        "cannot revise run 1: n is running, and the new definition does not have it. "
        "wait for it or cancel it, then save again"
    )
    driver.finish_all()
    revise(driver, node("m"))
    assert driver.at("n").archived


def test_what_was_removed_before_stands_in_no_ones_way() -> None:
    driver = Driver(
        node("a", compensate=undo()),
        node("b", compensate=undo()),
        compensation=CompensationPolicy(timeout=0.5),
    )
    driver.finish("a").finish("b")
    quick = CompensationPolicy(timeout=0.5)
    revise(driver, node("a", compensate=undo()), node("c"), compensation=quick).finish("c")
    driver.verb(verbs.Compensate, nodes=("b",)).fail("b", undo=True).tick(0.6)
    driver.verb(verbs.Compensate, nodes=("a",)).finish("a", undo=True)
    assert driver.at("b").status == "compensating"
    assert blocking_removal(driver.run(), Plan(workflow(node("c")))) is None


# --------------------------------------------------------------------------- what it does


def test_a_done_node_that_changed_runs_again_and_what_follows_is_reused() -> None:
    driver = Driver(node("n"), node("b", "n")).finish("n", 1).finish("b")
    revise(driver, node("n", input={"x": 1}), node("b", "n"))
    assert [(event.nodes, event.keep) for event in driver.of(NodesReset)] == [
        (("n",), False),
        (("b",), True),
    ]
    assert driver.of(NodesStaled) == []
    assert len(driver.of(RunReopened)) == 1
    driver.finish("n", 1)
    assert driver.states == {"n": "succeeded", "b": "reused"}


def test_a_follower_whose_edges_changed_is_reused_too() -> None:
    driver = Driver(node("n"), node("b", "n")).finish("n", 1).finish("b")
    revise(driver, node("n", input={"x": 1}), node("b", Edge(source="n", when="output == 1")))
    assert [(event.nodes, event.keep) for event in driver.of(NodesReset)][-1] == (("b",), True)
    assert driver.finish("n", 1).states["b"] == "reused"


def test_the_facts_of_a_revision_name_what_changed() -> None:
    driver = Driver(node("n"), node("b", "n"), node("gone"), node("same")).finish_all()
    revise(
        driver, node("n", input={"x": 1}), node("b", "n", join="any"), node("fresh"), node("same")
    )
    (event,) = driver.of(RunRevised)
    assert (event.changed, event.added, event.removed) == (("n", "b"), ("fresh",), ("gone",))
    assert event.revision == 2


def test_without_restart_what_changed_becomes_stale_and_nothing_runs() -> None:
    driver = Driver(node("n"), node("m"), policy="continue").finish("n").fail("m")
    revise(driver, node("n", input={"x": 1}), node("m", input={"x": 1}), restart=False)
    assert [event.nodes for event in driver.of(NodesStaled)] == [("n",)]
    assert driver.of(NodesReset) == driver.of(RetryRequested) == driver.of(RunReopened) == []
    assert driver.shown() == "failed"


def test_what_runs_while_it_changes_is_stale_afterwards() -> None:
    driver = Driver(node("n"))
    revise(driver, node("n", input={"x": 1})).finish("n")
    assert "stale" in driver.at("n").marks


def test_a_done_node_with_an_undo_becomes_stale_and_does_not_run() -> None:
    driver = Driver(node("n", compensate=undo())).finish("n")
    revise(driver, node("n", compensate=undo(), input={"x": 1}))
    assert driver.states["n"] == "succeeded"
    assert "stale" in driver.at("n").marks
    assert driver.of(RunReopened) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([node("n")], [node("n", input={"x": 1})]),  # runs again
        ([node("n")], [node("n"), node("fresh")]),  # added
        ([node("n"), node("s", "n", when="false")], [node("n"), node("s", "n")]),  # starts anew
    ],
)
def test_an_ended_run_goes_on_when_there_is_something_to_run(
    before: list[Node], after: list[Node]
) -> None:
    driver = Driver(*before).finish("n")
    assert driver.run().ended
    revise(driver, *after)
    assert len(driver.of(RunReopened)) == 1
    assert len(driver.flights()) == 1


def test_an_ended_run_stays_ended_when_only_edges_of_done_nodes_changed() -> None:
    driver = Driver(node("n"), node("b", "n")).finish("n").finish("b")
    revise(driver, node("n"), node("b", "n", join="any"))
    assert driver.of(RunReopened) == driver.of(NodesReset) == []
    assert driver.shown() == "succeeded"


def test_a_failed_node_is_retried_with_its_new_definition() -> None:
    driver = Driver(node("n")).fail("n")
    revise(driver, node("n", input={"x": 1}))
    assert len(driver.of(RunReopened)) == 1
    assert driver.of(AttemptStarted, "n")[-1].input == {"x": 1}
    assert driver.finish("n").shown() == "succeeded"


def test_a_failing_run_is_opened_but_a_cancelled_one_is_not() -> None:
    failing = Driver(node("n"), node("x")).fail("n")
    revise(failing, node("n", input={"x": 1}), node("x"))
    assert len(failing.of(RunReopened)) == 1
    cancelled = Driver(node("n"), node("x")).finish("n").verb(verbs.CancelRun)
    revise(cancelled, node("n", input={"x": 1}), node("x"))
    assert cancelled.of(RunReopened) == []
    cancelled.end("x", "stopped")
    assert cancelled.shown() == "cancelled"
    revise(cancelled, node("n", input={"x": 2}), node("x"))
    assert len(cancelled.of(RunReopened)) == 1
    live = Driver(node("n"), node("x")).finish("n")
    revise(live, node("n", input={"x": 1}), node("x"))
    assert live.of(RunReopened) == []


def failed_list(**keys: Any) -> Driver:
    """A list of two, the first of which has succeeded and the second failed, in a held run."""
    each = node("each", foreach=[1, 2], input={"v": "{{ item }}"}, **keys)
    return Driver(each, node("x"), policy="hold").finish("each[0]").fail("each[1]")


def test_a_failed_list_whose_elements_were_edited_begins_anew() -> None:
    driver = failed_list()
    revise(driver, node("each", foreach=[5], input={"v": "{{ item }}"}), node("x"))
    assert driver.states == {"each": "running", "x": "running", "each[0]": "running"}
    started = driver.of(AttemptStarted, "each[0]")[-1]
    assert (started.input, started.attempt, started.generation) == ({"v": 5}, 2, 2)
    assert driver.finish("each[0]", 6).output("each") == [6]


def test_a_failed_list_that_stays_the_same_runs_only_what_did_not_succeed() -> None:
    driver = failed_list()
    revise(driver, node("each", foreach=[1, 2], input={"w": "{{ item }}"}), node("x"))
    assert [flight.node for flight in driver.flights()] == ["x", "each[1]"]


def test_a_failed_list_that_is_no_list_any_more_runs_as_one_node() -> None:
    driver = failed_list()
    revise(driver, node("each", input={"v": 9}), node("x"))
    assert driver.of(AttemptStarted, "each")[-1].input == {"v": 9}
    assert driver.finish("each", 7).output("each") == 7
    assert set(driver.states) == {"each", "x"}


def test_a_list_that_is_no_list_any_more_is_retried_by_hand_as_one_node() -> None:
    driver = failed_list()
    revise(driver, node("each", input={"v": 9}), node("x"), restart=False)
    driver.verb(verbs.RetryNode, "each")
    assert driver.of(AttemptStarted, "each")[-1].input == {"v": 9}
    assert set(driver.states) == {"each", "x"}


def test_a_failed_node_that_becomes_a_list_is_retried_as_one() -> None:
    driver = Driver(node("each"), node("x"), policy="hold").fail("each")
    revise(driver, node("each", foreach=[5]), node("x"))
    assert driver.of(NodesReset) == []
    assert driver.finish("each[0]", 6).output("each") == [6]


def test_a_list_that_is_done_and_can_be_undone_is_stale_when_its_elements_were_edited() -> None:
    driver = Driver(node("n", foreach=[1], compensate=undo()), node("x")).finish("n[0]")
    assert verdicts(driver, edited(driver, foreach=[5])) == {"n": ("changed", "stale")}


def test_a_failed_list_keeps_the_items_that_can_be_undone() -> None:
    driver = failed_list(compensate=undo())
    same = Plan(workflow(node("each", foreach=[1, 2], compensate=undo()), node("x")))
    assert verdicts(driver, same) == {"each": ("changed", "retried")}
    revise(driver, node("each", foreach=[5], compensate=undo()), node("x"))
    assert driver.states["each"] == "failed"
    driver.verb(verbs.Compensate, nodes=("each",)).finish("x").finish("each[0]", undo=True)
    assert driver.states["each[0]"] == "compensated"


def test_nothing_runs_again_in_a_run_that_is_being_cancelled() -> None:
    driver = Driver(node("n"), node("m"), node("x"), policy="hold").finish("n").fail("m")
    driver.verb(verbs.CancelRun)
    revise(driver, node("n", input={"x": 1}), node("m", input={"x": 1}), node("x"))
    assert driver.states == {"n": "succeeded", "m": "failed", "x": "running"}
    assert "stale" in driver.at("n").marks
    assert driver.end("x", "stopped").shown() == "cancelled"


def test_a_paused_run_retries_once_it_is_resumed() -> None:
    driver = Driver(node("n"), node("x"), policy="hold").fail("n").verb(verbs.PauseRun)
    revise(driver, node("n", input={"x": 1}), node("x"))
    assert driver.states["n"] == "ready"
    driver.verb(verbs.ResumeRun)
    assert driver.states["n"] == "running"


def test_a_retry_by_a_revision_passes_a_gate_like_one_by_hand() -> None:
    driver = Driver(node("n"), node("x"), policy="hold").fail("n")
    revise(driver, node("n", input={"x": 1}), node("x"))
    assert driver.of(RetryRequested)[0].by.actor == "ada"
    assert driver.states["n"] == "running"


# --------------------------------------------------------------------------- edges judged anew


def test_new_conditions_are_judged_by_what_the_source_came_to() -> None:
    driver = Driver(node("a"), node("bad"), policy="continue").finish("a", 5).fail("bad")
    revise(
        driver,
        node("a"),
        node("bad"),
        node("yes", Edge(source="a", when="output == 5")),
        node("no", Edge(source="a", when="output == 6")),
        node("broken", Edge(source="a", when="output < 'x'")),
        node("h", Edge(source="bad", on="failure", when="nodes.bad.error.type == 'ValueError'")),
        node("not", Edge(source="bad", on="failure", when="nodes.bad.error.type == 'KeyError'")),
    )
    assert {name: driver.states[name] for name in ("yes", "no", "broken", "h", "not")} == {
        "yes": "running",
        "no": "skipped",
        "broken": "failed",
        "h": "running",
        "not": "skipped",
    }
    (event,) = driver.of(RunRevised)
    assert sorted(event.edges) == ["a", "bad"]


def test_only_verdicts_that_close_an_edge_are_facts() -> None:
    driver = Driver(node("a"), node("c")).finish("a", 5).finish("c", 5)
    revise(
        driver,
        node("a"),
        node("c"),
        node("yes", Edge(source="a", when="output == 5")),
        node("broken", Edge(source="c", when="output < 'x'")),
    )
    (event,) = driver.of(RunRevised)
    assert {name: list(edge.broken) for name, edge in event.edges.items()} == {"c": [0]}


def test_edges_of_what_is_not_resolved_are_judged_when_it_is() -> None:
    driver = Driver(node("a"), node("d"))
    revise(
        driver,
        node("a"),
        node("d"),
        node("b", Edge(source="a", when="output == 6")),
        node("h", Edge(source="a", on="failure", when="false")),
    )
    assert driver.of(RunRevised)[0].edges == {}
    assert driver.finish("a", 6).states["b"] == "running"


def test_without_restart_an_ended_run_stays_ended_whatever_was_added() -> None:
    driver = Driver(node("n")).finish("n")
    revise(driver, node("n"), node("fresh"), restart=False)
    assert driver.of(RunReopened) == []
    assert driver.started() == ["n"]
    assert driver.states["fresh"] == "blocked"


def test_deciding_a_revision_changes_nothing() -> None:
    driver = Driver(node("a")).finish("a", 5)
    plan = plan_of(driver, node("a"), node("b", Edge(source="a", when="output == 5")))
    before = driver.at("a").plan
    answer = decide(driver.state, verbs.Revise(run=1, version=plan.version), driver.now)
    assert not isinstance(answer, Refusal)
    assert driver.at("a").plan is before


# --------------------------------------------------------------------------- removed nodes


def archived() -> Driver:
    """a and b were removed from the run after they had succeeded; only a declares an undo."""
    driver = Driver(node("a", compensate=undo()), node("b"), node("x")).finish("a").finish("b")
    return revise(driver, node("x"))


def test_a_removed_node_takes_no_verbs_and_can_still_be_undone() -> None:
    driver = archived()
    assert driver.refused(verbs.RetryNode(run=1, node="a")) == (
        "a is no longer part of flow. `compensate` can still undo it"
    )
    assert driver.refused(verbs.RetryNode(run=1, node="b")) == "b is no longer part of flow"
    driver.verb(verbs.Compensate, nodes=("a",)).finish("x").finish("a", undo=True)
    assert driver.states["a"] == "compensated"


def test_the_undo_of_a_removed_node_is_retried_and_marked_like_any() -> None:
    driver = archived().finish("x").verb(verbs.Compensate, nodes=("a",))
    for _ in range(3):
        driver.fail("a", undo=True).tick(1)
    assert driver.states["a"] == "compensation_failed"
    driver.verb(verbs.RetryNode, "a").finish("a", undo=True)
    assert driver.states["a"] == "compensated"


def test_a_removed_node_in_doubt_is_told_about_but_takes_no_other_verb() -> None:
    driver = Driver(node("a", side_effects="external"), node("x")).end("a", "lost")
    revise(driver, node("x"))
    text = driver.refused(verbs.RetryNode(run=1, node="a"))
    assert text == "a is no longer part of flow"
    assert driver.finish("x").shown() == "attention"
    driver.verb(verbs.MarkNode, "a", outcome="succeeded")
    assert driver.shown() == "succeeded"
    assert driver.states["a"] == "succeeded"
    text = driver.refused(verbs.MarkNode(run=1, node="a", outcome="ignored"))
    assert text == "a is no longer part of flow"


def test_a_time_limit_that_a_revision_took_away_still_ends_the_attempt_that_had_it() -> None:
    driver = Driver(node("a", timeout=5))
    revise(driver, node("a")).tick(5).end("a", "stopped")
    failure = driver.at("a").failure
    assert failure is not None
    assert failure.message == "no result within its time limit"


def test_a_repeat_that_a_revision_took_away_ends_with_its_iteration() -> None:
    driver = Driver(node("a", repeat=Repeat(until="output == 1")))
    revise(driver, node("a")).finish("a", 0)
    assert driver.states["a"] == "succeeded"


def test_a_time_limit_that_a_revision_took_away_still_ends_a_wait_and_a_run() -> None:
    driver = Driver(node("w", kind=WaitSettings(duration=60.0), timeout=5))
    revise(driver, node("w", kind=WaitSettings(duration=60.0))).tick(5)
    failure = driver.at("w").failure
    assert failure is not None
    assert failure.message == "still waiting after its time limit"
    driver = Driver(node("a"), limits=Limits(timeout=5))
    revise(driver, node("a")).tick(5).end("a", "stopped")
    assert driver.of(RunFailing)[0].message == "the run took longer than its limit"


def test_a_failure_that_was_being_handled_is_judged_no_more_once_its_node_is_removed() -> None:
    failed = Edge(source="a", on="failure")
    driver = Driver(node("a"), node("h", failed), node("x")).fail("a")
    revise(driver, node("h"), node("x")).reload().finish("h").finish("x")
    assert driver.shown() == "succeeded"


# --------------------------------------------------------------------------- mixed versions


def test_a_run_whose_nodes_ran_under_different_versions_is_mixed() -> None:
    driver = Driver(node("a"), node("b", "a"), policy="hold").finish("a").fail("b")
    assert not is_mixed(driver.run())
    plan = Plan(workflow(node("a"), node("b", "a", input={"x": 1}), node("c", "b")))
    driver.plans[plan.version] = plan
    driver.verb(verbs.Revise, version=plan.version)
    assert is_mixed(driver.run())  # it was retried at once
    driver.finish("b").finish("c").reload()
    assert is_mixed(driver.run())
    driver.verb(verbs.Rerun, start="a")
    assert not is_mixed(driver.run())
    driver.finish("a").finish("b").finish("c")
    assert not is_mixed(driver.run())
    shorter = Plan(workflow(node("a"), node("b", "a", input={"x": 1}), node("d", "b")))
    driver.plans[shorter.version] = shorter
    driver.verb(verbs.Revise, version=shorter.version).finish("d")
    assert is_mixed(driver.run())
    driver.verb(verbs.Rerun, start="a").finish("a").finish("b").finish("d")
    assert not is_mixed(driver.run())  # c, which was removed, does not count


def test_an_edit_that_was_taken_back_mixes_nothing() -> None:
    driver = Driver(node("a"), node("b", "a"), policy="hold").finish("a").fail("b")
    first, other = driver.run().plan, Plan(workflow(node("a"), node("b", "a", when="true")))
    driver.plans[other.version] = other
    for version in (other.version, first.version):
        driver.verb(verbs.Revise, version=version)
    driver.verb(verbs.RetryNode, "b").finish("b")
    assert not is_mixed(driver.run())


def test_other_code_under_the_same_definition_mixes_too() -> None:
    driver = Driver(node("a"), node("b", "a"), policy="hold").finish("a").fail("b")
    version = driver.run().plan.version
    driver.verb(verbs.Revise, version=version, pin="other")
    assert not is_mixed(driver.run())
    driver.verb(verbs.RetryNode, "b").finish("b")
    assert is_mixed(driver.run())


# --------------------------------------------------------------------------- a list that may do less at a time


def test_a_lower_bound_holds_for_items_that_were_ready_already() -> None:
    driver = Driver(node("each", foreach=[0, 1, 2, 3]), max_concurrency=1)
    assert driver.states["each[3]"] == "ready"
    driver.max_concurrency = driver.state.flow.max_concurrency = None
    revise(driver, node("each", foreach=[0, 1, 2, 3], max_parallel=1))
    for index in range(4):
        assert [flight.node for flight in driver.flights()] == [f"each[{index}]"]
        driver.finish(f"each[{index}]")
    assert driver.shown() == "succeeded"


def test_a_lower_bound_counts_items_that_wait_for_their_next_attempt() -> None:
    retry = Retry(strategy="fixed", max_attempts=2, initial_delay=5, jitter=0)
    driver = Driver(node("each", foreach=[0, 1, 2], retry=retry), max_concurrency=2)
    driver.verb(verbs.HoldNode, "each[2]").fail("each[0]")
    driver.max_concurrency = driver.state.flow.max_concurrency = None
    revise(driver, node("each", foreach=[0, 1, 2], retry=retry, max_parallel=2))
    driver.verb(verbs.ReleaseNode, "each[2]")
    assert [flight.node for flight in driver.flights()] == ["each[1]"]
    driver.tick(6)
    assert [flight.node for flight in driver.flights()] == ["each[1]", "each[0]"]
    driver.finish("each[0]").finish("each[1]").finish("each[2]")
    assert driver.shown() == "succeeded"


def test_a_lower_bound_counts_items_that_wait_for_a_moment() -> None:
    kind = WaitSettings(duration=30)
    driver = Driver(node("each", foreach=[0, 1, 2], kind=kind, locks=("l",)))
    assert (driver.states["each[0]"], driver.states["each[1]"]) == ("waiting", "ready")
    revise(driver, node("each", foreach=[0, 1, 2], kind=kind, max_parallel=1))
    assert driver.started() == ["each[0]"]
    driver.tick(30)
    assert driver.started() == ["each[0]", "each[1]"]
    assert driver.tick(60).shown() == "succeeded"
