"""Where in a workflow file stands what raised: a line of its own code, or the call of code that cannot be had."""

from collections.abc import Sequence
from typing import Final

from studio.model.failure import Failure
from studio.model.nodes import KindSettings, Node, PythonSettings

SEARCHED: Final = 5_000
"""Lines below the beginning of a node in which its code is looked for: more than any definition has."""

INLINE: Final = "<code of "
"""Begins what an error calls the file of a definition's own ``code:``."""


def failed_kind(node: Node, *, undo: bool) -> KindSettings:
    """What was run when it failed: the node's own kind, or that of its undo."""
    return node.compensate.kind if undo and node.compensate is not None else node.kind


def code_block(node: Node, failure: Failure, *, undo: bool) -> list[str] | None:
    """Lines of the definition's own ``code:``, when it is what raised.

    Args:
        node: the node as the run has it.
        failure: what was raised.
        undo: whether the undo of the node failed.
    """
    kind = failed_kind(node, undo=undo)
    if not failure.file.startswith(INLINE) or not isinstance(kind, PythonSettings):
        return None
    return kind.code.splitlines() if kind.code else None


def line_in_file(
    node: Node, failure: Failure, written: Node | None, lines: Sequence[str], *, undo: bool
) -> int:
    """The line of the workflow file to look at for a failure of its own code, or of a call that found none.

    Args:
        node: the node as the run has it.
        failure: what was raised.
        written: the node as the file has it now, whose place is taken; the run's when None.
        lines: the file as it is on disk.
        undo: whether the undo of the node failed.

    Returns:
        Counted from 1; 0 when the failure stands in another file, or the code is not there any more.
    """
    there = written or node
    block = code_block(node, failure, undo=undo)
    if block is not None:
        first = _block_at(lines, _first_line(there, undo=undo), block)
        return first + failure.line - 1 if first and 1 <= failure.line <= len(block) else 0
    kind = failed_kind(node, undo=undo)
    if failure.file or not isinstance(kind, PythonSettings) or not kind.call:
        return 0
    place = there.keys.get("call") if not undo else None
    line = place.line if place is not None else _first_line(there, undo=undo)
    return line if 1 <= line <= len(lines) else 0


def _first_line(node: Node, *, undo: bool) -> int:
    place = node.compensate.place if undo and node.compensate is not None else node.place
    return place.line if place is not None else 1


def _block_at(lines: Sequence[str], first: int, block: Sequence[str]) -> int:
    """Number of the line where a block of code begins, at or below a line; 0 when it is not there."""
    wanted = [line.strip() for line in block]
    for at in range(max(0, first - 1), min(len(lines), first + SEARCHED)):
        there = [line.strip() for line in lines[at : at + len(wanted)]]
        if there == wanted:
            return at + 1
        if len(wanted) == 1 and wanted[0] and wanted[0] in there[0]:
            return at + 1
    return 0
