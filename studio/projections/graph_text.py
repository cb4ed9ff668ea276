"""A workflow's graph as text: for terminals, Mermaid, Graphviz and machines.

Names come from workflow files, so every format escapes them: no name can end a label, open a tag or
reach the terminal as an escape sequence.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from studio.projections.layout import (
    Layout,
    LayoutEdge,
    LayoutNode,
    NodeCell,
    Raster,
    arrange,
    cell_width,
    clean,
)

CELL_WIDTH, CELL_HEIGHT = 8, 16
"""Pixels of one cell in SVG, the proportions of a terminal font."""

FAILURE_COLOUR = "#c0392b"


@dataclass(frozen=True, slots=True)
class GraphNode:
    """A node to be written down.

    Args:
        id: its id.
        label: what to call it.
        kind: kind of node, such as ``python``.
        group: the group it is in, if any.
    """

    id: str
    label: str
    kind: str = ""
    group: str | None = None


@dataclass(frozen=True, slots=True)
class GraphEdge:
    """An edge to be written down: ends, outcome it is taken on, and port and condition if it has them."""

    source: str
    target: str
    on: str = "success"
    port: str | None = None
    when: str | None = None

    def label(self) -> str:
        """What to write beside the edge; empty for a plain one."""
        parts = [self.on] if self.on != "success" else []
        if self.port:
            parts.append(f"port {self.port}")
        if self.when:
            parts.append(f"when {self.when}")
        return ", ".join(parts)


def render_text(layout: Layout, cells: Mapping[str, NodeCell], *, ascii: bool = False) -> str:
    """The whole drawing as lines of text without styles, ending with a newline unless empty.

    Args:
        layout: the layout.
        cells: what every node shows.
        ascii: use ASCII characters only.
    """
    raster = Raster(layout, cells, ascii=ascii)
    rows = raster.render(0, 0, layout.width, layout.height)
    return "".join("".join(segment.text for segment in row).rstrip() + "\n" for row in rows)


def to_json(nodes: Sequence[GraphNode], edges: Sequence[GraphEdge]) -> str:
    """One JSON object with ``nodes`` and ``edges``, keys as in the classes here."""
    document = {
        "nodes": [
            {"id": node.id, "label": node.label, "kind": node.kind, "group": node.group}
            for node in nodes
        ],
        "edges": [
            {
                "source": edge.source,
                "target": edge.target,
                "on": edge.on,
                "port": edge.port,
                "when": edge.when,
            }
            for edge in edges
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def to_mermaid(
    nodes: Sequence[GraphNode], edges: Sequence[GraphEdge], direction: str = "TB"
) -> str:
    """A Mermaid flowchart; groups become subgraphs, failure edges are dotted.

    Nodes are numbered ``n0``, ``n1`` … since Mermaid gives words such as ``end`` a meaning of their own.
    """
    number = _numbers(nodes)
    lines = [f"flowchart {direction}"]
    for index, (group, members) in enumerate(_by_group(nodes)):
        indent = "  "
        if group is not None:
            lines.append(f"  subgraph g{index}[{_mermaid(group)}]")
            indent = "    "
        lines += [f"{indent}{number[node.id]}[{_mermaid(node.label)}]" for node in members]
        if group is not None:
            lines.append("  end")
    for edge in edges:
        arrow = "-.->" if edge.on == "failure" else "-->"
        label = edge.label()
        text = f"|{_mermaid(label)}|" if label else ""
        lines.append(f"  {number[edge.source]} {arrow}{text} {number[edge.target]}")
    return "\n".join(lines) + "\n"


def to_dot(nodes: Sequence[GraphNode], edges: Sequence[GraphEdge], direction: str = "TB") -> str:
    """A Graphviz digraph; groups become clusters, failure edges are dashed."""
    lines = [
        "digraph workflow {",
        f"  rankdir={direction};",
        '  node [shape=box, style="rounded"];',
    ]
    for index, (group, members) in enumerate(_by_group(nodes)):
        indent = "  "
        if group is not None:
            lines += [f"  subgraph cluster_{index} {{", f"    label={_dot(group)};"]
            indent = "    "
        lines += [f"{indent}{_dot(node.id)} [label={_dot(node.label)}];" for node in members]
        if group is not None:
            lines.append("  }")
    for edge in edges:
        attributes = []
        if label := edge.label():
            attributes.append(f"label={_dot(label)}")
        if edge.on == "failure":
            attributes.append(f'style=dashed, color="{FAILURE_COLOUR}"')
        suffix = f" [{', '.join(attributes)}]" if attributes else ""
        lines.append(f"  {_dot(edge.source)} -> {_dot(edge.target)}{suffix};")
    return "\n".join([*lines, "}"]) + "\n"


def to_svg(nodes: Sequence[GraphNode], edges: Sequence[GraphEdge]) -> str:
    """A standalone SVG of the same drawing as on screen, top to bottom.

    Raises:
        DefinitionError: if the edges form a cycle or name an unknown node.
    """
    placed = [
        LayoutNode(node.id, (cell_width(clean(node.label)) + 4) | 1, 3, node.group)
        for node in nodes
    ]
    layout = arrange(placed, [LayoutEdge(edge.source, edge.target, edge.on) for edge in edges])
    width, height = (layout.width + 2) * CELL_WIDTH, (layout.height + 2) * CELL_HEIGHT
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="monospace" font-size="12">',
        '<defs><marker id="head" viewBox="0 0 8 8" refX="4" refY="4" markerWidth="6" markerHeight="6" '
        'orient="auto"><path d="M0 0L8 4L0 8z" fill="context-stroke"/></marker></defs>',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    lines += [_svg_edge(layout, index, edge) for index, edge in enumerate(edges)]
    lines += [_svg_node(layout, node) for node in nodes]
    return "\n".join([*lines, "</svg>"]) + "\n"


def _svg_edge(layout: Layout, index: int, edge: GraphEdge) -> str:
    route = layout.route(index)
    points = [((x + 1.5) * CELL_WIDTH, (y + 1.5) * CELL_HEIGHT) for x, y in route]
    # The text drawing's lines start beside the frame; here they touch it.
    points.insert(0, (points[0][0], points[0][1] - CELL_HEIGHT))
    path = " ".join(f"{x:g},{y:g}" for x, y in points)
    style = (
        f'stroke="{FAILURE_COLOUR}" stroke-dasharray="4 3"'
        if edge.on == "failure"
        else 'stroke="#555555"'
    )
    title = escape(f"{clean(edge.source)} to {clean(edge.target)} {clean(edge.label())}".rstrip())
    return f'<polyline points="{path}" fill="none" {style} marker-end="url(#head)"><title>{title}</title></polyline>'


def _svg_node(layout: Layout, node: GraphNode) -> str:
    box = layout.boxes[node.id]
    x, y = (box.x + 1.5) * CELL_WIDTH, (box.y + 1.5) * CELL_HEIGHT
    width, height = (box.width - 1) * CELL_WIDTH, (box.height - 1) * CELL_HEIGHT
    return (
        f'<g><rect x="{x:g}" y="{y:g}" width="{width}" height="{height}" rx="6" fill="#f8f8f8" stroke="#333333"/>'
        f'<text x="{x + width / 2:g}" y="{y + height / 2 + 4:g}" text-anchor="middle">'
        f"{escape(clean(node.label))}</text><title>{escape(clean(node.kind))}</title></g>"
    )


def _numbers(nodes: Iterable[GraphNode]) -> dict[str, str]:
    return {node.id: f"n{index}" for index, node in enumerate(nodes)}


def _by_group(nodes: Sequence[GraphNode]) -> list[tuple[str | None, list[GraphNode]]]:
    """Nodes by group, groups in the order they first appear, those without a group first."""
    groups: dict[str | None, list[GraphNode]] = {None: []}
    for node in nodes:
        groups.setdefault(node.group, []).append(node)
    return [(group, members) for group, members in groups.items() if members]


def _mermaid(text: str) -> str:
    """A quoted Mermaid label; special characters as entity codes, which Mermaid takes without ``&``."""
    safe = "".join(
        c if c.isalnum() or c in " _-.,:/()+*'" or ord(c) > 159 else f"#{ord(c)};"
        for c in clean(text)
    )
    return f'"{safe}"'


def _dot(text: str) -> str:
    """A quoted Graphviz string; backslashes doubled, for ``\\N`` and the like are escapes there."""
    quoted = clean(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}"'
