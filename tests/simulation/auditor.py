"""Reads every durable record, keeps the ledger, and compares it with replay and with the live state."""

from collections.abc import Callable
from typing import Any

from studio.core import events as facts
from studio.core.evolve import evolve
from studio.core.plan import Plan
from studio.core.state import EngineState, RunState
from tests.simulation import audit_attempts, audit_nodes, audit_runs
from tests.simulation.ledger import Ledger, RunBook, describe, require
from tests.simulation.recount import check_flow, check_run, check_statuses

Handler = Callable[[Ledger, RunBook, Any, facts.Record], None]


def _only_told(ledger: Ledger, run: RunBook, event: Any, record: facts.Record) -> None:
    """Facts that no invariant of the ledger is about."""


HANDLERS: dict[type, Handler] = {
    facts.RunPaused: audit_runs.on_paused,
    facts.RunResumed: audit_runs.on_resumed,
    facts.RunCancelRequested: audit_runs.on_cancel,
    facts.RunTimedOut: audit_runs.on_timed_out,
    facts.RunFailing: audit_runs.on_failing,
    facts.RunFinished: audit_runs.on_finished,
    facts.RunReopened: audit_runs.on_reopened,
    facts.RunRevised: audit_runs.on_revised,
    facts.CodeAdopted: audit_runs.on_code_adopted,
    facts.SteppingChanged: audit_runs.on_stepping,
    facts.CompensationStarted: audit_runs.on_compensation,
    facts.CompensationStalled: audit_runs.on_stalled,
    facts.CompensationFinished: audit_runs.on_compensated,
    facts.AttemptStarted: audit_attempts.on_started,
    facts.ChildSpawned: audit_attempts.on_spawned,
    facts.AttemptSucceeded: audit_attempts.on_succeeded,
    facts.AttemptFailed: audit_attempts.on_failed,
    facts.FallbackUsed: audit_attempts.on_fallback,
    facts.FallbackStarted: audit_attempts.on_fallback_started,
    facts.AttemptCancelled: audit_attempts.on_cancelled,
    facts.AttemptInterrupted: audit_attempts.on_interrupted,
    facts.AttemptDoubted: audit_attempts.on_doubted,
    facts.AttemptStopRequested: audit_attempts.on_stop,
    facts.RetryRequested: audit_attempts.on_retry,
    facts.NodeSkipped: audit_nodes.on_skipped,
    facts.NodeCancelled: audit_nodes.on_cancelled,
    facts.NodeFailed: audit_nodes.on_failed,
    facts.FailureDisposed: audit_nodes.on_disposed,
    facts.NodeHeld: audit_nodes.on_held,
    facts.NodeReleased: audit_nodes.on_released,
    facts.NodeMarked: audit_nodes.on_marked,
    facts.OutputOverridden: audit_nodes.on_output,
    facts.NodesReset: audit_nodes.on_reset,
    facts.NodeReused: audit_nodes.on_reused,
    facts.ItemsExpanded: audit_nodes.on_expanded,
    facts.ItemsCollected: audit_nodes.on_collected,
    facts.BreakpointHit: audit_nodes.on_breakpoint_hit,
    facts.ResultIgnored: _only_told,
    facts.InputOverridden: _only_told,
    facts.NodesStaled: _only_told,
    facts.BreakpointSet: _only_told,
    facts.BreakpointCleared: _only_told,
}


class Auditor:
    """Sees each record once it is durable.

    Args:
        plans: every definition that runs may use, by version.
        max_concurrency: the engine's limit.
    """

    def __init__(self, plans: dict[str, Plan], max_concurrency: int | None) -> None:
        self.ledger = Ledger(plans, max_concurrency)
        self.shadow = EngineState(plans, max_concurrency=max_concurrency)
        self.trace: list[facts.Record] = []

    def see(self, records: list[facts.Record], live: EngineState) -> None:
        """Check a batch that has just become durable. Raises `Violation`, and what replay raises."""
        self.ledger.batch += 1
        touched: dict[int, None] = {}
        for record in records:
            self.trace.append(record)
            self._tell(record)
            self._replay(record)
            touched[record.run] = None
        for number in touched:
            if number in live.runs:
                check_run(live, live.runs[number])
                compare(self.shadow.runs[number], live.runs[number])
        check_flow(live, self.ledger)

    def _tell(self, record: facts.Record) -> None:
        ledger, event = self.ledger, record.event
        require(
            1,
            record.position == ledger.position + 1,
            f"{record.position} follows {ledger.position}",
        )
        ledger.position = record.position
        self._check_command(record)
        if isinstance(event, facts.RunStarted):
            audit_runs.start_run(ledger, event, record)
            return
        run = ledger.runs.get(record.run)
        require(1, run is not None, f"run {record.run} has not started")
        if run is not None:
            HANDLERS[type(event)](ledger, run, event, record)

    def _check_command(self, record: facts.Record) -> None:
        """A command sent twice acts once: its facts stand in one batch, each of them once."""
        by = getattr(record.event, "by", None)
        if by is None:
            return
        event, ledger = record.event, self.ledger
        ledger.commands.add(by.command)
        kind = type(event).__name__
        about = getattr(event, "node", "") or getattr(event, "nodes", ())
        subject = about, getattr(event, "undo", False)
        fact = (by.command, kind, *subject)
        ledger.facts[fact] = ledger.facts.get(fact, 0) + 1
        require(
            14, ledger.facts[fact] == 1, f"command {by.command} made {kind} of {subject[0]} twice"
        )
        if not isinstance(event, facts.AttemptStarted | facts.AttemptCancelled):
            first = ledger.command_batches.setdefault(by.command, ledger.batch)
            require(14, first == ledger.batch, f"command {by.command} acts in two batches")

    def _replay(self, record: facts.Record) -> None:
        shadow = self.shadow
        evolve(shadow, record)
        shadow.visited.clear()
        shadow.flow.touched.clear()
        run = shadow.runs[record.run]
        run.unsettled.clear()
        run.handling.clear()
        run.collecting.clear()
        check_run(shadow, run)
        book = self.ledger.runs[record.run]
        require(19, run.pin == book.pin, f"run {record.run} has code {run.pin}, not {book.pin}")
        check_statuses(run, self.ledger.runs[record.run], record)

    def disturb(self) -> None:
        """A crash or a full disk: what is open now may take longer than its time limit."""
        for run in self.ledger.runs.values():
            for book in run.nodes.values():
                book.disturbed = True

    def tail(self, count: int = 60, run: int | None = None) -> str:
        """The last records, for a failure report."""
        chosen = [record for record in self.trace if run is None or record.run == run]
        return "\n".join(describe(record) for record in chosen[-count:])


def compare(replayed: RunState, live: RunState) -> None:
    """Replay equals the live state. Raises `Violation`."""
    told, lived = replayed.snapshot(), live.snapshot()
    if told == lived:
        return
    for key, value in told.items():
        if value == lived[key]:
            continue
        if key == "nodes":
            for path in value:
                require(
                    2,
                    value[path] == lived[key].get(path),
                    f"run {live.number} {path}: replayed {value[path]}, live {lived[key].get(path)}",
                )
        require(2, False, f"run {live.number} {key}: replayed {value}, live {lived[key]}")
