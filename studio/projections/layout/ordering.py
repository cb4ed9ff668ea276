"""Order within the layers: few crossings.

Layer-by-layer sweeps as in Sugiyama, Tagawa and Toda (1981): items are sorted by the barycentre of
their neighbours in the layer before, downwards and upwards in turn, ties reversed every other time.
After a few sweeps every item is sifted (Matuszewski, Schönfeld and Molitor, 1999): moved past its
neighbours to where the links of both sides cross least. Sweeps alone end some 25 % above Graphviz dot,
with sifting within 10 %. Sweeps and sifting alternate; the best order seen is kept.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from itertools import pairwise

from studio.projections.layout.skeleton import Skeleton

Order = list[list[int]]
"""Items of every layer, in order."""

STALE_ROUNDS = 6
"""Rounds without progress after which the order is final (measured: later gains are under 1 %)."""

SWEEPS_PER_ROUND = 4
"""Barycentre sweeps before each sifting; after four the order has settled."""

SIFT_WINDOW = 40
"""Places an item may move at once; a wider window costs more and gains nothing measurable."""

SIFT_PASSES = 3
"""Siftings of all layers in one round; each gains about a third of the one before."""

CROWD = 12
"""Links of an item from which on comparing them pair by pair costs more than searching."""

HOPELESS = -8
"""Crossings lost on the way after which a sifted item is not moved further in that direction."""


def count_crossings(order: Order, down: Sequence[Sequence[int]], place: Sequence[int]) -> int:
    """Number of crossing pairs of links.

    Each pair of layers costs one insertion into a sorted list per link. The insertions move memory,
    but below some 10,000 links a layer that is faster than a Fenwick tree written in Python.

    Args:
        order: items of every layer.
        down: lower neighbours of every item.
        place: position of every item in its layer.
    """
    return sum(_crossings_below(layer, down, place) for layer in order)


def _crossings_below(layer: list[int], down: Sequence[Sequence[int]], place: Sequence[int]) -> int:
    seen: list[int] = []
    crossings = 0
    for item in layer:
        below = down[item]
        if len(below) > 1:
            for position in sorted([place[other] for other in below]):
                index = bisect_right(seen, position)
                crossings += len(seen) - index
                seen.insert(index, position)
        elif below:
            position = place[below[0]]
            index = bisect_right(seen, position)
            crossings += len(seen) - index
            seen.insert(index, position)
    return crossings


def order_layers(
    skeleton: Skeleton,
    *,
    old_places: Sequence[float | None] | None = None,
    rounds: int | None = None,
    deadline: Callable[[], bool] | None = None,
) -> tuple[Order, int]:
    """The items of every layer in an order with few crossings, and the number of crossings left.

    Args:
        skeleton: the proper graph.
        old_places: position across the layers in a previous layout, ``None`` for new items. When given,
            old items keep their order and only new ones are fitted in.
        rounds: upper bound of the rounds; by default it depends on the size of the graph.
        deadline: asked after every round; ``True`` means stop and take the best so far.
    """
    if old_places is not None:
        order = _fit_in(skeleton, old_places)
        place = _places(order, len(skeleton.layer))
        return order, count_crossings(order, skeleton.down, place)
    search = _Search(skeleton, _first_order(skeleton))
    limit = _rounds_for(sum(map(len, skeleton.down))) if rounds is None else rounds
    order, crossings = search.run(limit, deadline)
    _face_forward(skeleton, order)
    return order, crossings


def _rounds_for(links: int) -> int:
    # One round costs some 12 µs a link here; the steps keep 200, 1,000 and 5,000 nodes in their targets.
    if links < 150:
        return 12
    return 4 if links < 3_000 else max(1, 18_000 // links)


def _first_order(skeleton: Skeleton) -> Order:
    """Depth first from the roots, which draws a tree without crossings and keeps parts together."""
    order: Order = [[] for _ in range(skeleton.depth)]
    seen = bytearray(len(skeleton.layer))
    component = skeleton.component
    roots = sorted(
        (item for item in range(len(skeleton.nodes)) if not skeleton.up[item]),
        key=lambda item: (component[item], skeleton.layer[item]),
    )
    for root in roots:
        stack = [root]
        while stack:
            item = stack.pop()
            if seen[item]:
                continue
            seen[item] = 1
            order[skeleton.layer[item]].append(item)
            stack.extend(reversed(skeleton.down[item]))
    return order


def _face_forward(skeleton: Skeleton, order: Order) -> None:
    """Mirror each connected part that would otherwise show its nodes against their given order."""
    component, nodes = skeleton.component, len(skeleton.nodes)
    forward: dict[int, int] = {}
    for layer in order:
        real = [item for item in layer if item < nodes]
        for left, right in pairwise(real):
            if component[left] == component[right]:
                forward[component[left]] = forward.get(component[left], 0) + (
                    1 if left < right else -1
                )
    backward = {part for part, balance in forward.items() if balance < 0}
    if not backward:
        return
    for layer in order:
        spots: dict[int, list[int]] = {}
        for position, item in enumerate(layer):
            if component[item] in backward:
                spots.setdefault(component[item], []).append(position)
        for positions in spots.values():
            mirrored = [layer[position] for position in reversed(positions)]
            for position, item in zip(positions, mirrored, strict=True):
                layer[position] = item


def _places(order: Order, count: int) -> list[int]:
    place = [0] * count
    for layer in order:
        for position, item in enumerate(layer):
            place[item] = position
    return place


def _fit_in(skeleton: Skeleton, old_places: Sequence[float | None]) -> Order:
    """Old items in their old order; new ones where the mean of their placed neighbours is."""
    spot = list(old_places)
    order: Order = [[] for _ in range(skeleton.depth)]
    for item, level in enumerate(skeleton.layer):
        order[level].append(item)
    for layer in order:
        for item in layer:
            if spot[item] is None:
                spot[item] = _mean_spot(skeleton, item, spot)
    return [sorted(layer, key=lambda item: (spot[item] or 0.0, item)) for layer in order]


def _mean_spot(skeleton: Skeleton, item: int, spot: Sequence[float | None]) -> float:
    known = [
        value
        for other in (*skeleton.up[item], *skeleton.down[item])
        if (value := spot[other]) is not None
    ]
    return sum(known) / len(known) if known else 0.0


class _Search:
    """The state of one search: the present order, and the best one so far."""

    def __init__(self, skeleton: Skeleton, order: Order) -> None:
        self._up = skeleton.up
        self._down = skeleton.down
        self._component = skeleton.component
        self._order = order
        self._place = _places(order, len(skeleton.layer))
        self._best = [layer[:] for layer in order]
        self._best_crossings = self._count()

    def run(self, limit: int, deadline: Callable[[], bool] | None) -> tuple[Order, int]:
        """Sweep and sift until nothing gets better, the limit is reached or time is up."""
        stale = 0
        for step in range(limit):
            if self._best_crossings == 0 or stale >= STALE_ROUNDS or (deadline and deadline()):
                break
            for sweep in range(step, step + SWEEPS_PER_ROUND):
                # The first round leaves ties as they are, so small graphs keep the order of the file.
                self._sweep(sweep, flip_ties=step > 0 and sweep // 2 % 2 == 1)
            self._keep()
            for _ in range(SIFT_PASSES):
                if not sum(map(self._sift, self._order)):
                    break
            stale = 0 if self._keep() else stale + 1
        return self._best, self._best_crossings

    def _count(self) -> int:
        return count_crossings(self._order, self._down, self._place)

    def _keep(self) -> bool:
        crossings = self._count()
        if crossings >= self._best_crossings:
            return False
        self._best_crossings = crossings
        self._best = [layer[:] for layer in self._order]
        return True

    def _sweep(self, sweep: int, *, flip_ties: bool) -> None:
        downwards = sweep % 2 == 0
        before = self._up if downwards else self._down
        for layer in self._order[1:] if downwards else self._order[-2::-1]:
            if flip_ties:
                layer.reverse()
            self._sort(layer, before)

    def _sort(self, layer: list[int], before: Sequence[Sequence[int]]) -> None:
        place, component = self._place, self._component
        keys: dict[int, tuple[int, float]] = {}
        last = 0.0
        for item in layer:
            others = before[item]
            if len(others) == 1:
                last = place[others[0]]
            elif others:
                last = sum([place[other] for other in others]) / len(others)
            # An item without neighbours there stays beside the item it stood next to. Parts that are
            # not connected stay apart, so that they end up side by side.
            keys[item] = (component[item], last)
        layer.sort(key=keys.__getitem__)
        for position, item in enumerate(layer):
            place[item] = position

    def _sift(self, layer: list[int]) -> bool:
        """Move every item of one layer to its best place; tell whether anything moved."""
        place = self._place
        above = {item: sorted([place[other] for other in self._up[item]]) for item in layer}
        below = {item: sorted([place[other] for other in self._down[item]]) for item in layer}
        moved = False
        for item in layer[:]:
            start = place[item]
            gain, best = 0, start
            for step in (1, -1):
                reach = self._reach(layer, start, step)
                side_gain, side_best = _best_place(layer, reach, step, item, above, below)
                if side_gain > gain:
                    gain, best = side_gain, side_best
            if gain:
                layer.insert(best, layer.pop(start))
                for position in range(min(start, best), max(start, best) + 1):
                    place[layer[position]] = position
                moved = True
        return moved

    def _reach(self, layer: list[int], start: int, step: int) -> range:
        """Places on one side of ``start`` within the window."""
        stop = (
            min(len(layer), start + SIFT_WINDOW + 1)
            if step > 0
            else max(-1, start - SIFT_WINDOW - 1)
        )
        return range(start + step, stop, step)


def _best_place(
    layer: list[int],
    reach: range,
    step: int,
    item: int,
    above: dict[int, list[int]],
    below: dict[int, list[int]],
) -> tuple[int, int]:
    """The largest number of crossings saved by moving along ``reach``, and the place where."""
    upper, lower = above[item], below[item]
    crowded = len(upper) + len(lower) > CROWD
    total = best = 0
    where = -1
    for position in reach:
        other = layer[position]
        others_upper, others_lower = above[other], below[other]
        gain = 0
        if crowded or len(others_upper) + len(others_lower) > CROWD:
            gain = _gain(upper, others_upper) + _gain(lower, others_lower)
        else:
            # The same as _gain for the usual few links, written out: this is the hot loop.
            for mine in upper:
                for theirs in others_upper:
                    if mine > theirs:
                        gain += 1
                    elif mine < theirs:
                        gain -= 1
            for mine in lower:
                for theirs in others_lower:
                    if mine > theirs:
                        gain += 1
                    elif mine < theirs:
                        gain -= 1
        total += gain if step > 0 else -gain
        if total > best:
            best, where = total, position
        elif total < HOPELESS:
            break
    return best, where


def _gain(mine: list[int], theirs: list[int]) -> int:
    """Pairs in which my link lies beyond theirs, minus those the other way; both lists sorted."""
    size = len(theirs)
    return sum([bisect_left(theirs, spot) + bisect_right(theirs, spot) - size for spot in mine])
