"""Adopting another definition into a run."""

from collections.abc import Iterable

from studio.core.commands import Refusal, Revise
from studio.core.decide.runs import Answer, origin, reopen
from studio.core.decide.verdicts import judge_edges, needs_output
from studio.core.events import (
    AnyEvent,
    CodeAdopted,
    EdgeVerdict,
    NodesReset,
    NodesStaled,
    RetryRequested,
    RunRevised,
)
from studio.core.plan import Plan
from studio.core.revision import (
    Verdict,
    blocking_removal,
    is_relisted,
    names,
    review,
    with_consequence,
)
from studio.core.state import EngineState, RunState
from studio.core.transitions import EFFECTIVE


def revise(state: EngineState, run: RunState, command: Revise) -> Answer:
    """The run goes on under another definition; what it means for each node is in the facts."""
    plan = state.plans.get(command.version)
    if plan is None:
        return Refusal(f"version {command.version} is not loaded")
    by = origin(command)
    undoing = run.compensation is not None or run.compensate_by is not None
    if plan.version == run.plan.version and (undoing or not command.code):
        # An undo runs the newest code, and what has run forward is not looked at while it is taken back.
        return [CodeAdopted(command.pin, by)] if command.pin not in ("", run.pin) else []
    if undoing:
        return Refusal(f"cannot revise run {run.number}: it is being undone")
    running = blocking_removal(run, plan)
    if running is not None:
        return Refusal(
            f"cannot revise run {run.number}: {running} is running, and the new definition does not have it",
            "wait for it or cancel it, then save again",
        )
    verdicts = review(run, plan, command.code)
    # Nothing runs again in a run that is just being cancelled.
    restart = command.restart and (run.ended or not run.cancelled)
    again = with_consequence(verdicts, "run again") if restart else ()
    retried = with_consequence(verdicts, "retried") if restart else ()
    found: list[AnyEvent] = []
    opens = again or retried or with_consequence(verdicts, "new")
    if restart and opens:
        found += reopen(run, command)
    found.append(
        RunRevised(
            plan.version,
            run.revision + 1,
            changed=names(verdicts, "changed", "code changed", "edges changed"),
            rewired=names(verdicts, "edges changed"),
            added=names(verdicts, "added"),
            removed=names(verdicts, "removed"),
            edges=_edges(state, run, plan),
            pin=command.pin,
            by=by,
        )
    )
    follow = tuple(
        v.node for v in verdicts if v.node in again and v.change in ("unchanged", "edges changed")
    )
    changed = tuple(node for node in again if node not in follow)
    # The items of a failed node are tried again; those of another list begin anew.
    changed += tuple(node for node in retried if is_relisted(run.nodes[node], plan))
    for cause, nodes in _by_cause(verdicts, changed):
        found.append(NodesReset(nodes, cause=cause, by=by))
    if follow:
        found.append(NodesReset(follow, keep=True, cause="revised", by=by))
    stale = with_consequence(verdicts, "stale") + with_consequence(verdicts, "finishes")
    if not restart:
        stale += with_consequence(verdicts, "run again")
    for cause, nodes in _by_cause(verdicts, stale):
        found.append(NodesStaled(nodes, cause, by=by))
    found.extend(RetryRequested(path, by=None if run.paused else by) for path in retried)
    return found


def _by_cause(
    verdicts: Iterable[Verdict], chosen: tuple[str, ...]
) -> list[tuple[str, tuple[str, ...]]]:
    """Some nodes of a revision, those with the same reason together, in the order of ``chosen``."""
    reasons = {verdict.node: verdict for verdict in verdicts}
    groups: dict[str, list[str]] = {}
    for name in chosen:
        verdict = reasons[name]
        what = f"code of {verdict.reason}" if verdict.change == "code changed" else verdict.reason
        groups.setdefault(f"revised: {what}", []).append(name)
    return [(cause, tuple(nodes)) for cause, nodes in groups.items()]


def _edges(state: EngineState, run: RunState, plan: Plan) -> dict[str, EdgeVerdict]:
    """Conditions of the new edges that leave nodes which are resolved already."""
    found: dict[str, EdgeVerdict] = {}
    for name, planned in plan.nodes.items():
        node = run.nodes.get(name)
        if node is None or not node.resolved or planned.plain:
            continue
        before, node.plan = node.plan, planned
        try:
            success = node.status in EFFECTIVE
            output = state.decode(node.output) if success and needs_output(node) else None
            outcome = "success" if success else "failure"
            dead, broken = judge_edges(state, run, node, outcome, node.port, output)
        finally:
            node.plan = before
        if dead or broken:
            found[name] = EdgeVerdict(dead, broken)
    return found
