"""What was undone, or was to be undone and could not: nothing builds on it, and no plan counts it as taken back."""

from __future__ import annotations

from typing import Any

import pytest

from studio.core import commands as verbs
from studio.core.events import AttemptStarted, CompensationFinished, CompensationStarted
from studio.core.plan import Plan
from studio.model.nodes import Edge
from studio.model.policies import CompensationPolicy, Retry
from studio.projections.needs import needs_of
from tests.unit.core.driver import Driver, node, undo, workflow
from tests.unit.core.test_revising import revise
from tests.unit.core.test_why import why

NEVER = CompensationPolicy(when="never")
FRAGILE = undo(retry=Retry(strategy="none"))


# --------------------------------------------------------------------------- behind what was undone


def listed(**keys: Any) -> Driver:
    """A list of two, all of it done, and a node behind it that has failed."""
    driver = Driver(node("each", foreach=[1, 2], compensate=undo()), node("h", "each"), **keys)
    return driver.finish("each[0]").finish("each[1]").fail("h")


def test_a_node_does_not_run_again_behind_a_list_that_was_undone() -> None:
    driver = listed().finish_all()
    assert driver.shown() == "compensated"
    text = driver.refused(verbs.RetryNode(run=1, node="h"))
    assert text == (
        "cannot retry h: each[0] was undone. `studio rerun 1 --from each` runs it again"
    )
    assert "each[0], which comes before it" in driver.refused(verbs.Rerun(run=1, start="h"))
    assert driver.refused(verbs.MarkNode(run=1, node="h", outcome="succeeded")) == (
        "cannot mark h: each[0] was undone. `studio rerun 1 --from each` runs it again"
    )
    driver.verb(verbs.Rerun, start="each").finish_all()
    assert driver.shown() == "succeeded"


def test_one_undone_item_is_enough() -> None:
    driver = listed(policy="hold").verb(verbs.Compensate, nodes=("each[1]",))
    driver.finish("each[1]", undo=True)
    assert "each[1] was undone" in driver.refused(verbs.RetryNode(run=1, node="h"))
    assert "each[1] was undone" in driver.refused(verbs.RetryNode(run=1, node="each"))
    text = driver.refused(verbs.RetryNode(run=1, node="each[0]"))
    assert text == (
        "cannot retry each[0]: each[1] was undone. `studio rerun 1 --from each` runs it again"
    )


def test_what_is_held_behind_a_list_waits_once_an_item_is_undone() -> None:
    driver = Driver(node("each", foreach=[1], compensate=undo()), node("h", "each"))
    driver.verb(verbs.HoldNode, "h").finish("each[0]")
    driver.verb(verbs.Compensate, nodes=("each",)).finish("each[0]", undo=True)
    driver.verb(verbs.ReleaseNode, "h")
    assert driver.states["h"] == "blocked"
    assert driver.shown() == "attention"


def test_a_list_stopped_behind_its_success_is_not_let_go_once_it_is_undone() -> None:
    driver = Driver(node("each", foreach=[1], compensate=undo()), node("h", "each"))
    driver.verb(verbs.SetBreakpoint, "each", on="after").finish("each[0]")
    driver.verb(verbs.Compensate, nodes=("each",)).finish("each[0]", undo=True)
    assert "not stopped" in driver.refused(verbs.Continue(run=1, node="each"))
    assert driver.states["h"] == "blocked"


def test_a_run_that_is_opened_again_starts_nothing_on_what_was_undone() -> None:
    driver = Driver(
        node("a", compensate=undo()),
        node("each", foreach=[1], compensate=undo()),
        node("b", "a"),
        node("c", "each"),
        node("bad"),
        compensation=CompensationPolicy(),
    )
    driver.verb(verbs.HoldNode, "b").verb(verbs.HoldNode, "c")
    driver.finish("a").finish("each[0]").fail("bad").finish_all()
    assert driver.shown() == "compensated"
    driver.verb(verbs.RetryNode, "bad").finish("bad")
    assert driver.states["b"] == driver.states["c"] == "blocked"
    assert driver.shown() == "attention"
    driver.verb(verbs.Rerun, start="a").finish("a").finish("b")
    driver.verb(verbs.Rerun, start="each").finish("each[0]").finish("c")
    assert driver.shown() == "succeeded"


def test_a_node_behind_an_undone_one_is_not_marked_as_succeeded() -> None:
    driver = Driver(node("a", compensate=undo()), node("b", "a"), node("c", "b"), policy="hold")
    driver.finish("a").fail("b").verb(verbs.Compensate, nodes=("a",)).finish("a", undo=True)
    text = driver.refused(verbs.MarkNode(run=1, node="b", outcome="succeeded"))
    assert text == "cannot mark b: a was undone. `studio rerun 1 --from a` runs it again"
    driver.verb(verbs.MarkNode, "b", outcome="skipped")
    assert driver.states["c"] == "skipped"


def test_an_item_of_a_list_that_is_not_done_is_not_undone_by_itself() -> None:
    driver = Driver(
        node("each", foreach=[1, 2], compensate=undo(), on_item_failure="hold"), policy="hold"
    )
    driver.finish("each[0]").fail("each[1]")
    for nodes in (("each[0]",), ("each",)):
        text = driver.refused(verbs.Compensate(run=1, nodes=nodes))
        assert text.startswith(f"cannot undo {nodes[0]}: not all items of each are done. ")
    driver.verb(verbs.RetryNode, "each[1]").finish("each[1]")
    driver.verb(verbs.Compensate, nodes=("each[0]",)).finish("each[0]", undo=True)
    assert driver.states["each[0]"] == "compensated"


# --------------------------------------------------------------------------- an undo that was given up


def half_undone(**keys: Any) -> Driver:
    """a -> b -> d of a held run; d has failed, and the undo of b, by hand, was given up."""
    driver = Driver(
        node("a", compensate=undo()),
        node("b", "a", compensate=FRAGILE),
        node("d", "b"),
        policy="hold",
        **keys,
    )
    driver.finish("a").finish("b").fail("d").verb(verbs.Compensate, nodes=("b",))
    driver.fail("b", undo=True)
    assert driver.shown() == "attention"
    return driver.verb(verbs.MarkNode, "b", outcome="ignored")


def test_an_undo_that_was_given_up_leaves_the_effect_standing() -> None:
    driver = half_undone()
    assert driver.states["b"] == "compensation_failed"
    assert driver.at("b").marks >= {"ignored"}
    assert driver.of(CompensationFinished)[0].message == "the undo of b was given up"
    driver.verb(verbs.Compensate).finish("a", undo=True)
    assert driver.undone() == ["b", "a"]
    assert driver.shown() == "partly_compensated"
    assert driver.run().message.endswith("; the undo of b was given up")
    assert [event.complete for event in driver.of(CompensationFinished)] == [False, True]


def test_nothing_runs_on_an_effect_whose_undo_was_given_up() -> None:
    driver = half_undone()
    text = driver.refused(verbs.RetryNode(run=1, node="d"))
    assert text == "cannot retry d: b was undone. `studio rerun 1 --from b` runs it again"
    driver.verb(verbs.Rerun, start="b").finish("b").finish("d")
    assert (driver.at("b").generation, driver.at("b").marks) == (2, frozenset())
    assert driver.shown() == "succeeded"


def test_only_a_plan_that_names_it_takes_up_an_undo_that_was_given_up() -> None:
    driver = half_undone().verb(verbs.Compensate).finish("a", undo=True)
    assert driver.refused(verbs.Compensate(run=1)) == (
        "nothing left to undo in run 1: the undo of b was given up."
        " `studio compensate 1 b` tries it again"
    )
    assert driver.refused(verbs.RetryNode(run=1, node="b")) == (
        "no compensation is under way in run 1. `studio compensate 1 b` tries its undo again"
    )
    driver.verb(verbs.Compensate, nodes=("b",))
    assert driver.at("b").marks == frozenset()
    driver.finish("b", undo=True)
    assert driver.shown() == "compensated"


def test_an_undo_that_was_given_up_may_be_done_by_hand_after_all() -> None:
    driver = half_undone().verb(verbs.Compensate).finish("a", undo=True)
    text = driver.refused(verbs.MarkNode(run=1, node="b", outcome="ignored"))
    assert text.startswith("the undo of b has been given up already. ")
    driver.verb(verbs.MarkNode, "b", outcome="succeeded")
    assert (driver.states["b"], driver.shown()) == ("compensated", "compensated")
    assert driver.at("b").marks == {"marked"}


def overdue() -> Driver:
    """The undo of the run is over its time, with that of ``b`` failed and that of ``a`` not begun."""
    driver = Driver(
        node("a", compensate=undo()),
        node("b", compensate=FRAGILE),
        node("x"),
        compensation=CompensationPolicy(timeout=5),
    )
    driver.finish("a").finish("b").finish("x").verb(verbs.Compensate)
    return driver.fail("b", undo=True).tick(5)


def test_giving_an_undo_up_without_a_plan_under_way_begins_none() -> None:
    driver = overdue()
    driver.verb(verbs.Compensate, nodes=("a",)).finish("a", undo=True)
    begun = len(driver.of(CompensationStarted))
    driver.verb(verbs.MarkNode, "b", outcome="ignored")
    assert len(driver.of(CompensationStarted)) == begun
    assert driver.shown() == "partly_compensated"


def test_an_undo_is_not_taken_up_while_another_plan_is_under_way() -> None:
    driver = half_undone().verb(verbs.Compensate)
    text = driver.refused(verbs.RetryNode(run=1, node="b"))
    assert text == (
        "cannot retry b: its undo was given up."
        " `studio compensate 1 b` tries it again once the present compensation is over"
    )
    driver.verb(verbs.MarkNode, "b", outcome="succeeded").finish("a", undo=True)
    assert driver.shown() == "compensated"


def test_a_branch_is_not_undone_while_an_effect_of_it_stands() -> None:
    driver = half_undone(compensation=CompensationPolicy(scope="branch"))
    driver.verb(verbs.MarkNode, "d", outcome="failed").finish("a", undo=True)
    assert driver.undone() == ["b", "a"]
    assert driver.shown() == "partly_compensated"


def test_an_undo_given_up_outside_the_branch_does_not_count() -> None:
    driver = Driver(
        node("a", compensate=undo()),
        node("x", compensate=FRAGILE),
        node("bad", "a"),
        compensation=CompensationPolicy(scope="branch"),
        policy="hold",
    )
    driver.finish("a").finish("x").fail("bad")
    driver.verb(verbs.Compensate, nodes=("x",)).fail("x", undo=True)
    driver.verb(verbs.MarkNode, "x", outcome="ignored")
    driver.verb(verbs.MarkNode, "bad", outcome="failed").finish("a", undo=True)
    assert driver.shown() == "compensated"


def test_an_undo_that_failed_stays_with_a_person_until_it_is_given_up() -> None:
    driver = half_undone().reload()
    assert driver.shown() == "attention"  # d waits for b
    driver.verb(verbs.MarkNode, "d", outcome="skipped")
    assert driver.shown() == "succeeded"


# --------------------------------------------------------------------------- what an undo asks first


def test_going_past_a_barrier_needs_a_reason() -> None:
    driver = Driver(
        node("a", compensate=undo()), node("wall", "a", irreversible=True), node("bad", "wall")
    )
    driver.finish("a").finish("wall").fail("bad")
    text = driver.refused(verbs.Compensate(run=1, force=True))
    assert text == (
        "going past what stands in the way of an undo needs a reason. --reason TEXT gives it"
    )
    driver.verb(verbs.Compensate, force=True, reason="refunded by phone").finish("a", undo=True)
    assert driver.shown() == "compensated"


@pytest.mark.parametrize("name", ["a", "pay"])
def test_a_node_is_not_undone_while_one_behind_it_may_have_acted(name: str) -> None:
    driver = Driver(
        node("a", compensate=undo()),
        node("pay", "a", side_effects="external", compensate=undo(), timeout=3),
        node("other", compensate=undo()),
        policy="hold",
    )
    driver.finish("a").finish("other").tick(3).end("pay", "stopped")
    assert driver.states["pay"] == "failed"
    driver.verb(verbs.Compensate, nodes=("other",)).finish("other", undo=True)
    text = driver.refused(verbs.Compensate(run=1, nodes=(name,)))
    if name == "a":
        assert text == (
            "cannot undo a: pay may have acted before it failed."
            " say what happened first: `studio mark 1 pay succeeded|failed`"
        )
    else:
        assert text.startswith("cannot undo pay: it has failed")


@pytest.mark.parametrize("name", ["each", "each[0]"])
def test_a_list_is_not_undone_while_an_item_of_it_may_have_acted(name: str) -> None:
    each = node(
        "each",
        foreach=[1, 2],
        on_item_failure="continue",
        side_effects="external",
        compensate=undo(),
        timeout=3,
    )
    driver = Driver(each, node("x")).finish("each[0]").tick(3).end("each[1]", "stopped")
    assert driver.states["each"] == "succeeded"
    assert driver.refused(verbs.Compensate(run=1, nodes=(name,))) == (
        f"cannot undo {name}: each[1] may have acted before it failed."
        " say what happened first: `studio mark 1 each[1] succeeded|failed`"
    )


def test_a_failure_branch_behind_an_undone_node_is_told_so() -> None:
    driver = Driver(
        node("a", compensate=undo()),
        node("b", "a"),
        node("h", Edge(source="b", on="failure")),
        policy="hold",
    )
    driver.finish("a").fail("b").fail("h")
    driver.verb(verbs.Compensate, nodes=("a",)).finish("a", undo=True)
    assert "a was undone" in driver.refused(verbs.RetryNode(run=1, node="h"))


# --------------------------------------------------------------------------- what an undo is told


TOLD = undo(
    input={
        "error": "{{ error.message }}",
        "failed": "{{ failed }}",
        "cause": "{{ cause }}",
        "steps": "{{ steps }}",
    }
)


def told(driver: Driver, name: str = "a") -> Any:
    return next(event for event in driver.of(AttemptStarted, name) if event.undo).input


def failing(policy: Any = "fail") -> Driver:
    driver = Driver(
        node("a", compensate=TOLD),
        node("b", "a", compensate=undo()),
        node("bad", "b", input={"n": 1}),
        policy=policy,
    )
    return driver.finish("a").finish("b").fail("bad")


FAILED = {
    "id": "bad",
    "input": {"n": 1},
    "error": {"type": "ValueError", "message": "bad broke", "category": "transient"},
    "attempts": 1,
}


def test_an_undo_is_told_what_failed_and_what_is_undone_with_it() -> None:
    driver = failing().finish("b", undo=True)
    assert told(driver) == {
        "error": "bad broke",
        "failed": FAILED,
        "cause": {
            "kind": "failure",
            "message": "bad failed: ValueError: bad broke",
            "by": None,
            "reason": None,
        },
        "steps": ["b", "a"],
    }


def test_an_undo_by_hand_is_told_of_the_failure_that_it_answers_to() -> None:
    driver = failing("hold").verb(verbs.Compensate, reason="no stock").finish("b", undo=True)
    by_hand = told(driver)
    assert (by_hand["error"], by_hand["failed"]) == ("bad broke", FAILED)
    assert by_hand["cause"] == {
        "kind": "person",
        "message": "compensation was asked for by ada",
        "by": "ada",
        "reason": "no stock",
    }


@pytest.mark.parametrize("policy", ["continue", "hold"])
def test_an_undo_of_one_node_is_told_of_the_failure_too(policy: Any) -> None:
    driver = Driver(node("a", compensate=TOLD), node("bad"), policy=policy)
    driver.fail("bad").finish("a")
    driver = driver if policy == "hold" else driver.finish("a", undo=True)
    if policy == "hold":
        driver.verb(verbs.Compensate, nodes=("a",), reason="why not")
    assert told(driver)["failed"]["id"] == "bad"


def test_an_undo_in_a_run_where_nothing_failed_is_told_so() -> None:
    driver = Driver(node("a", compensate=TOLD), node("x", critical=False)).fail("x").finish("a")
    driver.verb(verbs.Compensate, nodes=("a",))
    assert (told(driver)["error"], told(driver)["failed"]) == (None, None)
    assert (told(driver)["cause"]["kind"], told(driver)["steps"]) == ("person", ["a"])


# --------------------------------------------------------------------------- what needs a person, and why


def needs(driver: Driver) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(one.node, one.why, one.hints) for one in needs_of(driver.state, driver.run())]


def test_a_compensation_that_ran_out_of_time_says_how_to_go_on() -> None:
    driver = failing().tick(300).finish("b", undo=True)
    assert driver.shown() == "attention"
    assert needs(driver) == [
        ("a", "the time limit of the compensation is over, and it is not undone", ("compensate 1",))
    ]
    assert why(driver, "a")[0] == (
        "the time limit of the compensation is over, and a is not undone;"
        " `studio compensate 1` goes on with it"
    )
    assert why(driver, "b")[0] == "b was undone: its undo succeeded"
    driver.verb(verbs.Compensate)
    assert needs(driver) == []


def test_a_held_undo_says_how_to_go_on() -> None:
    driver = failing().verb(verbs.HoldNode, "b").fail("b", undo=True).tick(5)
    assert driver.shown() == "attention"
    assert needs(driver) == [("b", "its undo is held by hand", ("release 1 b",))]


def test_what_waits_for_an_undone_node_says_how_to_go_on() -> None:
    driver = Driver(node("a", compensate=undo()), node("b", "a"), node("c", "b"))
    driver.verb(verbs.HoldNode, "b").finish("a")
    driver.verb(verbs.Compensate, nodes=("a",)).finish("a", undo=True).verb(verbs.ReleaseNode, "b")
    assert driver.shown() == "attention"
    assert needs(driver) == [
        (
            "a",
            "it was undone; b waits for it to run again",
            ("rerun 1 --from a", "mark 1 b skipped"),
        )
    ]
    assert why(driver, "b") == [
        "b waits for a, which was undone; `studio rerun 1 --from a` runs it again"
    ]


def test_what_waits_for_an_item_that_was_undone_names_it() -> None:
    driver = Driver(node("each", foreach=[1, 2], compensate=undo()), node("h", "each"))
    driver.verb(verbs.HoldNode, "h").finish("each[0]").finish("each[1]")
    driver.verb(verbs.Compensate, nodes=("each[1]",)).finish("each[1]", undo=True)
    driver.verb(verbs.ReleaseNode, "h")
    assert needs(driver)[0][:2] == ("each[1]", "it was undone; h waits for it to run again")
    assert needs(driver)[0][2][0] == "rerun 1 --from each"
    assert why(driver, "h") == [
        "h waits for each, and each[1] was undone; `studio rerun 1 --from each` runs it again"
    ]


def test_only_commands_that_are_taken_are_offered_behind_an_undone_node() -> None:
    driver = Driver(node("a", compensate=undo()), node("b", "a"), policy="hold")
    driver.finish("a").fail("b").verb(verbs.Compensate, nodes=("a",)).finish("a", undo=True)
    assert needs(driver)[0] == (
        "b",
        "ValueError: b broke",
        ("rerun 1 --from a", "mark 1 b failed"),
    )
    for hint in ("rerun 1 --from a",):
        assert hint in needs(driver)[0][2]


def test_an_undo_that_was_given_up_needs_nobody_but_what_waits_for_it_does() -> None:
    driver = half_undone()
    assert [(name, hints) for name, _why, hints in needs(driver)] == [
        ("d", ("rerun 1 --from b", "mark 1 d failed"))
    ]
    assert why(driver, "b")[0] == (
        "the undo of b failed (ValueError: b broke) and was given up by ada: its effect stands;"
        " `studio compensate 1 b` tries it again"
    )
    driver.verb(verbs.MarkNode, "d", outcome="skipped")
    assert needs(driver) == []


def test_a_failed_undo_without_a_plan_is_taken_up_by_name() -> None:
    driver = overdue()
    assert needs(driver)[0][2] == (
        "retry 1 b",
        "compensate 1 b",
        "mark 1 b succeeded --reason TEXT",
        "mark 1 b ignored --reason TEXT",
    )
    driver.verb(verbs.Compensate, nodes=("a",)).finish("a", undo=True).verb(verbs.RetryNode, "x")
    driver.finish("x")
    assert driver.shown() == "attention"
    assert needs(driver)[0][2] == (
        "compensate 1 b",
        "mark 1 b succeeded --reason TEXT",
        "mark 1 b ignored --reason TEXT",
    )
    assert why(driver, "b") == [
        "the undo of b failed (ValueError: b broke); `studio compensate 1 b` tries it again,"
        " `mark` goes past it"
    ]


def test_a_failure_that_is_ignored_is_no_undo_that_was_given_up() -> None:
    driver = Driver(node("a", compensate=undo()), node("b", "a", compensate=undo()), policy="hold")
    driver.finish("a").fail("b").verb(verbs.MarkNode, "b", outcome="ignored")
    assert driver.shown() == "succeeded"
    driver.verb(verbs.Compensate).finish("a", undo=True)
    assert (driver.undone(), driver.shown()) == (["a"], "compensated")
    assert driver.refused(verbs.Compensate(run=1)).endswith("what it did was undone")


def test_a_plan_of_named_nodes_leaves_out_what_has_done_nothing() -> None:
    driver = Driver(node("a", compensate=undo()), node("b", "a", compensate=undo()))
    driver.finish("a").verb(verbs.CancelNode, "b").end("b", "stopped")
    driver.verb(verbs.Compensate, nodes=("a",), downstream=True).finish("a", undo=True)
    assert driver.undone() == ["a"]


@pytest.mark.parametrize("undone", [True, False])
def test_an_edit_retries_nothing_behind_what_was_undone(undone: bool) -> None:
    driver = Driver(node("a", compensate=undo()), node("b", "a"), policy="hold")
    driver.finish("a").fail("b")
    if undone:
        driver.verb(verbs.Compensate, nodes=("a",)).finish("a", undo=True)
    plan = Plan(workflow(node("a", compensate=undo()), node("b", "a", input={"x": 1})))
    driver.plans[plan.version] = plan
    driver.verb(verbs.Revise, version=plan.version)
    assert driver.states["b"] == ("failed" if undone else "running")


# --------------------------------------------------------------------------- what refusals say of it


def test_refusals_tell_a_given_up_undo_from_one_that_failed_and_what_runs_the_node_again() -> None:
    driver = half_undone()
    held = driver.refused(verbs.HoldNode(run=1, node="b"))
    assert held.startswith("cannot hold b: it has an undo that was given up. ")
    text = driver.refused(verbs.Step(run=1, until="b"))
    assert text.endswith("has an undo that was given up. `studio rerun 1 --from b` runs it again")


def test_an_undo_is_refused_with_what_stands_in_its_way() -> None:
    driver = Driver(node("a", compensate=undo()), node("b", "a", compensate=undo()), policy="hold")
    driver.finish("a").fail("b")
    assert driver.refused(verbs.Compensate(run=1, nodes=("b",))) == (
        "cannot undo b: it has failed. only what has succeeded is undone"
    )


# --------------------------------------------------------------------------- what would start on it all the same


def test_a_race_that_is_won_waits_for_what_was_undone() -> None:
    race = node("race", ["a", "w"], join="first")
    driver = Driver(node("a", compensate=undo()), node("w"), node("bad"), race, policy="hold")
    driver.verb(verbs.HoldNode, "race").finish("a").finish("w").finish("bad")
    driver.verb(verbs.Compensate, nodes=("a",)).finish("a", undo=True)
    driver.verb(verbs.ReleaseNode, "race")
    assert driver.states["race"] == "blocked"
    assert why(driver, "race") == [
        "race waits for a, which was undone; `studio rerun 1 --from a` runs it again"
    ]
    assert driver.shown() == "attention"
    driver.verb(verbs.Rerun, start="a")
    assert driver.states["a"] == "running"
    driver.finish("a")
    assert driver.states["race"] == "running"


@pytest.mark.parametrize("given_up", [False, True])
def test_a_race_that_an_edit_adds_waits_for_what_was_undone(given_up: bool) -> None:
    nodes = (node("a", compensate=FRAGILE), node("w"), node("z", "w"))
    driver = Driver(*nodes, policy="hold").verb(verbs.HoldNode, "z").finish("a").finish("w")
    driver.verb(verbs.Compensate, nodes=("a",))
    if given_up:
        driver.fail("a", undo=True).verb(verbs.MarkNode, "a", outcome="ignored")
    else:
        driver.finish("a", undo=True)
    revise(driver, *nodes, node("race", ["w", "a"], join="first"))
    assert driver.states["a"] == ("compensation_failed" if given_up else "compensated")
    assert driver.states["race"] == "blocked"


def test_a_list_that_is_done_by_what_is_left_of_it_lets_nothing_start() -> None:
    driver = Driver(
        node("each", foreach=[1, 2], max_parallel=1, compensate=undo()), node("b", "each")
    )
    driver.finish("each[0]").verb(verbs.Compensate).end("each[1]", "stopped")
    driver.finish("each[0]", undo=True).verb(verbs.MarkNode, "each[1]", outcome="skipped")
    assert (driver.states["each"], driver.states["b"]) == ("succeeded", "blocked")
    assert driver.shown() == "attention"
    assert why(driver, "b") == [
        "b waits for each, and each[0] was undone; `studio rerun 1 --from each` runs it again"
    ]
    assert [need.node for need in needs_of(driver.state, driver.run())] == ["each[0]"]


def test_a_list_that_is_let_go_behind_what_is_left_of_it_lets_nothing_start() -> None:
    each = node("each", foreach=[1, 2], max_parallel=1, compensate=undo())
    driver = Driver(each, node("b", "each")).finish("each[0]").verb(verbs.Compensate)
    driver.end("each[1]", "stopped").finish("each[0]", undo=True)
    driver.verb(verbs.SetBreakpoint, "each", on="after")
    driver.verb(verbs.MarkNode, "each[1]", outcome="skipped").verb(verbs.Continue, "each")
    assert (driver.states["each"], driver.states["b"]) == ("succeeded", "blocked")
    assert why(driver, "b") == [
        "b waits for each, and each[0] was undone; `studio rerun 1 --from each` runs it again"
    ]


def test_a_series_that_was_held_does_not_go_on_behind_what_was_undone() -> None:
    retry = Retry(strategy="fixed", max_attempts=2, initial_delay=5, jitter=0)
    driver = Driver(node("a", compensate=undo()), node("b", "a", retry=retry), policy="hold")
    driver.finish("a").fail("b").verb(verbs.HoldNode, "b").tick(6)
    driver.verb(verbs.Compensate, nodes=("a",)).finish("a", undo=True)
    driver.verb(verbs.ReleaseNode, "b")
    assert (driver.states["b"], driver.flights()) == ("blocked", [])
    driver.verb(verbs.Rerun, start="a").finish("a").finish("b")
    assert driver.shown() == "succeeded"


def test_what_a_doubtful_node_did_can_be_told_behind_what_was_undone() -> None:
    nodes = (node("a", compensate=undo()), node("bad", "a"))
    x = node("x", Edge(source="bad", on="failure"), side_effects="external", compensate=undo())
    driver = Driver(*nodes).finish("a").fail("bad").finish("a", undo=True)
    assert driver.shown() == "compensated"
    revise(driver, *nodes, x).end("x", "lost").verb(verbs.CancelRun)
    driver.verb(verbs.MarkNode, "x", outcome="succeeded")
    assert (driver.states["x"], driver.shown()) == ("succeeded", "cancelled")
    driver.verb(verbs.Compensate).finish("x", undo=True)
    assert driver.shown() == "compensated"
