"""Menus about a node: what can be done with it, and what can be copied of it."""

from studio.core.transitions import EFFECTIVE
from studio.projections.screen.actions import (
    BY_ID,
    Action,
    label_of,
    of_the_moment,
    shown_key,
    why_not,
)
from studio.projections.screen.consequences import Choice
from studio.projections.screen.rules import Situation

NODE_ACTIONS = (
    "retry",
    "retry_downstream",
    "outcome",
    "override_input",
    "undo",
    "hold",
    "continue",
    "breakpoint",
    "step",
    "run_to",
    "cancel",
    "edit",
    "why",
    "copy",
)
"""Actions in a node's menu, most wanted first."""

MENU_LABELS = {
    "retry_downstream": "Retry + downstream",
    "override_input": "Override input",
    "outcome": "Outcome by hand",
    "step_wave": "Step a wave",
    "next_need": "Next need",
    "previous_need": "Previous need",
    "palette": "Command palette",
}
"""Longer than the footer has room for."""


def node_choices(at: Situation) -> list[Choice]:
    """Everything that can be done with the selected node; what cannot says why, and comes last."""
    found = []
    first = [name for name in of_the_moment(at) if name in NODE_ACTIONS]
    for name in dict.fromkeys([*first, *NODE_ACTIONS]):
        action = BY_ID[name]
        reason = why_not(at, action)
        found.append(
            Choice(
                name,
                menu_label(at, action),
                reason or detail_of(at, action),
                shown_key(at, action),
                enabled=reason is None,
            )
        )
    return sorted(found, key=lambda choice: not choice.enabled)


def menu_label(at: Situation, action: Action) -> str:
    """What an action is called where there is room for more than a word."""
    return MENU_LABELS.get(action.id) or label_of(at, action)


def detail_of(at: Situation, action: Action) -> str:
    """What an action would do to the selected node as it stands."""
    return DETAILS.get((action.id, at.node.status if at.node is not None else ""), action.help)


_STARTS = "Start it now, past what holds it"

DETAILS = {
    ("retry", "in_doubt"): "Run it again under the same idempotency key; asks first",
    ("outcome", "in_doubt"): "Say what happened, run it again, undo it, or give it up",
    ("retry", "compensation_failed"): "Run its undo again now",
    ("retry", "compensating"): "Run its undo again now",
    ("outcome", "compensation_failed"): "Say that it was undone by hand, or give its undo up",
    ("retry", "held"): _STARTS,
    ("retry", "ready"): _STARTS,
    ("cancel", "running"): "End its attempt; asks first where it may have acted",
    ("cancel", "compensating"): "End the attempt to undo it; the undo then needs you",
}
"""What some actions do to a node in a state, where that is not what their help says."""


def copy_choices(at: Situation) -> list[Choice]:
    """What can be copied of the selected node."""
    node = at.node
    found = [Choice("id", "Its id", at.selected or "", "i")]
    if node is None:
        return found
    if node.failure is not None:
        found.append(Choice("error", "Its error", "type, message and traceback", "e", "bad"))
    if node.input_position:
        found.append(Choice("input", "Its input", "as JSON", "n"))
    if node.status in EFFECTIVE:
        found.append(Choice("output", "Its output", "as JSON", "o"))
        found.append(Choice("template", "A template of its output", "{{ nodes.….output }}", "t"))
    found.append(Choice("log", "Its log", "all attempts", "l"))
    found.append(Choice("command", "The retry command", "for another shell", "c"))
    return found


def leave_choices() -> list[Choice]:
    """Ways to quit while runs are under way, the gentlest first."""
    again = "`studio` takes the runs up again"
    return [
        Choice("pause", "Pause, then quit", "what runs finishes first; nothing new starts", "p"),
        Choice(
            "leave",
            "Quit now",
            f"what runs is ended, in doubt if it may have acted; {again}",
            "q",
            "warn",
        ),
        Choice("cancel", "Cancel them, then quit", "what is done stays done", "x", "bad"),
        Choice("stay", "Stay", "", "s"),
    ]
