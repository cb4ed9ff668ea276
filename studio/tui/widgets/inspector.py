"""The inspector: everything about the selected node, in tabs."""

from typing import ClassVar, Final

from textual import events
from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.timer import Timer

from studio.application.session import Session
from studio.projections.layout import Segment
from studio.projections.screen.inspecting.subject import Subject
from studio.projections.screen.inspector import TABS, Page, head_rows, tab_at
from studio.tui.messages import NodeOpened, NodeSelected
from studio.tui.widgets.inspected import Inspected
from studio.tui.widgets.paged_view import PagedView, Row

TICK: Final = 1.0
"""Seconds between two updates of times, countdowns and neighbours while the run moves; none while it rests."""

SOON: Final = 0.01
"""Seconds until the next slice of a long history is read."""


class Inspector(PagedView):
    """Tabs of the selected node; left and right change the tab, or fold where there is something to fold."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "fold(-1)", show=False),
        Binding("right,l", "fold(1)", show=False),
        Binding("enter", "enter", show=False),
        Binding("space", "unfold", show=False),
        Binding("left_square_bracket", "tab(-1)", show=False),
        Binding("right_square_bracket", "tab(1)", show=False),
        Binding("backspace", "leave_item", show=False),
    ]

    def __init__(self, *, id: str | None = None, ascii: bool = False) -> None:
        super().__init__(id=id, ascii=ascii)
        self.set_title("3 Node")
        self.tab = TABS[1]
        self.page = Page([[Segment("select a node", "dim")]])
        self._inspected = Inspected(ascii=ascii)
        self._wish = TABS[1]
        self._chosen = False
        self._ticking: Timer | None = None
        self._cursors: dict[str, int] = {}

    # ----------------------------------------------------------------- what is shown

    def show(self, session: Session, path: str | None) -> None:
        """Show a node; a failed one opens on its error unless a tab was chosen for it."""
        if self._inspected.turn_to(session, path):
            self._chosen = False
            self._cursors.clear()
            self.cursor = None
            self.scroll_to(0, 0, animate=False)
            self.set_title(f"3 {path.removeprefix('group:')}" if path is not None else "3 Node")
        tabs = self.tabs()
        if not self._chosen or self.tab not in tabs:
            wished = self._wish in tabs and tabs[0] != "Error"
            self._turn_to(self._wish if wished else tabs[0])
        self.refresh_content()

    def tabs(self) -> tuple[str, ...]:
        """Tabs that the shown node has."""
        return self._inspected.tabs()

    def change_tab(self, step: int) -> None:
        """Go to the next or previous tab."""
        tabs = self.tabs()
        here = tabs.index(self.tab) if self.tab in tabs else 0
        self.open_tab(tabs[(here + step) % len(tabs)])

    def open_tab(self, tab: str) -> None:
        """Show a tab, for this node and, where there is no error to be seen first, for those selected next."""
        self._chosen = True
        self._wish = tab
        self._turn_to(tab)
        self.refresh_content()

    def _turn_to(self, tab: str) -> None:
        if tab == self.tab:
            return
        if self.cursor is not None:
            self._cursors[self.tab] = self.cursor
        self.tab = tab
        self.cursor = self._cursors.get(tab)
        self.scroll_to(0, 0, animate=False)

    def _subject(self) -> Subject | None:
        return self._inspected.subject(max(16, self.row_cells))

    def refresh_content(self) -> None:
        """Compute the shown tab again."""
        subject = self._subject()
        if subject is None:
            self.page = Page([[Segment("select a node", "dim")]])
            self.lay([], len(self.page))
            return
        self.page = self._inspected.page(subject, self.tab)
        if not self.page.chosen:
            self.cursor = None
        elif self.cursor is None and self.page.length:
            self.cursor = len(self.page.head)
        grouped = subject.path.startswith("group:")
        self.lay([] if grouped else head_rows(subject, self.tab, self.tabs()), len(self.page))
        self._describe_cursor()
        self._refresh_later(subject)

    def _refresh_later(self, subject: Subject) -> None:
        """Soon when a history is half read, in a while when the run moves (times, neighbours), else not at all."""
        run = subject.run
        session = self._inspected.session
        moves = session is not None and session.moves
        moving = run is not None and moves and (run.flying > 0 or run.waits > 0)
        wait = SOON if not self._inspected.complete else TICK if moving else None
        if wait is not None and self._ticking is None:
            self._ticking = self.set_timer(wait, self._tick)
        elif wait is None and self._ticking is not None:
            self._ticking.stop()
            self._ticking = None

    def _tick(self) -> None:
        self._ticking = None
        self.refresh_content()

    def come_to_rest(self) -> None:
        """The run moves no more: show how it stands now instead of in a while."""
        if self._ticking is not None:
            self._ticking.stop()
            self._tick()

    def row_at(self, index: int) -> Row:
        """One row of the open tab."""
        return self.page.row(index)

    def on_resize(self) -> None:
        """Wrap anew."""
        self.refresh_content()

    # ----------------------------------------------------------------- cursor and folds

    def _place(self) -> int | None:
        """Row of the page's body under the cursor."""
        if self.cursor is None or self.cursor < len(self.page.head):
            return None
        return self.cursor - len(self.page.head)

    def move_cursor(self, index: int) -> None:
        """Put the cursor on a row of the body and bring it into view; the first one also brings what is above."""
        first = len(self.page.head)
        super().move_cursor(max(index, first) if self.page.length else index)
        if self.cursor is not None and self.cursor <= first:
            self.scroll_to(y=0, animate=False)
        self._describe_cursor()

    def _describe_cursor(self) -> None:
        self.set_subtitle(self.path_at() or "[ ] tab")

    def path_at(self, index: int | None = None) -> str:
        """The template for the value at a row of the Input or Output tab (the cursor's without one), or nothing."""
        place = self._place() if index is None else index - len(self.page.head)
        tree = self.page.tree
        return tree.path_at(place) if tree is not None and place is not None else ""

    def _toggle(self) -> bool:
        place, page = self._place(), self.page
        subject = self._subject()
        if page.ask and subject is not None:
            self._inspected.ask(subject, self.tab)
            self.refresh_content()
            return True
        if page.tree is None or place is None or not page.tree.toggle(place):
            return False
        self.refresh_content()
        return True

    def action_unfold(self) -> None:
        """Space: open or close what the cursor is on."""
        if not self._toggle():
            raise SkipAction()

    def action_enter(self) -> None:
        """Enter: open or close a value, open an item; elsewhere the screen's Enter."""
        place, items = self._place(), self.page.items
        if items is not None and place is not None:
            self.post_message(NodeSelected(items.path(place)))
        elif not self._toggle():
            raise SkipAction()

    def action_fold(self, step: int) -> None:
        """Right opens and left closes what the cursor is on; where nothing is to fold they change the tab."""
        place, tree = self._place(), self.page.tree
        if (
            tree is not None
            and place is not None
            and tree.can_fold(place)
            and tree.is_open(place) == (step < 0)
        ):
            self._toggle()
        else:
            self.change_tab(step)

    def action_tab(self, step: int) -> None:
        """The next or previous tab."""
        self.change_tab(step)

    def action_leave_item(self) -> None:
        """Backspace: from an item back to its foreach."""
        subject = self._subject()
        if subject is None or subject.base == subject.path:
            raise SkipAction()
        self.post_message(NodeSelected(subject.base))

    def search(self, text: str, direction: int = 1) -> bool:
        """Go to the next row that holds a text; in a value also where it is folded. Returns whether there is one.

        Args:
            text: looked for, case aside.
            direction: 1 forward, -1 backward.
        """
        tree = self.page.tree
        if tree is not None:
            place = tree.find(text, self._place() or 0, direction)
            if place is None:
                return False
            self.refresh_content()
            self.move_cursor(place + len(self.page.head))
            return True
        wanted, count = text.casefold(), len(self.page)
        here = self.cursor if self.cursor is not None else self.scroll_offset.y
        for offset in range(1, count + 1):
            index = (here + direction * offset) % count
            if wanted in "".join(part.text for part in self.page.row(index)).casefold():
                if self.page.chosen:
                    self.move_cursor(index)
                else:
                    self.scroll_to(y=index, animate=False)
                return True
        return False

    def on_click(self, event: events.Click) -> None:
        """A click chooses a tab or a row; a double click opens it."""
        offset = event.get_content_offset(self)
        if offset is not None and offset.y < len(self.head):
            tab = tab_at(self.head[offset.y], self.tabs(), offset.x)
            if tab is not None:
                self.open_tab(tab)
            return
        index = self.index_at(event)
        if index is None or not self.page.chosen or index < len(self.page.head):
            return
        self.move_cursor(index)
        place, items = self._place(), self.page.items
        if event.chain == 2 and items is not None and place is not None:
            self.post_message(NodeOpened(items.path(place)))
        elif event.chain == 2:
            self._toggle()
