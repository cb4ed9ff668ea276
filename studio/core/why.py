"""Why a node is as it is: rules, edges, gates, limits and people, in sentences."""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from studio.core.events import Origin
from studio.core.gates import gate_of
from studio.core.joins import verdict_in
from studio.core.plan import PlanEdge
from studio.core.resilience.compensation import first_undone, given_up, may_undo, next_step
from studio.core.state import (
    BROKEN,
    DEAD,
    TAKEN,
    UNRESOLVED,
    EngineState,
    Flight,
    NodeState,
    RunState,
)
from studio.core.transitions import EFFECTIVE

ReasonKind = Literal[
    "edge",
    "gate",
    "limit",
    "lock",
    "timer",
    "person",
    "running",
    "skipped",
    "cancelled",
    "failed",
    "succeeded",
    "reused",
    "again",
    "stale",
    "undo",
]


class Reason(NamedTuple):
    """One reason.

    Args:
        kind: what sort of reason it is.
        text: one sentence for people, without its full stop.
        node: the other node it is about, None when it is about the node itself or the run.
        at: the moment it is about, seconds since the epoch; None when there is none.
    """

    kind: ReasonKind
    text: str
    node: str | None = None
    at: float | None = None


def explain(
    state: EngineState,
    run: RunState,
    path: str,
    now: float | None = None,
    *,
    driven: bool = True,
) -> list[Reason]:
    """Why a node is in its state and what would get it on, the most telling reason first.

    Args:
        state: all runs in memory; only read.
        run: the run the node belongs to.
        path: path of a node or item.
        now: seconds since the epoch, to tell how long something has lasted; None leaves durations out.
        driven: whether an engine drives the run; without one nothing goes on by itself.

    Raises:
        KeyError: the run has no such node.
    """
    node = run.nodes[path]
    left = None if driven else _left_behind(state, run, node)
    found = [left] if left is not None else []
    if left is None or not _in_flight(state, run, node):
        found += _by_status(state, run, node, now)
    found += _marks(state, node)
    return found


def _by_status(
    state: EngineState, run: RunState, node: NodeState, now: float | None
) -> Iterator[Reason]:
    status = node.status
    if next_step(run) is node:
        if may_undo(run, node):
            yield from _next_undo(state, run, node, now)
        elif run.compensation is not None and run.compensation.expired:
            text = (
                f"the time limit of the compensation is over, and {node.path} is not undone;"
                f" `studio compensate {run.number}` goes on with it"
            )
            yield Reason("person", text)
    if status in ("blocked", "ready", "held"):
        yield from _not_started(state, run, node, now)
    elif status == "running":
        yield from _running(run, node, now)
    elif status in ("waiting", "backing_off"):
        yield _timer(run, node, now)
    elif status in ("skipped", "cancelled"):
        yield _unwanted(run, node)
    elif status in ("failed", "in_doubt"):
        yield _failed(run, node)
    elif status in EFFECTIVE:
        yield from _succeeded(node)
    else:
        yield _undo(run, node)


def _in_flight(state: EngineState, run: RunState, node: NodeState) -> bool:
    undo = node.status == "compensating"
    attempt = node.undo_attempt if undo else node.attempt
    return Flight(run.number, node.path, undo, attempt) in state.flow.in_flight


GOES_ON = frozenset({"ready", "running", "waiting", "backing_off", "compensating"})
"""States that an engine ends by itself."""


def _left_behind(state: EngineState, run: RunState, node: NodeState) -> Reason | None:
    """What nobody drives on, although it would go on by itself."""
    if run.ended or run.paused or node.status not in GOES_ON:
        return None
    remedy = f"`studio resume {run.number}` goes on with the run"
    if not _in_flight(state, run, node):
        return Reason("gate", f"nobody drives run {run.number}; {remedy}")
    undo = node.status == "compensating"
    what = f"the undo of {node.path}" if undo else f"attempt {node.attempt} of {node.path}"
    text = f"{what} was under way when the engine of run {run.number} ended; {remedy}"
    return Reason("gate", text, at=node.started_at)


def _by(origin: Origin | None) -> str:
    if origin is None or not origin.actor:
        return ""
    return f" by {origin.actor}" + (f" ({origin.reason})" if origin.reason else "")


def _span(now: float | None, since: float | None, lead: str) -> str:
    if now is None or since is None:
        return ""
    return f" {lead} {max(0.0, now - since):.0f} s"


# --------------------------------------------------------------------------- before the start


def _not_started(
    state: EngineState, run: RunState, node: NodeState, now: float | None
) -> Iterator[Reason]:
    if run.ended:
        yield Reason("gate", f"{node.path} has not run: run {run.number} has ended ({run.phase})")
        return
    if node.archived:
        yield Reason("gate", f"{node.path} is no longer part of {run.plan.workflow.name}")
        return
    if node.parent is not None and node.status == "blocked":
        yield _waits_for_place(node.parent, node)
        return
    if node.status == "blocked" and verdict_in(run, node) == "wait":
        yield from _open_edges(run, node)
    gate = _gate(run, node)
    if gate is not None:
        yield gate
    elif node.status == "ready":
        yield from _limits(state, run, node, now)


def _waits_for_place(parent: NodeState, item: NodeState) -> Reason:
    items = parent.items
    active = items.active if items is not None else 0
    text = f"{item.path} waits for a place: max_parallel of {parent.path} lets {active} items run at a time"
    return Reason("limit", text, parent.path)


def _open_edges(run: RunState, node: NodeState) -> Iterator[Reason]:
    for edge in node.plan.incoming:
        undone = first_undone(run, [edge.source])
        if node.edges is None or (node.edges[edge.slot] != UNRESOLVED and undone is None):
            continue
        source = run.nodes[edge.source]
        text = f"{node.path} waits for {edge.source}{_wanted(edge)}, which {_shown(source)}"
        if undone is not None:
            which = "which" if undone == edge.source else f"and {undone}"
            text = (
                f"{node.path} waits for {edge.source}, {which} {_how_undone(run.nodes[undone])};"
                f" `studio rerun {run.number} --from {edge.source}` runs it again"
            )
        yield Reason("edge", text, edge.source)


def _how_undone(node: NodeState) -> str:
    if node.status == "compensated":
        return "was undone"
    return "has an undo that was given up" if given_up(node) else "has an undo that failed"


def _wanted(edge: PlanEdge) -> str:
    port = f", port {edge.port}" if edge.port else ""
    return f" (on {edge.on}{port})" if edge.on != "success" or port else ""


def _shown(node: NodeState) -> str:
    if node.status == "failed" and node.disposition == "held":
        return "has failed and waits for a person"
    if node.status in EFFECTIVE and node.gate is not None:
        return "has succeeded and stopped at a breakpoint"
    return f"is {node.status}"


def _gate(run: RunState, node: NodeState) -> Reason | None:
    kind = gate_of(run, node) if node.gate is None else node.gate
    if kind is None:
        return None
    texts = {
        "hold": f"{node.path} is held{_by(node.by)}; `release` lets it go on",
        "breakpoint": f"{node.path} stopped at its breakpoint; `continue` lets it go on",
        "pause": f"run {run.number} is paused{_by(run.paused_by)}; `resume` lets it go on",
        "until": f"run {run.number} goes only as far as {run.until}; `continue` goes further",
        "step": f"run {run.number} is in step mode; `step` starts {node.path}",
        "compensation": f"run {run.number} is being undone; nothing else starts meanwhile",
    }
    return Reason("gate", texts.get(kind, f"{node.path} is stopped ({kind})"))


def _next_undo(
    state: EngineState, run: RunState, node: NodeState, now: float | None
) -> Iterator[Reason]:
    """What keeps the next step of a compensation, which nothing in its own run keeps."""
    limits = list(_limits(state, run, node, now))
    # What a reader replays is one run; it does not see what others hold.
    turn = (
        f"the undo of {node.path} waits for its turn: a limit or a lock that runs share is used up"
    )
    yield from limits or [Reason("limit", turn)]


def _limits(
    state: EngineState, run: RunState, node: NodeState, now: float | None
) -> Iterator[Reason]:
    flow = state.flow
    waiting = node.path if node.status == "ready" else f"the undo of {node.path}"
    for name in node.plan.node.locks:
        holder = flow.holders.get(name)
        if holder is not None:
            owner = state.runs.get(holder.run)
            what = owner.plan.workflow.name if owner is not None else "unknown"
            held = owner.nodes.get(holder.node) if owner is not None else None
            since = held.started_at if held is not None else None
            undo = "the undo of " if holder.undo else ""
            text = (
                f'{waiting} waits for lock "{name}", held by run {holder.run} ({what}) '
                f"in {undo}{holder.node}{_span(now, since, 'for')}"
            )
            yield Reason("lock", text, holder.node, since)
            continue
        ahead = [
            entry for entry in flow.waiters.get(name, ()) if entry[1:] != (run.number, node.path)
        ]
        if ahead and ahead[0] < (node.age, run.number, node.path):
            text = f'{waiting} waits for lock "{name}": run {ahead[0][1]} {ahead[0][2]} is next in line'
            yield Reason("lock", text, ahead[0][2])
    limit = run.plan.workflow.limits.max_concurrency
    mine = [flight.node for flight in flow.in_flight if flight.run == run.number]
    if limit is not None and len(mine) >= limit:
        text = f"{waiting} waits for a place: {', '.join(mine[:4])} run, and max_concurrency is {limit}"
        yield Reason("limit", text, mine[0] if mine else None)
    if flow.max_concurrency is not None and len(flow.in_flight) >= flow.max_concurrency:
        text = (
            f"{waiting} waits for a place: the engine runs {flow.max_concurrency} nodes at a time"
        )
        yield Reason("limit", text)


# --------------------------------------------------------------------------- under way


def _running(run: RunState, node: NodeState, now: float | None) -> Iterator[Reason]:
    if node.items is not None:
        left = node.items.left
        yield Reason("running", f"{node.path} waits for {left} of its {node.items.count} items")
        for index in range(node.items.count):
            item = run.nodes[f"{node.path}[{index}]"]
            if item.status == "in_doubt" or item.disposition == "held":
                yield Reason("person", f"{item.path} {_shown(item)}", item.path)
        return
    lasted = _span(now, node.started_at, "for")
    yield Reason(
        "running", f"{node.path} runs its attempt {node.attempt}{lasted}", at=node.started_at
    )
    if node.stopping:
        causes = {
            "timeout": "its time limit is over",
            "operator": f"it was cancelled{_by(node.by)}",
            "run": run.message or "the run ends",
            "loser": "another branch was faster",
        }
        yield Reason("running", f"{node.path} is being stopped: {causes[node.stopping]}")


def _timer(run: RunState, node: NodeState, now: float | None) -> Reason:
    at = node.retry_at if node.retry_at is not None else node.wake
    left = "" if now is None or at is None else f" in {max(0.0, at - now):.0f} s"
    if run.paused and node.retry_at is not None:
        left = " once the run is resumed"
    if node.status == "backing_off" and node.failure is not None:
        what = f"{node.failure.type}: {node.failure.message}"
        text = f"attempt {node.attempt} of {node.path} failed ({what}); the next one starts{left}"
        return Reason("timer", text, at=at)
    if node.wake is not None:
        return Reason("timer", f"{node.path} waits; it goes on{left}", at=at)
    return Reason(
        "timer", f"{node.path} is not done; iteration {node.iteration + 1} starts{left}", at=at
    )


# --------------------------------------------------------------------------- over


def _unwanted(run: RunState, node: NodeState) -> Reason:
    kind: Literal["skipped", "cancelled"] = "skipped" if node.status == "skipped" else "cancelled"
    by_hand = "marked" in node.marks or node.by is not None
    source = _dead_source(node) if not by_hand else None
    cause = node.cause
    if by_hand:
        cause = cause or f"by hand{_by(node.by)}"
    return Reason(kind, f"{node.path} was {kind}: {cause or 'no reason was recorded'}", source)


def _dead_source(node: NodeState) -> str | None:
    for edge in node.plan.incoming:
        if node.edges is not None and node.edges[edge.slot] in (DEAD, BROKEN):
            return edge.source
    return None


FATES = {
    "held": "it waits for a person: retry it, mark it, or give it up",
    "handling": "its failure edge was taken; the outcome of {handlers} decides",
    "handled": "{handlers} handled it, so the run does not fail",
    "fallback": "its fallback is tried{instead}",
    "deferred": "it was to stand in for another node, whose failure decides",
    "tolerated": "it is not critical, so the run goes on, degraded",
    "continued": "the policy `continue` lets the run go on; it will end as failed",
    "failed": "the policy `fail` makes the run fail",
    "ignored": "it is ignored by hand, so the run does not fail",
}


def _failed(run: RunState, node: NodeState) -> Reason:
    if node.status == "in_doubt":
        text = f"{node.path} may have acted: {node.cause}; `mark` says what happened"
        return Reason("person", text)
    failure = node.failure
    what = f"{failure.type}: {failure.message}" if failure is not None else "given up by hand"
    handlers = [
        edge.target
        for edge in node.plan.outgoing
        if edge.handles and _is_taken(run.nodes[edge.target], edge)
    ]
    edge = node.plan.stand_in_edge
    fate = FATES.get(node.disposition, "").format(
        handlers=", ".join(handlers) or "its handler",
        instead=f": {edge.target} is to stand in" if edge is not None else "",
    )
    if node.gate == "breakpoint":
        fate = "it stopped at its breakpoint; `continue` lets the policy decide"
    if node.parent is not None and node.disposition == "continued":
        fate = f"on_item_failure of {node.parent.path} is {node.plan.node.on_item_failure}"
    kind: ReasonKind = "person" if node.disposition == "held" else "failed"
    if edge is not None and node.disposition == "fallback":
        handlers = [edge.target]
    other = handlers[0] if handlers else None
    return Reason(kind, f"{node.path} failed ({what}); {fate}", other)


def _is_taken(target: NodeState, edge: PlanEdge) -> bool:
    return target.edges is not None and target.edges[edge.slot] == TAKEN


def _succeeded(node: NodeState) -> Iterator[Reason]:
    if node.gate is not None:
        yield Reason("gate", f"{node.path} stopped at its breakpoint after it succeeded")
    if node.status == "reused":
        text = f"{node.path} did not run again: its input is that of attempt {node.attempt}"
        yield Reason("reused", text)
    elif "marked" in node.marks:
        yield Reason("succeeded", f"{node.path} was marked succeeded by hand{_by(node.by)}")
    elif node.items is not None:
        yield Reason("succeeded", f"all {node.items.count} items of {node.path} are resolved")
    elif "degraded" in node.marks:
        yield _degraded(node)
    else:
        yield Reason("succeeded", f"attempt {node.attempt} of {node.path} succeeded")


def _degraded(node: NodeState) -> Reason:
    """A node that has the result of its fallback."""
    tried = f"attempt {node.attempt} of {node.path}"
    failure = node.failure
    if failure is None:  # the fallback is a definition of its own, and that attempt ran it
        return Reason("succeeded", f"{tried} was one at its fallback, and succeeded")
    edge = node.plan.stand_in_edge
    instead = edge.target if edge is not None else "its fallback"
    text = f"{tried} failed ({failure.type}: {failure.message}); {instead} stands in"
    return Reason("failed", text, edge.target if edge is not None else None)


def _undo(run: RunState, node: NodeState) -> Reason:
    if node.status == "compensated":
        how = "its undo was set by hand" if "marked" in node.marks else "its undo succeeded"
        return Reason("undo", f"{node.path} was undone: {how}")
    if node.status == "compensation_failed":
        failure = node.failure
        what = f"{failure.type}: {failure.message}" if failure is not None else node.cause
        if given_up(node):
            text = (
                f"the undo of {node.path} failed ({what}) and was given up{_by(node.by)}: its effect stands;"
                f" `studio compensate {run.number} {node.path}` tries it again"
            )
            return Reason("undo", text)
        again = "`retry` tries it again"
        if run.compensation is None:
            again = f"`studio compensate {run.number} {node.path}` tries it again"
        return Reason(
            "person", f"the undo of {node.path} failed ({what}); {again}, `mark` goes past it"
        )
    cause = f" because {run.failing_node} failed" if run.failing_node else ""
    return Reason("undo", f"{node.path} is being undone{cause}", run.failing_node or None)


def _marks(state: EngineState, node: NodeState) -> Iterator[Reason]:
    if node.generation > 1 and node.cause and node.status not in ("skipped", "cancelled"):
        yield Reason("again", f"{node.path} runs as generation {node.generation}: {node.cause}")
    if "stale" in node.marks and node.staled_position:
        event = state.event(node.staled_position)
        yield Reason(
            "stale", f"{node.path} is stale: {event.cause or 'what it ran with has changed'}"
        )
    if "overridden" in node.marks and node.override_input:
        event = state.event(node.override_input)
        yield Reason("person", f"the input of {node.path} is overridden{_by(event.by)}")
    if "overridden output" in node.marks:
        yield Reason("person", f"the output of {node.path} is overridden")
