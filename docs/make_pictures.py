"""Draw the pictures of the documentation from the real screen; ``make pictures``.

A studio opens a copy of the samples in a temporary folder, runs a workflow whose code has a bug, and is driven by
keys. Times are those of a stopped clock, so that a picture changes only when the screen does.
"""

import asyncio
import html
import os
import re
import shutil
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import cast

from studio.application.samples import sample_folder
from studio.application.screen import open_session
from studio.application.screen_options import ScreenOptions
from studio.tui.app import StudioApp
from studio.tui.screens.main import MainScreen

FOLDER = Path(__file__).parent / "pictures"
WORKFLOW = "practice/broken_pipeline.yaml"
SIZES = ((80, 24), (120, 40), (200, 60))
TIMES = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?P<unit>\s?ms|s)\b|\d\d:\d\d:\d\d(?:\.\d{3})?")
"""Durations and times of day: what differs from one drawing to the next."""


def main() -> None:
    """Draw every picture."""
    FOLDER.mkdir(exist_ok=True)
    for columns, rows in SIZES:
        asyncio.run(_draw(columns, rows))


async def _draw(columns: int, rows: int) -> None:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()), "demo")
        shutil.copytree(sample_folder(), folder, ignore=shutil.ignore_patterns(".studio"))
        environ = {**os.environ, "STUDIO_ACTOR": "you", "XDG_CONFIG_HOME": str(folder)}
        file = str(folder / WORKFLOW)
        options = ScreenOptions(path=file)
        app = StudioApp(lambda: stack.enter_async_context(open_session(options, environ)))
        async with app.run_test(size=(columns, rows)) as pilot:
            await app.workers.wait_for_complete()
            await pilot.pause()
            screen = cast("MainScreen", app.screen)
            screen.hints.dismiss()
            session = screen.session
            await session.launch(file, {})
            await session.studio.rest()
            await pilot.pause(0.2)
            await pilot.press("f")
            await app.workers.wait_for_complete()
            await pilot.pause(0.3)
            name = f"failed-{columns}x{rows}"
            picture = app.export_screenshot(title="Workflow Studio", simplify=True)
            (FOLDER / f"{name}.svg").write_text(_steady(picture), "utf-8")
            print(f"docs/pictures/{name}.svg")


def _steady(picture: str) -> str:
    """The picture with names that do not depend on its making, and with times that stand still."""
    numbers: dict[str, str] = {}

    def renamed(found: re.Match[str]) -> str:
        return numbers.setdefault(found.group(), f"terminal-{len(numbers)}")

    picture = re.sub(r"terminal-\d+(?=-)", renamed, picture)

    def still(found: re.Match[str]) -> str:
        text = found.group()
        if ":" in text:
            return "12:00:00.000"[: len(text)]
        unit = found.group("unit")
        figure = text[: -len(unit)]
        return re.sub(r"\d", "1", figure) + unit

    picture = re.sub(r">([^<]+)<", lambda m: f">{TIMES.sub(still, m.group(1))}<", picture)
    return TEXT.sub(_without_margins, picture)


TEXT = re.compile(
    r'(<text [^>]*?) x="([\d.]+)"([^>]*?) textLength="([\d.]+)"([^>]*>)([^<]*)</text>'
)
BLANK = "&#160;"


def _without_margins(found: re.Match[str]) -> str:
    """A run of text without the blanks around it, at the place of its first letter: some viewers drop leading ones."""
    start, x, middle, length, end, text = found.groups()
    whole = len(html.unescape(text))
    shown = text
    left = right = 0
    while shown.startswith(BLANK):
        shown, left = shown[len(BLANK) :], left + 1
    while shown.endswith(BLANK):
        shown, right = shown[: -len(BLANK)], right + 1
    if not shown:
        return ""
    cell = float(length) / whole
    place, wide = float(x) + left * cell, (whole - left - right) * cell
    return f'{start} x="{place:.1f}"{middle} textLength="{wide:.1f}"{end}{shown}</text>'


if __name__ == "__main__":
    main()
