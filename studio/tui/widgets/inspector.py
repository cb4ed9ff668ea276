"""The inspector: everything about the selected node, in tabs."""

from studio.application.session import Session
from studio.projections.layout import Segment
from studio.projections.screen.inspector import TABS, inspector_rows, tabs_for
from studio.tui.widgets.rows import RowsView


class Inspector(RowsView):
    """Tabs of the selected node; left and right change the tab."""

    def __init__(self, *, id: str | None = None, ascii: bool = False) -> None:
        super().__init__(id=id)
        self.border_title = "3 Node"
        self.tab = TABS[0]
        self._ascii = ascii
        self._session: Session | None = None
        self._path: str | None = None
        self._chosen = False

    def show(self, session: Session, path: str | None) -> None:
        """Show a node; a failed one opens on its error unless a tab was chosen for it."""
        if path != self._path:
            self._chosen = False
            self.scroll_to(0, 0, animate=False)
        self._session = session
        self._path = path
        self.border_title = f"3 {path}" if path is not None else "3 Node"
        tabs = self.tabs()
        if not self._chosen or self.tab not in tabs:
            self.tab = tabs[0]
        self.refresh_content()

    def tabs(self) -> tuple[str, ...]:
        """Tabs that the shown node has."""
        if self._session is None or self._path is None:
            return TABS[:1]
        return tabs_for(self._session.run, self._session.plan, self._path)

    def refresh_content(self) -> None:
        """Compute the shown tab again."""
        session, path = self._session, self._path
        if session is None or path is None:
            self.set_rows([[Segment("select a node", "dim")]])
            return
        self.set_rows(
            inspector_rows(
                session.engine_state,
                session.run,
                session.plan,
                path,
                self.tab,
                self.tabs(),
                width=max(20, self.size.width - 1),
                now=session.now(),
                ascii=self._ascii,
            )
        )

    def change_tab(self, step: int) -> None:
        """Go to the next or previous tab."""
        tabs = self.tabs()
        here = tabs.index(self.tab) if self.tab in tabs else 0
        self.open_tab(tabs[(here + step) % len(tabs)])

    def open_tab(self, tab: str) -> None:
        """Show a tab."""
        self.tab = tab
        self._chosen = True
        self.scroll_to(0, 0, animate=False)
        self.refresh_content()

    def on_resize(self) -> None:
        """Wrap anew."""
        self.refresh_content()
