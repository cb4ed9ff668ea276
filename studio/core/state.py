"""What a run, and the engine as a whole, has come to: folded from the history, evolved in place.

The single owner evolves these objects in place because a copy per event would make long runs quadratic;
that `evolve` is a pure fold is proved by replay (tests compare `RunState.snapshot` of both).
Work lists (``unsettled``, ``queue``, …) are derived: they only say where `react` has to look.
"""

from collections import deque
from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeAlias

import msgspec

from studio.core.events import NULL, Origin
from studio.core.plan import Plan, PlanNode, PlanStandIn
from studio.core.transitions import ENDED, FINISHED, SETTLED_DISPOSITIONS, Phase, Status
from studio.model.failure import Failure

UNRESOLVED, TAKEN, DEAD, BROKEN = 0, 1, 2, 3
"""What an incoming edge has come to; ``BROKEN`` is one whose condition could not be evaluated."""

INLINE_BYTES = 1024
"""Outputs up to this size stay in memory with the node; larger ones are read from the history when asked
for. Keeps a finished node well under the 3 KiB of the targets while small results cost no read."""


class Stored(NamedTuple):
    """A value that stands in the history: the position of its event."""

    position: int


Value: TypeAlias = bytes | Stored
"""An encoded JSON value, or where it stands."""


class ItemsState:
    """Progress of a foreach: its elements, and how many are not resolved yet."""

    __slots__ = ("active", "count", "failed", "left", "pending", "values")

    def __init__(self, count: int, values: Value) -> None:
        self.count = count
        self.values = values
        self.left = count
        self.failed = 0
        self.active = 0
        self.pending: deque[int] = deque(range(count))


class Former(NamedTuple):
    """Where an item of an earlier round of its foreach had got to; the next round counts on from there."""

    attempt: int
    undo_attempt: int
    generation: int
    override_input: int = 0


class NodeState:
    """One node, or one item, of one run."""

    __slots__ = (
        "age",
        "archived",
        "attempt",
        "blocking",
        "by",
        "cause",
        "dead",
        "deadline",
        "disposition",
        "edges",
        "failure",
        "finished_at",
        "finished_position",
        "former",
        "gate",
        "generation",
        "index",
        "input_attempt",
        "input_position",
        "interruptions",
        "items",
        "iteration",
        "keep",
        "manual",
        "marks",
        "orphaned",
        "output",
        "overridden",
        "override_input",
        "parent",
        "path",
        "pid",
        "pid_started",
        "plan",
        "port",
        "ran_under",
        "resolved",
        "retry_at",
        "staled_position",
        "standing_in",
        "started_at",
        "started_position",
        "status",
        "stopping",
        "taken",
        "tries",
        "uncertain",
        "undo_attempt",
        "undo_position",
        "undo_tries",
        "wake",
    )

    def __init__(self, path: str, plan: PlanNode, *, item: bool = False) -> None:
        self.path = path
        self.plan = plan
        self.status: Status = "blocked"
        self.generation = 1
        self.attempt = 0
        self.ran_under = 0
        self.tries = 0
        self.iteration = 0
        self.interruptions = 0
        self.undo_attempt = 0
        self.undo_tries = 0
        self.undo_position = 0
        self.archived = False
        self.staled_position = 0
        self.started_position = 0
        self.edges: bytearray | None = (
            None if item or not plan.incoming else bytearray(len(plan.incoming))
        )
        self.taken = 0
        self.dead = 0
        self.resolved = False
        self.output: Value = b"null"
        self.port = ""
        self.failure: Failure | None = None
        self.disposition = ""
        self.cause = ""
        self.blocking = ""
        self.gate: str | None = None
        self.manual: Origin | None = None
        self.by: Origin | None = None
        self.keep = False
        self.marks: frozenset[str] = frozenset()
        self.override_input: int = 0
        self.overridden: tuple[Value] | None = None
        self.input_position = 0
        self.input_attempt = 0
        self.stopping = ""
        self.uncertain = False
        self.standing_in = False
        self.age = 0
        self.retry_at: float | None = None
        self.wake: float | None = None
        self.deadline: float | None = None
        self.pid = 0
        self.pid_started = 0
        self.started_at: float | None = None
        self.finished_at: float | None = None
        self.finished_position = 0
        self.items: ItemsState | None = None
        self.former: dict[int, Former] | None = None
        self.parent: NodeState | None = None
        self.index = -1
        self.orphaned = False

    @property
    def work(self) -> PlanNode | PlanStandIn:
        """What its forward attempts carry out: its own definition, or the one that is tried in its place."""
        stand_in = self.plan.stand_in
        return stand_in if self.standing_in and stand_in is not None else self.plan

    @property
    def settled(self) -> bool:
        """Whether the node needs nothing any more, as things stand."""
        if self.status == "compensation_failed":
            return self.disposition == "ignored"  # its undo was given up
        if self.archived:
            return self.status != "compensating"
        if self.status in FINISHED:
            return self.gate is None
        return self.status == "failed" and self.disposition in SETTLED_DISPOSITIONS

    def mark(self, name: str) -> None:
        """Add a mark beside the state."""
        self.marks = self.marks | {name}

    def unmark(self, name: str) -> None:
        """Drop a mark if it is there."""
        if name in self.marks:
            self.marks = self.marks - {name}


class CompensationState:
    """A plan of undos under way, or done; ``by`` tells who asked for it, None when it answers a failure."""

    __slots__ = ("barrier", "by", "deadline", "expired", "failed", "final", "position", "steps")

    def __init__(
        self,
        steps: tuple[str, ...],
        barrier: str | None,
        failed: str | None,
        final: bool,
        deadline: float | None,
        by: Origin | None = None,
    ) -> None:
        self.steps = steps
        self.barrier = barrier
        self.failed = failed
        self.final = final
        self.by = by
        self.deadline = deadline
        self.position = 0
        self.expired = False


class BreakpointState(NamedTuple):
    """A stop for a person, and the attempt at which it last hit (it is consumed once per attempt)."""

    on: str
    when: str | None
    consumed: int = -1


class RunState:
    """One run."""

    __slots__ = (
        "active_at",
        "allowed",
        "breakpoints",
        "by",
        "cancelled",
        "collecting",
        "commands",
        "compensate_by",
        "compensation",
        "counts",
        "deadline",
        "definition",
        "definitions",
        "degraded",
        "env",
        "exempt",
        "failing",
        "failing_node",
        "file",
        "finished_at",
        "flying",
        "folder",
        "forced",
        "handling",
        "idle_since",
        "message",
        "nodes",
        "number",
        "open",
        "outputs",
        "params",
        "paused",
        "paused_at",
        "paused_by",
        "phase",
        "pin",
        "plan",
        "policy",
        "position",
        "queue",
        "rested",
        "retries",
        "revision",
        "run_id",
        "started_at",
        "stepping",
        "surface",
        "sweep",
        "timed_out",
        "undone",
        "unsettled",
        "until",
        "versions",
        "waits",
        "within",
    )

    def __init__(self, number: int, run_id: str, plan: Plan) -> None:
        self.number = number
        self.run_id = run_id
        self.plan = plan
        self.versions: list[str] = [plan.version]
        self.definition = 0
        self.definitions: list[tuple[str, str]] = []
        self.revision = 1
        self.params: dict[str, Any] = {}
        self.env: dict[str, str] = {}
        self.file = ""
        self.folder = ""
        self.pin = ""
        self.policy = "fail"
        self.surface = "headless"
        self.by: Origin | None = None
        self.phase: Phase = "running"
        self.paused = False
        self.paused_at = 0.0
        self.paused_by: Origin | None = None
        self.started_at = 0.0
        self.finished_at: float | None = None
        self.rested = 0.0
        self.idle_since: float | None = None
        self.active_at = 0.0
        self.deadline: float | None = None
        self.position = 0
        self.outputs: Any = None
        self.message = ""
        self.failing = False
        self.failing_node = ""
        self.cancelled = False
        self.sweep = False
        self.timed_out = False
        self.degraded = False
        self.compensate_by: Origin | None = None
        self.compensation: CompensationState | None = None
        self.undone = False
        self.forced = False
        self.retries = 0
        self.stepping = False
        self.until: str | None = None
        self.within: frozenset[str] | None = None
        self.allowed: set[str] = set()
        self.exempt: set[str] = set()
        self.commands: set[str] = set()
        self.breakpoints: dict[str, BreakpointState] = {}
        self.nodes: dict[str, NodeState] = {
            name: NodeState(name, plan.nodes[name]) for name in plan.order
        }
        self.counts: dict[str, int] = {"blocked": len(self.nodes)}
        self.open = len(self.nodes)
        self.flying = 0
        self.waits = 0
        self.unsettled: deque[str] = deque()
        self.queue: list[tuple[int, int, int, str]] = []
        self.handling: deque[str] = deque()
        self.collecting: deque[str] = deque()

    @property
    def ended(self) -> bool:
        """Whether the run is over (it may be reopened)."""
        return self.phase in ENDED

    def adopt(self) -> None:
        """What starts from now on starts under the present version and code; an edit taken back is the one before."""
        now = (self.versions[-1], self.pin)
        if now not in self.definitions:
            self.definitions.append(now)
        self.definition = self.definitions.index(now)

    def snapshot(self) -> dict[str, Any]:
        """All that the history determines, in plain types; equal for live and replayed state.

        ``ready`` and ``held`` are shown as ``blocked`` because they may be derived, not stored; so is the place
        reached in a compensation, which follows from the states of its steps.
        """
        nodes = {}
        for path, node in self.nodes.items():
            shown = "blocked" if node.status in ("ready", "held") else node.status
            nodes[path] = (
                shown, node.generation, node.attempt, node.tries, node.iteration, node.undo_attempt,
                node.disposition, bytes(node.edges or b""), node.resolved, node.output, node.port,
                sorted(node.marks), node.gate, node.retry_at, node.deadline, node.wake, node.keep,
                node.override_input, node.stopping, node.uncertain, node.standing_in, node.pid,
                node.age,
            )  # fmt: skip
        return {
            "phase": self.phase,
            "paused": self.paused,
            "pin": self.pin,
            "rested": (self.rested, self.idle_since),
            "open": self.open,
            "flying": self.flying,
            "failing": (self.failing, self.cancelled, self.timed_out, self.degraded),
            "compensation": self.compensation
            and (self.compensation.steps, self.compensation.expired, self.compensation.final),
            "gates": (self.stepping, self.until, sorted(self.allowed), sorted(self.breakpoints)),
            "nodes": nodes,
        }


Stage: TypeAlias = Literal["start", "spawned", "stop"]
"""How far an open attempt is: to be started, waiting behind its gate or running, or being ended."""


class Flight(NamedTuple):
    """Key of an open attempt."""

    run: int
    node: str
    undo: bool
    attempt: int


TimerKind: TypeAlias = Literal["retry", "wake", "deadline", "run", "compensation"]


class TimerKey(NamedTuple):
    """Key of a moment the state waits for."""

    run: int
    kind: TimerKind
    node: str
    undo: bool


class Waiter(NamedTuple):
    """A node that waits for a lock; its place in line is its age."""

    age: int
    run: int
    node: str


class FlowState:
    """What runs share: who is in flight, who holds which lock, and which moments are waited for.

    Attributes:
        in_flight: open attempts and how far they are: ``start``, ``spawned`` or ``stop``.
        timers: moments waited for, seconds since the epoch.
        touched: keys of both that changed since `due` was last asked.
        holders: holder of each held lock.
        held: locks of each holder.
        waiters: who waits for a lock, in order of age.
        contended: free locks that somebody waits for, and whose turn was offered last.
        dirty: runs whose queue may hold a node that can start.
    """

    __slots__ = (
        "contended",
        "dirty",
        "held",
        "holders",
        "in_flight",
        "max_concurrency",
        "per_run",
        "starved",
        "timers",
        "touched",
        "waiters",
    )

    def __init__(self, max_concurrency: int | None = None) -> None:
        self.max_concurrency = max_concurrency
        self.in_flight: dict[Flight, Stage] = {}
        self.per_run: dict[int, int] = {}
        self.timers: dict[TimerKey, float] = {}
        self.touched: dict[Flight | TimerKey, None] = {}
        self.holders: dict[str, Flight] = {}
        self.held: dict[Flight, tuple[str, ...]] = {}
        self.waiters: dict[str, list[Waiter]] = {}
        self.contended: dict[str, Waiter | None] = {}
        self.starved: dict[int, None] = {}
        self.dirty: dict[int, None] = {}


def no_history(position: int) -> Any:
    """Lookup of a state that has no history behind it. Raises LookupError."""
    raise LookupError(f"no record at position {position}")


class EngineState:
    """All runs in memory, what they share, and the head of the history.

    Args:
        plans: compiled definitions by version; the shell adds each before a command names it.
        lookup: reads an event back by position; only asked for values that are not in memory.
        max_concurrency: nodes in flight over all runs, None for no bound.
    """

    __slots__ = (
        "cache",
        "commands",
        "flow",
        "lookup",
        "plans",
        "position",
        "runs",
        "unsaved",
        "visited",
    )

    def __init__(
        self,
        plans: dict[str, Plan] | None = None,
        lookup: Callable[[int], Any] = no_history,
        max_concurrency: int | None = None,
    ) -> None:
        self.plans: dict[str, Plan] = plans if plans is not None else {}
        self.lookup = lookup
        self.runs: dict[int, RunState] = {}
        self.flow = FlowState(max_concurrency)
        self.position = 0
        self.unsaved: dict[int, Any] = {}
        self.visited: dict[int, None] = {}
        self.commands: dict[str, int] = {}
        self.cache: dict[int, Any] = {}

    def event(self, position: int) -> Any:
        """The event at a position: from this turn's batch if it is not on disk yet, else by lookup."""
        found = self.unsaved.get(position)
        return found if found is not None else self.lookup(position)

    def raw(self, value: Value) -> bytes:
        """The encoded JSON of a value."""
        if isinstance(value, Stored):
            event = self.event(value.position)
            return bytes(getattr(event, "output", None) or getattr(event, "items", None) or NULL)
        return value

    def decode(self, value: Value) -> Any:
        """The value itself; the last few large ones are kept decoded."""
        if not isinstance(value, Stored):
            return msgspec.json.decode(value)
        position = value.position
        if position not in self.cache:
            if len(self.cache) >= 32:
                self.cache.pop(next(iter(self.cache)))
            self.cache[position] = msgspec.json.decode(self.raw(value))
        return self.cache[position]


def keep_value(raw: msgspec.Raw, position: int) -> Value:
    """How an output is kept with its node: small ones in memory, large ones by position."""
    body = bytes(raw)
    return body if len(body) <= INLINE_BYTES else Stored(position)
