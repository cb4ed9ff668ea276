"""The application over a real engine in a temporary folder, at any size."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from textual.pilot import Pilot

from studio.application.local import LocalStudio
from studio.application.location import locate
from studio.application.opening import open_studio
from studio.application.session import Session
from studio.application.studio import Sender
from studio.tui.app import StudioApp
from studio.tui.screens.main import MainScreen
from studio.tui.widgets.lines import Line

DIAMOND = """
workflow: diamond
nodes:
  load: {uses: noop}
  left: {uses: noop, needs: load, group: sides}
  right: {uses: noop, needs: load, group: sides}
  check: {uses: shell, needs: left, run: "false"}
  join: {uses: noop, needs: [right, check]}
"""


@dataclass
class Opened:
    """What a test works on."""

    pilot: Pilot[None]
    screen: MainScreen
    session: Session
    app: StudioApp

    async def press(self, *keys: str) -> None:
        """Press keys, and let the screen take them."""
        for key in keys:
            await self.pilot.press(key)
            await self.pilot.pause()

    async def settle(self) -> None:
        """Let the engine come to rest, layouts finish and changes be drawn."""
        if isinstance(self.session.studio, LocalStudio):
            await self.session.studio.rest()
        await self.app.workers.wait_for_complete()
        self.screen._flush()
        await self.pilot.pause()

    async def launch(self) -> None:
        """Start the shown workflow without asking for parameters, and wait for what comes of it."""
        assert self.session.shown_file is not None
        await self.session.launch(self.session.shown_file, {})
        await self.settle()

    def current(self) -> str:
        """The pane that has the focus."""
        return self.screen.body.current

    def around(self) -> str | None:
        """The node the graph is drawn around."""
        return self.screen.graph.focused_on

    def news(self) -> bool:
        """Whether the notice line is shown."""
        return bool(self.screen.notice_line.display)

    def line(self, name: str) -> str:
        """The text of one of the lines."""
        line = self.screen.query_one(f"#{name}", Line)
        return "".join(segment.text for segment in line.render_line(0)).rstrip()

    def text(self, name: str) -> str:
        """The text of a pane, without its border."""
        pane = self.screen.query_one(f"#{name}")
        rows = (pane.render_line(y) for y in range(pane.size.height))
        return "\n".join("".join(segment.text for segment in row).rstrip() for row in rows)

    @property
    def shown(self) -> set[str]:
        """Names of the panes on screen."""
        names = ("runs", "graph", "table", "timeline", "inspector", "log")
        return {n for n in names if any(pane.display for pane in self.screen.query(f"#{n}"))}


@asynccontextmanager
async def opened(
    folder: Path,
    *texts: str,
    size: tuple[int, int] = (120, 40),
    first_start: bool = False,
    change: Callable[[StudioApp], None] = lambda app: None,
    ascii: bool = False,
    theme: str = "dark",
    colour: bool = True,
) -> AsyncIterator[Opened]:
    """Open a folder with workflow files made of some texts.

    Args:
        folder: an empty folder.
        texts: workflow definitions.
        size: columns and rows of the terminal.
        first_start: whether the state folder has not been used before.
        change: called with the application before it starts.
    """
    for number, text in enumerate(texts):
        (folder / f"flow{number}.yaml").write_text(text)
    location = locate(folder, None, {})
    studio = await open_studio(location, environ={})
    if not first_start:
        (location.state / "first-steps-shown").touch()
    session = Session(studio, location, Sender("tester", {"PATH": "/usr/bin:/bin"}), folder)

    async def open_session() -> Session:
        await session.open()
        return session

    app = StudioApp(open_session, theme_name=theme, colour=colour, ascii=ascii)
    change(app)
    try:
        async with app.run_test(size=size) as pilot:
            await app.workers.wait_for_complete()
            await pilot.pause()
            screen = app.screen
            assert isinstance(screen, MainScreen)
            found = Opened(pilot, screen, session, app)
            await found.settle()
            yield found
    finally:
        await session.close()
        await studio.close()
