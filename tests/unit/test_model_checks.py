"""Definitions are made of values that the readers have checked, without pydantic's own check: it has to agree."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from studio.loading.loader import load_file, load_text
from studio.model.policies import Retry
from studio.model.workflow import checker, workflow_of
from tests.model_checks import assert_sound

SAMPLES = sorted(Path(__file__).parents[2].joinpath("sample_workflows").rglob("*.yaml"))

EVERYTHING = """
workflow: everything
version: 1.2.3
description: every key once
owner: ada
tags: [one, two]
parameters:
  count: {type: integer, default: 3, description: how many}
  secretly: {type: string, required: true, sensitive: true}
secrets: [TOKEN]
env: {LEVEL: 3, FLAG: true}
limits: {max_concurrency: 4, retry_budget: 0, timeout: 600s}
on_failure: continue
compensation: {when: never, scope: branch, timeout: 60s}
nodes:
  first:
    uses: shell
    run: echo {{ params.count }}
    shell: bash -e
    env: {N: 1, T: "{{ secrets.TOKEN }}"}
    output: lines
    retry: {strategy: linear, max_attempts: 2, initial_delay: 0, max_delay: 9s, multiplier: 2, jitter: 0, retry_on: [timeout]}
    timeout: 5s
    compensate: {uses: noop, timeout: 3s, retry: {max_attempts: 1}}
    sensitive: [answer]
    locks: [disk]
    priority: high
    critical: false
  pick:
    uses: branch
    cases: [{port: big, when: params.count > 2}]
    else: small
    needs: first
  each:
    uses: transform
    with: {item: 1}
    value: 5
    foreach: [1, 2.0, "three", null, {a: [true]}]
    max_parallel: 2
    on_item_failure: hold
    needs: [{node: pick, port: big}]
  poll:
    uses: wait
    for: 1s
    repeat: {until: output != null, every: 2s, max: 3}
    needs: [{node: pick, port: small}]
  last:
    uses: noop
    name: The last
    group: end
    needs: [{node: each, on: any}, {node: poll, on: success}]
    join: first
    breakpoint: {on: after, when: "true"}
    fallback: {value: {rows: [1, 2.5]}}
    when: "true"
outputs: {all: "{{ nodes.last.output }}", fixed: [1, 1.0, true]}
"""


@pytest.mark.parametrize("file", SAMPLES, ids=lambda file: file.name)
def test_pydantic_agrees_with_what_is_read_of_the_samples(file: Path) -> None:
    found = load_file(file)
    if found.workflow is not None:
        assert_sound(found.workflow)


def test_pydantic_agrees_with_what_is_read_of_every_key() -> None:
    found = load_text(EVERYTHING, "everything.yaml")
    assert [str(one) for one in found.errors] == []
    assert found.workflow is not None
    assert_sound(found.workflow)
    # Runs name the versions they used, for good: what is hashed may never change for the same text.
    assert found.workflow.content_hash() == "019e91bf98cf9d42"


def test_deviations_are_told_of_defaults_given_by_hand_too() -> None:
    assert Retry(max_attempts=3, jitter=0.5).deviations() == {"jitter": 0.5}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"timeout": 0}, "greater than 0"),
        ({"max_parallel": 0}, "greater than or equal to 1"),
        ({"retry": {"jitter": 1.5}}, "less than or equal to 1"),
        ({"retry": {"patience": 1}}, "Extra inputs are not permitted"),
        ({"join": "most"}, "Input should be 'all'"),
        ({"kind": {"uses": "sorcery"}}, "Input should be 'python'"),
        ({"input": [float("nan"), {1: 2}]}, "valid string"),
    ],
)
def test_what_was_stored_is_checked_by_pydantic(change: dict[str, Any], problem: str) -> None:
    found = load_text("workflow: one\nnodes: {a: {uses: noop}}\n", "one.yaml").workflow
    assert found is not None
    body = json.loads(found.to_json())
    assert workflow_of(json.dumps(body).encode()) == found
    body["nodes"]["a"] |= change
    with pytest.raises(ValueError, match=problem):
        checker().validate_python(body)
