"""The document of a run: exactly the keys that scripts were promised, at any moment of the run."""

from __future__ import annotations

from typing import Any

import pytest

from studio.core import commands as verbs
from studio.errors import NotFoundError
from studio.model.nodes import ShellSettings, Undo
from studio.model.policies import Retry
from studio.projections.run_document import node_document, run_document
from tests.unit.core.driver import Driver, node, undo

RUN_KEYS = {
    "run", "workflow", "version", "state", "paused", "outputs", "started_at", "finished_at", "nodes",
}  # fmt: skip
NODE_KEYS = {"state", "attempts", "output", "error", "marks", "started_at", "finished_at"}


def document(driver: Driver) -> dict[str, Any]:
    return run_document(driver.state, driver.run())


def test_a_finished_run_has_every_promised_key() -> None:
    driver = Driver(node("a"), node("b", "a"), outputs={"sum": "{{ nodes.b.output.n }}"})
    driver.tick(2).finish("a", {"n": 1}).tick(1).finish("b", {"n": 2})
    found = document(driver)
    assert set(found) >= RUN_KEYS
    assert (found["run"], found["workflow"], found["state"]) == (1, "flow", "succeeded")
    assert found["version"] == driver.run().plan.version
    assert found["outputs"] == {"sum": 2}
    assert found["paused"] is False
    assert found["started_at"] == "1970-01-12T13:46:40.000Z"
    assert found["finished_at"] == "1970-01-12T13:46:43.000Z"
    assert list(found["nodes"]) == ["a", "b"]
    assert set(found["nodes"]["a"]) >= NODE_KEYS
    assert found["nodes"]["b"] | {"port": None, "reason": None} == {
        "state": "succeeded",
        "attempts": 1,
        "output": {"n": 2},
        "error": None,
        "marks": [],
        "started_at": "1970-01-12T13:46:42.000Z",
        "finished_at": "1970-01-12T13:46:43.000Z",
        "port": None,
        "reason": None,
    }


def test_a_failure_shows_its_error_and_what_follows_its_reason() -> None:
    driver = Driver(node("a"), node("b", "a"))
    driver.fail("a", "KeyError", "unexpected")
    found = document(driver)
    assert found["state"] == "failed"
    assert found["outputs"] is None
    error = {"type": "KeyError", "message": "a broke", "category": "unexpected"}
    assert found["nodes"]["a"]["error"] == error
    assert found["nodes"]["a"]["reason"] == "the run fails"
    assert found["nodes"]["b"]["state"] == "cancelled"
    assert "a broke" in found["nodes"]["b"]["reason"]


def test_a_held_failure_needs_a_person() -> None:
    driver = Driver(node("a"), policy="hold").fail("a")
    assert document(driver)["state"] == "attention"
    assert document(driver)["nodes"]["a"]["reason"] == "needs you"


def test_a_new_attempt_leaves_the_old_error_behind() -> None:
    driver = Driver(node("a"), policy="hold").fail("a").verb(verbs.RetryNode, "a")
    entry = document(driver)["nodes"]["a"]
    assert (entry["state"], entry["attempts"], entry["error"]) == ("running", 2, None)


def test_a_backoff_shows_the_error_it_waits_after() -> None:
    retry = Retry(strategy="fixed", initial_delay=5, jitter=0)
    driver = Driver(node("a", retry=retry)).fail("a")
    entry = document(driver)["nodes"]["a"]
    assert entry["state"] == "backing_off"
    assert entry["error"]["message"] == "a broke"


def test_items_stand_behind_their_node() -> None:
    driver = Driver(node("each", foreach=[10, 20]), node("after", "each"))
    driver.finish("each[0]", "x").finish("each[1]", "y")
    found = document(driver)["nodes"]
    assert list(found) == ["each", "each[0]", "each[1]", "after"]
    assert found["each"]["output"] == ["x", "y"]
    assert found["each[1]"]["output"] == "y"


def test_an_undone_node_keeps_its_output_and_shows_no_error() -> None:
    driver = Driver(node("a", compensate=undo()), node("b", "a"))
    driver.finish("a", 7).fail("b")
    driver.finish("a", undo=True)
    found = document(driver)
    assert found["state"] == "compensated"
    assert found["nodes"]["a"]["state"] == "compensated"
    assert found["nodes"]["a"]["output"] == 7
    assert found["nodes"]["a"]["error"] is None


def test_gates_say_what_keeps_a_node() -> None:
    driver = Driver(node("a"), node("b", "a"))
    driver.verb(verbs.HoldNode, "b").verb(verbs.PauseRun).finish("a")
    found = document(driver)
    assert found["paused"] is True
    assert found["nodes"]["b"]["state"] == "held"
    assert found["nodes"]["b"]["reason"] == "the run is paused"
    driver.verb(verbs.ResumeRun)
    assert document(driver)["nodes"]["b"]["reason"] == "held by hand"


def test_marks_are_named_once() -> None:
    driver = Driver(node("a"), node("b", "a"), policy="hold")
    driver.finish("a", 1).fail("b")
    driver.verb(verbs.OverrideOutput, "a", output=b_raw(b"5")).verb(
        verbs.OverrideInput, "b", input={"n": 9}
    )
    found = document(driver)["nodes"]
    assert found["a"]["marks"] == ["overridden"]
    assert found["a"]["output"] == 5
    assert found["b"]["marks"] == ["overridden"]


def b_raw(body: bytes) -> Any:
    import msgspec

    return msgspec.Raw(body)


def test_one_node_by_itself_shows_its_input() -> None:
    driver = Driver(node("a"), node("b", "a", input={"n": "{{ nodes.a.output }}"}))
    driver.finish("a", 3)
    found = node_document(driver.state, driver.run(), "b")
    assert (found["run"], found["node"], found["uses"]) == (1, "b", "noop")
    assert found["input"] == {"n": 3}
    assert found["needs"] == ["a"]


def test_a_node_that_is_not_there() -> None:
    driver = Driver(node("a"))
    with pytest.raises(NotFoundError, match="run 1 has no node b; it has a"):
        node_document(driver.state, driver.run(), "b")


def test_an_undo_whose_outcome_is_unknown_says_why_it_needs_a_person() -> None:
    by_shell = Undo(kind=ShellSettings(run="true"))
    driver = Driver(node("a", compensate=by_shell, side_effects="external"), node("b", "a"))
    driver.finish("a").fail("b").end("a", "lost", undo=True)
    entry = document(driver)["nodes"]["a"]
    assert entry["state"] == "compensation_failed"
    assert entry["reason"].startswith("its undo may have acted: ")
