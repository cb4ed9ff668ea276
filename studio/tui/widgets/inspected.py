"""What the inspector reads of a node: its history, values and the files it quotes, each only when it has changed."""

from collections.abc import Callable, Hashable, Sequence
from itertools import islice
from typing import Final

from studio.application.session import Session
from studio.errors import StudioError
from studio.model.nodes import Node
from studio.projections.masking import Mask, declares_sensitive, mask_run
from studio.projections.screen.inspecting.comparison import Comparison, good_input, good_runs
from studio.projections.screen.inspecting.error import short_file
from studio.projections.screen.inspecting.groups import group_rows
from studio.projections.screen.inspecting.paragraphs import paragraph
from studio.projections.screen.inspecting.subject import Source, Subject
from studio.projections.screen.inspecting.tree import ValueTree
from studio.projections.screen.inspecting.values import (
    AT_ONCE,
    Finding,
    finding_key,
    input_of,
    output_of,
    result_of,
)
from studio.projections.screen.inspecting.written import INLINE
from studio.projections.screen.inspector import (
    TABS,
    Page,
    items_page,
    tabs_for,
    text_page,
    value_page,
)
from studio.tui.widgets.attempt_history import AttemptHistory
from studio.tui.widgets.local_time import local_time
from studio.tui.widgets.quoted_files import QuotedFiles

COMPARED_RUNS: Final = 5
"""Earlier good runs looked through for one in which the node itself succeeded."""

VALUES: Final[dict[str, Callable[[Subject], Finding]]] = {
    "Input": input_of,
    "Output": output_of,
    "Result": result_of,
}
"""Tabs that show a value, and what finds it."""

COMPARED_RECORDS: Final = 2_000
"""Records of the last good run looked through for the node's input."""


class Inspected:
    """One node under inspection."""

    def __init__(self, *, ascii: bool = False) -> None:
        self.session: Session | None = None
        self.path: str | None = None
        self.run: int | None = None
        self._ascii = ascii
        self._history = AttemptHistory()
        self._trees: dict[str, tuple[Hashable, ValueTree | None]] = {}
        self._asked: Hashable = None
        self._finding: tuple[Hashable, Finding] | None = None
        self._files = QuotedFiles()
        self._mask: tuple[Hashable, Mask] = (None, Mask(None, {}))
        self._compared: tuple[Hashable, Comparison | None] = (None, None)

    def turn_to(self, session: Session, path: str | None) -> bool:
        """Inspect a node. Returns whether it is another one than before."""
        other_run = session.shown_run != self.run or session is not self.session
        another = other_run or path != self.path
        self._history.turn_to(session.shown_run)
        if another:
            self._trees.clear()
            self._asked = self._finding = None
        self.session, self.path, self.run = session, path, session.shown_run
        return another

    @property
    def complete(self) -> bool:
        """False while the history is not read to its end; ask for the page again soon."""
        return self._history.complete

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
        if tab == "Items":
            return items_page(subject)
        if tab in VALUES:
            finding = self._finding_of(subject, tab)
            return value_page(subject, finding, self._tree(finding, tab))
        if tab in ("Error", "Attempts") and self.session is not None:
            self._history.read(self.session)
        source, written = self._quoted(subject, tab)
        page = text_page(
            subject,
            tab,
            lines=self._history.book.of(subject.path),
            complete=self._history.complete,
            source=source,
            written=written,
            compared=self._comparison(subject) if tab == "Error" else (),
        )
        problem = self._history.problem
        if problem and tab in ("Error", "Attempts"):
            return Page([*page.head, [], *paragraph(problem, "bad", subject.width)])
        return page

    def _finding_of(self, subject: Subject, tab: str) -> Finding:
        """The value of a tab; read again only when another one may be there, or the width is another."""
        outputs = subject.run is not None and bool(subject.run.outputs)
        key = (finding_key(subject, tab), subject.width, self._mask[0], outputs)
        if self._finding is None or key != self._finding[0]:
            self._finding = (key, VALUES[tab](subject))
        return self._finding[1]

    def _tree(self, finding: Finding, tab: str) -> ValueTree | None:
        """The value as a tree: the one shown before while it is the same value, so that what is open stays open."""
        if finding.size > AT_ONCE and finding.key != self._asked:
            return None
        key, tree = self._trees.get(tab, (None, None))
        if key != finding.key or tree is None:
            tree = finding.tree(self._ascii)
            self._trees[tab] = (finding.key, tree)
        return tree

    def ask(self, subject: Subject, tab: str) -> None:
        """Read a large value after all."""
        self._asked = self._finding_of(subject, tab).key

    # ----------------------------------------------------------------- files, history, other runs

    def _quoted(self, subject: Subject, tab: str) -> tuple[Source | None, Node | None]:
        """The file that a tab quotes, and the node as the workflow file's last good version has it."""
        session = self.session
        if session is None:
            return None, None
        if tab == "Error" and subject.node is not None:
            failure = subject.node.failure
            if failure is None or failure.exit_code is not None:
                return None, None
            if failure.file and not failure.file.startswith("<"):
                return self._files.read(failure.file, short_file(failure.file)), None
            if failure.file and not failure.file.startswith(INLINE):
                return None, None
        elif tab != "Definition":
            return None, None
        if session.shown_file is None:
            return None, None
        entry = session.files.get(session.shown_file)
        plan = entry.plan if entry is not None else None
        known = plan.nodes.get(base_of(subject.path)) if plan is not None else None
        name = entry.display if entry is not None else short_file(session.shown_file)
        return self._files.read(session.shown_file, name), known.node if known else None

    def _comparison(self, subject: Subject) -> Sequence[str]:
        """The last good run's input beside this one's, looked up once."""
        session, node = self.session, subject.node
        if session is None or node is None or subject.state is None or not node.input_position:
            return ()
        key = (self.run, subject.path, node.input_position)
        if key != self._compared[0]:
            self._compared = (key, self._compare(session, subject))
        found = self._compared[1]
        return found.lines(subject) if found is not None else ()

    def _compare(self, session: Session, subject: Subject) -> Comparison | None:
        run, state, node = subject.run, subject.state, subject.node
        if run is None or state is None or node is None:
            return None
        for earlier in islice(good_runs(session.rows, run), COMPARED_RUNS):
            try:
                records = islice(session.studio.reading.records(earlier), COMPARED_RECORDS)
                before = good_input(records, subject.path)
            except StudioError:
                return (
                    None  # the comparison is an extra; the run's own error is what the tab is for
                )
            if before is not None:
                return Comparison(earlier, before.input, state.event(node.input_position).input)
        return None


def base_of(path: str) -> str:
    """Path of the foreach that an item belongs to; any other path unchanged."""
    return path[: path.rindex("[")] if path.endswith("]") else path
