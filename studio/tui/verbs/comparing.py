"""The action that sets two runs beside each other."""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final

from studio.application.reading import RunView
from studio.projections.layout import Segment, clean
from studio.projections.listing import seconds_taken
from studio.projections.run_diff import RunDiff, Side
from studio.projections.run_diff_lines import DiffLine, closing_line, head_lines, node_lines
from studio.projections.screen.graph import duration_text
from studio.projections.screen.runs import last_good_run
from studio.projections.signs import sign
from studio.tui.screens.dialog import Entry, Menu, Reader
from studio.tui.widgets.rows import Row

if TYPE_CHECKING:
    from studio.tui.screens.main import MainScreen

SLICE: Final = 25
"""Nodes compared at a time, some 10 ms: their values are read from the history, and keys are answered meanwhile."""

OFFERED: Final = 30
"""Runs to choose from."""

STYLES: Final[dict[str, str]] = {
    "good": "good",
    "bad": "bad",
    "busy": "state.running",
    "wait": "state.held",
    "undo": "state.compensated",
    "dim": "dim",
    "plain": "text",
}
"""Looks of what a colour should say."""


async def diff(screen: "MainScreen") -> None:
    """Compare the shown run with another run of its workflow."""
    session = screen.session
    run = session.run
    if run is None:
        return
    good = last_good_run(session.rows, run)
    rows = [row for row in session.rows if row.file == run.file and row.run != run.number]
    if not rows:
        screen.notice(f"there is no other run of {clean(run.plan.workflow.name)}", "info")
        return
    rows = sorted(rows, key=lambda row: (row.run != good, -row.run))[:OFFERED]
    entries = []
    for row in rows:
        look = sign(row.state)
        said = f"{look.word} in {duration_text(seconds_taken(row, session.now()))}"
        said += ", the last good one" if row.run == good else ""
        entries.append(Entry(str(row.run), f"run {row.run}", said))
    chosen = await screen.app.push_screen_wait(Menu(f"Compare run {run.number} with", entries))
    if chosen is None:
        return
    other = session.studio.view(int(chosen))
    shown = [_row(line) async for line in _lines(other, session.studio.view(run.number), screen)]
    await screen.app.push_screen_wait(Reader(f"Run {chosen} and run {run.number}", shown))


async def _lines(before: RunView, after: RunView, screen: "MainScreen") -> AsyncIterator[DiffLine]:
    """The lines of a comparison, with breaks in which keys are answered."""
    compared = RunDiff(Side(before.state, before.run), Side(after.state, after.run))
    for line in head_lines(compared, ascii=screen.ascii):
        yield line
    same = 0
    for index, path in enumerate(compared.paths(), 1):
        node = compared.node(path)
        same += node.same
        for line in node_lines(node, ascii=screen.ascii):
            yield line
        if index % SLICE == 0:
            await asyncio.sleep(0)
    yield closing_line(same)


def _row(line: DiffLine) -> Row:
    return [Segment(line.text, STYLES[line.tone])]


VERBS = {"diff": diff}
