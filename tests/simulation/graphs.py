"""Random workflows: every edge, join and policy of the language that the engine has to decide about."""

from random import Random
from typing import Any

import msgspec

from studio.model.json_value import JsonValue
from studio.model.nodes import (
    BranchSettings,
    Case,
    Edge,
    KindSettings,
    Node,
    NoopSettings,
    Outcome,
    PythonSettings,
    ShellSettings,
    StandIn,
    StandInNode,
    TransformSettings,
    Undo,
    WaitSettings,
)
from studio.model.policies import (
    Breakpoint,
    CompensationPolicy,
    Fallback,
    Limits,
    Repeat,
    Retry,
)
from studio.model.workflow import Workflow

LOCKS = ("alpha", "beta")
"""Names of locks; few, so that runs meet at them."""

PORTS = ("left", "right")


def make_workflow(rng: Random, name: str) -> Workflow:
    """A workflow of one to nine nodes; the same generator state gives the same one."""
    count = rng.choice((1, 2, 3, 4, 5, 6, 7, 9))
    spice = rng.random()  # how unusual the nodes of this workflow are
    nodes: dict[str, Node] = {}
    for index in range(count):
        understudy = _understudy(rng, f"n{index}", nodes) if rng.random() < 0.08 else None
        node = understudy or _make_node(rng, f"n{index}", nodes, spice)
        nodes[node.id] = node
    return Workflow(
        name=name,
        nodes=nodes,
        limits=Limits(
            max_concurrency=rng.choice((None, None, 1, 2, 3)),
            retry_budget=rng.choice((None, None, None, 0, 1, 3)),
            timeout=rng.choice((None, None, None, None, 8.0, 25.0)),
        ),
        compensation=CompensationPolicy(
            when=rng.choice(("failure", "failure", "failure", "never")),
            scope=rng.choice(("workflow", "workflow", "branch")),
            timeout=rng.choice((300.0, 300.0, 4.0)),
        ),
        outputs=_outputs(rng, nodes),
    )


def _outputs(rng: Random, nodes: dict[str, Node]) -> dict[str, Any]:
    if rng.random() < 0.5:
        return {}
    if not nodes:
        return {}
    if rng.random() < 0.1:
        return {"broken": "{{ params.none + 1 }}"}
    return {"last": "{{ nodes.%s.output }}" % rng.choice(list(nodes))}  # noqa: UP031  braces are the template's


def edit(rng: Random, flow: Workflow) -> Workflow:
    """The same workflow after somebody worked on its file: nodes changed, removed, added."""
    nodes: dict[str, Node] = {}
    for name, node in flow.nodes.items():
        roll = rng.random()
        if roll < 0.15 and len(flow.nodes) > 1:
            continue
        needs = tuple(edge for edge in node.needs if edge.source in nodes)
        if roll < 0.35:
            fresh = _make_node(rng, name, nodes, 0.5)
            nodes[name] = fresh
        elif roll < 0.5:
            nodes[name] = msgspec.structs.replace(node, needs=needs, input={"edited": roll})
        else:
            nodes[name] = _without_lost(msgspec.structs.replace(node, needs=needs), nodes)
    _mend_stand_ins(nodes)
    for index in range(rng.choice((0, 1, 2))):
        nodes[f"x{index}"] = _make_node(rng, f"x{index}", nodes, 0.5)
    return msgspec.structs.replace(flow, nodes=nodes, outputs=_outputs(rng, nodes))


def _mend_stand_ins(nodes: dict[str, Node]) -> None:
    """Leave only those that both nodes know of, as the reader of files would."""
    pairs = {
        (name, node.fallback.node)
        for name, node in nodes.items()
        if isinstance(node.fallback, StandInNode) and node.foreach is None
    }
    edges = {(edge.source, name) for name, node in nodes.items() for edge in node.needs}
    for name, node in nodes.items():
        kept = tuple(
            edge for edge in node.needs if edge.on != "fallback" or (edge.source, name) in pairs
        )
        known = not isinstance(node.fallback, StandInNode) or (
            (name, node.fallback.node) in pairs & edges
        )
        nodes[name] = msgspec.structs.replace(
            node, needs=kept, fallback=node.fallback if known else None
        )


def _without_lost(node: Node, before: dict[str, Node]) -> Node:
    """The node without templates and conditions that name nodes which are gone."""
    changes: dict[str, Any] = {}
    text = f"{node.input} {node.when}"
    if any(word not in before for word in _named(text)):
        changes = {"input": {}, "when": None}
    return msgspec.structs.replace(node, **changes)


def _named(text: str) -> list[str]:
    return [part.split(".")[0] for part in text.split("nodes.")[1:]]


def _make_node(rng: Random, name: str, before: dict[str, Node], spice: float) -> Node:
    kind = _kind(rng, spice)
    chance = rng.random
    keys: dict[str, Any] = {"id": name, "kind": kind, "needs": _edges(rng, before, spice)}
    if keys["needs"]:
        keys["join"] = rng.choices(("all", "any", "first", "settled"), (60, 15, 12, 13))[0]
        keys["cancel_losers"] = keys["join"] == "first" and chance() < 0.4
    if before and chance() < 0.4:
        keys["input"] = {"given": "{{ nodes.%s.output }}" % rng.choice(list(before))}  # noqa: UP031
    if chance() < 0.15 * spice:
        keys["when"] = rng.choice(_conditions(before))
    if chance() < 0.25 and kind.uses not in ("branch", "wait"):
        keys["foreach"] = rng.choice(
            ([], [1], [1, 2], [1, 2, 3], [1, 2, 3, 4], "params.list", "params.none")
        )
        keys["max_parallel"] = rng.choice((None, None, 1, 2))
        keys["on_item_failure"] = rng.choice(("fail", "continue", "hold"))
    elif chance() < 0.12 and kind.uses in ("python", "shell"):
        keys["repeat"] = Repeat(
            until=rng.choice(("output == 1", "output == 1", "output == 9", "output < 'x'")),
            every=rng.choice((0.0, 0.5, 1.0)),
            max=rng.choice((1, 2, 4)),
        )
    if chance() < 0.3:
        keys["timeout"] = rng.choice((0.5, 1.0, 3.0))
    if chance() < 0.45:
        keys["retry"] = _retry(rng)
    if chance() < 0.12:
        instead: tuple[JsonValue, ...] = (None, {"instead": 1}, "{{ params.none + 1 }}")
        keys["fallback"] = Fallback(value=rng.choice(instead))
    elif chance() < 0.15:
        keys["fallback"] = _stand_in(rng)
    if chance() < 0.35:
        keys["compensate"] = _undo(rng)
    keys["irreversible"] = chance() < 0.05
    keys["side_effects"] = rng.choice(("none", "idempotent", "external"))
    if chance() < 0.25:
        keys["locks"] = tuple(rng.sample(LOCKS, rng.choice((1, 1, 2))))
    keys["critical"] = chance() > 0.15
    keys["priority"] = rng.choice(("high", "normal", "normal", "low"))
    if chance() < 0.06 * spice:
        keys["breakpoint"] = Breakpoint(on=rng.choice(("before", "after", "failure")))
    return Node(**keys)


def _stand_in(rng: Random) -> StandIn:
    kind: KindSettings = rng.choice(
        (PythonSettings(call="m:instead"), NoopSettings(), WaitSettings(duration=0.5))
    )
    inputs: tuple[JsonValue, ...] = (
        {},
        {"error": "{{ error.type }}"},
        {"broken": "{{ params.none + 1 }}"},
    )
    return StandIn(
        kind=kind,
        input=rng.choice(inputs),
        timeout=rng.choice((None, 0.5, 2.0)),
        retry=_retry(rng) if rng.random() < 0.4 else None,
    )


def _understudy(rng: Random, name: str, nodes: dict[str, Node]) -> Node | None:
    """A node that stands in for one of those before it, which says so from now on; None when none can."""
    found = [
        one
        for one in nodes.values()
        if one.foreach is None and not isinstance(one.fallback, StandInNode)
    ]
    if not found:
        return None
    source = rng.choice(found)
    nodes[source.id] = msgspec.structs.replace(source, fallback=StandInNode(node=name))
    node = _make_node(rng, name, {}, 0.3)
    edge = Edge(source=source.id, on="fallback")
    more = tuple(one for one in source.needs if one.on == "any" and rng.random() < 0.3)
    return msgspec.structs.replace(node, needs=(edge, *more), join="all", cancel_losers=False)


def _kind(rng: Random, spice: float) -> KindSettings:
    roll = rng.random()
    if roll < 0.45:
        return PythonSettings(call="m:f")
    if roll < 0.55:
        return ShellSettings(run="echo {{ params.list }}")
    if roll < 0.75:
        return NoopSettings()
    if roll < 0.8:
        return TransformSettings(value=1, has_value=True)
    if roll < 0.9:
        cases = tuple(Case(port=port, when="true") for port in PORTS)
        return BranchSettings(cases=cases, otherwise="other")
    return WaitSettings(duration=rng.choice((0.0, 0.5, 2.0, "1s", "soon" if spice > 0.7 else "3s")))


def _edges(rng: Random, before: dict[str, Node], spice: float) -> tuple[Edge, ...]:
    if not before or rng.random() < 0.12:
        return ()
    sources = rng.sample(list(before), min(len(before), rng.choices((1, 2, 3), (60, 30, 10))[0]))
    return tuple(_edge(rng, before[source], spice) for source in sources)


def _edge(rng: Random, source: Node, spice: float) -> Edge:
    outcomes: tuple[Outcome, ...] = ("success", "failure", "any")
    on = rng.choices(outcomes, (72, 16, 12))[0]
    port = None
    if source.ports and on != "failure" and rng.random() < 0.8:
        port = rng.choice(source.ports)
    when = None
    if rng.random() < 0.2 * spice:
        when = rng.choice(("output == 1", "true", "false", "output < 'x'", "params.number > 1"))
    return Edge(source=source.id, on=on, port=port, when=when, handles=rng.random() < 0.8)


def _conditions(before: dict[str, Node]) -> list[str]:
    found = ["true", "false", "params.number > 1", "params.number < 'x'"]
    found += [f"nodes.{name}.state == 'succeeded'" for name in before]
    return found


def _retry(rng: Random) -> Retry:
    return Retry(
        strategy=rng.choice(("fixed", "linear", "exponential", "none")),
        max_attempts=rng.choice((1, 2, 3, 4)),
        initial_delay=rng.choice((0.0, 0.3, 1.0)),
        max_delay=rng.choice((1.0, 60.0)),
        jitter=rng.choice((0.0, 0.25, 1.0)),
        do_not_retry_on=rng.choice(((), (), ("external_service",))),
    )


def _undo(rng: Random) -> Undo:
    kind = rng.choice((NoopSettings(), PythonSettings(call="m:undo"), ShellSettings(run="undo")))
    inputs: tuple[JsonValue, ...] = (
        {},
        {"was": "{{ output }}"},
        {"why": "{{ error }}"},
        {"bad": "{{ params.none + 1 }}"},
    )
    return Undo(
        kind=kind,
        input=rng.choice(inputs) if rng.random() < 0.5 else {},
        timeout=rng.choice((1.0, 60.0)),
        retry=Retry(
            strategy="fixed", max_attempts=rng.choice((1, 3)), initial_delay=1.0, jitter=0.0
        ),
    )
