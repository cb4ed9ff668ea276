"""The Why tab: why the node is as it is, and what would get it on."""

from collections.abc import Sequence
from typing import Final

from studio.core.why import Reason, explain
from studio.projections.layout import Segment
from studio.projections.screen.actions import no_run_text
from studio.projections.screen.graph import duration_text
from studio.projections.screen.inspecting.attempts import AttemptLine
from studio.projections.screen.inspecting.edges import following
from studio.projections.screen.inspecting.paragraphs import (
    Row,
    labelled,
    paragraph,
    spent_text,
    wrap,
)
from studio.projections.screen.inspecting.subject import Subject, degraded_text
from studio.projections.screen.wording import with_keys
from studio.projections.states import MARKS

SIGNS: Final[dict[str, tuple[str, str, str]]] = {
    "edge": ("◂", "<", "accent"),
    "gate": ("‖", '"', "state.held"),
    "limit": ("◌", ":", "state.ready"),
    "lock": ("◌", ":", "state.ready"),
    "timer": ("↻", "~", "state.backing_off"),
    "person": ("?", "?", "state.waiting"),
    "running": ("●", ">", "state.running"),
    "skipped": ("⊘", "-", "state.skipped"),
    "cancelled": ("×", "x", "state.cancelled"),
    "failed": ("✗", "!", "state.failed"),
    "succeeded": ("✓", "+", "state.succeeded"),
    "reused": ("≡", "=", "state.reused"),
    "again": ("↻", "~", "state.ready"),
    "stale": ("′", "'", "warn"),
    "undo": ("↶", "<", "state.compensated"),
}
"""Glyph, ASCII glyph and style of each kind of reason."""

MEANINGS: Final[dict[str, str]] = {
    "stale": "what it ran with is no longer what it would run with",
    "overridden": "its next input was given by hand",
    "overridden output": "its output was given by hand",
    "marked": "its outcome was set by hand",
    "degraded": "a fallback stands in for its result, or items of it failed",
}
"""What the marks beside a name mean."""


def why_rows(subject: Subject, lines: Sequence[AttemptLine] = ()) -> list[Row]:
    """Rows of the Why tab.

    Args:
        lines: what was tried at the node, as far as it is known.
    """
    run, state, node = subject.run, subject.state, subject.node
    if run is None or state is None or node is None:
        return paragraph(f"N{no_run_text(subject.keys)[1:]}.", "dim", subject.width)
    rows: list[Row] = []
    for reason in explain(state, run, subject.path, subject.now, driven=subject.driven):
        rows += _reason(subject, reason)
    rows += _marks(subject)
    rows += _times(subject, lines)
    after = following(subject)
    if after:
        rows += [[], *labelled("then", after, "dim", subject.width, 3)]
    return rows


def _reason(subject: Subject, reason: Reason) -> list[Row]:
    glyph, plain, style = SIGNS[reason.kind]
    text = with_keys(subject.mask.text(reason.text), subject.keys, driven=subject.driven)
    if reason.at is not None and reason.at > subject.now:
        text += f", at {subject.moment(reason.at)}"
    parts = wrap(text, subject.width - 2, 12)
    return [
        [
            Segment(f"{subject.glyph(glyph, plain)} " if index == 0 else "  ", style),
            Segment(part, "text"),
        ]
        for index, part in enumerate(parts)
    ]


def _marks(subject: Subject) -> list[Row]:
    node = subject.node
    rows: list[Row] = []
    for name in sorted(node.marks if node is not None else ()):
        if name in MEANINGS:
            meaning = MEANINGS[name]
            if name == "degraded" and node is not None:
                meaning = degraded_text(node)
            sign = MARKS[name][subject.ascii] if name in MARKS else ""
            text = f"{sign} {meaning}".strip()
            rows += labelled("mark" if not rows else "", text, "warn", subject.width, 3)
    return [[], *rows] if rows else []


def _times(subject: Subject, lines: Sequence[AttemptLine]) -> list[Row]:
    node = subject.node
    if node is None or node.started_at is None:
        return []
    text = f"started {subject.moment(node.started_at)}"
    marked = "marked" in node.marks
    ends = [line.finished_at for line in lines if line.number and line.finished_at is not None]
    end = node.finished_at if not marked else ends[-1] if ends else None
    if node.status == "in_doubt":
        text += ", nobody knows when it ended"
    elif end is not None:
        spent = spent_text(max(0.0, end - node.started_at))
        text += f", ended {subject.moment(end)}, took {spent}"
    if node.finished_at is None:
        text += f", {spent_text(subject.now - node.started_at)} ago"
    elif marked:
        text += f", marked {subject.moment(node.finished_at)}"
    rows: list[Row] = [[], *labelled("time", text, "dim", subject.width, 3)]
    if node.deadline is not None and node.finished_at is None:
        left = duration_text(node.deadline - subject.now)
        rows += labelled("", f"time limit in {left}", "dim", subject.width)
    if node.attempt:
        counted = f"attempt {node.attempt}"
        if node.generation > 1:
            counted += f", generation {node.generation}"
        rows += labelled("", counted, "dim", subject.width)
    return rows
