"""History events: facts in the past tense, on disk, from which everything shown or decided is computed.

Light frozen structs with a tag, so that encoding costs well under a microsecond. An event that exists is
legal: `decide` is the only place that makes them, and `evolve` is total over them. Fields are only ever
added with a default; a renamed or re-interpreted event gets a new tag.
"""

from typing import Any, Literal, TypeAlias

import msgspec

from studio.model.failure import Failure

Json: TypeAlias = Any
"""A JSON value; msgspec cannot resolve the recursive alias of the model."""


NULL = msgspec.Raw(b"null")
"""Encoded JSON null; outputs travel encoded and are decoded only where something reads them."""


class Origin(msgspec.Struct, frozen=True, omit_defaults=True, array_like=True):
    """Whose command caused an event.

    Args:
        command: client id of the command; sent twice, it acts once.
        actor: who sent it.
        reason: why, in their words; may be empty.
    """

    command: str
    actor: str = ""
    reason: str = ""


class Blob(msgspec.Struct, frozen=True, omit_defaults=True):
    """A value too large for the history, by content address.

    Args:
        address: SHA-256 of its encoded JSON.
        size: length of the encoded JSON in bytes.
        preview: its first characters, for people.
    """

    address: str
    size: int
    preview: str = ""


class Slot(msgspec.Struct, frozen=True, array_like=True):
    """Where a secret has to be inserted into an input: path, character offset, name of the secret."""

    path: tuple[str | int, ...]
    offset: int
    name: str


class Event(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="event"):
    """Base of all history events."""


# --------------------------------------------------------------------------- runs


class RunStarted(Event, frozen=True, omit_defaults=True, tag="run_started"):
    """A run exists; it pins the version, the code and the failure policy.

    ``file`` and ``folder`` stand here because the same version may lie in several places. ``pin`` is the address of
    the stored code, empty for a run that reads its code from the folder. ``env`` holds the variables of whoever started
    it that its expressions read.
    """

    run_id: str
    workflow: str
    version: str
    params: dict[str, Json]
    policy: Literal["hold", "fail", "continue"]
    file: str = ""
    folder: str = ""
    surface: Literal["screen", "headless"] = "headless"
    until: str | None = None
    stepping: bool = False
    parent: int | None = None
    pin: str = ""
    env: dict[str, str] = {}
    by: Origin | None = None


class RunPaused(Event, frozen=True, omit_defaults=True, tag="run_paused"):
    by: Origin | None = None


class RunResumed(Event, frozen=True, omit_defaults=True, tag="run_resumed"):
    """Timers that stood still are moved on by the length of the pause."""

    by: Origin | None = None


class RunCancelRequested(Event, frozen=True, omit_defaults=True, tag="run_cancel_requested"):
    by: Origin | None = None


class RunTimedOut(Event, frozen=True, omit_defaults=True, tag="run_timed_out"):
    pass


class RunFailing(Event, frozen=True, omit_defaults=True, tag="run_failing"):
    """The policy `fail` applies: nothing but failure branches starts any more; the run drains.

    ``compensate`` says that a person asked for the undo of the whole run; ``force`` goes past barriers.
    """

    node: str
    message: str = ""
    compensate: bool = False
    force: bool = False
    by: Origin | None = None


class RunFinished(Event, frozen=True, omit_defaults=True, tag="run_finished"):
    phase: Literal["succeeded", "failed", "cancelled", "compensated", "partly_compensated"]
    outputs: Json = None
    message: str = ""
    degraded: bool = False


class RunReopened(Event, frozen=True, omit_defaults=True, tag="run_reopened"):
    """A finished run goes on: a node of it is to run again.

    ``held`` names what had failed for good when the run was cancelled; it waits for a person again.
    """

    by: Origin | None = None
    held: tuple[str, ...] = ()


class EdgeVerdict(msgspec.Struct, frozen=True, omit_defaults=True, array_like=True):
    """Outgoing edges of a node, by index, whose condition is false or cannot be evaluated."""

    dead: tuple[int, ...] = ()
    broken: dict[int, str] = {}


class RunRevised(Event, frozen=True, omit_defaults=True, tag="run_revised"):
    """The run adopts another definition; the version tells which.

    ``edges`` judges the new outgoing edges of nodes that are resolved already. ``rewired`` are those of the
    ``changed`` nodes of which only the incoming edges changed, so that their input is still what it was. ``pin`` is the
    address of the code that comes with it, empty where the run keeps the code it has.
    """

    version: str
    revision: int
    changed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    edges: dict[str, EdgeVerdict] = {}
    pin: str = ""
    by: Origin | None = None
    rewired: tuple[str, ...] = ()


class CodeAdopted(Event, frozen=True, omit_defaults=True, tag="code_adopted"):
    """The run goes on with other code under the definition it has; nothing that has run is touched by it."""

    pin: str
    by: Origin | None = None


# --------------------------------------------------------------------------- attempts


class AttemptStarted(Event, frozen=True, omit_defaults=True, tag="attempt_started"):
    """An attempt is granted: limits and locks are held from here to its end.

    Args:
        input: the rendered input, secrets left out; ``slots`` say where they go.
        settings: rendered kind settings that held templates, only where they differ from the definition.
        reuse: earlier attempt whose recorded input and settings this one takes over; 0 for its own.
        deadline: time at which the attempt is ended, None for no limit.
        wake: for a wait, the time at which it is over.
        stand_in: what is carried out is the node's fallback.
    """

    node: str
    attempt: int
    generation: int = 1
    undo: bool = False
    iteration: int = 0
    input: Json = None
    slots: tuple[Slot, ...] = ()
    settings: dict[str, Json] | None = None
    setting_slots: tuple[Slot, ...] = ()
    reuse: int = 0
    deadline: float | None = None
    wake: float | None = None
    stand_in: bool = False
    by: Origin | None = None


class ChildSpawned(Event, frozen=True, omit_defaults=True, tag="child_spawned"):
    """A child waits behind its gate; it is released once this is on disk."""

    node: str
    attempt: int
    pid: int
    started: int
    undo: bool = False


class AttemptSucceeded(Event, frozen=True, omit_defaults=True, tag="attempt_succeeded"):
    """The one end of an attempt that returned.

    Args:
        output: the result, or a `Blob` when ``blob`` is set.
        port: named port it leaves by.
        dead: indexes of outgoing edges that are not taken although the outcome would match.
        broken: outgoing edges whose condition could not be evaluated, with the message.
        again: for a repeat that is not done: time of the next iteration.
        held: a breakpoint after the node keeps its outgoing edges unresolved until it is released.
    """

    node: str
    attempt: int
    output: msgspec.Raw = NULL
    blob: Blob | None = None
    port: str = ""
    dead: tuple[int, ...] = ()
    broken: dict[int, str] = {}
    again: float | None = None
    held: bool = False
    undo: bool = False


Disposition: TypeAlias = Literal[
    "retry",  # another attempt follows by itself
    "fallback",  # its fallback stands in, or is tried
    "held",  # waits for a person, outgoing edges unresolved
    "handling",  # a failure edge was taken; its target decides
    "handled",  # that target succeeded
    "deferred",  # of a node that was to stand in for another: the failure of that one decides
    "tolerated",  # critical: false
    "continued",  # policy continue: edges resolved, the run will end as failed
    "failed",  # policy fail: edges resolved, the run fails
    "ignored",  # by hand: stays failed, does not fail the run
]


class AttemptFailed(Event, frozen=True, omit_defaults=True, tag="attempt_failed"):
    """The one end of an attempt that raised, was refused, timed out or vanished.

    Args:
        disposition: what happens next, decided with the event.
        retry_at: time of the next attempt when the disposition is ``retry``.
        uncertain: the attempt may have acted on the outside world before it failed.
    """

    node: str
    attempt: int
    failure: Failure
    disposition: Disposition = "held"
    retry_at: float | None = None
    uncertain: bool = False
    dead: tuple[int, ...] = ()
    broken: dict[int, str] = {}
    undo: bool = False


class FallbackUsed(Event, frozen=True, omit_defaults=True, tag="fallback_used"):
    """A failed node ends as succeeded, degraded, with the value of its fallback or the output of that node.

    Args:
        output: the value, or a `Blob` when ``blob`` is set.
    """

    node: str
    port: str = ""
    output: msgspec.Raw = NULL
    blob: Blob | None = None
    dead: tuple[int, ...] = ()
    broken: dict[int, str] = {}


class FallbackStarted(Event, frozen=True, omit_defaults=True, tag="fallback_started"):
    """A node whose attempts are used up is not failed yet: what is to stand in for it is tried."""

    node: str


class AttemptCancelled(Event, frozen=True, omit_defaults=True, tag="attempt_cancelled"):
    node: str
    attempt: int
    reason: str = ""
    undo: bool = False
    by: Origin | None = None


class AttemptInterrupted(Event, frozen=True, omit_defaults=True, tag="attempt_interrupted"):
    """A crash ended the attempt; as it has no external effect it runs again, not counted as a retry."""

    node: str
    attempt: int
    detail: str = ""
    undo: bool = False


class AttemptDoubted(Event, frozen=True, omit_defaults=True, tag="attempt_doubted"):
    """The outcome is unknown; a person has to say what happened."""

    node: str
    attempt: int
    detail: str = ""
    undo: bool = False


class AttemptStopRequested(Event, frozen=True, omit_defaults=True, tag="attempt_stop_requested"):
    """The attempt is being ended: its process group gets SIGTERM, then SIGKILL after the grace time."""

    node: str
    attempt: int
    cause: Literal["timeout", "operator", "run", "loser"]
    undo: bool = False
    by: Origin | None = None


class ResultIgnored(Event, frozen=True, omit_defaults=True, tag="result_ignored"):
    """A late, duplicate or forged result of a closed attempt."""

    node: str
    attempt: int
    detail: str = ""
    undo: bool = False


# --------------------------------------------------------------------------- nodes


class NodeSkipped(Event, frozen=True, omit_defaults=True, tag="node_skipped"):
    node: str
    reason: str
    by: Origin | None = None


class NodeCancelled(Event, frozen=True, omit_defaults=True, tag="node_cancelled"):
    """A node that had not started will not start; with ``undo``, its undo is not tried again by itself."""

    node: str
    reason: str
    undo: bool = False
    by: Origin | None = None


class NodeFailed(Event, frozen=True, omit_defaults=True, tag="node_failed"):
    """A node failed without an attempt: its condition, list or input could not be evaluated."""

    node: str
    failure: Failure
    disposition: Disposition = "held"
    dead: tuple[int, ...] = ()
    broken: dict[int, str] = {}


class FailureDisposed(Event, frozen=True, omit_defaults=True, tag="failure_disposed"):
    """What becomes of a failure changed after the fact: given up, ignored, handled, or not handled."""

    node: str
    disposition: Disposition
    dead: tuple[int, ...] = ()
    broken: dict[int, str] = {}
    by: Origin | None = None


class RetryRequested(Event, frozen=True, omit_defaults=True, tag="retry_requested"):
    """The node is to be tried again as soon as limits allow; gates do not apply to a person's retry.

    Without an origin it is the engine's own retry: a backoff or an iteration's pause is over.
    """

    node: str
    undo: bool = False
    by: Origin | None = None


class NodeHeld(Event, frozen=True, omit_defaults=True, tag="node_held"):
    """A person closed the gate of the node: it neither starts nor retries."""

    node: str
    by: Origin | None = None


class NodeReleased(Event, frozen=True, omit_defaults=True, tag="node_released"):
    """The gate of a node is open again; for a stop after the node, its edges resolve now."""

    node: str
    dead: tuple[int, ...] = ()
    broken: dict[int, str] = {}
    by: Origin | None = None


class NodeMarked(Event, frozen=True, omit_defaults=True, tag="node_marked"):
    """A person set the outcome."""

    node: str
    outcome: Literal["succeeded", "skipped", "ignored", "failed"]
    output: msgspec.Raw = NULL
    port: str = ""
    dead: tuple[int, ...] = ()
    broken: dict[int, str] = {}
    undo: bool = False
    by: Origin | None = None


class InputOverridden(Event, frozen=True, omit_defaults=True, tag="input_overridden"):
    """``revert`` drops the override."""

    node: str
    input: Json = None
    revert: bool = False
    by: Origin | None = None


class OutputOverridden(Event, frozen=True, omit_defaults=True, tag="output_overridden"):
    node: str
    output: msgspec.Raw = NULL
    revert: bool = False
    dead: tuple[int, ...] = ()
    broken: dict[int, str] = {}
    by: Origin | None = None


class NodesStaled(Event, frozen=True, omit_defaults=True, tag="nodes_staled"):
    """Nodes whose input or definition is no longer what they ran with."""

    nodes: tuple[str, ...]
    cause: str = ""
    by: Origin | None = None


class NodesReset(Event, frozen=True, omit_defaults=True, tag="nodes_reset"):
    """Nodes go back to the start; those that had succeeded, been undone or stale get a new generation.

    ``keep`` lets a node be reused when its input turns out unchanged.
    """

    nodes: tuple[str, ...]
    keep: bool = False
    cause: str = ""
    by: Origin | None = None


class NodeReused(Event, frozen=True, omit_defaults=True, tag="node_reused"):
    """The node did not run again: its input, code and definition are those of its last success."""

    node: str
    dead: tuple[int, ...] = ()
    broken: dict[int, str] = {}


class ItemsExpanded(Event, frozen=True, omit_defaults=True, tag="items_expanded"):
    """A foreach node has its list; each element is a node of its own."""

    node: str
    items: msgspec.Raw = NULL
    blob: Blob | None = None
    count: int = 0


class ItemsCollected(Event, frozen=True, omit_defaults=True, tag="items_collected"):
    """Every item is resolved; the list of their outputs is the node's output."""

    node: str
    output: msgspec.Raw = NULL
    blob: Blob | None = None
    failed: int = 0
    dead: tuple[int, ...] = ()
    broken: dict[int, str] = {}
    held: bool = False


class BreakpointSet(Event, frozen=True, omit_defaults=True, tag="breakpoint_set"):
    node: str
    on: Literal["before", "after", "failure"] = "before"
    when: str | None = None
    by: Origin | None = None


class BreakpointCleared(Event, frozen=True, omit_defaults=True, tag="breakpoint_cleared"):
    node: str
    by: Origin | None = None


class BreakpointHit(Event, frozen=True, omit_defaults=True, tag="breakpoint_hit"):
    node: str
    on: Literal["before", "after", "failure"] = "before"


class SteppingChanged(Event, frozen=True, omit_defaults=True, tag="stepping_changed"):
    """Step mode or run-to-node was switched; ``allowed`` nodes may start in spite of the gates."""

    stepping: bool = False
    until: str | None = None
    allowed: tuple[str, ...] = ()
    by: Origin | None = None


# --------------------------------------------------------------------------- compensation


class CompensationStarted(Event, frozen=True, omit_defaults=True, tag="compensation_started"):
    """A numbered plan of undos, in the order they are carried out.

    Args:
        steps: node paths, first to be undone first.
        barrier: node at which the plan has to stop because it is irreversible, None if there is none.
        failed: the node whose failure is the cause, None when asked for by hand.
        final: whether the run ends when the plan is done.
        deadline: time after which no further undo starts by itself.
    """

    steps: tuple[str, ...]
    barrier: str | None = None
    failed: str | None = None
    final: bool = True
    deadline: float | None = None
    by: Origin | None = None


class CompensationStalled(Event, frozen=True, omit_defaults=True, tag="compensation_stalled"):
    """The time limit of the compensation is over; what is left waits for a person."""


class CompensationFinished(Event, frozen=True, omit_defaults=True, tag="compensation_finished"):
    complete: bool = True
    message: str = ""


AnyEvent: TypeAlias = (
    RunStarted
    | RunPaused
    | RunResumed
    | RunCancelRequested
    | RunTimedOut
    | RunFailing
    | RunFinished
    | RunReopened
    | RunRevised
    | CodeAdopted
    | AttemptStarted
    | ChildSpawned
    | AttemptSucceeded
    | AttemptFailed
    | FallbackUsed
    | FallbackStarted
    | AttemptCancelled
    | AttemptInterrupted
    | AttemptDoubted
    | AttemptStopRequested
    | ResultIgnored
    | NodeSkipped
    | NodeCancelled
    | NodeFailed
    | FailureDisposed
    | RetryRequested
    | NodeHeld
    | NodeReleased
    | NodeMarked
    | InputOverridden
    | OutputOverridden
    | NodesStaled
    | NodesReset
    | NodeReused
    | ItemsExpanded
    | ItemsCollected
    | BreakpointSet
    | BreakpointCleared
    | BreakpointHit
    | SteppingChanged
    | CompensationStarted
    | CompensationStalled
    | CompensationFinished
)


class Record(msgspec.Struct, frozen=True):
    """An event in its place: position in the whole history, run, and time.

    Args:
        position: gapless number over all runs of a state folder, counted from 1.
        run: short number of the run.
        at: seconds since the epoch, from the command that caused it.
    """

    position: int
    run: int
    at: float
    event: AnyEvent
