"""Telling a person who looks elsewhere: window title, bell and OSC 9, while the terminal has no focus."""

from collections.abc import Callable

from textual.app import App

from studio.application.session import Session
from studio.projections.screen.runs import needs_attention
from studio.projections.text import sanitise

TITLE_CELLS = 80
"""Longest window title; terminals cut longer ones anyway."""


class Attention:
    """Compares what needs a person with what did before, and tells of what is new.

    Args:
        write: writes control sequences to the terminal.
    """

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._needy: frozenset[int] | None = None
        self._open: frozenset[int] = frozenset()
        self._title = ""

    def look(self, session: Session, *, focused: bool) -> None:
        """Bring the title up to date, and tell of runs that newly need a person or have finished.

        Args:
            session: whose runs.
            focused: whether the terminal has the focus; then nothing but the title is written.
        """
        rows = session.rows
        needy = frozenset(int(r.run) for r in rows if needs_attention(r, session.drives(r.run)))
        open_runs = frozenset(int(row.run) for row in rows if row.open)
        news = []
        if self._needy is not None and not focused:
            names = {int(row.run): row for row in rows}
            waiting = sorted(needy - self._needy)
            news += [f"{names[run].workflow} #{run} needs you" for run in waiting]
            ended = sorted((self._open - open_runs) & names.keys())
            news += [f"{names[run].workflow} #{run} {names[run].state}" for run in ended]
        self._needy, self._open = needy, open_runs
        self._set_title(session, len(needy), focused)
        if news:
            text = sanitise("; ".join(news), 200)
            # OSC 9 is a desktop notification in iTerm2, WezTerm, Windows Terminal, kitty and others.
            self._write(f"\x07\x1b]9;{text}\x07")

    def _set_title(self, session: Session, needy: int, focused: bool) -> None:
        plan = session.plan
        name = plan.workflow.name if plan is not None else session.folder.name
        mark = "◆ " if needy and not focused else ""
        tail = f": {needy} need{'s' * (needy == 1)} you" if needy else ""
        title = f"{mark}studio — {sanitise(name, TITLE_CELLS)}{tail}"
        if title != self._title:
            self._title = title
            self._write(f"\x1b]2;{title}\x07")


SAVE_TITLE = "\x1b[22;2t"
RESTORE_TITLE = "\x1b[23;2t"
"""Put the window title on the terminal's stack and take it back (XTWINOPS); unknown terminals ignore them."""


def terminal_writer(app: App[None]) -> Callable[[str], None]:
    """What writes control sequences to the terminal of an application, in turn with its own output."""

    def write(text: str) -> None:
        # Textual has no public way to write past the screen; `App.bell` goes the same way.
        driver = app._driver
        if driver is not None and not driver.is_headless:
            driver.write(text)
            driver.flush()

    return write
