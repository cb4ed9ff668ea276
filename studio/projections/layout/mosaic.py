"""Every node as one glyph, layer below layer, without lines: what still shows a graph whose lines fit nowhere."""

from __future__ import annotations

from collections.abc import Sequence

from studio.projections.layout.arrangement import Sorted
from studio.projections.layout.graph import Band, Box, Lane, Layout, LayoutNode

STEPS = (4, 3, 2)
"""Columns from one glyph to the next, the most roomy that fits; a cell between them keeps them apart."""


def lay_mosaic(found: Sorted, nodes: Sequence[LayoutNode], width: int, height: int) -> Layout:
    """Place the nodes of a sorted graph in rows, as many to a layer as it needs.

    Args:
        found: layers and order.
        nodes: the nodes in the order they were sorted in.
        width: columns of the viewport; no row is wider.
        height: rows of the viewport; a blank row parts the layers if all of it still fits.
    """
    count = len(nodes)
    room = max(1, (width + 1) // STEPS[-1])
    layers = [[item for item in layer if item < count] for layer in found.order]
    rows = [-(-len(layer) // room) for layer in layers]
    gap = 1 if sum(rows) + len(rows) - 1 <= height else 0
    widest = max(
        (-(-len(layer) // row) for layer, row in zip(layers, rows, strict=True)), default=0
    )
    step = next((one for one in STEPS if one * (widest - 1) < width), STEPS[-1])
    boxes: dict[str, Box] = {}
    bands: list[Band] = []
    start = 0
    for level, layer in enumerate(layers):
        for order, item in enumerate(layer):
            # A layer that needs several rows fills them alike: a last row of one would be read as a layer of its own.
            full = -(-len(layer) // rows[level])
            row, place = divmod(order, full)
            # Rows stand in the middle; a whole indent keeps all glyphs in common columns.
            indent = (widest - min(full, len(layer) - row * full)) // 2
            x, y = step * (indent + place), start + row
            boxes[nodes[item].id] = Box(nodes[item].id, x, y, 1, 1, level, order)
        stop = start + rows[level] + (gap if level + 1 < len(layers) else 0)
        bands.append(Band(start, stop, ()))
        start = stop
    edges = tuple(found.skeleton.edges)
    return Layout(
        direction="TB",
        boxes=boxes,
        edges=edges,
        paths=((),) * len(edges),
        bands=tuple(bands),
        width=step * (widest - 1) + 1 if widest else 0,
        height=start,
        crossings=0,
        layers=tuple(tuple(nodes[item].id for item in layer) for layer in layers),
        lanes=_lanes(found, count),
        starts=tuple(band.start for band in bands),
        lined=False,
    )


def _lanes(found: Sorted, count: int) -> dict[Lane, int]:
    """Where lines would pass, on the scale of twice a node's order: between the nodes on both sides."""
    lanes = found.skeleton.lanes
    places: dict[Lane, int] = {}
    for layer in found.order:
        before = 0
        for item in layer:
            if item < count:
                before += 1
            else:
                places[lanes[item - count]] = 2 * before - 1
    return places
