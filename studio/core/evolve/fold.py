"""The fold itself: one handler per event, found by its type."""

from collections.abc import Callable
from typing import Any

from studio.core import events as facts
from studio.core.evolve import attempts, nodes, revisions, runs
from studio.core.state import EngineState, RunState

Handler = Callable[[EngineState, RunState, Any, facts.Record], None]

HANDLERS: dict[type, Handler] = {
    facts.RunPaused: runs.on_paused,
    facts.RunResumed: runs.on_resumed,
    facts.RunCancelRequested: runs.on_cancel_requested,
    facts.RunTimedOut: runs.on_timed_out,
    facts.RunFailing: runs.on_failing,
    facts.RunFinished: runs.on_finished,
    facts.RunRevised: revisions.on_revised,
    facts.CodeAdopted: revisions.on_code_adopted,
    facts.RunReopened: runs.on_reopened,
    facts.SteppingChanged: runs.on_stepping,
    facts.CompensationStarted: runs.on_compensation_started,
    facts.CompensationStalled: runs.on_compensation_stalled,
    facts.CompensationFinished: runs.on_compensation_finished,
    facts.AttemptStarted: attempts.on_started,
    facts.ChildSpawned: attempts.on_spawned,
    facts.AttemptSucceeded: attempts.on_succeeded,
    facts.AttemptFailed: attempts.on_failed,
    facts.FallbackUsed: attempts.on_fallback,
    facts.FallbackStarted: attempts.on_fallback_started,
    facts.AttemptCancelled: attempts.on_cancelled,
    facts.AttemptInterrupted: attempts.on_interrupted,
    facts.AttemptDoubted: attempts.on_doubted,
    facts.AttemptStopRequested: attempts.on_stop_requested,
    facts.ResultIgnored: attempts.on_ignored,
    facts.RetryRequested: attempts.on_retry_requested,
    facts.NodeSkipped: nodes.on_skipped,
    facts.NodeCancelled: nodes.on_cancelled,
    facts.NodeFailed: nodes.on_failed,
    facts.FailureDisposed: nodes.on_disposed,
    facts.NodeHeld: nodes.on_held,
    facts.NodeReleased: nodes.on_released,
    facts.NodeMarked: nodes.on_marked,
    facts.InputOverridden: nodes.on_input_overridden,
    facts.OutputOverridden: nodes.on_output_overridden,
    facts.NodesStaled: nodes.on_staled,
    facts.NodesReset: nodes.on_reset,
    facts.NodeReused: nodes.on_reused,
    facts.ItemsExpanded: nodes.on_expanded,
    facts.ItemsCollected: nodes.on_collected,
    facts.BreakpointSet: nodes.on_breakpoint_set,
    facts.BreakpointCleared: nodes.on_breakpoint_cleared,
    facts.BreakpointHit: nodes.on_breakpoint_hit,
}
"""What each event does; the test of completeness compares this table with `AnyEvent`."""


def evolve(state: EngineState, record: facts.Record) -> None:
    """Fold one record into the state, in place.

    Args:
        state: the state that the records before this one made.
        record: the next record; its run is known, or it starts one.

    Raises:
        KeyError: the record names a run, node or definition that the state does not have.
        IllegalTransitionError: the record contradicts the table of transitions.
    """
    event = record.event
    state.position = record.position
    run = state.runs.get(record.run)
    stays_over = False
    if run is None:
        if not isinstance(event, facts.RunStarted):
            raise KeyError(f"run {record.run} has not started")
        run = runs.start_run(state, event, record)
    else:
        over, since = run.ended, _resting_since(run, event)
        HANDLERS[type(event)](state, run, event, record)
        stays_over = over and run.ended
        if since is not None and not stays_over:
            run.rested += max(0.0, record.at - since)
        origin = getattr(event, "by", None)
        if origin is not None:
            state.commands[origin.command] = record.run
    # Nothing is under way and no moment is waited for: the run waits for a person, for its turn, or has ended. What
    # happens to it after its end takes none of its time; if it is opened again, it has rested since its end.
    if not stays_over:
        run.idle_since = None if run.flying or run.waits else record.at
    run.active_at = record.at
    run.position = record.position
    state.visited[record.run] = None


def _resting_since(run: RunState, event: facts.AnyEvent) -> float | None:
    """Since when nothing of a run has been under way; None when something was.

    An attempt that an engine left open when it died was under way until nobody knows when: the run has rested since
    the last that is known of it.
    """
    lost = isinstance(event, facts.AttemptInterrupted | facts.AttemptDoubted)
    return run.active_at if lost and run.idle_since is None else run.idle_since
