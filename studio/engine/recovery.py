"""Taking up runs whose engine died: what was open is adopted, run again, or put in doubt; never guessed."""

import asyncio
from collections.abc import Iterable

import msgspec

from studio.core.commands import AnyCommand, FinishAttempt, Refusal
from studio.core.effects import AttemptEffect, Effect
from studio.core.state import Flight, NodeState
from studio.engine.loop import Answer, Engine
from studio.engine.orders import RunContext, result_file
from studio.engine.reports import attempt_key, finish_command
from studio.ports import Executor


class Recovered(msgspec.Struct):
    """What was found open, as counts of attempts.

    Args:
        restarted: their child had never been let through its gate; they start now, for the first time.
        adopted: their result had been left behind.
        lost: without a result; run again or in doubt, as their side effects say.
        runs: the runs, by number.
        refusal: why the first command was not taken; None when it was, or there was none.
    """

    restarted: int = 0
    adopted: int = 0
    lost: int = 0
    runs: list[int] = msgspec.field(default_factory=list)
    refusal: Refusal | None = None


async def recover(
    engine: Engine,
    executor: Executor,
    contexts: dict[int, RunContext],
    first: AnyCommand | None = None,
) -> Recovered:
    """Load runs and take up what they had open.

    Idempotent: nothing is decided here that a second crash could not decide again from the same history.

    Args:
        engine: open, with the definitions of the runs added.
        executor: asked to end children of the earlier engine and to look for their results.
        contexts: the runs to take up, with the environment each is to continue in.
        first: decided before anything is taken up, so that a gate it closes is closed by then.

    Raises:
        NotFoundError, DamagedError: a run cannot be read.
    """
    found = Recovered()
    open_effects: list[Effect] = []
    answers: list[asyncio.Future[Answer]] = []

    def load() -> None:
        for number, context in contexts.items():
            engine.contexts[number] = context
            effects = engine.load_run(number)
            found.runs.append(number)
            if first is not None and first.run == number:
                answers.append(engine.enqueue(first))
            open_effects.extend(_take_up(engine, executor, number, effects, found))
        if not answers:
            engine.take_up(open_effects)

    await engine.between_turns(load)
    for answer in answers:
        found.refusal = await answer
        await engine.between_turns(lambda: engine.take_up(open_effects))
    return found


def _take_up(
    engine: Engine, executor: Executor, number: int, effects: Iterable[Effect], found: Recovered
) -> Iterable[Effect]:
    """Effects that stay to be carried out as they are; the rest becomes commands."""
    for effect in effects:
        if not isinstance(effect, AttemptEffect):
            yield effect
            continue
        node = engine.state.runs[number].nodes[effect.flight.node]
        never_ran = node.pid == 0 and effect.stage == "start"
        if never_ran and not _ran_ungated(node, undo=effect.flight.undo):
            found.restarted += 1
            yield effect
            continue
        engine.post(_settle(engine, executor, effect.flight, found))


def _settle(engine: Engine, executor: Executor, flight: Flight, found: Recovered) -> FinishAttempt:
    run = engine.state.runs[flight.run]
    node = run.nodes[flight.node]
    path = result_file(engine.contexts[flight.run], run, flight)
    outcome = executor.recover(node.pid, node.pid_started, path) if node.pid else None
    engine.expect_result(flight, path)
    if outcome is not None:
        found.adopted += 1
        return finish_command(attempt_key(flight), outcome)
    if node.stopping:
        # It was on its way to an end that had been asked for.
        return FinishAttempt(
            run=flight.run,
            node=flight.node,
            undo=flight.undo,
            attempt=flight.attempt,
            outcome="stopped",
        )
    found.lost += 1
    return FinishAttempt(
        run=flight.run,
        node=flight.node,
        undo=flight.undo,
        attempt=flight.attempt,
        outcome="lost",
        detail="the engine ended while it was running",
    )


def _ran_ungated(node: NodeState, *, undo: bool) -> bool:
    """Whether the attempt may have begun although no child of its own is known: the shared worker has no gate."""
    backward = node.plan.undo.definition if undo and node.plan.undo is not None else None
    planned = backward if backward is not None else node.work.definition
    return planned.isolation == "shared" and planned.kind.uses == "python"
