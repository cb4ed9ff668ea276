"""Invariants of attempts: their starts, their ends, their limits."""

from studio.core.events import (
    AttemptCancelled,
    AttemptDoubted,
    AttemptFailed,
    AttemptInterrupted,
    AttemptStarted,
    AttemptStopRequested,
    AttemptSucceeded,
    ChildSpawned,
    FallbackStarted,
    FallbackUsed,
    Record,
    RetryRequested,
)
from studio.model.nodes import Node, StandIn
from studio.model.policies import Retry
from tests.simulation.audit_nodes import drop_items
from tests.simulation.ledger import GRACE, Ledger, NodeBook, Resolution, RunBook, parent_of, require

SLACK = 0.6
"""Virtual seconds that appends may take between a moment and its record."""


def on_started(ledger: Ledger, run: RunBook, event: AttemptStarted, record: Record) -> None:
    book = run.node(event.node)
    where = (
        f"run {run.number} {event.node} attempt {event.attempt}{' (undo)' if event.undo else ''}"
    )
    require(4, not book.open and not book.undo_open, f"{where} starts while another is open")
    last = book.undo_attempt if event.undo else book.attempt
    require(4, event.attempt == last + 1, f"{where} follows {last}")
    require(11, not run.paused or event.by is not None, f"{where} starts while the run is paused")
    if event.undo:
        _check_undo(run, book, where)
        book.undo_attempt, book.undo_open = event.attempt, True
    else:
        _check_forward(run, book, event, where)
        _start_forward(run, book, event)
    book.started_at, book.disturbed, book.stopping, book.spawned = record.at, False, False, False
    timeout = _policies(book).timeout
    if event.undo:
        timeout = book.plan.undo.definition.timeout if book.plan.undo else None
    book.limit = timeout
    _take_locks(ledger, run, book, where)
    if event.wake is None:
        book.flying = True
        _take_limits(ledger, run, book, event, where)


def _check_forward(run: RunBook, book: NodeBook, event: AttemptStarted, where: str) -> None:
    by_hand = event.by is not None
    require(7, not book.effect, f"{where} starts after success without a reset")
    require(11, not book.gate or by_hand, f"{where} starts behind its gate ({book.gate})")
    require(17, not run.ended, f"{where} starts in a run that has ended")
    require(12, not run.cancelled or by_hand, f"{where} starts in a cancelled run")
    base = parent_of(event.node) or event.node
    inside = run.within is None or base in run.within
    require(11, inside or by_hand, f"{where} lies outside of run-to-node")
    stepped = not run.stepping or event.node in run.allowed or base in run.allowed
    require(11, stepped or by_hand, f"{where} starts in step mode")
    require(
        17, not run.failing or base in run.exempt or by_hand, f"{where} starts in a failing run"
    )
    require(9, event.stand_in == book.standing_in, f"{where} carries out the wrong definition")
    undone = run.undone_source(base)
    require(6, not undone, f"{where} starts although {undone} was undone")
    if by_hand or book.by_hand or book.tries or parent_of(event.node) is not None:
        return
    if book.standing_in:
        return  # the same activation goes on
    verdict = run.join(event.node)
    require(6, verdict == "go", f"{where}: its join says {verdict}")


def _start_forward(run: RunBook, book: NodeBook, event: AttemptStarted) -> None:
    same = event.generation == book.generation
    require(15, same, f"{book.path}: generation {event.generation} instead of {book.generation}")
    drop_items(run, book)
    book.attempt, book.open, book.resolution = event.attempt, True, None
    book.tries += 1
    book.gate, book.disposition, book.retry_at = "", "", None
    book.by_hand = book.by_hand or event.by is not None
    run.allowed.discard(book.path)


def _check_undo(run: RunBook, book: NodeBook, where: str) -> None:
    require(15, run.steps is not None and book.path in run.steps, f"{where} is not part of a plan")
    require(15, book.effect, f"{where}: there is nothing to undo")
    require(15, book.generation not in book.undone, f"{where}: generation undone before")
    require(11, not run.expired, f"{where} starts after the time limit of the compensation")
    require(15, not any(undo for _path, undo in run.flights), f"{where}: another undo is open")
    for path in run.steps or ():
        if path == book.path:
            break
        before = run.nodes.get(path)
        done = before is None or not before.effect or before.given_up
        require(15, done, f"{where} starts before {path} is undone")


def _take_limits(
    ledger: Ledger, run: RunBook, book: NodeBook, event: AttemptStarted, where: str
) -> None:
    run.flights.add((book.path, event.undo))
    ledger.flights += 1
    if ledger.max_concurrency is not None:
        require(8, ledger.flights <= ledger.max_concurrency, f"{where} exceeds the engine's limit")
    limit = run.plan.workflow.limits.max_concurrency
    if limit is not None:
        require(8, len(run.flights) <= limit, f"{where} exceeds the run's limit of {limit}")
    if event.undo:
        return
    parent = parent_of(book.path)
    parallel = book.plan.node.max_parallel
    if parent is not None and parallel is not None:
        flying = sum(parent_of(path) == parent for path, undo in run.flights if not undo)
        require(8, flying <= parallel, f"{where} exceeds max_parallel {parallel}")


def _take_locks(ledger: Ledger, run: RunBook, book: NodeBook, where: str) -> None:
    for name in book.plan.node.locks:
        holder = ledger.locks.get(name)
        require(8, holder is None, f"{where} takes lock {name}, which {holder} holds")
        ledger.locks[name] = (run.number, book.path)


def end(
    ledger: Ledger, run: RunBook, path: str, attempt: int, undo: bool, record: Record
) -> NodeBook:
    """Exactly one end per attempt, and within its time limit."""
    book = run.node(path)
    where = f"run {run.number} {path} attempt {attempt}{' (undo)' if undo else ''}"
    current = book.undo_attempt if undo else book.attempt
    is_open = book.undo_open if undo else book.open
    require(4, is_open and attempt == current, f"{where} ends, but is not open")
    if book.limit is not None and not book.disturbed:
        took = record.at - book.started_at
        require(
            10, took <= book.limit + GRACE + SLACK, f"{where} took {took:g} s of {book.limit:g}"
        )
    if undo:
        book.undo_open = False
    else:
        book.open = False
    if book.flying:
        book.flying = False
        run.flights.discard((path, undo))
        ledger.flights -= 1
    for name in [name for name, holder in ledger.locks.items() if holder == (run.number, path)]:
        del ledger.locks[name]
    book.finished_position = record.position
    return book


def on_spawned(ledger: Ledger, run: RunBook, event: ChildSpawned, record: Record) -> None:
    book = run.node(event.node)
    current = book.undo_attempt if event.undo else book.attempt
    require(5, event.attempt == current, f"{event.node}: a child for a closed attempt")
    require(5, not book.spawned, f"{event.node} attempt {event.attempt} gets a second child")
    book.spawned = True


def on_succeeded(ledger: Ledger, run: RunBook, event: AttemptSucceeded, record: Record) -> None:
    book = end(ledger, run, event.node, event.attempt, event.undo, record)
    if event.undo:
        require(15, book.generation not in book.undone, f"{event.node} is undone twice")
        book.undone.add(book.generation)
        book.effect, book.undo_failed, book.gate = False, False, ""
        return
    book.tries = 0
    book.by_hand = False
    if event.again is not None:
        book.retry_at = event.again
        book.by_hand = True  # the next iteration is not a new activation
        return
    book.interruptions = 0
    book.effect = True
    book.port = event.port
    book.gate = "breakpoint" if event.held else ""
    if not event.held:
        book.resolution = Resolution("success", event.port, event.dead, tuple(event.broken))


def on_failed(ledger: Ledger, run: RunBook, event: AttemptFailed, record: Record) -> None:
    book = end(ledger, run, event.node, event.attempt, event.undo, record)
    book.ended_uncertain = event.uncertain or book.ended_uncertain
    if event.undo:
        book.undo_failed = event.retry_at is None
        return
    book.disposition = event.disposition
    run.blame(event.disposition)
    if event.disposition != "retry":
        book.gate = ""
    if event.disposition == "retry":
        _check_retry(run, book, event, record)
        run.retries += 1
        book.retry_at = event.retry_at
    elif event.disposition not in ("held", "fallback"):
        book.resolution = Resolution("failure", "", event.dead, tuple(event.broken))


def _check_retry(run: RunBook, book: NodeBook, event: AttemptFailed, record: Record) -> None:
    where = f"run {run.number} {event.node} attempt {event.attempt}"
    policy = _policies(book).retry
    require(9, policy is not None, f"{where} is retried without a policy")
    if policy is None or event.retry_at is None:
        require(9, event.retry_at is not None, f"{where} is retried without a moment")
        return
    require(9, policy.strategy != "none", f"{where} is retried against its strategy")
    require(9, book.tries < policy.max_attempts, f"{where}: {book.tries} of {policy.max_attempts}")
    budget = run.plan.workflow.limits.retry_budget
    require(9, budget is None or run.retries < budget, f"{where} exceeds the retry budget {budget}")
    base = _base_delay(policy, book.tries)
    wait = event.retry_at - record.at
    far = abs(wait - base) <= policy.jitter * base + 1e-3
    require(9, far and wait >= -1e-3, f"{where} waits {wait:g} s instead of {base:g}")


def _policies(book: NodeBook) -> Node | StandIn:
    """The definition whose limits hold for the node's forward attempts."""
    instead = book.plan.node.fallback
    return instead if book.standing_in and isinstance(instead, StandIn) else book.plan.node


def _base_delay(policy: Retry, tries: int) -> float:
    first = policy.initial_delay
    grown = {
        "fixed": first,
        "linear": first * tries,
        "exponential": first * policy.multiplier ** (tries - 1),
    }
    return min(grown.get(policy.strategy, first), policy.max_delay)


def on_fallback(ledger: Ledger, run: RunBook, event: FallbackUsed, record: Record) -> None:
    book = run.node(event.node)
    require(9, book.disposition == "fallback", f"{event.node}: a fallback without a failure")
    if book.standing_in:
        source = [edge for edge in book.plan.outgoing if edge.on == "fallback"]
        succeeded = bool(source) and run.node(source[0].target).effect
        require(9, succeeded, f"{event.node} takes over the output of a node that has none")
    book.effect = True
    book.port = event.port
    book.finished_position = record.position
    book.resolution = Resolution("success", event.port, event.dead, tuple(event.broken))


def on_fallback_started(
    ledger: Ledger, run: RunBook, event: FallbackStarted, record: Record
) -> None:
    book = run.node(event.node)
    require(9, book.disposition == "fallback", f"{event.node}: a fallback without a failure")
    require(9, not book.standing_in, f"{event.node} falls back twice")
    require(12, not run.cancelled, f"{event.node} falls back in a cancelled run")
    base = parent_of(event.node) or event.node
    require(17, not run.failing or base in run.exempt, f"{event.node} falls back in a failing run")
    book.standing_in = True
    book.tries = 0


def on_cancelled(ledger: Ledger, run: RunBook, event: AttemptCancelled, record: Record) -> None:
    book = end(ledger, run, event.node, event.attempt, event.undo, record)
    book.gate = ""
    if event.undo:
        book.undo_failed = True
    else:
        book.resolution = Resolution("none")


def on_interrupted(ledger: Ledger, run: RunBook, event: AttemptInterrupted, record: Record) -> None:
    book = end(ledger, run, event.node, event.attempt, event.undo, record)
    require(13, not book.stopping, f"{event.node}: what was asked to end is to run again")
    if not event.undo:
        book.tries -= 1
        book.by_hand = True  # the same activation goes on
        book.interruptions += 1
        require(9, book.interruptions <= 5, f"{event.node}: {book.interruptions} interruptions")


def on_doubted(ledger: Ledger, run: RunBook, event: AttemptDoubted, record: Record) -> None:
    book = run.node(event.node)
    if not event.undo and not book.open and book.ended_uncertain:
        book.ended_uncertain = False
        return
    end(ledger, run, event.node, event.attempt, event.undo, record)
    book.undo_failed, book.gate = event.undo, ""


def on_stop(ledger: Ledger, run: RunBook, event: AttemptStopRequested, record: Record) -> None:
    book = run.node(event.node)
    is_open = book.undo_open if event.undo else book.open
    require(4, is_open, f"{event.node}: a closed attempt is asked to end")
    book.stopping = True


def on_retry(ledger: Ledger, run: RunBook, event: RetryRequested, record: Record) -> None:
    book = run.node(event.node)
    require(4, not book.open or book.items is not None, f"{event.node} is retried while it runs")
    if event.by is None and not ledger.position - run.revised_at < 64:
        require(11, not run.paused, f"{event.node}: a backoff ends while the run is paused")
        require(11, not book.gate, f"{event.node}: a backoff ends behind its gate ({book.gate})")
        if book.retry_at is not None and not event.undo:
            early = record.at < book.retry_at - 1e-3
            require(9, not early, f"{event.node} is retried {book.retry_at - record.at:g} s early")
    if event.undo:
        book.undo_failed = False
        run.expired = run.expired and event.by is None
        return
    # Only a backoff ends by itself; an edit that retries a failed node in a paused run gives no name either.
    anew = event.by is not None or book.retry_at is None
    book.retry_at = None
    book.resolution = None
    run.reopen_parent(book.path)
    if anew:
        book.tries = 0
        book.standing_in = False
    if event.by is not None:
        book.by_hand = True
        _retry_items(run, book)


def _retry_items(run: RunBook, book: NodeBook) -> None:
    for index in range(book.items or 0):
        item = run.nodes[f"{book.path}[{index}]"]
        if not item.effect and not item.open:
            item.tries = 0
            item.standing_in = False
