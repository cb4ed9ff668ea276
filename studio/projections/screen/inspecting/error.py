"""The Error tab: what broke, where in the user's code, what was tried, what it blocks."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from studio.core.resilience.compensation import undoable
from studio.core.state import NodeState, RunState
from studio.model.failure import Failure
from studio.model.nodes import Node
from studio.projections.layout import Segment
from studio.projections.run_document import disposition_text
from studio.projections.screen.actions import BY_ID, shown_key
from studio.projections.screen.graph import duration_text
from studio.projections.screen.inspecting.attempt_rows import tries
from studio.projections.screen.inspecting.attempts import AttemptLine
from studio.projections.screen.inspecting.paragraphs import Row, labelled, paragraph, wrap
from studio.projections.screen.inspecting.subject import Source, Subject, short_file
from studio.projections.screen.inspecting.written import INLINE, code_block, line_in_file
from studio.projections.screen.rules import Situation
from studio.projections.text import pad, sanitise, shorten, width

AROUND = 3
"""Lines of code shown before the line that raised; one less behind it."""

HERE_LINES = 4
"""Rows of the line that raised at most: it is never cut where the expression stands that failed."""

HANGING = 2
"""Cells by which the rest of a wrapped line of code is indented below its beginning."""

NAMED_LINES, OTHER_LINES = 3, 1
"""Rows of a local variable that the line that raised names, and of another."""

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
    written: Node | None = None,
) -> list[Row]:
    """Rows of the Error tab.

    Args:
        failure: what broke.
        lines: everything that was tried at the node.
        source: the file that raised, as it is on disk, or the workflow file when it was code of its own or none;
            None when no file is known.
        compared: the last good run's input beside this one's, in a line each.
        written: the node as the workflow file's last good version has it.
    """
    node = subject.node
    rows = paragraph(_head(subject, failure), "state.failed", subject.width, 12)
    quoted = quote(subject, failure, source, written)
    rows += _place(subject, failure, quoted)
    rows += _code(subject, failure, source, quoted)
    rows += _standing(subject, failure, node)
    rows += _locals(subject, failure, quoted)
    undo = node is not None and node.status in ("compensation_failed", "compensating")
    rows += _block(tries(subject, lines, undo))
    rows += _block(_blocks(subject))
    for index, text in enumerate(compared):
        rows += [[]] if index == 0 else []
        rows += labelled("last OK" if index == 0 else "", text, "text", subject.width, 3)
    return [*rows, [], *_keys(subject, quoted)]


def _head(subject: Subject, failure: Failure) -> str:
    message = subject.mask.text(failure.message)
    return f"{failure.type}: {message}" if message else failure.type


def _block(rows: list[Row]) -> list[Row]:
    return [[], *rows] if rows else []


class Quoted(NamedTuple):
    """Lines of code, and the one to look at.

    Args:
        name: how the file is called.
        line: number of the line; 0 when none is known.
        lines: the lines of the file, from the first on.
        changed: whether the line may have moved since.
        block: numbers of the first and last line of the code around it; all of the file without one.
    """

    name: str
    line: int
    lines: Sequence[str] = ()
    changed: bool = False
    block: tuple[int, int] | None = None

    @property
    def text(self) -> str:
        """The line itself, empty when it is not known."""
        return self.lines[self.line - 1] if 1 <= self.line <= len(self.lines) else ""


def quote(
    subject: Subject, failure: Failure, source: Source | None, written: Node | None
) -> Quoted | None:
    """What the tab quotes; None when no place is known.

    Code that stands in the workflow file is quoted from there, with the numbers of its lines there; where the file has
    it no more, from the definition that it ran with.
    """
    planned = subject.planned
    lines: Sequence[str] = source.lines if source is not None else ()
    if planned is not None and (failure.file.startswith(INLINE) or not failure.file):
        undo = undoing(subject)
        at = line_in_file(planned.node, failure, written, lines, undo=undo)
        block = code_block(planned.node, failure, undo=undo)
        if at and source is not None:
            before = at - failure.line
            around = (before + 1, before + len(block)) if block is not None else None
            return Quoted(source.name, at, lines, block=around)
        return Quoted(failure.file, failure.line, block) if block is not None else None
    if not failure.file:
        return None
    return Quoted(short_file(failure.file), failure.line, lines, changed=True)


def undoing(subject: Subject) -> bool:
    """Whether what failed last was the undo of the node."""
    node = subject.node
    return node is not None and bool(node.undo_attempt)


def _place(subject: Subject, failure: Failure, quoted: Quoted | None) -> list[Row]:
    if quoted is None:
        if failure.exit_code is None:
            return []
        return paragraph(f"exit status {failure.exit_code}", "dim", subject.width)
    function = "" if failure.function.startswith("<") else failure.function
    inside = f" in {function}" if function else ""
    where = f"{quoted.name}:{quoted.line}" if quoted.line else failure.file
    return paragraph(f"{where}{inside}", "accent", subject.width, 3)


def _code(
    subject: Subject, failure: Failure, source: Source | None, quoted: Quoted | None
) -> list[Row]:
    rows: list[Row] = []
    if quoted is None or not quoted.lines:
        said = failure.traceback.strip()
        if said in (failure.message.strip(), f"{failure.type}: {failure.message}".strip()):
            said = ""  # it names no place, and stands above already
        if said:
            return _output(subject, failure)
        quoted = None
    if source is not None and source.problem:
        rows += paragraph(source.problem, "dim", subject.width, 2)
    if quoted is None or not quoted.text:
        return rows
    lines, line = quoted.lines, quoted.line
    top, bottom = quoted.block or (1, len(lines))
    first, last = max(top, line - AROUND + 1), min(bottom, line + AROUND - 1)
    while last > line and not lines[last - 1].strip():
        last -= 1
    digits = len(str(last))
    shown = [sanitise(lines[at - 1], 400) for at in range(first, last + 1)]
    indent = min((len(text) - len(text.lstrip()) for text in shown if text.strip()), default=0)
    bar = subject.glyph("│", "|")
    cells = max(4, subject.width - digits - 5)
    whole = _whole(sanitise(quoted.text, 400)[indent:], cells)
    # What the line takes more, those behind it have less: what broke stays in view together with its locals.
    last = max(line, last - len(whole) + 1)
    for number, text in zip(range(first, last + 1), shown, strict=False):
        if number != line:
            lead = f" {number:>{digits}} {bar} "
            rows.append([Segment(lead, "dim"), Segment(shorten(text[indent:], cells), "text")])
            continue
        pointer = subject.glyph("▸", ">")
        for place, part in enumerate(whole):
            lead = f"{pointer}{number:>{digits}} {bar} " if not place else f"  {'':{digits}}{bar} "
            rows.append([Segment(lead, "accent"), Segment(part, "title")])
    rows += _edited_since(subject, source if quoted.changed else None)
    return rows


def _whole(text: str, cells: int) -> list[str]:
    """The line that raised, in as many rows as it takes; its indentation gives way first."""
    if width(text) <= cells:
        return [text]
    inner = text.lstrip()
    if width(inner) <= cells:
        return [" " * (cells - width(inner)) + inner]
    # Where the line takes too many rows for it, the indentation gives way after all.
    own = min(width(text) - width(inner), cells // 3)
    for lead in (own, 0):
        rows = wrap(inner, cells - lead - HANGING, HERE_LINES + 1)
        if len(rows) <= HERE_LINES:
            return [" " * (lead + HANGING * (place > 0)) + row for place, row in enumerate(rows)]
    return wrap(inner, cells, HERE_LINES)


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
    if failure.exit_code is None and " ".join(lines).strip() in _head(subject, failure):
        return []  # no traceback at all: the message once more
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


def _locals(subject: Subject, failure: Failure, quoted: Quoted | None) -> list[Row]:
    """The local variables: those that the line that raised names first, and with more of their values."""
    if not failure.locals:
        return []
    words = re.findall(r"[^\W\d]\w*", quoted.text) if quoted is not None else []
    named = [name for name in dict.fromkeys(words) if name in failure.locals]
    names = [*named, *(name for name in failure.locals if name not in named)][:SHOWN_LOCALS]
    widest = min(12, max(width(sanitise(name, 40)) for name in names))
    rows: list[Row] = [[]]
    for index, name in enumerate(names):
        value = subject.mask.text(failure.locals[name])
        text = f"{pad(sanitise(name, 40), widest)} = {value}"
        lines = NAMED_LINES if name in named else OTHER_LINES
        rows += labelled("locals" if index == 0 else "", text, "text", subject.width, lines)
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


def _keys(subject: Subject, quoted: Quoted | None) -> list[Row]:
    """What helps, as far as it applies to the node as it stands: two to a row."""
    edit = f"edit :{quoted.line}" if quoted is not None and quoted.line else "edit"
    status = subject.node.status if subject.node is not None else ""
    if status in ("compensation_failed", "compensating"):
        pairs = [("retry", "run the undo again"), ("outcome", "undone by hand")]
    elif status == "in_doubt":
        pairs = [("outcome", "say what happened"), ("retry", "run it again")]
    else:
        pairs = [("retry", "retry"), ("retry_downstream", "retry + downstream")]
    at = Situation(subject.run, subject.node, subject.path, "file", True, keys=subject.keys)
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
