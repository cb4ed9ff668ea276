"""Editing a JSON value by hand: checked while typing, shown as a diff, never lost."""

import difflib
import json
from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import TextArea

from studio.projections.layout import Segment, clean
from studio.projections.screen.top_line import fit_row
from studio.tui.editing import edit_text
from studio.tui.screens.dialog import Dialog
from studio.tui.widgets.rows import Row, RowsView


class ValueEditor(Dialog[str | None]):
    """A multi-line editor of one JSON value. Escape asks: Enter applies, e opens $EDITOR, d discards.

    Args:
        title: what is edited.
        value: the value now.
        draft: text of an earlier edit that was neither applied nor discarded.

    The answer is the text, valid JSON; ``text`` keeps what was typed in any case.
    """

    DEFAULT_CSS = """
    ValueEditor TextArea { height: 14; border: none; background: $background; padding: 0; }
    ValueEditor .status { height: auto; max-height: 12; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "ask", show=False, priority=True),
        Binding("ctrl+c", "ask", show=False, priority=True),
    ]

    def __init__(self, title: str, value: Any, *, draft: str | None = None) -> None:
        super().__init__(title, "esc then: ⏎ apply · e $EDITOR · d discard")
        self._before = json.dumps(value, indent=2, ensure_ascii=False)
        self.text = draft if draft is not None else self._before
        self._area = TextArea(self.text, soft_wrap=False, show_line_numbers=False)
        self._status = RowsView(classes="status")
        self._asking = False

    def compose(self) -> ComposeResult:
        """The text, and below it what is wrong or what changes."""
        with self.box:
            yield self._area
            yield self._status

    def on_mount(self) -> None:
        """Type at once."""
        self._status.can_focus = False
        self._area.focus()
        self._judge()

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Check while typing."""
        self.text = self._area.text
        self._judge()

    def _judge(self) -> None:
        problem = json_problem_of(self.text)
        rows: list[Row]
        if problem is not None:
            rows = [[Segment(problem, "bad")]]
        else:
            rows = diff_rows(self._before, self.text)
        width = self.inner_width
        self._status.set_rows([fit_row(list(row), width) for row in rows])
        self._status.styles.height = min(len(rows), 12)

    def action_ask(self) -> None:
        """Escape: ask what to do with the edit."""
        self._asking = not self._asking
        self.box.border_subtitle = (
            "⏎ apply · e $EDITOR · d discard · esc keep editing"
            if self._asking
            else "esc then: ⏎ apply · e $EDITOR · d discard"
        )
        self._area.read_only = self._asking

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
            else:
                self.action_ask()
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
    except ValueError as error:
        if isinstance(error, json.JSONDecodeError):
            return f"line {error.lineno}, column {error.colno}: {error.msg}"
        return str(error)
    return None


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def diff_rows(before: str, after: str) -> list[Row]:
    """What an edit changes, line by line."""
    if before == after:
        return [[Segment("no change yet", "dim")]]
    rows: list[Row] = []
    for line in difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm=""):
        if line.startswith(("---", "+++", "@@")):
            continue
        rows.append([Segment(clean(line), "good" if line.startswith("+") else "bad")])
    return rows or [[Segment("only white space changes", "dim")]]
