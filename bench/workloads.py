"""The four engine workloads of the targets, as workflow definitions of no-op nodes."""

import random

from studio.model.nodes import Edge, Node, NoopSettings
from studio.model.workflow import Workflow


def _workflow(name: str, needs: dict[str, list[str]]) -> Workflow:
    nodes = {
        node: Node(id=node, kind=NoopSettings(), needs=tuple(Edge(source=up) for up in ups))
        for node, ups in needs.items()
    }
    return Workflow(name=name, nodes=nodes)


def chain(length: int) -> Workflow:
    """W1: one chain."""
    names = [f"n{index}" for index in range(length)]
    return _workflow("chain", {n: ([names[i - 1]] if i else []) for i, n in enumerate(names)})


def fan(width: int) -> Workflow:
    """W2: one node, ``width`` nodes behind it, one node behind those."""
    middle = [f"m{index}" for index in range(width)]
    return _workflow("fan", {"first": [], **{n: ["first"] for n in middle}, "last": middle})


def diamond() -> Workflow:
    """W3: ten nodes: one, four, four, one."""
    upper = [f"a{index}" for index in range(4)]
    lower = [f"b{index}" for index in range(4)]
    needs: dict[str, list[str]] = {"first": []}
    needs |= {n: ["first"] for n in upper}
    needs |= {n: [upper[i], upper[(i + 1) % 4]] for i, n in enumerate(lower)}
    needs["last"] = lower
    return _workflow("diamond", needs)


def layered(size: int, seed: int = 42) -> Workflow:
    """W4: a random graph in ten layers, about 1.5 incoming edges per node."""
    source = random.Random(seed)
    width = max(2, size // 10)
    needs: dict[str, list[str]] = {}
    for index in range(size):
        layer = index // width
        if layer == 0:
            needs[f"n{index}"] = []
            continue
        before = range((layer - 1) * width, min(layer * width, size))
        count = 1 + (source.random() < 0.5)
        needs[f"n{index}"] = [f"n{up}" for up in source.sample(before, min(count, len(before)))]
    return _workflow("layered", needs)
