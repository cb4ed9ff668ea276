"""Nodes of the workflow that stand in for others: the edges that ``fallback: {node: ID}`` means."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from studio.loading.diagnostics import Report, quoted
from studio.loading.edges import AuthoredEdge
from studio.loading.graph import check_cycles
from studio.loading.nodes import AuthoredNode
from studio.model.nodes import Edge, StandInNode


def connect_stand_ins(
    nodes: Mapping[str, AuthoredNode], report: Report
) -> dict[str, AuthoredNode] | None:
    """The nodes with an edge to each node that stands in for another; None when they wait for each other.

    Args:
        nodes: the nodes of a file as read.
        report: takes what is wrong with the ids.
    """
    found = dict(nodes)
    taken: dict[str, str] = {}
    for name, node in nodes.items():
        if not isinstance(node.instead, StandInNode):
            continue
        target = node.instead.node
        problem = _problem(node, target, nodes, taken, report)
        path = (*node.path, "fallback", "node")
        if problem is not None:
            report.error(path, problem[0], code=problem[1])
            continue
        taken[target] = name
        edge = Edge(source=name, on="fallback", place=report.document.place(path))
        found[target] = _with_edge(found[target], AuthoredEdge(edge, path, path))
    if taken and not check_cycles(_by_outcome(nodes, taken, report), report):
        return None
    return found


def _problem(
    node: AuthoredNode,
    target: str,
    nodes: Mapping[str, AuthoredNode],
    taken: Mapping[str, str],
    report: Report,
) -> tuple[str, str] | None:
    """What is wrong with a node as fallback, and its code."""
    if target == node.id:
        return f"{quoted(target)} cannot stand in for itself", "fallback"
    if target not in nodes:
        return f"unknown node {quoted(target)}{report.suggest(target, nodes)}", "unknown-node"
    if target in taken:
        other = quoted(taken[target])
        return (
            f"{quoted(target)} stands in for {other} already; it can do so for one node",
            "fallback",
        )
    if node.node is not None and node.node.foreach is not None:
        message = (
            "one node cannot stand in for the items of a list; "
            "write the fallback out, it is tried for each item"
        )
        return message, "fallback"
    return None


def _with_edge(node: AuthoredNode, edge: AuthoredEdge) -> AuthoredNode:
    model = node.node
    if model is not None:
        model = msgspec.structs.replace(model, needs=(*model.needs, edge.edge))
    return msgspec.structs.replace(node, edges=(*node.edges, edge), node=model)


def _by_outcome(
    nodes: Mapping[str, AuthoredNode], taken: Mapping[str, str], report: Report
) -> dict[str, AuthoredNode]:
    """The graph of who is over after whom: a node that has failed is over only once its stand-in is.

    A cycle of it would wait for ever, whatever the cycle of edges says.
    """
    found = dict(nodes)
    for target, name in taken.items():
        path = (*nodes[name].path, "fallback", "node")
        edge = AuthoredEdge(Edge(source=target), path, path)
        found[name] = msgspec.structs.replace(found[name], edges=(*found[name].edges, edge))
    return found
