"""Taking out small jogs: lines that miss their end by a cell or two are made straight.

Items joined by straight links move together as one block, so no straight link is ever bent; a node that
stands centred over or under its neighbours is left where it is.
"""

from __future__ import annotations

from collections.abc import Sequence

from studio.projections.layout.ordering import Order
from studio.projections.layout.skeleton import Skeleton

REACH = 2
"""Cells a block may move to straighten a link; a longer jog reads as a turn made on purpose."""

PASSES = 3
"""Rounds over all blocks; each joins blocks, which lets the next move further."""


def straighten(
    skeleton: Skeleton,
    order: Order,
    offsets: Sequence[Sequence[int]],
    place: list[float],
    bounds: Sequence[tuple[float, float]],
) -> None:
    """Move blocks by a cell or two where that makes links straight; ``place`` is changed in place.

    Args:
        skeleton: the proper graph.
        order: items of every layer, in order.
        offsets: smallest distance of every item from the first of its layer.
        place: position of every item, in whole cells.
        bounds: smallest and largest position in every layer, each less the item's offset.
    """
    room = _Room(order, offsets, place, bounds)
    for _ in range(PASSES):
        block_of, blocks = _blocks(skeleton, place)
        moved = False
        for jog in _jogs(skeleton, place):
            above, below = jog
            for item, other in ((below, above), (above, below)):
                delta = place[other] - place[item]
                block = blocks[block_of[item]]
                if block_of[item] == block_of[other] or not 0 < abs(delta) <= REACH:
                    continue
                if all(room.free(member, delta) for member in block) and not any(
                    _loses_centre(skeleton, place, member, delta) for member in block
                ):
                    for member in block:
                        place[member] += delta
                    moved = True
                    break
        if not moved:
            return


def _jogs(skeleton: Skeleton, place: Sequence[float]) -> list[tuple[int, int]]:
    """Links that miss by no more than the reach, those between lane points first."""
    found: list[tuple[bool, int, int]] = []
    nodes = len(skeleton.nodes)
    for above, targets in enumerate(skeleton.down):
        for below in targets:
            if 0 < abs(place[above] - place[below]) <= REACH:
                found.append((above < nodes and below < nodes, above, below))
    return [(above, below) for _rank, above, below in sorted(found)]


def _blocks(skeleton: Skeleton, place: Sequence[float]) -> tuple[list[int], list[list[int]]]:
    block_of = [-1] * len(skeleton.layer)
    blocks: list[list[int]] = []
    for start in range(len(block_of)):
        if block_of[start] >= 0:
            continue
        number, spot = len(blocks), place[start]
        block_of[start] = number
        block = [start]
        for item in block:
            for others in (skeleton.up[item], skeleton.down[item]):
                for other in others:
                    if place[other] == spot and block_of[other] < 0:
                        block_of[other] = number
                        block.append(other)
        blocks.append(block)
    return block_of, blocks


def _loses_centre(skeleton: Skeleton, place: Sequence[float], item: int, delta: float) -> bool:
    """Whether an item stands in the middle of several neighbours and would not after a move."""
    for others in (skeleton.up[item], skeleton.down[item]):
        if len(others) < 2:
            continue
        spots = [place[other] for other in others]
        middle = (min(spots) + max(spots)) / 2
        if abs(middle - place[item]) < 1 <= abs(middle - place[item] - delta):
            return True
    return False


class _Room:
    """How far items may move before they touch their neighbours."""

    def __init__(
        self,
        order: Order,
        offsets: Sequence[Sequence[int]],
        place: list[float],
        bounds: Sequence[tuple[float, float]],
    ) -> None:
        count = len(place)
        self._place = place
        self._ends: dict[int, tuple[float, float]] = {}
        self._left: list[tuple[int, int] | None] = [None] * count
        self._right: list[tuple[int, int] | None] = [None] * count
        for layer, shifts, (low, high) in zip(order, offsets, bounds, strict=True):
            for item, shift in (
                *zip(layer[:1], shifts, strict=False),
                *zip(layer[-1:], shifts[-1:], strict=True),
            ):
                self._ends[item] = (low + shift, high + shift)
            for index in range(len(layer) - 1):
                distance = shifts[index + 1] - shifts[index]
                self._right[layer[index]] = (layer[index + 1], distance)
                self._left[layer[index + 1]] = (layer[index], distance)

    def free(self, item: int, delta: float) -> bool:
        """Whether an item can move by ``delta`` cells."""
        place = self._place
        side = self._right[item] if delta > 0 else self._left[item]
        if side is None:
            low, high = self._ends[item]
            return low <= place[item] + delta <= high
        other, distance = side
        return abs(place[other] - place[item]) - abs(delta) >= distance
