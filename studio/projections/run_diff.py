"""Two runs beside each other: what differs in what they were given, what they ran, and what came of it."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from studio.core.revision import changed_keys
from studio.core.state import EngineState, NodeState, RunState
from studio.projections.differences import MISSING, Difference, differences, part_at
from studio.projections.listing import attempt_seconds
from studio.projections.masking import Mask, mask_run
from studio.projections.run_document import (
    WITH_ERROR,
    WITH_OUTPUT,
    input_of,
    ordered_nodes,
    state_of,
)
from studio.projections.screen.inspecting.leaves import expression
from studio.projections.screen.inspecting.values import describe

SHOWN: Final = 4
"""Differences of one value that are told; the rest is counted."""

NOTABLE: Final = 1.5
"""How many times as long a node has to take for its time to be told, and `LEAST` seconds longer at least."""
LEAST: Final = 1.0


class Side(NamedTuple):
    """One of the two runs, with the state around it for values that stand in the history."""

    state: EngineState
    run: RunState


class NodeDiff(NamedTuple):
    """A node in both runs.

    Args:
        path: a node, or an item of a foreach.
        states: in the one run and the other; empty where the run does not have it.
        attempts: the same, 0 where it has none.
        seconds: how long it took, None where it has no end.
        definition: keys of its definition that differ.
        input: where its inputs differ.
        output: where its outputs differ.
        errors: of the last failure that still matters, empty where there is none.
    """

    path: str
    states: tuple[str, str]
    attempts: tuple[int, int]
    seconds: tuple[float | None, float | None]
    definition: tuple[str, ...]
    input: tuple[Difference, ...]
    output: tuple[Difference, ...]
    errors: tuple[str, str]

    @property
    def same(self) -> bool:
        """Whether it went the same way in both; how long it took does not count."""
        alike = self.states[0] == self.states[1] and self.errors[0] == self.errors[1]
        return alike and not (self.definition or self.input or self.output)

    @property
    def slower(self) -> bool:
        """Whether it took notably longer in the one run or the other."""
        before, after = self.seconds
        if before is None or after is None:
            return False
        shorter, longer = sorted((before, after))
        return longer > NOTABLE * shorter and longer - shorter >= LEAST


class RunDiff:
    """Two runs beside each other.

    Args:
        before: the one, the older as a rule.
        after: the other.

    Raises what reading an output raises, here and in the methods.
    """

    def __init__(self, before: Side, after: Side) -> None:
        self.before = before
        self.after = after
        self._masks = (mask_run(*before), mask_run(*after))

    @property
    def numbers(self) -> tuple[int, int]:
        """Numbers of the two runs."""
        return self.before.run.number, self.after.run.number

    @property
    def other_code(self) -> bool:
        """Whether the nodes of the two ran other code, as far as it is kept with a run."""
        pins = (self.before.run.pin, self.after.run.pin)
        return all(pins) and pins[0] != pins[1]

    def params(self) -> tuple[Difference, ...]:
        """Where the parameters differ."""
        one, other = self.before.run.params, self.after.run.params
        shown = self._masks[0].params(one), self._masks[1].params(other)
        return _masked(differences(one, other), *shown)

    def outputs(self) -> tuple[Difference, ...]:
        """Where the outputs of the runs differ."""
        one, other = self.before.run.outputs, self.after.run.outputs
        return _masked(
            differences(one, other), self._masks[0].value(one), self._masks[1].value(other)
        )

    def paths(self) -> list[str]:
        """Nodes and items of both, in the order of the newer one; what only the older one had comes last."""
        found = dict.fromkeys(node.path for node in ordered_nodes(self.after.run))
        found |= dict.fromkeys(node.path for node in ordered_nodes(self.before.run))
        return list(found)

    def node(self, path: str) -> NodeDiff:
        """A node or item in both."""
        one, other = self.before.run.nodes.get(path), self.after.run.nodes.get(path)
        keys: tuple[str, ...] = ()
        if one is not None and other is not None:
            keys = tuple(changed_keys(one.plan.node, other.plan.node))
        ends = ((self.before, one, self._masks[0]), (self.after, other, self._masks[1]))
        inputs = [_input(side, node) for side, node, _ in ends]
        outputs = [_output(side, node) for side, node, _ in ends]
        states = [state_of(side.run, node) if node is not None else "" for side, node, _ in ends]
        errors = [_error(node, mask) for _, node, mask in ends]
        both = one is not None and other is not None
        return NodeDiff(
            path,
            (states[0], states[1]),
            (one.attempt if one is not None else 0, other.attempt if other is not None else 0),
            (_seconds(one), _seconds(other)),
            keys,
            self._values(inputs[0], inputs[1]) if both else (),
            self._outputs(path, outputs[0], outputs[1]) if both else (),
            (errors[0], errors[1]),
        )

    def _values(self, one: Any, other: Any) -> tuple[Difference, ...]:
        if one is MISSING or other is MISSING:  # it did not get so far in one of them
            return ()
        shown = self._masks[0].value(one), self._masks[1].value(other)
        return _masked(differences(one, other), *shown)

    def _outputs(self, path: str, one: Any, other: Any) -> tuple[Difference, ...]:
        if one is MISSING or other is MISSING:
            return ()
        shown = self._masks[0].output(path, one), self._masks[1].output(path, other)
        return _masked(differences(one, other), *shown)


def _masked(found: Iterator[Difference], one: Any, other: Any) -> tuple[Difference, ...]:
    """Differences with sensitive parts covered: that they differ may be told, how may not."""
    return tuple(
        Difference(each.path, _covered(one, each.path), _covered(other, each.path))
        for each in found
    )


def _covered(value: Any, path: tuple[str | int, ...]) -> Any:
    """The part at a path; where something above it is covered as a whole, that cover."""
    for step in path:
        if isinstance(value, str):
            return value
        value = part_at(value, (step,))
        if value is MISSING:
            return MISSING
    return value


def _input(side: Side, node: NodeState | None) -> Any:
    if node is None or not (node.override_input or node.input_position):
        return MISSING
    return input_of(side.state, node)


def _output(side: Side, node: NodeState | None) -> Any:
    if node is None or node.status not in WITH_OUTPUT:
        return MISSING
    return side.state.decode(node.output)


def _seconds(node: NodeState | None) -> float | None:
    if node is None or node.finished_at is None:
        return None
    return attempt_seconds(node, node.finished_at)


def _error(node: NodeState | None, mask: Mask) -> str:
    if node is None or node.failure is None or node.status not in WITH_ERROR:
        return ""
    return f"{node.failure.type}: {mask.text(node.failure.message)}"


# --------------------------------------------------------------------------- as a document, as text


def diff_document(diff: RunDiff) -> dict[str, Any]:
    """Two runs beside each other, in JSON types; nodes that went the same way are left out."""
    runs = (diff.before.run, diff.after.run)
    nodes = {}
    for path in diff.paths():
        node = diff.node(path)
        if not node.same:
            nodes[path] = {
                "states": [state or None for state in node.states],
                "attempts": list(node.attempts),
                "seconds": list(node.seconds),
                "definition": list(node.definition),
                "input": [_entry(each) for each in node.input],
                "output": [_entry(each) for each in node.output],
                "errors": [error or None for error in node.errors],
            }
    return {
        "runs": list(diff.numbers),
        "workflows": [run.plan.workflow.name for run in runs],
        "versions": [run.versions[-1] for run in runs],
        "states": [run.phase for run in runs],
        "other_code": diff.other_code,
        "params": [_entry(each) for each in diff.params()],
        "outputs": [_entry(each) for each in diff.outputs()],
        "nodes": nodes,
    }


def _entry(each: Difference) -> dict[str, Any]:
    entry: dict[str, Any] = {"path": list(each.path)}
    if each.before is not MISSING:
        entry["before"] = each.before
    if each.after is not MISSING:
        entry["after"] = each.after
    return entry


def value_lines(name: str, found: Sequence[Difference]) -> list[str]:
    """Differences of one value, a line each: ``input.rows: 48,090 rows → 48,112 rows``."""
    lines = [
        f"{expression(name, each.path)}: {_told(each.before)} → {_told(each.after)}"
        for each in found[:SHOWN]
    ]
    if len(found) > SHOWN:
        lines.append(f"{name}: {len(found) - SHOWN} more differences")
    return lines


def _told(part: Any) -> str:
    return "nothing" if part is MISSING else describe(part)
