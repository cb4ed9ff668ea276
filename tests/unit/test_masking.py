"""Sensitive values in documents, histories and progress lines."""

from __future__ import annotations

from typing import Any

from studio.core import commands as verbs
from studio.model.workflow import Parameter, Workflow
from studio.projections.history_lines import event_document, phrase
from studio.projections.json_text import json_text
from studio.projections.masking import COVER, Mask, learn_record
from studio.projections.run_document import node_document, run_document
from tests.unit.core.driver import Driver, node

CARD = "tok_visa_4242"


def secretive() -> Driver:
    """A run whose card number is a sensitive parameter, and whose token is a sensitive field of an output."""
    charge = node("charge", input={"card": "{{ params.card }}"}, sensitive=("token",))
    tell = node("tell", "charge", input={"text": "token {{ nodes.charge.output.token }}"})
    definition = Workflow(
        name="pay",
        parameters={"card": Parameter(sensitive=True), "note": Parameter()},
        nodes={"charge": charge, "tell": tell},
        outputs={"seen": "{{ nodes.tell.output }}"},
    )
    driver = Driver()
    driver.start(definition, params={"card": CARD, "note": "hi"})
    driver.finish("charge", {"token": "s3cr3t-value", "id": 1, "deep": [{"token": "other-secret"}]})
    driver.finish("tell", {"text": f"paid with {CARD} as s3cr3t-value"})
    return driver


def test_no_document_shows_a_sensitive_value() -> None:
    driver = secretive()
    found = run_document(driver.state, driver.run())
    single = node_document(driver.state, driver.run(), "charge")
    text = json_text(found) + json_text(single)
    for secret in (CARD, "s3cr3t-value", "other-secret"):
        assert secret not in text
    assert found["params"] == {"card": COVER, "note": "hi"}
    assert found["nodes"]["charge"]["output"]["token"] == COVER
    assert found["nodes"]["charge"]["output"]["id"] == 1
    assert found["nodes"]["tell"]["output"] == {"text": f"paid with {COVER} as {COVER}"}


def test_no_event_shows_a_sensitive_value() -> None:
    driver = secretive()
    mask = Mask(driver.run().plan.workflow, driver.run().params)
    documents = [event_document(record, mask) for record in driver.records]
    text = json_text(documents)
    for secret in (CARD, "s3cr3t-value", "other-secret"):
        assert secret not in text
    assert [one["event"] for one in documents[:2]] == ["run_started", "attempt_started"]
    assert documents[0]["by"] == {"command": "c1", "actor": "ada", "reason": ""}


def test_messages_are_covered_too() -> None:
    driver = secretive()
    mask = Mask(driver.run().plan.workflow, driver.run().params)
    for record in driver.records:
        learn_record(mask, record)
    assert mask.text(f"declined: {CARD}, s3cr3t-value") == f"declined: {COVER}, {COVER}"


def test_a_short_value_is_covered_only_as_a_whole() -> None:
    definition = Workflow(
        name="w", parameters={"pin": Parameter(sensitive=True)}, nodes={"a": node("a")}
    )
    mask = Mask(definition, {"pin": "no"})
    assert mask.value(["no", "nothing"]) == [COVER, "nothing"]


def test_without_sensitive_values_nothing_changes() -> None:
    driver = Driver(node("a")).finish("a", {"x": ["y", None, 1.5]})
    value: Any = run_document(driver.state, driver.run())["nodes"]["a"]["output"]
    assert value == {"x": ["y", None, 1.5]}


def test_a_person_is_named_with_their_reason() -> None:
    driver = Driver(node("a"), policy="hold").fail("a")
    driver.verb(verbs.RetryNode, "a", reason="bank is up again")
    said = [phrase(record.event, record.at) for record in driver.records]
    assert any("by ada: bank is up again" in one.text for one in said)


def test_properties_inside_a_parameter_are_covered() -> None:
    definition = Workflow(
        name="pay",
        parameters={"o": Parameter(sensitive_fields=("pin",))},
        nodes={"a": node("a", input={"x": "{{ params.o }}", "n": "{{ params.o.list[0].pin }}"})},
    )
    driver = Driver()
    driver.start(definition, params={"o": {"pin": "9876pin", "n": 3, "list": [{"pin": 12345}]}})
    driver.finish("a", {"x": "9876pin", "n": 12345, "other": 3})
    found = run_document(driver.state, driver.run())
    assert found["params"] == {"o": {"pin": COVER, "n": 3, "list": [{"pin": COVER}]}}
    assert found["nodes"]["a"]["output"] == {"x": COVER, "n": COVER, "other": 3}
    mask = Mask(definition, driver.run().params)
    text = json_text([event_document(record, mask) for record in driver.records])
    assert "9876pin" not in text
    assert "12345" not in text
