"""What holds for every drawing, whatever the graph."""

from __future__ import annotations

from itertools import combinations, pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st

from studio.projections.layout import (
    Box,
    Direction,
    Layout,
    LayoutEdge,
    LayoutNode,
    NodeCell,
    Point,
    Raster,
    Segment,
    arrange,
    cell_width,
)
from studio.projections.layout.arrangement import least_size, place_graph, sort_graph

KINDS = ("success", "success", "failure", "any")


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[LayoutNode], list[LayoutEdge]]:
    """Random acyclic graphs of up to 24 nodes with boxes, pills and dots mixed."""
    count = draw(st.integers(1, 24))
    sizes = st.tuples(st.integers(3, 14), st.sampled_from((1, 3, 4))) | st.just((1, 1))
    nodes = []
    for index in range(count):
        width, height = draw(sizes)
        group = draw(st.sampled_from((None, "a", "b")))
        nodes.append(LayoutNode(f"n{index}", width, height, group))
    pairs = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1), st.sampled_from(KINDS))
    edges = {
        LayoutEdge(f"n{min(a, b)}", f"n{max(a, b)}", kind)
        for a, b, kind in draw(st.lists(pairs, max_size=40))
        if a != b
    }
    return nodes, sorted(edges, key=lambda edge: (edge.source, edge.target, edge.kind))


directions = st.sampled_from(("TB", "LR"))
gaps = st.sampled_from((None, 0, 1, 3))


def cells_of(route: tuple[Point, ...]) -> list[Point]:
    """Every cell of a polyline, each once, in order; fails on a piece that is neither flat nor upright."""
    cells = [route[0]]
    for start, end in pairwise(route):
        assert start.x == end.x or start.y == end.y
        while cells[-1] != end:
            x, y = cells[-1]
            step_x = (end.x > x) - (end.x < x)
            step_y = (end.y > y) - (end.y < y)
            cells.append(Point(x + step_x, y + step_y))
    return cells


def overlap(one: Box, other: Box) -> bool:
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )


def check_geometry(layout: Layout) -> None:
    boxes = list(layout.boxes.values())
    for index, box in enumerate(boxes):
        assert box.x >= 0
        assert box.y >= 0
        assert box.x + box.width <= layout.width
        assert box.y + box.height <= layout.height
        for other in boxes[:index]:
            assert not overlap(box, other), (box, other)
    covered = {
        (x, y): box.id
        for box in boxes
        for x in range(box.x, box.x + box.width)
        for y in range(box.y, box.y + box.height)
    }
    ahead = Point(0, 1) if layout.direction == "TB" else Point(1, 0)
    for index, edge in enumerate(layout.edges):
        source, target = layout.boxes[edge.source], layout.boxes[edge.target]
        assert source.layer < target.layer
        cells = cells_of(layout.route(index))
        assert all(0 <= cell.x < layout.width and 0 <= cell.y < layout.height for cell in cells)
        assert not [cell for cell in cells if cell in covered], "a line runs through a node"
        first, last = cells[0], cells[-1]
        assert source.contains(first.x - ahead.x, first.y - ahead.y)
        assert target.contains(last.x + ahead.x, last.y + ahead.y)


@given(graphs(), directions, gaps)
@settings(max_examples=150, deadline=None)
def test_nodes_and_lines_keep_out_of_each_others_way(
    graph: tuple[list[LayoutNode], list[LayoutEdge]], direction: Direction, gap: int | None
) -> None:
    check_geometry(arrange(*graph, direction=direction, gap=gap))


BOTH_OUTCOMES = (
    [LayoutNode(name, 1, 1) for name in ("root", "side", "source", "target", "other")],
    [
        LayoutEdge("root", "side", "failure"),
        LayoutEdge("root", "source"),
        LayoutEdge("root", "target"),
        LayoutEdge("side", "other", "any"),
        LayoutEdge("side", "target", "failure"),
        LayoutEdge("source", "target"),
        LayoutEdge("source", "target", "failure"),
        LayoutEdge("source", "other", "failure"),
    ],
)
"""Both outcomes of a node lead straight down, one of them also elsewhere, and a lane joins the other."""


@given(graphs(), directions, st.sampled_from((0, 1, 3)), st.none() | st.integers(1, 90))
@example(BOTH_OUTCOMES, "TB", 1, None)
@settings(max_examples=150, deadline=None)
def test_no_drawing_is_smaller_than_its_bound(
    graph: tuple[list[LayoutNode], list[LayoutEdge]],
    direction: Direction,
    gap: int,
    limit: int | None,
) -> None:
    found = sort_graph(*graph)
    width, height = least_size(found, graph[0], direction, gap)
    layout = place_graph(found, graph[0], direction=direction, gap=gap, limit=limit)
    assert width <= layout.width
    assert height <= layout.height


def test_the_bound_of_a_chain_and_of_a_fork_is_exact() -> None:
    nodes = [LayoutNode(name, 5, 3) for name in "abc"]
    chain = sort_graph(nodes, [LayoutEdge("a", "b"), LayoutEdge("b", "c")])
    assert least_size(chain, nodes, "TB", 3) == (5, 3 * 3 + 2)
    assert least_size(chain, nodes, "LR", 1) == (3 * 5 + 2 * 2, 3)
    fork = sort_graph(nodes, [LayoutEdge("a", "b"), LayoutEdge("a", "c")])
    assert least_size(fork, nodes, "TB", 3) == (5 + 3 + 5, 3 + 2 + 3)
    assert place_graph(fork, nodes, direction="TB", gap=3).height == 3 + 2 + 3


@given(graphs(), directions, gaps)
@example(BOTH_OUTCOMES, "TB", None)
@example(BOTH_OUTCOMES, "LR", None)
@settings(max_examples=150, deadline=None)
def test_lines_share_cells_only_at_crossings_or_at_a_common_end(
    graph: tuple[list[LayoutNode], list[LayoutEdge]], direction: Direction, gap: int | None
) -> None:
    layout = arrange(*graph, direction=direction, gap=gap)
    users: dict[tuple[Point, Point], list[LayoutEdge]] = {}
    for index, edge in enumerate(layout.edges):
        for pair in pairwise(cells_of(layout.route(index))):
            users.setdefault((min(pair), max(pair)), []).append(edge)
    known = {(edge.source, edge.target) for edge in layout.edges}
    for edges in users.values():
        for one, other in combinations(edges, 2):
            assert (
                one.source == other.source
                or one.target == other.target
                # Both sources lead to both targets: whichever way the line is read, it is true.
                or {(one.source, other.target), (other.source, one.target)} <= known
            ), (one, other)


@given(graphs(), directions)
@settings(max_examples=60, deadline=None)
def test_the_same_graph_gives_the_same_drawing(
    graph: tuple[list[LayoutNode], list[LayoutEdge]], direction: Direction
) -> None:
    assert arrange(*graph, direction=direction) == arrange(*graph, direction=direction)


@given(graphs(), directions, st.data())
@settings(max_examples=80, deadline=None)
def test_a_seeded_layout_is_as_sound_as_a_fresh_one(
    graph: tuple[list[LayoutNode], list[LayoutEdge]], direction: Direction, data: st.DataObject
) -> None:
    nodes, edges = graph
    seed = arrange(nodes, edges, direction=direction)
    kept = data.draw(st.lists(st.sampled_from(edges), unique=True) if edges else st.just([]))
    extra = [LayoutNode("new", 9, 3)]
    more = [LayoutEdge("new", nodes[-1].id), LayoutEdge(nodes[0].id, "new")]
    if len(nodes) < 2:
        more = []
    check_geometry(arrange([*nodes, *extra], kept + more, direction=direction, seed=seed))


def plain(segments: list[Segment]) -> str:
    return "".join(text for text, _style in segments)


@given(graphs(), directions, st.booleans(), st.data())
@settings(max_examples=100, deadline=None)
def test_a_window_shows_the_same_as_the_whole(
    graph: tuple[list[LayoutNode], list[LayoutEdge]],
    direction: Direction,
    ascii: bool,
    data: st.DataObject,
) -> None:
    nodes, edges = graph
    layout = arrange(nodes, edges, direction=direction)
    states = st.sampled_from(("succeeded", "failed", "running"))
    cells = {
        node.id: NodeCell(
            node.id,
            "●",
            node.id * 3,
            "1.2s",
            data.draw(states),
            "",
            data.draw(st.sampled_from((None, 0.4))),
        )
        for node in nodes
    }
    chosen = data.draw(st.sampled_from([None, *cells]))
    dead = data.draw(st.sets(st.sampled_from(range(len(edges)))) if edges else st.just(set[int]()))
    x, y = (
        data.draw(st.integers(-3, layout.width + 3)),
        data.draw(st.integers(-3, layout.height + 3)),
    )
    width, height = data.draw(st.integers(1, 40)), data.draw(st.integers(1, 12))

    whole = Raster(layout, cells, ascii=ascii)
    whole.select(chosen)
    whole.set_dead(dead)
    rows = whole.render(-50, -20, layout.width + 200, layout.height + 80)
    part = Raster(layout, cells, ascii=ascii)
    part.set_dead(range(len(edges)))
    part.render(x, y, width, height)
    part.set_dead(dead)
    part.select(chosen)
    for index, row in enumerate(part.render(x, y, width, height)):
        expected = rows[y + 20 + index]
        assert plain(row) == plain(expected)[x + 50 : x + 50 + width]
        assert styles(row) == styles(expected)[x + 50 : x + 50 + width]
        assert not ascii or plain(row).isascii()


def styles(segments: list[Segment]) -> list[str]:
    """The style of every cell; blanks have none to speak of."""
    return ["" if character == " " else style for text, style in segments for character in text]


@given(graphs(), directions)
@settings(max_examples=100, deadline=None)
def test_every_edge_can_be_followed_in_the_drawn_text(
    graph: tuple[list[LayoutNode], list[LayoutEdge]], direction: Direction
) -> None:
    nodes, edges = graph
    layout = arrange(nodes, edges, direction=direction)
    raster = Raster(layout, {})
    rows = [plain(row) for row in raster.render(0, 0, layout.width, layout.height)]
    head = "▾" if direction == "TB" else "▸"
    for index in range(len(edges)):
        cells = cells_of(layout.route(index))
        last = cells[-1]
        assert rows[last.y][last.x] == head
        assert all(rows[cell.y][cell.x] != " " for cell in cells)
    heads = sum(row.count(head) for row in rows)
    assert heads == len({edge.target for edge in edges})


@given(st.text(max_size=30), st.integers(1, 12))
def test_node_rows_have_exactly_their_width(name: str, width: int) -> None:
    layout = arrange([LayoutNode("a", width, 3)], [])
    raster = Raster(layout, {"a": NodeCell("a", "✓", name, name[:4], "failed", "′", 0.5)})
    for row in raster.render(0, 0, width, 3):
        assert cell_width(plain(row)) == width
