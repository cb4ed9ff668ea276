"""The pages of the inspector that tell of a run: history and values of a node, each read only when it has changed."""

from collections.abc import Callable, Hashable, Sequence
from itertools import islice
from typing import Final

from studio.application.session import Session
from studio.errors import StudioError
from studio.model.nodes import Node
from studio.projections.screen.inspecting.comparison import Comparison, good_input
from studio.projections.screen.inspecting.paragraphs import paragraph
from studio.projections.screen.inspecting.run_pages import items_page, text_page, value_page
from studio.projections.screen.inspecting.subject import Source, Subject, short_file
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
from studio.projections.screen.inspector import Page
from studio.projections.screen.runs import good_runs
from studio.tui.widgets.attempt_history import AttemptHistory
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


class RunPages:
    """What a run tells of one node at a time.

    Args:
        files: reads what is quoted.
        run: number of the run.
        ascii: draw with ASCII characters only.
    """

    def __init__(self, files: QuotedFiles, run: int | None, *, ascii: bool = False) -> None:
        self._files = files
        self._ascii = ascii
        self._history = AttemptHistory(run)
        self._trees: dict[str, tuple[Hashable, ValueTree | None]] = {}
        self._asked: Hashable = None
        self._finding: tuple[Hashable, Finding] | None = None
        self._compared: tuple[Hashable, Comparison | None] = (None, None)

    def turn_to(self, run: int | None, *, another: bool) -> None:
        """Tell of a run; of ``another`` node than before, perhaps."""
        self._history.turn_to(run)
        if another:
            self._trees.clear()
            self._asked = self._finding = None

    @property
    def complete(self) -> bool:
        """False while the history is not read to its end; ask for the page again soon."""
        return self._history.complete

    def page(self, session: Session, subject: Subject, tab: str, *, mask: Hashable) -> Page:
        """The page of a tab.

        Args:
            session: what is shown.
            subject: the node.
            tab: any but those of the definition.
            mask: what the subject's mask was made for.

        Raises `StudioError`, `LookupError` when something cannot be read.
        """
        if tab == "Items":
            return items_page(subject)
        if tab in VALUES:
            finding = self._finding_of(subject, tab, mask)
            return value_page(subject, finding, self._tree(finding, tab))
        node = subject.node
        if tab in ("Error", "Attempts") or (node is not None and "marked" in node.marks):
            self._history.read(session)
        source, written = self._quoted(session, subject) if tab == "Error" else (None, None)
        page = text_page(
            subject,
            tab,
            lines=self._history.book.of(subject.path),
            complete=self._history.complete,
            source=source,
            written=written,
            compared=self._comparison(session, subject) if tab == "Error" else (),
        )
        problem = self._history.problem
        if problem and tab in ("Error", "Attempts"):
            return Page([*page.head, [], *paragraph(problem, "bad", subject.width)])
        return page

    def _finding_of(self, subject: Subject, tab: str, mask: Hashable) -> Finding:
        """The value of a tab; read again only when another one may be there, or the width is another."""
        outputs = subject.run is not None and bool(subject.run.outputs)
        key = (finding_key(subject, tab), subject.width, mask, outputs)
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

    def ask(self, subject: Subject, tab: str, *, mask: Hashable) -> None:
        """Read a large value after all."""
        self._asked = self._finding_of(subject, tab, mask).key

    # ----------------------------------------------------------------- files, other runs

    def _quoted(self, session: Session, subject: Subject) -> tuple[Source | None, Node | None]:
        """The file that an error quotes, and the node as the workflow file's last good version has it."""
        failure = subject.node.failure if subject.node is not None else None
        if failure is None or failure.exit_code is not None:
            return None, None
        if failure.file and not failure.file.startswith("<"):
            return self._files.read(failure.file, short_file(failure.file)), None
        if failure.file and not failure.file.startswith(INLINE):
            return None, None
        return self._files.definition(session, subject)

    def _comparison(self, session: Session, subject: Subject) -> Sequence[str]:
        """The last good run's input beside this one's, looked up once."""
        node = subject.node
        if node is None or subject.state is None or not node.input_position:
            return ()
        key = (session.shown_run, subject.path, node.input_position)
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
