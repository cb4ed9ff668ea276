"""Writes ``docs/explanation/states.md`` from the table of transitions: ``python -m tests.docs.states_page``."""

from __future__ import annotations

from pathlib import Path

from studio.core.transitions import EFFECTIVE, ENDED, FINISHED, IN_FLIGHT, TRANSITIONS

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "states.md"

MEANING = {
    "blocked": "its incoming edges are not resolved, or do not yet let it go on",
    "ready": "its join and condition are fulfilled; limits, locks or a gate decide when it starts",
    "held": "stopped at a gate: held by a person, or at a breakpoint before it",
    "running": "an attempt is open; of a foreach: its items are not all resolved",
    "waiting": "no process runs: a `wait`, or the pause between two iterations of a `repeat`",
    "backing_off": "the last attempt failed; the next one starts at a known moment",
    "succeeded": "its effect stands and its output can be read",
    "reused": "it did not run again, because its input is that of its last success",
    "failed": "its attempts are used up; what that means for the run is its disposition, below",
    "cancelled": "it was stopped, or will not start, because of a person or of the run's end",
    "skipped": "its edges, its condition or a person ruled it out",
    "in_doubt": "nobody knows whether it acted; a person has to say",
    "compensating": "its undo is under way",
    "compensated": "its effect was taken back",
    "compensation_failed": "its undo failed; a person has to retry or mark it",
}

DISPOSITIONS = {
    "held": ("no", "waits for a person; outgoing edges stay unresolved"),
    "handling": ("no", "an `on: failure` edge was taken; its target decides"),
    "handled": ("yes", "that target succeeded: the run does not fail"),
    "deferred": ("yes", "it was to stand in for a node, whose failure decides"),
    "tolerated": ("yes", "`critical: false`: the run goes on, degraded"),
    "continued": ("yes", "policy `continue`: edges resolve, the run will end as failed"),
    "failed": ("yes", "policy `fail`: edges resolve, the run fails"),
    "ignored": ("yes", "by hand: it stays failed, the run does not fail"),
}

HEAD = """\
# States

This page is written by `python -m tests.docs.states_page` from the one table of transitions,
`studio/core/transitions.py`; a test holds it up to date. What moves a node from one state to another is told
in [semantics](semantics.md).

## A node

| state | meaning | attempt open | needs nothing more | effect stands |
|---|---|---|---|---|
"""


def _yes(value: bool) -> str:
    return "yes" if value else ""


def page() -> str:
    """The whole page as Markdown."""
    text = HEAD
    for state in TRANSITIONS:
        finished = "by its disposition" if state == "failed" else _yes(state in FINISHED)
        text += (
            f"| `{state}` | {MEANING[state]} | {_yes(state in IN_FLIGHT)} | {finished} "
            f"| {_yes(state in EFFECTIVE)} |\n"
        )
    text += "\n```mermaid\nstateDiagram-v2\n    [*] --> blocked\n"
    for state, following in TRANSITIONS.items():
        for other in TRANSITIONS:
            if other in following and other != state:
                text += f"    {state} --> {other}\n"
    text += "```\n\n| from | to |\n|---|---|\n"
    for state, following in TRANSITIONS.items():
        names = ", ".join(f"`{other}`" for other in TRANSITIONS if other in following)
        text += f"| `{state}` | {names} |\n"
    text += "\n## What becomes of a failure\n\n| disposition | settled | meaning |\n|---|---|---|\n"
    for name, (settled, meaning) in DISPOSITIONS.items():
        text += f"| `{name}` | {settled} | {meaning} |\n"
    text += (
        "\n## A run\n\nA run shows the phase `running`, or `attention` when only a person can get it on, or "
        "`compensating`;\nit is over in one of "
    )
    text += ", ".join(f"`{phase}`" for phase in sorted(ENDED))
    text += ", and may be opened again by\na retry, a mark, a rerun or a revision. `paused` is a flag beside the phase.\n"
    return text


if __name__ == "__main__":
    PAGE.write_text(page())
