"""A run with a node ``n`` in each state a node can be in."""

from __future__ import annotations

from collections.abc import Callable

from studio.core import commands as verbs
from studio.model.nodes import Edge, WaitSettings
from studio.model.policies import CompensationPolicy, Repeat, Retry
from tests.unit.core.driver import Driver, node, undo

SLOW = Retry(strategy="fixed", max_attempts=3, initial_delay=10, jitter=0)
NEVER = CompensationPolicy(when="never")


def blocked() -> Driver:
    return Driver(node("a"), node("n", "a"), node("z", "n"))


def ready() -> Driver:
    return Driver(node("a", locks=("l",)), node("n", locks=("l",)), node("z", "n"))


def running() -> Driver:
    return Driver(node("n", compensate=undo()), node("z", "n"))


def stopping() -> Driver:
    return running().verb(verbs.CancelNode, "n")


def waiting() -> Driver:
    return Driver(node("n", kind=WaitSettings(duration=60.0)), node("z", "n"))


def repeating() -> Driver:
    driver = Driver(node("n", repeat=Repeat(until="output == 1", every=5)), node("z", "n"))
    return driver.finish("n", 0)


def backing_off() -> Driver:
    return Driver(node("n", retry=SLOW), node("z", "n")).fail("n")


def held() -> Driver:
    driver = Driver(node("a"), node("n", "a"), node("z", "n")).verb(verbs.HoldNode, "n")
    return driver.finish("a")


def at_breakpoint() -> Driver:
    driver = Driver(node("a"), node("n", "a"), node("z", "n")).verb(verbs.SetBreakpoint, "n")
    return driver.finish("a")


def succeeded() -> Driver:
    return Driver(node("n", compensate=undo()), node("x"), node("z", "n")).finish("n", 1)


def stopped_after() -> Driver:
    driver = Driver(node("n", compensate=undo()), node("z", "n"))
    return driver.verb(verbs.SetBreakpoint, "n", on="after").finish("n", 1)


def reused() -> Driver:
    driver = Driver(node("a"), node("n", "a", compensate=undo()), node("x"))
    driver.finish("a", 1).finish("n", 1)
    return driver.verb(verbs.RetryNode, "a", downstream=True).finish("a", 1)


def failed_held() -> Driver:
    return Driver(node("n"), node("z", "n"), policy="hold").fail("n")


def failed_over() -> Driver:
    return Driver(node("n"), node("z", "n")).fail("n")


def handling() -> Driver:
    return Driver(node("n"), node("h", Edge(source="n", on="failure"))).fail("n")


def stopped_on_failure() -> Driver:
    driver = Driver(node("n"), node("z", "n"))
    return driver.verb(verbs.SetBreakpoint, "n", on="failure").fail("n")


def in_doubt() -> Driver:
    return Driver(node("n", side_effects="external"), node("x"), node("z", "n")).end("n", "lost")


def skipped() -> Driver:
    return Driver(node("a"), node("n", Edge(source="a", on="failure")), node("x")).finish("a")


def cancelled() -> Driver:
    driver = Driver(node("n"), node("x"), node("z", "n")).verb(verbs.CancelNode, "n")
    return driver.end("n", "stopped")


def compensating() -> Driver:
    return Driver(node("n", compensate=undo()), node("bad", "n")).finish("n").fail("bad")


def undo_backing_off() -> Driver:
    return compensating().fail("n", undo=True)


def compensated() -> Driver:
    return compensating().finish("n", undo=True)


def compensation_failed() -> Driver:
    driver = Driver(node("n", compensate=undo(retry=Retry(strategy="none"))), node("bad", "n"))
    return driver.finish("n").fail("bad").fail("n", undo=True)


def ended() -> Driver:
    return Driver(node("n", compensate=undo())).finish("n", 1)


SCENES: dict[str, Callable[[], Driver]] = {
    scene.__name__: scene
    for scene in (
        blocked,
        ready,
        running,
        stopping,
        waiting,
        repeating,
        backing_off,
        held,
        at_breakpoint,
        succeeded,
        stopped_after,
        reused,
        failed_held,
        failed_over,
        handling,
        stopped_on_failure,
        in_doubt,
        skipped,
        cancelled,
        compensating,
        undo_backing_off,
        compensated,
        compensation_failed,
        ended,
    )
}
"""Name of each scene and how it is made."""
