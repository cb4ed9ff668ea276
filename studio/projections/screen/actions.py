"""The one table of actions: key, label, help, and when each applies. It feeds bindings, footer, help, palette, menus,
the documentation and the user's keymap (interface.md, "Keys")."""

import re
from typing import Final, Literal, TypeAlias

import msgspec

from studio.core.standing import needs_person
from studio.core.transitions import EFFECTIVE
from studio.projections.screen import rules
from studio.projections.screen.graph import stale_nodes
from studio.projections.screen.rules import Keys, Rule, Situation

Scope: TypeAlias = Literal["node", "run", "move", "view", "app"]


class Action(msgspec.Struct, frozen=True):
    """One thing a person can do.

    Args:
        id: stable name, used by keymap files.
        keys: keys in Textual's names; the first is shown.
        label: one or two words, for the footer and menus.
        help: one sentence.
        scope: what it acts on.
        rule: why it does not apply, or None when it does; see `why_not`.
        rank: place in the footer; smaller is further left; 0 keeps it out.
    """

    id: str
    keys: tuple[str, ...]
    label: str
    help: str
    scope: Scope
    rule: Rule
    rank: int = 0


def no_run_text(keys: Keys) -> str:
    """What is said where a run would have to be shown."""
    return f"no run is shown: {key_of(keys, 'launch')} starts one"


ACTIONS: tuple[Action, ...] = (
    Action("retry", ("r",), "Retry", "Run the node again now, with the newest code", "node", rules.retries, 10),
    Action("retry_downstream", ("R",), "+Down", "Retry the node, and what follows it if its input differs", "node", rules.retries_downstream, 11),
    Action("outcome", ("o",), "Outcome", "Set the outcome by hand: succeeded, skipped, ignored, failed", "node", rules.outcomes, 12),
    Action("undo", ("u",), "Undo", "Undo this node, showing the plan first", "node", rules.undoes, 13),
    Action("undo_run", ("U",), "Undo run", "Undo the run in reverse order, showing the plan first", "run", rules.undoes_run),
    Action("hold", ("p",), "Hold", "Hold the node before its next start, or release it", "node", rules.holds, 14),
    Action("pause", ("P",), "Pause", "Pause the run, or let it go on", "run", rules.open_run),
    Action("step", ("s",), "Step", "Step: let this node, or the next ready one, start", "run", rules.steps, 15),
    Action("step_wave", ("S",), "Wave", "Step: let every ready node start", "run", rules.steps),
    Action("breakpoint", ("b",), "Break", "Set or clear a breakpoint before this node", "node", rules.breaks, 16),
    Action("breakpoints", ("B",), "Breakpoints", "List the breakpoints, and go to one", "run", rules.with_file),
    Action("continue", ("c",), "Continue", "Leave the breakpoint or hold of this node", "node", rules.goes_on),
    Action("continue_run", ("C",), "Continue run", "Let the run go on: leave a pause, step mode and breakpoints, or take it up again", "run", rules.run_goes_on),
    Action("run_to", ("t",), "Run to", "Run to this node and stop there", "node", rules.runs_to),
    Action("cancel", ("x",), "Cancel", "Cancel the node", "node", rules.cancels),
    Action("cancel_run", ("X",), "Cancel run", "Cancel the run; asks first", "run", rules.open_run),
    Action("override_input", ("i",), "Input", "Give the next attempt another input", "node", rules.takes_input),
    Action("rerun", ("ctrl+r",), "Rerun", "Run stale nodes, or everything from this node on, or all of it, again", "run", rules.with_run),
    Action("revise", ("a",), "Take edit", "Take a saved edit into the run, showing what it means first", "run", rules.takes_edit),
    Action("take_back", ("z",), "Take back", "Take back my last action, if nothing has acted on it yet", "run", rules.with_run),
    Action("next_need", ("f",), "Next", "Go to the next thing that needs you", "move", rules.always, 17),
    Action("previous_need", ("F",), "Previous", "Go to the previous thing that needs you", "move", rules.always),
    Action("edit", ("e",), "Edit", "Open the source at the line of the node, or of its error", "view", rules.with_file, 18),
    Action("why", ("w",), "Why", "Why the node is as it is", "node", rules.with_node),
    Action("launch", ("L",), "Launch", "Start a run of this workflow; where it has parameters, enter starts with the last ones", "run", rules.launches, 5),
    Action("new", ("N",), "New", "Create a workflow from a template", "app", rules.always),
    Action("view", ("v",), "View", "Graph, table, timeline", "view", rules.drawn, 19),
    Action("find", ("slash",), "Find", "Find a node by name; in the log or a value a text", "view", rules.drawn, 20),
    Action("next_match", ("n",), "Next match", "Go to the next node that was found", "view", rules.with_file),
    Action("previous_match", ("comma",), "Previous match", "Go to the previous node that was found", "view", rules.with_file),
    Action("diff", ("D",), "Diff", "Compare this run with another, node by node", "view", rules.with_run),
    Action("copy", ("y",), "Copy", "Copy the id, error, input, output, log or command of the node", "view", rules.selected),
    Action("pager", ("vertical_line",), "Pager", "Open the whole log in the pager", "view", rules.with_run),
    Action("zoom", ("Z",), "Zoom", "Give the focused pane the whole screen", "view", rules.always),
    Action("map", ("m",), "Map", "Show or hide the map of the graph", "view", rules.drawn),
    Action("more_detail", ("plus", "equals_sign"), "Detail +", "Draw nodes with more detail", "view", rules.drawn),
    Action("less_detail", ("minus",), "Detail -", "Draw nodes with less detail", "view", rules.drawn),
    Action("fit", ("0",), "Fit", "Choose the drawing that fits", "view", rules.drawn),
    Action("fold", ("d",), "Focus", "Show only what is around the selected node, or everything again", "view", rules.selected),
    Action("group", ("O",), "Group", "Open the group under the cursor, or close the group of the selected node", "view", rules.drawn),
    Action("watch_mode", ("T",), "Watch", "What a saved file does to the run: auto, ask, off", "app", rules.always),
    Action("notices", ("M",), "Notices", "The last notices, in full", "app", rules.always),
    Action("palette", ("colon", "ctrl+p"), "Command", "Find an action by name", "app", rules.always, 30),
    Action("help", ("question_mark",), "Help", "Keys and what they do", "app", rules.always, 31),
    Action("quit", ("q",), "Quit", "One level back, then quit", "app", rules.always),
)  # fmt: skip
"""Every action, in the order of the help page."""

BY_ID: dict[str, Action] = {action.id: action for action in ACTIONS}

KEY_NAMES: dict[str, str] = {
    "slash": "/",
    "colon": ":",
    "question_mark": "?",
    "vertical_line": "|",
    "plus": "+",
    "minus": "-",
    "equals_sign": "=",
    "comma": ",",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "full_stop": ".",
    "enter": "⏎",
    "escape": "esc",
    "space": "space",
}
"""How keys with a name are written on screen."""


def key_name(key: str) -> str:
    """A key as people write it."""
    return KEY_NAMES.get(key, key)


def key_of(keys: Keys, action: str) -> str:
    """The key of an action as this person has it, as people write it.

    Args:
        keys: the person's own keys.
        action: id of the action.
    """
    return key_name(keys.get(action, BY_ID[action].keys)[0])


def keys_of(at: Situation, action: Action) -> tuple[str, ...]:
    """The keys of an action as this person has them; the first is shown."""
    return at.keys.get(action.id, action.keys)


def shown_key(at: Situation, action: Action) -> str:
    """The key of an action as it is written on screen."""
    return key_name(keys_of(at, action)[0])


def why_not(at: Situation, action: Action) -> str | None:
    """Why an action does not apply, with this person's keys for what helps; None when it does."""
    text = action.rule(at)
    return text and _ID.sub(lambda found: _key_of(at, found), text)


_ID: Final = re.compile(r"\{([a-z_]+)\}")


def _key_of(at: Situation, found: re.Match[str]) -> str:
    # Other braces are those of a template, quoted in an error of the workflow file.
    return shown_key(at, BY_ID[found[1]]) if found[1] in BY_ID else found[0]


def footer_actions(at: Situation, limit: int = 9) -> list[Action]:
    """The actions worth a place in the footer: those that apply here, what the moment asks for first."""
    head = [BY_ID[name] for name in of_the_moment(at)]
    head += sorted((a for a in ACTIONS if 0 < a.rank < 30), key=lambda action: action.rank)
    tail = sorted((a for a in ACTIONS if a.rank >= 30), key=lambda action: action.rank)
    found = [a for a in dict.fromkeys(head) if a.rule(at) is None and not _idle(a, at)]
    return [
        msgspec.structs.replace(action, label=label_of(at, action))
        for action in found[: max(0, limit - len(tail))] + tail
    ]


def label_of(at: Situation, action: Action) -> str:
    """What an action is called now: that of a switch tells which way it goes."""
    run, node = at.run, at.node
    if action.id == "pause" and run is not None and run.paused:
        return "Resume"
    if action.id == "hold" and node is not None and node.gate == "hold":
        return "Release"
    if action.id == "breakpoint" and run is not None and at.selected in run.breakpoints:
        return "Unbreak"
    if action.id == "retry" and node is not None:
        if node.status in ("compensation_failed", "compensating"):
            return "Retry undo"
        if node.status in ("ready", "held") and not node.attempt:
            return "Start"
    return action.label


def of_the_moment(at: Situation) -> tuple[str, ...]:
    """Ids of the actions that a person most likely wants now, most wanted first."""
    run, node = at.run, at.node
    first: tuple[str, ...] = ("revise",) if at.pending else ()
    if run is None:
        return ("launch",)
    if run.ended:
        if stale_nodes(run):
            return (*first, "rerun", "launch")
        return (*first, "launch") if run.phase == "succeeded" else (*first, "launch", "rerun")
    if not at.driven:
        first += ("continue_run",)
    elif run.paused:
        first += ("pause",)
    if node is not None and node.status == "in_doubt":
        return (*first, "outcome", "retry", "edit", "override_input")
    if node is not None and node.status in ("failed", "compensation_failed"):
        return (*first, "retry", "outcome", "edit", "override_input", "retry_downstream")
    if node is not None and node.gate is not None:
        go_on = "hold" if node.gate == "hold" else "continue"
        return (*first, go_on, "override_input", "outcome", "step", "continue_run")
    if run.stepping or run.until is not None:
        return (*first, "step", "step_wave", "continue_run", "run_to")
    stale: tuple[str, ...] = ("rerun",) if stale_nodes(run) else ()
    if any(map(needs_person, run.nodes.values())):
        return (*first, "next_need", *stale)
    return (*first, *stale, "pause", "hold", "breakpoint", "step", "cancel")


def _idle(action: Action, at: Situation) -> bool:
    """Whether an action that would be allowed is no use here, so that its place is better given to another."""
    run, node = at.run, at.node
    if action.id in ("next_need", "previous_need"):
        here = run is not None and any(map(needs_person, run.nodes.values()))
        return not here and not at.asks and not at.elsewhere
    if run is None:
        return False
    if action.id == "launch":
        return not run.ended
    if action.id in ("retry", "retry_downstream", "outcome", "breakpoint"):
        done = node is not None and node.status in EFFECTIVE
        return done and (not run.ended or action.id == "breakpoint")
    return False
