"""Every key of a node reaches the model."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from studio.loading.loader import load_text
from studio.model.nodes import (
    BranchSettings,
    Case,
    Node,
    PythonSettings,
    ShellSettings,
    StandIn,
    StandInNode,
    TransformSettings,
    WaitSettings,
)
from studio.model.policies import Breakpoint, Fallback, Repeat, Retry
from studio.model.workflow import Workflow, workflow_of

HEAD = "workflow: x\nparameters: {n: {type: number, default: 1}}\nsecrets: [KEY]\n"


def load(nodes: str, head: str = HEAD) -> Workflow:
    result = load_text(f"{head}nodes:\n  a: {{uses: noop}}\n{nodes}")
    assert [str(one) for one in result.diagnostics] == []
    assert result.workflow is not None
    return result.workflow


def node(keys: str, head: str = HEAD) -> Node:
    return load(f"  b: {{{keys}}}\n", head).nodes["b"]


@pytest.mark.parametrize(
    ("keys", "field", "expected"),
    [
        ("uses: noop, name: A step", "name", "A step"),
        ("uses: noop, description: What it does", "description", "What it does"),
        ("uses: noop, group: intake", "group", "intake"),
        ("uses: noop, tags: [x, y]", "tags", ("x", "y")),
        ("uses: noop, tags: x", "tags", ("x",)),
        ("uses: noop, with: {x: [1, {y: null}]}", "input", {"x": [1, {"y": None}]}),
        ("uses: noop, join: settled", "join", "settled"),
        ("uses: noop, when: '{{ params.n > 0 }}'", "when", "params.n > 0"),
        ("uses: noop, when: '  params.n > 0  '", "when", "params.n > 0"),
        ("uses: noop, when: true", "when", "true"),
        ("uses: noop, foreach: [1, '{{ params.n }}']", "foreach", [1, "{{ params.n }}"]),
        ("uses: noop, foreach: params.n", "foreach", "{{ params.n }}"),
        ("uses: noop, foreach: '{{params.n}}'", "foreach", "{{ params.n }}"),
        ("uses: noop, foreach: [1], max_parallel: 3", "max_parallel", 3),
        ("uses: noop, foreach: [1], on_item_failure: hold", "on_item_failure", "hold"),
        ("uses: noop, foreach: [1], item_key: item.id", "item_key", "item.id"),
        (
            "uses: noop, repeat: {until: output.ok, every: 250ms, max: 5}",
            "repeat",
            Repeat(until="output.ok", every=0.25, max=5),
        ),
        ("uses: noop, repeat: {until: true}", "repeat", Repeat(until="true")),
        ("uses: noop, timeout: 1h30m", "timeout", 5400.0),
        ("uses: noop, timeout: 2d", "timeout", 172_800.0),
        ("uses: noop, timeout: 1.5s", "timeout", 1.5),
        ("uses: noop, retry: {}", "retry", Retry()),
        (
            "uses: noop, retry: {strategy: fixed, initial_delay: 0, jitter: 0, do_not_retry_on: builtins.KeyError}",
            "retry",
            Retry(
                strategy="fixed", initial_delay=0, jitter=0, do_not_retry_on=("builtins.KeyError",)
            ),
        ),
        ("uses: noop, fallback: {value: null}", "fallback", Fallback(value=None)),
        ("uses: noop, fallback: {node: a}", "fallback", StandInNode(node="a")),
        ("uses: noop, fallback: {uses: shell, run: ls}", "side_effects", "external"),
        ("uses: noop, fallback: {uses: noop}", "side_effects", "none"),
        ("uses: noop, fallback: {value: '{{ params.n }}'}", "fallback", Fallback(value="{{ params.n }}")),
        ("uses: noop, irreversible: true", "irreversible", True),
        ("uses: noop", "side_effects", "none"),
        ("uses: shell, run: ls", "side_effects", "external"),
        ("uses: shell, run: ls, side_effects: idempotent", "side_effects", "idempotent"),
        ("uses: python, code: return 1", "side_effects", "external"),
        ("uses: python, code: return 1, isolation: shared, side_effects: none", "isolation", "shared"),
        ("uses: noop, priority: high", "priority", "high"),
        ("uses: noop, locks: [ledger, 'db:orders']", "locks", ("ledger", "db:orders")),
        ("uses: noop, critical: false", "critical", False),
        ("uses: noop, sensitive: [card]", "sensitive", ("card",)),
        ("uses: noop, breakpoint: failure", "breakpoint", Breakpoint(on="failure")),
        ("uses: noop, breakpoint: {when: params.n > 3}", "breakpoint", Breakpoint(when="params.n > 3")),
        (
            "uses: noop, breakpoint: {on: after, when: output.x}",
            "breakpoint",
            Breakpoint(on="after", when="output.x"),
        ),
    ],
)  # fmt: skip
def test_a_key_reaches_the_model(keys: str, field: str, expected: Any) -> None:
    assert getattr(node(keys), field) == expected


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("uses: python, call: 'json.decoder:loads'", PythonSettings(call="json.decoder:loads")),
        (
            "uses: shell, run: ls, shell: bash -e, cwd: '{{ params.n }}', output: lines, env: {N: 3.10, B: true, K: '{{ secrets.KEY }}'}",
            ShellSettings(
                run="ls", shell="bash -e", cwd="{{ params.n }}", output="lines",
                env={"N": "3.10", "B": "true", "K": "{{ secrets.KEY }}"},
            ),
        ),
        ("uses: wait, for: 10s", WaitSettings(duration=10.0)),
        ("uses: wait, for: '{{ params.n }}s'", WaitSettings(duration="{{ params.n }}s")),
        ("uses: wait, until: '2030-01-31T09:00:00+01:00'", WaitSettings(until="2030-01-31T09:00:00+01:00")),
        (
            "uses: transform, input: params.n, filter: item > 1, map: {x: item.a, y: 3}, sort_by: item.x, limit: 2, group_by: item.x, aggregate: {t: {sum: item.y}}, batch_size: 5",
            TransformSettings(
                input="{{ params.n }}", filter="item > 1", map={"x": "item.a", "y": "3"},
                sort_by="item.x", limit=2, group_by="item.x", aggregate={"t": {"sum": "item.y"}},
                batch_size=5,
            ),
        ),
        ("uses: transform, input: [1, 2], map: item + 1", TransformSettings(input=[1, 2], map="item + 1")),
        ("uses: transform, value: params.n", TransformSettings(value="params.n", has_value=True)),
        (
            "uses: transform, value: {a: params.n, b: null, c: '{{ run.id }}'}",
            TransformSettings(value={"a": "params.n", "b": "null", "c": "run.id"}, has_value=True),
        ),
        (
            "uses: branch, cases: [{port: big, when: params.n > 9}, {port: odd, when: '{{ params.n == 7 }}'}], else: rest",
            BranchSettings(
                cases=(Case(port="big", when="params.n > 9"), Case(port="odd", when="params.n == 7")),
                otherwise="rest",
            ),
        ),
    ],
)  # fmt: skip
def test_the_settings_of_a_kind_reach_the_model(keys: str, expected: Any) -> None:
    assert node(keys).kind == expected


def test_needs_in_all_its_shapes() -> None:
    flow = load(
        "  b: {uses: branch, needs: a, cases: [{port: x, when: 'true'}], else: y}\n"
        "  c: {uses: noop, needs: [a, {node: b, port: x, when: output.v > nodes.a.output.v}]}\n"
        "  d: {uses: noop, needs: {node: c, on: failure}}\n"
        "  e: {uses: noop, join: any, needs: [{node: b, port: x}, {node: b, port: y}, {node: d, on: any}]}\n"
    )
    edges = {
        name: [(e.source, e.on, e.port, e.when, e.handles) for e in one.needs]
        for name, one in flow.nodes.items()
    }
    assert edges["a"] == []
    assert edges["b"] == [("a", "success", None, None, True)]
    assert edges["c"][1] == ("b", "success", "x", "output.v > nodes.a.output.v", True)
    assert edges["d"] == [("c", "failure", None, None, True)]
    assert [edge[:3] for edge in edges["e"]] == [
        ("b", "success", "x"),
        ("b", "success", "y"),
        ("d", "any", None),
    ]


def test_an_undo_may_be_of_another_kind_and_keeps_unset_retries() -> None:
    undo = node(
        "uses: python, code: return 1, compensate: {uses: shell, run: 'echo {{ output.id }} {{ input.x }} {{ error }}', timeout: 5s, retry: {max_attempts: 5}}"
    ).compensate
    assert undo is not None
    assert isinstance(undo.kind, ShellSettings)
    assert undo.timeout == 5.0
    assert undo.retry == Retry(strategy="fixed", max_attempts=5, initial_delay=1.0, jitter=0.0)


def test_defaults_are_merged_and_a_node_may_say_otherwise() -> None:
    head = HEAD + (
        "defaults:\n  uses: shell\n  timeout: 10s\n  env: {A: x, B: y}\n  retry: {max_attempts: 5}\n"
        "  max_parallel: 2\n  with: {k: 1}\n"
    )
    flow = load(
        "  b: {run: ls, env: {B: z}, retry: {initial_delay: 2s}}\n"
        "  c: {uses: noop, timeout: 1s, foreach: [1]}\n",
        head,
    )
    shell = flow.nodes["b"]
    assert shell.kind == ShellSettings(run="ls", env={"A": "x", "B": "z"})
    assert shell.retry == Retry(max_attempts=5, initial_delay=2.0)
    assert (shell.timeout, shell.max_parallel, shell.input) == (10.0, None, {"k": 1})
    assert (flow.nodes["c"].timeout, flow.nodes["c"].max_parallel) == (1.0, 2)


def test_workflow_keys_reach_the_model() -> None:
    flow = load(
        "",
        "workflow: x\nowner: team\nenv: {A: 1, B: x}\nsecrets: KEY\non_failure: continue\n"
        "compensation: {when: never, scope: branch, timeout: 1m}\noutputs: {a: '{{ nodes.a.state }}'}\n",
    )
    assert (flow.owner, flow.env, flow.secrets) == ("team", {"A": "1", "B": "x"}, ("KEY",))  # fmt: skip
    assert flow.on_failure == "continue"
    assert msgspec.structs.asdict(flow.compensation) == {
        "when": "never",
        "scope": "branch",
        "timeout": 60.0,
    }
    assert flow.outputs == {"a": "{{ nodes.a.state }}"}


@pytest.mark.parametrize(
    ("node_text", "expected"),
    [
        (
            "{uses: noop, side_effects: none, compensate: {with: {x: 1}}}",
            '6:39: warning: a node with "side_effects: none" has nothing to undo; remove one of the two',
        ),
        (
            "{uses: python, code: return 1, isolation: shared}",
            '6:48: warning: a shared worker is for functions without side effects; add "side_effects: none" if this is one',
        ),
    ],
)
def test_what_is_odd_but_works_is_a_warning(node_text: str, expected: str) -> None:
    result = load_text(f"{HEAD}nodes:\n  a: {{uses: noop}}\n  b: {node_text}\n", "w.yaml")
    assert result.workflow is not None
    assert [str(one) for one in result.diagnostics] == [f"w.yaml:{expected}"]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (
            "uses: noop, fallback: {uses: shell, run: 'echo {{ error.type }}', timeout: 2s, retry: {}}",
            StandIn(kind=ShellSettings(run="echo {{ error.type }}"), timeout=2.0, retry=Retry()),
        ),
        (
            "uses: shell, run: ls, fallback: {run: pwd, with: {x: 1}}",
            StandIn(kind=ShellSettings(run="pwd"), input={"x": 1}),
        ),
        (
            "uses: noop, fallback: {uses: transform, value: 1 + 1}",
            StandIn(kind=TransformSettings(value="1 + 1", has_value=True)),
        ),
    ],
)
def test_a_small_node_stands_in(keys: str, expected: StandIn) -> None:
    found = node(keys).fallback
    assert isinstance(found, StandIn)
    assert msgspec.structs.replace(found, place=None) == expected


def test_a_node_that_stands_in_follows_what_it_stands_in_for() -> None:
    flow = load("  b: {uses: noop, needs: a, fallback: {node: c}}\n  c: {uses: noop}\n")
    [edge] = flow.nodes["c"].needs
    assert (edge.source, edge.on) == ("b", "fallback")
    assert workflow_of(flow.to_json()) == flow


TEMPLATES = """
templates:
  root:
    uses: shell
    timeout: 5s
    env: {A: root, B: root}
    retry: {max_attempts: 2, initial_delay: 10ms}
    fallback: {value: 1}
  loud: {extends: root, env: {B: loud}, run: "echo $A"}
  python: {uses: python, call: "m:f", with: {input: 1}, compensate: {call: "m:g", with: {x: 1}}}
defaults: {timeout: 9s, max_parallel: 4, env: {A: default, D: default}}
"""


@pytest.mark.parametrize(
    ("keys", "field", "expected"),
    [
        ("extends: loud", "timeout", 5.0),
        ("extends: loud, timeout: 1s", "timeout", 1.0),
        (
            "extends: loud, env: {C: own}",
            "kind",
            ShellSettings(
                run="echo $A", env={"A": "root", "B": "loud", "C": "own", "D": "default"}
            ),
        ),
        ("extends: root, run: ls", "fallback", Fallback(value=1)),
        (
            "extends: root, run: ls, retry: {max_attempts: 4}",
            "retry",
            Retry(max_attempts=4, initial_delay=0.01),
        ),
        ("extends: python, code: return 1", "kind", PythonSettings(code="return 1")),
        ("extends: python, with: {value: 2}", "input", {"input": 1, "value": 2}),
        ("extends: loud, foreach: [1]", "max_parallel", 4),
        ("uses: noop", "timeout", 9.0),
    ],
)
def test_a_node_starts_from_its_template(keys: str, field: str, expected: Any) -> None:
    assert getattr(node(keys, HEAD + TEMPLATES), field) == expected


@pytest.mark.parametrize(
    ("compensate", "call", "given"),
    [
        ("{with: {y: 2}}", "m:g", {"y": 2}),
        ("{code: return 1}", None, {"x": 1}),
        ("{uses: noop}", None, {}),
    ],
)
def test_an_undo_of_a_template_is_changed_or_replaced(
    compensate: str, call: str | None, given: dict[str, int]
) -> None:
    undo = node(f"extends: python, compensate: {compensate}", HEAD + TEMPLATES).compensate
    assert undo is not None
    assert (getattr(undo.kind, "call", None), undo.input) == (call, given)


def test_a_template_leaves_no_trace_in_the_identity() -> None:
    plain = load("  b: {uses: shell, run: ls, timeout: 3s}\n")
    templates = "templates: {t: {uses: shell, timeout: 3s}, other: {uses: noop}}\n"
    extended = load("  b: {extends: t, run: ls}\n", HEAD + templates)
    assert extended.content_hash() == plain.content_hash()


def test_a_chain_of_templates_is_bounded() -> None:
    links = "".join(f"  t{n}: {{extends: t{n + 1}, with: {{k{n}: 1}}}}\n" for n in range(300))
    head = f"{HEAD}templates:\n{links}  t300: {{uses: noop}}\n"
    result = load_text(f"{head}nodes: {{a: {{extends: t0}}}}", "w.yaml")
    assert [one.code for one in result.errors] == ["size"]


def test_variables_that_expressions_read_are_known() -> None:
    flow = load(
        "  b: {uses: noop, needs: a, when: env.HOME != null, with: {x: '{{ env.A }}', y: '{{ env.LANG }}'}}\n",
        HEAD + "env: {A: 1}\n",
    )
    assert flow.environment == ("HOME", "LANG")
    without = msgspec.structs.replace(flow, environment=())
    assert without.content_hash() == flow.content_hash()
