"""The one table of actions: key, label, help, and when each applies. It feeds bindings, footer, help, palette, menus,
the documentation and the user's keymap (interface.md, "Keys")."""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple, TypeAlias

from studio.core.endings import needs_person
from studio.core.state import NodeState, RunState
from studio.core.transitions import EFFECTIVE, IN_FLIGHT
from studio.projections.states import node_look

Scope: TypeAlias = Literal["node", "run", "move", "view", "app"]


Keys: TypeAlias = Mapping[str, tuple[str, ...]]
"""A person's keys by action id, in Textual's names, where they differ from the table."""

NO_KEYS: Keys = {}
"""Those of a person without a keymap file."""


class Situation(NamedTuple):
    """What an action would act on.

    Args:
        run: the shown run, None when a workflow without a run is shown.
        node: the selected node of that run, None without one.
        selected: path of the selected node, also when there is no run.
        file: path of the shown workflow file, None when there is none.
        loadable: whether the file has a good version.
        pending: whether a saved edit waits to be taken into the run.
        driven: whether an engine drives the run; false for one that was interrupted.
        keys: the user's keys by action id, where they differ from the table.
        elsewhere: whether another run needs a person.
    """

    run: RunState | None = None
    node: NodeState | None = None
    selected: str | None = None
    file: str | None = None
    loadable: bool = False
    driven: bool = True
    pending: bool = False
    keys: Keys = NO_KEYS
    elsewhere: bool = False


Rule: TypeAlias = Callable[[Situation], str | None]


class Action(NamedTuple):
    """One thing a person can do.

    Args:
        id: stable name, used by keymap files.
        keys: keys in Textual's names; the first is shown.
        label: one or two words, for the footer and menus.
        help: one sentence.
        scope: what it acts on.
        rule: why it does not apply, or None when it does.
        rank: place in the footer; smaller is further left; 0 keeps it out.
    """

    id: str
    keys: tuple[str, ...]
    label: str
    help: str
    scope: Scope
    rule: Rule
    rank: int = 0


def _key(at: Situation, action: str) -> str:
    return key_of(at.keys, action)


def no_run_text(keys: Keys) -> str:
    """What is said where a run would have to be shown."""
    return f"no run is shown: {key_of(keys, 'launch')} starts one"


def _always(at: Situation) -> str | None:
    return None


def _with_file(at: Situation) -> str | None:
    if at.file is None:
        return f"there is no workflow here: {_key(at, 'new')} creates one from a template"
    return None


def _drawn(at: Situation) -> str | None:
    missing = _with_file(at)
    if missing or at.loadable or at.run is not None:
        return missing
    return f"there is no graph: the workflow file has errors, {_key(at, 'edit')} opens it"


def _launch(at: Situation) -> str | None:
    if at.file is None:
        return f"there is no workflow to start: {_key(at, 'new')} creates one from a template"
    return None if at.loadable else f"the workflow file has errors: {_key(at, 'edit')} opens it"


def _with_run(at: Situation) -> str | None:
    return None if at.run is not None else no_run_text(at.keys)


def _with_node(at: Situation) -> str | None:
    if at.run is None:
        return no_run_text(at.keys)
    return None if at.node is not None else "select a node first"


def _selected(at: Situation) -> str | None:
    return None if at.selected is not None else "select a node first"


def _retry(at: Situation) -> str | None:
    missing = _with_node(at)
    if missing or at.node is None:
        return missing
    if at.node.orphaned:
        return _orphaned(at, at.node.path)
    if at.node.status in ("running", "compensating", "waiting"):
        return f"{at.node.path} is {node_look(at.node).word}: {_key(at, 'cancel')} cancels it"
    if at.node.status == "blocked":
        return f"{at.node.path} waits for its upstreams"
    return None


def _orphaned(at: Situation, path: str) -> str:
    return f"{path} was interrupted: {_key(at, 'continue_run')} takes the run up, and finds out how it stands"


def _cancel(at: Situation) -> str | None:
    missing = _with_node(at)
    if missing or at.node is None:
        return missing
    if at.node.status in EFFECTIVE or at.node.settled:
        return f"cannot cancel {at.node.path}: it is {node_look(at.node).word}"
    return None


def _open_run(at: Situation) -> str | None:
    missing = _with_run(at)
    if missing or at.run is None:
        return missing
    return f"run {at.run.number} has ended ({at.run.phase})" if at.run.ended else None


def _hold(at: Situation) -> str | None:
    missing = _with_node(at) or _open_run(at)
    if missing or at.node is None:
        return missing
    if at.node.gate is None and (at.node.status in EFFECTIVE or at.node.settled):
        return f"cannot hold {at.node.path}: it is {node_look(at.node).word}"
    return None


def _outcome(at: Situation) -> str | None:
    missing = _with_node(at)
    if missing or at.node is None:
        return missing
    if at.node.orphaned:
        return _orphaned(at, at.node.path)
    if at.node.status in IN_FLIGHT:
        return f"{at.node.path} is {node_look(at.node).word}: {_key(at, 'cancel')} cancels it first"
    return None


def _undo(at: Situation) -> str | None:
    missing = _with_node(at)
    if missing or at.node is None:
        return missing
    if at.node.plan.undo is None:
        return f"{at.node.path} declares no undo: add `compensate:` to it"
    if at.node.status not in EFFECTIVE and at.node.items is None:
        return f"cannot undo {at.node.path}: it is {node_look(at.node).word}"
    return None


def _undo_run(at: Situation) -> str | None:
    missing = _with_run(at)
    if missing or at.run is None:
        return missing
    if not any(node.plan.undo is not None for node in at.run.nodes.values()):
        return "no node of this workflow declares an undo"
    return None


def _go_on(at: Situation) -> str | None:
    missing = _with_node(at)
    if missing or at.node is None:
        return missing
    return None if at.node.gate is not None else f"{at.node.path} is not stopped"


def _go_on_run(at: Situation) -> str | None:
    missing = _with_run(at)
    if missing or at.run is None:
        return missing
    if not at.driven and not at.run.ended:
        return None
    stopped = any(node.gate == "breakpoint" for node in at.run.nodes.values())
    if at.run.stepping or at.run.until is not None or stopped:
        return None
    return "the run is not interrupted, in step mode or at a breakpoint"


def _revise(at: Situation) -> str | None:
    missing = _with_run(at)
    if missing:
        return missing
    return None if at.pending else "no saved edit waits to be taken into this run"


ACTIONS: tuple[Action, ...] = (
    Action("retry", ("r",), "Retry", "Run the node again now, with the newest code", "node", _retry, 10),
    Action("retry_downstream", ("R",), "+Down", "Retry the node, and what follows it if its input differs", "node", _retry, 11),
    Action("outcome", ("o",), "Outcome", "Set the outcome by hand: succeeded, skipped, ignored, failed", "node", _outcome, 12),
    Action("undo", ("u",), "Undo", "Undo this node, showing the plan first", "node", _undo, 13),
    Action("undo_run", ("U",), "Undo run", "Undo the run in reverse order, showing the plan first", "run", _undo_run),
    Action("hold", ("p",), "Hold", "Hold the node before its next start, or release it", "node", _hold, 14),
    Action("pause", ("P",), "Pause", "Pause the run, or let it go on", "run", _open_run),
    Action("step", ("s",), "Step", "Step: let this node, or the next ready one, start", "run", _open_run, 15),
    Action("step_wave", ("S",), "Wave", "Step: let every ready node start", "run", _open_run),
    Action("breakpoint", ("b",), "Break", "Set or clear a breakpoint before this node", "node", _with_node, 16),
    Action("continue", ("c",), "Continue", "Leave the breakpoint or hold of this node", "node", _go_on),
    Action("continue_run", ("C",), "Continue run", "Leave step mode and breakpoints, or take up an interrupted run", "run", _go_on_run),
    Action("run_to", ("t",), "Run to", "Run to this node and stop there", "node", _with_node),
    Action("cancel", ("x",), "Cancel", "Cancel the node", "node", _cancel),
    Action("cancel_run", ("X",), "Cancel run", "Cancel the run; asks first", "run", _open_run),
    Action("override_input", ("i",), "Input", "Give the next attempt another input", "node", _with_node),
    Action("rerun", ("ctrl+r",), "Rerun", "Run stale nodes, or everything from this node on, or all of it, again", "run", _with_run),
    Action("revise", ("a",), "Take edit", "Take a saved edit into the run, showing what it means first", "run", _revise),
    Action("take_back", ("z",), "Take back", "Take back my last action, if nothing has acted on it yet", "run", _with_run),
    Action("next_need", ("f",), "Next", "Go to the next thing that needs you", "move", _always, 17),
    Action("previous_need", ("F",), "Previous", "Go to the previous thing that needs you", "move", _always),
    Action("edit", ("e",), "Edit", "Open the source at the line of the node, or of its error", "view", _with_file, 18),
    Action("why", ("w",), "Why", "Why the node is as it is", "node", _with_node),
    Action("launch", ("L",), "Launch", "Start a run of this workflow; again: with the same parameters", "run", _launch, 5),
    Action("new", ("N",), "New", "Create a workflow from a template", "app", _always),
    Action("view", ("v",), "View", "Graph, table, timeline", "view", _drawn, 19),
    Action("find", ("slash",), "Find", "Find a node by name", "view", _drawn, 20),
    Action("copy", ("y",), "Copy", "Copy the id, error, input, output, log or command of the node", "view", _selected),
    Action("pager", ("vertical_line",), "Pager", "Open the whole log in the pager", "view", _with_run),
    Action("zoom", ("Z",), "Zoom", "Give the focused pane the whole screen", "view", _always),
    Action("map", ("m",), "Map", "Show or hide the map of the graph", "view", _drawn),
    Action("more_detail", ("plus", "equals_sign"), "Detail +", "Draw nodes with more detail", "view", _drawn),
    Action("less_detail", ("minus",), "Detail -", "Draw nodes with less detail", "view", _drawn),
    Action("fit", ("0",), "Fit", "Choose the drawing that fits", "view", _drawn),
    Action("fold", ("d",), "Focus", "Show only what is around the selected node, or everything again", "view", _selected),
    Action("watch_mode", ("T",), "Watch", "What a saved file does to the run: auto, ask, off", "app", _always),
    Action("palette", ("colon", "ctrl+p"), "Command", "Find an action by name", "app", _always, 30),
    Action("help", ("question_mark",), "Help", "Keys and what they do", "app", _always, 31),
    Action("quit", ("q",), "Quit", "One level back, then quit", "app", _always),
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


def footer_actions(at: Situation, limit: int = 9) -> list[Action]:
    """The actions worth a place in the footer: those that apply here, what the moment asks for first."""
    head = [BY_ID[name] for name in of_the_moment(at)]
    head += sorted((a for a in ACTIONS if 0 < a.rank < 30), key=lambda action: action.rank)
    tail = sorted((a for a in ACTIONS if a.rank >= 30), key=lambda action: action.rank)
    found = [a for a in dict.fromkeys(head) if a.rule(at) is None and not _idle(a, at)]
    return [
        action._replace(label=label_of(at, action))
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
    return action.label


def of_the_moment(at: Situation) -> tuple[str, ...]:
    """Ids of the actions that a person most likely wants now, most wanted first."""
    run, node = at.run, at.node
    if run is None or run.ended:
        return ("launch", "rerun") if run is not None and run.phase != "succeeded" else ("launch",)
    first: tuple[str, ...] = ("revise",) if at.pending else ()
    if not at.driven:
        first += ("continue_run",)
    elif run.paused:
        first += ("pause",)
    if node is not None and node.status in ("failed", "in_doubt", "compensation_failed"):
        return (*first, "retry", "outcome", "edit", "override_input", "retry_downstream")
    if node is not None and node.gate is not None:
        go_on = "hold" if node.gate == "hold" else "continue"
        return (*first, go_on, "override_input", "outcome", "step", "continue_run")
    if run.stepping or run.until is not None:
        return (*first, "step", "step_wave", "continue_run", "run_to")
    if any(map(needs_person, run.nodes.values())):
        return (*first, "next_need")
    return (*first, "pause", "hold", "breakpoint", "step", "cancel")


def _idle(action: Action, at: Situation) -> bool:
    """Whether an action that would be allowed is no use here, so that its place is better given to another."""
    run, node = at.run, at.node
    if action.id in ("next_need", "previous_need"):
        here = run is not None and any(map(needs_person, run.nodes.values()))
        return not here and not at.elsewhere
    if run is None:
        return False
    if action.id == "launch":
        return not run.ended
    if action.id in ("retry", "retry_downstream", "outcome", "breakpoint"):
        done = node is not None and node.status in EFFECTIVE
        return done and (not run.ended or action.id == "breakpoint")
    return False
