"""Commands: requests in the imperative, from a person, the clock or an executor.

Tagged structs, so that a command travels over the control socket as the JSON it is.
"""

from typing import Any, Literal, TypeAlias

import msgspec

from studio.core.events import NULL
from studio.model.failure import Failure

Json: TypeAlias = Any


class Command(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="command", kw_only=True):
    """Base of all commands.

    Args:
        run: short number of the run it is about; 0 for a run that does not exist yet.
        id: client id; the same id sent twice acts once. Empty for the clock and executors.
        actor: who asks, as recorded in the history.
        reason: why, in their words.
    """

    run: int = 0
    id: str = ""
    actor: str = ""
    reason: str = ""


# --------------------------------------------------------------------------- runs


class StartRun(Command, frozen=True, omit_defaults=True, kw_only=True, tag="start_run"):
    run_id: str
    version: str
    file: str = ""
    folder: str = ""
    params: dict[str, Json] = {}
    policy: Literal["hold", "fail", "continue"] = "fail"
    surface: Literal["screen", "headless"] = "headless"
    until: str | None = None
    stepping: bool = False
    pin: str = ""
    env: dict[str, str] = {}


class PauseRun(Command, frozen=True, omit_defaults=True, kw_only=True, tag="pause_run"):
    pass


class ResumeRun(Command, frozen=True, omit_defaults=True, kw_only=True, tag="resume_run"):
    pass


class CancelRun(Command, frozen=True, omit_defaults=True, kw_only=True, tag="cancel_run"):
    pass


class Compensate(Command, frozen=True, omit_defaults=True, kw_only=True, tag="compensate"):
    """Undo the run, or the named nodes (and what follows them with ``downstream``)."""

    nodes: tuple[str, ...] = ()
    downstream: bool = False
    force: bool = False


class Rerun(Command, frozen=True, omit_defaults=True, kw_only=True, tag="rerun"):
    """Run stale nodes again, or everything from a node on."""

    start: str | None = None


class Revise(Command, frozen=True, omit_defaults=True, kw_only=True, tag="revise"):
    """Adopt another definition into the run.

    ``code`` names nodes whose code changed, with the function; their definition may be the same. ``pin`` is the
    address of the code that comes with it; without one the run keeps the code it has. Without ``restart`` nothing runs
    again by itself: what is done and changed becomes stale.
    """

    version: str
    code: dict[str, str] = {}
    pin: str = ""
    restart: bool = True


class Step(Command, frozen=True, omit_defaults=True, kw_only=True, tag="step"):
    """Let one ready node start, or the whole wave, or run to a node."""

    node: str | None = None
    wave: bool = False
    until: str | None = None


class Continue(Command, frozen=True, omit_defaults=True, kw_only=True, tag="continue"):
    """Leave a breakpoint (``node``), or step mode and run-to-node."""

    node: str | None = None


# --------------------------------------------------------------------------- nodes


class NodeCommand(Command, frozen=True, omit_defaults=True, kw_only=True):
    """Base of the commands about one node."""

    node: str


class CancelNode(NodeCommand, frozen=True, omit_defaults=True, kw_only=True, tag="cancel_node"):
    pass


class HoldNode(NodeCommand, frozen=True, omit_defaults=True, kw_only=True, tag="hold_node"):
    pass


class ReleaseNode(NodeCommand, frozen=True, omit_defaults=True, kw_only=True, tag="release_node"):
    pass


class RetryNode(NodeCommand, frozen=True, omit_defaults=True, kw_only=True, tag="retry_node"):
    """``input`` is an override set along with the retry; ``has_input`` tells null from absent."""

    downstream: bool = False
    input: Json = None
    has_input: bool = False


class MarkNode(NodeCommand, frozen=True, omit_defaults=True, kw_only=True, tag="mark_node"):
    outcome: Literal["succeeded", "skipped", "ignored", "failed"]
    output: msgspec.Raw = NULL
    port: str = ""


class OverrideInput(
    NodeCommand, frozen=True, omit_defaults=True, kw_only=True, tag="override_input"
):
    input: Json = None
    revert: bool = False


class OverrideOutput(
    NodeCommand, frozen=True, omit_defaults=True, kw_only=True, tag="override_output"
):
    output: msgspec.Raw = NULL
    revert: bool = False


class SetBreakpoint(
    NodeCommand, frozen=True, omit_defaults=True, kw_only=True, tag="set_breakpoint"
):
    on: Literal["before", "after", "failure"] = "before"
    when: str | None = None


class ClearBreakpoint(
    NodeCommand, frozen=True, omit_defaults=True, kw_only=True, tag="clear_breakpoint"
):
    pass


# --------------------------------------------------------------------------- executors


class RecordSpawn(NodeCommand, frozen=True, omit_defaults=True, kw_only=True, tag="record_spawn"):
    attempt: int
    undo: bool = False
    pid: int = 0
    started: int = 0


class FinishAttempt(
    NodeCommand, frozen=True, omit_defaults=True, kw_only=True, tag="finish_attempt"
):
    """How an attempt ended.

    Args:
        outcome: ``succeeded``, ``failed``, ``stopped`` (ended on request), ``vanished`` (the child died
            without a result) or ``lost`` (its engine died, and no result was found).
    """

    attempt: int
    undo: bool = False
    outcome: Literal["succeeded", "failed", "stopped", "vanished", "lost"] = "succeeded"
    output: msgspec.Raw = NULL
    port: str = ""
    failure: Failure | None = None
    detail: str = ""


# --------------------------------------------------------------------------- the clock


class FireTimer(Command, frozen=True, omit_defaults=True, kw_only=True, tag="fire_timer"):
    """A moment the state had asked to be told of has come."""

    kind: Literal["retry", "wake", "deadline", "run", "compensation"]
    node: str = ""
    undo: bool = False


AnyCommand: TypeAlias = (
    StartRun
    | PauseRun
    | ResumeRun
    | CancelRun
    | Compensate
    | Rerun
    | Revise
    | Step
    | Continue
    | CancelNode
    | HoldNode
    | ReleaseNode
    | RetryNode
    | MarkNode
    | OverrideInput
    | OverrideOutput
    | SetBreakpoint
    | ClearBreakpoint
    | RecordSpawn
    | FinishAttempt
    | FireTimer
)


class Refusal(msgspec.Struct, frozen=True):
    """Why a command does not apply, and what would make it possible.

    Args:
        unknown: it names a node that is not there.
    """

    why: str
    hint: str = ""
    unknown: bool = False

    def __str__(self) -> str:
        return f"{self.why}. {self.hint}" if self.hint else self.why
