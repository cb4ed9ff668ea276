"""Graphs written as Mermaid, Graphviz, SVG and JSON."""

from __future__ import annotations

import json
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from studio.projections.graph_text import (
    GraphEdge,
    GraphNode,
    to_dot,
    to_json,
    to_mermaid,
    to_svg,
)

NODES = [
    GraphNode("load", "load", "python"),
    GraphNode("end", 'say "hi" <b>', "shell", "last"),
    GraphNode("undo", "a\\N | [x]", "shell", "last"),
]
EDGES = [
    GraphEdge("load", "end"),
    GraphEdge("load", "undo", "failure", None, 'output["x"] > 3'),
    GraphEdge("end", "undo", "any", "left"),
]


def test_mermaid() -> None:
    assert to_mermaid(NODES, EDGES) == (
        "flowchart TB\n"
        '  n0["load"]\n'
        '  subgraph g1["last"]\n'
        '    n1["say #34;hi#34; #60;b#62;"]\n'
        '    n2["a#92;N #124; #91;x#93;"]\n'
        "  end\n"
        "  n0 --> n1\n"
        '  n0 -.->|"failure, when output#91;#34;x#34;#93; #62; 3"| n2\n'
        '  n1 -->|"any, port left"| n2\n'
    )


def test_dot() -> None:
    assert to_dot(NODES, EDGES, "LR") == (
        "digraph workflow {\n"
        "  rankdir=LR;\n"
        '  node [shape=box, style="rounded"];\n'
        '  "load" [label="load"];\n'
        "  subgraph cluster_1 {\n"
        '    label="last";\n'
        '    "end" [label="say \\"hi\\" <b>"];\n'
        '    "undo" [label="a\\\\N | [x]"];\n'
        "  }\n"
        '  "load" -> "end";\n'
        '  "load" -> "undo" [label="failure, when output[\\"x\\"] > 3", style=dashed, color="#c0392b"];\n'
        '  "end" -> "undo" [label="any, port left"];\n'
        "}\n"
    )


def test_json_keeps_everything() -> None:
    document = json.loads(to_json(NODES, EDGES))
    assert document["nodes"][1] == {
        "id": "end",
        "label": 'say "hi" <b>',
        "kind": "shell",
        "group": "last",
    }
    assert document["edges"][1]["when"] == 'output["x"] > 3'


def test_svg_draws_every_node_and_edge() -> None:
    root = ElementTree.fromstring(to_svg(NODES, EDGES))
    space = "{http://www.w3.org/2000/svg}"
    assert [text.text for text in root.iter(f"{space}text")] == [node.label for node in NODES]
    lines = list(root.iter(f"{space}polyline"))
    assert len(lines) == 3
    assert [bool(line.get("stroke-dasharray")) for line in lines] == [False, True, False]


@given(st.text(max_size=40))
def test_no_label_breaks_out(label: str) -> None:
    nodes = [GraphNode("a", label, label, label or None)]
    edges: list[GraphEdge] = []
    assert ElementTree.fromstring(to_svg(nodes, edges)) is not None
    inside = to_mermaid(nodes, edges).split("[", 1)[1]
    assert not set(inside.split('"')[1]) & set('"[]{}<>|\n')
    assert "\x1b" not in to_dot(nodes, edges)
    quotes = to_dot([GraphNode("a", label)], edges).split("label=", 1)[1].split(";\n", 1)[0]
    assert json.loads(quotes.removesuffix("]")) is not None
