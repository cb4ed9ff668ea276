"""How the screen was asked to start. Light on purpose: the command line fills it in before anything else is loaded."""

from __future__ import annotations

from typing import NamedTuple

THEMES = ("dark", "light", "contrast", "ansi")
"""Names of the themes that come with the program."""


class ScreenOptions(NamedTuple):
    """What ``studio [PATH]`` says.

    Args:
        path: a workflow file, or a folder of them.
        state: value of ``--state``, None when it was not given.
        theme: one of `THEMES`.
        ascii: draw with ASCII characters only.
        mouse: whether the terminal reports the mouse to the studio.
        colour: false for ``NO_COLOR`` and ``--no-color``.
    """

    path: str = "."
    state: str | None = None
    theme: str = "dark"
    ascii: bool = False
    mouse: bool = True
    colour: bool = True
