"""Invariants of nodes without an attempt: gates, marks, skips, resets, items."""

from typing import Any

from studio.core.events import (
    BreakpointHit,
    FailureDisposed,
    ItemsCollected,
    ItemsExpanded,
    NodeCancelled,
    NodeFailed,
    NodeHeld,
    NodeMarked,
    NodeReleased,
    NodeReused,
    NodeSkipped,
    NodesReset,
    OutputOverridden,
    Record,
)
from tests.simulation.ledger import Ledger, NodeBook, Resolution, RunBook, parent_of, require


def resolved(event: Any, outcome: str, port: str = "") -> Resolution:
    """What an event that carries the verdicts of edges resolves them to."""
    return Resolution(outcome, port, event.dead, tuple(event.broken))


def _still(book: NodeBook, what: str) -> None:
    require(
        4, not book.open and not book.undo_open, f"{book.path} is {what} while an attempt is open"
    )


def on_skipped(ledger: Ledger, run: RunBook, event: NodeSkipped, record: Record) -> None:
    book = run.node(event.node)
    _still(book, "skipped")
    if event.by is None:
        verdict = run.join(event.node)
        wanted = "go" if event.reason.startswith("when") else "skip"
        require(6, verdict == wanted, f"{event.node} is skipped, but its join says {verdict}")
        require(7, not book.effect, f"{event.node} is skipped after it succeeded")
    book.resolution, book.gate, book.disposition = Resolution("none"), "", ""
    book.retry_at = None


def on_cancelled(ledger: Ledger, run: RunBook, event: NodeCancelled, record: Record) -> None:
    book = run.node(event.node)
    _still(book, "cancelled")
    if event.undo:
        book.undo_failed, book.gate = True, ""
        return
    require(7, not book.effect, f"{event.node} is cancelled after it succeeded")
    parent = parent_of(event.node)
    items = parent is not None or book.items is not None  # its own items were cancelled
    lawful = run.failing or event.by is not None or items or run.may_lose(event.node)
    require(13, lawful, f"{event.node} is cancelled in a run that goes on")
    book.resolution, book.gate, book.retry_at = Resolution("none"), "", None
    book.disposition = ""


def on_failed(ledger: Ledger, run: RunBook, event: NodeFailed, record: Record) -> None:
    book = run.node(event.node)
    _still(book, "failed")
    book.disposition, book.gate = event.disposition, ""
    run.blame(event.disposition)
    # While a failure is held, edges are open: also those of a node that had been skipped before (late success).
    held = event.disposition in ("held", "fallback")
    book.resolution = None if held else resolved(event, "failure")


def on_disposed(ledger: Ledger, run: RunBook, event: FailureDisposed, record: Record) -> None:
    book = run.node(event.node)
    _still(book, "disposed of")
    require(7, not book.effect, f"{event.node} succeeded, yet its failure is disposed of")
    book.disposition = event.disposition
    run.blame(event.disposition)
    book.retry_at, book.gate = None, ""
    if event.disposition != "held" and book.resolution is None:
        book.resolution = resolved(event, "failure")


def on_held(ledger: Ledger, run: RunBook, event: NodeHeld, record: Record) -> None:
    run.node(event.node).gate = "hold"


def on_released(ledger: Ledger, run: RunBook, event: NodeReleased, record: Record) -> None:
    book = run.node(event.node)
    require(11, book.gate, f"{event.node} is released, but was not stopped")
    book.gate = ""
    if book.effect and book.resolution is None:
        book.resolution = resolved(event, "success", book.port)


def on_breakpoint_hit(ledger: Ledger, run: RunBook, event: BreakpointHit, record: Record) -> None:
    book = run.node(event.node)
    _still(book, "stopped")
    if event.on == "before":
        require(11, not book.gate, f"{event.node} hits a breakpoint behind a gate")
    book.gate = "breakpoint"


def on_marked(ledger: Ledger, run: RunBook, event: NodeMarked, record: Record) -> None:
    book = run.node(event.node)
    _still(book, "marked")
    book.gate, book.retry_at = "", None
    book.finished_position = record.position
    if event.undo:
        book.undo_failed = False
        book.given_up = book.effect = event.outcome == "ignored"
        if not book.given_up:
            book.undone.add(book.generation)
        return
    require(7, not book.effect, f"{event.node} is marked after it succeeded")
    run.reopen_parent(book.path)
    book.effect = event.outcome == "succeeded"
    book.port = event.port
    book.disposition = ""
    book.standing_in = False
    book.resolution = resolved(event, "success", event.port) if book.effect else Resolution("none")


def on_output(ledger: Ledger, run: RunBook, event: OutputOverridden, record: Record) -> None:
    book = run.node(event.node)
    require(7, book.effect, f"{event.node}: the output of a node without one is replaced")
    run.reopen_parent(book.path)
    book.resolution = resolved(event, "success", book.port)


def on_reset(ledger: Ledger, run: RunBook, event: NodesReset, record: Record) -> None:
    for path in event.nodes:
        begin_anew(run, run.node(path))


def begin_anew(run: RunBook, book: NodeBook) -> None:
    """The node is as at the start; if it had an effect, a new generation begins."""
    _still(book, "reset")
    if book.effect or book.undo_failed or book.generation in book.undone:
        book.generation += 1
    book.effect, book.undo_failed, book.resolution, book.gate = False, False, None, ""
    book.given_up = False
    book.disposition = ""
    book.standing_in = False
    book.tries = book.interruptions = 0
    book.by_hand = False
    book.retry_at = None
    drop_items(run, book)


def drop_items(run: RunBook, book: NodeBook) -> None:
    """The items of an earlier round are no more; their attempts are remembered."""
    for index in range(book.items or 0):
        item = run.nodes.pop(f"{book.path}[{index}]")
        _still(item, "dropped")
        run.former[item.path] = item
    book.items = None


def on_reused(ledger: Ledger, run: RunBook, event: NodeReused, record: Record) -> None:
    book = run.node(event.node)
    _still(book, "reused")
    require(11, not run.paused, f"{event.node} is reused while the run is paused")
    book.effect, book.gate = True, ""
    book.generation -= 1  # the effect that stands is that of the generation before the reset
    book.resolution = resolved(event, "success", book.port)


def on_expanded(ledger: Ledger, run: RunBook, event: ItemsExpanded, record: Record) -> None:
    book = run.node(event.node)
    _still(book, "expanded")
    require(11, not run.paused or book.by_hand, f"{event.node} is expanded while the run is paused")
    require(11, not book.gate or book.by_hand, f"{event.node} is expanded behind its gate")
    require(12, not run.cancelled or book.by_hand, f"{event.node} is expanded in a cancelled run")
    require(7, not book.effect, f"{event.node} is expanded after success")
    undone = run.undone_source(event.node)
    require(6, not undone, f"{event.node} is expanded although {undone} was undone")
    verdict = run.join(event.node)
    require(
        6, verdict == "go" or book.by_hand, f"{event.node} is expanded; its join says {verdict}"
    )
    drop_items(run, book)
    book.items, book.gate, book.resolution = event.count, "", None
    for index in range(event.count):
        path = f"{event.node}[{index}]"
        item = NodeBook(path, book.plan)
        before = run.former.get(path)
        if before is not None:
            renewed = before.effect or before.undo_failed or before.generation in before.undone
            item.attempt, item.undo_attempt = before.attempt, before.undo_attempt
            item.generation = before.generation + renewed
        run.nodes[path] = item


def on_collected(ledger: Ledger, run: RunBook, event: ItemsCollected, record: Record) -> None:
    book = run.node(event.node)
    items = [run.nodes[f"{event.node}[{index}]"] for index in range(book.items or 0)]
    require(4, not any(item.open for item in items), f"{event.node} ends while items run")
    book.effect, book.port = True, ""
    book.finished_position = record.position
    book.gate = "breakpoint" if event.held else ""
    if not event.held:
        book.resolution = resolved(event, "success")
