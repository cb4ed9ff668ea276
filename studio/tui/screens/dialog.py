"""What opens over the main screen: a framed box with rows of text, a cursor and keys."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import ClassVar, Generic, TypeVar

import msgspec
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, TextArea

from studio.projections.layout import Segment, cell_width, clean
from studio.projections.plain import in_ascii
from studio.projections.screen.inspecting.paragraphs import row_width, wrap, wrap_row
from studio.projections.screen.top_line import fit_row
from studio.tui.editing import copy_text
from studio.tui.guard import Guarded
from studio.tui.messages import KeysWanted
from studio.tui.pacing import Paced
from studio.tui.widgets.rows import Row, RowsView

Answer = TypeVar("Answer")

NARROW = 72
"""Columns for text in a box whose text is short."""

WIDE = 104
"""Columns for text at most: longer lines are hard to read."""

FILLED_BELOW = 90
"""Columns of a terminal that a box fills from side to side: what stood out beside it would be scraps."""


class Entry(msgspec.Struct, frozen=True):
    """One line of a menu.

    Args:
        value: what choosing it answers.
        label: what it is called.
        detail: its consequence, or why it does not apply.
        key: letter that chooses it at once, empty for none.
        style: look of the label.
        enabled: false shows it dim; choosing it shows ``detail`` instead.
    """

    value: str
    label: str
    detail: str = ""
    key: str = ""
    style: str = "text"
    enabled: bool = True


class Dialog(Guarded, Paced, ModalScreen[Answer], Generic[Answer]):
    """A box in the middle of the screen; Escape leaves it without an answer.

    Args:
        title: title of the frame.
        hint: keys, in the lower frame.

    Attributes:
        takes_keys: whether it is up and has given the focus away.
    """

    DEFAULT_CSS = """
    Dialog { align: center middle; background: $background 40%; }
    Dialog > Vertical {
        width: 76; max-width: 100%; height: auto; max-height: 94%;
        border: round $accent; border-title-color: $accent; border-subtitle-color: $secondary;
        background: $background; padding: 0 1;
    }
    Dialog RowsView { height: auto; }
    Dialog Input, Dialog Input:focus { border: none; height: 1; padding: 0; background: $background; }
    Dialog RowsView { scrollbar-size-horizontal: 0; }
    Dialog .about { height: 2; margin: 1 0 0 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("ctrl+c", "interrupt", show=False, priority=True),
    ]

    def __init__(self, title: str, hint: str = "esc back") -> None:
        super().__init__()
        self.takes_keys = False
        self._cells = NARROW
        self.box = Vertical()
        self.box.border_title = title.replace("[", "(").replace("]", ")")
        self._hint = hint

    @property
    def draws_ascii(self) -> bool:
        """Whether only ASCII is drawn."""
        return bool(getattr(self.app, "draws_ascii", False))

    def plain(self, text: str) -> str:
        """A sentence of our own, in ASCII where that is wanted."""
        return in_ascii(text) if self.draws_ascii else text

    def plain_row(self, row: Row) -> Row:
        """A row of our own sentences, in ASCII where that is wanted."""
        if not self.draws_ascii:
            return row
        return [Segment(in_ascii(part.text), part.style) for part in row]

    def tell(self, text: str) -> None:
        """Say something in the lower frame: the keys, or what became of one."""
        self.box.border_subtitle = self.plain(text).replace("[", "(")

    def on_mount(self) -> None:
        """Take keys; Textual calls this after the `on_mount` of the class that says what has the focus."""
        self.tell(self._hint)
        self.takes_keys = True
        self.post_message(KeysWanted())

    def action_leave(self) -> None:
        """Leave without an answer."""
        self.dismiss(None)

    def action_interrupt(self) -> None:
        """ctrl+c: copy what is selected in the field, or say how to leave; it ends nothing."""
        field = self.focused
        text = field.selected_text if isinstance(field, Input | TextArea) else ""
        if text:
            said = f"copied {len(text)} characters, {copy_text(self.app, text)}"
        else:
            said = "esc goes back"
        self.tell(said)

    def on_resize(self, event: events.Resize) -> None:
        """Another size of the terminal: write the rows anew."""
        self.box.styles.width = self.inner_width + 4
        self.write()

    def write(self) -> None:
        """Bring what is shown to the size of the terminal."""

    def take_width(self, cells: int) -> None:
        """Make the box as wide as its text asks for, within bounds.

        Args:
            cells: columns of the widest row.
        """
        self._cells = min(max(cells, NARROW), WIDE)
        self.box.styles.width = self.inner_width + 4

    @property
    def inner_width(self) -> int:
        """Columns for text."""
        width = self.app.size.width
        if width < FILLED_BELOW:
            return max(10, width - 4)
        return max(10, min(self._cells, int(width * 0.96) - 4))

    @property
    def inner_height(self) -> int:
        """Lines for text."""
        return max(1, int(self.app.size.height * 0.94) - 2)


class Menu(Dialog[str | None]):
    """Choose one of some entries, by cursor, by its letter, or by typing when it filters.

    Args:
        entries: what can be chosen.
        lead: rows above the entries.
        filters: whether typing narrows the list (the palette); letters then choose nothing.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", show=False, priority=True),
        Binding("down", "move(1)", show=False, priority=True),
        Binding("enter", "choose", show=False, priority=True),
    ]

    def __init__(
        self,
        title: str,
        entries: Sequence[Entry],
        *,
        lead: Sequence[Row] = (),
        filters: bool = False,
        hint: str = "↑↓ ⏎ choose · esc back",
    ) -> None:
        super().__init__(title, hint)
        self.entries = list(entries)
        self.shown = list(entries)
        self._lead = list(lead)
        self._filters = filters
        self._list = RowsView()
        self._list.always_shows_cursor = True
        self._about = RowsView(classes="about")
        self._input = Input(placeholder="type to filter")
        self._starts: list[int] = []
        self._at = 0

    def compose(self) -> ComposeResult:
        """The box with its list."""
        with self.box:
            if self._filters:
                yield self._input
            yield self._list
            yield self._about

    def on_mount(self) -> None:
        """Show all entries, the cursor on the first that applies."""
        self._about.can_focus = False
        self.set_focus(self._input if self._filters else self._list)
        self._start()

    def write(self) -> None:
        """Write the entries, the cursor where it was.

        Where all of them fit, each has as many lines as its consequence takes; else a line each, and the consequence
        of the one under the cursor in full below them.
        """
        everything = self._rows(self.entries)
        self.take_width(max(map(row_width, everything), default=0) + 1)
        room = self.inner_height - self._filters
        lead = [line for row in self._lead for line in wrap_row(row, self.inner_width)]
        whole = [wrap_row(row, self.inner_width) for row in everything]
        wraps = len(lead) + sum(map(len, whole)) <= room
        cut = any(len(lines) > 1 for lines in whole)
        self._about.display = cut and not wraps
        if self._about.display:
            room -= ABOUT + 1
        shown = self._rows(self.shown)
        rows: list[Row] = list(lead)
        self._starts = []
        width = self.inner_width - (not wraps and len(lead) + len(shown) > room)
        for row in shown:
            self._starts.append(len(rows))
            rows += wrap_row(row, width) if wraps else [fit_row(list(row), width)]
        self._starts.append(len(rows))
        if not self.shown:
            rows.append([Segment("nothing matches", "dim")])
        self._list.set_rows(rows)
        self._list.styles.height = max(1, min(len(rows), room))
        self._go_to(self._at)

    def _rows(self, entries: Sequence[Entry]) -> list[Row]:
        keys = max((cell_width(entry.key) for entry in self.entries), default=0)
        labels = max((cell_width(entry.label) for entry in self.entries), default=0)
        return [self.plain_row(_entry_row(entry, keys, min(labels, 34))) for entry in entries]

    def _start(self) -> None:
        self._at = next((i for i, e in enumerate(self.shown) if e.enabled), 0)
        self._list.cursor = None
        self.write()

    def _go_to(self, place: int) -> None:
        """Put the cursor on an entry, and tell its consequence where the list has no room for it."""
        self._about.set_rows([])
        if not self.shown:
            self._list.cursor = None
            return
        self._at = min(max(place, 0), len(self.shown) - 1)
        first, end = self._starts[self._at], self._starts[self._at + 1]
        self._list.move_cursor(first, end - first)
        if self._about.display:
            detail = self.plain(self.shown[self._at].detail)
            parts = wrap(detail, self.inner_width, ABOUT)
            self._about.set_rows([[Segment(part, "text")] for part in parts])

    def on_input_changed(self, event: Input.Changed) -> None:
        """Narrow the list: what is called so first, then what tells of it."""
        words = event.value.casefold().split()
        found = [(rank, entry) for entry in self.entries if (rank := _rank(entry, words)) < MISSED]
        self.shown = [entry for _rank_of, entry in sorted(found, key=lambda pair: pair[0])]
        self._start()

    def action_move(self, step: int) -> None:
        """Move the cursor."""
        self._go_to(self._at + step)

    def action_choose(self) -> None:
        """Answer with the entry under the cursor."""
        if self.shown:
            self._choose(self.shown[self._at])
        else:
            self.box.border_subtitle = f"nothing matches {clean(self.typed)[:40]!r} · esc back"

    @property
    def typed(self) -> str:
        """What was typed to narrow the list."""
        return self._input.value.strip()

    def on_key(self, event: events.Key) -> None:
        """A letter chooses its entry."""
        if self._filters:
            return
        character = event.character or ""
        if character in ("j", "k") and not any(e.key == character for e in self.entries):
            self.action_move(1 if character == "j" else -1)
            event.stop()
            return
        for entry in self.shown:
            if entry.key and entry.key == character:
                event.stop()
                self._choose(entry)
                return

    def on_click(self, event: events.Click) -> None:
        """A click on an entry chooses it."""
        at = event.get_content_offset(self._list)
        if at is None:
            return
        row = at.y + self._list.scroll_offset.y
        index = bisect_right(self._starts, row) - 1
        if 0 <= index < len(self.shown):
            self._choose(self.shown[index])

    def _choose(self, entry: Entry) -> None:
        if entry.enabled:
            self.dismiss(entry.value)
        else:
            self.tell(entry.detail)


MISSED = 3
"""Rank of an entry that does not answer to what was typed."""

ABOUT = 2
"""Lines for the consequence of the entry under the cursor, below a list that has no room for it."""


def _rank(entry: Entry, words: Sequence[str]) -> int:
    """How well an entry answers to some words: 0 its name begins so, 1 in its name, 2 in its text, else `MISSED`."""
    label = entry.label.casefold()
    text = f"{label} {entry.detail} {entry.value}".casefold()
    if not all(word in text for word in words):
        return MISSED
    if words and label.startswith(words[0]):
        return 0
    return 1 if all(word in label for word in words) else 2


def _entry_row(entry: Entry, keys: int, labels: int) -> Row:
    look = entry.style if entry.enabled else "faint"
    return [
        Segment(f"{entry.key:<{keys}}  " if keys else "", "key" if entry.enabled else "faint"),
        Segment(entry.label + " " * (labels + 2 - cell_width(entry.label)), look),
        Segment(entry.detail, "dim"),
    ]


class Confirm(Dialog[bool | None]):
    """Show what would happen, and ask.

    Args:
        rows: the consequences.
        yes: what Enter does, in a word or two.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,y", "yes", show=False),
        Binding("n,q", "leave", show=False),
        Binding("down,j", "scroll(1)", show=False),
        Binding("up,k", "scroll(-1)", show=False),
    ]

    def __init__(self, title: str, rows: Sequence[Row], yes: str) -> None:
        super().__init__(title, f"⏎ {yes} · esc back")
        self._rows = list(rows)
        self._list = RowsView()

    def compose(self) -> ComposeResult:
        """The box with its text."""
        with self.box:
            yield self._list

    def on_mount(self) -> None:
        """Show the consequences."""
        self.set_focus(self._list)
        self.write()

    def write(self) -> None:
        """Write the rows."""
        self.take_width(max(map(row_width, self._rows), default=0) + 1)
        # One column less: a text that has to be scrolled has a scroll bar beside it.
        rows = [
            line
            for row in self._rows
            for line in wrap_row(self.plain_row(row), self.inner_width - 1)
        ]
        self._list.set_rows(rows)
        self._list.styles.height = max(1, min(len(rows), self.inner_height))

    def action_yes(self) -> None:
        """Go ahead."""
        self.dismiss(True)

    def action_scroll(self, step: int) -> None:
        """Look at the rest of a long plan."""
        self._list.scroll_relative(y=step, animate=False)


class Reader(Dialog[None]):
    """Rows to read: help, a long message."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,enter,question_mark", "leave", show=False),
        Binding("down,j", "scroll(1)", show=False),
        Binding("up,k", "scroll(-1)", show=False),
        Binding("pagedown,space", "scroll(15)", show=False),
        Binding("pageup", "scroll(-15)", show=False),
        Binding("g,home", "scroll(-100000)", show=False),
        Binding("G,end", "scroll(100000)", show=False),
    ]

    def __init__(self, title: str, rows: Sequence[Row]) -> None:
        super().__init__(title, "↑↓ scroll · esc back")
        self._rows = list(rows)
        self._list = RowsView()

    def compose(self) -> ComposeResult:
        """The box with its text."""
        with self.box:
            yield self._list

    def on_mount(self) -> None:
        """Show the rows."""
        self.set_focus(self._list)
        self.write()

    def write(self) -> None:
        """Write the rows."""
        self.take_width(max(map(row_width, self._rows), default=0) + 1)
        # One column less: a text that has to be scrolled has a scroll bar beside it.
        rows = [
            line
            for row in self._rows
            for line in wrap_row(self.plain_row(row), self.inner_width - 1)
        ]
        self._list.set_rows(rows)
        self._list.styles.height = min(len(rows), self.inner_height)

    def action_scroll(self, step: int) -> None:
        """Look further."""
        self._list.scroll_relative(y=step, animate=False)


class Prompt(Dialog[str | None]):
    """Ask for one line of text.

    Args:
        label: what it is for.
        value: text to start from.
    """

    def __init__(self, title: str, label: str, value: str = "") -> None:
        super().__init__(title, "⏎ done · esc back")
        self._label = label
        self._input = Input(value=value)

    def compose(self) -> ComposeResult:
        """The box with its field."""
        label = RowsView()
        lines = wrap_row([Segment(self._label, "dim")], self.inner_width)
        label.set_rows(lines)
        label.styles.height = len(lines)
        label.can_focus = False
        with self.box:
            yield label
            yield self._input

    def on_mount(self) -> None:
        """Type at once."""
        self.set_focus(self._input)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Answer."""
        self.dismiss(event.value)
