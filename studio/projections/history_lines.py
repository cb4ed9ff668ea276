"""History events in words, one line each, and as JSON objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from studio.core import events as facts
from studio.core.events import AnyEvent, Origin, Record
from studio.projections.masking import Mask
from studio.projections.moments import iso_time, span
from studio.projections.run_document import disposition_text
from studio.projections.text import sanitise

TEXT_LIMIT = 300
"""Characters of a message in one line; the whole of it stands in ``studio show RUN NODE``."""


class Phrase(NamedTuple):
    """One fact in words.

    Args:
        state: state of the node or run that it led to (a key of `studio.projections.signs.SIGNS`); empty for a
            fact that changes none.
        subject: path of the node, empty for the run itself.
        text: what there is to say beside the state; not sanitised.
    """

    state: str
    subject: str
    text: str = ""


def phrase(event: AnyEvent, at: float) -> Phrase:
    """A history event in words.

    Args:
        event: the fact.
        at: when it was recorded, seconds since the epoch; waits are told relative to it.
    """
    return _PHRASES[type(event)](event, at)


def event_document(record: Record, mask: Mask) -> dict[str, Any]:
    """A record as one flat JSON object: position, run, time, name of the event, and its fields.

    Sensitive values are covered. The mask learns from the record first, so records have to come in order.
    """
    body = msgspec.json.decode(msgspec.json.encode(record.event))
    node = body.get("node", "")
    if "output" in body:
        mask.learn_output(node, body["output"])
        body["output"] = mask.output(node, body["output"])
    origin = getattr(record.event, "by", None)
    if isinstance(origin, Origin):
        body["by"] = {
            "command": origin.command,
            "actor": origin.actor,
            "reason": origin.reason,
        }
    if isinstance(record.event, facts.RunStarted):
        body["params"] = mask.params(body.get("params", {}))
    document: dict[str, Any] = {
        "position": record.position,
        "run": record.run,
        "at": iso_time(record.at),
    }
    document["event"] = body.pop("event")
    document.update(mask.value(body))
    return document


def _by(origin: Origin | None) -> str:
    if origin is None:
        return ""
    who = f"by {origin.actor}" if origin.actor else "by hand"
    return f"{who}: {origin.reason}" if origin.reason else who


def _join(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def failure_text(failure: Any) -> str:
    """Type, message and place of a failure in one line."""
    place = f" ({failure.file.rpartition('/')[2]}:{failure.line})" if failure.line else ""
    message = sanitise(failure.message, TEXT_LIMIT)
    return f"{failure.type}: {message}{place}" if message else f"{failure.type}{place}"


def _started(event: facts.RunStarted, at: float) -> Phrase:
    aim = f"up to {event.until}" if event.until else ""
    return Phrase("running", "", _join(f"{event.workflow} started", aim, _by(event.by)))


def _attempt_started(event: facts.AttemptStarted, at: float) -> Phrase:
    nth = f"attempt {event.attempt}" if event.attempt > 1 else ""
    by = _by(event.by)
    if event.undo:
        return Phrase("compensating", event.node, _join(nth, by))
    if event.wake is not None:
        return Phrase("waiting", event.node, _join(f"for {span(event.wake - at)}", nth, by))
    iteration = f"iteration {event.iteration + 1}" if event.iteration else ""
    return Phrase("running", event.node, _join(nth, iteration, by))


def _succeeded(event: facts.AttemptSucceeded, at: float) -> Phrase:
    if event.undo:
        return Phrase("compensated", event.node)
    if event.again is not None:
        return Phrase("waiting", event.node, f"asks again in {span(event.again - at)}")
    port = f"by port {event.port}" if event.port else ""
    return Phrase(
        "succeeded", event.node, _join(port, "stops here: breakpoint" if event.held else "")
    )


def _failed(event: facts.AttemptFailed, at: float) -> Phrase:
    why = failure_text(event.failure)
    if event.retry_at is not None:
        state = "compensating" if event.undo else "backing_off"
        return Phrase(state, event.node, f"retry in {span(event.retry_at - at)}: {why}")
    if event.undo:
        return Phrase("compensation_failed", event.node, _join(why, "needs you"))
    return Phrase("failed", event.node, _join(why, disposition_text(event.node, event.disposition)))


def _node_failed(event: facts.NodeFailed, at: float) -> Phrase:
    outcome = disposition_text(event.node, event.disposition)
    return Phrase("failed", event.node, _join(failure_text(event.failure), outcome))


def _disposed(event: facts.FailureDisposed, at: float) -> Phrase:
    what = disposition_text(event.node, event.disposition)
    return Phrase("failed", event.node, _join(what, _by(event.by)))


def _cancelled(event: facts.AttemptCancelled, at: float) -> Phrase:
    state = "compensation_failed" if event.undo else "cancelled"
    return Phrase(state, event.node, event.reason)


def _interrupted(event: facts.AttemptInterrupted, at: float) -> Phrase:
    state = "compensating" if event.undo else "ready"
    return Phrase(state, event.node, _join("interrupted", event.detail, "runs again"))


def _doubted(event: facts.AttemptDoubted, at: float) -> Phrase:
    state = "compensation_failed" if event.undo else "in_doubt"
    return Phrase(state, event.node, _join("outcome unknown", event.detail, "needs you"))


def _stop_requested(event: facts.AttemptStopRequested, at: float) -> Phrase:
    causes = {
        "timeout": "time limit reached",
        "operator": "stop asked for",
        "run": "the run ends",
        "loser": "another branch was faster",
    }
    return Phrase("", event.node, _join(causes[event.cause], "is being stopped", _by(event.by)))


def _retry_requested(event: facts.RetryRequested, at: float) -> Phrase:
    if event.undo:
        return Phrase("compensating", event.node, _join("undo is tried again", _by(event.by)))
    return Phrase("ready", event.node, _join("retry" if event.by else "", _by(event.by)))


def _marked(event: facts.NodeMarked, at: float) -> Phrase:
    if event.undo:
        return Phrase(
            "compensated", event.node, _join(f"undo marked {event.outcome}", _by(event.by))
        )
    state = event.outcome if event.outcome in ("succeeded", "skipped") else "failed"
    return Phrase(state, event.node, _join(f"marked {event.outcome}", _by(event.by)))


def _overridden(event: facts.InputOverridden | facts.OutputOverridden, at: float) -> Phrase:
    what = "input" if isinstance(event, facts.InputOverridden) else "output"
    verb = "override reverted" if event.revert else "overridden"
    return Phrase("", event.node, _join(f"{what} {verb}", _by(event.by)))


def _names(names: tuple[str, ...], limit: int = 8) -> str:
    shown = ", ".join(names[:limit])
    return f"{shown} and {len(names) - limit} more" if len(names) > limit else shown


def _reset(event: facts.NodesReset, at: float) -> Phrase:
    return Phrase("", "", _join(f"start over: {_names(event.nodes)}", event.cause, _by(event.by)))


def _expanded(event: facts.ItemsExpanded, at: float) -> Phrase:
    return Phrase("running", event.node, "1 item" if event.count == 1 else f"{event.count} items")


def _collected(event: facts.ItemsCollected, at: float) -> Phrase:
    failed = f"{event.failed} failed" if event.failed else ""
    return Phrase("succeeded", event.node, _join("all items done", failed))


def _breakpoint_set(event: facts.BreakpointSet, at: float) -> Phrase:
    when = f"when {event.when}" if event.when else ""
    on = {"before": "before it", "after": "after it", "failure": "on failure"}[event.on]
    return Phrase("", event.node, _join(f"breakpoint {on}", when, _by(event.by)))


def _breakpoint_hit(event: facts.BreakpointHit, at: float) -> Phrase:
    return Phrase("held", event.node, f"stopped at a breakpoint ({event.on})")


def _stepping(event: facts.SteppingChanged, at: float) -> Phrase:
    if event.until is not None and not event.stepping:
        return Phrase("", "", _join(f"runs to {event.until}", _by(event.by)))
    if not event.stepping:
        return Phrase("", "", _join("step mode left", _by(event.by)))
    allowed = f"lets {_names(event.allowed)} start" if event.allowed else "nothing is ready"
    return Phrase("", "", _join("step", allowed, _by(event.by)))


def _compensation_started(event: facts.CompensationStarted, at: float) -> Phrase:
    steps = f"undo of {_names(event.steps)}" if event.steps else "nothing to undo"
    barrier = f"stops at {event.barrier}, which is irreversible" if event.barrier else ""
    return Phrase("compensating", "", _join(steps, barrier, _by(event.by)))


def _compensation_finished(event: facts.CompensationFinished, at: float) -> Phrase:
    # Of a complete one the cause stands at the end of the run, and others may hold effects still.
    return Phrase("", "", "the planned undos are done" if event.complete else event.message)


def _failing(event: facts.RunFailing, at: float) -> Phrase:
    return Phrase("", "", f"the run fails: {event.message}" if event.message else "the run fails")


def _finished(event: facts.RunFinished, at: float) -> Phrase:
    return Phrase(event.phase, "", _join("degraded" if event.degraded else "", event.message))


def _revised(event: facts.RunRevised, at: float) -> Phrase:
    parts = [
        f"{name} {_names(paths)}"
        for name, paths in (
            ("changed", event.changed),
            ("added", event.added),
            ("removed", event.removed),
        )
        if paths
    ]
    return Phrase("", "", _join(f"revision {event.revision}", *parts, _by(event.by)))


_PHRASES: dict[type, Callable[[Any, float], Phrase]] = {
    facts.RunStarted: _started,
    facts.RunPaused: lambda event, at: Phrase("paused", "", _by(event.by)),
    facts.RunResumed: lambda event, at: Phrase("running", "", _join("resumed", _by(event.by))),
    facts.RunCancelRequested: lambda event, at: Phrase(
        "", "", _join("cancel asked for", _by(event.by))
    ),
    facts.RunTimedOut: lambda event, at: Phrase("", "", "the run's time limit was exceeded"),
    facts.RunFailing: _failing,
    facts.RunFinished: _finished,
    facts.RunReopened: lambda event, at: Phrase("running", "", _join("goes on", _by(event.by))),
    facts.RunRevised: _revised,
    facts.CodeAdopted: lambda event, at: Phrase("", "", _join("new code adopted", _by(event.by))),
    facts.AttemptStarted: _attempt_started,
    facts.ChildSpawned: lambda event, at: Phrase("", event.node, f"process {event.pid}"),
    facts.AttemptSucceeded: _succeeded,
    facts.AttemptFailed: _failed,
    facts.FallbackUsed: lambda event, at: Phrase("succeeded", event.node, "by its fallback"),
    facts.FallbackStarted: lambda event, at: Phrase("", event.node, "its fallback is tried"),
    facts.AttemptCancelled: _cancelled,
    facts.AttemptInterrupted: _interrupted,
    facts.AttemptDoubted: _doubted,
    facts.AttemptStopRequested: _stop_requested,
    facts.ResultIgnored: lambda event, at: Phrase(
        "", event.node, f"late result of attempt {event.attempt} ignored ({event.detail})"
    ),
    facts.NodeSkipped: lambda event, at: Phrase(
        "skipped", event.node, _join(event.reason, _by(event.by))
    ),
    facts.NodeCancelled: lambda event, at: Phrase(
        "compensation_failed" if event.undo else "cancelled",
        event.node,
        _join(event.reason, _by(event.by)),
    ),
    facts.NodeFailed: _node_failed,
    facts.FailureDisposed: _disposed,
    facts.RetryRequested: _retry_requested,
    facts.NodeHeld: lambda event, at: Phrase("held", event.node, _by(event.by)),
    facts.NodeReleased: lambda event, at: Phrase("", event.node, _join("released", _by(event.by))),
    facts.NodeMarked: _marked,
    facts.InputOverridden: _overridden,
    facts.OutputOverridden: _overridden,
    facts.NodesStaled: lambda event, at: Phrase(
        "", "", _join(f"stale: {_names(event.nodes)}", event.cause)
    ),
    facts.NodesReset: _reset,
    facts.NodeReused: lambda event, at: Phrase(
        "reused", event.node, "nothing it reads has changed"
    ),
    facts.ItemsExpanded: _expanded,
    facts.ItemsCollected: _collected,
    facts.BreakpointSet: _breakpoint_set,
    facts.BreakpointCleared: lambda event, at: Phrase(
        "", event.node, _join("breakpoint cleared", _by(event.by))
    ),
    facts.BreakpointHit: _breakpoint_hit,
    facts.SteppingChanged: _stepping,
    facts.CompensationStarted: _compensation_started,
    facts.CompensationStalled: lambda event, at: Phrase(
        "", "", "the time limit of the compensation is over; the rest needs you"
    ),
    facts.CompensationFinished: _compensation_finished,
}
"""One entry per event; the test of completeness compares this table with `AnyEvent`."""
