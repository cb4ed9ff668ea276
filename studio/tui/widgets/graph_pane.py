"""The graph of the shown run or workflow: what is drawn of it, and where the cursor is."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar, Literal

import msgspec
from textual import events
from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.worker import Worker

from studio.application.session import Plan, Session
from studio.projections.layout import Layout, Segment, Style, clean, neighbour
from studio.projections.screen.graph import around, first_to_see, item_counts
from studio.projections.screen.picture import Picture, Wish, draw
from studio.tui.guard import report_worker
from studio.tui.messages import GraphDrawn, NodeOpened
from studio.tui.widgets.graph_view import GraphView

STYLES: tuple[Style, ...] = ("mosaic", "dot", "name", "pill", "box")

LAID_OUT_AT_ONCE = 150
"""Nodes up to which a layout (some 20 ms) is waited for; larger graphs are laid out beside the screen."""

PAN_COLUMNS, PAN_ROWS = 12, 4
"""Cells that a shifted arrow key moves the drawing by."""


class GraphPane(GraphView, inherit_bindings=False):
    """Follows the session's run or workflow; the cursor is on one node, or on a closed group.

    Args:
        ascii: draw with ASCII characters only.

    Attributes:
        selected: path of the node or item that is selected; None on a closed group, and without nodes.
        drawing_text: how it is drawn, such as ``box · TB``; empty without a drawing.
        on_cursor: called with ``selected`` when the cursor has moved; at once, so that one paint shows all of it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move('up')", show=False),
        Binding("down,j", "move('down')", show=False),
        Binding("left,h", "move('left')", show=False),
        Binding("right,l", "move('right')", show=False),
        Binding("shift+up", "pan(0, -1)", show=False),
        Binding("shift+down", "pan(0, 1)", show=False),
        Binding("shift+left", "pan(-1, 0)", show=False),
        Binding("shift+right", "pan(1, 0)", show=False),
        Binding("g,home", "ends(False)", show=False),
        Binding("G,end", "ends(True)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("enter,space", "open_group", show=False),
    ]

    def __init__(self, *, id: str | None = None, ascii: bool = False) -> None:
        super().__init__(id=id, ascii=ascii)
        self.selected: str | None = None
        self.drawing_text = ""
        self.on_cursor: Callable[[str | None], None] = lambda path: None
        self._opened_at: str | None = None
        self._anew = False
        self._focus_on: str | None = None
        self._style: Style | None = None
        self._groups: frozenset[str] | None = None
        self._ascii = ascii
        self._session: Session | None = None
        self._plan: Plan | None = None
        self._wanted: Wish | None = None
        self._matches: list[str] = []

    # ----------------------------------------------------------------- showing

    def show(self, session: Session) -> None:
        """Show the session's run or workflow, laid out anew where its shape changed."""
        self._session = session
        plan, old = session.plan, self._plan
        if plan is None or old is None or plan.version != old.version:
            self._plan = plan
            if plan is None or old is None or plan.workflow.name != old.workflow.name:
                self._focus_on = self._groups = self.selected = None
                self._matches = []
            elif self._focus_on not in plan.nodes:
                self._focus_on = None
        if self._anew:
            self._anew = False
            self.selected = None
        self._lay_out()
        self.refresh_cells()
        if plan is not None and (self.selected is None or not plan.knows(self.selected)):
            group = self.picture.group_of(self.cursor) if self.picture is not None else None
            if group is None or self.cursor is None:
                self._opened_at = first_to_see(plan, session.run)
                self.select(self._opened_at)

    def open_anew(self) -> None:
        """Let the next run shown choose where the cursor stands, unless a person has moved it."""
        self._anew = self.selected == self._opened_at

    def _lay_out(self) -> None:
        plan, session = self._plan, self._session
        if plan is None or not plan.order or session is None:
            self._wanted = self.picture = None
            self.drawing_text = ""
            self.virtual_size = Size(0, 0)
            self.refresh()
            return
        if not self.size.area:
            return
        room = self.content_region.size
        wish = Wish(
            plan,
            max(1, room.width),
            max(1, room.height),
            only=around(plan, self._focus_on) if self._focus_on is not None else None,
            closed=self._groups,
            style=self._style,
            items=item_counts(session.run),
        )
        if wish == self._wanted:
            return
        before, self._wanted = self._wanted, wish
        seed = (
            self.picture.layout if self.picture is not None and _keeps_order(before, wish) else None
        )
        if len(plan.order) <= LAID_OUT_AT_ONCE:
            self._adopt(draw(wish, seed=seed, ascii=self._ascii))
        else:
            # The old drawing stays until the new one is there.
            self.run_worker(
                self._draw_beside(wish, seed), group="layout", exclusive=True, exit_on_error=False
            )

    async def _draw_beside(self, wish: Wish, seed: Layout | None) -> None:
        if self.picture is None:
            self.say([[Segment(f"laying out {len(wish.plan.order)} nodes", "dim")]])
        picture = await asyncio.to_thread(draw, wish, seed=seed, ascii=self._ascii)
        if wish is self._wanted:
            self._adopt(picture)
            self.refresh_cells()
            self.post_message(GraphDrawn())

    def _adopt(self, picture: Picture) -> None:
        self.picture = picture
        if picture.closed and self._groups is None:
            # What was chosen by itself stays chosen: the next size must not open the groups again.
            self._groups = picture.closed
            self._wanted = msgspec.structs.replace(picture.wish, closed=picture.closed)
        self.cursor = picture.home(self.selected) or (
            self.cursor if self.cursor in picture.layout.boxes else None
        )
        picture.raster.select(self.cursor)
        self.corners.forget()
        layout = picture.layout
        self.drawing_text = f"{picture.drawing.style} · {picture.drawing.direction}"
        self.virtual_size = Size(layout.width, layout.height)
        self.refresh()
        self.call_after_refresh(self.reveal)

    @property
    def scrolls(self) -> bool:
        """Whether more is drawn than the pane shows."""
        return self.picture is not None and not self.picture.drawing.fits

    @property
    def summary(self) -> str:
        """What is drawn, in a few words: ``18 nodes · 9 layers``."""
        picture, plan = self.picture, self._plan
        if picture is None or plan is None:
            return ""
        shown, layers = len(picture.folded.home), len(picture.layout.layers)
        nodes = f"{shown} of {len(plan.order)}" if shown != len(plan.order) else str(shown)
        text = f"{nodes} node{'s' * (shown != 1)} · {layers} layer{'s' * (layers != 1)}"
        if self._focus_on is not None:
            text += f" · around {clean(self._focus_on)}"
        if picture.members:
            text += f" · {len(picture.members)} folded"
        return text

    def refresh_cells(self, paths: Iterable[str] | None = None) -> None:
        """Compute what nodes show again, all or some, and draw those that changed."""
        session, picture = self._session, self.picture
        if session is None or picture is None:
            return
        changed, edges = picture.update(
            session.run, session.now(), session.progress, paths, self.in_sight(picture)
        )
        if edges:
            self.refresh()
        elif changed:
            self.refresh_nodes(changed)

    def refresh_moving(self) -> None:
        """Durations and countdowns went on."""
        picture = self.picture
        if picture is not None and picture.moving:
            inside = [one for name in picture.moving for one in picture.members.get(name, (name,))]
            self.refresh_cells(inside)

    # ----------------------------------------------------------------- the cursor

    def select(self, path: str | None) -> None:
        """Put the cursor on a node, an item or a closed group (``group:name``), and tell the screen."""
        picture = self.picture
        shown = path
        if picture is not None and path is not None:
            shown = path if path in picture.layout.boxes else picture.home(path)
            if shown is None and self._focus_on is not None:
                # What is outside the focus cannot be shown within it.
                self._focus_on = None
                self.selected = path
                self._lay_out()
                self.on_cursor(path)
                return
        group = picture is not None and shown is not None and picture.group_of(shown) is not None
        if group and shown == path:
            path = None
        if path == self.selected and shown == self.cursor:
            return
        before = self.cursor
        self.selected, self.cursor = path, shown
        if picture is not None:
            picture.raster.select(shown)
            self.refresh_selection((before, shown))
            self.reveal()
        self.on_cursor(path)

    def action_move(self, heading: Literal["up", "down", "left", "right"]) -> None:
        """Go to the neighbour in a direction."""
        picture = self.picture
        if picture is None:
            # A graph that is still being laid out has no directions yet.
            self.move_in_order(1 if heading in ("down", "right") else -1)
            return
        if self.cursor is None or self.cursor not in picture.layout.boxes:
            self.select(picture.layout.layers[0][0])
            return
        there = neighbour(picture.layout, self.cursor, heading)
        if there is not None:
            self.select(there)

    def move_in_order(self, step: int) -> None:
        """Go to the next or previous node in topological order."""
        picture, plan = self.picture, self._plan
        if plan is None or not plan.order:
            return
        names = list(dict.fromkeys(picture.folded.home.values()) if picture else plan.order)
        here = names.index(self.cursor) if self.cursor in names else -step
        self.select(names[min(max(here + step, 0), len(names) - 1)])

    def action_ends(self, last: bool) -> None:
        """Go to the first or last node."""
        if self._plan is not None:
            self.move_in_order(len(self._plan.order) if last else -len(self._plan.order))

    def keep_matches(self, found: Sequence[str]) -> None:
        """Nodes that were found, in the order of the graph: what `go_to_match` goes through."""
        self._matches = list(found)

    def go_to_match(self, step: int) -> tuple[int, int]:
        """Go to the next or previous node that was found. Returns its number, from 1, and how many there are."""
        plan = self._plan
        if plan is None:
            return 0, 0
        found = self._matches = [name for name in self._matches if plan.knows(name)]
        if not found:
            return 0, 0
        if self.selected in found:
            index = (found.index(self.selected) + step) % len(found)
        else:
            rank = plan.node(self.selected).rank if self.selected is not None else -1
            behind = sum(plan.nodes[name].rank <= rank for name in found)
            index = (behind if step > 0 else behind - 1) % len(found)
        self.select(found[index])
        return index + 1, len(found)

    # ----------------------------------------------------------------- what is drawn

    def change_detail(self, step: int) -> bool:
        """Draw nodes with more or less detail; 0 lets the pane choose. Returns whether there was more, or less."""
        before = self.picture.drawing.style if self.picture is not None else None
        if step == 0:
            self._style = None
        else:
            style: Style = self.picture.drawing.style if self.picture is not None else "pill"
            self._style = STYLES[min(max(STYLES.index(style) + step, 0), len(STYLES) - 1)]
        self._lay_out()
        self.refresh_cells()
        return self._style != before

    @property
    def focused_on(self) -> str | None:
        """The node around which the graph is drawn, None when all of it is."""
        return self._focus_on

    def toggle_focus(self) -> None:
        """Show only what is around the selected node, or everything again."""
        self._focus_on = None if self._focus_on is not None else self.selected
        self._lay_out()
        self.refresh_cells()

    def toggle_fold(self) -> str:
        """Open the closed group under the cursor, or close the group of the selected node.

        Returns:
            What came of it, for the notice line; empty when it can be seen.
        """
        picture, plan = self.picture, self._plan
        if picture is None or plan is None:
            return ""
        group = picture.group_of(self.cursor)
        if group is not None:
            first = picture.members[self.cursor or ""][0]
            self._groups = picture.closed - {group}
            self.selected = first
        elif self.selected is None:
            return ""
        else:
            group = plan.node(self.selected).node.group
            if group is None:
                return f"{clean(self.selected)} is in no group"
            self._groups = picture.closed | {group}
        self._lay_out()
        self.refresh_cells()
        now = self.picture
        if now is not None and group in now.folded.refused:
            self._groups = now.closed
            return f"group {clean(group)} stays open: a path leaves it and comes back"
        if now is not None and now.group_of(self.cursor) is not None:
            self.selected = None
        self.on_cursor(self.selected)
        return ""

    def action_open_group(self) -> None:
        """Enter and space on a closed group open it; elsewhere they are the screen's."""
        if self.picture is None or self.picture.group_of(self.cursor) is None:
            raise SkipAction
        self.toggle_fold()
        self.post_message(GraphDrawn())

    def toggle_map(self) -> str:
        """Show or hide the map; returns why it cannot be shown, or nothing."""
        why_not = self.corners.toggle_map(self.picture, (self.size.width, self.size.height))
        self.refresh()
        return why_not

    def action_pan(self, columns: int, rows: int) -> None:
        """Move the drawing under the pane."""
        self.scroll_relative(columns * PAN_COLUMNS, rows * PAN_ROWS, animate=False)

    def action_page(self, step: int) -> None:
        """Go a screen up or down."""
        self.scroll_relative(y=step * max(1, self.size.height - 2), animate=False)

    def on_resize(self, event: events.Resize) -> None:
        """Another size may allow another drawing."""
        self._lay_out()
        self.refresh_cells()
        self.call_after_refresh(self.reveal)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A layout that failed is news; the old drawing stays."""
        report_worker(event, self.app)

    def on_click(self, event: events.Click) -> None:
        """A click selects; a double click opens. On the map it goes there."""
        picture = self.picture
        at = event.get_content_offset(self)
        if picture is None or at is None:
            return
        spot = self.corners.spot(picture, at.x, at.y)
        if spot is not None:
            columns, rows = self.size.width // 2, self.size.height // 2
            self.scroll_to(spot[0] - columns, spot[1] - rows, animate=False)
            return
        name = self.node_at(at.x, at.y)
        if name is None:
            return
        self.select(name)
        if event.chain == 2:
            if picture.group_of(name) is not None:
                self.toggle_fold()
                self.post_message(GraphDrawn())
            else:
                self.post_message(NodeOpened(name))


def _keeps_order(before: Wish | None, wish: Wish) -> bool:
    """Whether a new drawing keeps to the order of the one before.

    After an edit nodes should be found again where they were. Another size alone gives what it would have given at the
    start: a layout made for one size, and kept to, looks stretched in another.
    """
    if before is None or before.plan.workflow.name != wish.plan.workflow.name:
        return False
    sized = msgspec.structs.replace(before, width=wish.width, height=wish.height, style=wish.style)
    return sized != wish
