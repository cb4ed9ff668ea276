"""Routing between two layers: which line runs on which track, so that nothing can be misread.

Lines of one source form a *net* with one track; so do lines of several sources with the same targets.
Nets of different sources never share a cell except where they cross at a right angle or end in the same
target. Tracks are filled by the left-edge rule (Hashimoto and Stevens, 1971) under the constraint that a
source's line leaves its column before another line enters it; where two nets want each other first,
one of them takes a detour ("dogleg", Deutsch 1976) through a free column.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from heapq import heapify, heappop, heappush

import msgspec

from studio.projections.layout.skeleton import Link

Turns = tuple[tuple[int, int], ...]
"""Corners of a link inside the channel, as (column, track); tracks count from 0, straight links have none."""


class Channel(msgspec.Struct, frozen=True):
    """Number of tracks, the corners of every link, and the outermost columns that corners use."""

    tracks: int
    paths: dict[Link, Turns]
    first: int
    last: int

    def moved(self, distance: int) -> Channel:
        """The same channel, all columns shifted."""
        paths = {
            link: tuple((column + distance, track) for column, track in turns)
            for link, turns in self.paths.items()
        }
        return Channel(self.tracks, paths, self.first + distance, self.last + distance)


class _Net:
    """Lines that share one track: the columns they come from and go to, and the track they got."""

    __slots__ = ("arrivals", "departures", "detours", "track")

    def __init__(self, departures: set[int], arrivals: set[int]) -> None:
        self.departures = departures
        self.arrivals = arrivals
        self.track = -1
        # For a target column that is reached by a detour: the free column, and the net that ends there.
        self.detours: dict[int, tuple[int, _Net]] = {}


def route_channel(links: Iterable[Link], place: Sequence[int]) -> Channel:
    """Lay the links between two neighbouring layers.

    Args:
        links: the links to lay.
        place: position of every item across the layers.
    """
    links = list(links)
    net_of: dict[Link, _Net] = {}
    nets: list[_Net] = []
    for failure in (False, True):
        mine = [link for link in links if link[2] is failure]
        for bundle in _bundles(mine):
            net = _Net({place[link[0]] for link in bundle}, {place[link[1]] for link in bundle})
            if len(net.departures | net.arrivals) > 1:
                nets.append(net)
            for link in bundle:
                net_of[link] = net
    count = _Tracks(nets, {place[item] for link in links for item in link[:2]}).assign()
    paths = {link: _turns(link, net_of[link], place) for link in links}
    columns = [column for turns in paths.values() for column, _track in turns]
    return Channel(count, paths, min(columns, default=0), max(columns, default=0))


def _bundles(links: Sequence[Link]) -> list[list[Link]]:
    """Group links into nets in which every source reaches every target.

    Sources with the same targets go together, and likewise targets with the same sources; whichever
    gives fewer nets is taken for all links that hang together.
    """
    targets: dict[int, list[int]] = {}
    sources: dict[int, list[int]] = {}
    for above, below, _failure in links:
        targets.setdefault(above, []).append(below)
        sources.setdefault(below, []).append(above)
    bundles: list[list[Link]] = []
    seen: set[int] = set()
    for start in targets:
        if start in seen:
            continue
        part = _part(start, targets, sources, seen)
        by_source = _alike(part, targets)
        by_target = _alike(list(dict.fromkeys(t for s in part for t in targets[s])), sources)
        failure = links[0][2]
        if len(by_source) <= len(by_target):
            bundles += [[(s, t, failure) for s in group for t in targets[s]] for group in by_source]
        else:
            bundles += [[(s, t, failure) for t in group for s in sources[t]] for group in by_target]
    return bundles


def _alike(items: Sequence[int], partners: dict[int, list[int]]) -> list[list[int]]:
    """Group items that have exactly the same partners."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for item in items:
        groups.setdefault(tuple(sorted(partners[item])), []).append(item)
    return list(groups.values())


def _part(
    start: int, targets: dict[int, list[int]], sources: dict[int, list[int]], seen: set[int]
) -> list[int]:
    """The sources that hang together with ``start`` through common targets."""
    part = [start]
    seen.add(start)
    for above in part:
        for below in targets[above]:
            for other in sources[below]:
                if other not in seen:
                    seen.add(other)
                    part.append(other)
    return part


def _turns(link: Link, net: _Net, place: Sequence[int]) -> Turns:
    start, end = place[link[0]], place[link[1]]
    if start == end:
        return ()
    if end not in net.detours:
        return ((start, net.track), (end, net.track))
    column, short = net.detours[end]
    return ((start, net.track), (column, net.track), (column, short.track), (end, short.track))


class _Tracks:
    """Hands out tracks from the first to the last, detours included."""

    def __init__(self, nets: list[_Net], used: set[int]) -> None:
        self._nets = sorted(nets, key=_preference(used))
        self._used = used
        self._rank = {net: rank for rank, net in enumerate(self._nets)}
        self._blockers: dict[_Net, dict[_Net, set[int]]] = {net: {} for net in nets}
        self._blocked: dict[_Net, list[_Net]] = {net: [] for net in nets}
        self._base = min(used, default=0)
        self._heights = [0] * (max(used, default=0) - self._base + 1)

    def assign(self) -> int:
        """Give every net its track; return the number of tracks."""
        self._constrain()
        ready = [self._rank[net] for net in self._nets if not self._blockers[net]]
        heapify(ready)
        waiting = {net for net in self._nets if self._blockers[net]}
        while ready or waiting:
            if not ready:
                net = min(waiting, key=lambda one: (len(self._blockers[one]), self._rank[one]))
                waiting |= self._detour(net)
                waiting.discard(net)
                ready.append(self._rank[net])
            net = self._nets[heappop(ready)]
            self._lay(net)
            for other in self._blocked[net]:
                blockers = self._blockers[other]
                if blockers.pop(net, None) is not None and not blockers and other in waiting:
                    waiting.discard(other)
                    heappush(ready, self._rank[other])
        return max(self._heights, default=0)

    def _constrain(self) -> None:
        """In a shared column, lines that leave it come before lines that enter it.

        Else what enters from elsewhere would seem to feed what leads on to elsewhere. Nets of which nothing
        leads on, or into which nothing comes from elsewhere, cannot be misread in that column.
        """
        leaving: dict[int, list[_Net]] = {}
        entering: dict[int, list[_Net]] = {}
        for net in self._nets:
            for column in net.departures:
                leaving.setdefault(column, []).append(net)
            for column in net.arrivals:
                entering.setdefault(column, []).append(net)
        for column in leaving.keys() & entering.keys():
            for first in leaving[column]:
                for second in entering[column]:
                    leads_on = first.arrivals != {column}
                    comes_from_elsewhere = second.departures != {column}
                    if first is not second and leads_on and comes_from_elsewhere:
                        self._block(first, second, column)

    def _block(self, first: _Net, second: _Net, column: int) -> None:
        self._blockers[second].setdefault(first, set()).add(column)
        self._blocked[first].append(second)

    def _detour(self, net: _Net) -> set[_Net]:
        """Free a net from its blockers: it reaches the contested columns later, through free ones."""
        blockers_at: dict[int, list[_Net]] = {}
        for blocker, columns in self._blockers[net].items():
            for column in columns:
                blockers_at.setdefault(column, []).append(blocker)
        self._blockers[net] = {}
        shorts: set[_Net] = set()
        for column, blockers in sorted(blockers_at.items()):
            if net.departures == {column}:
                continue  # only the straight line enters here, and that needs no track
            free = self._free_column(column)
            short = _Net({free}, {column})
            net.detours[column] = (free, short)
            self._rank[short] = len(self._nets)
            self._nets.append(short)
            self._blockers[short] = {}
            self._blocked[short] = []
            for blocker in (*blockers, net):
                self._block(blocker, short, column)
            shorts.add(short)
        return shorts

    def _free_column(self, near: int) -> int:
        distance = 1
        while True:
            for column in (near - distance, near + distance):
                if column not in self._used:
                    self._used.add(column)
                    return column
            distance += 1

    def _lay(self, net: _Net) -> None:
        """Put a net on the first track behind everything already laid over its span."""
        detours = net.detours
        columns = net.departures | {
            detours[column][0] if column in detours else column for column in net.arrivals
        }
        first, last = min(columns), max(columns)
        if first < self._base:
            self._heights[:0] = [0] * (self._base - first)
            self._base = first
        missing = last - self._base + 1 - len(self._heights)
        if missing > 0:
            self._heights += [0] * missing
        span = slice(first - self._base, last - self._base + 1)
        net.track = max(self._heights[span])
        self._heights[span] = [net.track + 1] * (last - first + 1)


def _preference(used: set[int]) -> Callable[[_Net], tuple[int, int]]:
    """Order in which nets take tracks when nothing forces them.

    Of two nets that both lead to the right and overlap, the one further right goes first, and the other
    way round: then neither crosses the other.
    """
    low, high = min(used, default=0), max(used, default=0)

    def key(net: _Net) -> tuple[int, int]:
        columns = net.departures | net.arrivals
        middle = min(columns) + max(columns)
        start = sum(net.departures) * len(net.arrivals)
        end = sum(net.arrivals) * len(net.departures)
        return (2 * high - middle, middle) if end > start else (middle - 2 * low, middle)

    return key
