"""The log of the selected node, or of the whole run."""

from collections.abc import Sequence

from studio.application.session import Session
from studio.projections.layout import Segment, clean
from studio.tui.widgets.rows import RowsView


class LogPane(RowsView):
    """Follows the selection."""

    def __init__(self, *, id: str | None = None, ascii: bool = False) -> None:
        super().__init__(id=id)
        self.border_title = "4 Log"
        self._session: Session | None = None
        self._path: str | None = None
        self.follow = True

    def show(self, session: Session, path: str | None) -> None:
        """Show what a node wrote."""
        self._session, self._path = session, path
        self.border_title = f"4 Log  {path}" if path else "4 Log"
        rows = [
            [Segment(clean(line.text), "text")]
            for _key, lines in (session.log_lines(path) if path else [])
            for line in lines[-2000:]
        ]
        self.set_rows(rows, keep_scroll=False)
        if self.follow:
            self.scroll_end(animate=False)

    def append(self, logs: Sequence[tuple[object, Sequence[object]]]) -> None:
        """Lines came in."""
        if self._session is not None:
            self.show(self._session, self._path)
