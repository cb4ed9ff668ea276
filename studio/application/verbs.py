"""The verbs about a run as values: what a front end hands to `studio.application.studio.Studio.send`."""

import os
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from studio.core import commands
from studio.core.commands import AnyCommand, Refusal
from studio.errors import DefinitionError
from studio.loading.document import SyntaxProblem
from studio.loading.json_reader import read_json

__all__ = [
    "AnyCommand",
    "Refusal",
    "cancel",
    "clear_breakpoint",
    "compensate",
    "go_on",
    "hold",
    "mark",
    "new_id",
    "override_input",
    "override_output",
    "parse_json",
    "pause",
    "release",
    "rerun",
    "resume",
    "retry",
    "set_breakpoint",
    "step",
]

Outcome = Literal["succeeded", "skipped", "ignored", "failed"]
Moment = Literal["before", "after", "failure"]


def new_id() -> str:
    """A client id: the same command sent twice under it acts once."""
    return os.urandom(16).hex()


def parse_json(text: str, what: str) -> Any:
    """A JSON value typed by a person.

    Args:
        text: what they typed.
        what: what it is for, named in messages.

    Raises:
        DefinitionError: it is not JSON.
    """
    if not text.strip():
        raise DefinitionError(f"{what} is empty; give a JSON value, null for none")
    try:
        return read_json(text, what).data
    except SyntaxProblem as problem:
        raise DefinitionError(
            f"{what} is not JSON: {problem.message} (line {problem.line}, column {problem.column})"
        ) from None


def _raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


def pause(run: int, *, reason: str = "") -> AnyCommand:
    """Nothing of the run starts any more; what runs finishes."""
    return commands.PauseRun(run=run, id=new_id(), reason=reason)


def resume(run: int, *, reason: str = "") -> AnyCommand:
    """Leave a pause; a run whose engine died is taken up."""
    return commands.ResumeRun(run=run, id=new_id(), reason=reason)


def cancel(run: int, node: str | None = None, *, reason: str = "") -> AnyCommand:
    """End the run, or one node of it."""
    if node is None:
        return commands.CancelRun(run=run, id=new_id(), reason=reason)
    return commands.CancelNode(run=run, node=node, id=new_id(), reason=reason)


def hold(run: int, node: str, *, reason: str = "") -> AnyCommand:
    """Close the gate before a node's start and its next retry."""
    return commands.HoldNode(run=run, node=node, id=new_id(), reason=reason)


def release(run: int, node: str, *, reason: str = "") -> AnyCommand:
    """Open the gate of a held node, or leave the breakpoint it stopped at."""
    return commands.ReleaseNode(run=run, node=node, id=new_id(), reason=reason)


def retry(
    run: int,
    node: str,
    *,
    downstream: bool = False,
    input: tuple[Any] | None = None,
    reason: str = "",
) -> AnyCommand:
    """A new attempt of a node now.

    Args:
        downstream: run what follows it again too where its input differs.
        input: an input to override the computed one with, in a tuple of one; None overrides nothing.
    """
    return commands.RetryNode(
        run=run,
        node=node,
        downstream=downstream,
        input=input[0] if input is not None else None,
        has_input=input is not None,
        id=new_id(),
        reason=reason,
    )


def mark(
    run: int, node: str, outcome: Outcome, *, output: Any = None, port: str = "", reason: str = ""
) -> AnyCommand:
    """Set the outcome of a node by hand, with an output and port for ``succeeded``."""
    return commands.MarkNode(
        run=run,
        node=node,
        outcome=outcome,
        output=_raw(output),
        port=port,
        id=new_id(),
        reason=reason,
    )


def override_input(
    run: int, node: str, value: tuple[Any] | None, *, reason: str = ""
) -> AnyCommand:
    """Set the input of a node's next attempt (a tuple of one), or with None drop the override."""
    return commands.OverrideInput(
        run=run,
        node=node,
        input=value[0] if value is not None else None,
        revert=value is None,
        id=new_id(),
        reason=reason,
    )


def override_output(
    run: int, node: str, value: tuple[Any] | None, *, reason: str = ""
) -> AnyCommand:
    """Replace the output of a finished node (a tuple of one), or with None put its own back."""
    return commands.OverrideOutput(
        run=run,
        node=node,
        output=_raw(value[0] if value is not None else None),
        revert=value is None,
        id=new_id(),
        reason=reason,
    )


def compensate(
    run: int,
    nodes: Sequence[str] = (),
    *,
    downstream: bool = False,
    force: bool = False,
    reason: str = "",
) -> AnyCommand:
    """Undo the run, or some of its nodes (and what follows them)."""
    return commands.Compensate(
        run=run, nodes=tuple(nodes), downstream=downstream, force=force, id=new_id(), reason=reason
    )


def rerun(run: int, start: str | None = None, *, reason: str = "") -> AnyCommand:
    """Run stale nodes again, or everything from a node on."""
    return commands.Rerun(run=run, start=start, id=new_id(), reason=reason)


def set_breakpoint(
    run: int, node: str, *, on: Moment = "before", when: str | None = None, reason: str = ""
) -> AnyCommand:
    """Stop at a node before or after it runs, or when it fails, if a condition holds."""
    return commands.SetBreakpoint(run=run, node=node, on=on, when=when, id=new_id(), reason=reason)


def clear_breakpoint(run: int, node: str, *, reason: str = "") -> AnyCommand:
    """Take a breakpoint away."""
    return commands.ClearBreakpoint(run=run, node=node, id=new_id(), reason=reason)


def step(
    run: int,
    node: str | None = None,
    *,
    wave: bool = False,
    until: str | None = None,
    reason: str = "",
) -> AnyCommand:
    """Let one ready node start, all that are ready (``wave``), or run to a node (``until``)."""
    return commands.Step(run=run, node=node, wave=wave, until=until, id=new_id(), reason=reason)


def go_on(run: int, node: str | None = None, *, reason: str = "") -> AnyCommand:
    """Leave a breakpoint (of one node, or all), step mode and run-to-node."""
    return commands.Continue(run=run, node=node, id=new_id(), reason=reason)
