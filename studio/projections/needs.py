"""What of a run needs a person, and the commands that get it on.

Only commands are named that the core would take now.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from studio.core import commands as verbs
from studio.core.commands import AnyCommand, Refusal
from studio.core.decide import decide
from studio.core.gates import gate_of
from studio.core.plan import base_path
from studio.core.resilience.compensation import first_undone, given_up, next_step
from studio.core.scope import items_of
from studio.core.standing import needs_person
from studio.core.state import UNRESOLVED, EngineState, NodeState, RunState
from studio.projections.history_lines import failure_text
from studio.projections.masking import mask_run
from studio.projections.run_document import reason_of
from studio.projections.states import kept_by_step
from studio.projections.text import sanitise


class Need(NamedTuple):
    """One thing that waits for a person.

    Args:
        node: path of the node.
        state: its state.
        why: what is the matter, sanitised.
        hints: commands that would get it on, without the leading ``studio``.
    """

    node: str
    state: str
    why: str
    hints: tuple[str, ...]


Outcome = Literal["succeeded", "skipped", "ignored", "failed"]

Hint = tuple[str, AnyCommand]
"""A command in words, without the leading ``studio``, and the command itself."""


def needs_of(state: EngineState, run: RunState) -> list[Need]:
    """Everything in a run that waits for a person, root causes first."""
    mask = mask_run(state, run)
    found = []
    for node in run.nodes.values():
        if node.items is not None and any(needs_person(item) for item in items_of(run, node)):
            continue
        if needs_person(node) or kept_by_step(run, node) or _stalled(run, node):
            said = sanitise(mask.text(_why(run, node)))
            found.append(Need(node.path, node.status, said, _takes(state, _hints(run, node))))
    return found + list(_behind_undone(state, run))


def _takes(state: EngineState, hints: Iterator[Hint]) -> tuple[str, ...]:
    return tuple(
        text for text, command in hints if not isinstance(decide(state, command, 0.0), Refusal)
    )


def _why(run: RunState, node: NodeState) -> str:
    if _stalled(run, node) and run.compensation is not None and run.compensation.expired:
        return "the time limit of the compensation is over, and it is not undone"
    if _stalled(run, node):
        return "its undo is held by hand"
    if node.failure is not None:
        return failure_text(node.failure)
    return reason_of(run, node) or ""


def _stalled(run: RunState, node: NodeState) -> bool:
    """Whether it is the next to be undone, and neither its failure nor its run keeps it, but a time limit or a hold."""
    plan = run.compensation
    if plan is None or next_step(run) is not node or node.status == "compensation_failed":
        return False
    return plan.expired or (node.status == "compensating" and node.gate == "hold")


def _behind_undone(state: EngineState, run: RunState) -> Iterator[Need]:
    """What was undone, or given up half way, while something waits for it to run again."""
    if run.compensation is not None:
        return
    waiting: dict[str, list[str]] = {}
    for path in run.plan.order:
        node = run.nodes[path]
        if node.status != "blocked" or node.edges is None:
            continue
        for edge in node.plan.incoming:
            undone = first_undone(run, [edge.source])
            if undone is not None and node.edges[edge.slot] == UNRESOLVED:
                waiting.setdefault(undone, []).append(path)
    for undone, paths in waiting.items():
        node = run.nodes[undone]
        how = "its undo was given up" if given_up(node) else "it was undone"
        names = ", ".join(paths[:4]) + (" …" if len(paths) > 4 else "")
        why = sanitise(f"{how}; {names} wait{'s' * (len(paths) == 1)} for it to run again")
        base = base_path(undone)
        hints: list[Hint] = [
            (f"rerun {run.number} --from {base}", verbs.Rerun(run=run.number, start=base)),
            *(_mark(run, run.nodes[path], "skipped") for path in paths[:4]),
        ]
        yield Need(undone, node.status, why, _takes(state, iter(hints)))


def _mark(run: RunState, node: NodeState, outcome: Outcome, more: str = "") -> Hint:
    port = node.plan.node.ports[0] if outcome == "succeeded" and node.plan.node.ports else ""
    more += f" --port {'|'.join(node.plan.node.ports)}" if port else ""
    command = verbs.MarkNode(run=run.number, node=node.path, outcome=outcome, port=port)
    return f"mark {run.number} {node.path} {outcome}{more}", command


def _retry(run: RunState, node: NodeState) -> Hint:
    return f"retry {run.number} {node.path}", verbs.RetryNode(run=run.number, node=node.path)


def _hints(run: RunState, node: NodeState) -> Iterator[Hint]:
    number, path = run.number, node.path
    if _stalled(run, node) and run.compensation is not None and run.compensation.expired:
        yield f"compensate {number}", verbs.Compensate(run=number)
    elif node.status == "compensation_failed":
        yield _retry(run, node)
        yield f"compensate {number} {path}", verbs.Compensate(run=number, nodes=(path,))
        yield _mark(run, node, "succeeded", " --reason TEXT")
        yield _mark(run, node, "ignored", " --reason TEXT")
    elif node.status in ("in_doubt", "failed"):
        yield from _failed(run, node)
    else:
        yield from _stopped_at(run, node)


def _failed(run: RunState, node: NodeState) -> Iterator[Hint]:
    number, path = run.number, node.path
    succeeded = _mark(run, node, "succeeded", " --output JSON")
    if node.status == "in_doubt":
        yield succeeded
    yield _retry(run, node)
    base = base_path(path)
    undone = first_undone(run, [*run.plan.ancestors([base]), base])
    if undone is not None:
        start = base_path(undone)
        yield f"rerun {number} --from {start}", verbs.Rerun(run=number, start=start)
    if node.status == "failed":
        yield succeeded
    if node.gate == "breakpoint":
        yield f"continue {number} {path}", verbs.Continue(run=number, node=path)
    yield _mark(run, node, "failed")


def _stopped_at(run: RunState, node: NodeState) -> Iterator[Hint]:
    number, path = run.number, node.path
    gate = gate_of(run, node) or node.gate
    if node.gate == "hold" or gate == "hold":
        yield f"release {number} {path}", verbs.ReleaseNode(run=number, node=path)
        return
    if gate == "step":
        yield f"step {number} {path}", verbs.Step(run=number, node=path)
    if gate in ("step", "until"):
        yield f"continue {number}", verbs.Continue(run=number)
    else:
        yield f"continue {number} {path}", verbs.Continue(run=number, node=path)
