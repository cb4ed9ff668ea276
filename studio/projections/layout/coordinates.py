"""Positions across the layers: straight chains, parents centred over children, nothing overlapping.

Every layer in turn is fitted to its neighbours: each item wants to stand at the weighted mean of the
items it is linked to, the order and the distances are kept. That is an isotonic regression, solved
exactly and in linear time by pooling adjacent violators (Barlow et al., 1972). Links between two lane
points and links of plain chains weigh so much that they come out straight.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from studio.projections.layout.ordering import Order
from studio.projections.layout.skeleton import Skeleton
from studio.projections.layout.straightening import straighten

STRAIGHT = 4096.0
"""Weight of a link that has to be straight; large enough to round away what single links pull."""

LANE = 8.0
"""Weight of a link from a lane point to a node: dot's factor for such edges (Gansner et al., 1993)."""

HOLD = 64.0
"""Weight of an item's old position when a layout is seeded: only lack of space moves it."""

SWEEPS = 8
"""Sweeps over all layers; further ones move nothing by a whole cell on the graphs measured."""

Pull = tuple[int, float]
"""An item this one is linked to, and the weight of the link."""


Bounds = tuple[float, float]
"""Smallest and largest position that the items of a layer may have, each less its offset."""

UNBOUNDED: Bounds = (float("-inf"), float("inf"))


class Extent(msgspec.Struct, frozen=True):
    """Cells that an item takes on both sides of its port, the port's own cell not counted."""

    before: int
    after: int


def assign_positions(
    skeleton: Skeleton,
    order: Order,
    extents: Sequence[Extent],
    gap: int,
    *,
    old: Sequence[int | None] | None = None,
    limit: int | None = None,
) -> list[int]:
    """The cell of every item's port across the layers; the smallest cell used is 0.

    Args:
        skeleton: the proper graph.
        order: items of every layer, in order.
        extents: size of every item around its port.
        gap: free cells between two nodes; lane points keep one cell (none if ``gap`` is 0).
        old: positions in a previous layout, ``None`` for new items; old items stay if they can.
        limit: cells to keep within, if the widest layer leaves room for that.
    """
    offsets = _offsets(order, extents, gap, len(skeleton.nodes))
    bounds = _bounds(order, offsets, extents, limit)
    up, down = _pulls(skeleton)
    place = [0.0] * len(skeleton.layer)
    if old is not None:
        _settle_seeded(order, offsets, place, up, down, old, bounds)
    else:
        for layer, shifts in zip(order, offsets, strict=True):
            for item, shift in zip(layer, shifts, strict=True):
                place[item] = float(shift)
        _settle(order, offsets, place, up, down, bounds)
        straighten(skeleton, order, offsets, place, bounds)
    first = min((place[layer[0]] - extents[layer[0]].before for layer in order if layer), default=0)
    return [round(value - first) for value in place]


def _offsets(order: Order, extents: Sequence[Extent], gap: int, nodes: int) -> list[list[int]]:
    """Smallest distance of every item from the first of its layer."""
    offsets: list[list[int]] = []
    narrow = min(gap, 1)
    for layer in order:
        shifts: list[int] = []
        shift, last = 0, -1
        for item in layer:
            if last >= 0:
                space = gap if item < nodes and last < nodes else narrow
                shift += extents[last].after + space + 1 + extents[item].before
            shifts.append(shift)
            last = item
        offsets.append(shifts)
    return offsets


def _bounds(
    order: Order, offsets: Sequence[Sequence[int]], extents: Sequence[Extent], limit: int | None
) -> list[Bounds]:
    """First and last position of every layer's first item, if the drawing is to keep within a limit."""
    bounds: list[Bounds] = []
    for layer, shifts in zip(order, offsets, strict=True):
        low = extents[layer[0]].before if layer else 0
        if limit is None or not layer:
            bounds.append(UNBOUNDED)
            continue
        high = limit - 1 - extents[layer[-1]].after - shifts[-1]
        if high < low:
            return [UNBOUNDED] * len(order)
        bounds.append((float(low), float(high)))
    return bounds


def _pulls(skeleton: Skeleton) -> tuple[list[list[Pull]], list[list[Pull]]]:
    nodes = len(skeleton.nodes)
    up: list[list[Pull]] = [[] for _ in skeleton.layer]
    down: list[list[Pull]] = [[] for _ in skeleton.layer]
    for above, targets in enumerate(skeleton.down):
        for below in targets:
            if above >= nodes and below >= nodes:
                weight = STRAIGHT
            elif len(targets) == 1 and len(skeleton.up[below]) == 1:
                weight = STRAIGHT / 4
            elif above >= nodes or below >= nodes:
                weight = LANE
            else:
                weight = 1.0
            up[below].append((above, weight))
            down[above].append((below, weight))
    return up, down


def _settle(
    order: Order,
    offsets: list[list[int]],
    place: list[float],
    up: list[list[Pull]],
    down: list[list[Pull]],
    bounds: list[Bounds],
) -> None:
    both = [above + below for above, below in zip(up, down, strict=True)]
    depth = range(len(order))
    for sweep in range(SWEEPS):
        pulls = both
        if sweep < 2:
            pulls = down if sweep else up
        for level in depth if sweep % 2 == 0 else reversed(depth):
            _fit(order[level], offsets[level], place, pulls, bounds[level])
    # The last two sweeps are in whole cells, each layer fitted to the final cells of the one before.
    for level in depth:
        _fit(order[level], offsets[level], place, both, bounds[level], whole=True)
    for level in reversed(depth):
        _fit(order[level], offsets[level], place, both, bounds[level], whole=True)


def _settle_seeded(
    order: Order,
    offsets: list[list[int]],
    place: list[float],
    up: list[list[Pull]],
    down: list[list[Pull]],
    old: Sequence[int | None],
    bounds: list[Bounds],
) -> None:
    for item, spot in enumerate(old):
        if spot is not None:
            place[item] = float(spot)
    known = [spot is not None for spot in old]
    for layer, shifts, bound in zip(order, offsets, bounds, strict=True):
        for item in layer:
            if not known[item]:
                near = [pull for pull in (*up[item], *down[item]) if known[pull[0]]]
                weight = sum(pull[1] for pull in near)
                if weight:
                    place[item] = sum(place[other] * pull for other, pull in near) / weight
                known[item] = True
        weights = [HOLD if old[item] is not None else 1.0 for item in layer]
        wanted = [place[item] for item in layer]
        _pool(layer, shifts, place, wanted, weights, bound, whole=True)


def _fit(
    layer: list[int],
    shifts: list[int],
    place: list[float],
    pulls: list[list[Pull]],
    bounds: Bounds,
    *,
    whole: bool = False,
) -> None:
    wanted: list[float] = []
    weights: list[float] = []
    for item in layer:
        near = pulls[item]
        if len(near) == 1:
            other, weight = near[0]
            wanted.append(place[other])
            weights.append(weight)
        elif near:
            total = spot = 0.0
            for other, weight in near:
                total += weight
                spot += weight * place[other]
            wanted.append(spot / total)
            weights.append(total)
        else:
            # Nothing pulls it: it yields to all others.
            wanted.append(place[item])
            weights.append(0.01)
    _pool(layer, shifts, place, wanted, weights, bounds, whole=whole)


def _pool(
    layer: list[int],
    shifts: list[int],
    place: list[float],
    wanted: list[float],
    weights: list[float],
    bounds: Bounds,
    *,
    whole: bool,
) -> None:
    """Pool adjacent violators: place one layer as near to ``wanted`` as the distances allow."""
    sums: list[float] = []
    totals: list[float] = []
    counts: list[int] = []
    for want, weight, shift in zip(wanted, weights, shifts, strict=True):
        total, count = (want - shift) * weight, 1
        while sums and sums[-1] * weight > total * totals[-1]:
            total += sums.pop()
            weight += totals.pop()
            count += counts.pop()
        sums.append(total)
        totals.append(weight)
        counts.append(count)
    first = 0
    for total, weight, count in zip(sums, totals, counts, strict=True):
        # Cutting off at the bounds keeps the fit the best possible within them.
        base = min(max(total / weight, bounds[0]), bounds[1])
        if whole:
            base = float(round(base))
        for index in range(first, first + count):
            place[layer[index]] = base + shifts[index]
        first += count
