"""What every verb answers in every state; ``python -m tests.unit.core.answers`` writes the table anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from studio.core import commands as verbs
from studio.core.commands import AnyCommand
from tests.unit.core.scenes import SCENES

TABLE = Path(__file__).with_name("answers.txt")

VERBS: dict[str, Callable[[], AnyCommand]] = {
    "cancel": lambda: verbs.CancelNode(run=1, node="n"),
    "hold": lambda: verbs.HoldNode(run=1, node="n"),
    "release": lambda: verbs.ReleaseNode(run=1, node="n"),
    "retry": lambda: verbs.RetryNode(run=1, node="n"),
    "retry downstream": lambda: verbs.RetryNode(run=1, node="n", downstream=True),
    "retry with input": lambda: verbs.RetryNode(run=1, node="n", input={"x": 1}, has_input=True),
    "mark succeeded": lambda: verbs.MarkNode(run=1, node="n", outcome="succeeded"),
    "mark skipped": lambda: verbs.MarkNode(run=1, node="n", outcome="skipped"),
    "mark ignored": lambda: verbs.MarkNode(run=1, node="n", outcome="ignored"),
    "mark failed": lambda: verbs.MarkNode(run=1, node="n", outcome="failed"),
    "input": lambda: verbs.OverrideInput(run=1, node="n", input={"x": 1}),
    "input revert": lambda: verbs.OverrideInput(run=1, node="n", revert=True),
    "output": lambda: verbs.OverrideOutput(run=1, node="n", output=msgspec.Raw(b"7")),
    "output revert": lambda: verbs.OverrideOutput(run=1, node="n", revert=True),
    "breakpoint": lambda: verbs.SetBreakpoint(run=1, node="n"),
    "clear": lambda: verbs.ClearBreakpoint(run=1, node="n"),
    "step": lambda: verbs.Step(run=1, node="n"),
    "step any": lambda: verbs.Step(run=1),
    "step until": lambda: verbs.Step(run=1, until="n"),
    "continue": lambda: verbs.Continue(run=1, node="n"),
    "continue run": lambda: verbs.Continue(run=1),
    "compensate": lambda: verbs.Compensate(run=1, nodes=("n",)),
    "compensate run": lambda: verbs.Compensate(run=1),
    "rerun": lambda: verbs.Rerun(run=1, start="n"),
    "rerun stale": lambda: verbs.Rerun(run=1),
    "pause": lambda: verbs.PauseRun(run=1),
    "resume": lambda: verbs.ResumeRun(run=1),
    "cancel run": lambda: verbs.CancelRun(run=1),
}


def answer(scene: str, verb: str) -> str:
    """One line: ``-`` and the refusal, or ``+``, the node's state, the run's phase and the facts."""
    driver = SCENES[scene]()
    before = len(driver.records)
    refusal = driver.send(VERBS[verb]())
    if refusal is not None:
        assert len(driver.records) == before, "a refusal makes no facts"
        return f"{scene:20}{verb:18}- {refusal}"
    facts = " ".join(type(event).__name__ for event in driver.events[before:])
    return f"{scene:20}{verb:18}+ {driver.states['n']}, run {driver.shown()}: {facts or 'nothing'}"


def lines(scene: str) -> list[str]:
    """The answers of every verb in one scene."""
    return [answer(scene, verb) for verb in VERBS]


if __name__ == "__main__":
    TABLE.write_text("".join(f"{line}\n" for scene in SCENES for line in lines(scene)))
