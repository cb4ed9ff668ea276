"""The Error tab: what broke, where in the user's code, what was tried, what it blocks."""

from collections.abc import Sequence

from studio.core.resilience.compensation import undoable
from studio.core.state import NodeState, RunState
from studio.model.failure import Failure
from studio.model.nodes import PythonSettings
from studio.projections.layout import Segment
from studio.projections.run_document import disposition_text
from studio.projections.screen.actions import BY_ID, shown_key
from studio.projections.screen.graph import duration_text
from studio.projections.screen.inspecting.attempt_rows import tries
from studio.projections.screen.inspecting.attempts import AttemptLine
from studio.projections.screen.inspecting.paragraphs import Row, labelled, paragraph
from studio.projections.screen.inspecting.subject import Source, Subject
from studio.projections.screen.rules import Situation
from studio.projections.text import pad, sanitise, shorten, width

AROUND = 3
"""Lines of code shown before the line that raised; one less behind it."""

SHOWN_LOCALS = 8
SHOWN_BLOCKED = 3
OUTPUT_LINES = 10
"""Last lines of a command's standard error, or of a traceback, when no line of code is known."""


def error_rows(
    subject: Subject,
    failure: Failure,
    lines: Sequence[AttemptLine],
    source: Source | None,
    compared: Sequence[str] = (),
) -> list[Row]:
    """Rows of the Error tab.

    Args:
        failure: what broke.
        lines: everything that was tried at the node.
        source: the file that raised, as it is on disk; None when no file is known.
        compared: the last good run's input beside this one's, in a line each.
    """
    node = subject.node
    message = subject.mask.text(failure.message)
    head = f"{failure.type}: {message}" if message else failure.type
    rows = paragraph(head, "state.failed", subject.width, 12)
    rows += _place(subject, failure)
    rows += _code(subject, failure, source)
    rows += _standing(subject, failure, node)
    rows += _locals(subject, failure)
    undo = node is not None and node.status in ("compensation_failed", "compensating")
    rows += _block(tries(subject, lines, undo))
    rows += _block(_blocks(subject))
    for index, text in enumerate(compared):
        rows += [[]] if index == 0 else []
        rows += labelled("last OK" if index == 0 else "", text, "text", subject.width, 3)
    return [*rows, [], *_keys(subject, failure)]


def _block(rows: list[Row]) -> list[Row]:
    return [[], *rows] if rows else []


def _place(subject: Subject, failure: Failure) -> list[Row]:
    if not failure.file and failure.exit_code is None:
        return []
    if not failure.file:
        return paragraph(f"exit status {failure.exit_code}", "dim", subject.width)
    inside = f" in {failure.function}" if failure.function else ""
    where = f"{short_file(failure.file)}:{failure.line}" if failure.line else failure.file
    return paragraph(f"{where}{inside}", "accent", subject.width, 3)


def short_file(file: str) -> str:
    """A file as an error names it: the last part of its path, or the code block it stands for."""
    return file if file.startswith("<") else file.rpartition("/")[2]


def code_block(subject: Subject, failure: Failure) -> list[str] | None:
    """Lines of the definition's own ``code:``, when it is what raised."""
    planned = subject.planned
    if not failure.file.startswith("<code of ") or planned is None:
        return None
    kind = planned.node.kind
    undo = planned.node.compensate
    if undo is not None and subject.node is not None and subject.node.undo_attempt:
        kind = undo.kind if isinstance(undo.kind, PythonSettings) and undo.kind.code else kind
    return kind.code.splitlines() if isinstance(kind, PythonSettings) and kind.code else None


def _code(subject: Subject, failure: Failure, source: Source | None) -> list[Row]:
    block = code_block(subject, failure)
    lines: Sequence[str] = block if block is not None else source.lines if source else ()
    if not lines and failure.traceback:
        return _output(subject, failure)
    rows: list[Row] = []
    if source is not None and source.problem:
        rows += paragraph(source.problem, "dim", subject.width, 2)
    if not lines or not 1 <= failure.line <= len(lines):
        return rows
    first = max(1, failure.line - AROUND + 1)
    last = min(len(lines), failure.line + AROUND - 1)
    while last > failure.line and not lines[last - 1].strip():
        last -= 1
    digits = len(str(last))
    shown = [sanitise(lines[at - 1], 400) for at in range(first, last + 1)]
    indent = min((len(line) - len(line.lstrip()) for line in shown if line.strip()), default=0)
    for number, line in zip(range(first, last + 1), shown, strict=True):
        here = number == failure.line
        pointer = subject.glyph("▸", ">") if here else " "
        bar = subject.glyph("│", "|")
        text = shorten(line[indent:], max(4, subject.width - digits - 5))
        rows.append(
            [
                Segment(f"{pointer}{number:>{digits}} {bar} ", "accent" if here else "dim"),
                Segment(text, "title" if here else "text"),
            ]
        )
    rows += _edited_since(subject, source if block is None else None)
    return rows


def _edited_since(subject: Subject, source: Source | None) -> list[Row]:
    node = subject.node
    if source is None or node is None or node.finished_at is None:
        return []
    if source.changed_at <= node.finished_at:
        return []
    text = f"{source.name} was saved after this attempt: the line may have moved"
    return paragraph(text, "warn", subject.width, 3)


def _output(subject: Subject, failure: Failure) -> list[Row]:
    """The end of what a command wrote, or of a traceback without a line of the user's own."""
    title = "standard error" if failure.exit_code is not None else "traceback"
    lines = failure.traceback.rstrip().splitlines()[-OUTPUT_LINES:]
    rows: list[Row] = [[], [Segment(title, "dim")]]
    for line in lines:
        rows += paragraph(subject.mask.text(line), "text", subject.width, 3)
    return rows


def _standing(subject: Subject, failure: Failure, node: NodeState | None) -> list[Row]:
    """What kind of error it is and what became of the failure."""
    parts: list[str] = [failure.category]
    if node is not None and node.status == "backing_off" and node.retry_at is not None:
        parts.append(f"next try in {duration_text(node.retry_at - subject.now)}")
    elif node is not None and node.status == "compensation_failed":
        parts.append("the undo needs you")
    elif node is not None:
        parts.append(disposition_text(node.path, node.disposition))
    return [[], *labelled("kind", ": ".join(part for part in parts if part), "text", subject.width)]


def _locals(subject: Subject, failure: Failure) -> list[Row]:
    if not failure.locals:
        return []
    names = list(failure.locals)[:SHOWN_LOCALS]
    widest = min(12, max(width(sanitise(name, 40)) for name in names))
    rows: list[Row] = [[]]
    for index, name in enumerate(names):
        value = subject.mask.text(failure.locals[name])
        text = f"{pad(sanitise(name, 40), widest)} = {value}"
        rows += labelled("locals" if index == 0 else "", text, "text", subject.width, 2)
    if len(failure.locals) > SHOWN_LOCALS:
        rows += labelled("", f"… {len(failure.locals) - SHOWN_LOCALS} more", "dim", subject.width)
    return rows


def blocked_by(subject: Subject) -> list[str]:
    """What follows the node and cannot go on before it is settled."""
    run = subject.run
    if run is None:
        return []
    return [name for name in subject.plan.descendants([subject.path]) if not _done(run.nodes, name)]


def _done(nodes: dict[str, NodeState], name: str) -> bool:
    node = nodes.get(name)
    return node is None or node.settled


def _blocks(subject: Subject) -> list[Row]:
    node, run = subject.node, subject.run
    if (
        run is not None
        and node is not None
        and node.status in ("compensation_failed", "compensating")
    ):
        return _undos_behind(subject, run, node)
    found = blocked_by(subject)
    if not found:
        return labelled("blocks", "nothing that follows", "dim", subject.width)
    more = f" +{len(found) - SHOWN_BLOCKED}" if len(found) > SHOWN_BLOCKED else ""
    return labelled("blocks", ", ".join(found[:SHOWN_BLOCKED]) + more, "text", subject.width)


def _undos_behind(subject: Subject, run: RunState, node: NodeState) -> list[Row]:
    """A failed undo keeps the steps of the plan behind it from being taken; what ran forward does not wait for it."""
    plan = run.compensation
    steps = plan.steps if plan is not None else ()
    behind = steps[steps.index(node.path) + 1 :] if node.path in steps else ()
    left = [path for path in behind if undoable(run.nodes[path])]
    if not left:
        return labelled("blocks", "no other undo", "dim", subject.width)
    more = f" +{len(left) - SHOWN_BLOCKED}" if len(left) > SHOWN_BLOCKED else ""
    text = f"the undo of {', '.join(left[:SHOWN_BLOCKED])}{more}"
    return labelled("blocks", text, "text", subject.width)


def _keys(subject: Subject, failure: Failure) -> list[Row]:
    """What helps, as far as it applies to the node as it stands: two to a row."""
    edit = f"edit :{failure.line}" if failure.line and failure.file else "edit"
    status = subject.node.status if subject.node is not None else ""
    if status in ("compensation_failed", "compensating"):
        pairs = [("retry", "run the undo again"), ("outcome", "undone by hand")]
    elif status == "in_doubt":
        pairs = [("outcome", "say what happened"), ("retry", "run it again")]
    else:
        pairs = [("retry", "retry"), ("retry_downstream", "retry + downstream")]
    at = Situation(subject.run, subject.node, subject.path, "file", True)
    offered = [pair for pair in pairs if BY_ID[pair[0]].rule(at) is None]
    offered += [("edit", edit), ("copy", "copy error")]
    first = max(len(label) for _action, label in offered[::2]) + 4
    rows: list[Row] = []
    for index, (action, label) in enumerate(offered):
        key = Segment(shown_key(at, BY_ID[action]), "key")
        if index % 2:
            rows[-1] += [key, Segment(f" {label}", "dim")]
        else:
            rows.append([key, Segment(f" {label}".ljust(first), "dim")])
    return rows
