"""The order saga of the language page, read into the model."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from studio.loading.loader import load_file, load_text
from studio.loading.yaml_reader import read_yaml
from studio.model.nodes import Edge, PythonSettings, ShellSettings
from studio.model.policies import Retry
from studio.model.workflow import Workflow

ORDER_SAGA = """\
workflow: order_saga                 # id: letter, then letters, digits, _ or -
version: 1.0.0
description: Reserve, charge, confirm; undo in reverse when a step fails.
tags: [payments]

parameters:
  order_id: {type: string, default: A-1001}
  amount:   {type: number, minimum: 0, default: 120}
  card:     {type: string, sensitive: true, default: tok_visa}
secrets: [PAYMENT_TOKEN]

defaults:
  timeout: 10s
limits: {max_concurrency: 4, retry_budget: 20, timeout: 5m}

nodes:
  reserve_stock:
    uses: python
    call: orders:reserve_stock
    with: {order_id: "{{ params.order_id }}", quantity: 2}
    compensate:
      call: orders:release_stock
      with: {reservation_id: "{{ output.reservation_id }}"}

  charge_card:
    uses: python
    call: orders:charge_card
    needs: reserve_stock
    with: {amount: "{{ params.amount }}"}
    retry: {strategy: exponential, max_attempts: 5, initial_delay: 1s, retry_on: [TimeoutError, transient]}
    compensate: {call: orders:refund, with: {transaction_id: "{{ output.transaction_id }}"}}

  confirm:
    uses: shell
    needs: charge_card
    when: nodes.charge_card.output.status == "success" && params.amount > 100
    run: echo "order $ORDER confirmed"
    env: {ORDER: "{{ params.order_id }}"}

  cannot_charge:
    uses: python
    call: orders:tell_support
    needs: {node: charge_card, on: failure, handles: false}

outputs: {receipt: "{{ nodes.charge_card.output.transaction_id }}"}
"""

ORDERS = """\
def reserve_stock(order_id, quantity):
    return {"reservation_id": "r1"}


def release_stock(reservation_id):
    return None


def charge_card(amount, ctx):
    return {"transaction_id": "t1", "status": "success"}


def refund(transaction_id):
    return None


def tell_support():
    return None
"""


@pytest.fixture
def saga(tmp_path: Path) -> Workflow:
    (tmp_path / "orders.py").write_text(ORDERS)
    file = tmp_path / "order_saga.yaml"
    file.write_text(ORDER_SAGA)
    result = load_file(file)
    assert result.diagnostics == ()
    assert result.workflow is not None
    return result.workflow


def test_the_top_level_is_read(saga: Workflow, tmp_path: Path) -> None:
    assert (saga.name, saga.version, saga.tags) == ("order_saga", "1.0.0", ("payments",))
    assert saga.secrets == ("PAYMENT_TOKEN",)
    assert msgspec.structs.asdict(saga.limits) == {
        "max_concurrency": 4,
        "retry_budget": 20,
        "timeout": 300.0,
    }
    assert saga.parameters["card"].sensitive
    assert saga.parameters["amount"].json_schema == {"type": "number", "minimum": 0}
    assert (saga.parameters["amount"].default, saga.parameters["amount"].required) == (120, False)
    assert saga.outputs == {"receipt": "{{ nodes.charge_card.output.transaction_id }}"}
    assert saga.folder == str(tmp_path)
    assert saga.file == str(tmp_path / "order_saga.yaml")


def test_nodes_take_defaults_edges_and_policies(saga: Workflow) -> None:
    assert list(saga.nodes) == ["reserve_stock", "charge_card", "confirm", "cannot_charge"]
    charge = saga.nodes["charge_card"]
    assert charge.timeout == 10.0
    assert charge.side_effects == "external"
    assert charge.retry == Retry(max_attempts=5, retry_on=("TimeoutError", "transient"))
    assert [edge.source for edge in charge.needs] == ["reserve_stock"]
    watcher = saga.nodes["cannot_charge"].needs[0]
    assert msgspec.structs.replace(watcher, place=None) == Edge(
        source="charge_card", on="failure", handles=False
    )
    confirm = saga.nodes["confirm"]
    assert confirm.when == 'nodes.charge_card.output.status == "success" && params.amount > 100'
    assert confirm.kind == ShellSettings(
        run='echo "order $ORDER confirmed"', env={"ORDER": "{{ params.order_id }}"}
    )


def test_an_undo_takes_the_kind_of_its_node_and_its_own_retries(saga: Workflow) -> None:
    undo = saga.nodes["charge_card"].compensate
    assert undo is not None
    assert undo.kind == PythonSettings(call="orders:refund")
    assert undo.input == {"transaction_id": "{{ output.transaction_id }}"}
    assert (undo.timeout, undo.retry.strategy, undo.retry.max_attempts) == (60.0, "fixed", 3)


def test_every_node_knows_its_place_and_that_of_its_keys(saga: Workflow) -> None:
    charge = saga.nodes["charge_card"]
    assert charge.place is not None
    assert (charge.place.line, charge.place.column) == (25, 3)
    assert (charge.keys["retry"].line, charge.keys["retry"].column) == (30, 5)
    assert charge.needs[0].place is not None
    assert (charge.needs[0].place.line, charge.needs[0].place.column) == (28, 12)
    assert saga.keys["nodes"].line == 16


def test_yaml_and_json_have_the_same_hash(saga: Workflow, tmp_path: Path) -> None:
    data = read_yaml(ORDER_SAGA, "x").data
    file = tmp_path / "order_saga.json"
    file.write_text(json.dumps(data, indent=3))
    result = load_file(file)
    assert result.diagnostics == ()
    assert result.workflow is not None
    assert result.workflow.content_hash() == saga.content_hash()


def test_comments_and_white_space_do_not_change_the_hash(saga: Workflow) -> None:
    other = load_text("# a comment\r\n" + ORDER_SAGA.replace("\n", "  # more\r\n\r\n"))
    assert other.errors == ()
    assert other.workflow is not None
    assert other.workflow.content_hash() == saga.content_hash()


def test_what_a_node_does_changes_the_hash(saga: Workflow) -> None:
    other = load_text(ORDER_SAGA.replace("quantity: 2", "quantity: 3"))
    assert other.workflow is not None
    assert other.workflow.content_hash() != saga.content_hash()
