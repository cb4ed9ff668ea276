"""How states look: glyph, ASCII glyph, word and style, always all of them together (interface.md, "Screen")."""

import msgspec

from studio.core.gates import gate_of
from studio.core.state import NodeState, RunState
from studio.core.transitions import EFFECTIVE, IN_FLIGHT
from studio.projections.layout import clean
from studio.projections.signs import SIGNS


class Look(msgspec.Struct, frozen=True):
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


def _look(state: str, style: str) -> Look:
    """A state as the command line shows it, in the style of the screen: it has one sign and one word everywhere."""
    sign = SIGNS[state]
    return Look(sign.glyph, sign.ascii, sign.word, f"state.{style}")


NODE_LOOKS: dict[str, Look] = {
    state: _look(state, style)
    for state, style in (
        ("blocked", "blocked"),
        ("ready", "ready"),
        ("running", "running"),
        ("waiting", "waiting"),
        ("backing_off", "backing_off"),
        ("held", "held"),
        ("breakpoint", "held"),
        ("failed", "failed"),
        ("in_doubt", "in_doubt"),
        ("skipped", "skipped"),
        ("cancelled", "cancelled"),
        ("compensating", "compensating"),
        ("compensated", "compensated"),
        ("compensation_failed", "failed"),
        ("succeeded", "succeeded"),
        ("reused", "reused"),
    )
}

RUN_LOOKS: dict[str, Look] = {
    state: _look(state, style)
    for state, style in (
        ("running", "running"),
        ("attention", "held"),
        ("compensating", "compensating"),
        ("succeeded", "succeeded"),
        ("failed", "failed"),
        ("cancelled", "cancelled"),
        ("compensated", "compensated"),
        ("partly_compensated", "failed"),
        ("paused", "held"),
        ("interrupted", "in_doubt"),
        ("failing", "failed"),
    )
}

MARKS: dict[str, tuple[str, str]] = {
    "stale": ("′", "'"),
    "overridden": ("°", "o"),
    "overridden output": ("°", "o"),
    "marked": ("·", ","),
    "degraded": ("▿", "v"),
}
"""Marks after a node's name, with their ASCII stand-ins."""


def kept_by_step(run: RunState, node: NodeState) -> bool:
    """Whether step mode or run-to-node keeps a node back that could start."""
    standing = run.stepping or run.within is not None
    return standing and node.status == "ready" and gate_of(run, node) in ("step", "until")


def step_text(run: RunState) -> str:
    """That a run is stepped through, or runs to a node; empty when neither."""
    if run.ended:
        return ""
    if run.until is not None:
        return f"runs to {clean(run.until)}"
    return "step mode" if run.stepping else ""


def node_look(node: NodeState, run: RunState | None = None) -> Look:
    """How a node's state is shown; a stop at a breakpoint is told from other holds, and what an engine left behind
    when it died from what runs.

    Args:
        run: the run it belongs to; without it a node that step mode keeps back looks ready.
    """
    if node.orphaned and node.status in IN_FLIGHT:
        return RUN_LOOKS["interrupted"]
    if run is not None and kept_by_step(run, node):
        return NODE_LOOKS["held"]
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
