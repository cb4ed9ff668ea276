"""Runs: what needs a person on top, then the workflows with their runs."""

from textual import events

from studio.application.session import Session
from studio.projections.screen.runs import RunsEntry, runs_rows
from studio.tui.messages import FileChosen, RunChosen
from studio.tui.widgets.rows import RowsView


class RunsPane(RowsView):
    """The list of runs and workflows."""

    def __init__(self, *, id: str | None = None, ascii: bool = False) -> None:
        super().__init__(id=id)
        self.border_title = "1 Runs"
        self.entries: list[RunsEntry] = []
        self._ascii = ascii

    def show(self, session: Session) -> None:
        """Show the session's files and runs."""
        self.entries = runs_rows(
            session.rows,
            [
                (file.path, file.name, file.display, len(file.errors))
                for file in session.files.values()
            ],
            session.now(),
            shown_run=session.shown_run,
            shown_file=session.shown_file,
            driven=session.drives,
            ascii=self._ascii,
        )
        self.set_rows([entry.row for entry in self.entries])
        if self.cursor is None and self.entries:
            self.cursor = next((i for i, e in enumerate(self.entries) if e.target), 0)

    def move(self, step: int) -> None:
        """Go to the next or previous entry that can be chosen."""
        index = self.cursor if self.cursor is not None else -1
        while 0 <= (index := index + step) < len(self.entries):
            if self.entries[index].target:
                self.move_cursor(index)
                return

    def choose(self) -> None:
        """Show what the cursor is on."""
        if self.cursor is not None and self.cursor < len(self.entries):
            self._choose(self.entries[self.cursor])

    def _choose(self, entry: RunsEntry) -> None:
        if entry.run is not None:
            self.post_message(RunChosen(entry.run))
        elif entry.file is not None:
            self.post_message(FileChosen(entry.file))

    def on_click(self, event: events.Click) -> None:
        """A click chooses."""
        index = event.y + self.scroll_offset.y
        if index < len(self.entries) and self.entries[index].target:
            self.move_cursor(index)
            self._choose(self.entries[index])
