"""What a node of a workflow is: its kind, its edges and its policies."""

from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from studio.model.bounds import Above, AtLeast
from studio.model.json_value import JsonValue
from studio.model.places import Place
from studio.model.policies import (
    Breakpoint,
    Fallback,
    Frozen,
    Isolation,
    Priority,
    Repeat,
    Retry,
    SideEffects,
)

Outcome = Literal["success", "failure", "any"]
"""Outcomes that an edge of a file may name."""

Join = Literal["all", "any", "first", "settled"]


class Edge(Frozen, frozen=True, kw_only=True):
    """An incoming connection of a node.

    Args:
        source: id of the node it comes from.
        on: outcome of the source with which it is taken; ``fallback`` when its target stands in for it.
        port: output port of the source it leaves from; None for every port.
        when: expression over the source's output (``output``), or None.
        handles: whether a taken failure edge whose target succeeds handles the failure.
        place: where it is written.
    """

    source: str
    on: Outcome | Literal["fallback"] = "success"
    port: str | None = None
    when: str | None = None
    handles: bool = True
    place: Place | None = None


class PythonSettings(Frozen, frozen=True, kw_only=True):
    """``uses: python``: either ``call`` (``module:function``) or ``code`` (the body of a function)."""

    uses: Literal["python"] = "python"
    call: str | None = None
    code: str | None = None


class ShellSettings(Frozen, frozen=True, kw_only=True):
    """``uses: shell``: a script, the folder it runs in, and how its output is read.

    ``run``, ``cwd`` and the values of ``env`` may hold templates, secrets only in ``env``.
    """

    uses: Literal["shell"] = "shell"
    run: str
    shell: str = "sh -e"
    cwd: str | None = None
    env: dict[str, str] = msgspec.field(default_factory=dict)
    output: Literal["text", "json", "lines"] | None = None


class NoopSettings(Frozen, frozen=True, kw_only=True):
    """``uses: noop``: passes its input on."""

    uses: Literal["noop"] = "noop"


class WaitSettings(Frozen, frozen=True, kw_only=True):
    """``uses: wait``: ``duration`` (authored ``for``, seconds or a template) or ``until`` (ISO time or template)."""

    uses: Literal["wait"] = "wait"
    duration: float | str | None = None
    until: str | None = None


class TransformSettings(Frozen, frozen=True, kw_only=True):
    """``uses: transform``: the steps of the kind, each an expression over ``item``, in their fixed order."""

    uses: Literal["transform"] = "transform"
    input: JsonValue = None
    filter: str | None = None
    map: dict[str, str] | str | None = None
    sort_by: str | None = None
    limit: Annotated[int, AtLeast(0)] | None = None
    group_by: str | None = None
    aggregate: dict[str, dict[str, str]] | None = None
    value: JsonValue = None
    has_value: bool = False
    batch_size: Annotated[int, AtLeast(1)] | None = None


class Case(Frozen, frozen=True, kw_only=True):
    """One way out of a branch: the port taken when the expression is true."""

    port: str
    when: str


class BranchSettings(Frozen, frozen=True, kw_only=True):
    """``uses: branch``: leaves by the port of the first case that matches, or by ``otherwise``."""

    uses: Literal["branch"] = "branch"
    cases: tuple[Case, ...]
    otherwise: str | None = None


KindSettings: TypeAlias = (
    PythonSettings
    | ShellSettings
    | NoopSettings
    | WaitSettings
    | TransformSettings
    | BranchSettings
)


UNDO_RETRY = Retry(strategy="fixed", max_attempts=3, initial_delay=1.0, jitter=0.0)


class Undo(Frozen, frozen=True, kw_only=True):
    """How a node is compensated: an inline node of its own kind, input, timeout and retries.

    ``input`` (authored ``with``) may use ``output``, ``input`` and ``error`` of the node it undoes.
    """

    kind: KindSettings
    input: JsonValue = msgspec.field(default_factory=dict)
    timeout: Annotated[float, Above(0)] = 60.0
    retry: Retry = UNDO_RETRY
    isolation: Isolation = "process"
    place: Place | None = None


class StandIn(Frozen, frozen=True, kw_only=True):
    """What is tried in place of a node whose attempts are used up: a small node of any kind (authored ``fallback``).

    ``input`` (authored ``with``) and the templates of the kind may use ``error`` beside what the node itself may.
    """

    kind: KindSettings
    input: JsonValue = msgspec.field(default_factory=dict)
    timeout: Annotated[float, Above(0)] | None = None
    retry: Retry | None = None
    isolation: Isolation = "process"
    place: Place | None = None


class StandInNode(Frozen, frozen=True, kw_only=True):
    """The node of the workflow that runs when the attempts of this one are used up, and gives it its output.

    That node has an edge from this one, ``on: fallback``, which no file can write.
    """

    node: str


class Node(Frozen, frozen=True, kw_only=True):
    """One vertex of a workflow, as defined.

    Args:
        id: name of the node, unique in its workflow.
        kind: what it does, one settings class per ``uses``.
        input: authored ``with``: a JSON mapping whose strings may hold templates.
        needs: incoming edges.
        join: how the incoming edges combine.
        cancel_losers: with ``join: first``, whether the slower branches are stopped when it starts.
        when: expression checked after the join; false means skipped.
        foreach: a list, a template or an expression yielding one; each element is an item node.
        timeout: seconds allowed for one attempt; None for no bound.
        side_effects: resolved default of the kind where the author was silent.
        sensitive: names of output fields masked wherever they are shown.
        keys: place of each authored key of the node, for messages.
    """

    id: str
    kind: KindSettings
    name: str | None = None
    description: str | None = None
    group: str | None = None
    tags: tuple[str, ...] = ()
    input: JsonValue = msgspec.field(default_factory=dict)
    needs: tuple[Edge, ...] = ()
    join: Join = "all"
    cancel_losers: bool = False
    when: str | None = None
    foreach: JsonValue = None
    max_parallel: Annotated[int, AtLeast(1)] | None = None
    on_item_failure: Literal["fail", "continue", "hold"] = "fail"
    item_key: str | None = None
    repeat: Repeat | None = None
    timeout: Annotated[float, Above(0)] | None = None
    retry: Retry | None = None
    fallback: Fallback | StandIn | StandInNode | None = None
    compensate: Undo | None = None
    irreversible: bool = False
    side_effects: SideEffects = "none"
    isolation: Isolation = "process"
    priority: Priority = "normal"
    locks: tuple[str, ...] = ()
    critical: bool = True
    sensitive: tuple[str, ...] = ()
    breakpoint: Breakpoint | None = None
    place: Place | None = None
    keys: dict[str, Place] = msgspec.field(default_factory=dict)

    @property
    def uses(self) -> str:
        """Name of the node's kind."""
        return self.kind.uses

    @property
    def ports(self) -> tuple[str, ...]:
        """Named output ports of the node's kind; empty when it has only the unnamed one."""
        if isinstance(self.kind, BranchSettings):
            names: list[str] = [case.port for case in self.kind.cases]
            if self.kind.otherwise is not None:
                names.append(self.kind.otherwise)
            return tuple(dict.fromkeys(names))
        return ()

    def kinds(self) -> list[KindSettings]:
        """Everything an attempt of the node may carry out: what it does, what stands in for it, what undoes it."""
        found = [self.kind]
        if isinstance(self.fallback, StandIn):
            found.append(self.fallback.kind)
        if self.compensate is not None:
            found.append(self.compensate.kind)
        return found

    def canonical(self) -> dict[str, Any]:
        """The definition without places, in JSON types; what hashes and fingerprints are taken of."""
        body = self.deviations("place", "keys")
        body["kind"]["uses"] = self.uses
        if self.compensate is not None:
            body["compensate"]["kind"]["uses"] = self.compensate.kind.uses
        if isinstance(self.fallback, StandIn):
            body["fallback"]["kind"]["uses"] = self.fallback.kind.uses
        return body
