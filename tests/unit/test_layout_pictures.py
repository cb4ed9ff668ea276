"""What drawings look like: a few whole pictures, and the glyphs that carry meaning."""

from __future__ import annotations

import msgspec

from studio.projections.graph_text import render_text
from studio.projections.layout import (
    Direction,
    Layout,
    LayoutEdge,
    LayoutNode,
    NodeCell,
    Raster,
    Style,
    arrange,
    natural_width,
    sized,
)

GLYPHS = {"succeeded": "✓", "failed": "✗", "running": "●", "blocked": "○"}


def make_cells(names: str, states: dict[str, str] | None = None) -> dict[str, NodeCell]:
    states = states or {}
    cells = {}
    for name in names.split():
        state = states.get(name, "succeeded")
        cells[name] = NodeCell(name, GLYPHS[state], name, "", state)
    return cells


def lay(
    cells: dict[str, NodeCell], edges: str, style: Style = "box", direction: Direction = "TB"
) -> Layout:
    width = max(natural_width(cell) for cell in cells.values())
    nodes = [LayoutNode(name, width, 3) for name in cells]
    pairs = []
    for word in edges.split():
        failure = "!" in word
        source, target = word.split("!" if failure else ">")
        pairs.append(LayoutEdge(source, target, "failure" if failure else "success"))
    return arrange(sized(nodes, style), pairs, direction=direction)


def picture(layout: Layout, cells: dict[str, NodeCell], selected: str | None = None) -> str:
    raster = Raster(layout, cells)
    raster.select(selected)
    rows = raster.render(0, 0, layout.width, layout.height)
    return "\n".join("".join(segment.text for segment in row).rstrip() for row in rows)


def drawn(text: str) -> str:
    """A picture written in a test: without the surrounding lines and the indentation."""
    lines = text.strip("\n").split("\n")
    indent = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
    return "\n".join(line[indent:].rstrip() for line in lines).rstrip()


def test_chain_is_straight() -> None:
    cells = make_cells("load clean store")
    assert picture(lay(cells, "load>clean clean>store"), cells) == drawn(
        """
        ╭───────╮
        │✓ load │
        ╰───┬───╯
            ▾
        ╭───────╮
        │✓ clean│
        ╰───┬───╯
            ▾
        ╭───────╮
        │✓ store│
        ╰───────╯
        """
    )


def test_fork_and_join_are_centred_and_the_selection_is_heavy() -> None:
    cells = make_cells("start left mid right end", {"right": "failed", "end": "blocked"})
    edges = "start>left start>mid start>right left>end mid>end right>end"
    assert picture(lay(cells, edges), cells, "right") == drawn(
        """
                    ╭───────╮
                    │✓ start│
                    ╰───┬───╯
            ┌───────────╄━━━━━━━━━━━┓
            ▾           ▾           ▾
        ╭───────╮   ╭───────╮   ┏━━━━━━━┓
        │✓ left │   │✓ mid  │   ┃✗ right┃
        ╰───┬───╯   ╰───┬───╯   ┗━━━┳━━━┛
            └───────────╆━━━━━━━━━━━┛
                        ▾
                    ╭───────╮
                    │○ end  │
                    ╰───────╯
        """
    )


def test_pills_from_left_to_right() -> None:
    cells = make_cells("a b c d")
    assert picture(lay(cells, "a>b a>c b>d c>d", "pill", "LR"), cells).split("\n") == [
        "      ┌▸ ✓ b ─┐",
        " ✓ a ─┤       ├▸ ✓ d",
        "      └▸ ✓ c ─┘",
    ]


def test_dots() -> None:
    cells = make_cells("a b c d")
    assert picture(lay(cells, "a>b a>c b>d c>d", "dot"), cells) == drawn(
        """
          ✓
        ┌─┴─┐
        ▾   ▾
        ✓   ✓
        └─┬─┘
          ▾
          ✓
        """
    )


def test_failure_edges_are_dashed() -> None:
    cells = make_cells("work next undo")
    assert picture(lay(cells, "work>next work!undo", "dot"), cells) == drawn(
        """
          ✓
        ┌─┤
        │ └┄┐
        ▾   ▾
        ✓   ✓
        """
    )


def test_crossing_lines_are_not_joined() -> None:
    # K3,3 less a perfect matching cannot be drawn without crossings in two layers.
    cells = make_cells("a b c x y z")
    layout = lay(cells, "a>y a>z b>x b>z c>x c>y", "dot")
    assert layout.crossings > 0
    assert picture(layout, cells) == drawn(
        """
        ✓   ✓   ✓
        ├──┐│   │
        ├──│┴──┐│
        │  │┌──│┤
        │  └┤  └┤
        ▾   ▾   ▾
        ✓   ✓   ✓
        """
    )


def test_a_failed_node_has_a_double_frame_that_its_edges_leave_plainly() -> None:
    cells = make_cells("work next", {"work": "failed"})
    cells["work"] = msgspec.structs.replace(cells["work"], stack=True)
    layout = lay(cells, "work>next")
    assert picture(layout, cells) == drawn(
        """
        ╔══════╦╗
        ║✗ work║║
        ╚═══╤══╩╝
            ▾
        ╭───────╮
        │✓ next │
        ╰───────╯
        """
    )


def test_progress_and_stack_show_in_the_frame() -> None:
    cells = {"each": NodeCell("each", "●", "each item", "3/8", "running", progress=0.5, stack=True)}
    assert picture(lay(cells, ""), cells) == drawn(
        """
        ╭────────────────┬╮
        │● each item  3/8││
        ╰━━━━━━━━────────┴╯
        """
    )


def test_ascii_uses_ascii_only() -> None:
    cells = make_cells("load clean undo", {"clean": "failed"})
    text = render_text(lay(cells, "load>clean clean!undo"), cells, ascii=True)
    assert text == (
        "+-------+\n"
        "|+ load |\n"
        "+---+---+\n"
        "    v\n"
        "!=======!\n"
        "!! clean!\n"
        "!===+===!\n"
        "    v\n"
        "+-------+\n"
        "|+ undo |\n"
        "+-------+\n"
    )
