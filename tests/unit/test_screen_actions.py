"""What is offered in the footer and in a node's menu, and how messages name the keys."""

import msgspec
import pytest

from studio.core.standing import orphan
from studio.projections.screen.actions import BY_ID, footer_actions, why_not
from studio.projections.screen.graph import cell_of
from studio.projections.screen.menus import node_choices
from studio.projections.screen.rules import Situation
from studio.projections.screen.wording import with_keys
from studio.projections.states import node_look
from tests.unit.core.driver import Driver, node


def failing() -> Driver:
    """A run whose node b has failed and waits for a person, while c runs."""
    driver = Driver(node("a"), node("b"), node("c", "a"), policy="hold", surface="screen")
    driver.finish("a").fail("b")
    return driver


def at(driver: Driver, path: str) -> Situation:
    """That node selected in the shown run."""
    run = driver.run()
    return Situation(run, run.nodes[path], path, "flow.yaml", True)


def offered(situation: Situation, limit: int = 9) -> list[str]:
    """Labels in the footer."""
    return [action.label for action in footer_actions(situation, limit)]


def test_a_failure_brings_what_helps_to_the_front() -> None:
    labels = offered(at(failing(), "b"))
    assert labels[:4] == ["Retry", "Outcome", "Edit", "Input"]
    assert labels[-2:] == ["Command", "Help"]
    assert "Launch" not in labels


def test_elsewhere_the_next_failure_comes_first() -> None:
    assert offered(at(failing(), "c"))[0] == "Next"


def test_what_runs_well_can_be_paused() -> None:
    driver = Driver(node("a"), node("b", "a"))
    labels = offered(at(driver, "b"))
    assert labels[0] == "Pause"
    assert "Next" not in labels


def test_an_interrupted_run_is_taken_up_first() -> None:
    situation = msgspec.structs.replace(at(failing(), "b"), driven=False)
    assert offered(situation)[0] == "Continue run"


def test_what_an_engine_left_behind_is_interrupted_and_waits_for_the_run() -> None:
    driver = failing()
    orphan(driver.run())
    situation = msgspec.structs.replace(at(driver, "c"), driven=False)
    cell = cell_of(driver.run(), driver.run().nodes["c"], driver.now, None)
    assert (cell.glyph, cell.state) == ("¿", "in_doubt")
    assert node_look(driver.run().nodes["c"]).word == "interrupted"
    for action in ("retry", "outcome"):
        assert why_not(situation, BY_ID[action]) == (
            "c was interrupted: C takes the run up, and finds out how it stands"
        )
    assert why_not(situation, BY_ID["continue_run"]) is None


def test_a_saved_edit_that_waits_comes_before_everything() -> None:
    assert offered(msgspec.structs.replace(at(failing(), "b"), pending=True))[0] == "Take edit"


def test_the_menu_begins_with_what_the_node_needs_and_ends_with_what_does_not_apply() -> None:
    choices = node_choices(at(failing(), "b"))
    assert [choice.value for choice in choices[:3]] == ["retry", "outcome", "edit"]
    enabled = [choice.enabled for choice in choices]
    assert enabled == sorted(enabled, reverse=True)
    assert len({choice.value for choice in choices}) == len(choices)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("it is paused. `resume` first", "it is paused. P first"),
        ("`retry NODE` starts it", "r starts it"),
        ("`studio mark 1 a succeeded --output JSON`", "o"),
        ("add `compensate:` to it", "add `compensate:` to it"),
        ("`when` is false", "`when` is false"),
        (
            "run to a node with `step --until NODE`, or set a `breakpoint`",
            "run to a node with t, or set a breakpoint with b",
        ),
        ("`step --wave`", "S"),
        ("`why` tells of a node what it waits for", "w tells of a node what it waits for"),
        ("`studio compensate 3 a` tries it again", "u tries it again"),
        ("`studio compensate 3` goes on with it", "U goes on with it"),
        ("goes only as far as a; `continue` goes further", "goes only as far as a; C goes further"),
        ("the policy `continue` lets it go on", "the policy `continue` lets it go on"),
        (
            "`studio compensate 3 --force --reason TEXT`",
            "`studio compensate 3 --force --reason TEXT`",
        ),
        ("cannot step b: it is compensation_failed", "cannot step b: its undo failed"),
    ],
)
def test_messages_name_keys_instead_of_commands(said: str, shown: str) -> None:
    assert with_keys(said, {}) == shown


def test_messages_name_the_keys_of_this_person() -> None:
    assert with_keys("`resume` first", {"pause": ("ctrl+y",)}) == "ctrl+y first"
