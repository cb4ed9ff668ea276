"""How states look: glyph, ASCII glyph, word and style, always all of them together (interface.md, "Screen")."""

from typing import NamedTuple

from studio.core.state import NodeState, RunState
from studio.core.transitions import EFFECTIVE, IN_FLIGHT


class Look(NamedTuple):
    """How a state is shown.

    Args:
        glyph: one cell wide.
        ascii: its stand-in where only ASCII is to be drawn.
        word: the state in a word; never left out.
        style: semantic style name, ``state.<name>``.
    """

    glyph: str
    ascii: str
    word: str
    style: str


NODE_LOOKS: dict[str, Look] = {
    "blocked": Look("○", ".", "blocked", "state.blocked"),
    "ready": Look("◌", ":", "ready", "state.ready"),
    "running": Look("●", ">", "running", "state.running"),
    "waiting": Look("?", "?", "waiting", "state.waiting"),
    "backing_off": Look("↻", "~", "retrying", "state.backing_off"),
    "held": Look("‖", '"', "held", "state.held"),
    "breakpoint": Look("◆", "*", "breakpoint", "state.held"),
    "failed": Look("✗", "!", "failed", "state.failed"),
    "in_doubt": Look("¿", "%", "in doubt", "state.in_doubt"),
    "skipped": Look("⊘", "-", "skipped", "state.skipped"),
    "cancelled": Look("×", "x", "cancelled", "state.cancelled"),
    "compensating": Look("↶", "<", "undoing", "state.compensating"),
    "compensated": Look("⟲", "(", "undone", "state.compensated"),
    "compensation_failed": Look("⚠", "&", "undo failed", "state.failed"),
    "succeeded": Look("✓", "+", "succeeded", "state.succeeded"),
    "reused": Look("≡", "=", "reused", "state.reused"),
}

RUN_LOOKS: dict[str, Look] = {
    "running": Look("●", ">", "running", "state.running"),
    "attention": Look("◆", "*", "needs you", "state.held"),
    "compensating": Look("↶", "<", "undoing", "state.compensating"),
    "succeeded": Look("✓", "+", "succeeded", "state.succeeded"),
    "failed": Look("✗", "!", "failed", "state.failed"),
    "cancelled": Look("×", "x", "cancelled", "state.cancelled"),
    "compensated": Look("⟲", "(", "undone", "state.compensated"),
    "partly_compensated": Look("⟲", "(", "partly undone", "state.failed"),
    "paused": Look("‖", '"', "paused", "state.held"),
    "interrupted": Look("¿", "%", "interrupted", "state.in_doubt"),
    "failing": Look("✗", "!", "failing", "state.failed"),
}

MARKS: dict[str, tuple[str, str]] = {
    "stale": ("′", "'"),
    "overridden": ("°", "o"),
    "overridden output": ("°", "o"),
    "marked": ("·", ","),
    "degraded": ("▿", "v"),
}
"""Marks after a node's name, with their ASCII stand-ins."""


def node_look(node: NodeState) -> Look:
    """How a node's state is shown; a stop at a breakpoint is told from other holds, and what an engine left behind
    when it died from what runs."""
    if node.orphaned and node.status in IN_FLIGHT:
        return RUN_LOOKS["interrupted"]
    if node.gate == "breakpoint" and (node.status == "held" or node.status in EFFECTIVE):
        return NODE_LOOKS["breakpoint"]
    return NODE_LOOKS[node.status]


def run_look(run: RunState, phase: str, *, driven: bool = True) -> Look:
    """How a run's state is shown; ``driven`` is false for an open run whose engine died."""
    if run.paused and not run.ended:
        return RUN_LOOKS["paused"]
    if not run.ended and not driven:
        return RUN_LOOKS["interrupted"]
    if run.failing and phase == "running":
        return RUN_LOOKS["failing"]
    return RUN_LOOKS[phase]


def marks_of(node: NodeState, *, ascii: bool = False) -> str:
    """The marks beside a node's name, each once."""
    found = dict.fromkeys(MARKS[name][ascii] for name in sorted(node.marks) if name in MARKS)
    return "".join(found)
