"""Menus about a node: what can be done with it, and what can be copied of it."""

from studio.core.transitions import EFFECTIVE
from studio.projections.screen.actions import (
    BY_ID,
    Action,
    Situation,
    label_of,
    of_the_moment,
    shown_key,
)
from studio.projections.screen.consequences import Choice

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
        why_not = action.rule(at)
        found.append(
            Choice(
                name,
                menu_label(at, action),
                why_not or detail_of(at, action),
                shown_key(at, action),
                enabled=why_not is None,
            )
        )
    return sorted(found, key=lambda choice: not choice.enabled)


def menu_label(at: Situation, action: Action) -> str:
    """What an action is called where there is room for more than a word."""
    return MENU_LABELS.get(action.id) or label_of(at, action)


def detail_of(at: Situation, action: Action) -> str:
    """What an action would do to the selected node as it stands."""
    doubtful = at.node is not None and at.node.status == "in_doubt"
    if doubtful and action.id == "retry":
        return "Run it again under the same idempotency key"
    if doubtful and action.id == "outcome":
        return "Say what happened: succeeded, skipped, ignored, failed"
    return action.help


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
