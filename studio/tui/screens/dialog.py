"""What opens over the main screen: a framed box with rows of text, a cursor and keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from studio.projections.layout import Segment, cell_width
from studio.projections.screen.top_line import fit_row
from studio.tui.guard import Guarded
from studio.tui.widgets.rows import Row, RowsView

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Entry:
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


class Dialog(Guarded, ModalScreen[Answer], Generic[Answer]):
    """A box in the middle of the screen; Escape leaves it without an answer.

    Args:
        title: title of the frame.
        hint: keys, in the lower frame.
    """

    DEFAULT_CSS = """
    Dialog { align: center middle; background: $background 40%; }
    Dialog > Vertical {
        width: 76; max-width: 96%; height: auto; max-height: 90%;
        border: round $accent; border-title-color: $accent; border-subtitle-color: $secondary;
        background: $background; padding: 0 1;
    }
    Dialog RowsView { height: auto; max-height: 30; }
    Dialog Input, Dialog Input:focus { border: none; height: 1; padding: 0; background: $background; }
    Dialog RowsView { scrollbar-size-horizontal: 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", show=False)]

    def __init__(self, title: str, hint: str = "esc back") -> None:
        super().__init__()
        self.box = Vertical()
        self.box.border_title = title.replace("[", "(").replace("]", ")")
        self.box.border_subtitle = hint

    def action_leave(self) -> None:
        """Leave without an answer."""
        self.dismiss(None)

    @property
    def inner_width(self) -> int:
        """Columns for text."""
        return max(10, min(72, int(self.app.size.width * 0.96) - 4))


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
        self._input = Input(placeholder="type to filter")

    def compose(self) -> ComposeResult:
        """The box with its list."""
        with self.box:
            if self._filters:
                yield self._input
            yield self._list

    def on_mount(self) -> None:
        """Show all entries, the cursor on the first that applies."""
        (self._input if self._filters else self._list).focus()
        self._show()

    def _show(self) -> None:
        rows: list[Row] = [*self._lead]
        width = self.inner_width
        widest = max((cell_width(entry.label) for entry in self.shown), default=0)
        for entry in self.shown:
            look = entry.style if entry.enabled else "faint"
            row = [
                Segment(f"{entry.key or ' '}  ", "key" if entry.enabled else "faint"),
                Segment(entry.label.ljust(min(widest, 30) + 2), look),
                Segment(entry.detail, "dim"),
            ]
            rows.append(fit_row(row, width))
        if not self.shown:
            rows.append([Segment("nothing matches", "dim")])
        self._list.set_rows(rows)
        first = next((i for i, e in enumerate(self.shown) if e.enabled), 0)
        self._list.cursor = None
        self._list.move_cursor(len(self._lead) + first)
        self._list.styles.height = min(len(rows), 30)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Narrow the list."""
        words = event.value.casefold().split()
        self.shown = [
            entry
            for entry in self.entries
            if all(
                word in f"{entry.label} {entry.detail} {entry.value}".casefold() for word in words
            )
        ]
        self._show()

    def action_move(self, step: int) -> None:
        """Move the cursor."""
        here = self._list.cursor if self._list.cursor is not None else len(self._lead)
        last = len(self._lead) + len(self.shown) - 1
        self._list.move_cursor(min(max(here + step, len(self._lead)), max(last, 0)))

    def action_choose(self) -> None:
        """Answer with the entry under the cursor."""
        index = (self._list.cursor or 0) - len(self._lead)
        if 0 <= index < len(self.shown):
            self._choose(self.shown[index])

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
        if event.widget is not self._list:
            return
        index = event.y + self._list.scroll_offset.y - len(self._lead)
        if 0 <= index < len(self.shown):
            self._choose(self.shown[index])

    def _choose(self, entry: Entry) -> None:
        if entry.enabled:
            self.dismiss(entry.value)
        else:
            self.box.border_subtitle = entry.detail.replace("[", "(")


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
        width = self.inner_width
        self._list.set_rows([fit_row(list(row), width) for row in self._rows])
        self._list.styles.height = min(len(self._rows), 30)
        self._list.focus()

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
        self._list.set_rows(self._rows)
        self._list.styles.height = min(len(self._rows), max(5, int(self.app.size.height * 0.8)))
        self._list.styles.max_height = "100%"
        self._list.focus()

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
        label.set_rows([[Segment(self._label, "dim")]])
        label.styles.height = 1
        label.can_focus = False
        with self.box:
            yield label
            yield self._input

    def on_mount(self) -> None:
        """Type at once."""
        self._input.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Answer."""
        self.dismiss(event.value)
