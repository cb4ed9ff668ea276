"""The main screen: panes at every size, keys, news, and that it goes on whatever happens."""

from pathlib import Path

import pytest
from textual import events
from textual.events import Resize
from textual.geometry import Size
from textual.strip import Strip

from studio.application.keymap import read_keymap
from studio.application.opening import open_studio
from studio.application.studio import Launch, Sender
from studio.application.verbs import mark
from studio.projections.screen.panes import PANES
from studio.tui.attention import Attention
from studio.tui.messages import RunChosen
from studio.tui.palette import BACKGROUNDS
from studio.tui.screens.dialog import Menu
from studio.tui.widgets.rows import RowsView
from tests.tui.screens import DIAMOND, Opened, opened

SIZES = [(50, 12), (45, 60), (80, 24), (80, 60), (120, 24), (120, 40), (200, 60)]


def wide(count: int) -> str:
    """A workflow with many nodes, in a tree."""
    nodes = [f"  n{i}: {{uses: noop{f', needs: n{i // 4}' if i else ''}}}" for i in range(count)]
    return "\n".join([f"workflow: wide{count}", "nodes:", *nodes])


# ----------------------------------------------------------------- sizes


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        ((50, 12), {"table"}),
        ((45, 60), {"table", "inspector"}),
        ((80, 24), {"graph"}),
        ((80, 60), {"graph", "inspector"}),
        ((120, 24), {"graph", "inspector"}),
        ((120, 40), {"graph", "inspector", "log"}),
        ((200, 60), {"graph", "inspector", "log", "runs"}),
    ],
)
async def test_each_size_has_its_panes(
    tmp_path: Path, size: tuple[int, int], shown: set[str]
) -> None:
    async with opened(tmp_path, DIAMOND, size=size) as at:
        assert at.shown == shown


@pytest.mark.parametrize("size", SIZES)
async def test_numbers_and_tab_reach_every_pane(tmp_path: Path, size: tuple[int, int]) -> None:
    async with opened(tmp_path, DIAMOND, size=size) as at:
        for number, pane in enumerate(PANES, 1):
            await at.press(str(number))
            assert at.current() == pane
            assert at.screen.focused is at.screen.body.pane(pane)
            assert at.screen.body.pane(pane).size.area
        seen = set()
        for _ in PANES:
            await at.press("tab")
            seen.add(at.screen.body.current)
            assert at.screen.focused is not None
            assert at.screen.focused.display
        assert seen == set(PANES)
        await at.press("shift+tab", "escape")
        assert at.current() == "graph"


async def test_escape_goes_one_level_back_each_time(tmp_path: Path) -> None:
    async with opened(tmp_path, DIAMOND) as at:
        await at.press("j", "d", "3")
        at.screen.toggle_zoom()
        await at.pilot.pause()
        assert at.shown == {"inspector"}
        await at.press("escape")
        assert at.current() == "inspector"
        assert len(at.shown) == 3
        await at.press("escape")
        assert at.current() == "graph"
        assert at.around() is not None
        await at.press("escape")
        assert at.around() is None
        assert at.screen.at_home


async def test_runs_stand_in_the_place_of_the_inspector_at_120x40(tmp_path: Path) -> None:
    async with opened(tmp_path, DIAMOND) as at:
        before = at.screen.graph.region
        await at.press("1")
        assert at.shown == {"graph", "runs", "log"}
        assert at.screen.graph.region == before
        await at.press("2")
        assert at.shown == {"graph", "inspector", "log"}


async def test_live_resizing_down_to_one_cell_and_back(tmp_path: Path) -> None:
    async with opened(tmp_path, DIAMOND) as at:
        for width, height in [(1, 1), (3, 2), (30, 5), (200, 60), (60, 15), (80, 24), (120, 40)]:
            await at.pilot.resize_terminal(width, height)
            await at.pilot.pause()
        assert at.app.errors == []
        assert at.shown == {"graph", "inspector", "log"}
        assert "load" in at.text("graph")


async def test_a_zoomed_pane_has_the_whole_screen(tmp_path: Path) -> None:
    async with opened(tmp_path, DIAMOND) as at:
        await at.press("4")
        at.screen.toggle_zoom()
        await at.pilot.pause()
        assert at.shown == {"log"}
        assert at.screen.log_pane.outer_size.width == 120
        await at.press("3")
        assert at.shown == {"inspector"}
        at.screen.toggle_zoom()
        await at.pilot.pause()
        assert at.shown == {"graph", "inspector", "log"}


async def test_a_small_terminal_says_so(tmp_path: Path) -> None:
    async with opened(tmp_path, DIAMOND, size=(50, 12)) as at:
        await at.pilot.resize_terminal(52, 12)
        await at.pilot.pause()
        assert at.line("notice") == " 52x12: from 60x15 on the graph is drawn"


# ----------------------------------------------------------------- the graph


async def test_the_cursor_follows_the_edges_and_every_pane_follows_the_cursor(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path, DIAMOND) as at:
        assert at.screen.selected == "load"
        await at.press("right")
        first = at.screen.selected
        assert first in ("left", "right")
        assert at.screen.body.listing("table").selected == first
        await at.press("G")
        assert at.screen.selected == "join"
        await at.press("g", "J")
        assert at.screen.selected == "left"


async def test_the_graph_shows_states_and_the_next_failure(tmp_path: Path) -> None:
    async with opened(tmp_path, DIAMOND) as at:
        await at.launch()
        text = at.text("graph")
        assert "✓ load" in text
        assert "✗ check" in text
        assert str(at.screen.graph.border_subtitle).startswith("f next failure 1")
        await at.press("f")
        assert at.screen.selected == "check"
        assert str(at.screen.graph.border_subtitle).startswith("f next failure 1/1 · live")


async def test_a_group_folds_and_opens_in_place(tmp_path: Path) -> None:
    async with opened(tmp_path, DIAMOND) as at:
        at.screen.select("right")
        assert "5 nodes" in graph_title(at)
        await at.press("O")
        await at.pilot.pause()
        assert "[sides]" in at.text("graph")
        assert at.screen.target() == (0, "")
        assert "1 folded" in graph_title(at), "the title is that of the new drawing at once"
        await at.press("enter")
        await at.pilot.pause()
        assert "[sides]" not in at.text("graph")
        assert "folded" not in graph_title(at)
        assert at.screen.selected == "left"
        await at.press("O", "O")
        await at.pilot.pause()
        assert "[sides]" not in at.text("graph"), "opened again by the key that closed it"
        at.screen.select("join")
        await at.press("O")
        await at.pilot.pause()
        assert at.line("notice") == " join is in no group"
        await at.press("d")
        await at.pilot.pause()
        assert "around join" in graph_title(at)
        await at.press("v", "O")
        await at.pilot.pause()
        assert at.line("notice") == " groups are closed in the graph only: v goes on to it"


def graph_title(at: Opened) -> str:
    """The title in the border of the graph."""
    return str(at.screen.body.pane("graph").border_title)


async def test_a_closed_group_of_any_size_says_how_many_nodes_it_has(tmp_path: Path) -> None:
    nodes = "\n".join(f"  n{i}: {{uses: noop, group: g0}}" for i in range(12))
    text = f"workflow: many\nnodes:\n{nodes}\n  alone: {{uses: noop, group: g1}}\n"
    async with opened(tmp_path, text) as at:
        for name in ("n0", "alone"):
            at.screen.select(name)
            await at.press("O")
            await at.settle()
        assert "[g0] 12 nodes" in " ".join(at.text("graph").split())
        assert "[g1] 1 node" in " ".join(at.text("graph").replace("┃", " ").split())


async def test_finding_goes_from_match_to_match(tmp_path: Path) -> None:
    async with opened(tmp_path, wide(12)) as at:
        await at.press("n")
        assert at.line("notice") == " nothing was looked for: / finds nodes"
        await at.press("slash", "n", "1", "enter")
        assert at.screen.selected == "n1"
        assert at.line("notice") == " 3 found: n next, , previous"
        await at.press("n")
        assert (at.screen.selected, at.line("notice")) == ("n10", " match 2 of 3")
        await at.press("comma", "comma")
        assert at.screen.selected == "n11"
        at.screen.select("n5")
        await at.press("comma")
        assert at.screen.selected == "n1"


async def test_a_search_without_a_match_says_so_and_goes_nowhere(tmp_path: Path) -> None:
    async with opened(tmp_path, wide(12)) as at:
        await at.press("slash", "x", "y", "enter")
        menu = at.app.screen
        assert isinstance(menu, Menu)
        assert "nothing matches 'xy'" in str(menu.box.border_subtitle)
        await at.press("escape", "n")
        assert at.screen.selected == "n0"


async def test_detail_says_where_it_ends(tmp_path: Path) -> None:
    async with opened(tmp_path, DIAMOND) as at:
        await at.press("plus", "plus", "plus")
        assert "most detail" in at.line("notice")
        await at.press("minus")
        assert not at.news()
        await at.press(*["minus"] * 5)
        assert "least detail" in at.line("notice")
        await at.press("v", "minus")
        assert at.line("notice") == " the table has one detail only"


async def test_focus_leaves_out_what_is_not_around_the_node(tmp_path: Path) -> None:
    async with opened(tmp_path, DIAMOND) as at:
        at.screen.select("left")
        await at.press("d")
        assert "right" not in at.text("graph")
        at.screen.select("right")
        await at.pilot.pause()
        assert at.around() is None
        assert "right" in at.text("graph")


async def test_a_large_graph_is_laid_out_beside_the_screen(tmp_path: Path) -> None:
    async with opened(tmp_path, wide(300), size=(120, 40)) as at:
        assert "300 nodes" in at.screen.graph.summary
        assert at.screen.graph.drawing_text == "mosaic · TB"
        assert at.text("graph").count("○") > 290
        assert "╭ map" not in at.text("graph")
        await at.press("plus", "plus")
        await at.settle()
        assert at.screen.graph.drawing_text == "name · TB"
        assert "╭ map" in at.text("graph")
        at.screen.toggle_map()
        await at.pilot.pause()
        assert "╭ map" not in at.text("graph")
        at.screen.select("n299")
        await at.pilot.pause()
        assert "n299" in at.text("graph")
        x = at.screen.graph.scroll_offset.x
        await at.press("shift+left")
        assert at.screen.graph.scroll_offset.x < x


async def test_a_run_opens_at_what_needs_a_person_unless_the_cursor_was_moved(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path, DIAMOND) as at:
        await at.launch()
        shown = at.session.shown_file
        assert shown is not None
        for moved_to, expected in ((None, "check"), ("left", "left")):
            at.session.show_file(shown)
            await at.settle()
            if moved_to is not None:
                at.screen.select(moved_to)
            at.screen.post_message(RunChosen(1, None))
            await at.pilot.pause()
            await at.settle()
            assert at.screen.selected == expected


async def test_another_workflow_opens_at_its_own_beginning(tmp_path: Path) -> None:
    other = "workflow: other\nnodes:\n  first: {uses: noop}\n  join: {uses: noop, needs: first}\n"
    async with opened(tmp_path, DIAMOND, other) as at:
        at.screen.select("join")
        shown = at.session.shown_file
        at.session.show_file(next(path for path in at.session.files if path != shown))
        await at.settle()
        assert at.screen.selected == "first"


@pytest.mark.parametrize("ascii", [False, True])
async def test_a_selected_glyph_is_reversed_and_named_without_colours(
    tmp_path: Path, ascii: bool
) -> None:
    async with opened(tmp_path, DIAMOND, colour=False, ascii=ascii) as at:
        at.screen.graph.change_detail(-1)
        while at.screen.graph.drawing_text[:3] != "dot":
            at.screen.graph.change_detail(-1)
        at.screen.select("check")
        await at.pilot.pause()
        graph = at.screen.graph
        cells = [
            (segment.text, segment.style)
            for y in range(graph.size.height)
            for segment in graph.render_line(y)
        ]
        reverse = [text for text, style in cells if style is not None and style.reverse]
        assert {text.strip() for text in reverse} == {"." if ascii else "○", "check shell"}


async def test_a_change_of_one_node_draws_only_that_node(tmp_path: Path) -> None:
    async with opened(tmp_path, wide(40)) as at:
        drawn: list[int] = []
        graph = at.screen.graph
        original = graph.draw_line

        def count(y: int) -> Strip:
            drawn.append(y)
            return original(y)

        graph.draw_line = count  # type: ignore[method-assign]  # counts what is drawn
        at.session.progress["n5"] = (0.5, "")
        graph.refresh_nodes(["n5"])
        await at.pilot.pause()
        assert graph.picture is not None
        assert 0 < len(set(drawn)) <= graph.picture.layout.boxes["n5"].height + 12


# ----------------------------------------------------------------- table


async def test_the_table_shares_the_selection(tmp_path: Path) -> None:
    async with opened(tmp_path, DIAMOND) as at:
        await at.launch()
        at.screen.select("check")
        at.screen.cycle_view()
        await at.pilot.pause()
        assert at.shown == {"table", "inspector", "log"}
        assert at.screen.body.listing("table").selected == "check"
        assert "✗ failed      check" in at.text("table")
        table = at.screen.body.listing("table")
        chosen = table.draw_line(1 + 3)
        looks = {(part.style.color, part.style.reverse) for part in chosen if part.style}
        assert len(looks) == 1
        await at.press("down")
        assert at.screen.selected == "join"
        assert at.screen.graph.selected == "join"
        await at.press("escape")
        assert "graph" in at.shown


async def test_one_key_goes_from_graph_to_table_to_timeline_and_back(tmp_path: Path) -> None:
    async with opened(tmp_path, DIAMOND) as at:
        await at.launch()
        at.screen.select("check")
        seen = []
        for _ in range(3):
            await at.press("v")
            seen.append(at.shown - {"inspector", "log"})
        assert seen == [{"table"}, {"timeline"}, {"graph"}]
        assert at.screen.selected == "check"


async def test_the_timeline_draws_attempts_and_travels_back_in_time(tmp_path: Path) -> None:
    async with opened(tmp_path, DIAMOND) as at:
        await at.launch()
        await at.press("v", "v")
        await at.settle()
        timeline = at.screen.body.timeline
        assert timeline is not None
        row = next(line for line in at.text("timeline").splitlines() if "check" in line)
        assert row.startswith(" ✗ check")
        assert "✗" in row[3:]
        await at.press(*["left"] * 200)
        before, _, after = at.text("timeline").splitlines()[0].partition("▾")
        assert (before.strip(), "after the start" in after) == ("node", True)
        assert at.text("timeline").splitlines()[-1] == ""
        await at.press("escape")
        assert timeline.cursor is None
        assert "timeline" in at.shown
        await at.press("left", *["right"] * 200)
        assert timeline.cursor is None
        await at.press("escape")
        assert "graph" in at.shown


# ----------------------------------------------------------------- runs


async def test_the_time_of_an_open_run_goes_on_in_the_list(tmp_path: Path) -> None:
    waits = "workflow: waits\nnodes: {a: {uses: wait, for: 1h}}\n"
    async with opened(tmp_path, waits, size=(200, 60)) as at:
        await at.session.launch(str(tmp_path / "flow0.yaml"), {})
        at.screen._flush()
        run = at.session.run
        assert run is not None
        later = run.started_at + 75
        at.session.clock.now = lambda: later  # type: ignore[method-assign]
        at.screen._ticked = 0.0
        at.screen._tick()
        assert "75s" in at.text("runs")


async def test_choosing_a_need_shows_the_run_and_the_node(tmp_path: Path) -> None:
    async with opened(tmp_path, DIAMOND, size=(200, 60)) as at:
        await at.launch()
        at.session.show_file(next(iter(at.session.files)))
        await at.settle()
        await at.press("1", "g", "enter")
        assert at.session.shown_run == 1
        await at.settle()
        said = at.text("runs").splitlines()
        assert said[0] == "Needs you"
        assert said[1].startswith("  ▸ ◆ #1 diamond needs you")
        assert said[2] == "      ✗ check failed"
        await at.press("1", "g", "down", "enter")
        assert at.screen.selected == "check"
        assert at.current() == "graph"


# ----------------------------------------------------------------- lines


async def test_news_goes_with_the_next_key_but_errors_stay_until_escape(tmp_path: Path) -> None:
    async with opened(tmp_path, DIAMOND) as at:
        at.screen.notice("orders.yaml reloaded", "info")
        await at.pilot.pause()
        assert at.line("notice") == " orders.yaml reloaded"
        await at.press("down")
        assert not at.news()
        at.screen.notice("disk full", "error")
        await at.press("down")
        assert at.news()
        await at.press("escape")
        assert not at.news()


async def test_a_key_that_does_not_apply_says_why(tmp_path: Path) -> None:
    async with opened(tmp_path, DIAMOND) as at:
        await at.press("r")
        assert at.line("notice") == " r: no run is shown: L starts one"


async def test_a_name_on_the_tab_strip_is_that_pane(tmp_path: Path) -> None:
    async with opened(tmp_path, DIAMOND, size=(80, 24)) as at:
        assert at.line("tabs").startswith(" [2 Graph]")
        column = at.line("tabs").index("4 Log")
        await at.pilot.click("#tabs", offset=(column, 0))
        await at.pilot.pause()
        assert at.shown == {"log"}


async def test_the_error_of_the_selected_node_has_a_line_at_80x24(tmp_path: Path) -> None:
    async with opened(tmp_path, DIAMOND, size=(80, 24)) as at:
        await at.launch()
        await at.press("f")
        assert at.line("detail").startswith(" ✗ check")
        assert at.line("detail").endswith("r retry  e edit  o outcome")


async def test_a_footer_key_is_clickable(tmp_path: Path) -> None:
    async with opened(tmp_path, DIAMOND, size=(80, 24)) as at:
        await at.launch()
        at.screen.select("load")
        await at.pilot.pause()
        column = at.line("foot").index("f Next")
        await at.pilot.click("#foot", offset=(column, 0))
        await at.app.workers.wait_for_complete()
        await at.pilot.pause()
        assert at.screen.selected == "check"


# ----------------------------------------------------------------- hints and first steps


async def test_an_empty_folder_teaches(tmp_path: Path) -> None:
    async with opened(tmp_path) as at:
        assert "creates one from a template" in at.text("graph")
        assert "N New" in at.line("foot")


async def test_a_broken_file_shows_where_it_is_broken(tmp_path: Path) -> None:
    async with opened(tmp_path, "workflow: x\nnodes: {a: {uses: nothing}}\n") as at:
        assert "flow0.yaml:2" in at.text("graph")
        assert "Find" not in at.line("foot")
        await at.press("slash")
        assert "the workflow file has errors" in at.line("notice")


async def test_a_missing_secret_is_named(tmp_path: Path) -> None:
    text = (
        'workflow: s\nsecrets: [TOKEN]\nnodes: {a: {uses: noop, with: {t: "{{ secrets.TOKEN }}"}}}'
    )
    async with opened(tmp_path, text) as at:
        assert "TOKEN is not set" in at.text("graph")


async def test_first_steps_show_once_per_state_folder(tmp_path: Path) -> None:
    async with opened(tmp_path, DIAMOND, first_start=True) as at:
        assert "first steps" in at.text("graph")
        await at.press("escape")
        assert "first steps" not in at.text("graph")
    async with opened(tmp_path, first_start=True) as at:
        assert "first steps" not in at.text("graph")


async def test_the_steps_that_were_taken_are_ticked(tmp_path: Path) -> None:
    async with opened(tmp_path, DIAMOND, first_start=True) as at:
        await at.press("L")
        await at.settle()
        assert "✓ L" in at.text("graph")
        assert "○ f" in at.text("graph")
        await at.press("f")
        assert "✓ f" in at.text("graph")


async def test_every_problem_of_the_keys_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "keymap.toml").write_text('quit = "ctrl+c"\nlaunch = "ctrl+s"\nnothing = "x"\n')
    async with opened(tmp_path, DIAMOND) as at:
        at.session.keymap = read_keymap(at.session.location, {"HOME": str(tmp_path)})
        await at.press("question_mark")
        said = "\n".join(
            "".join(segment.text for segment in row)
            for row in at.app.screen.query_one(RowsView).rows
        )
        assert "Left out of your keys" in said
        assert all(f"keymap.toml:{line}: " in said for line in (1, 2, 3))


async def test_a_run_started_elsewhere_takes_the_screen_of_a_workflow_at_rest(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path, DIAMOND) as at:
        remote = await open_studio(at.session.location, environ={})
        wish = Launch(file=str(tmp_path / "flow0.yaml"), display="flow0.yaml", policy="hold")
        number = await remote.launch(wish, Sender("somebody", {"PATH": "/usr/bin:/bin"}))
        await at.settle()
        await at.settle()
        assert at.session.shown_run == number
        assert "needs you" in at.line("top")
        again = await remote.launch(wish, Sender("somebody", {"PATH": "/usr/bin:/bin"}))
        await at.settle()
        assert at.session.shown_run == number, "it is open: nobody is taken away from it"
        assert f"run {again} (diamond) was started elsewhere by somebody: 1, enter" in at.line(
            "notice"
        )
        await at.press("1")
        await at.settle()
        await at.press("enter")
        assert at.session.shown_run == again
        await remote.close()


async def test_a_fix_that_runs_by_itself_takes_the_last_steps(tmp_path: Path) -> None:
    async with opened(tmp_path, DIAMOND, first_start=True) as at:
        await at.press("L")
        await at.settle()
        await at.press("f")
        assert "○ r" in at.text("graph")
        # As a save does it: no key says so.
        assert at.session.shown_run is not None
        await at.session.send(mark(at.session.shown_run, "check", "succeeded"))
        await at.settle()
        assert "first steps" not in at.text("graph")
        assert "all green" in at.text("graph")


# ----------------------------------------------------------------- hostile text, ascii, colours


async def test_names_are_neither_markup_nor_escapes(tmp_path: Path) -> None:
    text = 'workflow: "m[red]x"\nnodes: {a: {uses: noop, name: "[/bold]\\u001b]0;owned\\u0007"}}'
    (tmp_path / "flow.yaml").write_text(text)
    async with opened(tmp_path, DIAMOND) as at:
        at.screen.graph.set_titles("[/usr/bin/env] [red]", "[@click=quit]x")
        at.screen.body.listing("table").set_titles("[/usr/bin/env]", "[")
        at.screen.runs.set_titles("[/]", "[[")
        at.screen.notice("[/usr/bin/env] \x1b]0;owned\x07", "error")
        await at.pilot.pause()
        picture = at.app.export_screenshot()
        assert "/usr/bin/env" in picture
        assert "\x1b" not in picture
        assert at.app.errors == []


@pytest.mark.parametrize("size", [(50, 12), (80, 24), (120, 40)])
async def test_with_ascii_nothing_else_is_drawn(tmp_path: Path, size: tuple[int, int]) -> None:
    async with opened(tmp_path, DIAMOND, size=size, ascii=True) as at:
        await at.launch()
        await at.press("f", "1", "2")
        lines = "\n".join(
            "".join(segment.text for segment in strip)
            for strip in at.screen._compositor.render_strips()
        )
        own = lines if size != (120, 40) else "\n".join(at.text(n) for n in ("graph", "runs"))
        assert own.isascii(), sorted({c for c in own if not c.isascii()})


@pytest.mark.parametrize(
    ("theme", "colour"), [("light", True), ("contrast", True), ("ansi", True), ("dark", False)]
)
async def test_every_theme_draws(tmp_path: Path, theme: str, colour: bool) -> None:
    async with opened(tmp_path, DIAMOND, theme=theme, colour=colour) as at:
        await at.launch()
        assert "✗ check" in at.text("graph")
        assert at.app.errors == []
        assert at.screen.has_class("-plain") is not colour


async def test_lines_have_the_background_of_the_theme_not_of_the_terminal(tmp_path: Path) -> None:
    async with opened(tmp_path, DIAMOND, theme="light") as at:
        for name in ("graph", "inspector", "log", "top", "foot"):
            pane = at.screen.query_one(f"#{name}")
            for segment in pane.render_line(0):
                assert segment.style is not None
                assert segment.style.bgcolor is not None
                assert segment.style.bgcolor.name == BACKGROUNDS["light"]


# ----------------------------------------------------------------- going on


async def test_a_widget_that_cannot_be_drawn_is_told_of_and_the_screen_goes_on(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path, DIAMOND) as at:

        def fail(y: int) -> Strip:
            raise ValueError("no such row")

        at.screen.graph.draw_line = fail  # type: ignore[method-assign]  # a planted fault
        at.screen.graph.refresh()
        await at.pilot.pause()
        await at.pilot.pause()
        assert at.line("notice") == " ValueError: no such row"
        assert at.text("graph").startswith("?")
        assert at.app.errors == ["ValueError: no such row"]
        await at.press("4")
        assert at.current() == "log"


async def test_errors_of_timers_callbacks_and_workers_are_shown(tmp_path: Path) -> None:
    async with opened(tmp_path, DIAMOND) as at:

        def fail(what: str) -> None:
            raise ValueError(what)

        async def fail_later() -> None:
            raise ValueError("worker")

        at.screen.call_later(fail, "later")
        at.screen.call_after_refresh(fail, "refresh")
        at.screen.set_timer(0.001, lambda: fail("timer"))
        at.screen.run_worker(fail_later(), exit_on_error=False)
        for _ in range(100):
            await at.pilot.pause(0.01)
            if len(at.app.errors) == 4:
                break
        assert sorted(at.app.errors) == [
            f"ValueError: {what}" for what in ("later", "refresh", "timer", "worker")
        ]
        assert at.app.is_running


async def test_a_flood_of_changes_is_one_flush(tmp_path: Path) -> None:
    async with opened(tmp_path, wide(40)) as at:
        flushes: list[int] = []
        original = at.screen.graph.refresh_cells

        def count(paths: object = None) -> None:
            flushes.append(1)
            original()

        at.screen.graph.refresh_cells = count  # type: ignore[method-assign]  # counts the flushes
        for number in range(1000):
            at.session._changes.nodes.add(f"n{number % 40}")
            at.session.on_change()
        await at.settle()
        assert len(flushes) <= 2


async def test_an_idle_screen_sets_no_timer(tmp_path: Path) -> None:
    async with opened(tmp_path, DIAMOND) as at:
        await at.launch()
        await at.pilot.pause()
        assert at.screen._flushing is None
        assert at.screen._ticking is None
        assert timers(at) == []


async def test_a_flush_leaves_none_behind_that_was_to_come(tmp_path: Path) -> None:
    async with opened(tmp_path, DIAMOND) as at:
        at.screen._wake_up()
        assert len(timers(at)) == 1
        at.screen._flush()
        assert timers(at) == []


async def test_the_inspector_of_a_run_at_rest_sets_no_timer(tmp_path: Path) -> None:
    async with opened(tmp_path, DIAMOND) as at:
        await at.launch()
        at.screen.select("check")
        # As while the run moved: what it was to draw later is drawn when the run has come to rest.
        at.screen.inspector._ticking = at.screen.inspector.set_timer(60, at.screen.inspector._tick)
        at.screen._flush()
        assert timers(at) == []


def timers(at: Opened) -> list[object]:
    """Timers that have yet to ring."""
    return [
        timer
        for node in [at.app, at.screen, *at.screen.query("*")]
        for timer in list(node._timers)
        if timer._task is not None and not timer._task.done()
    ]


# ----------------------------------------------------------------- looking elsewhere


async def test_a_terminal_without_focus_is_told_of_needs_and_of_ends(tmp_path: Path) -> None:
    async with opened(tmp_path, DIAMOND) as at:
        written: list[str] = []
        attention = Attention(written.append)
        attention.look(at.session, focused=False)
        assert written == ["\x1b]2;studio — diamond\x07"]
        written.clear()
        await at.launch()
        attention.look(at.session, focused=False)
        assert written == [
            "\x1b]2;◆ studio — diamond: 1 needs you\x07",
            "\x07\x1b]9;diamond #1 needs you\x07",
        ]
        written.clear()
        attention.look(at.session, focused=False)
        assert written == []


async def test_a_focused_terminal_is_not_rung(tmp_path: Path) -> None:
    async with opened(tmp_path, DIAMOND) as at:
        written: list[str] = []
        attention = Attention(written.append)
        attention.look(at.session, focused=True)
        await at.launch()
        attention.look(at.session, focused=True)
        assert all("\x1b]9" not in text for text in written)


async def test_a_list_without_rows_has_no_cursor(tmp_path: Path) -> None:
    async with opened(tmp_path) as at:
        empty = RowsView()
        await at.screen.mount(empty)
        empty.move_cursor(3)
        assert empty.cursor is None
        at.screen.post_message(events.Blur())
        at.screen.post_message(Resize(Size(120, 40), Size(120, 40)))
        await at.pilot.pause()
