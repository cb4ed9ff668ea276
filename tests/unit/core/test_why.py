"""Why a node is as it is: one sentence per reason, with the node, lock, person or moment it is about."""

from __future__ import annotations

import msgspec
import pytest

from studio.core import commands as verbs
from studio.core.why import Reason, explain
from studio.model.nodes import Edge, PythonSettings, StandIn, StandInNode
from studio.model.policies import Fallback, Limits, Retry
from tests.unit.core.driver import Driver, node, undo, workflow
from tests.unit.core.scenes import SCENES


def why(driver: Driver, path: str, run: int = 1) -> list[str]:
    return [reason.text for reason in explain(driver.state, driver.run(run), path, driver.now)]


def first(driver: Driver, path: str = "n", run: int = 1) -> Reason:
    return explain(driver.state, driver.run(run), path, driver.now)[0]


EXPECTED = {
    "blocked": "n waits for a, which is running",
    "ready": 'n waits for lock "l", held by run 1 (flow) in a for 0 s',
    "running": "n runs its attempt 1 for 0 s",
    "stopping": "n runs its attempt 1 for 0 s",
    "waiting": "n waits; it goes on in 60 s",
    "repeating": "n is not done; iteration 2 starts in 5 s",
    "backing_off": "attempt 1 of n failed (ValueError: n broke); the next one starts in 10 s",
    "held": "n is held by ada; `release` lets it go on",
    "at_breakpoint": "n stopped at its breakpoint; `continue` lets it go on",
    "succeeded": "attempt 1 of n succeeded",
    "stopped_after": "n stopped at its breakpoint after it succeeded",
    "reused": "n did not run again: its input is that of attempt 1",
    "failed_held": "n failed (ValueError: n broke); it waits for a person: retry it, mark it, or give it up",
    "failed_over": "n failed (ValueError: n broke); the policy `fail` makes the run fail",
    "handling": "n failed (ValueError: n broke); its failure edge was taken; the outcome of h decides",
    "stopped_on_failure": "n failed (ValueError: n broke); it stopped at its breakpoint; `continue` lets the policy decide",
    "in_doubt": "n may have acted: the test says so; `mark` says what happened",
    "skipped": "n was skipped: needs a (on failure), which has succeeded",
    "cancelled": "n was cancelled: cancelled by ada",
    "compensating": "n is being undone because bad failed",
    "undo_backing_off": "n is being undone because bad failed",
    "compensated": "n was undone: its undo succeeded",
    "compensation_failed": "the undo of n failed (ValueError: n broke); `retry` tries it again, `mark` goes past it",
    "ended": "attempt 1 of n succeeded",
}


@pytest.mark.parametrize("scene", SCENES)
def test_every_state_has_its_reason(scene: str) -> None:
    assert first(SCENES[scene]()).text == EXPECTED[scene]


def test_reasons_point_at_the_node_and_moment_they_are_about() -> None:
    assert first(SCENES["blocked"]()).node == "a"
    driver = SCENES["backing_off"]()
    assert first(driver).at == driver.at("n").retry_at


def test_each_open_edge_is_a_reason() -> None:
    driver = Driver(
        node("a"), node("b"), node("n", ["a", Edge(source="b", on="any")]), policy="hold"
    )
    driver.fail("a")
    assert why(driver, "n") == [
        "n waits for a, which has failed and waits for a person",
        "n waits for b (on any), which is running",
    ]


def test_gates_of_the_run() -> None:
    paused = Driver(node("a"), node("n", "a")).do(verbs.PauseRun(run=1, reason="lunch")).finish("a")
    assert why(paused, "n") == ["run 1 is paused by ada (lunch); `resume` lets it go on"]
    stepping = Driver(node("n"), stepping=True)
    assert why(stepping, "n") == ["run 1 is in step mode; `step` starts n"]
    until = Driver(node("a"), node("n", "a"), until="a").finish("a")
    assert why(until, "n") == ["run 1 goes only as far as a; `continue` goes further"]


def test_a_held_node_tells_what_it_waits_for_besides() -> None:
    driver = Driver(node("a"), node("n", "a"))
    driver.do(verbs.HoldNode(run=1, node="n", reason="audit"))
    assert why(driver, "n") == [
        "n waits for a, which is running",
        "n is held by ada (audit); `release` lets it go on",
    ]


def test_locks_of_other_runs_and_the_line_before_them() -> None:
    driver = Driver(node("charge", locks=("ledger",)))
    driver.start(workflow(node("n", locks=("ledger",)), name="second"))
    driver.tick(12)
    assert why(driver, "n", 2) == [
        'n waits for lock "ledger", held by run 1 (flow) in charge for 12 s'
    ]
    assert first(driver, "n", 2)[2:] == ("charge", driver.at("charge").started_at)


def test_limits_of_the_run_the_engine_and_a_foreach() -> None:
    run = Driver(node("a"), node("n"), limits=Limits(max_concurrency=1))
    assert why(run, "n") == ["n waits for a place: a run, and max_concurrency is 1"]
    engine = Driver(node("a"), node("n"), max_concurrency=1)
    assert why(engine, "n") == ["n waits for a place: the engine runs 1 nodes at a time"]
    each = Driver(node("n", foreach=[1, 2], max_parallel=1))
    assert why(each, "n[1]") == [
        "n[1] waits for a place: max_parallel of n lets 1 items run at a time"
    ]
    assert why(each, "n") == ["n waits for 2 of its 2 items"]


def test_what_runs_again_and_what_is_stale() -> None:
    driver = Driver(node("a"), node("n", "a")).finish("a").finish("n")
    driver.verb(verbs.RetryNode, "a").finish("a", 1)
    assert why(driver, "n")[-1] == "n is stale: a runs again"
    driver.verb(verbs.Rerun, start="a").finish("a")
    assert why(driver, "n")[-1] == "n runs as generation 2: rerun from a"


def test_overrides_name_the_person() -> None:
    driver = Driver(node("a"), node("n", "a"))
    driver.do(verbs.OverrideInput(run=1, node="n", input={"x": 1}, reason="try it"))
    assert why(driver, "n")[-1] == "the input of n is overridden by ada (try it)"
    driver.finish("a").do(verbs.OverrideOutput(run=1, node="a", output=msgspec.Raw(b"1")))
    assert why(driver, "a")[-1] == "the output of a is overridden"


def test_a_node_of_an_ended_run_that_never_ran() -> None:
    driver = Driver(node("a"), node("n", "a")).fail("a")
    assert why(driver, "n") == ["n was cancelled: a failed: ValueError: a broke"]


def test_nothing_starts_during_a_compensation() -> None:
    driver = Driver(node("a", compensate=undo()), node("c"), node("n", "c")).finish("a")
    driver.verb(verbs.Compensate, nodes=("a",)).finish("c")
    assert why(driver, "n") == ["run 1 is being undone; nothing else starts meanwhile"]


def test_an_unknown_node_is_a_key_error() -> None:
    driver = Driver(node("a"))
    with pytest.raises(KeyError):
        explain(driver.state, driver.run(), "z")


def test_a_fallback_does_not_make_a_success_of_the_attempt_it_stands_in_for() -> None:
    driver = Driver(node("n", fallback=Fallback(value=1), retry=Retry(max_attempts=2)))
    driver.fail("n").tick(10).fail("n")
    said = "attempt 2 of n failed (ValueError: n broke); its fallback stands in"
    assert (driver.states["n"], why(driver, "n")) == ("succeeded", [said])
    own = Driver(node("n", fallback=StandIn(kind=PythonSettings(call="m:instead")))).fail("n")
    assert why(own.finish("n"), "n") == ["attempt 2 of n was one at its fallback, and succeeded"]
    other = Driver(
        node("n", fallback=StandInNode(node="s")), node("s", Edge(source="n", on="fallback"))
    )
    assert why(other.fail("n").finish("s"), "n") == [
        "attempt 1 of n failed (ValueError: n broke); s stands in"
    ]
