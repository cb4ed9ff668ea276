"""What an action would do, said before it is done: rows for the dialogs, entries for the menus."""

from collections.abc import Sequence
from typing import NamedTuple

from studio.core.commands import Refusal
from studio.core.resilience.compensation import standing_dependants, undoable
from studio.core.revision import Verdict
from studio.core.state import EngineState, NodeState, RunState
from studio.core.transitions import EFFECTIVE, IN_FLIGHT
from studio.projections.layout import Segment, cell_width, clean
from studio.projections.screen.actions import Keys, key_of
from studio.projections.states import node_look
from studio.projections.undo_plan import undo_steps

Row = list[Segment]


class Choice(NamedTuple):
    """One entry of a menu about a node.

    Args:
        value: what choosing it answers.
        label: what it is called.
        detail: its consequence, or why it does not apply.
        key: the letter that chooses it.
        style: look of the label.
        enabled: whether it applies.
    """

    value: str
    label: str
    detail: str
    key: str
    style: str = "text"
    enabled: bool = True


def waiting_behind(run: RunState, path: str) -> list[str]:
    """Nodes behind a node that have not run."""
    base = path[: path.rindex("[")] if path.endswith("]") else path
    return [
        name
        for name in run.plan.descendants([base])
        if run.nodes[name].status in ("blocked", "ready", "held", "skipped", "cancelled")
    ]


def named(paths: list[str], limit: int = 3) -> str:
    """Some names and how many more."""
    shown = ", ".join(clean(path) for path in paths[:limit])
    return f"{shown} +{len(paths) - limit}" if len(paths) > limit else shown


def outcome_choices(run: RunState, node: NodeState) -> list[Choice]:
    """The outcome menu: each choice with its consequence, or why it does not apply."""
    behind = waiting_behind(run, node.path)
    then = f"then {named(behind)}" if behind else "nothing waits behind it"
    skips = f"and what needs its success: {named(behind)}" if behind else "nothing waits behind it"
    if node.status == "compensation_failed":
        return [
            Choice("succeeded", "Undo done by hand", "the plan goes on", "s", "good"),
            Choice(
                "ignored", "Give this undo up", "the run ends as partly compensated", "i", "warn"
            ),
        ]
    done = node.status in EFFECTIVE
    reason = "it has already succeeded"
    open_failure = node.status in ("failed", "backing_off", "in_doubt")
    undo = any(undoable(other) for other in run.nodes.values())
    fails = "the run fails" + (" and is undone in reverse order" if undo else "")
    return [
        Choice(
            "succeeded",
            "Succeeded, with an output",
            reason if done else then,
            "s",
            "good",
            not done,
        ),
        Choice(
            "skipped",
            "Skipped",
            reason if done else skips,
            "k",
            "text",
            not done,
        ),
        Choice(
            "ignored",
            "Ignored",
            "stays failed; the run goes on and does not fail"
            if open_failure and node.status != "in_doubt"
            else "taken as failed; the run goes on and does not fail"
            if open_failure
            else "it has not failed",
            "i",
            "text",
            open_failure,
        ),
        Choice(
            "failed",
            "Failed: give up",
            fails if open_failure else "it has not failed",
            "f",
            "bad",
            open_failure,
        ),
        Choice(
            "output",
            "Override its output",
            "what used the old one becomes stale" if done else "it has not succeeded",
            "o",
            "text",
            done,
        ),
        Choice(
            "revert",
            "Put its own output back",
            "drops the override" if node.overridden else "its output is not overridden",
            "r",
            "text",
            bool(node.overridden),
        ),
    ]


def undo_rows(
    state: EngineState,
    run: RunState,
    nodes: Sequence[str] = (),
    *,
    downstream: bool = False,
    force: bool = False,
) -> tuple[list[Row], int]:
    """The numbered plan of a compensation and its number of steps; 0 with the reason when there is none.

    Args:
        nodes: nodes to undo; none for the whole run.
        downstream: what follows them too.
        force: past irreversible nodes and standing dependants.
    """
    steps = undo_steps(
        state, run, nodes, downstream=downstream, force=force, reason="asked on screen"
    )
    if isinstance(steps, Refusal):
        return [[Segment(clean(steps.why), "warn")], [Segment(clean(steps.hint), "dim")]], 0
    rows: list[Row] = []
    names = [clean(step.node) for step in steps]
    widest = min(max(map(cell_width, names), default=0), 40)
    for number, (name, step) in enumerate(zip(names, steps, strict=True), 1):
        look = "warn" if step.barrier else "text"
        padded = name + " " * (widest - cell_width(name))
        row = [Segment(f"{number:>3}  ", "dim"), Segment(padded, look)]
        if step.barrier:
            row.append(Segment("  is irreversible: the plan stops here", "warn"))
        elif step.undo is not None:
            row.append(Segment(f"  {clean(step.undo)}", "dim"))
        rows.append(row)
    if not nodes and not run.ended:
        moving = [path for path, node in run.nodes.items() if node.status in IN_FLIGHT]
        rows += [[], [Segment("what has not started is cancelled", "dim")]]
        if moving:
            rows.append([Segment(f"running now, ended first: {named(moving)}", "dim")])
    return rows, sum(not step.barrier for step in steps)


def standing_behind(run: RunState, path: str) -> list[str]:
    """Nodes behind one whose undoable effect still stands."""
    return standing_dependants(run, [path])


def verdict_rows(verdicts: Sequence[Verdict]) -> list[Row]:
    """What taking an edit into the run means, node by node; what stays as it is is left out."""
    rows: list[Row] = []
    for verdict in verdicts:
        if verdict.consequence in ("none", "kept") and verdict.change == "unchanged":
            continue
        why = f"  {clean(verdict.change)}" if verdict.change != "unchanged" else ""
        reason = f": {clean(verdict.reason)}" if verdict.reason else ""
        look = {"run again": "warn", "retried": "warn", "stale": "bad"}.get(
            verdict.consequence, "text"
        )
        rows.append(
            [
                Segment(f"{clean(verdict.node)}  ", "title"),
                Segment(CONSEQUENCES[verdict.consequence], look),
                Segment(f"{why}{reason}", "dim"),
            ]
        )
    return rows or [[Segment("nothing of this run changes", "dim")]]


CONSEQUENCES: dict[str, str] = {
    "kept": "stays done",
    "new": "runs under the new definition",
    "run again": "runs again",
    "retried": "is retried",
    "stale": "stays done, stale: it has effects and is not run again by itself",
    "finishes": "finishes as it began, stale afterwards",
    "archived": "is removed; it may still be undone",
    "none": "stays as it is",
}


def stale_nodes(run: RunState) -> list[str]:
    """Nodes whose input or definition is no longer what they ran with."""
    return [path for path, node in run.nodes.items() if "stale" in node.marks and not node.parent]


def cancel_rows(run: RunState, keys: Keys) -> list[Row]:
    """What cancelling the run would do."""
    moving = [path for path, node in run.nodes.items() if node.status in IN_FLIGHT]
    left = [
        path
        for path, node in run.nodes.items()
        if node.status in ("blocked", "ready", "held", "backing_off")
    ]
    rows: list[Row] = []
    if moving:
        rows.append([Segment("ended: ", "dim"), Segment(named(moving, 5), "text")])
    if left:
        rows.append([Segment("never start: ", "dim"), Segment(named(left, 5), "text")])
    rows.append(
        [
            Segment(
                f"what is done stays done; {key_of(keys, 'undo_run')} undoes it afterwards", "dim"
            )
        ]
    )
    return rows


def state_row(node: NodeState, ascii: bool = False) -> Row:
    """A node's state and name, for the head of a menu."""
    look = node_look(node)
    row = [
        Segment(f"{look.ascii if ascii else look.glyph} {look.word}  ", look.style),
        Segment(clean(node.path), "title"),
    ]
    if node.failure is not None:
        row.append(
            Segment(f"  {clean(node.failure.type)}: {clean(node.failure.message)[:60]}", "bad")
        )
    return row
