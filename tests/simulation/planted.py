"""Bugs planted into the core, one at a time: what the simulation is worth is how many of them it finds."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import msgspec

from studio.core import endings, gates, joins, reactions, standing, starts, turn
from studio.core import events as facts
from studio.core.decide import attempts as decide_attempts
from studio.core.decide import decision, verdicts
from studio.core.evolve import flights, fold, graph
from studio.core.evolve import nodes as evolve_nodes
from studio.core.resilience import compensation, retry

Plant = Callable[[], AbstractContextManager[Any]]


def start_while_paused() -> AbstractContextManager[Any]:
    """Ready nodes start although the run is paused."""
    real = gates.gate_of

    def gate_of(run: Any, node: Any) -> str | None:
        found = real(run, node)
        return None if found == "pause" else found

    return _everywhere("gate_of", gate_of, starts, reactions, standing)


def start_while_held() -> AbstractContextManager[Any]:
    """A hold does not keep a node from starting."""
    real = gates.gate_of

    def gate_of(run: Any, node: Any) -> str | None:
        found = real(run, node)
        return None if found == "hold" else found

    @contextmanager
    def planted() -> Iterator[None]:
        offer = reactions._offer

        def _offer(state: Any, run: Any, node: Any) -> None:
            gate, node.gate = node.gate, None if node.gate == "hold" else node.gate
            offer(state, run, node)
            node.gate = gate

        with (
            _everywhere("gate_of", gate_of, starts, reactions, standing),
            patch.object(reactions, "_offer", _offer),
        ):
            yield

    return planted()


def ignore_locks() -> AbstractContextManager[Any]:
    """Nobody asks whether a lock is free."""
    return _everywhere("locks_free", lambda state, run, node: True, starts, endings)


def undo_without_locks() -> AbstractContextManager[Any]:
    """An undo does not ask whether somebody else works on what it is to take back."""
    return patch.object(endings, "locks_free", lambda state, run, node: True)


def one_too_many_in_flight() -> AbstractContextManager[Any]:
    """The limit of a run is off by one."""

    def is_full(state: Any, run: Any) -> bool:
        limit = run.plan.workflow.limits.max_concurrency
        return limit is not None and state.flow.per_run.get(run.number, 0) > limit

    return patch.object(starts, "is_full", is_full)


def retry_beyond_max() -> AbstractContextManager[Any]:
    """One attempt more than the policy allows."""
    real = retry.retries

    def retries(policy: Any, failure: Any, tries: int) -> bool:
        return real(policy, failure, tries - 1)

    return _everywhere("retries", retries, decide_attempts, verdicts)


def no_retry_budget() -> AbstractContextManager[Any]:
    """Retries are not counted against the budget of the run."""
    real = fold.HANDLERS[facts.AttemptFailed]

    def on_failed(state: Any, run: Any, event: Any, record: Any) -> None:
        before = run.retries
        real(state, run, event, record)
        run.retries = before

    return patch.dict(fold.HANDLERS, {facts.AttemptFailed: on_failed})


def undo_forwards() -> AbstractContextManager[Any]:
    """Compensation goes in the order of execution."""
    real = compensation.plan_undo

    def plan_undo(*args: Any, **keys: Any) -> Any:
        plan = real(*args, **keys)
        return msgspec.structs.replace(plan, steps=tuple(reversed(plan.steps)))

    return patch.object(endings, "plan_undo", plan_undo)


def undo_twice() -> AbstractContextManager[Any]:
    """A finished undo leaves the node as if it still had its effect."""
    real = fold.HANDLERS[facts.AttemptSucceeded]

    def on_succeeded(state: Any, run: Any, event: Any, record: Any) -> None:
        real(state, run, event, record)
        if event.undo:
            node = run.nodes[event.node]
            graph.become(run, node, "blocked")
            graph.become(run, node, "succeeded")

    return patch.dict(fold.HANDLERS, {facts.AttemptSucceeded: on_succeeded})


def accept_late_results() -> AbstractContextManager[Any]:
    """A result of a closed attempt is taken for one of the open attempt."""

    def finish_attempt(state: Any, run: Any, command: Any, now: float) -> Any:
        node = run.nodes.get(command.node)
        if node is not None and command.attempt != node.attempt and node.status == "running":
            command = msgspec.structs.replace(command, attempt=node.attempt)
        elif node is not None and node.status == "succeeded" and not command.undo:
            succeeded = facts.AttemptSucceeded
            return [succeeded(command.node, command.attempt, output=command.output)]
        return real(state, run, command, now)

    real = decide_attempts.finish_attempt
    return patch.object(decide_attempts, "finish_attempt", finish_attempt)


def skip_any_too_early() -> AbstractContextManager[Any]:
    """``join: any`` is skipped as soon as one edge is dead."""
    real = joins.join_verdict

    def join_verdict(node: Any) -> str:
        if node.plan.node.join == "any" and node.dead:
            return "skip"
        return real(node)

    return patch.object(joins, "join_verdict", join_verdict)


def start_before_all() -> AbstractContextManager[Any]:
    """``join: all`` is content with one edge."""
    real = joins.join_verdict

    def join_verdict(node: Any) -> str:
        if node.plan.node.join == "all" and node.taken and not node.dead:
            return "go"
        return real(node)

    return patch.object(joins, "join_verdict", join_verdict)


def backoff_under_pause() -> AbstractContextManager[Any]:
    """Timers of retries go on while the run is paused."""
    real = fold.HANDLERS[facts.RunPaused]

    def on_paused(state: Any, run: Any, event: Any, record: Any) -> None:
        timers = {key: at for key, at in state.flow.timers.items() if key.run == run.number}
        real(state, run, event, record)
        for key, at in timers.items():
            flights.set_timer(state, run, key.kind, at, key.node, key.undo)

    def fire_timer(state: Any, run: Any, command: Any, now: float) -> Any:
        paused, run.paused = run.paused, False
        found = real_fire(state, run, command, now)
        run.paused = paused
        return found

    real_fire = decide_attempts.fire_timer

    @contextmanager
    def planted() -> Iterator[None]:
        with (
            patch.dict(fold.HANDLERS, {facts.RunPaused: on_paused}),
            patch.object(decide_attempts, "fire_timer", fire_timer),
        ):
            yield

    return planted()


def cancel_leaves_attempts() -> AbstractContextManager[Any]:
    """A cancelled run ends without waiting for what is in flight."""
    real = endings.end_run

    def end_run(state: Any, run: Any, now: float) -> Any:
        flying, run.flying = run.flying, 0
        unsettled = run.open
        if run.cancelled:
            run.open = 0
        found = real(state, run, now)
        run.flying, run.open = flying, unsettled
        return found

    return patch.object(reactions, "end_run", end_run)


def forget_commands() -> AbstractContextManager[Any]:
    """A command sent twice is decided twice."""

    def decide(state: Any, command: Any, now: float) -> Any:
        state.commands.pop(command.id, None)
        return decision.decide(state, command, now)

    return patch.object(turn, "decide", decide)


def restart_what_ran() -> AbstractContextManager[Any]:
    """After a crash an attempt whose child had been released is started again under the same number."""
    from studio.engine import recovery

    def _take_up(engine: Any, executor: Any, number: int, effects: Any, found: Any) -> Any:
        for effect in effects:
            yield effect._replace(stage="start") if hasattr(effect, "stage") else effect

    return patch.object(recovery, "_take_up", _take_up)


def lose_interruptions() -> AbstractContextManager[Any]:
    """An attempt that a crash interrupted is thought to have run on."""
    return patch.object(decide_attempts, "_lose", lambda state, run, node, detail, now: [])


def rise_no_generation() -> AbstractContextManager[Any]:
    """A node that runs again after success keeps its idempotency key."""
    real = evolve_nodes._reset

    def _reset(state: Any, run: Any, node: Any, keep: bool, position: int) -> None:
        generation = node.generation
        real(state, run, node, keep, position)
        node.generation = generation

    return patch.object(evolve_nodes, "_reset", _reset)


def forget_timeouts() -> AbstractContextManager[Any]:
    """Nobody ends an attempt whose time is over."""
    return patch.object(decide_attempts, "_pass_deadline", lambda state, run, node, undo, now: [])


def reach_too_far() -> AbstractContextManager[Any]:
    """Holding one node holds them all."""
    real = fold.HANDLERS[facts.NodeHeld]

    def on_held(state: Any, run: Any, event: Any, record: Any) -> None:
        for path in list(run.nodes):
            if run.nodes[path].status in ("blocked", "ready"):
                real(state, run, msgspec.structs.replace(event, node=path), record)

    return patch.dict(fold.HANDLERS, {facts.NodeHeld: on_held})


def _everywhere(name: str, planted: Any, *modules: Any) -> AbstractContextManager[Any]:
    stack = ExitStack()
    for module in modules:
        if hasattr(module, name):
            stack.enter_context(patch.object(module, name, planted))
    return stack


PLANTS: tuple[Plant, ...] = (
    start_while_paused,
    start_while_held,
    ignore_locks,
    undo_without_locks,
    one_too_many_in_flight,
    retry_beyond_max,
    no_retry_budget,
    undo_forwards,
    undo_twice,
    accept_late_results,
    skip_any_too_early,
    start_before_all,
    backoff_under_pause,
    cancel_leaves_attempts,
    forget_commands,
    restart_what_ran,
    lose_interruptions,
    rise_no_generation,
    forget_timeouts,
    reach_too_far,
)
