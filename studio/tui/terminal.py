"""The terminal under the screen: one that goes away must not take the engine with it.

Textual hands its output to a thread over a queue of thirty writes. When the terminal is gone the thread dies of the
first write, the queue fills up, and the next write stops the whole process for ever: runs would neither go on nor be
recoverable, since the state folder stays locked.
"""

import os
from collections.abc import Callable
from typing import IO, Any, cast

from textual.drivers.linux_driver import LinuxDriver


class GoneTerminal:
    """A terminal's file that takes writes also when there is no terminal any more.

    Args:
        file: the terminal.
        tell_gone: called once, from the writing thread, when the terminal is found gone.
    """

    def __init__(self, file: IO[str], tell_gone: Callable[[], object]) -> None:
        self._file = file
        self._tell_gone: Callable[[], object] | None = tell_gone

    def write(self, text: str) -> int:
        """Write a text, or drop it. Returns its length."""
        self._attempt(lambda: self._file.write(text))
        return len(text)

    def flush(self) -> None:
        """Hand everything to the system."""
        self._attempt(self._file.flush)

    def fileno(self) -> int:
        """The descriptor of the terminal."""
        return self._file.fileno()

    def _attempt(self, work: Callable[[], object]) -> None:
        if self._tell_gone is None:
            return
        try:
            work()
        except UnicodeEncodeError:
            # A character the terminal's encoding lacks, or half of a surrogate pair: not a reason to lose the screen.
            return
        except OSError:
            tell, self._tell_gone = self._tell_gone, None
            tell()


class SteadyDriver(LinuxDriver):
    """Textual's driver, which closes the application when the terminal has gone, and has the terminal's own size."""

    def __init__(self, app: Any, **options: Any) -> None:
        super().__init__(app, **options)
        loop = self._loop
        gone = GoneTerminal(
            cast("IO[str]", self._file), lambda: loop.call_soon_threadsafe(app.exit)
        )
        self._file = cast("Any", gone)
        # Asked before it tells, as the first screen is placed by it: a second size, as from COLUMNS, would have
        # Textual's screen tell itself the one and the other in turn, for ever.
        self._size = self._size or self._get_terminal_size()

    def _get_terminal_size(self) -> tuple[int, int]:
        """Columns and rows of the terminal; what COLUMNS and LINES say only where it does not know.

        Textual asks the variables first. Exported by a shell or a test runner they are another terminal's size, or one
        from before the window was resized: what does not fit would be drawn nowhere.
        """
        try:
            size = os.get_terminal_size(self.fileno)
        except OSError:
            return super()._get_terminal_size()
        return (size.columns, size.lines) if all(size) else super()._get_terminal_size()
