"""The Attempts tab, and the short list of tries under an error."""

from collections.abc import Sequence

from studio.projections.layout import Segment
from studio.projections.screen.graph import duration_text
from studio.projections.screen.inspecting.attempts import AttemptLine
from studio.projections.screen.inspecting.paragraphs import Row, labelled, paragraph, spent_text
from studio.projections.screen.inspecting.subject import Subject
from studio.projections.states import NODE_LOOKS
from studio.projections.text import sanitise, shorten

SHOWN_TRIES = 6
"""Tries listed under an error; the Attempts tab has them all."""

SHOWN_ATTEMPTS = 500
"""Attempts listed in the tab: the newest; a repeat may have tens of thousands."""


def tries(subject: Subject, lines: Sequence[AttemptLine], undo: bool) -> list[Row]:
    """The last tries, one row each: number, glyph, time, duration, error."""
    own = [line for line in lines if line.undo == undo and line.number][-SHOWN_TRIES:]
    rows: list[Row] = []
    for index, line in enumerate(own):
        rows.append([Segment("tries   " if index == 0 else " " * 8, "dim"), *_try(subject, line)])
    return rows


def _try(subject: Subject, line: AttemptLine) -> Row:
    look = NODE_LOOKS[line.state]
    what = line.failure.type if line.failure is not None else look.word
    spent = (line.finished_at if line.finished_at is not None else subject.now) - line.started_at
    head = f"{line.number} "
    text = f" {subject.moment(line.started_at)} {spent_text(spent)} "
    left = subject.width - 8 - len(head) - 1 - len(text)
    return [
        Segment(head, "text"),
        Segment(subject.glyph(look.glyph, look.ascii), look.style),
        Segment(text, "dim"),
        Segment(shorten(sanitise(what, 200), max(4, left)), look.style),
    ]


def attempt_rows(subject: Subject, lines: Sequence[AttemptLine], complete: bool) -> list[Row]:
    """Rows of the Attempts tab, the newest last.

    Args:
        lines: everything that was tried.
        complete: false while the history is still being read.
    """
    rows: list[Row] = []
    if not complete:
        rows.append([Segment("reading the history…", "dim")])
    if not lines:
        node = subject.node
        waits = node is None or node.status in ("blocked", "ready", "held")
        text = "Nothing was tried yet." if waits else "It came to this without an attempt."
        return [*rows, [Segment(text, "dim")]]
    if len(lines) > SHOWN_ATTEMPTS:
        rows.append([Segment(f"… {len(lines) - SHOWN_ATTEMPTS:,} earlier ones", "dim")])
    generation = lines[0].generation
    for line in lines[-SHOWN_ATTEMPTS:]:
        if line.number and line.generation != generation and not line.undo:
            generation = line.generation
            rows.append([Segment(f"generation {generation}: runs again", "dim")])
        rows += _attempt(subject, line)
    return rows


def _attempt(subject: Subject, line: AttemptLine) -> list[Row]:
    look = NODE_LOOKS[line.state]
    number = ("undo " if line.undo else "") + (str(line.number) if line.number else "by hand")
    if not line.number and line.by is None:
        number = "undo" if line.undo else "–" if not subject.ascii else "-"
    spent = (line.finished_at if line.finished_at is not None else subject.now) - line.started_at
    row: Row = [
        Segment(f"{number:<8}", "text"),
        Segment(f"{subject.glyph(look.glyph, look.ascii)} {look.word:<10} ", look.style),
        Segment(f"{subject.moment(line.started_at)} ", "dim"),
    ]
    if line.number:
        row.append(Segment(spent_text(spent), "text"))
    rows = [row]
    if line.failure is not None:
        text = subject.mask.text(f"{line.failure.type}: {line.failure.message}")
        rows += labelled("", text, "bad", subject.width, 3)
    for note in _notes(subject, line):
        rows += labelled("", note, "dim", subject.width, 2)
    return rows


def _notes(subject: Subject, line: AttemptLine) -> list[str]:
    notes = [line.note] if line.note else []
    if line.iteration:
        notes.append(f"iteration {line.iteration + 1}")
    if line.overridden:
        notes.append(f"{subject.glyph('°', 'o')} input given by hand")
    elif line.reuse:
        notes.append(f"with the input of attempt {line.reuse}")
    if line.by is not None:
        who = f"by {line.by.actor}" if line.by.actor else "by hand"
        notes.append(f"{who}: {line.by.reason}" if line.by.reason else who)
    if line.retry_at is not None and line.retry_at > subject.now:
        notes.append(f"next try in {duration_text(line.retry_at - subject.now)}")
    return notes


def attempts_summary(subject: Subject, lines: Sequence[AttemptLine]) -> list[Row]:
    """One line above the table: how many there were and what they took."""
    own = [line for line in lines if line.number]
    if len(own) < 2:
        return []
    spent = sum(line.finished_at - line.started_at for line in own if line.finished_at is not None)
    failed = sum(line.failure is not None for line in own)
    text = f"{len(own)} attempts, {failed} failed, {spent_text(spent)} in all"
    return [*paragraph(text, "dim", subject.width), []]
