"""Transform and branch: the steps in their order, and what does not fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from studio.executors.inline import InlineAttempt
from studio.ids import NodePath, RunId, RunNumber
from studio.model.json_value import JsonValue
from studio.model.nodes import BranchSettings, Case, KindSettings, NoopSettings, TransformSettings
from studio.ports import AttemptKey, AttemptOrder, Failed, Outcome, Succeeded

ROWS: list[JsonValue] = [
    {"name": "b", "amount": 2, "kind": "x"},
    {"name": "a", "amount": 3, "kind": "y"},
    {"name": "c", "amount": None, "kind": "x"},
]


def carry_out(
    settings: KindSettings, scope: dict[str, object] | None = None, input: Any = None
) -> Outcome:
    order = AttemptOrder(
        key=AttemptKey(RunNumber(1), NodePath("n"), False, 1),
        run_id=RunId("r"),
        workflow="w",
        folder="/",
        settings=settings,
        isolation="process",
        input={} if input is None else input,
        slots=(),
        env={},
        env_slots=(),
        secrets={},
        idempotency_key="k",
        result_file="/nowhere",
        scope=scope or {},
    )
    waiting: list[Callable[[], None]] = []
    outcomes: list[Outcome] = []
    InlineAttempt(order, waiting.append, outcomes.append).run()
    while waiting:
        waiting.pop()()
    (outcome,) = outcomes
    return outcome


def result(settings: TransformSettings, **scope: object) -> Any:
    outcome = carry_out(settings, scope)
    assert isinstance(outcome, Succeeded), outcome
    return msgspec.json.decode(outcome.output)


def problem(settings: KindSettings, **scope: object) -> str:
    outcome = carry_out(settings, scope)
    assert isinstance(outcome, Failed), outcome
    assert outcome.failure.category == "validation"
    return outcome.failure.message


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ({}, ROWS),
        ({"filter": "item.amount > 2"}, [ROWS[1]]),
        ({"filter": "index != 1"}, [ROWS[0], ROWS[2]]),
        ({"map": "item.name"}, ["b", "a", "c"]),
        ({"map": {"n": "upper(item.name)", "i": "index"}, "limit": 1}, [{"n": "B", "i": 0}]),
        ({"sort_by": "item.name", "map": "item"}, [ROWS[1], ROWS[0], ROWS[2]]),
        ({"sort_by": "item.amount"}, [ROWS[0], ROWS[1], ROWS[2]]),
        ({"sort_by": "-1 * item.amount", "filter": "item.amount != null"}, [ROWS[1], ROWS[0]]),
        ({"limit": 0}, []),
        ({"group_by": "item.kind", "map": "item"}, {"x": [ROWS[0], ROWS[2]], "y": [ROWS[1]]}),
        ({"group_by": "item.amount", "limit": 1}, {"2": [ROWS[0]]}),
        (
            {
                "aggregate": {
                    "sum": {"sum": "item.amount"},
                    "many": {"count": "item.amount > 0"},
                    "low": {"min": "item.amount"},
                    "last": {"max": "item.name"},
                    "mean": {"avg": "item.amount"},
                }
            },
            {"sum": 5, "many": 2, "low": 2, "last": "c", "mean": 2.5},
        ),
        (
            {"group_by": "item.kind", "aggregate": {"sum": {"sum": "item.amount"}}},
            {"x": {"sum": 2}, "y": {"sum": 3}},
        ),
        ({"map": "item.name", "batch_size": 2}, [["b", "a"], ["c"]]),
    ],
)
def test_steps(steps: dict[str, Any], expected: object) -> None:
    assert result(TransformSettings(input=ROWS, **steps)) == expected


def test_steps_come_in_their_fixed_order() -> None:
    settings = TransformSettings(
        input=[5, 1, 4, 2, 3],
        limit=2,
        sort_by="item",
        map="item * 10",
        filter="item != 1",
    )
    assert result(settings) == [20, 30]


def test_aggregates_of_nothing() -> None:
    settings = TransformSettings(
        input=[], aggregate={name: {name: "item"} for name in ("sum", "count", "min", "max", "avg")}
    )
    assert result(settings) == {"sum": 0, "count": 0, "min": None, "max": None, "avg": None}


def test_value_is_an_expression_or_a_mapping_of_them() -> None:
    params = {"n": 3}
    assert result(TransformSettings(value="params.n + 1", has_value=True), params=params) == 4
    shape: JsonValue = {"twice": "params.n * 2", "deep": {"same": "params.n"}, "plain": 7}
    assert result(TransformSettings(value=shape, has_value=True), params=params) == {
        "twice": 6,
        "deep": {"same": 3},
        "plain": 7,
    }
    assert result(TransformSettings(value=None, has_value=True)) is None


def test_expressions_see_the_scope_beside_the_item() -> None:
    settings = TransformSettings(input=[1, 2, 3], filter="item >= params.least")
    assert result(settings, params={"least": 2}) == [2, 3]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (TransformSettings(input={"a": 1}), "input is a mapping"),
        (TransformSettings(input=None), "input is null"),
        (TransformSettings(input=[1, "a"], map="item + 1"), "map, item 1"),
        (TransformSettings(input=[1, "a"], sort_by="item"), "a number and text"),
        (TransformSettings(input=[True], sort_by="item"), "a boolean has no order"),
        (TransformSettings(input=[[1]], group_by="item"), "a list cannot name a group"),
        (TransformSettings(input=["a"], aggregate={"s": {"sum": "item"}}), "sum takes numbers"),
        (TransformSettings(input=[2**62, 2**62], aggregate={"s": {"sum": "item"}}), "64 bits"),
        (TransformSettings(input=[1], aggregate={"s": {"median": "item"}}), "takes one of"),
        (TransformSettings(value="1 +", has_value=True), ""),
    ],
)
def test_data_that_does_not_fit_is_named(settings: TransformSettings, said: str) -> None:
    assert said in problem(settings)


def test_large_lists_are_worked_on_in_slices() -> None:
    assert len(result(TransformSettings(input=list(range(30_000)), map="item + 1"))) == 30_000


def test_cancelled_work_reports_nothing_more() -> None:
    settings = TransformSettings(input=list(range(30_000)), map="item + 1")
    waiting: list[Callable[[], None]] = []
    outcomes: list[Outcome] = []
    order = AttemptOrder(
        key=AttemptKey(RunNumber(1), NodePath("n"), False, 1), run_id=RunId("r"), workflow="w",
        folder="/", settings=settings, isolation="process", input={}, slots=(), env={}, env_slots=(),
        secrets={}, idempotency_key="k", result_file="/nowhere",
    )  # fmt: skip
    attempt = InlineAttempt(order, waiting.append, outcomes.append)
    attempt.run()
    assert waiting
    attempt.cancel()
    waiting.pop()()
    assert outcomes == []
    assert not waiting


def test_branch_leaves_by_the_first_case_that_is_true() -> None:
    settings = BranchSettings(
        cases=(Case(port="low", when="params.n < 10"), Case(port="mid", when="params.n < 100")),
        otherwise="high",
    )
    for number, port in ((5, "low"), (50, "mid"), (500, "high")):
        outcome = carry_out(settings, {"params": {"n": number}}, {"kept": number})
        assert outcome == Succeeded(msgspec.json.encode({"kept": number}), port)


def test_branch_without_a_match_or_with_a_broken_case_fails() -> None:
    settings = BranchSettings(cases=(Case(port="low", when="params.n < 10"),))
    assert "none of the cases (low)" in problem(settings, params={"n": 11})
    assert "case low" in problem(settings, params={"n": "text"})


def test_noop_passes_its_input_on() -> None:
    assert carry_out(NoopSettings(), {}, {"a": [1]}) == Succeeded(b'{"a":[1]}')
