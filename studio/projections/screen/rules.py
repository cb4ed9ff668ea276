"""Why an action does not apply to what is shown, in the words of that situation, with what helps instead.

A text may hold the id of an action in braces, such as ``{cancel} ends it``: its key stands there once it is shown.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import msgspec

from studio.core.resilience.compensation import is_doubtful
from studio.core.state import NodeState, RunState
from studio.core.transitions import EFFECTIVE, IN_FLIGHT
from studio.projections.layout import clean
from studio.projections.states import RUN_LOOKS

Keys: TypeAlias = Mapping[str, tuple[str, ...]]
"""A person's keys by action id, in Textual's names, where they differ from the table."""

NO_KEYS: Keys = {}
"""Those of a person without a keymap file."""


class Situation(msgspec.Struct, frozen=True):
    """What an action would act on.

    Args:
        run: the shown run, None when a workflow without a run is shown.
        node: the selected node of that run, None without one.
        selected: path of the selected node, also when there is no run.
        file: path of the shown workflow file, None when there is none.
        loadable: whether the file has a good version.
        driven: whether an engine drives the run; false for one that was interrupted.
        pending: whether a saved edit waits to be taken into the run.
        keys: the user's keys by action id, where they differ from the table.
        asks: stale nodes that may not run again by themselves, and about which nobody has decided yet.
        elsewhere: whether another run needs a person.
        problem: why the file has no good version: its first finding, or that it is gone.
        known: whether the file is there, so that it can be mended.
    """

    run: RunState | None = None
    node: NodeState | None = None
    selected: str | None = None
    file: str | None = None
    loadable: bool = False
    driven: bool = True
    pending: bool = False
    keys: Keys = NO_KEYS
    asks: Sequence[str] = ()
    elsewhere: bool = False
    problem: str = ""
    known: bool = True


Rule: TypeAlias = Callable[[Situation], str | None]

STANDINGS: dict[str, str] = {
    "blocked": "waits for its upstreams",
    "ready": "is ready",
    "running": "is running",
    "waiting": "is waiting",
    "backing_off": "waits for its next try",
    "held": "is held",
    "succeeded": "has succeeded",
    "reused": "was reused",
    "failed": "has failed",
    "in_doubt": "is in doubt",
    "skipped": "was skipped",
    "cancelled": "was cancelled",
    "compensating": "is being undone",
    "compensated": "was undone",
    "compensation_failed": "could not be undone",
}
"""How a node stands, as the end of a sentence."""


def standing(node: NodeState) -> str:
    """A node and how it stands, as a sentence without its full stop."""
    at_stop = node.gate == "breakpoint" and node.status in ("held", *EFFECTIVE)
    return f"{clean(node.path)} {'stands at a breakpoint' if at_stop else STANDINGS[node.status]}"


def always(at: Situation) -> str | None:
    """No condition."""
    return None


def with_file(at: Situation) -> str | None:
    """There has to be a workflow."""
    if at.file is None:
        return "there is no workflow here: {new} creates one from a template"
    return None


def drawn(at: Situation) -> str | None:
    """There has to be something to draw."""
    missing = with_file(at)
    if missing or at.loadable or at.run is not None:
        return missing
    return "there is no graph: the workflow file has errors, {edit} opens it"


def launches(at: Situation) -> str | None:
    """There has to be a workflow that loads."""
    if at.file is None:
        return "there is no workflow to start: {new} creates one from a template"
    if at.loadable:
        return None
    problem = clean(at.problem) or "the workflow file has errors"
    return f"{problem}: {{edit}} opens it" if at.known else f"{problem}: it cannot be started"


def with_run(at: Situation) -> str | None:
    """There has to be a run; without one, what is missing before there can be one is named."""
    if at.run is not None:
        return None
    return launches(at) or "no run is shown: {launch} starts one"


def with_node(at: Situation) -> str | None:
    """There has to be a node of a run."""
    return with_run(at) or (None if at.node is not None else "select a node first")


def selected(at: Situation) -> str | None:
    """There has to be a node, of a run or of a definition."""
    if at.selected is not None:
        return None
    return with_file(at) or "select a node first"


def open_run(at: Situation) -> str | None:
    """The run must not have ended."""
    missing = with_run(at)
    if missing or at.run is None:
        return missing
    if at.run.ended:
        return f"run {at.run.number} has ended ({RUN_LOOKS[at.run.phase].word})"
    return None


def _forward(at: Situation) -> str | None:
    """Nothing goes forward in a run that is being undone."""
    if at.run is not None and at.run.compensation is not None:
        return f"run {at.run.number} is being undone: nothing else starts until that is over"
    return None


def retries(at: Situation) -> str | None:
    """Whether a new attempt of the node, or of its undo, can be made now."""
    missing = with_node(at)
    if missing or at.node is None or at.run is None:
        return missing
    node = at.node
    if node.orphaned:
        return _orphaned(node)
    if node.status == "compensation_failed" or (
        node.status == "compensating" and node.retry_at is not None
    ):
        return (
            None
            if at.run.compensation is not None
            else "no undo is under way: {undo_run} starts one"
        )
    return _forward(at) or _starts(at.run, node)


def _orphaned(node: NodeState) -> str:
    path = clean(node.path)
    return f"{path} was interrupted: {{continue_run}} takes the run up, and finds out how it stands"


def _starts(run: RunState, node: NodeState) -> str | None:
    if node.status in IN_FLIGHT:
        return f"{standing(node)}: {{cancel}} cancels it"
    above = [p for p in run.plan.ancestors([node.path]) if run.nodes[p].status == "compensated"]
    if node.status == "compensated" or above:
        undone = above[0] if above else node.path
        return f"{clean(undone)} was undone: {{rerun}} runs it and what follows again"
    return standing(node) if node.status == "blocked" else None


def retries_downstream(at: Situation) -> str | None:
    """As a retry; what is being undone has nothing behind it that could run."""
    if at.node is not None and at.node.status in ("compensation_failed", "compensating"):
        return f"{standing(at.node)}: {{retry}} runs its undo again"
    return retries(at)


def cancels(at: Situation) -> str | None:
    """Whether there is an attempt to end, or a start to forbid."""
    missing = with_node(at) or open_run(at)
    if missing or at.node is None:
        return missing
    node = at.node
    if node.status in ("failed", "in_doubt", "compensation_failed"):
        helps = {
            "failed": "{outcome} gives it up",
            "in_doubt": "{outcome} says what happened",
            "compensation_failed": "{outcome} gives its undo up",
        }[node.status]
        return f"{standing(node)}: {helps}" if not node.settled else standing(node)
    if node.status in EFFECTIVE:
        undo = ": {undo} takes its effect back" if node.plan.undo is not None else ""
        return f"{standing(node)}{undo}"
    return standing(node) if node.settled else None


def holds(at: Situation) -> str | None:
    """Whether the node has a start, or a try of its undo, before it."""
    missing = with_node(at) or open_run(at)
    if missing or at.node is None:
        return missing
    node = at.node
    if node.gate is not None:
        return None
    if node.status == "compensation_failed":
        return f"{standing(node)}: nothing is tried until {{retry}} runs its undo again"
    if node.status in ("failed", "in_doubt", "compensated") or node.settled:
        return f"{standing(node)}: there is no start that could be held"
    if node.status != "compensating":
        return _forward(at)
    return None


def outcomes(at: Situation) -> str | None:
    """Whether an outcome can be set by hand."""
    missing = with_node(at)
    if missing or at.node is None:
        return missing
    node = at.node
    if node.orphaned:
        return _orphaned(node)
    if node.status in IN_FLIGHT:
        return f"{standing(node)}: {{cancel}} cancels it first"
    if node.status == "compensation_failed":
        return None
    if node.status == "compensated":
        return f"{standing(node)}: {{rerun}} runs it again"
    return _forward(at)


def undoes(at: Situation) -> str | None:
    """Whether the node has an effect that its undo can take back now."""
    missing = with_node(at)
    if missing or at.node is None or at.run is None:
        return missing
    node = at.node
    if node.plan.undo is None:
        return f"{clean(node.path)} declares no undo: add `compensate:` to it"
    if node.status == "compensation_failed":
        return f"{standing(node)}: {{retry}} runs its undo again, {{outcome}} tells that it is done"
    if node.status == "in_doubt" or is_doubtful(node):
        return (
            f"nobody knows whether {clean(node.path)} has acted: {{outcome}} says so, or undoes it"
        )
    if node.status not in EFFECTIVE and node.items is None:
        return f"{standing(node)}: there is nothing to undo"
    if at.run.compensation is not None and not at.run.compensation.expired:
        return f"run {at.run.number} is being undone already: {{undo_run}} shows what is left"
    return _doubt(at.run)


def undoes_run(at: Situation) -> str | None:
    """Whether the run can be undone; while it is, what is left can be looked at."""
    missing = with_run(at)
    if missing or at.run is None:
        return missing
    if not any(node.plan.undo is not None for node in at.run.nodes.values()):
        return "no node of this workflow declares an undo"
    return _doubt(at.run)


def _doubt(run: RunState) -> str | None:
    """No undo begins before a person has said what became of the doubtful."""
    doubtful = [
        path
        for path, node in run.nodes.items()
        if node.status == "in_doubt" or (run.ended and is_doubtful(node))
    ]
    if not doubtful:
        return None
    return f"nobody knows whether {clean(doubtful[0])} has acted: {{outcome}} on it says so"


def steps(at: Situation) -> str | None:
    """Whether a node could be let start."""
    missing = open_run(at)
    if at.run is None:
        return missing
    if missing:
        return f"{missing}: {{rerun}} runs nodes of it again, {{launch}} starts another"
    return _forward(at)


def breaks(at: Situation) -> str | None:
    """A breakpoint is set in a run, or kept for the next one."""
    if at.run is None:
        return launches(at) or (None if at.selected is not None else "select a node first")
    missing = with_node(at)
    if missing or at.node is None or at.selected in at.run.breakpoints:
        return missing
    if at.node.archived:
        return f"{clean(at.node.path)} is no longer part of the workflow"
    return _forward(at)


def runs_to(at: Situation) -> str | None:
    """Whether the run has yet to come to the node."""
    missing = with_node(at) or open_run(at) or _forward(at)
    if missing or at.node is None:
        return missing
    node = at.node
    if node.status in EFFECTIVE or node.settled:
        return f"{standing(node)}: the run is past it"
    if node.status in ("failed", "in_doubt"):
        helps = (
            "{retry} runs it again" if node.status == "failed" else "{outcome} says what happened"
        )
        return f"{standing(node)}: {helps}"
    return None


def takes_input(at: Situation) -> str | None:
    """Whether there may be a next attempt, with an input of its own."""
    missing = with_node(at)
    if missing or at.node is None:
        return missing
    node = at.node
    if node.status in ("compensating", "compensation_failed"):
        return f"{standing(node)}: an undo takes its input from what the node did"
    if node.plan.expand is not None and node.parent is None:
        return f"{clean(node.path)} is a foreach: its items have inputs of their own"
    return _forward(at)


def goes_on(at: Situation) -> str | None:
    """Whether the node stands at a breakpoint or hold."""
    missing = with_node(at)
    if missing or at.node is None:
        return missing
    return None if at.node.gate is not None else f"{clean(at.node.path)} is not stopped"


def run_goes_on(at: Situation) -> str | None:
    """Whether something keeps the run from going on that a key can take away."""
    missing = open_run(at)
    if missing or at.run is None:
        return missing
    stopped = any(node.gate == "breakpoint" for node in at.run.nodes.values())
    if not at.driven or at.run.paused or at.run.stepping or at.run.until is not None or stopped:
        return None
    return "the run is not interrupted, paused, in step mode or at a breakpoint"


def takes_edit(at: Situation) -> str | None:
    """Whether a saved edit waits."""
    missing = with_run(at)
    if missing:
        return missing
    return None if at.pending else "no saved edit waits to be taken into this run"
