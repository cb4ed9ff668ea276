"""What a fresh process loads before it can answer: commands that only look must not wait for libraries they do not need.

Counted in modules, never in seconds, so that it holds on any machine (targets.md).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from studio.tui.app import LATER

SCREEN = ("textual", "rich")
DEFINITIONS = ("pydantic", "pydantic_core", "yaml", "jsonschema_rs", "watchfiles")
ENGINE = ("asyncio", "studio.engine", "studio.executors", "aiosqlite")

COUNT = """
import json, sys
from studio.cli import main
status = main(sys.argv[1:])
sys.stdout.flush()
sys.stderr.write("\\n" + json.dumps({"status": status, "modules": sorted(sys.modules)}))
"""


def modules_of(folder: Path, *words: str) -> set[str]:
    """Modules that a command line has loaded when it ends, in a process of its own."""
    environ = {**os.environ, "STUDIO_ACTOR": "ada"}
    done = subprocess.run(
        [sys.executable, "-c", COUNT, *words],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found = json.loads(done.stderr.splitlines()[-1])
    assert found["status"] == 0, done.stderr
    return set(found["modules"])


AT_FIRST_PICTURE = """
import asyncio, json, os, sys
from contextlib import AsyncExitStack
import studio.__main__
from studio.application.screen import open_session
from studio.application.screen_options import ScreenOptions
from studio.tui.starting import StudioApp

async def main():
    loaded, drawn = [], asyncio.Event()

    async with AsyncExitStack() as stack:
        async def begin():
            session = await stack.enter_async_context(open_session(ScreenOptions(path="."), os.environ))
            go_on = session.drawn.set

            def note():
                loaded.extend(sorted(sys.modules))
                go_on()
                drawn.set()

            session.drawn.set = note
            return session

        app = StudioApp(begin)
        async with app.run_test(size=(120, 40)):
            await asyncio.wait_for(drawn.wait(), 30)
            top = app.screen.chrome.top.render_line(0).text
    sys.stderr.write("\\n" + json.dumps({"modules": loaded, "top": top}))

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one finished run."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "one.yaml").write_text("workflow: one\nnodes: {a: {uses: noop}}\n")
    modules_of(folder, "run", "one.yaml", "--quiet")
    return folder


def loaded(modules: set[str], names: tuple[str, ...]) -> set[str]:
    """Which of the packages, or anything in them, has been loaded."""
    return {module for module in modules if any((module + ".").startswith(f"{n}.") for n in names)}


@pytest.mark.parametrize(
    ("words", "budget"),
    [
        (("--help",), 90),
        (("runs", "--help"), 180),
        (("runs",), 180),
        (("runs", "--json"), 180),
    ],
)
def test_what_only_looks_loads_no_screen_definition_or_engine(
    project: Path, words: tuple[str, ...], budget: int
) -> None:
    modules = modules_of(project, *words)
    assert loaded(modules, SCREEN + DEFINITIONS + ENGINE) == set()
    assert len(modules) <= budget, f"{len(modules)} modules"


@pytest.mark.parametrize("words", [("show", "1"), ("history", "1"), ("why", "1", "a")])
def test_looking_at_a_run_loads_no_screen_or_engine(project: Path, words: tuple[str, ...]) -> None:
    modules = modules_of(project, *words)
    assert loaded(modules, (*SCREEN, "asyncio", "studio.executors", "studio.engine.loop")) == set()


@pytest.mark.parametrize("words", [("run", "one.yaml", "--quiet"), ("check",), ("logs", "1")])
def test_no_command_loads_the_screen(project: Path, words: tuple[str, ...]) -> None:
    assert loaded(modules_of(project, *words), SCREEN) == set()


def at_first_picture(folder: Path) -> set[str]:
    """Modules that the screen has loaded when its first picture stands, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", AT_FIRST_PICTURE],
        cwd=folder,
        env={**os.environ, "STUDIO_ACTOR": "ada", "TERM": "xterm-256color"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stderr.splitlines()[-1])
    assert "◆ one" in found["top"]
    return set(found["modules"])


NOT_AT_FIRST = (
    "pydantic",
    "pydantic_core",
    "jsonschema_rs",
    "watchfiles",
    "anyio",
    "pathspec",
    "dotenv",
    "tomllib",
    "importlib.metadata",
    "studio.executors",
    "studio.engine.recovery",
    "studio.application.adopting",
    "studio.application.pinned_code",
    "studio.application.reload",
    "studio.loading.code_index",
    "studio.loading.json_reader",
    "studio.loading.watcher",
    "studio.storage.migration",
    "studio.storage.salvage",
    "studio.tui.screens.dialog",
    "studio.tui.verbs.table",
    "studio.tui.widgets.table_pane",
    "studio.tui.widgets.timeline_pane",
    "textual.widgets._text_area",
)
"""What no first picture needs."""

NOT_BEFORE_A_RUN = (
    "studio.core.decide",
    "studio.core.evolve",
    "studio.core.reactions",
    "studio.core.turn",
    "studio.core.why",
    "studio.model.expressions.compiler",
    "studio.model.expressions.parser",
    "studio.projections.screen.inspecting.run_pages",
    "studio.projections.screen.news",
    "studio.projections.undo_plan",
    "studio.tui.widgets.run_pages",
)
"""What the first picture of a workflow that was never run, and holds no expression, can do without besides."""


def test_the_first_picture_waits_for_nothing_it_can_do_without(project: Path) -> None:
    modules = at_first_picture(project)
    assert loaded(modules, NOT_AT_FIRST) == set()
    assert len(modules) <= 692, f"{len(modules)} modules"


def test_the_first_picture_of_a_workflow_waits_for_nothing_that_only_runs_need(
    tmp_path: Path,
) -> None:
    (tmp_path / "one.yaml").write_text("workflow: one\nnodes: {a: {uses: noop}}\n")
    modules = at_first_picture(tmp_path)
    assert loaded(modules, NOT_AT_FIRST + NOT_BEFORE_A_RUN) == set()
    assert len(modules) <= 638, f"{len(modules)} modules"


ON_THE_WAY = """
import json, sys
from studio.cli import main, screen
screen.screen_hindrance = lambda console: None
status = main(["one.yaml"], open_screen=lambda options: print(json.dumps([*options, *sorted(sys.modules)])) or 0)
"""


def test_a_path_alone_is_read_without_a_parser(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ON_THE_WAY], cwd=project, capture_output=True, timeout=60, check=True
    )
    found = json.loads(done.stdout)
    assert found[0] == "one.yaml"
    assert not {"argparse", "shlex", "msgspec"} & set(found)


@pytest.mark.parametrize("name", LATER)
def test_what_is_loaded_later_can_be_loaded(name: str) -> None:
    import_module(name)
