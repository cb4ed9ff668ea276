"""The states of a node and of a run, and which may follow which. The documentation's diagram is drawn from here.

``ready`` is computed, never stored: it follows from the edges, and replay finds it again.
"""

from typing import Literal, TypeAlias

Status: TypeAlias = Literal[
    "blocked",
    "ready",
    "running",
    "waiting",
    "backing_off",
    "held",
    "succeeded",
    "reused",
    "failed",
    "cancelled",
    "skipped",
    "in_doubt",
    "compensating",
    "compensated",
    "compensation_failed",
]

Phase: TypeAlias = Literal[
    "running",
    "attention",
    "compensating",
    "succeeded",
    "failed",
    "cancelled",
    "compensated",
    "partly_compensated",
]

_START = frozenset({"running", "waiting", "failed", "reused"})
_DONE = frozenset({"blocked", "ready", "skipped"})

TRANSITIONS: dict[Status, frozenset[str]] = {
    "blocked": frozenset({"ready", "held", "skipped", "cancelled", "succeeded"}) | _START,
    "ready": frozenset({"blocked", "held", "skipped", "cancelled", "succeeded"}) | _START,
    "held": frozenset({"blocked", "ready", "backing_off", "skipped", "cancelled", "succeeded"})
    | _START,
    "running": frozenset(
        {"succeeded", "failed", "cancelled", "in_doubt", "backing_off", "waiting", "ready", "held"}
    ),
    "waiting": frozenset(
        {
            "running",
            "waiting",
            "succeeded",
            "failed",
            "backing_off",
            "cancelled",
            "skipped",
            "ready",
            "held",
        }
    ),
    "backing_off": frozenset(
        {"ready", "held", "failed", "cancelled", "skipped", "succeeded", "blocked"}
    )
    | _START,
    "succeeded": frozenset({"compensating", "succeeded"}) | _DONE,
    "reused": frozenset({"compensating", "succeeded"}) | _DONE,
    "failed": frozenset({"succeeded", "cancelled", "in_doubt", "failed"}) | _DONE | _START,
    "cancelled": frozenset({"succeeded"}) | _DONE | _START,
    "skipped": frozenset({"succeeded", "cancelled"}) | _DONE | _START,
    "in_doubt": frozenset({"succeeded", "failed", "cancelled"}) | _DONE | _START,
    "compensating": frozenset({"compensated", "compensation_failed", "compensating"}),
    "compensated": frozenset({"succeeded"}) | _DONE,
    "compensation_failed": frozenset({"compensating", "compensated", "succeeded"}) | _DONE,
}
"""For each state of a node, the states that may follow it."""

IN_FLIGHT: frozenset[str] = frozenset({"running", "waiting", "compensating"})
"""States in which an attempt is open."""

FINISHED: frozenset[str] = frozenset({"succeeded", "reused", "skipped", "cancelled", "compensated"})
"""States in which a node needs nothing any more (`failed` depends on its disposition)."""

EFFECTIVE: frozenset[str] = frozenset({"succeeded", "reused"})
"""States in which the node's effect stands and its output can be read."""

ENDED: frozenset[str] = frozenset(
    {"succeeded", "failed", "cancelled", "compensated", "partly_compensated"}
)
"""Phases in which a run is over."""

SETTLED_DISPOSITIONS: frozenset[str] = frozenset(
    {"handled", "deferred", "tolerated", "continued", "failed", "ignored"}
)
"""What may have become of a failure so that nobody has to look at it any more."""
