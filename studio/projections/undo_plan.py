"""What a compensation would undo, in which order: shown before it is done."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from studio.core.commands import Compensate, Refusal
from studio.core.decide import decide
from studio.core.events import (
    CompensationFinished,
    CompensationStarted,
    Record,
    RunFailing,
    RunReopened,
)
from studio.core.plan import base_path
from studio.core.resilience.compensation import (
    is_doubtful,
    plan_undo,
    undoable,
    unfinished_undo,
)
from studio.core.state import EngineState, NodeState, RunState
from studio.model.nodes import KindSettings, PythonSettings, ShellSettings

SCRIPT_LIMIT = 60
"""Characters of a shell script's first line that name an undo."""


class UndoStep(NamedTuple):
    """One line of a compensation plan.

    Args:
        node: whose effect is taken back.
        attempt: number the undo attempt would have.
        undo: what carries it out, such as ``orders:refund``; None for a barrier without an undo.
        barrier: the node is irreversible; the plan stops here.
    """

    node: str
    attempt: int
    undo: str | None
    barrier: bool


def undo_steps(
    state: EngineState,
    run: RunState,
    nodes: Sequence[str] = (),
    *,
    downstream: bool = False,
    force: bool = False,
    reason: str = "",
) -> list[UndoStep] | Refusal:
    """The plan that ``compensate`` with the same arguments would carry out, as things stand.

    Args:
        state: the state around the run; it is only read.
        run: the run to undo.
        nodes: restrict the plan to these; empty for the whole run.
        downstream: include what follows them.
        force: go past irreversible nodes and standing dependants.
        reason: why, as a forced undo demands.

    Returns:
        Steps in the order they would be carried out, or why there would be none.
    """
    command = Compensate(
        run=run.number, nodes=tuple(nodes), downstream=downstream, force=force, reason=reason
    )
    answer = decide(state, command, 0.0)
    if isinstance(answer, Refusal):
        return answer
    wanted: set[str] | None = None
    if nodes:
        wanted = set(nodes)
        if downstream:
            wanted.update(run.plan.descendants(base_path(path) for path in nodes))
    plan = plan_undo(run, wanted, force=force, again=bool(nodes))
    steps = [_step(run.nodes[path], barrier=False) for path in plan.steps]
    if plan.barrier is not None:
        steps.append(_step(run.nodes[plan.barrier], barrier=True))
    return steps


def steps_left(run: RunState) -> list[UndoStep]:
    """What is left of the compensation under way, the step that stopped it first; empty when there is none."""
    plan = run.compensation
    if plan is None:
        return []
    nodes = [run.nodes[path] for path in plan.steps[plan.position :] if path in run.nodes]
    left = [_step(node, barrier=False) for node in nodes if undoable(node) or unfinished_undo(node)]
    if plan.barrier is not None:
        left.append(_step(run.nodes[plan.barrier], barrier=True))
    return left


def nothing_to_undo(run: RunState) -> bool:
    """Whether an undo of the whole run would find nothing to do, now or once something has told its outcome."""
    plan = plan_undo(run)
    doubtful = any(node.status == "in_doubt" for node in run.nodes.values()) or asked_first(run)
    return not plan.steps and plan.barrier is None and not doubtful


def asked_first(run: RunState, nodes: Sequence[str] = ()) -> list[str]:
    """Nodes and items whose outcome a person has to tell before a run is undone: they may have acted before they failed.

    Args:
        run: the run to undo.
        nodes: what is to be undone; an undo of chosen nodes is refused instead of asking.
    """
    if nodes or run.compensation is not None:
        return []
    return [path for path, node in run.nodes.items() if is_doubtful(node)]


class UndoList(NamedTuple):
    """A plan as a person is shown it.

    Args:
        steps: what would be undone, or is left of the compensation under way, in order.
        asked: nodes whose outcome a person is asked for first.
        note: why there is nothing, or no new plan; empty where ``steps`` is one.
    """

    steps: list[UndoStep]
    asked: list[str]
    note: str = ""


def list_undo(
    state: EngineState,
    run: RunState,
    nodes: Sequence[str] = (),
    *,
    downstream: bool = False,
    force: bool = False,
    reason: str = "",
) -> UndoList | Refusal:
    """What `undo_steps` finds; for a run that is being undone what is left, and nothing for one with nothing to undo."""
    found = undo_steps(state, run, nodes, downstream=downstream, force=force, reason=reason)
    if not isinstance(found, Refusal):
        return UndoList(found, asked_first(run, nodes))
    if not nodes and (run.compensation is not None or nothing_to_undo(run)):
        return UndoList(steps_left(run), [], str(found))
    return found


def undo_document(run: int, steps: Sequence[UndoStep], asked: Sequence[str] = ()) -> dict[str, Any]:
    """The plan in JSON types, as ``compensate --plan --json`` prints it; ``in_doubt`` stands where something is asked."""
    return {
        "run": run,
        **({"in_doubt": list(asked)} if asked else {}),
        "steps": [
            {
                "step": number,
                "node": step.node,
                "attempt": step.attempt,
                "undo": step.undo,
                "barrier": step.barrier,
            }
            for number, step in enumerate(steps, 1)
        ],
    }


def _step(node: NodeState, *, barrier: bool) -> UndoStep:
    undo = node.plan.undo
    name = kind_name(undo.definition.kind) if undo is not None else None
    return UndoStep(node.path, node.undo_attempt + 1, name, barrier)


def kind_name(kind: KindSettings) -> str:
    """What a node or undo does, in one word or line: the function it calls, the script's first line, or its kind."""
    if isinstance(kind, PythonSettings) and kind.call:
        return kind.call
    if isinstance(kind, ShellSettings):
        lines = [line.strip() for line in kind.run.splitlines() if line.strip()]
        first = lines[0] if lines else ""
        more = len(lines) > 1 or len(first) > SCRIPT_LIMIT
        return first[:SCRIPT_LIMIT] + ("…" if more else "")
    return kind.uses


def compensation_outcome(record: Record) -> bool | None:
    """Whether a record says that a compensation was completed; None when it says nothing about it."""
    event = record.event
    return event.complete if isinstance(event, CompensationFinished) else None


def undone_by_hand(records: Iterable[Record], position: int) -> bool:
    """Whether a person's compensation was under way, or about to begin, at a position of a run's history."""
    by_hand = asked = False
    for record in records:
        if record.position > position:
            break
        event = record.event
        if isinstance(event, RunFailing) and event.compensate:
            by_hand = asked = True
        elif isinstance(event, CompensationStarted):
            by_hand = event.by is not None or asked
            asked = False
        elif isinstance(event, CompensationFinished | RunReopened):
            by_hand = asked = False
    return by_hand
