"""Moving the cursor from node to node."""

from __future__ import annotations

from typing import Literal

from studio.projections.layout.graph import Box, Layout

Heading = Literal["up", "down", "left", "right"]

_FORWARD: dict[str, Heading] = {"TB": "down", "LR": "right"}
_BACK: dict[str, Heading] = {"TB": "up", "LR": "left"}
_NEXT: dict[str, Heading] = {"TB": "right", "LR": "down"}


def neighbour(layout: Layout, node: str, heading: Heading) -> str | None:
    """The node that an arrow key leads to.

    Along the direction of the edges that is the nearest target or source; a node without one leads to
    the nearest node of the next layer on that side. Across it is the next node of the same layer.

    Args:
        layout: the layout.
        node: id of the node to start from.
        heading: where to go, as seen on the screen.

    Returns:
        The id, or ``None`` at the border of the drawing.
    """
    box = layout.boxes[node]
    if heading == _FORWARD[layout.direction]:
        linked = [edge.target for edge in layout.edges if edge.source == node]
        return _nearest(layout, box, linked) or _in_layer(layout, box, 1)
    if heading == _BACK[layout.direction]:
        linked = [edge.source for edge in layout.edges if edge.target == node]
        return _nearest(layout, box, linked) or _in_layer(layout, box, -1)
    order = box.order + (1 if heading == _NEXT[layout.direction] else -1)
    layer = layout.layers[box.layer]
    return layer[order] if 0 <= order < len(layer) else None


def _in_layer(layout: Layout, box: Box, step: int) -> str | None:
    level = box.layer + step
    if not 0 <= level < len(layout.layers):
        return None
    return _nearest(layout, box, layout.layers[level])


def _nearest(layout: Layout, box: Box, others: tuple[str, ...] | list[str]) -> str | None:
    """The closest of some nodes: straight ahead first, then by layers in between, then by order."""

    def key(other: str) -> tuple[int, int, int]:
        there = layout.boxes[other]
        if layout.direction == "TB":
            aside = abs(2 * box.x + box.width - 2 * there.x - there.width)
        else:
            aside = abs(2 * box.y + box.height - 2 * there.y - there.height)
        return aside, abs(there.layer - box.layer), there.order

    return min(others, key=key, default=None)
