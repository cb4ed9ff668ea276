"""The page of states says what the table of transitions says."""

from __future__ import annotations

from typing import get_args

from studio.core.events import Disposition
from studio.core.transitions import (
    EFFECTIVE,
    ENDED,
    FINISHED,
    IN_FLIGHT,
    SETTLED_DISPOSITIONS,
    TRANSITIONS,
    Phase,
    Status,
)
from tests.docs.states_page import DISPOSITIONS, MEANING, PAGE, page


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), "run: python -m tests.docs.states_page"


def test_every_state_is_explained_and_has_its_row() -> None:
    assert set(MEANING) == set(get_args(Status)) == set(TRANSITIONS)


def test_every_lasting_disposition_is_explained() -> None:
    passing = {"retry", "fallback"}
    assert set(DISPOSITIONS) == set(get_args(Disposition)) - passing
    settled = {name for name, (answer, _meaning) in DISPOSITIONS.items() if answer == "yes"}
    assert settled == SETTLED_DISPOSITIONS


def test_the_table_is_closed_and_every_state_can_be_left_and_reached() -> None:
    names = set(TRANSITIONS)
    assert set.union(*map(set, TRANSITIONS.values())) <= names
    assert all(TRANSITIONS.values())
    reached = {"blocked"}
    while (
        more := set.union(*(set(TRANSITIONS[state]) for state in reached if state in names))
        - reached
    ):
        reached |= more
    assert reached == names


def test_groups_are_made_of_states_and_phases() -> None:
    assert set(TRANSITIONS) >= EFFECTIVE | FINISHED | IN_FLIGHT
    assert EFFECTIVE <= FINISHED
    assert not FINISHED & IN_FLIGHT
    assert set(get_args(Phase)) > ENDED
