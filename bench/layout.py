"""How fast and how well graphs are laid out and drawn.

Run with ``python -m bench layout``. Graphs are layered random ones with 1.5 edges per node, drawn by a
seeded generator. Times are processor time of this process, the best of several runs, since other work on
the machine only ever adds to it. Crossings are compared with Graphviz if ``dot`` is on the path: both
count the crossings of their own lines.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from functools import partial
from random import Random
from time import process_time

from bench.rows import Figure
from studio.projections.layout import (
    Layout,
    LayoutEdge,
    LayoutNode,
    NodeCell,
    Raster,
    arrange,
)

SEEDS = (1, 2, 3, 4, 5, 6, 7, 8)
DOT_TIMEOUT = 60.0
"""Seconds for one run of dot."""


def layered_graph(
    count: int, seed: int, per_node: float = 1.5
) -> tuple[list[LayoutNode], list[LayoutEdge]]:
    """A random layered graph: about as many layers as nodes in a layer, edges over one or two layers.

    Args:
        count: number of nodes.
        seed: the same seed gives the same graph.
        per_node: edges per node.
    """
    random = Random(seed)
    depth = max(3, round(count**0.5 * 0.9))
    layers: list[list[int]] = [[] for _ in range(depth)]
    for node in range(count):
        layers[node * depth // count].append(node)
    edges: set[tuple[int, int]] = set()
    for level in range(1, depth):
        for node in layers[level]:
            edges.add((random.choice(layers[level - 1]), node))
    while len(edges) < per_node * count:
        level = random.randrange(1, depth)
        before = max(0, level - random.randint(1, 2))
        edges.add((random.choice(layers[before]), random.choice(layers[level])))
    nodes = [LayoutNode(f"n{index}", 15, 3) for index in range(count)]
    return nodes, [LayoutEdge(f"n{source}", f"n{target}") for source, target in sorted(edges)]


def milliseconds(work: Callable[[], object], runs: int) -> float:
    """Processor time of one call, the best of several."""
    best = float("inf")
    for _ in range(runs):
        start = process_time()
        work()
        best = min(best, process_time() - start)
    return best * 1000


def dot_crossings(nodes: list[LayoutNode], edges: list[LayoutEdge]) -> int | None:
    """Crossings that Graphviz reports for the same graph; ``None`` without Graphviz."""
    program = shutil.which("dot")
    if program is None:
        return None
    lines = [f"{node.id};" for node in nodes] + [f"{edge.source}->{edge.target};" for edge in edges]
    done = subprocess.run(
        [program, "-v", "-Tplain"],
        input="digraph {" + "".join(lines) + "}",
        capture_output=True,
        text=True,
        timeout=DOT_TIMEOUT,
        check=True,
    )
    found = re.findall(r"mincross \S+ (\d+) crossings", done.stderr)
    return int(found[-1]) if found else None


def run() -> list[Figure]:
    """All measurements: a `Figure` each."""
    rows: list[Figure] = []
    for count, target, runs in ((200, 30, 20), (1_000, 150, 5), (5_000, 600, 3)):
        nodes, edges = layered_graph(count, 42)
        spent = milliseconds(partial(arrange, nodes, edges), runs)
        rows.append(_row(f"layout of {count} nodes", spent, target, "ms"))
    rows += _crossing_rows()
    rows += _drawing_rows()
    rows.append(_jump_row())
    return rows


def _row(name: str, measured: float, target: float, unit: str) -> Figure:
    return Figure(name, measured, unit, target, None, "less")


def _crossing_rows() -> list[Figure]:
    rows = []
    for count in (200, 1_000):
        ratios = []
        for seed in SEEDS:
            nodes, edges = layered_graph(count, seed)
            theirs = dot_crossings(nodes, edges)
            if theirs:
                ratios.append(arrange(nodes, edges).crossings / theirs)
        if ratios:
            name = f"crossings of {count} nodes against dot, mean of {len(ratios)}"
            rows.append(_row(name, sum(ratios) / len(ratios), 1.15, "ratio"))
    return rows


def _drawing_rows() -> list[Figure]:
    nodes, edges = layered_graph(1_000, 42)
    layout = arrange(nodes, edges)
    cells = {node.id: NodeCell(node.id, "✓", node.id, "2.3s", "succeeded") for node in nodes}
    left, top = layout.width // 2 - 100, layout.height // 2 - 25

    def first_paint() -> None:
        Raster(layout, cells).render(left, top, 200, 50)

    raster = Raster(layout, cells)

    def repaint() -> None:
        raster.render(left, top, 200, 50)

    def change() -> None:
        for number in range(100):
            node = nodes[number].id
            cells[node] = NodeCell(node, "●", node, f"{number} s", "running", progress=0.5)
            x, y, width, height = raster.region(node)
            raster.render(x, y, width, height)

    return [
        _row("first paint 200x50 of 1,000 nodes", milliseconds(first_paint, 5), 8, "ms"),
        _row("full repaint 200x50 of 1,000 nodes", milliseconds(repaint, 10), 8, "ms"),
        _row("one node change", milliseconds(change, 5) / 100, 1, "ms"),
    ]


def _jump_row() -> Figure:
    """Share of nodes that move more than two rows after one edge is added or removed."""
    moved = total = 0
    for seed in SEEDS:
        nodes, edges = layered_graph(200, seed)
        before = arrange(nodes, edges)
        random = Random(seed)
        for edit in range(6):
            changed = list(edges)
            if edit % 2:
                changed.pop(random.randrange(len(changed)))
            else:
                source, target = sorted(random.sample(range(len(nodes)), 2))
                changed.append(LayoutEdge(f"n{source}", f"n{target}"))
            moved += _jumps(before, arrange(nodes, changed, seed=before))
            total += len(nodes)
    return _row("nodes that jump after an edit of 200 nodes", 100 * moved / total, 10, "%")


def _jumps(before: Layout, after: Layout) -> int:
    return sum(abs(box.y - after.boxes[node].y) > 2 for node, box in before.boxes.items())
