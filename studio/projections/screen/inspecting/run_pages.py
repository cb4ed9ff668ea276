"""The pages of the inspector that tell of a run: every tab but those of the definition."""

from collections.abc import Sequence

from studio.model.nodes import Node
from studio.projections.screen.inspecting.attempt_rows import attempt_rows, attempts_summary
from studio.projections.screen.inspecting.attempts import AttemptLine
from studio.projections.screen.inspecting.error import error_rows
from studio.projections.screen.inspecting.items import item_list
from studio.projections.screen.inspecting.paragraphs import paragraph, size_text
from studio.projections.screen.inspecting.subject import Source, Subject
from studio.projections.screen.inspecting.tree import ValueTree
from studio.projections.screen.inspecting.undo import undo_rows
from studio.projections.screen.inspecting.values import AT_ONCE, Finding
from studio.projections.screen.inspecting.why import why_rows
from studio.projections.screen.inspector import Page


def text_page(
    subject: Subject,
    tab: str,
    *,
    lines: Sequence[AttemptLine] = (),
    complete: bool = True,
    source: Source | None = None,
    written: Node | None = None,
    compared: Sequence[str] = (),
) -> Page:
    """A tab that is text.

    Args:
        lines: everything that was tried at the node.
        complete: whether the history was read to its end.
        source: the file that the tab quotes, as it is on disk.
        written: the node as the workflow file's last good version has it.
        compared: the last good run's input beside this one's, in a line each.
    """
    node = subject.node
    if tab == "Error" and node is not None and node.failure is not None:
        return Page(error_rows(subject, node.failure, lines, source, compared, written))
    if tab == "Attempts":
        rows = [*attempts_summary(subject, lines), *attempt_rows(subject, lines, complete)]
        return Page(rows)
    if tab == "Undo":
        return Page(undo_rows(subject))
    return Page(why_rows(subject, lines))


def items_page(subject: Subject) -> Page:
    """The Items tab."""
    items = item_list(subject)
    if items is None:
        return Page(paragraph("It has no items yet.", "dim", subject.width))
    return Page(items.head, items.size, items.row, items=items)


def value_page(subject: Subject, finding: Finding, tree: ValueTree | None) -> Page:
    """The Input or Output tab.

    Args:
        finding: what there is to show.
        tree: it as a tree; None when there is none, or it is large and was not asked for yet.
    """
    width = subject.width
    if tree is not None:
        tree.fit(width)
        return Page(finding.head, len(tree.rows), lambda place: tree.row(place, width), tree=tree)
    if finding.load is None or finding.size <= AT_ONCE:
        return Page(finding.head)
    text = f"{size_text(finding.size)} of JSON: Enter reads it."
    return Page([*finding.head, *paragraph(text, "accent", width)], ask=finding.size)
