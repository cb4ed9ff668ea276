"""``studio graph``: a workflow drawn."""

from __future__ import annotations

import argparse

from studio.application.inputs import read_workflow
from studio.cli import DONE
from studio.cli.arguments import Verb
from studio.cli.console import Console
from studio.model.workflow import Workflow
from studio.projections.graph_text import (
    GraphEdge,
    GraphNode,
    render_text,
    to_dot,
    to_json,
    to_mermaid,
    to_svg,
)
from studio.projections.layout import LayoutEdge, LayoutNode, NodeCell, choose, natural_width, sized
from studio.projections.signs import sign

ROWS = 1000
"""Rows that a drawing may take before names are left out: a terminal scrolls back that far."""


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="workflow file")
    parser.add_argument(
        "--format",
        choices=("text", "mermaid", "dot", "svg", "json"),
        default="text",
        help="how to write it (default: text)",
    )
    parser.add_argument("--direction", choices=("TB", "LR"), help="top to bottom, or left to right")
    parser.add_argument("--ascii", action="store_true", help="ASCII characters only")


def _graph(args: argparse.Namespace, console: Console) -> int:
    workflow = read_workflow(args.file)
    nodes = [
        GraphNode(node.id, node.name or node.id, node.uses, node.group)
        for node in workflow.nodes.values()
    ]
    edges = [
        GraphEdge(edge.source, node.id, edge.on, edge.port, edge.when)
        for node in workflow.nodes.values()
        for edge in node.needs
    ]
    if args.format == "text":
        text = _drawing(workflow, edges, console, args)
    elif args.format == "mermaid":
        text = to_mermaid(nodes, edges, args.direction or "TB")
    elif args.format == "dot":
        text = to_dot(nodes, edges, args.direction or "TB")
    elif args.format == "svg":
        text = to_svg(nodes, edges)
    else:
        text = to_json(nodes, edges)
    console.out.write(text)
    return DONE


def _drawing(
    workflow: Workflow, edges: list[GraphEdge], console: Console, args: argparse.Namespace
) -> str:
    cells = {
        node.id: NodeCell(
            node.id,
            sign("blocked").glyph,
            node.name or node.id,
            right=node.uses,
            stack=node.foreach is not None,
        )
        for node in workflow.nodes.values()
    }
    placed = [
        LayoutNode(node.id, natural_width(cells[node.id]), 3, node.group)
        for node in workflow.nodes.values()
    ]
    lines = [LayoutEdge(edge.source, edge.target, edge.on) for edge in edges]
    drawing = choose(
        sized(placed, "box"),
        lines,
        console.cells or 10_000,
        ROWS,
        style="box",
        direction=args.direction or "TB",
    )
    return render_text(drawing.layout, cells, ascii=args.ascii or console.ascii)


VERBS = {
    "graph": Verb(
        _configure,
        _graph,
        (
            ("studio graph orders.yaml", "in the terminal"),
            ("studio graph orders.yaml --format mermaid", "for a README"),
            ("studio graph orders.yaml --format dot | dot -Tpng > orders.png", "with Graphviz"),
        ),
    )
}
