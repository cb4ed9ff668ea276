"""The graph as a picture: what nodes show, dead edges, groups, items, the map, and what is said beside it."""

import msgspec
import pytest

from studio.core import commands as verbs
from studio.core.plan import Plan
from studio.projections.layout import NodeCell, Segment
from studio.projections.screen.empty import (
    STEPS,
    broken_file,
    centred,
    checklist_rows,
    hint_rows,
    no_workflows,
)
from studio.projections.screen.graph import (
    cell_of,
    duration_text,
    first_to_see,
    grid_rows,
    item_counts,
    matches,
    needs_in_order,
)
from studio.projections.screen.label import place_label
from studio.projections.screen.map import Window, map_rows, map_size
from studio.projections.screen.overlay import Patch, cut_row, lay_over, place_block
from studio.projections.screen.picture import FOLD_FROM, Picture, Wish, draw
from tests.unit.core.driver import Driver, node, workflow


def texts(rows: object) -> list[str]:
    """Rows as plain text."""
    return ["".join(part.text for part in row).rstrip() for row in rows]  # type: ignore[attr-defined]  # rows of Segments


def wish_of(plan: Plan, width: int = 76, height: int = 26) -> Wish:
    """What is drawn of a plan by default."""
    return Wish(plan, width, height)


def drawn(driver: Driver, **keys: object) -> Picture:
    """The picture of the driver's run, brought up to date."""
    run = driver.run()
    wish = msgspec.structs.replace(wish_of(run.plan), items=item_counts(run), **keys)
    picture = draw(wish)
    picture.update(run, driver.now, {})
    return picture


def content(picture: Picture) -> str:
    """All of a drawing as text."""
    raster = picture.raster
    return "\n".join(texts(raster.render(0, 0, raster.width, raster.height)))


# ----------------------------------------------------------------- cells


def test_only_nodes_that_changed_are_computed_again() -> None:
    driver = Driver(node("a"), node("b", "a"), node("c"))
    picture = drawn(driver)
    driver.finish("a")
    changed, _edges = picture.update(driver.run(), driver.now, {}, ["a", "b"])
    assert sorted(changed) == ["a", "b"]
    assert picture.update(driver.run(), driver.now, {}, ["a", "b", "c"]) == ([], False)


def test_what_nodes_out_of_sight_show_is_found_out_when_they_are_drawn() -> None:
    driver = Driver(node("a"), node("b", "a"), node("c"))
    picture = drawn(driver)
    driver.finish("a")
    changed, _edges = picture.update(driver.run(), driver.now, {}, ["a", "b"], {"a", "c"})
    assert changed == ["a"]
    assert "b" not in picture.cells
    # The map and the clock ask for nodes out of sight too.
    assert picture.states == {"a": "succeeded", "b": "running", "c": "running"}
    assert picture.moving == {"b", "c"}
    assert content(picture) == content(drawn(driver))
    assert picture.cells == drawn(driver).cells


def test_a_closed_group_out_of_sight_keeps_up() -> None:
    nodes = [node("a", group="g"), node("b", "a", group="g"), node("c", "b")]
    driver = Driver(*nodes)
    picture = drawn(driver, closed=frozenset({"g"}))
    driver.finish("a").finish("b")
    changed, _edges = picture.update(driver.run(), driver.now, {}, ["a", "b", "c"], set())
    assert changed == []
    assert picture.states == {"group:g": "succeeded", "c": "running"}
    assert content(picture) == content(drawn(driver, closed=frozenset({"g"})))


def test_running_nodes_are_known_as_moving_until_they_end() -> None:
    driver = Driver(node("a"), node("b", "a"))
    picture = drawn(driver)
    assert picture.moving == {"a"}
    driver.finish("a")
    picture.update(driver.run(), driver.now, {}, ["a", "b"])
    assert picture.moving == {"b"}


def test_progress_that_a_node_reports_stands_in_its_border() -> None:
    driver = Driver(node("a"))
    cell = cell_of(driver.run(), driver.at("a"), driver.now, 0.6)
    assert (cell.progress, cell.right) == (0.6, "60%")


def test_a_breakpoint_that_has_not_hit_is_a_mark_after_the_name() -> None:
    driver = Driver(node("a"), node("b", "a"))
    driver.verb(verbs.SetBreakpoint, "b")
    assert cell_of(driver.run(), driver.at("b"), driver.now, None).marks == "◆"
    assert cell_of(driver.run(), driver.at("b"), driver.now, None, ascii=True).marks == "*"


# ----------------------------------------------------------------- edges


def test_edges_that_were_not_taken_are_dead_and_come_alive_with_a_retry() -> None:
    driver = Driver(node("a"), node("b", "a"), policy="continue")
    picture = drawn(driver)
    driver.fail("a")
    _changed, edges = picture.update(driver.run(), driver.now, {}, ["a", "b"])
    assert edges
    assert "edge.dead" in styles(picture)
    driver.verb(verbs.RetryNode, "a")
    _changed, edges = picture.update(driver.run(), driver.now, {}, ["a", "b"])
    assert edges
    assert "edge.dead" not in styles(picture)


def test_a_definition_without_a_run_has_no_dead_edges() -> None:
    driver = Driver(node("a"), node("b", "a"), policy="continue")
    driver.fail("a")
    picture = drawn(driver)
    assert "edge.dead" in styles(picture)
    assert picture.update(None, driver.now, {})[1]
    assert "edge.dead" not in styles(picture)


def styles(picture: Picture) -> set[str]:
    """All styles of a drawing."""
    raster = picture.raster
    return {part.style for row in raster.render(0, 0, raster.width, raster.height) for part in row}


# ----------------------------------------------------------------- items


def test_items_stand_in_the_box_a_glyph_each() -> None:
    driver = Driver(node("each", foreach=[1, 2, 3]))
    driver.finish("each[0]")
    driver.fail("each[1]")
    picture = drawn(driver)
    assert picture.layout.boxes["each"].height == 4
    assert "│✓✗●" in content(picture) or "┃✓✗●" in content(picture)


def test_more_items_than_cells_are_counted() -> None:
    driver = Driver(node("each", foreach=list(range(200))), check=False)
    driver.finish("each[0]")
    driver.fail("each[1]")
    row = drawn(driver).cells["each"].grid[0]
    assert [part.text for part in row] == ["✓1 ", "●198 ", "✗1 "]


@pytest.mark.parametrize(("items", "rows"), [(0, 1), (1, 1), (10, 1), (11, 2), (30, 3), (31, 1)])
def test_rows_for_items(items: int, rows: int) -> None:
    assert grid_rows(items, 10) == rows


def test_expanding_a_foreach_asks_for_another_layout_only_when_it_needs_rows() -> None:
    driver = Driver(node("each", foreach=[1, 2]))
    run = driver.run()
    assert item_counts(run) == (("each", 2),)
    assert item_counts(None) == ()


# ----------------------------------------------------------------- groups


def grouped(count: int = 3) -> Driver:
    """Groups of nodes in a row: first, then second."""
    first = [node(f"a{i}", f"a{i - 1}" if i else None, group="first") for i in range(count)]
    second = [
        node(f"b{i}", f"b{i - 1}" if i else f"a{count - 1}", group="second") for i in range(count)
    ]
    return Driver(*first, *second, check=False)


def test_a_closed_group_shows_its_most_urgent_member_and_how_many_are_done() -> None:
    driver = grouped()
    picture = drawn(driver, closed=frozenset({"first"}))
    assert picture.home("a1") == "group:first"
    assert picture.group_of("group:first") == "first"
    assert picture.group_of("b0") is None
    cell = picture.cells["group:first"]
    assert (cell.name, cell.glyph, cell.right) == ("[first]", "●", "0/3")
    driver.finish("a0")
    changed, _edges = picture.update(driver.run(), driver.now, {}, ["a0", "a1"])
    assert changed == ["group:first"]
    assert picture.cells["group:first"].right == "1/3"
    driver.fail("a1")
    picture.update(driver.run(), driver.now, {}, ["a1"])
    assert picture.cells["group:first"].glyph == "✗"


def test_an_edge_out_of_a_closed_group_dies_when_all_it_stands_for_are_dead() -> None:
    driver = Driver(
        node("a", group="g"),
        node("b", group="g"),
        node("c", ["a", "b"], join="any"),
        policy="continue",
    )
    picture = drawn(driver, closed=frozenset({"g"}))
    driver.fail("a")
    picture.update(driver.run(), driver.now, {}, ["a", "b", "c"])
    assert "edge.dead" not in styles(picture)
    driver.fail("b")
    picture.update(driver.run(), driver.now, {}, ["a", "b", "c"])
    assert "edge.dead" in styles(picture)


def test_large_graphs_fold_their_groups_by_themselves() -> None:
    large = grouped(FOLD_FROM).run().plan
    assert draw(wish_of(large)).closed == {"first", "second"}
    assert draw(msgspec.structs.replace(wish_of(large), closed=frozenset())).closed == frozenset()
    assert draw(wish_of(grouped(2).run().plan)).closed == frozenset()


# ----------------------------------------------------------------- finding and needs


def test_matches_look_at_ids_and_names() -> None:
    named = msgspec.structs.replace(node("b"), name="Load orders")
    plan = Plan(workflow(node("load_users"), named, node("c")))
    assert matches(plan, "LOAD") == ["load_users", "b"]
    assert matches(plan, "nothing") == []


def test_needs_stand_in_the_order_of_the_graph() -> None:
    driver = Driver(node("a"), node("b"), node("c", "a"), policy="hold", surface="screen")
    driver.fail("b").fail("a")
    assert needs_in_order(driver.run()) == ["a", "b"]


def test_a_graph_opens_at_what_needs_a_person_else_at_what_runs_else_at_its_beginning() -> None:
    driver = Driver(node("a"), node("b", "a"), node("c", "a"), policy="hold", surface="screen")
    plan = driver.run().plan
    assert first_to_see(plan, None) == "a"
    driver.finish("a")
    assert first_to_see(plan, driver.run()) == "b"
    driver.fail("c")
    assert first_to_see(plan, driver.run()) == "c"
    driver.finish("b")
    driver.verb(verbs.CancelRun)
    assert first_to_see(plan, driver.run()) == "a"


def test_in_drawings_of_names_no_box_shows_figures() -> None:
    driver = Driver(node("a"), node("b", "a"))
    driver.finish("a")
    assert "0.0s" in content(drawn(driver, style="pill"))
    assert "0.0s" not in content(drawn(driver, style="name"))


# ----------------------------------------------------------------- the label of a dot


def place(text: str, row: int, size: tuple[int, int] = (20, 3)) -> Patch:
    """A label at the glyph in the middle of a pane that shows a text in one of its rows."""
    rows = {row: text.ljust(size[0])}

    def text_at(x: int, y: int, columns: int) -> str:
        return rows.get(y, " " * size[0])[x : x + columns]

    found = place_label(NodeCell("load", "✓", "load"), 10, 1, size, text_at)
    assert found is not None
    assert found.width == 6
    return found


@pytest.mark.parametrize(
    ("text", "row", "x", "y"),
    [
        ("", 1, 11, 1),
        ("           ✓ ✓ ✓", 1, 4, 1),
        ("✓ ✓ ✓ ✓ ✓ ✓ ✓ ✓ ✓", 1, 7, 2),
    ],
)
def test_a_label_stands_where_it_hides_nothing(text: str, row: int, x: int, y: int) -> None:
    label = place(text, row)
    assert (label.x, label.y) == (x, y)


def test_a_label_hides_lines_before_nodes() -> None:
    assert place("  ✓───────✓─┬─┬─┬─┬─", 1, (20, 2)).y == 0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0s"), (9.94, "9.9s"), (12, "12s"), (99.6, "1m40"), (185, "3m05"), (7620, "2h07")],
)
def test_durations_are_short(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


# ----------------------------------------------------------------- the map


def large_picture() -> Picture:
    """A chain that is much higher than its pane."""
    nodes = [node(f"n{i}", f"n{i - 1}" if i else None) for i in range(60)]
    return draw(msgspec.structs.replace(wish_of(Plan(workflow(*nodes))), style="box"))


def test_the_map_is_for_drawings_that_do_not_fit() -> None:
    small = draw(wish_of(Plan(workflow(node("a")))))
    assert map_size(small.layout, 76, 26) is None
    assert map_size(large_picture().layout, 20, 5) is None
    assert map_size(large_picture().layout, 76, 26) is not None


def test_the_map_shows_every_node_and_frames_what_is_visible() -> None:
    layout = large_picture().layout
    size = map_size(layout, 76, 26)
    assert size is not None
    rows = texts(map_rows(layout, {"n0": "failed"}, Window(0, 0, 76, 26), size))
    assert rows[0].startswith("╭ map ─")
    assert len({len(row) for row in rows}) == 1
    assert len(rows) == size.rows + 2
    flat = "".join(rows)
    assert "■" in flat
    assert "┌" in flat or "[" in flat
    ascii_rows = texts(map_rows(layout, {}, Window(0, 0, 76, 26), size, ascii=True))
    assert "".join(ascii_rows).isascii()


def test_a_mark_of_the_map_shows_the_state_to_see_first() -> None:
    layout = large_picture().layout
    size = map_size(layout, 76, 26)
    assert size is not None
    states = dict.fromkeys(layout.boxes, "succeeded") | {"n1": "failed"}
    window = Window(0, layout.height - 1, 1, 1)
    rows = map_rows(layout, states, window, size)
    assert any(part.style == "node.failed" for row in rows for part in row)


# ----------------------------------------------------------------- blocks over the graph


def test_a_block_lies_over_the_cells_it_covers_and_no_others() -> None:
    below = [Segment("abcdef", "edge"), Segment("ghij", "text")]
    patch = Patch(2, 1, 3, ((Segment("XYZ", "dim"),),))
    assert texts([lay_over(below, patch, 1, 10)]) == ["abXYZfghij"]
    assert texts([lay_over(below, patch, 0, 10)]) == ["abcdefghij"]
    assert texts([cut_row(below, 4, 8)]) == ["efgh"]


def test_a_block_stands_only_where_nothing_is_drawn() -> None:
    rows = [[Segment("hello", "text")]]
    assert place_block(rows, 40, 5, lambda *_: False) is None
    assert place_block(rows, 4, 5, lambda *_: True) is None
    patch = place_block(rows, 40, 5, lambda x, *_: x < 20)
    assert patch is not None
    assert (patch.x, patch.y) == (1, 4)


# ----------------------------------------------------------------- hints


def test_an_empty_folder_says_how_to_go_on() -> None:
    said = "\n".join(texts(no_workflows("/here", ["notes.yaml: no workflow"])))
    assert "N            creates one from a template" in said
    assert "studio demo" in said
    assert "notes.yaml" in said


def test_a_file_that_never_loaded_shows_its_findings_without_escapes() -> None:
    findings = [f"bad.yaml:{i}:1: \x1b[31mno" for i in range(10)]
    said = "\n".join(texts(broken_file("bad.yaml", findings)))
    assert "bad.yaml:0:1" in said
    assert "and 2 more" in said
    assert "\x1b" not in said


def test_hints_tell_of_secrets_of_success_and_of_an_engine_that_died() -> None:
    plan = texts(hint_rows(None, "saga", ["TOKEN"], driven=False))
    assert plan == ["TOKEN is not set: put it into .env, or export it", "L starts saga"]
    driver = Driver(node("a"))
    assert hint_rows(driver.run(), "saga", [], driven=True) == []
    gone = texts(hint_rows(driver.run(), "saga", [], driven=False))
    assert gone[1] == "C continues it where it stood"
    driver.tick(2)
    driver.finish("a")
    green = texts(hint_rows(driver.run(), "saga", [], driven=True))
    assert green[0] == "✓ all green in 2.0s"
    tolerant = Driver(node("a", critical=False), node("b"))
    tolerant.fail("a").finish("b")
    said = texts(hint_rows(tolerant.run(), "saga", [], driven=True))
    assert said[0] == "✓ succeeded in 0.0s, 1 failed on the way"


def test_the_first_steps_are_four_lines_that_get_ticked() -> None:
    rows = texts(checklist_rows({0}))
    assert len(rows) == len(STEPS) + 2
    assert rows[1].startswith("│ ✓ L")
    assert rows[2].startswith("│ ○ f")
    assert len({len(row) for row in rows}) == 1
    assert "".join(texts(checklist_rows({1}, ascii=True))).isascii()


def test_a_block_in_the_middle_is_cut_to_the_pane() -> None:
    rows = [[Segment(str(i), "text")] for i in range(9)]
    assert len(centred(rows, 20, 4)) == 4
    assert texts(centred(rows[:1], 21, 4))[1] == " " * 10 + "0"
