"""What the engine needs from the world, as protocols; ``storage`` and ``executors`` fulfil them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, TypeAlias

import msgspec

from studio.core.events import Record
from studio.ids import NodePath, RunId, RunNumber, VersionHash

if TYPE_CHECKING:  # hints only; reading a history does without the model
    from studio.model.expressions import SecretSlot
    from studio.model.failure import Failure
    from studio.model.json_value import JsonValue
    from studio.model.nodes import KindSettings
    from studio.model.terms import Isolation

# --------------------------------------------------------------------------- time


class Clock(Protocol):
    """Where the time of commands comes from."""

    def now(self) -> float:
        """Seconds since the epoch, never going backwards within one process."""
        ...


# --------------------------------------------------------------------------- executors


class AttemptKey(NamedTuple):
    """Identity of one attempt: an attempt is executed by at most one child ever."""

    run: RunNumber
    node: NodePath
    undo: bool
    attempt: int


class AttemptOrder(msgspec.Struct, frozen=True):
    """All an executor needs to carry out one attempt.

    Args:
        key: which attempt.
        run_id: global id of the run.
        workflow: name of the workflow.
        folder: working directory and first entry of the module path of user code.
        settings: kind of the node (or of its undo) and its keys, templates already rendered.
        isolation: ``process`` for a fresh child, ``shared`` for the warm worker.
        input: rendered input, secrets left out.
        slots: where in ``input`` and ``env`` secrets have to be inserted.
        env: environment of the child, complete; ``env_slots`` say where secrets go.
        secrets: values by name, of the declared secrets only.
        idempotency_key: stable across retries of one generation.
        result_file: absolute path the child writes its result to, by atomic rename.
        sensitive: names of output fields to mask in logs.
        scope: what expressions of an inline kind (transform, branch) may read; empty for the rest.
        pin: absolute path of the stored code of the run, from which its modules are imported; empty to import them
            from the folder.
    """

    key: AttemptKey
    run_id: RunId
    workflow: str
    folder: str
    settings: KindSettings
    isolation: Isolation
    input: JsonValue
    slots: tuple[SecretSlot, ...]
    env: Mapping[str, str]
    env_slots: tuple[SecretSlot, ...]
    secrets: Mapping[str, str]
    idempotency_key: str
    result_file: str
    sensitive: tuple[str, ...] = ()
    scope: Mapping[str, object] = msgspec.field(default_factory=dict)
    pin: str = ""


class Succeeded(msgspec.Struct, frozen=True):
    """The attempt returned.

    Args:
        output: encoded JSON of the result, secrets already redacted.
        port: named output port it leaves by, empty for the unnamed one.
    """

    output: bytes
    port: str = ""


class Failed(msgspec.Struct, frozen=True):
    """The attempt raised, exited badly, or could not be started."""

    failure: Failure


class Stopped(msgspec.Struct, frozen=True):
    """The attempt was ended because `Executor.cancel` asked for it; its process group is gone."""


class Vanished(msgspec.Struct, frozen=True):
    """The child died without a result and nobody asked it to (killed, out of memory, zygote lost)."""

    detail: str = ""


Outcome: TypeAlias = Succeeded | Failed | Stopped | Vanished


class AttemptSink(Protocol):
    """Where executors report to. Every method returns at once and may be called from the loop only."""

    def spawned(self, key: AttemptKey, pid: int, started: int) -> None:
        """A child waits behind its gate; it runs only after `Executor.release`.

        Args:
            key: which attempt.
            pid: process id, also the process group id.
            started: start time of the process in clock ticks since boot (field 22 of ``/proc/PID/stat``;
                0 where the system has none), which tells the process from a later one with the same id.
        """
        ...

    def progressed(self, key: AttemptKey, fraction: float | None, message: str) -> None:
        """The node reported progress, ``fraction`` between 0 and 1."""
        ...

    def logged(self, key: AttemptKey, lines: Sequence[LogLine]) -> None:
        """Lines were written; they are already redacted and on their way to the log store."""
        ...

    def finished(self, key: AttemptKey, outcome: Outcome) -> None:
        """The attempt is over and none of its processes is alive. Called once per started attempt."""
        ...


class Executor(Protocol):
    """Carries out attempts. One instance serves the whole engine."""

    def bind(self, sink: AttemptSink) -> None:
        """Say where to report to; called once before anything is started."""
        ...

    async def open(self) -> None:
        """Start what is shared by all attempts (the zygote). Raises `ExecutorError`."""
        ...

    def start(self, order: AttemptOrder) -> None:
        """Begin an attempt; returns at once. A kind without a child may report `finished` right away."""
        ...

    def release(self, key: AttemptKey) -> None:
        """Open the gate of a spawned child: its pid is on disk now."""
        ...

    def cancel(self, key: AttemptKey, grace: float) -> None:
        """End an attempt: SIGTERM to its process group, SIGKILL after ``grace`` seconds."""
        ...

    def recover(self, pid: int, started: int, result_file: str) -> Outcome | None:
        """After a crash: make sure a child of an earlier engine is gone, then look for its result.

        Returns the outcome when a complete result file is there, None when nothing is known.
        """
        ...

    async def close(self) -> None:
        """End every attempt and the zygote; no process is left."""
        ...


# --------------------------------------------------------------------------- logs


class LogLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of output or of a node's log.

    Args:
        at: seconds since the epoch when it was read.
        text: the line without its end; views sanitise it.
        stream: ``stdout``, ``stderr`` or ``log`` (written through ``ctx.log``).
        level: ``debug``, ``info``, ``warning``, ``error``; ``info`` for plain output.
    """

    at: float
    text: str
    stream: Literal["stdout", "stderr", "log"] = "stdout"
    level: Literal["debug", "info", "warning", "error"] = "info"


class LogStore(Protocol):
    """Keeps the output of every attempt on disk, one append-only file each."""

    def write(self, key: AttemptKey, lines: Sequence[LogLine]) -> None:
        """Append lines. Errors of the disk are reported through the store's own health, never raised here."""
        ...

    def close(self, key: AttemptKey) -> None:
        """The attempt is over; release its file."""
        ...

    def read(self, key: AttemptKey) -> Iterator[LogLine]:
        """All lines of an attempt so far; empty when it wrote none."""
        ...

    def attempts(self, run: RunNumber, node: NodePath | None = None) -> list[AttemptKey]:
        """Attempts of a run, or of one node, that wrote something, oldest first."""
        ...


# --------------------------------------------------------------------------- history


class RunRow(msgspec.Struct, frozen=True):
    """What lists of runs show; kept in step with the history in the same transaction.

    Args:
        state: phase of the run, or ``attention`` when only a person can get it on.
        counts: number of nodes per state name.
        needs: number of nodes that need a person.
        rested: seconds in which nothing of it was under way: it was paused, or waited for a person or its turn.
        active_at: when something last happened to it; 0 in rows of earlier versions.
    """

    run: RunNumber
    run_id: RunId
    workflow: str
    version: VersionHash
    file: str
    state: str
    paused: bool
    open: bool
    started_at: float
    finished_at: float | None
    counts: dict[str, int]
    needs: int
    actor: str = ""
    rested: float = 0.0
    active_at: float = 0.0


class Definition(msgspec.Struct, frozen=True):
    """A stored definition: what a run needs to be continued after the file has changed or gone."""

    version: VersionHash
    workflow: str
    body: bytes


class Batch(msgspec.Struct, frozen=True):
    """What one turn of the engine appends, in one transaction."""

    records: Sequence[Record]
    rows: Sequence[RunRow] = ()
    definitions: Sequence[Definition] = ()


class RunFilter(msgspec.Struct, frozen=True):
    """Which runs a list shows, newest first."""

    workflow: str | None = None
    states: tuple[str, ...] = ()
    only_open: bool = False
    limit: int = 50
    before: RunNumber | None = None


class Values(Protocol):
    """Content-addressed store of results too large for the history."""

    def put(self, body: bytes) -> str:
        """Store bytes durably and return their address (SHA-256 in hexadecimal)."""
        ...

    def get(self, address: str) -> bytes:
        """Raises `NotFoundError` or `DamagedError`."""
        ...

    def place(self, address: str) -> str:
        """Absolute path of the file that holds these bytes, for a child to read; whether it is there is not looked at.

        Empty for a store without files.
        """
        ...


class HistoryReader(Protocol):
    """Read access to the history; consistent, and without stopping the writer."""

    def head(self) -> int:
        """Position of the last record, 0 when the history is empty."""
        ...

    def read(self, run: RunNumber | None = None, after: int = 0) -> Iterator[Record]:
        """Records in order of position. Raises `DamagedError` where a checksum is wrong."""
        ...

    def record(self, position: int) -> Record:
        """One record. Raises `NotFoundError`."""
        ...

    def definition(self, version: VersionHash) -> Definition:
        """A stored definition. Raises `NotFoundError`."""
        ...

    def rows(self, where: RunFilter) -> list[RunRow]:
        """Runs that match, newest first."""
        ...

    def find(self, reference: str) -> RunRow:
        """A run by number, ``last``, full id or unique prefix of it. Raises `NotFoundError`."""
        ...

    def close(self) -> None: ...


class History(HistoryReader, Protocol):
    """The one append-only history of a state folder."""

    async def append(self, batch: Batch) -> None:
        """Append in one durable transaction; all or nothing.

        Raises `StorageError` when nothing of it is on disk. Positions must follow the head without a gap.
        """
        ...

    async def aclose(self) -> None: ...


class StorageHealth(msgspec.Struct):
    """What the storage found at start and since; told by commands and in the notice line.

    Args:
        notices: one sentence each, oldest first.
        read_only: whether nothing can be appended; ``why_read_only`` says why.
    """

    notices: list[str] = msgspec.field(default_factory=list)
    read_only: bool = False
    why_read_only: str = ""
