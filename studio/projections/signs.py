"""How each state of a node and of a run is shown: glyph, ASCII glyph, word and tone."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

Tone: TypeAlias = Literal["good", "bad", "busy", "wait", "dim", "undo", "plain"]
"""What a colour should say; a state is never told by colour alone."""


class Sign(NamedTuple):
    """Glyph of one cell, its ASCII form, the word beside it, and its tone."""

    glyph: str
    ascii: str
    word: str
    tone: Tone


SIGNS: dict[str, Sign] = {
    "blocked": Sign("○", ".", "blocked", "dim"),
    "ready": Sign("◌", ":", "ready", "dim"),
    "running": Sign("●", ">", "running", "busy"),
    "waiting": Sign("?", "?", "waiting", "wait"),
    "backing_off": Sign("↻", "~", "backing off", "wait"),
    "held": Sign("‖", '"', "held", "wait"),
    "breakpoint": Sign("◆", "*", "breakpoint", "wait"),
    "paused": Sign("‖", '"', "paused", "wait"),
    "attention": Sign("◆", "*", "needs you", "wait"),
    "interrupted": Sign("¿", "%", "interrupted", "wait"),
    "failed": Sign("✗", "!", "failed", "bad"),
    "failing": Sign("✗", "!", "failing", "bad"),
    "in_doubt": Sign("¿", "%", "in doubt", "bad"),
    "skipped": Sign("⊘", "-", "skipped", "dim"),
    "cancelled": Sign("×", "x", "cancelled", "dim"),
    "compensating": Sign("↶", "<", "compensating", "undo"),
    "compensated": Sign("⟲", "(", "compensated", "undo"),
    "partly_compensated": Sign("⟲", "(", "partly compensated", "undo"),
    "compensation_failed": Sign("⚠", "&", "undo failed", "bad"),
    "succeeded": Sign("✓", "+", "succeeded", "good"),
    "reused": Sign("≡", "=", "reused", "good"),
}
"""By name of the state, as the table of the interface design has them."""

RESOLVED = frozenset({"succeeded", "reused", "skipped", "cancelled", "compensated"})
"""States of nodes that count as done in the figures of a run or group: nothing more is to come, and nothing is wrong."""

NOTE = Sign("·", ".", "", "plain")
"""Beside a fact that is not a state."""

MARKS: dict[str, str] = {"stale": "′", "overridden": "°", "marked": "·", "degraded": "▿"}
"""Signs of the marks beside a state."""


def sign(state: str) -> Sign:
    """The sign of a state of a node or run; a plain dot for a fact that is none."""
    return SIGNS.get(state, NOTE)
