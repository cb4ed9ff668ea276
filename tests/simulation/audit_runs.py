"""Invariants of runs: pauses, failing, compensation, ends."""

from studio.core.events import (
    CodeAdopted,
    CompensationFinished,
    CompensationStalled,
    CompensationStarted,
    Record,
    RunCancelRequested,
    RunFailing,
    RunFinished,
    RunPaused,
    RunReopened,
    RunResumed,
    RunRevised,
    RunStarted,
    RunTimedOut,
    SteppingChanged,
)
from studio.core.plan import base_path
from tests.simulation.audit_nodes import begin_anew
from tests.simulation.ledger import Ledger, NodeBook, RunBook, parent_of, require


def start_run(ledger: Ledger, event: RunStarted, record: Record) -> None:
    require(14, record.run not in ledger.runs, f"run {record.run} starts twice")
    plan = ledger.plans[event.version]
    book = RunBook(record.run, plan, stepping=event.stepping, pin=event.pin)
    book.nodes = {path: NodeBook(path, planned) for path, planned in plan.nodes.items()}
    _aim(book, event.until)
    ledger.runs[record.run] = book


def _aim(run: RunBook, until: str | None) -> None:
    run.within = None if until is None else _leading_to(run, until)


def on_paused(ledger: Ledger, run: RunBook, event: RunPaused, record: Record) -> None:
    require(11, not run.paused, f"run {run.number} is paused twice")
    run.paused, run.paused_at = True, record.at


def on_resumed(ledger: Ledger, run: RunBook, event: RunResumed, record: Record) -> None:
    require(11, run.paused, f"run {run.number} is resumed, but was not paused")
    run.paused = False
    for book in run.nodes.values():
        if book.retry_at is not None:
            book.retry_at += record.at - run.paused_at


def on_cancel(ledger: Ledger, run: RunBook, event: RunCancelRequested, record: Record) -> None:
    require(12, not run.ended, f"run {run.number} is cancelled after its end")
    run.cancelled = run.failing = True
    run.paused = False
    run.exempt = set()


def on_timed_out(ledger: Ledger, run: RunBook, event: RunTimedOut, record: Record) -> None:
    require(11, not run.paused, f"run {run.number} times out while it is paused")
    require(10, not run.ended, f"run {run.number} times out after its end")


def _leading_to(run: RunBook, until: str) -> frozenset[str]:
    """The node, what comes before it, and what may have to stand in for any of that."""
    found: set[str] = {until}
    while True:
        more = found | set(run.plan.ancestors(found))
        more |= {
            name
            for name, planned in run.plan.nodes.items()
            if any(edge.on == "fallback" and edge.source in more for edge in planned.incoming)
        }
        if more == found:
            return frozenset(found)
        found = more


def on_failing(ledger: Ledger, run: RunBook, event: RunFailing, record: Record) -> None:
    require(17, not run.ended, f"run {run.number} fails after its end")
    run.failing = True
    run.blameless = False
    run.forced = event.force
    run.exempt = set() if event.compensate or not event.node else _exempt(run, event.node)


def _exempt(run: RunBook, failed: str) -> set[str]:
    """What may start although the run fails: everything that a failure or a settled join leads to."""
    sources = {failed} & set(run.plan.nodes)
    for path, book in run.nodes.items():
        if book.archived:
            continue
        failed_so_far = bool(book.disposition) and not book.effect
        doomed = failed_so_far or book.retry_at is not None
        if parent_of(path) is None and (book.open or book.items is not None or doomed):
            sources.add(path)
    found = {
        edge.target
        for source in sources
        for edge in run.plan.nodes[source].outgoing
        if edge.on in ("failure", "any")
    }
    after = run.plan.descendants(sources)
    found.update(name for name in after if run.plan.nodes[name].node.join == "settled")
    return found | set(run.plan.descendants(found))


def on_reopened(ledger: Ledger, run: RunBook, event: RunReopened, record: Record) -> None:
    lawful = run.ended or run.failing
    require(13, lawful, f"run {run.number} is reopened, but had not come to an end")
    run.blameless = run.cancelled
    for path in event.held:
        book = run.node(path)
        require(
            13,
            run.cancelled,
            f"run {run.number}: {path} is held again, but nobody had cancelled the run",
        )
        book.disposition, book.resolution, book.standing_in = "held", None, False
    run.ended = run.cancelled = run.failing = run.forced = False
    run.steps, run.expired, run.exempt, run.phase = None, False, set(), "running"


def on_revised(ledger: Ledger, run: RunBook, event: RunRevised, record: Record) -> None:
    """A run adopts another definition: what it did stays done, edges are judged anew."""
    plan = ledger.plans[event.version]
    run.plan = plan
    run.pin = event.pin or run.pin
    run.revised_at = record.position
    for path, book in list(run.nodes.items()):
        base = base_path(path)
        was, book.archived = book.archived, base not in plan.nodes
        if book.archived:
            book.retry_at, book.gate = None, ""
            continue
        book.plan = plan.nodes[base]
        if was and parent_of(path) is None and not _remembered(run, book):
            begin_anew(run, book)
        if book.resolution is not None:
            if book.resolution.outcome == "success" and not book.effect:
                book.resolution.outcome = "none"  # it was undone
            verdict = event.edges.get(path)
            book.resolution.dead = verdict.dead if verdict else ()
            book.resolution.broken = tuple(verdict.broken) if verdict else ()
    for name in plan.order:
        if name not in run.nodes:
            run.nodes[name] = NodeBook(name, plan.nodes[name])


def on_code_adopted(ledger: Ledger, run: RunBook, event: CodeAdopted, record: Record) -> None:
    """A run goes on with other code."""
    require(19, event.pin not in ("", run.pin), f"run {run.number} adopts the code it has")
    run.pin = event.pin


def _remembered(run: RunBook, book: NodeBook) -> bool:
    """Whether a removed node that comes back still has an effect that could be undone."""
    items = [run.nodes[f"{book.path}[{index}]"] for index in range(book.items or 0)]
    books = items if book.items is not None else [book]
    undo = book.plan.undo is not None
    return any((one.effect and undo) or one.undo_failed for one in books)


def on_stepping(ledger: Ledger, run: RunBook, event: SteppingChanged, record: Record) -> None:
    run.stepping = event.stepping
    run.allowed.update(event.allowed)
    _aim(run, event.until)


def on_compensation(
    ledger: Ledger, run: RunBook, event: CompensationStarted, record: Record
) -> None:
    where = f"run {run.number}: compensation"
    asked = event.by is not None or not run.blameless
    require(15, asked, f"{where} answers to what failed before the run was cancelled")
    require(15, len(set(event.steps)) == len(event.steps), f"{where} names a step twice")
    place = {path: index for index, path in enumerate(event.steps)}
    for path in event.steps:
        book = run.node(path)
        require(15, book.effect, f"{where}: {path} has no effect to undo")
        by_name = event.by is not None or not book.given_up
        require(15, by_name, f"{where} takes up {path}, whose undo was given up, by itself")
        book.given_up = False
        may = run.forced or event.by is not None or not book.plan.node.irreversible
        require(15, may, f"{where} undoes irreversible {path}")
    for path in event.steps:
        base = base_path(path)
        for follower in run.plan.descendants([base]) if base in run.plan.nodes else ():
            for other in event.steps:
                if base_path(other) == follower:
                    lawful = place[other] < place[path]
                    require(15, lawful, f"{where} undoes {path} before {other}, which follows it")
    _check_ties(run, event, where)
    run.steps, run.final, run.expired, run.ended = event.steps, event.final, False, False
    run.phase = "compensating"


def _check_ties(run: RunBook, event: CompensationStarted, where: str) -> None:
    """Of two neighbours without a dependency the one that finished last is undone first.

    Only claimed for whole plans over graphs without edges, where no other order can hide behind one.
    """
    if any(planned.incoming for planned in run.plan.nodes.values()):
        return
    ends = [run.nodes[path].finished_position for path in event.steps if "[" not in path]
    require(
        15, ends == sorted(ends, reverse=True), f"{where} does not follow the reverse finish order"
    )


def on_stalled(ledger: Ledger, run: RunBook, event: CompensationStalled, record: Record) -> None:
    run.expired = True


def on_compensated(
    ledger: Ledger, run: RunBook, event: CompensationFinished, record: Record
) -> None:
    where = f"run {run.number}: compensation"
    require(15, run.steps is not None, f"{where} ends, but had not begun")
    books = [run.nodes[path] for path in run.steps or () if path in run.nodes]
    left = [book.path for book in books if book.effect and not book.given_up]
    # A plan for some nodes whose time is over may make way for that of the whole run, which takes up what is left.
    makes_way = run.expired and not run.final and not event.complete
    require(15, not left or makes_way, f"{where} ends with {left} not undone")
    up = [book.path for book in books if book.given_up]
    require(15, not (event.complete and up), f"{where} is complete, but {up} was given up")
    require(15, not any(undo for _path, undo in run.flights), f"{where} ends with an undo open")
    run.steps = None


FAILED_FOR_GOOD = frozenset({"failed", "continued"})


def on_finished(ledger: Ledger, run: RunBook, event: RunFinished, record: Record) -> None:
    where = f"run {run.number} ends as {event.phase}"
    require(17, not run.ended, f"{where}, but had ended as {run.phase}")
    open_ones = [book.path for book in run.nodes.values() if book.open or book.undo_open]
    require(12, not open_ones, f"{where} with {open_ones} open")
    undone = event.phase in ("compensated", "partly_compensated")
    require(11, not run.paused or undone, f"{where} while it is paused")
    waiting = [book.path for book in run.nodes.values() if book.retry_at is not None]
    require(17, not waiting, f"{where} while {waiting} wait for a retry")
    top = [
        book for path, book in run.nodes.items() if parent_of(path) is None and not book.archived
    ]
    if event.phase == "succeeded":
        bad = [book.path for book in top if not book.effect and book.disposition in FAILED_FOR_GOOD]
        require(17, not bad, f"{where}, but {bad} failed")
        held = [book.path for book in top if book.disposition == "held" and not book.resolution]
        require(17, not held, f"{where}, but {held} wait for a person")
    if event.phase == "cancelled":
        require(17, run.cancelled or run.failing, f"{where}, but nobody asked for it")
    if event.phase == "failed" and run.plan.workflow.compensation.when == "failure":
        left = [book.path for book in run.nodes.values() if _stands(book)]
        left = [path for path in left if not run.nodes[path].given_up]
        free = run.plan.workflow.compensation.scope == "workflow" and not _behind_barrier(run)
        require(15, not left or not free, f"{where}, but {left} should have been undone")
    if event.phase == "compensated" and run.plan.workflow.compensation.scope == "workflow":
        left = [book.path for book in run.nodes.values() if _stands(book)]
        require(15, not left, f"{where}, but the effects of {left} stand")
    run.ended, run.phase = True, event.phase
    run.paused = False


def _behind_barrier(run: RunBook) -> bool:
    """Whether something that cannot be undone may have ended a plan before its first step."""
    return any(book.effect and book.plan.node.irreversible for book in run.nodes.values())


def _stands(book: NodeBook) -> bool:
    return book.effect and book.plan.undo is not None and book.items is None
