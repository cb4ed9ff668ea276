"""What drawing costs inside the screen, without a terminal: processor time, the best of several."""

import asyncio
import os
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import cast

from bench.layout import milliseconds
from bench.rows import Figure
from bench.workloads import layered
from studio.application.screen import open_session
from studio.application.screen_options import ScreenOptions
from studio.ids import NodePath, RunNumber
from studio.ports import AttemptKey, LogLine
from studio.tui.app import StudioApp
from studio.tui.screens.main import MainScreen

LINES = 10_000


def drawing_figures() -> list[Figure]:
    """One node change, a full repaint, and ten thousand lines of log."""
    return asyncio.run(_measure())


async def _measure() -> list[Figure]:
    workflow = layered(1_000)
    lines = ["workflow: layered", "nodes:"]
    for name, node in workflow.nodes.items():
        needs = ", ".join(str(edge.source) for edge in node.needs)
        lines.append(f"  {name}: {{uses: noop{f', needs: [{needs}]' if needs else ''}}}")
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-screen-")))
        file = folder / "flow.yaml"
        file.write_text("\n".join(lines) + "\n")
        options = ScreenOptions(path=str(file))
        app = StudioApp(lambda: stack.enter_async_context(open_session(options, os.environ)))
        async with app.run_test(size=(200, 50)) as pilot:
            await app.workers.wait_for_complete()
            await pilot.pause()
            screen = cast("MainScreen", app.screen)
            session = screen.session
            number = await session.launch(str(file.absolute()), {})
            assert session.studio.owns
            await session.studio.rest()
            await app.workers.wait_for_complete()
            await pilot.pause(0.2)
            graph = screen.graph
            width, height = graph.size

            def repaint() -> None:
                for y in range(height):
                    graph.render_line(y)

            paths = [str(name) for name in workflow.nodes][:100]

            def change() -> None:
                for path in paths:
                    graph.refresh_cells({path})

            key = AttemptKey(RunNumber(number), NodePath(paths[0]), False, 1)
            text = [LogLine(at=float(n), text=f"line {n} of a node's output") for n in range(LINES)]

            screen.select(paths[0])

            def log() -> None:
                screen.log_pane.append([(key, text)])
                for y in range(screen.log_pane.size.height):
                    screen.log_pane.render_line(y)

            return [
                Figure("one node change, 1,000 nodes", milliseconds(change, 5) / len(paths), "ms",
                       1, better="less"),
                Figure(f"full repaint {width}x{height}, 1,000 nodes", milliseconds(repaint, 10),
                       "ms", 8, better="less"),
                Figure("10,000 lines of log", milliseconds(log, 5), "ms", 50, better="less"),
            ]  # fmt: skip
