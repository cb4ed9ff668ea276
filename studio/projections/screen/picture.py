"""The graph as it is drawn at one size: the layout, what every node shows now, and which edges are dead."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple

import msgspec

from studio.core.plan import Plan, base_path
from studio.core.state import DEAD, NodeState, RunState
from studio.projections.layout import (
    NAMED,
    Direction,
    Drawing,
    Folded,
    Layout,
    NodeCell,
    Raster,
    Style,
    choose,
    fold,
    group_id,
    natural_width,
)
from studio.projections.screen.graph import cell_of, graph_of, group_cell, plain_cell, state_style

FOLD_FROM = 40
"""Nodes from which groups are closed by themselves when the open graph does not fit with its names."""

MOVING = frozenset({"running", "waiting", "backing_off", "compensating"})
"""States whose duration or countdown changes while nothing happens."""


class Wish(msgspec.Struct, frozen=True):
    """What is to be drawn; two equal wishes need one layout.

    Args:
        plan: the shown definition.
        width: columns of the pane.
        height: rows of the pane.
        only: nodes to draw; None for all.
        closed: groups to draw as one node; None leaves the choice to `draw`.
        style: how much of a node is drawn; None for what shows most.
        direction: TB or LR; None for what fits.
        items: number of items of every expanded foreach.
    """

    plan: Plan
    width: int
    height: int
    only: frozenset[str] | None = None
    closed: frozenset[str] | None = None
    style: Style | None = None
    direction: Direction | None = None
    items: tuple[tuple[str, int], ...] = ()


class Cells(dict[str, NodeCell]):
    """What shown nodes show; of one that was taken out it is found out when it is read.

    Args:
        make: finds it out.
    """

    def __init__(self, make: Callable[[str], NodeCell]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, name: str) -> NodeCell:
        cell = self[name] = self._make(name)
        return cell


class _Moment(NamedTuple):
    """What nodes show it of."""

    run: RunState | None
    now: float
    progress: Mapping[str, tuple[float | None, str]]


class Picture(msgspec.Struct):
    """A drawing and its contents.

    Args:
        wish: what it was drawn for.
        closed: groups that are drawn as one node.
        drawing: the chosen drawing.
        folded: which node is shown where.
        raster: draws rows.
        cells: what every shown node shows.
        states: the state, by the name of its style, of every shown node.
        members: nodes of every closed group, by the id of the node that stands for it.
        moving: shown nodes whose text changes with time.
        ascii: draw with ASCII characters only.
    """

    wish: Wish
    closed: frozenset[str]
    drawing: Drawing
    folded: Folded
    raster: Raster
    members: dict[str, list[str]]
    ascii: bool
    cells: dict[str, NodeCell] = msgspec.field(default_factory=dict)
    states: dict[str, str] = msgspec.field(default_factory=dict)
    moving: set[str] = msgspec.field(default_factory=set)
    _moment: _Moment = _Moment(None, 0.0, {})
    _edges: dict[str, list[tuple[int, str, int]]] = msgspec.field(default_factory=dict)
    _dead: bytearray = msgspec.field(default_factory=bytearray)
    _alive: list[int] = msgspec.field(default_factory=list)

    def __post_init__(self) -> None:
        self.cells = self.raster.cells = Cells(self._cell)

    @property
    def layout(self) -> Layout:
        """Where everything stands."""
        return self.drawing.layout

    @property
    def glyphs_only(self) -> bool:
        """Whether nodes are drawn without their names."""
        return self.drawing.style not in NAMED

    def home(self, path: str | None) -> str | None:
        """The node that shows a node or item; None when it is not drawn."""
        return self.folded.home.get(base_path(path)) if path is not None else None

    def group_of(self, shown: str | None) -> str | None:
        """The group that a shown node stands for, None for an ordinary node."""
        return shown.removeprefix(group_id("")) if shown in self.members else None

    def update(
        self,
        run: RunState | None,
        now: float,
        progress: Mapping[str, tuple[float | None, str]],
        paths: Iterable[str] | None = None,
        seen: Collection[str] | None = None,
    ) -> tuple[list[str], bool]:
        """Bring what nodes show up to date.

        Args:
            run: the shown run, None when a definition without a run is shown.
            now: seconds since the epoch.
            progress: what nodes reported of themselves.
            paths: nodes and items that changed; None for all.
            seen: shown nodes in sight; what the others show is found out once it is drawn. None for all.

        Returns:
            The shown nodes in sight whose cells changed, and whether an edge died or came alive.
        """
        self._moment = _Moment(run, now, progress)
        plan = self.wish.plan
        if paths is None:
            names: Iterable[str] = [name for name in plan.order if name in self.folded.home]
        else:
            names = {base_path(path) for path in paths}
        shown = dict.fromkeys(self.folded.home[name] for name in names if name in self.folded.home)
        changed = []
        for name in shown:
            if seen is not None and name not in seen:
                self.cells.pop(name, None)
                self._note_state(name)
                continue
            cell = self._cell(name)
            if self.cells.get(name) != cell:
                self.cells[name] = cell
                changed.append(name)
        edges = self._update_edges(run, names) if run is not None else self._revive()
        return changed, edges

    def _cell(self, name: str) -> NodeCell:
        """What a shown node shows at the moment of the last update."""
        run, now, progress = self._moment
        inside = self.members.get(name)
        if inside is not None:
            nodes = self._nodes(name)
            self._note_moving(name, nodes)
            title = name.removeprefix(group_id(""))
            cell = group_cell(title, nodes, len(inside), ascii=self.ascii)
        elif run is None or name not in run.nodes:
            self.moving.discard(name)
            cell = plain_cell(self.wish.plan, name, ascii=self.ascii)
        else:
            node = run.nodes[name]
            self._note_moving(name, (node,))
            box = self.layout.boxes[name]
            cell = cell_of(
                run,
                node,
                now,
                progress.get(name, (None, ""))[0],
                inner=box.width - 3 if box.height > 3 else 0,
                ascii=self.ascii,
            )
        self.states[name] = cell.state
        if self.drawing.style == "name" and inside is None:
            # Only some boxes would have room for it, which would say something about their names.
            cell = msgspec.structs.replace(cell, right="", short="")
        return cell

    def _note_state(self, name: str) -> None:
        """Note of a node out of sight what can be seen from elsewhere: its mark on the map, and that it moves."""
        run = self._moment.run
        node = run.nodes.get(name) if run is not None else None
        if name in self.members or node is None:
            self.cells[name] = self._cell(name)
            return
        self.states[name] = state_style(node, run)
        self._note_moving(name, (node,))

    def _nodes(self, name: str) -> list[NodeState]:
        """The run's nodes that a closed group stands for."""
        run = self._moment.run
        if run is None:
            return []
        return [run.nodes[one] for one in self.members[name] if one in run.nodes]

    def _note_moving(self, name: str, nodes: Iterable[NodeState]) -> None:
        if any(node.status in MOVING for node in nodes):
            self.moving.add(name)
        else:
            self.moving.discard(name)

    # ----------------------------------------------------------------- edges

    def _update_edges(self, run: RunState, names: Iterable[str]) -> bool:
        """Look at the edges of changed nodes only: a run of many nodes has many more edges."""
        changed = False
        for name in names:
            for index, target, slot in self._edges.get(name, ()):
                node = run.nodes.get(target)
                edges = node.edges if node is not None else None
                dead = edges is not None and slot < len(edges) and edges[slot] == DEAD
                if dead != self._dead[index]:
                    self._dead[index] = dead
                    shown = self.folded.edge_of[index]
                    if shown is not None:
                        self._alive[shown] += -1 if dead else 1
                        changed = True
        if changed:
            self.raster.set_dead(i for i, alive in enumerate(self._alive) if not alive)
        return changed

    def _revive(self) -> bool:
        if not any(self._dead):
            return False
        self._count_edges()
        self.raster.set_dead(())
        return True

    def _count_edges(self) -> None:
        self._dead = bytearray(len(self.folded.edge_of))
        self._alive = [0] * len(self.folded.edges)
        for shown in self.folded.edge_of:
            if shown is not None:
                self._alive[shown] += 1

    def index_edges(self) -> None:
        """Note for every node its edges, by their number, target and place at the target."""
        plan, home = self.wish.plan, self.folded.home
        number = 0
        for name in plan.order:
            if name not in home:
                continue
            for edge in plan.nodes[name].outgoing:
                if edge.target not in home:
                    continue
                entry = (number, edge.target, edge.slot)
                self._edges.setdefault(name, []).append(entry)
                self._edges.setdefault(edge.target, []).append(entry)
                number += 1
        self._count_edges()


def draw(wish: Wish, *, seed: Layout | None = None, ascii: bool = False) -> Picture:
    """Lay the graph out. May run in a thread: it touches nothing but its arguments.

    Args:
        wish: what to draw.
        seed: the layout to stay close to.
        ascii: draw with ASCII characters only.
    """
    closed = wish.closed if wish.closed is not None else frozenset()
    picture = _draw(wish, closed, seed, ascii)
    readable = picture.drawing.fits and not picture.glyphs_only
    if wish.closed is None and not readable and len(wish.plan.order) >= FOLD_FROM:
        groups = frozenset(
            group for name in wish.plan.order if (group := wish.plan.nodes[name].node.group)
        )
        if len(groups) > 1:
            return _draw(wish, groups, seed, ascii)
    return picture


def _draw(wish: Wish, closed: frozenset[str], seed: Layout | None, ascii: bool) -> Picture:
    nodes, edges = graph_of(wish.plan, wish.only, dict(wish.items))
    grouped: dict[str, int] = {}
    for node in nodes:
        if node.group in closed and node.group is not None:
            grouped[node.group] = grouped.get(node.group, 0) + 1
    # What a group shows at its widest decides the width of its node.
    widths = {}
    for group, count in grouped.items():
        cell = group_cell(group, (), count)
        widest = max(cell.right, f"{count}/{count}", "000/000", key=len)
        widths[group] = natural_width(msgspec.structs.replace(cell, right=widest))
    folded = fold(nodes, edges, closed, widths)
    drawing = choose(
        folded.nodes,
        folded.edges,
        max(1, wish.width),
        max(1, wish.height),
        style=wish.style,
        direction=wish.direction,
        seed=seed,
        ascii=ascii,
    )
    members: dict[str, list[str]] = {}
    for name, home in folded.home.items():
        if home != name:
            members.setdefault(home, []).append(name)
    picture = Picture(
        wish,
        closed - set(folded.refused),
        drawing,
        folded,
        Raster(drawing.layout, {}, ascii=ascii),
        members,
        ascii,
    )
    picture.index_edges()
    return picture
