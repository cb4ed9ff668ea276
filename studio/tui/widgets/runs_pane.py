"""Runs: what needs a person on top, then the workflows with their runs."""

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType

from studio.application.session import Session
from studio.projections.screen.runs import RunsEntry, Shown, Workflow, runs_rows
from studio.tui.messages import FileChosen, RunChosen
from studio.tui.widgets.rows import RowsView


class RunsPane(RowsView, inherit_bindings=False):
    """The list of runs and workflows; the cursor is on what is shown until it is moved.

    Attributes:
        aim: number of a run that the cursor goes to as soon as the list has it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "step(-1)", show=False),
        Binding("down,j", "step(1)", show=False),
        Binding("g,home", "ends(False)", show=False),
        Binding("G,end", "ends(True)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("enter", "choose", show=False),
    ]

    def __init__(self, *, id: str | None = None, ascii: bool = False) -> None:
        super().__init__(id=id)
        self.set_titles("1 Runs")
        self.entries: list[RunsEntry] = []
        self._ascii = ascii
        self.aim: int | None = None
        self._session: Session | None = None
        self._shown: tuple[str | None, int | None] = (None, None)

    def show(self, session: Session) -> None:
        """Show the session's files and runs; costs nothing while the pane is hidden."""
        self._session = session
        if not self.display or not self.size.area:
            return
        old = self.entries[self.cursor] if self.cursor is not None and self.entries else None
        self.entries = runs_rows(
            session.rows,
            [Workflow(file.path, file.name, len(file.errors)) for file in session.files.values()],
            session.clock.now(),
            shown=Shown(session.run, session.shown_file, session.shown_run),
            driven=session.drives,
            width=self.size.width,
            keys=session.keymap.keys,
            ascii=self._ascii,
        )
        self.set_rows([entry.row for entry in self.entries])
        shown = (session.shown_file, session.shown_run)
        moved = shown != self._shown
        self._shown = shown
        self._place_cursor(old, moved)

    def refresh_moving(self) -> None:
        """Durations of open runs went on."""
        if self._session is not None:
            self.show(self._session)

    def _place_cursor(self, old: RunsEntry | None, moved: bool) -> None:
        """On what is shown when that is another one now, else on what it was on, wherever that stands now."""
        aimed = [
            i for i, e in enumerate(self.entries) if self.aim and e.run == self.aim and not e.node
        ]
        if aimed:
            self.aim = None
            self.move_cursor(aimed[-1])
            return
        if old is None or moved:
            file, run = self._shown
            wanted = [entry.run == run if run else entry.file == file for entry in self.entries]
            # The last one: a run under "Needs you" stands among the runs of its workflow, too.
            found = [i for i, yes in enumerate(wanted) if yes and self.entries[i].node is None]
        else:
            key = (old.run, old.file, old.node)
            found = [i for i, e in enumerate(self.entries) if (e.run, e.file, e.node) == key]
        if found:
            near = self.cursor if self.cursor is not None and not moved else found[-1]
            self.move_cursor(min(found, key=lambda index: abs(index - near)))
        elif self.entries:
            self.move_cursor(next((i for i, e in enumerate(self.entries) if e.target), 0))
        else:
            self.cursor = None

    def action_step(self, step: int) -> None:
        """Go to the next or previous entry that can be chosen."""
        index = self.cursor if self.cursor is not None else -1
        way = 1 if step > 0 else -1
        left = abs(step)
        best = index
        while left and 0 <= (index := index + way) < len(self.entries):
            if self.entries[index].target:
                best, left = index, left - 1
        if best >= 0:
            self.move_cursor(best)

    def action_page(self, step: int) -> None:
        """Go a screen up or down."""
        self.action_step(step * max(1, self.size.height - 2))

    def action_ends(self, last: bool) -> None:
        """Go to the first or last entry."""
        self.action_step(len(self.entries) if last else -len(self.entries))

    def action_choose(self) -> None:
        """Show what the cursor is on."""
        if self.cursor is not None and self.cursor < len(self.entries):
            self._choose(self.entries[self.cursor])

    def _choose(self, entry: RunsEntry) -> None:
        if entry.run is not None:
            self.post_message(RunChosen(entry.run, entry.node))
        elif entry.file is not None:
            self.post_message(FileChosen(entry.file))

    def on_resize(self) -> None:
        """The pane came up, or has another width."""
        if self._session is not None:
            self.show(self._session)

    def on_click(self, event: events.Click) -> None:
        """A click chooses."""
        at = event.get_content_offset(self)
        index = at.y + self.scroll_offset.y if at is not None else len(self.entries)
        if index < len(self.entries) and self.entries[index].target:
            self.move_cursor(index)
            self._choose(self.entries[index])
