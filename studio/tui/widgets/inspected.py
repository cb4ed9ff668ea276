"""What the inspector shows of a node: of its definition here, of its run with the help of `RunPages`."""

from collections.abc import Hashable
from typing import TYPE_CHECKING

from studio.application.session import Session
from studio.errors import StudioError
from studio.projections.masking import Mask, declares_sensitive, mask_run
from studio.projections.screen.inspecting.groups import group_rows
from studio.projections.screen.inspecting.paragraphs import paragraph
from studio.projections.screen.inspecting.subject import Subject
from studio.projections.screen.inspector import PLAN_TABS, TABS, Page, plan_page, tabs_for
from studio.tui.widgets.local_time import local_time
from studio.tui.widgets.quoted_files import QuotedFiles

if TYPE_CHECKING:
    from studio.tui.widgets.run_pages import RunPages


class Inspected:
    """One node under inspection."""

    def __init__(self, *, ascii: bool = False) -> None:
        self.session: Session | None = None
        self.path: str | None = None
        self.run: int | None = None
        self._ascii = ascii
        self._of_run: RunPages | None = None
        self._files = QuotedFiles()
        self._mask: tuple[Hashable, Mask] = (None, Mask(None, {}))

    def turn_to(self, session: Session, path: str | None) -> bool:
        """Inspect a node. Returns whether it is another one than before."""
        other_run = session.shown_run != self.run or session is not self.session
        another = other_run or path != self.path
        if self._of_run is not None:
            self._of_run.turn_to(session.shown_run, another=another)
        self.session, self.path, self.run = session, path, session.shown_run
        return another

    @property
    def complete(self) -> bool:
        """False while the history is not read to its end; ask for the page again soon."""
        return self._of_run is None or self._of_run.complete

    def tabs(self) -> tuple[str, ...]:
        """Tabs that the node has."""
        if self.session is None or self.path is None:
            return TABS[1:2]
        return tabs_for(self.session.run, self.session.plan, self.path)

    def subject(self, width: int) -> Subject | None:
        """What is inspected, None when nothing is selected.

        Args:
            width: cells of a row.
        """
        session, path = self.session, self.path
        if session is None or path is None or session.plan is None:
            return None
        return Subject(
            path,
            session.plan,
            session.run,
            session.engine_state,
            session.now(),
            width,
            local_time,
            self._mask_of(session),
            self._ascii,
            session.keymap.keys,
            session.live,
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

    # ----------------------------------------------------------------- pages

    def page(self, subject: Subject, tab: str) -> Page:
        """The page of a tab; what cannot be read is told in its place."""
        try:
            return self._page(subject, tab)
        except (StudioError, LookupError) as error:
            return Page(paragraph(str(error), "bad", subject.width))

    def _page(self, subject: Subject, tab: str) -> Page:
        if subject.path.startswith("group:"):
            return Page(group_rows(subject))
        session = self.session
        if session is None:
            return Page([])
        if tab not in PLAN_TABS:
            return self._run_pages().page(session, subject, tab, mask=self._mask[0])
        if tab == "Definition":
            return plan_page(subject, tab, *self._files.definition(session, subject))
        return plan_page(subject, tab)

    def _run_pages(self) -> "RunPages":
        if self._of_run is None:
            from studio.tui.widgets.run_pages import (
                RunPages,  # lazy: a workflow without a run has none
            )

            self._of_run = RunPages(self._files, self.run, ascii=self._ascii)
        return self._of_run

    def ask(self, subject: Subject, tab: str) -> None:
        """Read a large value after all."""
        self._run_pages().ask(subject, tab, mask=self._mask[0])
