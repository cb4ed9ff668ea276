"""Definitions on their way to plans."""

from __future__ import annotations

from studio.application.stored_definitions import compiled, definition_of, plan_of
from studio.loading.loader import load_text
from studio.model.workflow import Workflow

TEXT = "workflow: one\nnodes:\n  a: {uses: noop}\n  b: {uses: noop, needs: a}\n"


def read(text: str) -> Workflow:
    found = load_text(text, "one.yaml").workflow
    assert found is not None
    return found


def test_an_equal_definition_is_not_compiled_twice_while_it_is_in_use() -> None:
    plan = compiled(read(TEXT))
    assert compiled(read(TEXT)) is plan


def test_another_place_in_the_file_is_another_plan_of_the_same_version() -> None:
    plan, moved = compiled(read(TEXT)), compiled(read("# a comment\n" + TEXT))
    assert moved is not plan
    assert moved.version == plan.version
    first = moved.workflow.nodes["a"].place
    assert first is not None
    assert first.line == 4


def test_a_stored_definition_comes_back_as_the_plan_in_use() -> None:
    plan = compiled(read(TEXT))
    assert plan_of(definition_of(plan.workflow)) is plan
