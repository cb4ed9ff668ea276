"""A workflow compiled for running: edges by index, expressions parsed once, orders computed once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from studio.ids import VersionHash
from studio.model.expressions import (
    CompiledValue,
    compile_value,
    parse_expression,
    parse_template,
)
from studio.model.json_value import JsonValue
from studio.model.nodes import (
    Edge,
    KindSettings,
    Node,
    ShellSettings,
    StandIn,
    TransformSettings,
    Undo,
    WaitSettings,
)
from studio.model.policies import Fallback
from studio.model.workflow import Workflow

if TYPE_CHECKING:
    from studio.model.expressions.expression import Expression

PRIORITIES = {"high": 0, "normal": 1, "low": 2}


class PlanEdge:
    """One edge, known from both ends.

    ``index`` is its place among the outgoing edges of its source, ``slot`` among the incoming edges of its
    target.
    """

    __slots__ = ("handles", "index", "on", "port", "slot", "source", "stands_in", "target", "when")

    def __init__(self, edge: Edge, target: str, index: int, slot: int) -> None:
        self.source = edge.source
        self.target = target
        self.on = edge.on
        self.port = edge.port
        self.when = parse_condition(edge.when)
        self.handles = edge.on == "failure" and edge.handles
        self.stands_in = edge.on == "fallback"
        self.index = index
        self.slot = slot

    def matches(self, outcome: str, port: str) -> bool:
        """Whether the edge is taken for an outcome and port, its condition aside."""
        if self.on not in ("any", outcome):
            return False
        return self.port is None or self.port == port


class PlanUndo:
    """How to undo a node, compiled."""

    __slots__ = ("definition", "input", "settings")

    def __init__(self, undo: Undo) -> None:
        self.definition = undo
        self.input = compile_value(undo.input)
        self.settings = compile_settings(undo.kind)


class PlanStandIn:
    """What is tried in place of a node, compiled."""

    __slots__ = ("definition", "input", "settings")

    def __init__(self, stand_in: StandIn) -> None:
        self.definition = stand_in
        self.input = None if stand_in.input in (None, {}) else compile_value(stand_in.input)
        self.settings = compile_settings(stand_in.kind)


class PlanNode:
    """One node, compiled. Items of a foreach share the compiled node of their parent."""

    __slots__ = (
        "expand",
        "fallback",
        "incoming",
        "input",
        "is_handler",
        "item_key",
        "losers",
        "loses_to",
        "node",
        "outgoing",
        "path",
        "plain",
        "priority",
        "rank",
        "repeat_until",
        "settings",
        "stand_in",
        "stand_in_edge",
        "undo",
        "when",
    )

    def __init__(self, node: Node, rank: int) -> None:
        self.path = node.id
        self.node = node
        self.rank = rank
        self.incoming: list[PlanEdge] = []
        self.outgoing: list[PlanEdge] = []
        self.plain = True
        self.is_handler = False
        self.losers: tuple[str, ...] = ()
        self.loses_to: tuple[str, ...] = ()
        self.when = parse_condition(node.when)
        self.input = None if node.input in (None, {}) else compile_value(node.input)
        self.settings = compile_settings(node.kind)
        self.expand = _compile_list(node.foreach)
        instead = node.fallback
        self.fallback = compile_value(instead.value) if isinstance(instead, Fallback) else None
        self.stand_in = PlanStandIn(instead) if isinstance(instead, StandIn) else None
        self.stand_in_edge: PlanEdge | None = None
        self.repeat_until = parse_condition(node.repeat.until if node.repeat else None)
        self.item_key = parse_condition(node.item_key)
        self.undo = PlanUndo(node.compensate) if node.compensate else None
        self.priority = PRIORITIES[node.priority]

    @property
    def definition(self) -> Node:
        """The definition, by the name that a stand-in has for its own."""
        return self.node

    def connect(self, edge: PlanEdge) -> None:
        """Add an outgoing edge; ``plain`` stays true while every edge only asks for success."""
        self.outgoing.append(edge)
        if edge.stands_in:
            self.stand_in_edge = edge
        if edge.when is not None or edge.port is not None or edge.on != "success":
            self.plain = False


class Plan:
    """A workflow ready to run.

    Args:
        workflow: a definition that passed all checks of ``loading``.

    Attributes:
        order: node paths so that every node follows its upstreams.
    """

    __slots__ = ("__weakref__", "nodes", "order", "outputs", "version", "workflow")

    def __init__(self, workflow: Workflow) -> None:
        self.workflow = workflow
        self.version: VersionHash = workflow.content_hash()
        self.order = _topological(workflow)
        self.nodes: dict[str, PlanNode] = {
            name: PlanNode(workflow.nodes[name], rank) for rank, name in enumerate(self.order)
        }
        for name in self.order:
            target = self.nodes[name]
            for slot, edge in enumerate(workflow.nodes[name].needs):
                source = self.nodes[edge.source]
                planned = PlanEdge(edge, name, len(source.outgoing), slot)
                source.connect(planned)
                target.incoming.append(planned)
                target.is_handler = target.is_handler or planned.handles or planned.stands_in
        self.outputs = compile_value(workflow.outputs) if workflow.outputs else None
        for name in self.order:
            node = workflow.nodes[name]
            if node.join == "first" and node.cancel_losers:
                self._name_losers(self.nodes[name])

    def _name_losers(self, winner: PlanNode) -> None:
        """Find the nodes all of whose paths lead into a race: once it is won, nobody needs them."""
        found = {winner.path}
        for name in reversed(self.ancestors([winner.path])):
            if all(edge.target in found for edge in self.nodes[name].outgoing):
                found.add(name)
                self.nodes[name].loses_to = (*self.nodes[name].loses_to, winner.path)
        winner.losers = tuple(name for name in self.order if name in found - {winner.path})

    def node(self, path: str) -> PlanNode:
        """The compiled node of a path, also of an item such as ``each[3]``. Raises KeyError."""
        found = self.nodes.get(path)
        return found if found is not None else self.nodes[base_path(path)]

    def knows(self, path: str) -> bool:
        """Whether the path names a node, or may name an item of one."""
        base = self.nodes.get(base_path(path))
        return path in self.nodes or (base is not None and base.expand is not None)

    def descendants(self, starts: Iterable[str]) -> list[str]:
        """Every node that follows one of ``starts``, in topological order, the starts excluded.

        A node that only an earlier definition had is followed by nothing.
        """
        seen: set[str] = set()
        known = [self.node(start) for start in starts if base_path(start) in self.nodes]
        stack = [edge.target for start in known for edge in start.outgoing]
        while stack:
            name = stack.pop()
            if name not in seen:
                seen.add(name)
                stack.extend(edge.target for edge in self.nodes[name].outgoing)
        return sorted(seen, key=self._rank)

    def ancestors(self, starts: Iterable[str]) -> list[str]:
        """Every node that precedes one of ``starts``, in topological order, the starts excluded.

        A node that only an earlier definition had is preceded by nothing.
        """
        seen: set[str] = set()
        known = [self.node(start) for start in starts if base_path(start) in self.nodes]
        stack = [edge.source for start in known for edge in start.incoming]
        while stack:
            name = stack.pop()
            if name not in seen:
                seen.add(name)
                stack.extend(edge.source for edge in self.nodes[name].incoming)
        return sorted(seen, key=self._rank)

    def leading_to(self, name: str) -> set[str]:
        """A node, its ancestors, what may stand in for any of them, and what that needs."""
        found: set[str] = set()
        waiting = [name]
        while waiting:
            one = waiting.pop()
            if one in found:
                continue
            found.add(one)
            planned = self.nodes[one]
            waiting += [edge.source for edge in planned.incoming]
            if planned.stand_in_edge is not None:
                waiting.append(planned.stand_in_edge.target)
        return found

    def _rank(self, name: str) -> int:
        return self.nodes[name].rank


def base_path(path: str) -> str:
    """Path of the foreach node an item belongs to; any other path unchanged."""
    return path[: path.rindex("[")] if path.endswith("]") else path


def item_path(path: str, index: int) -> str:
    """Path of the item at ``index`` (counted from 0) of a foreach node."""
    return f"{path}[{index}]"


def parse_condition(source: str | None) -> Expression | None:
    """Parse an optional expression. Raises `ExpressionError`."""
    return None if source is None else parse_expression(source)


def template_settings(kind: KindSettings) -> dict[str, JsonValue]:
    """Keys of a kind whose strings may hold templates, with their values."""
    if isinstance(kind, ShellSettings):
        return {"run": kind.run, "cwd": kind.cwd, "env": dict(kind.env)}
    if isinstance(kind, WaitSettings):
        return {"duration": kind.duration, "until": kind.until}
    if isinstance(kind, TransformSettings):
        return {"input": kind.input}
    return {}


def compile_settings(kind: KindSettings) -> CompiledValue | None:
    """The templates among a kind's settings, or None when it has none."""
    compiled = compile_value(template_settings(kind))
    return None if compiled.is_constant else compiled


def _compile_list(source: JsonValue) -> Expression | CompiledValue | None:
    """A foreach: a literal list, a template, or an expression that yields a list."""
    if source is None:
        return None
    if isinstance(source, str) and parse_template(source).is_constant:
        return parse_expression(source)
    return compile_value(source)


def _topological(workflow: Workflow) -> tuple[str, ...]:
    """Order of the file, moved only as far as the edges demand. Raises ValueError on a cycle."""
    return tuple(_walk(workflow))


def _walk(workflow: Workflow) -> Iterator[str]:
    missing = {name: len(node.needs) for name, node in workflow.nodes.items()}
    followers: dict[str, list[str]] = {name: [] for name in workflow.nodes}
    for name, node in workflow.nodes.items():
        for edge in node.needs:
            followers[edge.source].append(name)
    ready = [name for name, count in missing.items() if count == 0]
    done = 0
    while ready:
        batch, ready = ready, []
        for name in batch:
            yield name
            done += 1
            for follower in followers[name]:
                missing[follower] -= 1
                if missing[follower] == 0:
                    ready.append(follower)
    if done != len(missing):
        stuck = sorted(name for name, count in missing.items() if count > 0)
        raise ValueError(f"the nodes {', '.join(stuck)} wait for each other")
