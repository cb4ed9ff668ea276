"""A command that only records what it is asked: nothing starts until an engine drives the run."""

from __future__ import annotations

from studio.core import commands as verbs
from studio.core.commands import AnyCommand
from studio.core.effects import due
from studio.core.events import AttemptStarted
from studio.core.turn import take_turn
from studio.core.why import explain
from tests.unit.core.driver import Driver, node, undo, workflow


def record(driver: Driver, *commands: AnyCommand) -> None:
    """Take the commands without starting anything."""
    named = [driver._named(command, "ada") for command in commands]
    outcome = take_turn(driver.state, named, driver.now, driven=False)
    assert outcome.refusals == {}
    assert not outcome.more
    driver.records.extend(outcome.records)


def drive(driver: Driver) -> Driver:
    """Go on as the engine does that drives the run: from a state folded from the history."""
    driver.state = driver.replayed()
    driver.timers = dict(driver.state.flow.timers)
    due(driver.state)
    driver.send()
    return driver


def left(driver: Driver, path: str) -> list[str]:
    """Why a node is as it is, where nobody drives its run."""
    found = explain(driver.state, driver.run(), path, driver.now, driven=False)
    return [reason.text for reason in found]


def detached() -> Driver:
    """A run that was only recorded, read back from its history."""
    driver = Driver()
    plan_of = Driver(node("a", timeout=5))
    driver.plans.update(plan_of.plans)
    version = next(iter(driver.plans))
    record(driver, verbs.StartRun(run=1, run_id="r", version=version))
    return driver


def test_a_recorded_run_starts_nothing_until_it_is_driven() -> None:
    driver = detached()
    assert driver.of(AttemptStarted) == []
    assert left(driver, "a") == ["nobody drives run 1; `studio resume 1` goes on with the run"]
    driver.now += 100
    drive(driver)
    assert driver.at("a").started_at == driver.now
    driver.tick(4).finish("a")
    assert driver.shown() == "succeeded"


def test_a_recorded_undo_starts_nothing_until_it_is_driven() -> None:
    driver = Driver(node("a", compensate=undo())).finish("a")
    record(driver, verbs.Compensate(run=1))
    assert driver.undone() == []
    drive(driver).finish("a", undo=True)
    assert driver.shown() == "compensated"


def test_a_recorded_retry_is_the_person_s_own() -> None:
    driver = Driver(node("a"), node("b", "a"), policy="hold").fail("a")
    driver.verb(verbs.PauseRun)
    record(driver, verbs.RetryNode(run=1, node="a"))
    assert driver.flights() == []
    drive(driver)
    assert driver.states["a"] == "running"


def test_why_tells_what_an_engine_left_behind() -> None:
    driver = Driver(
        node("a", compensate=undo()), node("b", "a"), node("each", foreach=[1]), node("z", "b")
    )
    driver.finish("a")
    assert left(driver, "b") == [
        "attempt 1 of b was under way when the engine of run 1 ended;"
        " `studio resume 1` goes on with the run"
    ]
    assert left(driver, "each")[:2] == [
        "nobody drives run 1; `studio resume 1` goes on with the run",
        "each waits for 1 of its 1 items",
    ]
    assert left(driver, "z") == ["z waits for b, which is running"]
    driver.verb(verbs.PauseRun)
    assert left(driver, "b") == ["b runs its attempt 1 for 0 s"]
    driver.verb(verbs.ResumeRun).fail("b").finish("each[0]")
    assert left(driver, "a")[0] == (
        "the undo of a was under way when the engine of run 1 ended;"
        " `studio resume 1` goes on with the run"
    )
    driver.finish("a", undo=True)
    assert left(driver, "b") == [
        "b failed (ValueError: b broke); the policy `fail` makes the run fail"
    ]


def test_what_waits_for_a_moment_waits_for_an_engine_too() -> None:
    driver = Driver()
    driver.start(workflow(node("a"), name="x"))
    driver.finish("a").verb(verbs.RetryNode, "a")
    assert left(driver, "a")[0].startswith("attempt 2 of a was under way")
