"""The graph: one culled widget that draws only the cells that are visible and only what changed."""

from collections.abc import Iterable
from typing import Literal

from rich.segment import Segment as RichSegment
from textual import events
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from studio.application.session import Session
from studio.projections.layout import Drawing, NodeCell, Raster, choose, neighbour
from studio.projections.layout.graph import Style
from studio.projections.screen.graph import (
    around,
    cell_of,
    dead_edges,
    graph_of,
    plain_cell,
)
from studio.tui.guard import Guarded
from studio.tui.messages import NodeOpened, NodeSelected
from studio.tui.palette import Palette

STYLES: tuple[Style, ...] = ("dot", "pill", "box")


class GraphPane(Guarded, ScrollView, can_focus=True):
    """Draws the shown plan; the cursor is on one node.

    Args:
        ascii: draw with ASCII characters only.
    """

    DEFAULT_CSS = """
    GraphPane { background: transparent; scrollbar-size-vertical: 1; scrollbar-size-horizontal: 1; }
    """

    def __init__(self, *, id: str | None = None, ascii: bool = False) -> None:
        super().__init__(id=id)
        self.border_title = "2 Graph"
        self.selected: str | None = None
        self.focus_on: str | None = None
        self.style_wish: Style | None = None
        self._ascii = ascii
        self._session: Session | None = None
        self._plan = Session.no_plan()
        self._drawing: Drawing | None = None
        self._raster: Raster | None = None
        self._cells: dict[str, NodeCell] = {}
        self._sized_for = (0, 0)

    # ----------------------------------------------------------------- showing

    def show(self, session: Session) -> None:
        """Show the session's run or workflow, laid out anew where its shape changed."""
        self._session = session
        plan = session.plan
        if plan is not self._plan:
            self._plan = plan
            if self.focus_on is not None and (plan is None or self.focus_on not in plan.nodes):
                self.focus_on = None
            self._lay_out()
        self.refresh_cells()
        if plan is not None and (self.selected is None or self.selected not in plan.nodes):
            self.select(plan.order[0] if plan.order else None)

    def _lay_out(self) -> None:
        plan = self._plan
        if plan is None or not plan.order:
            self._drawing = self._raster = None
            self.virtual_size = Size(0, 0)
            self.refresh()
            return
        only = around(plan, self.focus_on) if self.focus_on is not None else None
        nodes, edges = graph_of(plan, only)
        width, height = max(20, self.size.width), max(5, self.size.height)
        self._sized_for = (width, height)
        seed = self._drawing.layout if self._drawing is not None else None
        self._drawing = choose(nodes, edges, width, height, style=self.style_wish, seed=seed)
        self._cells = {}
        self._raster = Raster(self._drawing.layout, self._cells, ascii=self._ascii)
        self.virtual_size = Size(self._drawing.layout.width, self._drawing.layout.height)
        self.border_subtitle = f"{self._drawing.style} · {self._drawing.direction}"
        self.border_title = (
            f"2 Graph  {len(nodes)} nodes · {len(self._drawing.layout.layers)} layers"
        )
        self.refresh()

    def refresh_cells(self, paths: Iterable[str] | None = None) -> None:
        """Compute what nodes show again, all or some, and draw those that changed."""
        session, plan, raster = self._session, self._plan, self._raster
        if session is None or plan is None or raster is None:
            return
        run = session.run
        names = raster.layout.boxes if paths is None else {_base(path) for path in paths}
        for name in names:
            if name not in raster.layout.boxes:
                continue
            selected = name == self.selected
            node = run.nodes.get(name) if run is not None else None
            if run is None or node is None:
                cell = plain_cell(plan, name, selected=selected, ascii=self._ascii)
            else:
                fraction = session.progress.get(name, (None, ""))[0]
                cell = cell_of(
                    run, node, session.now(), fraction, selected=selected, ascii=self._ascii
                )
            if self._cells.get(name) != cell:
                self._cells[name] = cell
                self._refresh_node(name)
        if run is not None:
            raster.set_dead(dead_edges(run, raster.layout.edges))

    def _refresh_node(self, name: str) -> None:
        if self._raster is None:
            return
        x, y, width, height = self._raster.region(name)
        dx, dy = self.scroll_offset
        left, top = self._padding()
        region = Region(x - dx + left, y - dy + top, width, height)
        visible = region.intersection(Region(0, 0, self.size.width, self.size.height))
        if visible.area:
            self.refresh(visible)

    def _padding(self) -> tuple[int, int]:
        """Columns and rows that centre a drawing smaller than the pane."""
        if self._raster is None:
            return 0, 0
        left = max(0, (self.size.width - self._raster.width) // 2)
        top = 1 if self._raster.height + 1 < self.size.height else 0
        return left, top

    # ----------------------------------------------------------------- the cursor

    def select(self, path: str | None) -> None:
        """Put the cursor on a node, bring it into view and tell the screen."""
        if path is not None:
            path = _base(path)
        if path == self.selected:
            return
        old, self.selected = self.selected, path
        if self._raster is not None:
            self._raster.select(path if path in self._raster.layout.boxes else None)
        self.refresh_cells([name for name in (old, path) if name is not None])
        self.refresh()
        self.reveal()
        self.post_message(NodeSelected(path))

    def reveal(self) -> None:
        """Scroll so that the selected node is visible, with some of what is around it."""
        if self._raster is None or self.selected is None:
            return
        if self.selected not in self._raster.layout.boxes:
            return
        x, y, width, height = self._raster.region(self.selected)
        self.scroll_to_region(
            Region(x - 4, y - 2, width + 8, height + 4), animate=False, force=True
        )

    def move(self, heading: Literal["up", "down", "left", "right"]) -> None:
        """Go to the neighbour in a direction."""
        drawing = self._drawing
        if drawing is None:
            return
        if self.selected is None or self.selected not in drawing.layout.boxes:
            self.select(drawing.layout.layers[0][0])
            return
        there = neighbour(drawing.layout, self.selected, heading)
        if there is not None:
            self.select(there)

    def move_in_order(self, step: int) -> None:
        """Go to the next or previous node in topological order."""
        plan = self._plan
        if plan is None or not plan.order:
            return
        names = [n for n in plan.order if self._raster is None or n in self._raster.layout.boxes]
        here = names.index(self.selected) if self.selected in names else -step
        self.select(names[min(max(here + step, 0), len(names) - 1)])

    def go_to_end(self, last: bool) -> None:
        """Go to the first or last node."""
        plan = self._plan
        if plan is not None and plan.order:
            self.select(plan.order[-1 if last else 0])

    def change_detail(self, step: int) -> None:
        """Draw nodes with more or less detail; 0 lets the pane choose."""
        if step == 0:
            self.style_wish = None
        else:
            now = STYLES.index(self._drawing.style) if self._drawing is not None else 1
            self.style_wish = STYLES[min(max(now + step, 0), len(STYLES) - 1)]
        self._lay_out()
        self.refresh_cells()
        self.reveal()

    def toggle_focus(self) -> None:
        """Show only what is around the selected node, or everything again."""
        self.focus_on = None if self.focus_on is not None else self.selected
        self._lay_out()
        self.refresh_cells()
        self.reveal()

    # ----------------------------------------------------------------- drawing

    @property
    def palette(self) -> Palette:
        """Styles of the running theme."""
        palette = getattr(self.app, "palette", None)
        return palette if isinstance(palette, Palette) else Palette()

    def render_line(self, y: int) -> Strip:
        """One visible line of the drawing."""
        width = self.size.width
        raster = self._raster
        if raster is None:
            return Strip.blank(width)
        left, top = self._padding()
        row = y - top + self.scroll_offset.y
        if not 0 <= row < raster.height:
            return Strip.blank(width)
        x = self.scroll_offset.x
        style = self.palette.style
        parts = [RichSegment(" " * left)] if left else []
        for part in raster.render_row(row, x, x + width - left):
            parts.append(RichSegment(part.text, style(part.style)))
        return Strip(parts).extend_cell_length(width).crop(0, width)

    def on_resize(self, event: events.Resize) -> None:
        """Another size may allow another drawing."""
        if (self.size.width, self.size.height) != self._sized_for and self._plan is not None:
            self._lay_out()
            self.refresh_cells()
            self.reveal()

    def on_click(self, event: events.Click) -> None:
        """A click selects; a double click opens."""
        name = self._node_at(event.x, event.y)
        if name is None:
            return
        self.select(name)
        if event.chain == 2:
            self.post_message(NodeOpened(name))

    def _node_at(self, x: int, y: int) -> str | None:
        if self._raster is None:
            return None
        left, top = self._padding()
        column, row = x - left + self.scroll_offset.x, y - top + self.scroll_offset.y
        for name, box in self._raster.layout.boxes.items():
            if box.x <= column < box.x + box.width and box.y <= row < box.y + box.height:
                return name
        return None


def _base(path: str) -> str:
    return path[: path.rindex("[")] if path.endswith("]") else path
