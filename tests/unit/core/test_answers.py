"""Every verb has an answer in every state: facts, or a refusal that says why and what would help."""

from __future__ import annotations

import msgspec
import pytest

from studio.core.commands import AnyCommand, Refusal
from studio.core.decide import decide
from studio.core.transitions import TRANSITIONS
from tests.unit.core.answers import TABLE, VERBS, lines
from tests.unit.core.scenes import SCENES


@pytest.mark.parametrize("scene", SCENES)
def test_every_verb_answers_as_the_table_says(scene: str) -> None:
    expected = [line for line in TABLE.read_text().splitlines() if line.startswith(f"{scene:20}")]
    assert lines(scene) == expected


def test_the_scenes_cover_every_state() -> None:
    assert {scene().states["n"] for scene in SCENES.values()} == set(TRANSITIONS)


def test_the_verbs_cover_every_command_of_a_person() -> None:
    mechanical = {"StartRun", "Revise", "RecordSpawn", "FinishAttempt", "FireTimer"}
    named = {kind.__name__ for kind in AnyCommand.__args__}
    assert {type(verb()).__name__ for verb in VERBS.values()} == named - mechanical


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_sent_twice_acts_once(verb: str) -> None:
    for scene in SCENES.values():
        driver = scene()
        command = driver._named(VERBS[verb](), "ada")
        if driver.send(command) is not None:
            continue
        count = len(driver.records)
        assert driver.send(command) is None
        assert len(driver.records) == count


@pytest.mark.parametrize("verb", VERBS)
def test_deciding_changes_nothing(verb: str) -> None:
    for scene in SCENES.values():
        driver = scene()
        before = driver.run().snapshot()
        first = decide(driver.state, VERBS[verb](), driver.now)
        second = decide(driver.state, VERBS[verb](), driver.now)
        assert first == second
        assert driver.run().snapshot() == before


@pytest.mark.parametrize("verb", VERBS)
def test_a_run_or_node_that_does_not_exist_is_named(verb: str) -> None:
    driver = SCENES["running"]()
    command = msgspec.structs.replace(VERBS[verb](), run=9)
    assert driver.refused(command) == "there is no run 9"
    if hasattr(command, "node") and command.node:
        command = msgspec.structs.replace(command, run=1, node="nope")
        answer = driver.send(command)
        assert isinstance(answer, Refusal)
        assert "no node nope" in str(answer)
