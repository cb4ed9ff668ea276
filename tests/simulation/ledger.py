"""What the event stream says, kept without any code of the engine: the other side of every comparison."""

from dataclasses import dataclass, field
from typing import Any

from studio.core.events import Record
from studio.core.plan import Plan, PlanEdge, PlanNode, base_path

GRACE = 2.0
"""Seconds between SIGTERM and SIGKILL in simulated runs."""


class Violation(AssertionError):
    """An invariant of engine.md does not hold.

    Args:
        law: its number there.
        what: what was seen.
    """

    def __init__(self, law: int, what: str) -> None:
        super().__init__(f"invariant {law}: {what}")
        self.law = law


def require(law: int, holds: object, what: str) -> None:
    """Raise `Violation` unless ``holds``."""
    if not holds:
        raise Violation(law, what)


@dataclass(slots=True)
class Resolution:
    """What a finished node means to its outgoing edges; ``outcome`` is success, failure or none."""

    outcome: str
    port: str = ""
    dead: tuple[int, ...] = ()
    broken: tuple[int, ...] = ()


@dataclass(slots=True)
class NodeBook:
    """One node, or one item, as its events tell it."""

    path: str
    plan: PlanNode
    attempt: int = 0
    open: bool = False
    flying: bool = False
    ended_uncertain: bool = False
    undo_attempt: int = 0
    undo_open: bool = False
    started_at: float = 0.0
    limit: float | None = None
    disturbed: bool = False
    spawned: bool = False
    stopping: bool = False
    effect: bool = False
    generation: int = 1
    port: str = ""
    undone: set[int] = field(default_factory=set)
    undo_failed: bool = False
    given_up: bool = False
    gate: str = ""
    manual: bool = False
    by_hand: bool = False
    tries: int = 0
    interruptions: int = 0
    resolution: Resolution | None = None
    retry_at: float | None = None
    disposition: str = ""
    standing_in: bool = False
    items: int | None = None
    archived: bool = False
    finished_position: int = 0


@dataclass(slots=True)
class RunBook:
    """One run, as its events tell it."""

    number: int
    plan: Plan
    paused: bool = False
    paused_at: float = 0.0
    cancelled: bool = False
    failing: bool = False
    blameless: bool = False
    forced: bool = False
    revised_at: int = -1000
    ended: bool = False
    phase: str = "running"
    pin: str = ""
    stepping: bool = False
    within: frozenset[str] | None = None
    allowed: set[str] = field(default_factory=set)
    retries: int = 0
    steps: tuple[str, ...] | None = None
    final: bool = False
    expired: bool = False
    exempt: set[str] = field(default_factory=set)
    nodes: dict[str, NodeBook] = field(default_factory=dict)
    former: dict[str, NodeBook] = field(default_factory=dict)
    flights: set[tuple[str, bool]] = field(default_factory=set)

    def node(self, path: str) -> NodeBook:
        """The book of a node; items get theirs when their parent is expanded."""
        book = self.nodes.get(path)
        if book is None:
            raise Violation(2, f"run {self.number} has no node {path}")
        return book

    def blame(self, disposition: str) -> None:
        """Something has failed for good: from now on the run has a reason to fail, and to be undone."""
        self.blameless = self.blameless and disposition not in ("failed", "continued")

    def reopen_parent(self, path: str) -> None:
        """An item goes on by hand: its foreach is not finished any more."""
        parent = self.nodes.get(parent_of(path) or "")
        if parent is not None:
            parent.effect, parent.resolution, parent.disposition = False, None, ""

    def undone_source(self, path: str) -> str:
        """A node that leads right into this one and of which something was undone, or given up half way; else empty."""
        planned = self.plan.nodes.get(path)
        for edge in planned.incoming if planned is not None else ():
            source = self.nodes[edge.source]
            items = [self.nodes[f"{edge.source}[{index}]"] for index in range(source.items or 0)]
            for book in (source, *items):
                if book.given_up or (not book.effect and book.generation in book.undone):
                    return book.path
        return ""

    def may_lose(self, path: str) -> bool:
        """Whether the node leads into a race that stops its losers."""
        after = self.plan.descendants([path]) if path in self.plan.nodes else ()
        return any(self.plan.nodes[name].node.cancel_losers for name in after)

    def verdict(self, edge: PlanEdge) -> str:
        """What an edge has come to (language.md, "Edges"): open, taken, dead or broken."""
        source = self.nodes[edge.source]
        found = source.resolution
        if edge.on == "fallback":
            if source.standing_in and (found is None or found.outcome != "none"):
                return "taken"
            return "open" if found is None else "dead"
        if found is None:
            return "open"
        if edge.index in found.broken:
            return "broken"
        matches = edge.on == "any" or edge.on == found.outcome
        if found.outcome == "none" or edge.index in found.dead or not matches:
            return "dead"
        return "taken" if edge.port is None or edge.port == found.port else "dead"

    def join(self, path: str) -> str:
        """Whether the join rule of a node lets it ``go``, ``skip``s it or makes it ``wait``."""
        planned = self.plan.nodes[path]
        verdicts = [self.verdict(edge) for edge in planned.incoming]
        if not verdicts:
            return "go"
        taken, waiting = verdicts.count("taken"), verdicts.count("open")
        rule = planned.node.join
        if rule == "all":
            lost = len(verdicts) - taken - waiting
            return "skip" if lost else ("go" if not waiting else "wait")
        if rule == "first" and taken:
            return "go"
        if waiting:
            return "wait"
        return "go" if taken or rule == "settled" else "skip"


@dataclass(slots=True)
class Ledger:
    """All runs of one history."""

    plans: dict[str, Plan]
    max_concurrency: int | None
    position: int = 0
    batch: int = 0
    runs: dict[int, RunBook] = field(default_factory=dict)
    locks: dict[str, tuple[int, str]] = field(default_factory=dict)
    facts: dict[tuple[Any, ...], int] = field(default_factory=dict)
    commands: set[str] = field(default_factory=set)
    command_batches: dict[str, int] = field(default_factory=dict)
    flights: int = 0

    def open_attempts(self) -> list[tuple[int, str, bool, int]]:
        """Keys of the attempts that hold limits now."""
        found = []
        for run in self.runs.values():
            for path, undo in run.flights:
                book = run.nodes[path]
                number = book.undo_attempt if undo else book.attempt
                found.append((run.number, path, undo, number))
        return found


def describe(record: Record) -> str:
    """One line of a trace."""
    event = record.event
    values = {
        name: getattr(event, name)
        for name in event.__struct_fields__
        if getattr(event, name) not in (None, (), {}, "", False, 0)
    }
    text = " ".join(f"{name}={_short(value)}" for name, value in values.items())
    return f"{record.position:4} {record.at % 1e6:10.3f} run {record.run} {type(event).__name__} {text}"


def _short(value: object) -> str:
    text = repr(bytes(value)) if type(value).__name__ == "Raw" else repr(value)  # type: ignore[call-overload]
    return text if len(text) < 90 else text[:87] + "..."


def parent_of(path: str) -> str | None:
    """Path of the foreach an item belongs to, None for a node of the graph."""
    base = base_path(path)
    return base if base != path else None
