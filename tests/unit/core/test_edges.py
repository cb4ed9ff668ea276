"""What the condition of an edge sees of its source, which has only just finished."""

from __future__ import annotations

import pytest

from studio.core import commands as verbs
from studio.model.nodes import Edge
from tests.unit.core.driver import Driver, node


@pytest.mark.parametrize(
    "when",
    [
        "output.n == 5",
        "nodes.a.output.n == 5",
        'nodes.a.state == "succeeded" && nodes.a.error == null && nodes.a.attempts == 1',
    ],
)
def test_a_condition_sees_what_its_source_has_returned(when: str) -> None:
    driver = Driver(node("a"), node("b", Edge(source="a", when=when)))
    assert driver.finish("a", {"n": 5}).states["b"] == "running"


def test_a_condition_sees_how_its_source_has_failed() -> None:
    told = 'nodes.a.state == "failed" && nodes.a.error.type == "TimeoutError" && nodes.a.output == null'
    other = 'nodes.a.error.type == "KeyError"'
    driver = Driver(
        node("a"),
        node("b", Edge(source="a", on="failure", when=told)),
        node("c", Edge(source="a", on="failure", when=other)),
    )
    driver.fail("a", "TimeoutError")
    assert (driver.states["b"], driver.states["c"]) == ("running", "skipped")
    assert driver.finish("b").shown() == "succeeded"


def test_a_condition_sees_the_error_of_a_failure_that_a_person_gives_up() -> None:
    edge = Edge(source="a", on="failure", when='nodes.a.error.type == "KeyError"', handles=False)
    driver = Driver(node("a"), node("b", edge), policy="hold").fail("a", "KeyError")
    driver.do(verbs.MarkNode(run=1, node="a", outcome="failed"))
    assert driver.states["b"] == "running"
