"""Two runs beside each other, in lines for the command line and the screen."""

from collections.abc import Iterator
from typing import NamedTuple

from studio.core.standing import phase_of
from studio.core.state import RunState
from studio.projections.listing import seconds_taken
from studio.projections.moments import span
from studio.projections.run_diff import NodeDiff, RunDiff, value_lines
from studio.projections.signs import Tone, sign
from studio.projections.text import sanitise


class DiffLine(NamedTuple):
    """A line, and what its colour should say."""

    text: str
    tone: Tone = "plain"


def head_lines(diff: RunDiff, *, ascii: bool = False) -> Iterator[DiffLine]:
    """The two runs, and where their workflows, parameters and outputs differ."""
    runs = (diff.before.run, diff.after.run)
    for run in runs:
        yield DiffLine(f"run {run.number:<4} {_ended(run, ascii)}", sign(phase_of(run)).tone)
    names = [run.plan.workflow.name for run in runs]
    if names[0] != names[1]:
        yield _line(f"workflow: {names[0]} → {names[1]}", ascii)
    versions = [run.versions[-1] for run in runs]
    if versions[0] != versions[1]:
        yield _line(f"version: {versions[0][:12]} → {versions[1][:12]}", ascii)
    if diff.other_code:
        yield DiffLine("code: other functions or modules than in the first")
    for text in value_lines("params", diff.params()):
        yield _line(text, ascii)
    for text in value_lines("outputs", diff.outputs()):
        yield _line(text, ascii)


def node_lines(node: NodeDiff, *, ascii: bool = False) -> Iterator[DiffLine]:
    """A node: a line that says how it went in both, and below it what differs; none when nothing does."""
    if node.same and not node.slower:
        return
    before, after = node.states
    if not before or not after:
        mark, where = ("+", "the second") if not before else ("-", "the first")
        yield DiffLine(f"{mark} {sanitise(node.path)}  only in {where}", "dim")
        return
    tone = sign(after).tone if before != after else "plain"
    ways = [_way(node, side, ascii) for side in (0, 1)]
    yield _line(f"~ {node.path}  {ways[0]} → {ways[1]}", ascii, tone)
    if node.definition:
        yield _line(f"    definition: {', '.join(node.definition)}", ascii, "dim")
    for name, found in (("input", node.input), ("output", node.output)):
        for text in value_lines(name, found):
            yield _line(f"    {text}", ascii)
    if node.errors[0] != node.errors[1]:
        for error, label in zip(node.errors, ("before", "after"), strict=True):
            if error:
                yield _line(f"    error {label}: {error}", ascii, "bad")


def diff_lines(diff: RunDiff, *, ascii: bool = False) -> Iterator[DiffLine]:
    """All of it: the runs, each node in which they differ, and how many went the same way."""
    yield from head_lines(diff, ascii=ascii)
    same = 0
    for path in diff.paths():
        node = diff.node(path)
        same += node.same
        yield from node_lines(node, ascii=ascii)
    yield closing_line(same)


def closing_line(same: int) -> DiffLine:
    """How many nodes went the same way."""
    text = "1 node" if same == 1 else f"{same} nodes"
    return DiffLine(f"{text} the same", "dim")


def _ended(run: RunState, ascii: bool) -> str:
    look = sign(phase_of(run))
    took = f" in {span(seconds_taken(run, 0.0))}" if run.finished_at is not None else ""
    name = sanitise(run.plan.workflow.name)
    return f"{look.ascii if ascii else look.glyph} {look.word}{took}  {name}"


def _way(node: NodeDiff, side: int, ascii: bool) -> str:
    look = sign(node.states[side])
    parts = [f"{look.ascii if ascii else look.glyph} {look.word}"]
    seconds, attempts = node.seconds[side], node.attempts[side]
    if seconds is not None:
        parts.append(span(seconds))
    if attempts and node.attempts[1 - side] not in (0, attempts):
        parts.append(f"attempt {attempts}")
    return " ".join(parts)


def _line(text: str, ascii: bool, tone: Tone = "plain") -> DiffLine:
    shown = sanitise(text, 400)
    return DiffLine(shown.replace("→", "->").replace("…", "~") if ascii else shown, tone)
