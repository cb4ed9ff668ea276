"""What running done nodes again means: asked before a step that has acted acts a second time.

A done node with external effects, an undo or ``irreversible`` does not run again without a question
(engine.md, "Revision: a file changes"): run it again, undo it and then run it again, or keep it.
"""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple, TypeAlias

from studio.core.commands import Refusal
from studio.core.plan import base_path
from studio.core.resilience.compensation import standing_dependants, undoable
from studio.core.scope import items_of
from studio.core.state import EngineState, NodeState, RunState
from studio.core.transitions import EFFECTIVE, IN_FLIGHT
from studio.projections.layout import Segment, clean
from studio.projections.screen.consequences import Choice, Row, named, state_row
from studio.projections.screen.stale import acts_again, stale_in_order
from studio.projections.undo_plan import undo_steps

Mode: TypeAlias = Literal["node", "downstream", "from", "stale"]
"""What is to run again: a node alone, it and what follows where the input differs, it and all that follows it, or
what is stale."""

MOST = 6
"""Nodes that a question lists one by one; the rest is counted."""


class Again(NamedTuple):
    """What would run again.

    Args:
        again: nodes that run for certain.
        maybe: nodes that run where their input differs.
        stale: nodes that have run and only become stale.
        risky: those of the first two that have acted, and whose acting again is a question.
        undo: those of the risky, and what follows them, that an undo would take back first.
    """

    again: list[str]
    maybe: list[str]
    stale: list[str]
    risky: list[str]
    undo: list[str]


class Question(NamedTuple):
    """What is asked: rows above the choices, and the choices."""

    rows: list[Row]
    choices: list[Choice]


def runs_again(run: RunState, mode: Mode, path: str = "") -> Again:
    """What one way of running again would do to the nodes of a run.

    Args:
        run: the run.
        mode: which way.
        path: the node it begins with; unused for ``stale``.
    """
    behind = run.plan.descendants([base_path(path)]) if path else []
    begun = [name for name in behind if run.nodes[name].status not in ("blocked", "ready", "held")]
    idle = [name for name in begun if run.nodes[name].status not in IN_FLIGHT]
    busy = [name for name in begun if name not in idle]
    done = [name for name in begun if run.nodes[name].status in EFFECTIVE]
    if mode == "node":
        again, maybe, stale = [path], [], [name for name in begun if name in {*done, *busy}]
    elif mode == "downstream":
        again, maybe, stale = [path], idle, busy
    elif mode == "from":
        again, maybe, stale = [path, *behind], [], []
    else:
        again, maybe, stale = [], stale_in_order(run), []
    risky = [name for name in (*again, *maybe) if acts_again(run.nodes[name])]
    return Again(again, maybe, stale, risky, _undo_first(run, risky))


def risk_of(node: NodeState) -> str:
    """Why running a node again is a question, in a few words."""
    definition = node.plan.node
    parts = []
    if definition.side_effects == "external":
        parts.append("has external effects")
    if definition.irreversible:
        parts.append("is irreversible")
    elif node.plan.undo is not None:
        parts.append("has an undo")
    return " and ".join(parts)


def _undo_first(run: RunState, risky: Iterable[str]) -> list[str]:
    mine = [name for name in risky if _has_undo(run, run.nodes[name])]
    return (
        [*mine, *(name for name in standing_dependants(run, mine) if name not in mine)]
        if mine
        else []
    )


def _has_undo(run: RunState, node: NodeState) -> bool:
    if node.items is not None:
        return any(undoable(item) for item in items_of(run, node))
    return undoable(node)


def question(state: EngineState, run: RunState, mode: Mode, path: str = "") -> Question | None:
    """What to ask before nodes run again; None when nothing that has acted would act a second time.

    Args:
        state: the state around the run; it is only read.
        run: the run.
        mode: which way of running again.
        path: the node it begins with; unused for ``stale``.
    """
    plan = runs_again(run, mode, path)
    return asked(state, run, plan, run.nodes.get(path)) if plan.risky else None


def asked(state: EngineState, run: RunState, plan: Again, node: NodeState | None) -> Question:
    """The question about nodes that have acted: what they are, what follows, and the three ways.

    Args:
        state: the state around the run; it is only read.
        run: the run.
        plan: what would run again.
        node: the node it begins with, None without one.
    """
    rows: list[Row] = [state_row(node), []] if node is not None else []
    rows += [
        [
            Segment(f"{clean(name)}  ", "title"),
            Segment(f"has run and {risk_of(run.nodes[name])}", "warn"),
        ]
        for name in plan.risky[:MOST]
    ]
    if len(plan.risky) > MOST:
        rows.append([Segment(f"and {len(plan.risky) - MOST} more", "warn")])
    rows.append([])
    rows += followers(plan)
    undoables = [name for name in plan.risky if _has_undo(run, run.nodes[name])]
    if undoables:
        text = f"An undo takes back only the newest run of a node: what {named(undoables)} did before stays."
        rows.append([Segment(text, "warn")])
    one = "it acts" if len(plan.risky) == 1 else "they act"
    second = Choice(
        "again",
        "Run again",
        f"{one} a second time, under a new idempotency key",
        "r",
        "warn",
    )
    keep = Choice("keep", "Keep", "nothing runs again", "k")
    return Question(rows, [second, _undo_choice(state, run, plan), keep])


def followers(plan: Again) -> list[Row]:
    """What becomes of the nodes that run again or follow those that do."""
    rows: list[Row] = []
    behind = plan.again[1:]
    for title, names in (
        ("run again too: ", behind),
        ("run again where their input differs: ", [n for n in plan.maybe if n not in plan.risky]),
        ("become stale: ", plan.stale),
    ):
        if names:
            rows.append([Segment(title, "dim"), Segment(named(names, MOST), "text")])
    return rows


def _undo_choice(state: EngineState, run: RunState, plan: Again) -> Choice:
    label = "Undo, then run again"
    if not plan.undo:
        none = [name for name in plan.risky if run.nodes[name].plan.node.irreversible]
        why = f"{clean(none[0])} is irreversible" if none else "none of them declares an undo"
        why = why if len(plan.risky) > 1 or none else "it declares no undo"
        return Choice("undo", label, why, "u", enabled=False)
    steps = undo_steps(state, run, plan.undo, reason="asked on screen")
    if isinstance(steps, Refusal):
        return Choice("undo", label, clean(steps.why), "u", enabled=False)
    names = [step.node for step in steps if not step.barrier]
    first = f"undoes {named(names)}, then runs it and all that follows again"
    return Choice("undo", label, first, "u")


def doubt_question(run: RunState, node: NodeState) -> Question:
    """What to ask before a node runs again of which nobody knows whether it has acted."""
    rows: list[Row] = [
        state_row(node),
        [],
        [Segment("Nobody knows whether it has acted. ", "warn")],
        [
            Segment(
                "It would run under the same idempotency key: whoever honours the key does not act twice.",
                "text",
            )
        ],
    ]
    return Question(
        rows,
        [
            Choice("again", "Run again", "under the same idempotency key", "r", "warn"),
            Choice("outcome", "Say what happened", "it succeeded, was undone, or failed", "o"),
            Choice("keep", "Keep", "it stays in doubt", "k"),
        ],
    )


def roots_of(run: RunState, names: Sequence[str]) -> list[str]:
    """Those of some nodes that follow none of the others, in the order of the graph."""
    bases = {base_path(name) for name in names}
    behind = set(run.plan.descendants(bases))
    return [name for name in run.plan.order if name in bases and name not in behind]


def retry_warning(run: RunState, path: str, *, downstream: bool = False) -> str:
    """One line for where nobody is asked: what a retry of a node that has acted leaves behind; else nothing.

    Args:
        run: the run before the retry.
        path: the node or item.
        downstream: whether what follows runs again too.
    """
    node = run.nodes.get(path)
    if node is None:
        return ""
    if node.status == "in_doubt":
        return f"nobody knows whether {clean(path)} has acted: it runs again under the same idempotency key"
    plan = runs_again(run, "downstream" if downstream else "node", path)
    if not plan.risky:
        return ""
    first = plan.risky[0]
    said = f"{named(plan.risky)} {'has' if len(plan.risky) == 1 else 'have'} run already"
    if len(plan.risky) == 1:
        said += f" and {risk_of(run.nodes[first])}"
    said += ": a second time means a new idempotency key"
    if plan.undo:
        said += ", and an undo takes back only the newest run"
    if plan.stale:
        said += f"; {named(plan.stale)} {'becomes' if len(plan.stale) == 1 else 'become'} stale"
    return said
