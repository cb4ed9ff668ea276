"""Where the command line writes: results to standard output, talk to standard error."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TextIO

from studio.projections.text import sanitise

if TYPE_CHECKING:
    from studio.projections.listing import Cell

_CODES = {
    "good": "32",
    "bad": "31",
    "busy": "36",
    "wait": "33",
    "dim": "2",
    "undo": "35",
    "bold": "1",
}
"""Select Graphic Rendition parameters (ECMA-48, 8.3.117): the terminal's own colours, never a background."""

DEFAULT_CELLS = 80


class Console:
    """Standard output and error, and what they can show.

    Args:
        out: where results go.
        err: where talk goes.
        environ: environment; ``NO_COLOR``, ``TERM`` and ``COLUMNS`` count.
        colour: false for ``--no-color``.
    """

    def __init__(
        self, out: TextIO, err: TextIO, environ: Mapping[str, str], *, colour: bool = True
    ) -> None:
        self.out = out
        self.err = err
        self.environ = environ
        self._colour = colour and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
        self.tty = _is_terminal(out)
        encoding = (getattr(out, "encoding", None) or "utf-8").lower()
        self.ascii = not encoding.startswith("utf")

    @property
    def live(self) -> bool:
        """Whether a line on standard output can be written over."""
        return self.tty and self.environ.get("TERM") != "dumb"

    @property
    def cells(self) -> int | None:
        """Width of the terminal, None when standard output is none and nothing should be cut."""
        if not self.tty:
            return None
        try:
            return os.get_terminal_size(self.out.fileno()).columns or DEFAULT_CELLS
        except (OSError, ValueError):
            return DEFAULT_CELLS

    def result(self, text: str) -> None:
        """Write a result; it has to be sanitised where it came from a user."""
        self.out.write(text + "\n")

    def say(self, text: str) -> None:
        """Tell the person something; never part of a result."""
        self.err.write(text + "\n")
        self.err.flush()

    def complain(self, text: str) -> None:
        """Say what is wrong, with the program's name in front of the first line."""
        lines = [sanitise(line) for line in text.splitlines()] or [""]
        self.say(self.styled("studio:", "bad", self.err) + " " + "\n        ".join(lines))

    def styled(self, text: str, tone: str, stream: TextIO | None = None) -> str:
        """A text in the colour of a tone, where the stream shows colours."""
        code = _CODES.get(tone)
        if code is None or not self._colour or not text:
            return text
        if not (self.tty if stream is None else _is_terminal(stream)):
            return text
        return f"\x1b[{code}m{text}\x1b[0m"

    def show_table(self, rows: Sequence[Sequence[Cell]]) -> None:
        """Write the rows of a table whose cells are padded already."""
        for row in rows:
            shown = row if row[-1].text else row[:-1]
            text = "  ".join(self.styled(cell.text, cell.tone) for cell in shown)
            self.result(text if self.tty else text.rstrip())

    def flush(self) -> None:
        """Hand everything to the system. Raises `BrokenPipeError` when nobody reads it."""
        self.out.flush()
        self.err.flush()


def open_console(*, colour: bool = True) -> Console:
    """The console of this process. Characters the terminal cannot encode are replaced, never an error."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
    return Console(sys.stdout, sys.stderr, os.environ, colour=colour)


def time_of_day(at: float) -> str:
    """A moment as hours, minutes and seconds of the local time zone."""
    return time.strftime("%H:%M:%S", time.localtime(at))


def exact_time_of_day(at: float) -> str:
    """A moment as local time of day to the millisecond."""
    return f"{time_of_day(at)}.{int(at % 1 * 1000):03}"


def date_and_time(at: float) -> str:
    """A moment as date and time of the local time zone; today's without the date."""
    moment = time.localtime(at)
    today = time.localtime()
    if moment[:3] == today[:3]:
        return time.strftime("%H:%M:%S", moment)
    return time.strftime("%Y-%m-%d %H:%M", moment)


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except ValueError:  # a closed stream
        return False
