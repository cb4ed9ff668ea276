"""Draw the pictures of the documentation from the real screen; ``make pictures``.

A studio is started on a pseudo-terminal, on a copy of the samples in a temporary folder, and driven by keys: it runs
the practice workflow, whose code has a bug. Times stand still, so that a picture changes only when the screen does.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from docs.picture_terminal import Frame, PictureTerminal, animation, still_picture
from studio.application.samples import sample_folder

FOLDER = Path(__file__).parent / "pictures"
PRACTICE = "practice"
BUG = 'row["edges"]'
FIX = 'row.get("edges", [])'
SIZES = ((80, 24), (120, 40), (200, 60))
ESCAPE, ENTER = "\x1b", "\r"


def main() -> None:
    """Draw every picture."""
    FOLDER.mkdir(exist_ok=True)
    for columns, rows in SIZES:
        _write(f"failed-{columns}x{rows}", still_picture(_failed(columns, rows)))
    _write("first-run", animation(_first_run()))


def _failed(columns: int, rows: int) -> Frame:
    """A run that holds at a failure."""
    with _studio(columns, rows) as (terminal, _):
        terminal.press("L")
        terminal.press(ENTER)
        terminal.wait_for("needs you")
        terminal.rest()
        terminal.press("f")
        return terminal.frame()


def _first_run() -> list[Frame]:
    """The loop of every day: launch, a failure, the edit, the run that goes on."""
    with _studio(120, 40) as (terminal, folder):
        frames = [terminal.frame(2.0)]
        terminal.press("L")
        frames.append(terminal.frame(2.0))
        terminal.type(ENTER)
        terminal.wait_for("● load_stations")
        terminal.rest(0.1)
        frames.append(terminal.frame(1.0))
        terminal.wait_for("● names")
        terminal.rest(0.1)
        frames.append(terminal.frame(1.0))
        terminal.wait_for("needs you")
        terminal.rest()
        frames.append(terminal.frame(2.0))
        terminal.press("f")
        frames.append(terminal.frame(4.0))
        source = folder / "practice.py"
        fixed = folder / ".practice.py.saved"
        fixed.write_text(source.read_text("utf-8").replace(BUG, FIX), "utf-8")
        fixed.replace(source)
        terminal.wait_for("● build_graph")
        terminal.rest(0.1)
        frames.append(terminal.frame(2.5))
        terminal.wait_for("● shortest_way")
        terminal.rest(0.1)
        frames.append(terminal.frame(1.5))
        terminal.wait_for("✓ succeeded")
        terminal.rest(1.2)
        frames.append(terminal.frame(4.0))
        return frames


@contextmanager
def _studio(columns: int, rows: int) -> Iterator[tuple[PictureTerminal, Path]]:
    """A studio on a copy of the practice sample, its first screen drawn and the list of first steps put away."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, PRACTICE)
        shutil.copytree(
            sample_folder() / PRACTICE, folder, ignore=shutil.ignore_patterns(".studio")
        )
        environ = {
            **{k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "STUDIO_STATE")},
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "LANG": "C.UTF-8",
            "STUDIO_ACTOR": "you",
            "XDG_CONFIG_HOME": place,
        }
        command = [sys.executable, "-m", "studio", PRACTICE]
        with PictureTerminal(command, Path(place), environ, columns=columns, rows=rows) as terminal:
            terminal.wait_for("broken_pipeline", "Help")
            terminal.rest()
            terminal.press(ESCAPE)
            yield terminal, folder


def _write(name: str, picture: str) -> None:
    (FOLDER / f"{name}.svg").write_text(picture, "utf-8")
    print(f"docs/pictures/{name}.svg")


if __name__ == "__main__":
    main()
