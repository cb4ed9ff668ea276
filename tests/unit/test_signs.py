"""The words of states: one for each, wherever it is shown."""

from __future__ import annotations

from typing import get_args

import pytest

from studio.core.transitions import TRANSITIONS, Phase
from studio.projections.signs import SIGNS, sign
from studio.projections.states import NODE_LOOKS, RUN_LOOKS, Look

SPOKEN = {"attention": "needs you", "compensation_failed": "undo failed"}
"""States that are called otherwise than in the history."""


@pytest.mark.parametrize("state", [*SIGNS])
def test_a_state_is_called_as_in_the_history(state: str) -> None:
    assert sign(state).word == SPOKEN.get(state, state.replace("_", " "))


@pytest.mark.parametrize("looks", [NODE_LOOKS, RUN_LOOKS])
def test_screen_and_command_line_show_a_state_alike(looks: dict[str, Look]) -> None:
    for state, look in looks.items():
        assert (look.glyph, look.ascii, look.word) == sign(state)[:3], state


def test_every_state_has_its_sign() -> None:
    assert set(TRANSITIONS) <= set(NODE_LOOKS)
    assert set(get_args(Phase)) <= set(RUN_LOOKS)


def test_no_two_states_look_alike() -> None:
    for looks in (NODE_LOOKS, RUN_LOOKS):
        words = [look.word for look in looks.values()]
        assert len(set(words)) == len(words)
