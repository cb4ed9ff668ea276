"""The inspector: everything about the selected node, in tabs."""

import time
from collections.abc import Hashable
from itertools import islice
from typing import ClassVar, Final

from textual import events
from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.timer import Timer

from studio.application.session import Session
from studio.errors import StudioError
from studio.model.nodes import Node
from studio.projections.layout import Segment
from studio.projections.masking import Mask, mask_run
from studio.projections.screen.inspecting.attempts import AttemptBook
from studio.projections.screen.inspecting.error import short_file
from studio.projections.screen.inspecting.paragraphs import paragraph
from studio.projections.screen.inspecting.subject import Source, Subject
from studio.projections.screen.inspecting.tree import ValueTree
from studio.projections.screen.inspecting.values import (
    AT_ONCE,
    Finding,
    declares_sensitive,
    input_of,
    output_of,
)
from studio.projections.screen.inspector import (
    TABS,
    Page,
    head_rows,
    items_page,
    tab_at,
    tabs_for,
    text_page,
    value_page,
)
from studio.tui.messages import NodeOpened, NodeSelected
from studio.tui.widgets.paged_view import PagedView, Row
from studio.tui.widgets.quoted_files import QuotedFiles

SLICE: Final = 4_000
"""Records read at a time for the attempts: about 20 ms; the rest follows while the screen stays answerable."""

TICK: Final = 1.0
"""Seconds between two updates of times and countdowns while the shown node moves."""

MOVING: Final = frozenset({"running", "waiting", "backing_off", "compensating"})


def local_time(at: float) -> str:
    """A moment as local time of day, such as ``12:00:04``."""
    return time.strftime("%H:%M:%S", time.localtime(at))


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
        super().__init__(id=id)
        self.set_title("3 Node")
        self.tab = TABS[1]
        self.page = Page([[Segment("select a node", "dim")]])
        self._ascii = ascii
        self._session: Session | None = None
        self._path: str | None = None
        self._run: int | None = None
        self._wish = TABS[1]
        self._chosen = False
        self._book = AttemptBook()
        self._complete = True
        self._trees: dict[str, tuple[Hashable, ValueTree | None]] = {}
        self._asked: Hashable = None
        self._files = QuotedFiles()
        self._mask: tuple[Hashable, Mask] = (None, Mask(None, {}))
        self._ticking: Timer | None = None
        self._cursors: dict[str, int] = {}

    # ----------------------------------------------------------------- what is shown

    def show(self, session: Session, path: str | None) -> None:
        """Show a node; a failed one opens on its error unless a tab was chosen for it."""
        if session.shown_run != self._run:
            self._book, self._complete = AttemptBook(), True
        if path != self._path or session.shown_run != self._run:
            self._chosen = False
            self._trees.clear()
            self._cursors.clear()
            self._asked = None
            self.cursor = None
            self.scroll_to(0, 0, animate=False)
        self._session, self._path, self._run = session, path, session.shown_run
        self.set_title(f"3 {path}" if path is not None else "3 Node")
        tabs = self.tabs()
        if not self._chosen or self.tab not in tabs:
            wished = self._wish if self._wish in tabs and tabs[0] != "Error" else tabs[0]
            self._turn_to(wished)
        self.refresh_content()

    def tabs(self) -> tuple[str, ...]:
        """Tabs that the shown node has."""
        if self._session is None or self._path is None:
            return TABS[1:2]
        return tabs_for(self._session.run, self._session.plan, self._path)

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

    # ----------------------------------------------------------------- its content

    def refresh_content(self) -> None:
        """Compute the shown tab again."""
        subject = self.subject()
        if subject is None:
            self.page = Page([[Segment("select a node", "dim")]])
            self.lay([], len(self.page))
            return
        try:
            self.page = self._page_of(subject)
        except (StudioError, LookupError) as error:
            self.page = Page(paragraph(str(error), "bad", subject.width))
        if not self.page.chosen:
            self.cursor = None
        elif self.cursor is None and self.page.length:
            self.cursor = len(self.page.head)
        self.lay(head_rows(subject, self.tab, self.tabs()), len(self.page))
        self._describe_cursor()
        self._keep_ticking(subject)

    def subject(self) -> Subject | None:
        """What is inspected, None when nothing is selected."""
        session, path = self._session, self._path
        if session is None or path is None or session.plan is None:
            return None
        return Subject(
            path,
            session.plan,
            session.run,
            session.engine_state,
            session.now(),
            max(16, self.size.width),
            local_time,
            self._mask_of(session),
            self._ascii,
        )

    def _mask_of(self, session: Session) -> Mask:
        run, state, plan = session.run, session.engine_state, session.plan
        if plan is None or not declares_sensitive(plan.workflow):
            return Mask(None, {})
        key = (plan.version, run.number, run.position) if run is not None else (plan.version,)
        if key != self._mask[0]:
            made = mask_run(state, run) if run and state else Mask(plan.workflow, {})
            self._mask = (key, made)
        return self._mask[1]

    def _page_of(self, subject: Subject) -> Page:
        if self.tab == "Items":
            return items_page(subject)
        if self.tab in ("Input", "Output"):
            finding = (input_of if self.tab == "Input" else output_of)(subject)
            return value_page(subject, finding, self._tree(finding))
        if self.tab in ("Error", "Attempts"):
            self._read_history()
        source, written = self._quoted(subject)
        return text_page(
            subject,
            self.tab,
            lines=self._book.of(subject.path),
            complete=self._complete,
            source=source,
            written=written,
        )

    def _tree(self, finding: Finding) -> ValueTree | None:
        """The value as a tree: the one shown before while it is the same value, so that what is open stays open."""
        if finding.size > AT_ONCE and finding.key != self._asked:
            return None
        key, tree = self._trees.get(self.tab, (None, None))
        if key != finding.key or tree is None:
            tree = finding.tree(self._ascii)
            self._trees[self.tab] = (finding.key, tree)
        return tree

    def _quoted(self, subject: Subject) -> tuple[Source | None, Node | None]:
        """The file that the tab quotes, and the node as the file's last good version has it."""
        session = self._session
        if session is None:
            return None, None
        if self.tab == "Error" and subject.node is not None:
            failure = subject.node.failure
            if failure is None or not failure.file or failure.file.startswith("<"):
                return None, None
            return self._files.read(failure.file, short_file(failure.file)), None
        if self.tab != "Definition" or session.shown_file is None:
            return None, None
        entry = session.files.get(session.shown_file)
        plan = entry.plan if entry is not None else None
        known = plan.nodes.get(_base(subject.path)) if plan is not None else None
        name = entry.display if entry is not None else short_file(session.shown_file)
        return self._files.read(session.shown_file, name), known.node if known else None

    def _read_history(self) -> None:
        """Take in what the history has got since, a slice at a time."""
        session, number = self._session, self._run
        if session is None or number is None:
            return
        records = session.studio.reading.records(number, self._book.position)
        self._complete = self._book.add(islice(records, SLICE)) < SLICE
        if not self._complete:
            self.set_timer(0.01, self.refresh_content)

    def _keep_ticking(self, subject: Subject) -> None:
        moving = subject.node is not None and subject.node.status in MOVING
        if moving and self._ticking is None:
            self._ticking = self.set_timer(TICK, self._tick)

    def _tick(self) -> None:
        self._ticking = None
        self.refresh_content()

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
        if page.ask:
            subject = self.subject()
            if subject is not None:
                self._asked = (input_of if self.tab == "Input" else output_of)(subject).key
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
        if self._path is None or not self._path.endswith("]"):
            raise SkipAction()
        self.post_message(NodeSelected(_base(self._path)))

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


def _base(path: str) -> str:
    return path[: path.rindex("[")] if path.endswith("]") else path
