"""Messages of the engine in the words of the screen: where they name a command, the key that does the same."""

import re
from collections.abc import Mapping
from typing import Final

from studio.projections.screen.actions import key_of
from studio.projections.screen.rules import Keys

_COMMAND: Final = r"`(?:studio )?(?P<verb>[a-z]+)(?P<rest>[^`\n]*)`"

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
}
"""Actions by the verb that does the same in another shell."""


_WORDS: Final = (
    ("it is compensation_failed", "its undo failed"),
    ("it is in_doubt", "it is in doubt"),
    ("it is backing_off", "it waits for its next try"),
)
"""Names of states in messages of the engine, and what is said on screen."""


def with_keys(text: str, keys: Keys, *, driven: bool = True) -> str:
    """A message with the keys of this person in the place of commands.

    Args:
        text: such as ``it is paused. `resume` first``.
        keys: the person's own keys by action id, where they differ from the table.
        driven: whether an engine drives the run; one that was interrupted is taken up by another key than a pause.
    """

    def named(found: re.Match[str]) -> str:
        action = _NODE_ACTIONS.get(found["verb"])
        if action == "pause" and not driven:
            action = "continue_run"
        # `compensate:` and its like are words of a workflow file.
        if action is None or found["rest"].startswith(":"):
            return found[0]
        return key_of(keys, action)

    for word, ours in _WORDS:
        text = text.replace(word, ours)
    return re.sub(_COMMAND, named, text)
