"""Editing a JSON value by hand: checked while typing, shown as a diff, never lost."""

import json
from collections.abc import Callable
from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.timer import Timer
from textual.widgets import TextArea

from studio.projections.layout import Segment, cell_width
from studio.projections.screen.inspecting.changes import change_rows
from studio.projections.screen.top_line import fit_row
from studio.tui.editing import edit_text
from studio.tui.screens.dialog import Dialog
from studio.tui.widgets.rows import Row, RowsView

KEEP = 0.3
"""Seconds of typing after which the draft is stored: what a crash can take."""


class ValueEditor(Dialog[str | None]):
    """A multi-line editor of one JSON value. Escape asks: Enter applies, e opens $EDITOR, d discards.

    Args:
        title: what is edited; its first word is what changes are told of.
        value: the value now.
        draft: text of an earlier edit that was neither applied nor discarded.
        fresh: whether there is no such value yet, so that it may be applied as it stands.
        keep: stores what was typed so far, should the process die.

    The answer is the text, valid JSON; ``text`` keeps what was typed in any case.
    """

    DEFAULT_CSS = """
    ValueEditor TextArea, ValueEditor TextArea:focus {
        height: 14; border: none; background: $panel 30%; padding: 0;
    }
    ValueEditor .status { height: auto; margin: 1 0 0 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "ask", show=False, priority=True),
    ]

    def __init__(
        self,
        title: str,
        value: Any,
        *,
        draft: str | None = None,
        fresh: bool = False,
        keep: Callable[[str], object] = lambda text: None,
    ) -> None:
        super().__init__(title, "esc, then ⏎ apply · e $EDITOR · d discard")
        self._called = title.partition(" ")[0].lower()
        self._before = json.dumps(value, indent=2, ensure_ascii=False)
        self.text = draft if draft is not None else self._before
        self._area = TextArea(self.text, soft_wrap=False, show_line_numbers=False)
        self._status = RowsView(classes="status")
        self._asking = False
        self._fresh = fresh
        self._keep = keep
        self._keeping: Timer | None = None

    @property
    def edited(self) -> bool:
        """Whether the text is another one than the value."""
        return self.text != self._before

    def compose(self) -> ComposeResult:
        """The text, and below it what is wrong or what changes."""
        with self.box:
            yield self._area
            yield self._status

    def on_mount(self) -> None:
        """Type at once; a value that is not there yet gives way to the first letter."""
        self._status.can_focus = False
        self.set_focus(self._area)
        if self.text == "null":
            self._area.select_all()
        self.write()

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Check while typing, and store the draft every few letters."""
        self.text = self._area.text
        self.write()
        if self.edited and self._keeping is None:
            self._keeping = self.set_timer(KEEP, self._store_draft)

    def _store_draft(self) -> None:
        self._keeping = None
        self._keep(self.text)

    def write(self) -> None:
        """Say what is wrong with the text, or what changes."""
        problem = json_problem_of(self.text)
        rows: list[Row]
        if problem is not None:
            rows = [[Segment(problem, "bad")]]
        else:
            rows = [] if self._fresh else diff_rows(self._before, self.text, self._called)
        if not rows:
            rows = [[Segment("valid JSON", "good")]]
        self.take_width(max(map(cell_width, self.text.splitlines()), default=0) + 2)
        width = self.inner_width
        said = min(len(rows), max(1, self.inner_height // 3))
        if len(rows) > said:
            rows = [
                *rows[: said - 1],
                [Segment(f"{len(rows) - said + 1} more lines differ", "dim")],
            ]
        self._status.set_rows([fit_row(list(row), width) for row in rows])
        self._status.styles.height = said
        lines = self._area.document.line_count + 1
        self._area.styles.height = max(3, min(lines, self.inner_height - said - 1, 24))

    def action_ask(self) -> None:
        """Escape: ask what to do with the edit; without one, leave."""
        if not (self.edited or self._asking or self._fresh):
            self.dismiss(None)
            return
        self._asking = not self._asking
        self.tell(
            "⏎ apply · e $EDITOR · d discard · esc keep editing"
            if self._asking
            else "esc, then ⏎ apply · e $EDITOR · d discard"
        )
        self._area.read_only = self._asking

    def action_interrupt(self) -> None:
        """ctrl+c: copy what is selected, else as Escape."""
        if self._area.selected_text:
            super().action_interrupt()
        else:
            self.action_ask()

    async def on_key(self, event: events.Key) -> None:
        """Answer the question."""
        if not self._asking:
            return
        event.stop()
        event.prevent_default()
        if event.key == "enter":
            problem = json_problem_of(self.text)
            if problem is None:
                self.dismiss(self.text)
                return
            self.action_ask()
            self.tell("not applied: it is not JSON yet · esc asks again")
            self._area.cursor_location = place_of_problem(self.text) or (0, 0)
        elif event.key == "d":
            self.text = self._before
            self.dismiss(None)
        elif event.key == "e":
            edited = await edit_text(self.app, self.text, ".json")
            if edited is not None:
                self._area.text = edited
            self.action_ask()


def json_problem_of(text: str) -> str | None:
    """Why a text is not JSON, with its line and column; None when it is."""
    try:
        json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        what = error.msg.removesuffix(" at").removesuffix(" starting")
        return f"line {error.lineno}, column {error.colno}: {what}"
    except ValueError as error:
        return str(error)
    return None


def place_of_problem(text: str) -> tuple[int, int] | None:
    """Line and column, counted from 0, where a text stops being JSON; None when it is, or none is known."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return error.lineno - 1, error.colno - 1
    return None


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def diff_rows(before: str, after: str, name: str) -> list[Row]:
    """What an edit changes; both texts are JSON.

    Args:
        name: what the value is called.
    """
    rows: list[Row] = [*change_rows(json.loads(before), json.loads(after), name)]
    if rows:
        return rows
    said = "no change yet" if before == after else "the same value, written otherwise"
    return [[Segment(said, "dim")]]
