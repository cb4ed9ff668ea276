"""The names an expression sees, as lazy views over the state: nothing is decoded that is not read."""

from collections.abc import Iterator, Mapping
from typing import Any

from studio.core.plan import item_path
from studio.core.state import EngineState, NodeState, RunState
from studio.core.transitions import EFFECTIVE
from studio.model.durations import format_moment
from studio.model.failure import Failure

_NONE: Mapping[str, dict[str, Any]] = {}
_NODE_KEYS = ("output", "state", "error", "attempts")


class NodeView(Mapping[str, Any]):
    """``nodes.ID`` in an expression."""

    __slots__ = ("_node", "_state")

    def __init__(self, state: EngineState, node: NodeState) -> None:
        self._state = state
        self._node = node

    def __getitem__(self, key: str) -> Any:
        node = self._node
        if key == "output":
            return self._state.decode(node.output) if node.status in EFFECTIVE else None
        if key == "state":
            return node.status
        if key == "attempts":
            return node.attempt
        if key == "error":
            return describe_error(node)
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return iter(_NODE_KEYS)

    def __len__(self) -> int:
        return len(_NODE_KEYS)


class NodesView(Mapping[str, Mapping[str, Any]]):
    """``nodes`` in an expression.

    Args:
        finished: what a node is about to be by the facts under way, which are not folded yet.
    """

    __slots__ = ("_finished", "_run", "_state")

    def __init__(
        self, state: EngineState, run: RunState, finished: Mapping[str, dict[str, Any]] = _NONE
    ) -> None:
        self._state = state
        self._run = run
        self._finished = finished

    def __getitem__(self, key: str) -> Mapping[str, Any]:
        found = self._finished.get(key)
        if found is not None:
            return found
        return NodeView(self._state, self._run.nodes[key])

    def __iter__(self) -> Iterator[str]:
        return iter(self._run.plan.nodes)

    def __len__(self) -> int:
        return len(self._run.plan.nodes)


def describe_error(node: NodeState) -> dict[str, Any] | None:
    """The failure of a node as expressions and documents show it, None when it has none."""
    failure = node.failure
    if failure is None or node.status in EFFECTIVE:
        return None
    return _error(failure)


def _error(failure: Failure) -> dict[str, Any]:
    return {"type": failure.type, "message": failure.message, "category": failure.category}


def run_scope(state: EngineState, run: RunState) -> dict[str, Any]:
    """Names that every expression of a run sees."""
    return {
        "params": run.params,
        "nodes": NodesView(state, run),
        "run": {"id": run.run_id, "started_at": format_moment(run.started_at)},
        "env": {**run.env, **run.plan.workflow.env} if run.env else run.plan.workflow.env,
    }


def node_scope(state: EngineState, run: RunState, node: NodeState) -> dict[str, Any]:
    """Names that a node's own expressions see: an item also sees ``item`` and ``index``."""
    scope = run_scope(state, run)
    if node.parent is not None and node.parent.items is not None:
        scope["item"] = state.decode(node.parent.items.values)[node.index]
        scope["index"] = node.index
    if node.standing_in:
        scope["error"] = describe_error(node)
    return scope


def edge_scope(
    state: EngineState, run: RunState, output: Any, node: NodeState, failure: Failure | None
) -> dict[str, Any]:
    """Names that an edge's condition sees: ``output`` is the source's output, and ``nodes`` has it finished.

    Args:
        output: the output of the source.
        node: the source; the fact that it has finished is only about to be written.
        failure: why it failed, None when it has succeeded.
    """
    scope = run_scope(state, run)
    scope["output"] = output
    finished = {
        "output": output,
        "state": "succeeded" if failure is None else "failed",
        "error": _error(failure) if failure is not None else None,
        "attempts": node.attempt,
    }
    scope["nodes"] = NodesView(state, run, {node.path: finished})
    return scope


def undo_scope(state: EngineState, run: RunState, node: NodeState, given: Any) -> dict[str, Any]:
    """Names that a compensation's input sees: what the node was given and returned, and why all this is undone."""
    scope = node_scope(state, run, node)
    scope["output"] = state.decode(node.output)
    scope["input"] = given
    failed = failure_behind(run)
    scope["failed"] = scope["error"] = None
    if failed is not None:
        error = describe_error(failed)
        scope["error"] = error
        scope["failed"] = {
            "id": failed.path,
            "input": recorded_input(state, failed),
            "error": error,
            "attempts": failed.attempt,
        }
    plan = run.compensation
    by = plan.by if plan is not None else None
    scope["cause"] = {
        "kind": "failure" if by is None else "person",
        "message": run.message,
        "by": by.actor if by is not None else None,
        "reason": by.reason if by is not None else None,
    }
    scope["steps"] = list(plan.steps) if plan is not None else []
    return scope


def failure_behind(run: RunState) -> NodeState | None:
    """The node whose failure an undo answers to: the one the run failed at, else the first that has failed, if any."""
    known = run.nodes.get(run.failing_node)
    if known is not None:
        return known
    for path in run.plan.order:
        node = run.nodes[path]
        if node.status == "failed" and node.disposition in ("failed", "continued", "held"):
            return node
    return None


def recorded_input(state: EngineState, node: NodeState) -> Any:
    """The input of the node's last attempt that rendered one, None when it never ran."""
    if not node.input_position:
        return None
    return state.event(node.input_position).input


def items_of(run: RunState, node: NodeState) -> Iterator[NodeState]:
    """Item nodes of a foreach, in order."""
    if node.items is not None:
        for index in range(node.items.count):
            yield run.nodes[item_path(node.path, index)]
