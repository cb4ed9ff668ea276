"""What an action would do, said before it is done: rows for the dialogs, entries for the menus."""

import re
from collections.abc import Sequence
from shlex import quote
from typing import Final, NamedTuple

from studio.core.commands import Refusal
from studio.core.plan import PlanEdge, base_path
from studio.core.resilience.compensation import holds_effects, standing_dependants, undoable
from studio.core.revision import Verdict
from studio.core.state import DEAD, EngineState, NodeState, RunState
from studio.core.transitions import EFFECTIVE, IN_FLIGHT
from studio.projections.layout import Segment, cell_width, clean
from studio.projections.screen.actions import key_of
from studio.projections.screen.rules import Keys
from studio.projections.states import RUN_LOOKS, node_look
from studio.projections.text import sanitise
from studio.projections.undo_plan import UndoStep, undo_steps

Row = list[Segment]

_FORCE: Final = re.compile(r"--force with (?:a reason|--reason)")
"""What the engine names as the way past a refused undo."""


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


_WAITING: Final = frozenset({"blocked", "ready", "held", "skipped", "cancelled"})


def starts_behind(run: RunState, path: str) -> list[str]:
    """Nodes behind a node that have not run, and may once it has succeeded.

    What needs its failure is not among them, nor what another edge has ruled out already. A condition, or the port that
    a person names, may still rule out some.
    """
    live, cut = {base_path(path)}, set[str]()
    found = []
    for name in run.plan.descendants(live):
        node = run.nodes[name]
        opens = [
            edge.source in live and edge.on in ("success", "any") for edge in node.plan.incoming
        ]
        dead = [
            not opened and (edge.source in live | cut or edge_is_dead(node, edge))
            for opened, edge in zip(opens, node.plan.incoming, strict=True)
        ]
        if is_cut(node, dead):
            cut.add(name)
        elif any(opens):
            live.add(name)
            if node.status in _WAITING:
                found.append(name)
    return found


def edge_is_dead(node: NodeState, edge: PlanEdge) -> bool:
    """Whether an edge to a node is ruled out as things stand."""
    return node.edges is not None and node.edges[edge.slot] == DEAD


def is_cut(node: NodeState, dead: Sequence[bool]) -> bool:
    """Whether a node is skipped when some of its edges are dead."""
    join = node.plan.node.join
    return join != "settled" and (any(dead) if join == "all" else all(dead))


def named(paths: list[str], limit: int = 3) -> str:
    """Some names and how many more."""
    shown = ", ".join(clean(path) for path in paths[:limit])
    return f"{shown} +{len(paths) - limit}" if len(paths) > limit else shown


def outcome_choices(run: RunState, node: NodeState) -> list[Choice]:
    """The outcome menu: each choice with its consequence, or why it does not apply."""
    if node.status == "compensation_failed":
        return [
            Choice(
                "succeeded", "Undo done by hand", "asks for a note; the plan goes on", "s", "good"
            ),
            Choice("retry", "Run its undo again", "now", "r"),
            Choice(
                "ignored", "Give this undo up", "the run ends as partly compensated", "i", "warn"
            ),
        ]
    behind, skipped = starts_behind(run, node.path), skipped_behind(run, node)
    ports = " by its port" if node.plan.node.ports else ""
    then = f"then{ports} {named(behind)}" if behind else "nothing waits for its success"
    skips = f"skipped with it: {named(skipped)}" if skipped else "nothing is skipped with it"
    if node.parent is not None:
        skips = "it counts as null among the items"
    done, reason = node.status in EFFECTIVE, "it has already succeeded"
    return [
        Choice("succeeded", "Succeeded, with an output", reason if done else then, "s", "good", not done),
        *(_doubt_choices(node) if node.status == "in_doubt" else ()),
        Choice("skipped", "Skipped", reason if done else skips, "k", "text", not done),
        *_failure_choices(run, node),
        *_override_choices(run, node),
    ]  # fmt: skip


def _failure_choices(run: RunState, node: NodeState) -> tuple[Choice, Choice]:
    """What can be made of a failure."""
    failed = node.status in ("failed", "backing_off", "in_doubt")
    undo = any(undoable(other) for other in run.nodes.values())
    fails = "the run fails" + (" and is undone in reverse order" if undo else "")
    stays = "taken as failed" if node.status == "in_doubt" else "stays failed"
    ignored = f"{stays}; the run goes on and does not fail"
    no = "it has not failed"
    return (
        Choice("ignored", "Ignored", ignored if failed else no, "i", "text", failed),
        Choice("failed", "Failed: give up", fails if failed else no, "f", "bad", failed),
    )


def _override_choices(run: RunState, node: NodeState) -> tuple[Choice, Choice, Choice]:
    """What was, or can be, given by hand."""
    used = effective_behind(run, node.path)
    stale = f"becomes stale: {named(used)}" if used else "nothing has used it"
    done, given, input_given = (
        node.status in EFFECTIVE,
        bool(node.overridden),
        bool(node.override_input),
    )
    output = stale if done else "it has not succeeded"
    back = stale if given else "its output is not overridden"
    again = "the next attempt computes it again" if input_given else "its input is not overridden"
    return (
        Choice("output", "Override its output", output, "o", "text", done),
        Choice("revert", "Put its own output back", back, "b", "text", given),
        Choice("revert_input", "Put its own input back", again, "n", "text", input_given),
    )  # fmt: skip


def _doubt_choices(node: NodeState) -> tuple[Choice, Choice]:
    """What else can be done about a node of which nobody knows whether it has acted."""
    undo = node.plan.undo is not None
    return (
        Choice("retry", "Run it again", "under the same idempotency key; asks first", "r", "warn"),
        Choice(
            "undo",
            "Undo it",
            "taken as succeeded, with an output you give; then its undo runs"
            if undo
            else "it declares no undo",
            "u",
            "warn",
            undo,
        ),
    )


def effective_behind(run: RunState, path: str) -> list[str]:
    """Nodes behind a node that have succeeded, or are under way, with what it gave them."""
    return [
        name
        for name in run.plan.descendants([base_path(path)])
        if run.nodes[name].status in EFFECTIVE or run.nodes[name].status in IN_FLIGHT
    ]


def undo_rows(
    state: EngineState,
    run: RunState,
    nodes: Sequence[str] = (),
    *,
    downstream: bool = False,
    force: bool = False,
    then: bool = True,
) -> tuple[list[Row], int]:
    """The numbered plan of a compensation and its number of steps; 0 with the reason when there is none.

    Args:
        nodes: nodes to undo; none for the whole run.
        downstream: what follows them too.
        force: past irreversible nodes and standing dependants.
        then: whether to say what becomes of the run afterwards.
    """
    steps = undo_steps(
        state, run, nodes, downstream=downstream, force=force, reason="asked on screen"
    )
    if isinstance(steps, Refusal):
        # No key goes past what stands in the way: that takes a reason, and a shell.
        command = " ".join(
            ["studio compensate", str(run.number), *map(quote, nodes), "--force --reason TEXT"]
        )
        hint = _FORCE.sub(lambda found: f"`{command}`", steps.hint)
        return [[Segment(clean(steps.why), "warn")], [Segment(clean(hint), "dim")]], 0
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
    if then:
        rows += [[], *_aftermath(run, nodes, steps)]
    return rows, sum(not step.barrier for step in steps)


def _aftermath(run: RunState, nodes: Sequence[str], steps: Sequence[UndoStep]) -> list[Row]:
    """In which state a plan leaves the run, and what it does not take back."""
    rows: list[Row] = []
    stays = lasting_effects(run)
    if not nodes and stays:
        text = f"stays, as it declares no undo: {named(stays)}"
        rows.append([Segment(text, "warn")])
    if nodes and not run.ended:
        text = f"the run goes on; what follows {named(list(nodes))} waits until that runs again"
        return [*rows, [Segment(text, "dim")]]
    undone = {step.node for step in steps if not step.barrier}
    standing = [
        path
        for path, node in run.nodes.items()
        if path not in undone and node.items is None and holds_effects(run, node)
    ]
    partly = standing or any(step.barrier for step in steps)
    word = RUN_LOOKS["partly_compensated" if partly else "compensated"].word
    rows.append([Segment(f"the run ends as {word}", "dim")])
    return rows


def lasting_effects(run: RunState) -> list[str]:
    """Done nodes with external effects that declare no undo: no compensation takes them back."""
    return [
        path
        for path in run.plan.order
        if (node := run.nodes[path]).status in EFFECTIVE
        and node.plan.undo is None
        and node.plan.node.side_effects == "external"
    ]


def undo_left_rows(run: RunState, *, ascii: bool = False) -> list[Row]:
    """The plan of undos under way: each step and how it stands, what stays, and how the run ends."""
    plan = run.compensation
    if plan is None:
        return []
    rows: list[Row] = []
    for number, path in enumerate(plan.steps, 1):
        look = node_look(run.nodes[path])
        mark = look.ascii if ascii else look.glyph
        waits = undoable(run.nodes[path])
        word = "not undone yet" if waits else look.word
        rows.append(
            [
                Segment(f"{number:>3}  ", "dim"),
                Segment(f"{mark} {word:<15}", look.style),
                Segment(clean(path), "text"),
            ]
        )
    if plan.barrier is not None:
        rows.append(
            [Segment(f"{clean(plan.barrier)} is irreversible: the plan stops there", "warn")]
        )
    stays = lasting_effects(run)
    if stays:
        rows += [[], [Segment(f"stays, as it declares no undo: {named(stays)}", "warn")]]
    if plan.final:
        given_up = any("ignored" in run.nodes[path].marks for path in plan.steps)
        word = "partly_compensated" if given_up or plan.barrier is not None else "compensated"
        rows += [[], [Segment(f"the run ends as {RUN_LOOKS[word].word}", "dim")]]
    return rows


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


def cancel_node_rows(run: RunState, node: NodeState) -> list[Row]:
    """What cancelling a node that is under way means: its effects, what is skipped, and that the run does not fail."""
    rows: list[Row] = [state_row(node), []]
    rows.append([Segment("It has external effects: what it has done by now stays.", "warn")])
    if node.plan.undo is not None:
        rows.append(
            [Segment("A cancelled node is not undone: there would be no output to go by.", "warn")]
        )
    skipped = skipped_behind(run, node)
    if skipped:
        rows.append([Segment("skipped with it: ", "dim"), Segment(named(skipped, 5), "text")])
    rows.append([Segment("the run goes on, and does not fail because of it", "dim")])
    return rows


def skipped_behind(run: RunState, node: NodeState) -> list[str]:
    """What has not started and is skipped when the node is skipped or cancelled: its edges die, whatever they ask for."""
    if node.parent is not None:
        return []
    dead = {node.path}
    found = []
    for name in run.plan.descendants([node.path]):
        behind = run.nodes[name]
        edges = [edge.source in dead or edge_is_dead(behind, edge) for edge in behind.plan.incoming]
        if is_cut(behind, edges):
            dead.add(name)
            if behind.status in ("blocked", "ready", "held"):
                found.append(name)
    return found


def stops_of(run: RunState) -> list[tuple[str, str]]:
    """The breakpoints of a run: paths in the order of the graph, and when each stops."""
    found = []
    for path in sorted(run.breakpoints, key=lambda path: run.nodes[path].plan.rank):
        stop = run.breakpoints[path]
        moment = {"before": "before it runs", "after": "after it ran", "failure": "when it fails"}[
            stop.on
        ]
        condition = f", if {clean(stop.when)}" if stop.when else ""
        here = " · stands there now" if run.nodes[path].gate == "breakpoint" else ""
        found.append((path, f"{moment}{condition}{here}"))
    return found


def state_row(node: NodeState, ascii: bool = False) -> Row:
    """A node's state and name, for the head of a menu."""
    look = node_look(node)
    row = [
        Segment(f"{look.ascii if ascii else look.glyph} {look.word}  ", look.style),
        Segment(clean(node.path), "title"),
    ]
    if node.failure is not None:
        row.append(
            Segment(f"  {clean(node.failure.type)}: {sanitise(node.failure.message)[:60]}", "bad")
        )
    return row
