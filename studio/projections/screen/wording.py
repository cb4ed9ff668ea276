"""Messages of the engine in the words of the screen: where they name a command, the key that does the same."""

import re
from collections.abc import Mapping
from typing import Final

from studio.projections.screen.actions import key_of
from studio.projections.screen.rules import Keys

_COMMAND: Final = r"(?<!policy )`(?:studio )?(?P<verb>[a-z_]+)(?P<rest>[^`\n]*)`"

_NODE_ACTIONS: Final[Mapping[str, str]] = {
    "retry": "retry",
    "hold": "hold",
    "release": "hold",
    "mark": "outcome",
    "output": "outcome",
    "compensate": "undo",
    "undo": "undo",
    "continue": "continue",
    "step": "step",
    "cancel": "cancel",
    "input": "override_input",
    "breakpoint": "breakpoint",
    "rerun": "rerun",
    "pause": "pause",
    "resume": "pause",
    "why": "why",
    "continue_run": "continue_run",
}
"""Actions by the verb that does the same in another shell."""

_OPTIONS: Final[Mapping[tuple[str, str], str]] = {
    ("step", "--until"): "run_to",
    ("step", "--wave"): "step_wave",
}
"""Actions by a verb and an option that makes another one of it."""

_RUN_ACTIONS: Final[Mapping[str, str]] = {
    "compensate": "undo_run",
    "undo": "undo_run",
    "cancel": "cancel_run",
    "continue": "continue_run",
}
"""Actions by a verb that names a run and no node."""

_WORDS: Final = (
    ("it is compensation_failed", "its undo failed"),
    ("it is in_doubt", "it is in doubt"),
    ("it is backing_off", "it waits for its next try"),
    ("set a `breakpoint`", "set a breakpoint with `breakpoint`"),
    ("`continue` goes further", "`continue_run` goes further"),
)
"""Words in messages of the engine, and what is said on screen."""


def with_keys(text: str, keys: Keys, *, driven: bool = True) -> str:
    """A message with the keys of this person in the place of commands.

    Args:
        text: such as ``it is paused. `resume` first``.
        keys: the person's own keys by action id, where they differ from the table.
        driven: whether an engine drives the run; one that was interrupted is taken up by another key than a pause.
    """

    def named(found: re.Match[str]) -> str:
        verb, rest = found["verb"], found["rest"]
        action = _NODE_ACTIONS.get(verb)
        if re.fullmatch(r" \d+", rest):
            action = _RUN_ACTIONS.get(verb, action)
        action = next((_OPTIONS[verb, o] for o in rest.split() if (verb, o) in _OPTIONS), action)
        if action == "pause" and not driven:
            action = "continue_run"
        # `compensate:` and its like are words of a workflow file; nothing here does what --force does.
        if action is None or rest.startswith(":") or "--force" in rest:
            return found[0]
        return key_of(keys, action)

    for word, ours in _WORDS:
        text = text.replace(word, ours)
    return re.sub(_COMMAND, named, text)
