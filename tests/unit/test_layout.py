"""Layers, navigation, seeds, the choice of a drawing, cell widths and styles."""

from __future__ import annotations

from itertools import pairwise
from unicodedata import east_asian_width

import msgspec
import pytest

from studio.errors import DefinitionError
from studio.projections.layout import (
    Layout,
    LayoutEdge,
    LayoutNode,
    NodeCell,
    Raster,
    Segment,
    arrange,
    cell_width,
    choose,
    clean,
    fit,
    neighbour,
)
from studio.projections.layout.boxes import draw_node
from studio.projections.layout.celltext import cut
from studio.projections.layout.glyphs import HEAD, line_table


def nodes(names: str, width: int = 9) -> list[LayoutNode]:
    return [LayoutNode(name, width, 3) for name in names.split()]


def edges(text: str) -> list[LayoutEdge]:
    return [LayoutEdge(*word.split(">")) for word in text.split()]


def row_of(layout: Layout, **cells: NodeCell) -> list[Segment]:
    return Raster(layout, cells).render_row(1, 0, layout.width)


def test_layers_follow_the_longest_path() -> None:
    layout = arrange(nodes("a b c d"), edges("a>b b>c a>c c>d"))
    assert layout.layers == (("a",), ("b",), ("c",), ("d",))


def test_a_root_stands_right_above_its_only_target() -> None:
    layout = arrange(nodes("a b c d secret"), edges("a>b b>c c>d secret>d"))
    assert layout.boxes["secret"].layer == layout.boxes["c"].layer


def test_nodes_without_edges_fold_into_rows() -> None:
    layout = arrange(nodes(" ".join(f"n{i}" for i in range(100))), [])
    assert max(map(len, layout.layers)) < 20


def test_parts_that_are_not_connected_stand_side_by_side() -> None:
    layout = arrange(nodes("a x b y"), edges("a>b x>y"))
    assert layout.layers == (("a", "x"), ("b", "y"))
    assert layout.crossings == 0


def test_long_edges_of_one_target_share_a_lane() -> None:
    count = 60
    names = [f"n{i}" for i in range(count)]
    chain = [LayoutEdge(a, b) for a, b in pairwise(names)]
    reports = [LayoutEdge(name, names[-1]) for name in names[:-2]]
    layout = arrange(nodes(" ".join(names)), chain + reports)
    assert len(layout.lanes) < count
    assert layout.crossings == 0


@pytest.mark.parametrize(
    ("names", "pairs", "message"),
    [
        ("a b c", "a>b b>c c>b", "the graph has a cycle: b -> c -> b"),
        ("a", "a>a", "the graph has a cycle: a -> a"),
        ("a", "a>b", "an edge names the unknown node 'b'"),
        ("a a", "", "the graph names a node twice"),
    ],
)
def test_impossible_graphs_are_refused(names: str, pairs: str, message: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        arrange(nodes(names), edges(pairs))
    assert str(caught.value) == message


def test_an_empty_graph_has_an_empty_drawing() -> None:
    layout = arrange([], [])
    assert (layout.width, layout.height) == (0, 0)
    assert Raster(layout, {}).render(0, 0, 3, 1) == [[Segment("   ", "edge")]]


def test_the_deadline_ends_the_search_but_not_the_layout() -> None:
    asked: list[bool] = []

    def over() -> bool:
        asked.append(True)
        return True

    pairs = edges("a>y a>z b>x b>z c>x c>y")
    layout = arrange(nodes("a b c x y z"), pairs, deadline=over)
    assert asked
    assert len(layout.boxes) == 6
    assert layout.crossings >= arrange(nodes("a b c x y z"), pairs).crossings


def test_arrow_keys_follow_edges_and_layers() -> None:
    layout = arrange(nodes("top l m r end"), edges("top>l top>m top>r l>end m>end r>end"))
    assert neighbour(layout, "top", "down") == "m"
    assert neighbour(layout, "end", "up") == "m"
    assert neighbour(layout, "m", "left") == "l"
    assert neighbour(layout, "m", "right") == "r"
    assert neighbour(layout, "r", "right") is None
    assert neighbour(layout, "top", "up") is None


def test_arrow_keys_turn_with_the_drawing() -> None:
    layout = arrange(nodes("top l r"), edges("top>l top>r"), direction="LR")
    assert neighbour(layout, "top", "right") in {"l", "r"}
    assert neighbour(layout, "l", "down") == "r"
    assert neighbour(layout, "r", "up") == "l"
    assert neighbour(layout, "r", "left") == "top"


def test_a_node_without_targets_leads_to_the_nearest_below() -> None:
    layout = arrange(nodes("a b c"), edges("a>c"))
    assert neighbour(layout, "b", "down") == "c"


def test_a_seed_keeps_what_the_edit_does_not_concern() -> None:
    before = arrange(nodes("a b c d e"), edges("a>b a>c b>d c>d"))
    after = arrange(nodes("a b c d e f"), edges("a>b a>c b>d d>f"), seed=before)
    for name in "abcd":
        old, new = before.boxes[name], after.boxes[name]
        assert (old.layer, old.y) == (new.layer, new.y)
        assert new.x - old.x == after.boxes["a"].x - before.boxes["a"].x


def test_the_cell_under_the_mouse_names_its_node() -> None:
    layout = arrange(nodes("a b"), edges("a>b"))
    box = layout.boxes["b"]
    assert layout.at(box.x, box.y) == "b"
    assert layout.at(box.x + box.width, box.y) is None
    assert layout.at(0, 999) is None


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [
        (200, 60, ("LR", "box", True)),
        (40, 40, ("TB", "box", True)),
        (40, 12, ("TB", "pill", True)),
        (40, 7, ("TB", "pill", False)),
        (16, 3, ("LR", "dot", True)),
        (3, 3, ("LR", "pill", False)),
    ],
)
def test_the_most_detailed_drawing_that_fits_is_chosen(
    width: int, height: int, expected: tuple[str, str, bool]
) -> None:
    pairs = edges("a>b a>c b>d c>d d>e")
    drawing = choose(nodes("a b c d e", 15), pairs, width, height)
    assert (drawing.direction, drawing.style, drawing.fits) == expected


def chain(length: int) -> list[LayoutEdge]:
    return edges(" ".join(f"n{i}>n{i + 1}" for i in range(length - 1)))


def names(count: int) -> str:
    return " ".join(f"n{i}" for i in range(count))


def fan(count: int) -> list[LayoutEdge]:
    return edges(" ".join(f"n0>n{i}" for i in range(1, count)))


def test_names_are_drawn_where_figures_have_no_room() -> None:
    plain = [msgspec.structs.replace(node, least=7) for node in nodes("a b c d e", 15)]
    drawing = choose(plain, edges("a>b a>c b>d c>d d>e"), 36, 7)
    assert (drawing.style, drawing.fits) == ("name", True)
    assert {box.width for box in drawing.layout.boxes.values()} == {7}


def test_boxes_grow_a_row_before_they_lose_their_frames() -> None:
    plain = [msgspec.structs.replace(node, least=9) for node in nodes("a b c", 17)]
    drawing = choose(plain, edges("a>b b>c"), 36, 5)
    assert (drawing.style, drawing.direction) == ("box", "LR")
    assert {(box.width, box.height) for box in drawing.layout.boxes.values()} == {(9, 4)}
    rows = draw_node(NodeCell("a", "✓", "load", "2.3s"), 9, 4)
    assert ["".join(part.text for part in row) for row in rows] == [
        "╭───────╮",
        "│✓ load │",
        "│   2.3s│",
        "╰───────╯",
    ]


def test_a_selected_stack_is_bracketed_on_both_sides() -> None:
    cell = NodeCell("a", "✓", "each", "", "succeeded", selected=True, stack=True)
    (row,) = draw_node(cell, 9, 1)
    assert "".join(part.text for part in row) == "▐✓ each»▌"


def test_long_names_are_shortened_before_a_node_is_out_of_sight() -> None:
    wide = [LayoutNode(name, 40, 3, least=31) for name in "abc"]
    drawing = choose(wide, edges("a>b b>c"), 50, 2)
    assert (drawing.style, drawing.fits) == ("name", True)
    assert {box.width for box in drawing.layout.boxes.values()} <= {13, 15}
    # Of nodes one below the other no one has to give way to another.
    tall = choose(wide, edges("a>b b>c"), 35, 6)
    assert {box.width for box in tall.layout.boxes.values()} == {31}


def test_a_chain_keeps_its_names_and_scrolls() -> None:
    drawing = choose(nodes(names(60)), chain(60), 78, 19)
    assert (drawing.style, drawing.direction, drawing.fits) == ("pill", "TB", False)


def test_dots_that_fit_are_preferred_to_names_of_which_few_are_visible() -> None:
    drawing = choose(nodes(names(38), 15), fan(38), 78, 19)
    assert (drawing.style, drawing.fits) == ("dot", True)


def test_dots_are_not_drawn_among_lines_of_the_same_characters() -> None:
    assert choose(nodes(names(38), 15), fan(38), 78, 19, ascii=True).style == "mosaic"
    assert choose(nodes(names(60)), chain(60), 78, 19, ascii=True).style == "pill"


def test_a_mosaic_shows_all_nodes_of_a_graph_whose_lines_fit_nowhere() -> None:
    drawing = choose(nodes(names(300), 15), fan(300), 78, 19)
    layout = drawing.layout
    assert (drawing.style, drawing.fits) == ("mosaic", True)
    cells = {(box.x, box.y) for box in layout.boxes.values()}
    assert len(cells) == 300
    assert all(0 <= x < layout.width <= 78 and 0 <= y < layout.height for x, y in cells)
    assert layout.at(layout.boxes["n7"].x, layout.boxes["n7"].y) == "n7"
    rows = {y: sum(box.y == y for box in layout.boxes.values()) for _x, y in cells}
    full = [count for count in rows.values() if count > 1]
    # No row of one or two is left over that would look like a layer of its own.
    assert max(full) - min(full) <= len(full)


def test_a_mosaic_marks_what_the_selected_node_is_linked_to() -> None:
    layout = choose(nodes(names(4)), edges("n0>n1 n0>n2 n3>n2"), 20, 9, style="mosaic").layout
    raster = Raster(layout, {})
    raster.select("n0")
    found = {part.style for row in raster.render(0, 0, layout.width, layout.height) for part in row}
    assert {"node.blocked.cursor", "node.blocked.near", "node.blocked"} <= found
    raster.select("n3")
    near = [
        part.style.endswith(".near")
        for row in raster.render(0, 0, layout.width, layout.height)
        for part in row
    ]
    assert near.count(True) == 1


def test_a_window_of_a_mosaic_shows_the_same_as_the_whole() -> None:
    layout = choose(nodes(names(60)), fan(60), 50, 9, style="mosaic").layout
    cells = {
        f"n{i}": NodeCell(f"n{i}", "✗" if i % 7 == 0 else "✓", "", state="failed" if i % 7 == 0 else "ready")
        for i in range(60)
    }  # fmt: skip
    raster = Raster(layout, cells)
    raster.select("n9")

    def looks(x0: int, x1: int, y: int) -> list[tuple[str, str]]:
        return [
            (character, part.style if character.strip() else "")
            for part in raster.render_row(y, x0, x1)
            for character in part.text
        ]

    for y in range(-1, layout.height + 1):
        whole = looks(-5, layout.width + 5, y)
        assert len(whole) == layout.width + 10
        assert looks(7, 30, y) == whole[12:35]
    (first,) = (
        part for part in raster.render_row(layout.boxes["n0"].y, -5, 60) if part.text.strip()
    )
    assert first.text == "✗"
    row = raster.render_row(layout.boxes["n9"].y, -5, 60)
    assert len(row) < 30


def test_a_mosaic_hands_its_order_on_to_the_next_drawing() -> None:
    shown = choose(nodes(names(40)), fan(40), 20, 30, style="mosaic").layout
    turned = msgspec.structs.replace(
        shown,
        boxes={
            name: msgspec.structs.replace(box, order=len(shown.layers[box.layer]) - 1 - box.order)
            for name, box in shown.boxes.items()
        },
    )
    after = choose(nodes(names(40)), fan(40), 20, 30, style="mosaic", seed=turned).layout
    assert after.layers[1] == tuple(reversed(shown.layers[1]))


def test_boxes_are_alike_where_there_is_room() -> None:
    mixed = [LayoutNode("a", 11, 3), LayoutNode("b", 17, 3)]
    roomy = choose(mixed, edges("a>b"), 20, 20).layout
    assert {box.width for box in roomy.boxes.values()} == {17}
    uneven = [LayoutNode("a", 9, 3), LayoutNode("b", 31, 3)]
    assert choose(uneven, edges("a>b"), 40, 20).layout.boxes["a"].width == 9


def test_in_columns_all_nodes_of_a_layer_are_as_wide_as_the_widest() -> None:
    mixed = [LayoutNode("a", 9, 1), LayoutNode("b", 17, 1), LayoutNode("c", 9, 1)]
    layout = arrange(mixed, edges("a>c b>c"), direction="LR")
    assert layout.boxes["a"].width == layout.boxes["b"].width == 17
    raster = Raster(layout, {})
    for name in "ab":
        text = "".join(part.text for part in raster.render_row(layout.boxes[name].y, 0, 18))
        assert text.startswith(f" ○ {name} ──────")


def test_a_wished_style_and_direction_are_kept() -> None:
    drawing = choose(nodes("a b"), edges("a>b"), 5, 5, style="box", direction="LR")
    assert (drawing.style, drawing.direction, drawing.fits) == ("box", "LR", False)


def test_a_limit_narrows_the_drawing_if_its_widest_layer_allows() -> None:
    pairs = edges("a>b a>c a>d b>x c>y d>z")
    wide = arrange(nodes("a b c d x y z"), pairs)
    narrow = arrange(nodes("a b c d x y z"), pairs, gap=1, limit=29)
    assert narrow.width == 29 < wide.width


@pytest.mark.parametrize(
    ("text", "width"),
    [("plain", 5), ("日本", 4), ("e\u0301", 1), ("✓", 1), ("", 0), ("a\u200bb", 2), ("🚀", 2)],
)
def test_cells_of_a_text(text: str, width: int) -> None:
    assert cell_width(text) == width


def test_text_is_cut_by_cells() -> None:
    assert fit("orders", 4) == "ord…"
    assert fit("日本語", 4) == "日 …"
    assert fit("ab", 4) == "ab  "
    assert fit("ab", 0) == ""
    assert cut("日本語", 1, 5) == " 本 "


def test_control_characters_and_piled_marks_do_not_pass() -> None:
    assert clean("a\x1b[31m\u202eb\n") == "a?[31m?b?"
    assert clean("e" + "\u0301" * 10_000) == "e" + "\u0301" * 4


def test_no_glyph_is_wide() -> None:
    for direction in ("TB", "LR"):
        for dashed in (False, True):
            table = line_table(direction, dashed=dashed)
            assert len(table) == 256
            assert not [glyph for glyph in table if east_asian_width(glyph) in "WF"]
            assert table[HEAD] == ("▾" if direction == "TB" else "▸")


def test_styles_name_states_and_selection() -> None:
    cell = NodeCell("a", "✗", "a", "3/3", "failed")
    found = {segment.style for row in draw_node(cell, 11, 3) for segment in row}
    assert found == {"node.failed", "node.failed.side"}
    chosen = NodeCell("a", "✓", "a", "", "succeeded", selected=True)
    top, middle, _bottom = draw_node(chosen, 11, 3)
    assert [segment.style for segment in top] == ["node.selected"]
    assert [segment.style for segment in middle] == [
        "node.selected",
        "node.succeeded",
        "node.selected",
    ]


@pytest.mark.parametrize(
    ("width", "text"),
    [
        (22, " ¿ charge    in doubt "),
        (17, " ¿ charge  doubt "),
        (15, " ¿ charge      "),
        (9, " ¿ char… "),
    ],
)
def test_words_stand_whole_or_short_or_not_at_all(width: int, text: str) -> None:
    cell = NodeCell("a", "¿", "charge", "in doubt", "in_doubt", short="doubt")
    (row,) = draw_node(cell, width, 1)
    assert "".join(part.text for part in row) == text.ljust(width)


def test_a_name_that_is_too_long_keeps_its_marks() -> None:
    cell = NodeCell("a", "✓", "a_very_long_name", "2.3s", "succeeded", marks="′")
    (row,) = draw_node(cell, 13, 1)
    assert "".join(part.text for part in row) == " ✓ a_very_…′ "


def test_the_text_of_a_pill_stands_under_the_line_from_above() -> None:
    for right in ("", "9.9s", "12s"):
        (row,) = draw_node(NodeCell("a", "✓", "load", right), 25, 1, centred=True)
        text = "".join(part.text for part in row)
        before, after = len(text) - len(text.lstrip()), len(text) - len(text.rstrip())
        assert len(text) == 25
        assert abs(before - after) <= 1
    places = {
        "".join(part.text for part in draw_node(NodeCell("a", "✓", "load", right), 25, 1, centred=True)[0]).index("✓")
        for right in ("9.9s", "12s", "59s")
    }  # fmt: skip
    assert len(places) == 1


@pytest.mark.parametrize("ascii", [False, True])
@pytest.mark.parametrize("stack", [False, True])
def test_selected_and_failed_frames_differ_in_shape(ascii: bool, stack: bool) -> None:
    def frame(state: str, *, selected: bool = False) -> str:
        cell = NodeCell("a", "✗", "a", "", state, selected=selected, stack=stack)
        rows = draw_node(cell, 13, 3, ascii=ascii)
        return "".join(part.text for part in (rows[0] + rows[2]))

    assert len({frame("succeeded"), frame("failed"), frame("failed", selected=True)}) == 3
    assert frame("failed", selected=True) == frame("succeeded", selected=True)


def test_a_changed_cell_shows_without_a_new_raster() -> None:
    layout = arrange(nodes("a"), [])
    cells = {"a": NodeCell("a", "○", "a")}
    raster = Raster(layout, cells)
    assert "○" in "".join(segment.text for segment in raster.render_row(1, 0, 9))
    cells["a"] = NodeCell("a", "✓", "a", state="succeeded")
    assert raster.render_row(1, 0, 9)[1] == Segment("✓ a    ", "node.succeeded")


def test_dead_and_selected_edges_have_their_styles() -> None:
    layout = arrange(nodes("a b c"), edges("a>b a>c"))
    raster = Raster(layout, {})
    assert styles_of(raster, layout) == {"edge"}
    raster.set_dead([0])
    assert styles_of(raster, layout) == {"edge", "edge.dead"}
    raster.select("c")
    assert styles_of(raster, layout) == {"edge.selected", "edge.dead"}
    raster.select(None)
    raster.set_dead([])
    assert styles_of(raster, layout) == {"edge"}


def styles_of(raster: Raster, layout: Layout) -> set[str]:
    """Styles of the visible cells between the nodes."""
    rows = raster.render(0, 0, layout.width, layout.height)
    return {
        segment.style
        for row in rows
        for segment in row
        if segment.style.startswith("edge") and segment.text.strip()
    }


def test_a_node_costs_the_same_whatever_else_is_drawn() -> None:
    """A row asks only for the cells of the nodes it shows."""
    asked: list[str] = []

    class Watched(dict[str, NodeCell]):
        def __missing__(self, key: str) -> NodeCell:
            asked.append(key)
            raise KeyError(key)

    names = " ".join(f"n{i}" for i in range(50))
    layout = arrange(nodes(names), edges(" ".join(f"n{i}>n{i + 1}" for i in range(49))))
    box = layout.boxes["n7"]
    Raster(layout, Watched()).render(0, box.y, layout.width, box.height)
    assert set(asked) == {"n7"}
