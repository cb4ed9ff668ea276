"""The first line on the terminal, painted before the libraries of the screen are loaded.

This module must stay light: nothing of Textual, Rich or pydantic (architecture.md, "Start-up").
"""

import sys

from studio.application.screen_options import ScreenOptions
from studio.projections.text import sanitise

_ERASE_LINE = "\r\x1b[2K"
"""To the first column, and Erase in Line (ECMA-48, 8.3.41)."""

PATH_CELLS = 50


def write_splash(options: ScreenOptions) -> None:
    """Say that the studio is coming up, on the line where the cursor is."""
    mark = "*" if options.ascii else "◆"
    sys.stderr.write(f"{_ERASE_LINE} {mark} Workflow Studio  {sanitise(options.path, PATH_CELLS)}")
    sys.stderr.flush()


def erase_splash() -> None:
    """Leave the line as it was found: nothing of it stays in the scrollback."""
    sys.stderr.write(_ERASE_LINE)
    sys.stderr.flush()
