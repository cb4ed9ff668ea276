"""The page of the screen says what the table of actions says."""

from __future__ import annotations

from studio.application.screen_options import THEMES
from studio.projections.screen.actions import ACTIONS
from tests.docs.screen_page import PAGE, TITLES, page


def test_the_table_of_keys_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == page(), "run: python -m tests.docs.screen_page"


def test_every_action_has_its_place_in_the_table() -> None:
    assert {action.scope for action in ACTIONS} == set(TITLES)


def test_every_theme_is_named() -> None:
    text = PAGE.read_text("utf-8")
    assert not [name for name in THEMES if f"`{name}`" not in text]
