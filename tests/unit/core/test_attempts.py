"""Retries, time limits, fallbacks, repeats, waits, and the ends that executors report."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest

from studio.core import commands as verbs
from studio.core.events import (
    AttemptFailed,
    AttemptInterrupted,
    AttemptStarted,
    AttemptStopRequested,
    ChildSpawned,
    FallbackUsed,
    ResultIgnored,
    RunFailing,
    RunTimedOut,
)
from studio.core.resilience.retry import delay
from studio.core.state import TimerKind
from studio.model.failure import Failure
from studio.model.nodes import WaitSettings
from studio.model.policies import Fallback, Limits, Repeat, Retry
from studio.model.terms import ErrorCategory
from tests.unit.core.driver import START, Driver, node


def waits(driver: Driver, name: str = "n") -> list[float]:
    """Seconds until each retry, as the history has them."""
    found = []
    for record in driver.records:
        event = record.event
        if isinstance(event, AttemptFailed) and event.retry_at is not None and event.node == name:
            found.append(round(event.retry_at - record.at, 6))
    return found


def exhaust(policy: Retry) -> Driver:
    driver = Driver(node("n", retry=policy))
    while driver.flights():
        driver.fail("n").tick(1000)
    return driver


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (Retry(strategy="none", jitter=0), []),
        (Retry(strategy="fixed", max_attempts=4, initial_delay=2, jitter=0), [2, 2, 2]),
        (Retry(strategy="linear", max_attempts=4, initial_delay=2, jitter=0), [2, 4, 6]),
        (Retry(strategy="exponential", max_attempts=4, initial_delay=2, jitter=0), [2, 4, 8]),
        (Retry(max_attempts=4, initial_delay=1, multiplier=3, jitter=0), [1, 3, 9]),
        (Retry(max_attempts=4, initial_delay=2, max_delay=5, jitter=0), [2, 4, 5]),
        (Retry(max_attempts=1, jitter=0), []),
    ],
)
def test_strategies(policy: Retry, expected: list[float]) -> None:
    driver = exhaust(policy)
    assert waits(driver) == expected
    assert driver.at("n").attempt == len(expected) + 1
    assert driver.shown() == "failed"


def test_jitter_stays_within_its_share_and_follows_from_the_history() -> None:
    policy = Retry(strategy="fixed", max_attempts=9, initial_delay=10, jitter=0.25)
    first, second = waits(exhaust(policy)), waits(exhaust(policy))
    assert first == second
    assert all(7.5 <= wait <= 12.5 for wait in first)
    assert len(set(first)) > 1


def test_the_cap_applies_before_the_jitter() -> None:
    policy = Retry(initial_delay=100, max_delay=10, jitter=0.5)
    assert any(delay(policy, 3, str(seed)) > 10 for seed in range(50))


@pytest.mark.parametrize(
    ("keys", "category", "type_", "again"),
    [
        ({}, "transient", "ValueError", True),
        ({}, "unexpected", "KeyError", True),
        ({}, "validation", "SchemaError", False),
        ({"retry_on": ("validation",)}, "validation", "SchemaError", True),
        ({"retry_on": ("KeyError",)}, "unexpected", "KeyError", True),
        ({"retry_on": ("KeyError",)}, "transient", "OSError", False),
        ({"do_not_retry_on": ("transient",)}, "transient", "OSError", False),
        ({"retry_on": ("requests.exceptions.OSError",)}, "unexpected", "OSError", True),
        ({"retry_on": ("requests.OSError",)}, "unexpected", "ValueError", False),
        ({"do_not_retry_on": ("builtins.OSError",)}, "transient", "OSError", False),
        (
            {"retry_on": ("OSError",), "do_not_retry_on": ("OSError",)},
            "transient",
            "OSError",
            False,
        ),
    ],
)
def test_lists_of_errors(
    keys: dict[str, Any], category: ErrorCategory, type_: str, again: bool
) -> None:
    driver = Driver(node("n", retry=Retry(**keys))).fail("n", type_, category)
    assert (driver.states["n"] == "backing_off") is again


def test_bases_of_an_error_count() -> None:
    driver = Driver(node("n", retry=Retry(retry_on=("OSError",))))
    failure = Failure("ConnectionError", "no", "unexpected", bases=("OSError", "Exception"))
    driver._end("n", 1, False, outcome="failed", failure=failure)
    assert driver.states["n"] == "backing_off"


def test_on_screen_a_bug_is_not_retried() -> None:
    driver = Driver(node("n", retry=Retry()), surface="screen", policy="hold")
    driver.fail("n", "KeyError", "unexpected")
    assert driver.states["n"] == "failed"
    assert driver.shown() == "attention"


def test_an_automatic_retry_takes_the_recorded_input_and_a_manual_one_computes_it() -> None:
    slow = Retry(strategy="fixed", initial_delay=5, jitter=0)
    driver = Driver(
        node("a"), node("n", "a", input={"x": "{{ nodes.a.output }}"}, retry=slow), node("x")
    )
    driver.finish("a", 1).fail("n")
    driver.verb(verbs.OverrideOutput, "a", output=raw(2)).tick(5).fail("n")
    driver.verb(verbs.RetryNode, "n")
    inputs = [(event.reuse, event.input) for event in driver.of(AttemptStarted, "n")]
    assert inputs == [(0, {"x": 1}), (1, None), (0, {"x": 2})]


def test_an_override_wins_in_the_next_attempt_also_an_automatic_one() -> None:
    slow = Retry(strategy="fixed", max_attempts=5, initial_delay=5, jitter=0)
    driver = Driver(node("n", input={"x": 1}, retry=slow)).fail("n")
    driver.verb(verbs.OverrideInput, "n", input={"x": 9}).tick(5).fail("n").tick(5).fail("n")
    driver.verb(verbs.OverrideInput, "n", revert=True).tick(5)
    inputs = [(event.reuse, event.input) for event in driver.of(AttemptStarted, "n")]
    assert inputs == [(0, {"x": 1}), (0, {"x": 9}), (2, None), (0, {"x": 1})]


def raw(value: Any) -> Any:
    return msgspec.Raw(msgspec.json.encode(value))


def test_a_manual_retry_starts_a_new_series() -> None:
    driver = Driver(node("n", retry=Retry(strategy="fixed", max_attempts=2, jitter=0)))
    driver.fail("n").tick(1).fail("n").verb(verbs.RetryNode, "n").fail("n")
    assert driver.states["n"] == "backing_off"
    assert driver.at("n").attempt == 3


def test_the_retry_budget_bounds_the_whole_run() -> None:
    fast = Retry(strategy="fixed", max_attempts=9, initial_delay=1, jitter=0)
    driver = Driver(
        node("a", retry=fast),
        node("b", retry=fast),
        limits=Limits(retry_budget=3),
        policy="continue",
    )
    for _ in range(3):
        for name in ("a", "b"):
            if driver.open_attempt(name):
                driver.fail(name)
        driver.tick(1)
    assert len(driver.of(AttemptFailed)) == 5
    assert len(waits(driver, "a")) + len(waits(driver, "b")) == 3
    assert driver.shown() == "failed"


def test_a_timeout_stops_the_attempt_and_fails_it_as_timeout() -> None:
    driver = Driver(node("n", timeout=3)).tick(2.9)
    assert driver.of(AttemptStopRequested) == []
    driver.tick(0.2)
    assert driver.of(AttemptStopRequested)[0].cause == "timeout"
    driver.end("n", "vanished")
    failure = driver.at("n").failure
    assert failure is not None
    assert (failure.type, failure.category) == ("TimeoutError", "timeout")
    assert failure.message == "no result within 3 s"


def test_a_result_that_comes_before_the_stop_took_effect_counts() -> None:
    driver = Driver(node("n", timeout=3)).tick(3).finish("n", 1)
    assert driver.shown() == "succeeded"


def test_a_child_that_dies_fails_as_interrupted() -> None:
    driver = Driver(node("n")).end("n", "vanished")
    failure = driver.at("n").failure
    assert failure is not None
    assert (failure.type, failure.category) == ("ChildDied", "interrupted")


@pytest.mark.parametrize("outcome", ["stopped", "vanished", "lost"])
def test_what_was_cancelled_is_cancelled_however_it_ends(outcome: str) -> None:
    driver = Driver(node("n", retry=Retry()), node("x")).verb(verbs.CancelNode, "n")
    driver.end("n", outcome)
    assert driver.states["n"] == "cancelled"
    assert driver.at("n").cause == "cancelled by ada"


def test_late_duplicate_and_forged_results_are_recorded_as_ignored() -> None:
    driver = Driver(node("n"), node("x"), node("y", "n"))
    driver.finish("n", 1)
    late = verbs.FinishAttempt(run=1, node="n", attempt=1, output=raw(2))
    forged = verbs.FinishAttempt(run=1, node="n", attempt=7)
    unknown = verbs.FinishAttempt(run=1, node="nope", attempt=1)
    driver.do(late).do(forged).do(unknown)
    assert [event.attempt for event in driver.of(ResultIgnored)] == [1, 7]
    assert driver.output("n") == 1


def test_a_spawn_is_recorded_once_and_only_for_an_open_attempt() -> None:
    driver = Driver(node("n"), node("x"))
    spawn = verbs.RecordSpawn(run=1, node="n", attempt=1, pid=5, started=7)
    driver.do(spawn).do(spawn)
    assert len(driver.of(ChildSpawned)) == 1
    driver.finish("n").do(spawn)
    assert len(driver.of(ChildSpawned)) == 1


def test_a_fallback_stands_in_when_the_attempts_are_used_up() -> None:
    driver = Driver(
        node("n", fallback=Fallback(value={"x": "{{ params.p }}"}), retry=Retry(max_attempts=2)),
        node("b", "n"),
        params={"p": 4},
    )
    driver.fail("n")
    assert driver.of(FallbackUsed) == []
    driver.tick(60).fail("n")
    assert driver.output("n") == {"x": 4}
    assert driver.at("n").marks == {"degraded"}
    driver.finish("b")
    assert driver.shown() == "succeeded"
    assert driver.run().degraded


def test_a_broken_fallback_is_the_failure() -> None:
    driver = Driver(node("n", fallback=Fallback(value="{{ 1 < 'a' }}"))).fail("n")
    failure = driver.at("n").failure
    assert failure is not None
    assert failure.message.startswith("fallback.value: ")
    assert driver.shown() == "failed"


def polling(**keys: Any) -> Driver:
    repeat = Repeat(until="output.ready", every=5, **keys)
    return Driver(node("n", repeat=repeat, retry=Retry(strategy="fixed", jitter=0, max_attempts=2)))


def test_a_repeat_runs_again_until_its_condition_holds() -> None:
    driver = polling().finish("n", {"ready": False})
    assert driver.states["n"] == "waiting"
    driver.tick(4.9)
    assert driver.flights() == []
    driver.tick(0.2).finish("n", {"ready": False}).tick(5).finish("n", {"ready": True, "v": 3})
    assert driver.output("n") == {"ready": True, "v": 3}
    assert [event.iteration for event in driver.of(AttemptStarted)] == [0, 1, 2]
    assert driver.shown() == "succeeded"


def test_retries_are_per_iteration() -> None:
    driver = polling().fail("n").tick(1).finish("n", {"ready": False}).tick(5)
    driver.fail("n").tick(1).finish("n", {"ready": True})
    assert [event.iteration for event in driver.of(AttemptStarted)] == [0, 0, 1, 1]
    assert driver.shown() == "succeeded"


def test_a_repeat_gives_up_after_its_last_iteration_and_a_retry_begins_anew() -> None:
    driver = polling(max=2).finish("n", {"ready": False}).tick(5).finish("n", {"ready": False})
    driver.tick(1)
    failure = driver.at("n").failure
    assert failure is not None
    assert failure.message == "the condition is still false after 2 iterations"
    driver.verb(verbs.RetryNode, "n").finish("n", {"ready": False})
    assert driver.states["n"] == "waiting"


def test_a_broken_condition_of_a_repeat_fails_the_node() -> None:
    driver = Driver(node("n", repeat=Repeat(until="output < 'a'"))).finish("n", 1)
    failure = driver.at("n").failure
    assert failure is not None
    assert failure.message.startswith("repeat.until: ")


def test_a_wait_is_over_at_its_time_and_runs_nothing() -> None:
    driver = Driver(node("n", kind=WaitSettings(duration=60.0)), node("b", "n"))
    assert driver.states["n"] == "waiting"
    assert driver.shown() == "running"
    driver.tick(59.9)
    assert driver.states["n"] == "waiting"
    driver.tick(0.2)
    assert driver.states["b"] == "running"
    assert driver.launched[0].node == "b"


@pytest.mark.parametrize(
    ("kind", "until"),
    [
        (WaitSettings(duration="{{ params.d }}"), START + 90),
        (WaitSettings(until="1970-01-12T13:48:20Z"), START + 100),
    ],
)
def test_a_wait_by_template_or_until_a_moment(kind: WaitSettings, until: float) -> None:
    driver = Driver(node("n", kind=kind), params={"d": "1m30s"})
    assert driver.at("n").wake == until


def test_a_wait_for_what_is_no_time_fails() -> None:
    driver = Driver(node("n", kind=WaitSettings(duration="{{ params.d }}")), params={"d": "soon"})
    failure = driver.at("n").failure
    assert failure is not None
    assert failure.type == "ValueError"


def test_a_wait_longer_than_its_timeout_fails() -> None:
    driver = Driver(node("n", kind=WaitSettings(duration=60.0), timeout=5)).tick(5)
    failure = driver.at("n").failure
    assert failure is not None
    assert failure.message == "still waiting after 5 s"
    assert driver.timers == {}


def test_an_interrupted_attempt_runs_again_without_spending_retries() -> None:
    driver = Driver(node("n", retry=Retry(max_attempts=2))).end("n", "lost").end("n", "lost")
    assert driver.at("n").attempt == 3
    assert driver.at("n").tries == 1
    assert len(driver.of(AttemptInterrupted)) == 2


def test_a_node_that_takes_the_engine_down_five_times_fails() -> None:
    driver = Driver(node("n"))
    for _ in range(4):
        driver.end("n", "lost")
    assert driver.states["n"] == "running"
    driver.end("n", "lost")
    failure = driver.at("n").failure
    assert failure is not None
    assert failure.message.startswith("interrupted 5 times in a row")


def test_an_interruption_in_a_failing_run_starts_nothing() -> None:
    driver = Driver(node("n"), node("bad")).fail("bad").end("n", "lost")
    assert driver.states["n"] == "cancelled"
    assert driver.shown() == "failed"


def test_an_external_attempt_whose_engine_died_is_in_doubt() -> None:
    driver = Driver(node("n", side_effects="external")).end("n", "lost")
    assert driver.states["n"] == "in_doubt"
    assert driver.shown() == "attention"


def test_the_time_limit_of_a_run_stops_what_runs_and_fails_it() -> None:
    driver = Driver(node("a"), node("b", "a"), limits=Limits(timeout=10)).tick(10)
    assert driver.of(AttemptStopRequested)[0].cause == "run"
    driver.end("a", "stopped")
    assert driver.states == {"a": "cancelled", "b": "cancelled"}
    assert driver.shown() == "failed"
    assert driver.run().message == "the run took longer than its limit of 10 s"


def test_the_time_limit_of_a_run_stands_still_while_it_is_paused() -> None:
    driver = Driver(node("a"), limits=Limits(timeout=10)).tick(4).verb(verbs.PauseRun).tick(100)
    assert driver.of(RunTimedOut) == []
    driver.verb(verbs.ResumeRun).tick(5.9)
    assert driver.of(RunTimedOut) == []
    driver.tick(0.2)
    assert len(driver.of(RunTimedOut)) == 1
    assert len(driver.of(RunFailing)) == 1


def test_a_run_that_waits_for_a_person_has_no_time_limit() -> None:
    driver = Driver(node("a"), policy="hold", limits=Limits(timeout=10)).fail("a").tick(10)
    assert driver.shown() == "attention"


def test_a_timer_that_is_waited_for_no_longer_makes_no_fact() -> None:
    driver = Driver(node("n", timeout=3, retry=Retry()), limits=Limits(timeout=9)).finish("n")
    count = len(driver.records)
    for kind in get_args(TimerKind):
        driver.do(verbs.FireTimer(run=1, kind=kind, node="n"))
    assert len(driver.records) == count


def test_the_time_limit_of_an_earlier_attempt_does_not_end_a_later_one() -> None:
    driver = Driver(node("n", timeout=30))
    driver.tick(5)
    count = len(driver.records)
    driver.do(verbs.FireTimer(run=1, kind="deadline", node="n"))
    assert len(driver.records) == count
    driver.tick(26)
    assert len(driver.records) > count


def test_a_retried_wait_keeps_the_time_it_was_given() -> None:
    driver = Driver(
        node(
            "n",
            kind=WaitSettings(duration="{{ params.d }}"),
            timeout=5,
            retry=Retry(strategy="fixed", initial_delay=1, jitter=0),
        ),
        params={"d": "90s"},
    )
    driver.tick(6)
    assert driver.at("n").attempt == 2
    assert driver.at("n").wake == START + 6 + 90


def test_a_wait_until_a_moment_in_seconds() -> None:
    driver = Driver(node("a"), node("n", "a", kind=WaitSettings(until="{{ nodes.a.output }}")))
    driver.finish("a", START + 42)
    assert driver.at("n").wake == START + 42
