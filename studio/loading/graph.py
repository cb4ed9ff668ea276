"""The graph of a file: missing sources, unknown ports, cycles, and who comes before whom."""

from __future__ import annotations

from collections.abc import Mapping

from studio.loading.diagnostics import Report, named, quoted
from studio.loading.document import Path
from studio.loading.edges import AuthoredEdge
from studio.loading.nodes import AuthoredNode
from studio.model.nodes import BranchSettings


def check_edges(nodes: Mapping[str, AuthoredNode], report: Report) -> None:
    """Report edges from nodes that are not there, from the node itself, and by ports it does not have."""
    for node in nodes.values():
        for edge in node.edges:
            source = nodes.get(edge.edge.source)
            if edge.edge.source == node.id:
                message = f"{quoted(node.id)} cannot need itself"
                report.error(edge.source_path, message, code="self-need")
            elif source is None:
                known = [name for name in nodes if name != node.id]
                hint = report.suggest(edge.edge.source, known)
                message = f"unknown node {quoted(edge.edge.source)} in needs{hint}"
                report.error(edge.source_path, message, code="unknown-node")
            elif edge.edge.port is not None:
                _check_port(edge, source, report)


def _check_port(edge: AuthoredEdge, source: AuthoredNode, report: Report) -> None:
    port = edge.edge.port
    if source.kind is None or port is None:
        return
    if not isinstance(source.kind, BranchSettings):
        message = f"{quoted(source.id)} has no ports: it is a {source.kind.uses} node, not a branch"
        report.error(edge.port_path, message, code="unknown-port")
        return
    ports = [case.port for case in source.kind.cases]
    if source.kind.otherwise is not None:
        ports.append(source.kind.otherwise)
    ports = list(dict.fromkeys(ports))
    if port not in ports:
        hint = report.suggest(port, ports) or f"; its ports are {named(ports)}"
        message = f"{quoted(source.id)} has no port {quoted(port)}{hint}"
        report.error(edge.port_path, message, code="unknown-port")


def check_cycles(nodes: Mapping[str, AuthoredNode], report: Report) -> bool:
    """Report every group of nodes that wait for each other, by one cycle through it; True when none do."""
    sound = True
    finished: set[str] = set()
    order = {name: index for index, name in enumerate(nodes)}
    for start in nodes:
        cycle = _find_cycle(start, nodes, finished)
        if cycle is not None:
            sound = False
            at = min(range(len(cycle)), key=[order[name] for name in cycle].__getitem__)
            cycle = cycle[at:] + cycle[:at]  # begin with the node that comes first in the file
            first = cycle[0]
            message = f"these nodes wait for each other: {_route([*cycle, first])}"
            report.error(_edge_path(nodes[first], cycle[-1]), message, code="cycle")
    return sound


def _find_cycle(
    start: str, nodes: Mapping[str, AuthoredNode], finished: set[str]
) -> list[str] | None:
    """A cycle reachable upstream of a node, in the direction of its edges, or None.

    Depth first without recursion. Everything visited counts as finished afterwards, so each group of
    nodes is reported once.
    """
    if start in finished:
        return None
    trail: list[str] = [start]
    on_trail = {start: 0}
    waiting = [_sources(nodes[start], nodes)]
    cycle: list[str] | None = None
    while trail:
        if not waiting[-1]:
            waiting.pop()
            done = trail.pop()
            del on_trail[done]
            finished.add(done)
            continue
        source = waiting[-1].pop()
        if source in on_trail:
            if cycle is None:
                cycle = trail[on_trail[source] :][::-1]
        elif source not in finished:
            on_trail[source] = len(trail)
            trail.append(source)
            waiting.append(_sources(nodes[source], nodes))
    return cycle


def source_names(node: AuthoredNode) -> list[str]:
    """The ids in a node's ``needs``, as written."""
    return [edge.edge.source for edge in node.edges]


def _sources(node: AuthoredNode, nodes: Mapping[str, AuthoredNode]) -> list[str]:
    names = source_names(node)
    return [name for name in reversed(names) if name in nodes and name != node.id]


def _route(names: list[str], limit: int = 12) -> str:
    if len(names) > limit:
        names = [*names[: limit - 2], f"… {len(names) - limit + 1} more …", names[-1]]
    return " -> ".join(names)


def _edge_path(node: AuthoredNode, source: str) -> Path:
    for edge in node.edges:
        if edge.edge.source == source:
            return edge.source_path
    return node.path


def find_ancestors(nodes: Mapping[str, AuthoredNode]) -> dict[str, int]:
    """The ancestors of every node of an acyclic graph, as a set of bits in file order.

    Bits keep this cheap at thousands of nodes: one machine word holds 64 of them.
    """
    bit = {name: 1 << index for index, name in enumerate(nodes)}
    found: dict[str, int] = {}
    for start in nodes:
        stack = [start]
        while stack:
            name = stack[-1]
            if name in found:
                stack.pop()
                continue
            sources = _sources(nodes[name], nodes)
            missing = [source for source in sources if source not in found]
            if missing:
                stack.extend(missing)
                continue
            stack.pop()
            above = 0
            for source in sources:
                above |= found[source] | bit[source]
            found[name] = above
    return found


def is_upstream(name: str, node: str, nodes: Mapping[str, AuthoredNode]) -> bool:
    """Whether one node comes before another, by searching; for graphs too large for `find_ancestors`."""
    seen: set[str] = set()
    waiting = [node]
    while waiting:
        for source in _sources(nodes[waiting.pop()], nodes):
            if source == name:
                return True
            if source not in seen:
                seen.add(source)
                waiting.append(source)
    return False
