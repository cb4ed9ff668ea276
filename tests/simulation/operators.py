"""Random people at the studio: every command, on every kind of node, at the wrong time as well."""

from collections.abc import Callable
from random import Random
from typing import Any, Literal

import msgspec

from studio.core import commands as verbs
from studio.core.resilience.compensation import taken_back, unfinished_undo
from studio.core.state import NodeState, RunState
from studio.ids import VersionHash

Mark = Literal["succeeded", "skipped", "ignored", "failed"]
Stop = Literal["before", "after", "failure"]
Maker = Callable[[Random, dict[str, Any], RunState], verbs.AnyCommand]


def _raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


def _compensate(rng: Random, base: dict[str, Any], run: RunState) -> verbs.AnyCommand:
    names = tuple(rng.sample(list(run.nodes), min(len(run.nodes), rng.choice((1, 2)))))
    return verbs.Compensate(
        **base,
        nodes=names if rng.random() < 0.5 else (),
        downstream=rng.random() < 0.5,
        force=rng.random() < 0.3,
    )


def _step(rng: Random, base: dict[str, Any], run: RunState) -> verbs.AnyCommand:
    path = rng.choice(list(run.nodes)) if rng.random() < 0.4 else None
    until = rng.choice(list(run.plan.nodes)) if rng.random() < 0.15 else None
    return verbs.Step(**base, node=path, wave=rng.random() < 0.4, until=until)


def _mark(rng: Random, base: dict[str, Any], run: RunState) -> verbs.AnyCommand:
    outcomes: tuple[Mark, ...] = ("succeeded", "skipped", "ignored", "failed")
    outcome = rng.choice(outcomes)
    port = rng.choice(("", "left", "other"))
    return verbs.MarkNode(**base, outcome=outcome, output=_raw({"by": "hand"}), port=port)


def _retry(rng: Random, base: dict[str, Any], run: RunState) -> verbs.AnyCommand:
    given = rng.random() < 0.3
    return verbs.RetryNode(**base, downstream=rng.random() < 0.3, input={"x": 1}, has_input=given)


def _override_input(rng: Random, base: dict[str, Any], run: RunState) -> verbs.AnyCommand:
    return verbs.OverrideInput(**base, input={"over": 1}, revert=rng.random() < 0.3)


def _override_output(rng: Random, base: dict[str, Any], run: RunState) -> verbs.AnyCommand:
    return verbs.OverrideOutput(**base, output=_raw(rng.choice((1, 2))), revert=rng.random() < 0.3)


def _breakpoint(rng: Random, base: dict[str, Any], run: RunState) -> verbs.AnyCommand:
    places: tuple[Stop, ...] = ("before", "after", "failure")
    on = rng.choice(places)
    return verbs.SetBreakpoint(**base, on=on, when=rng.choice((None, "true", "output == 1")))


def _rerun(rng: Random, base: dict[str, Any], run: RunState) -> verbs.AnyCommand:
    return verbs.Rerun(**base, start=rng.choice((None, *run.plan.nodes)))


def _go_on(rng: Random, base: dict[str, Any], run: RunState) -> verbs.AnyCommand:
    return verbs.Continue(**base, node=rng.choice((None, *run.nodes)))


RUN_VERBS: tuple[tuple[int, Maker], ...] = (
    (8, lambda rng, base, run: verbs.PauseRun(**base)),
    (14, lambda rng, base, run: verbs.ResumeRun(**base)),
    (3, lambda rng, base, run: verbs.CancelRun(**base)),
    (5, _compensate),
    (5, _rerun),
    (4, _step),
    (8, _go_on),
)

NODE_VERBS: tuple[tuple[int, Maker], ...] = (
    (5, lambda rng, base, run: verbs.CancelNode(**base)),
    (6, lambda rng, base, run: verbs.HoldNode(**base)),
    (9, lambda rng, base, run: verbs.ReleaseNode(**base)),
    (14, _retry),
    (10, _mark),
    (3, _override_input),
    (4, _override_output),
    (4, _breakpoint),
    (2, lambda rng, base, run: verbs.ClearBreakpoint(**base)),
)

_ALL = (
    *((w, maker, False) for w, maker in RUN_VERBS),
    *((w, maker, True) for w, maker in NODE_VERBS),
)
_WEIGHTS = [entry[0] for entry in _ALL]


REVISED = 0.06
"""Share of commands that adopt another definition."""


def random_command(
    rng: Random, run: RunState, number: int, versions: list[VersionHash]
) -> verbs.AnyCommand:
    """Some command about a run, sensible or not; ``versions`` are what it may be revised to."""
    _weight, make, about_node = rng.choices(_ALL, _WEIGHTS)[0]
    base: dict[str, Any] = {
        "run": run.number,
        "id": f"c{number}",
        "actor": "ann",
        "reason": "why not",
    }
    if rng.random() < REVISED:
        return verbs.Revise(**base, version=rng.choice(versions), pin=f"code{number}")
    if about_node:
        base["node"] = rng.choice(list(run.nodes)) if rng.random() < 0.97 else "nobody"
    return make(rng, base, run)


def helping_hand(run: RunState, number: int) -> verbs.AnyCommand | None:
    """What a person does to get a run that waits for them to its end; None when there is nothing to do."""
    base: dict[str, Any] = {"run": run.number, "id": f"h{number}", "actor": "bob", "reason": "help"}
    if run.paused:
        return verbs.ResumeRun(**base)
    for node in run.nodes.values():
        command = _help_node(run, node, base)
        if command is not None:
            return command
    if run.stepping or run.until is not None:
        return verbs.Continue(**base)
    if run.compensation is not None and run.compensation.expired:
        return verbs.Compensate(**base, force=True)
    if run.compensation is None and any(taken_back(node) for node in run.nodes.values()):
        return verbs.CancelRun(**base)  # what follows an undone node waits for it to run again
    return None


def _help_node(run: RunState, node: NodeState, base: dict[str, Any]) -> verbs.AnyCommand | None:
    base = {**base, "node": node.path}
    if unfinished_undo(node) and node.status != "compensating" and run.compensation is not None:
        return verbs.MarkNode(**base, outcome="ignored")
    if node.gate is not None:
        return verbs.ReleaseNode(**base)
    if node.archived and node.status != "in_doubt":
        return None
    if run.compensation is not None:
        return None
    if node.status == "in_doubt":
        port = node.plan.node.ports[0] if node.plan.node.ports else ""
        return verbs.MarkNode(**base, outcome="succeeded", port=port)
    if node.status == "failed" and node.disposition == "held":
        return verbs.MarkNode(**base, outcome="failed")
    return None
