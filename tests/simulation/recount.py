"""The tallies of a state, counted again from what they are tallies of."""

from collections import Counter

from studio.core.events import Record
from studio.core.state import EngineState, Flight, NodeState, RunState
from studio.core.transitions import IN_FLIGHT
from tests.simulation.ledger import Ledger, RunBook, require


def check_run(state: EngineState, run: RunState) -> None:
    """Every count that `evolve` keeps says what counting says. Raises `Violation`."""
    where = f"run {run.number}"
    every = [node for node in run.nodes.values() if node.parent is None]
    unsettled = sum(not node.settled for node in every)
    top = [node for node in every if not node.archived]
    require(2, run.open == unsettled, f"{where}: open is {run.open}, counted {unsettled}")
    kept = {name: count for name, count in run.counts.items() if count}
    counted = Counter(node.status for node in top)
    require(2, kept == dict(counted), f"{where}: counts are {kept}, counted {dict(counted)}")
    flying = sum(flight.run == run.number for flight in state.flow.in_flight)
    require(2, run.flying == flying, f"{where}: flying is {run.flying}, counted {flying}")
    per_run = state.flow.per_run.get(run.number, 0)
    require(2, per_run == flying, f"{where}: per_run is {per_run}, counted {flying}")
    keys = [key for key in state.flow.timers if key.run == run.number]
    waits = sum(key.kind in ("retry", "wake") for key in keys)
    require(2, run.waits == waits, f"{where}: waits is {run.waits}, counted {waits}")
    for node in top:
        if node.items is not None:
            _check_items(run, node)
        if node.edges is not None:
            taken, dead = node.edges.count(1), node.edges.count(2) + node.edges.count(3)
            same = (node.taken, node.dead) == (taken, dead)
            require(
                2, same, f"{where}: {node.path} counts {node.taken}/{node.dead} of {taken}/{dead}"
            )
    _check_timers(state, run)


def _check_items(run: RunState, node: NodeState) -> None:
    items = node.items
    if items is None:
        return
    found = [run.nodes[f"{node.path}[{index}]"] for index in range(items.count)]
    left = sum(not item.settled for item in found)
    failed = sum(item.settled and _spoils(item) for item in found)
    resting = ("blocked", "failed", "in_doubt")
    active = sum(item.status not in resting and not item.settled for item in found)
    kept = (items.left, items.failed, items.active)
    same = kept == (left, failed, active)
    require(
        2, same, f"{node.path}: left, failed, active are {kept}, counted {(left, failed, active)}"
    )


def _spoils(item: NodeState) -> bool:
    return item.status == "cancelled" or (item.status == "failed" and item.disposition != "ignored")


def _check_timers(state: EngineState, run: RunState) -> None:
    if run.cancelled:
        return  # what waited is cancelled in the same batch
    for node in run.nodes.values():
        where = f"run {run.number} {node.path} ({node.status})"
        backoffs = sum(
            key.run == run.number and key.node == node.path and key.kind == "retry"
            for key in state.flow.timers
        )
        wanted = node.retry_at is not None and not run.paused and not run.ended
        if node.gate == "hold":
            continue
        require(17, backoffs == wanted, f"{where} has {backoffs} retry timers, due {node.retry_at}")
        if node.status == "backing_off" and not run.paused and not node.archived:
            require(17, backoffs, f"{where} waits for nothing")


def check_flow(state: EngineState, ledger: Ledger) -> None:
    """What is in flight, and who holds which lock, is what the event stream says. Raises `Violation`."""
    told = {Flight(*key) for key in ledger.open_attempts() if key[0] in state.runs}
    kept = set(state.flow.in_flight)
    require(2, told == kept, f"in flight are {kept - told} too many, {told - kept} too few")
    holders = {name: (flight.run, flight.node) for name, flight in state.flow.holders.items()}
    locks = {name: holder for name, holder in ledger.locks.items() if holder[0] in state.runs}
    require(2, holders == locks, f"locks are held by {holders}, told {locks}")


def check_statuses(run: RunState, book: RunBook, record: Record) -> None:
    """The state of each node agrees with what its events say. Raises `Violation`."""
    for path, node in run.nodes.items():
        seen = book.nodes.get(path)
        where = f"run {run.number} {path} after {type(record.event).__name__}"
        require(2, seen is not None, f"{where}: no event tells of it")
        if seen is None:
            continue
        in_flight = node.status in IN_FLIGHT and node.items is None
        if node.status == "running" and node.items is None:
            require(2, seen.open, f"{where} is running without an open attempt")
        if seen.open or seen.undo_open:
            require(2, in_flight, f"{where} is {node.status} with an open attempt")
        standing = node.status in ("succeeded", "reused", "compensating", "compensation_failed")
        require(2, standing == seen.effect, f"{where} is {node.status}, its effect {seen.effect}")
