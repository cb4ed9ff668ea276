"""``studio [PATH]``: the way from the command line to the screen, which another room draws."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TypeAlias

from studio.application.screen_options import ScreenOptions
from studio.cli import USAGE
from studio.cli.console import Console

OpenScreen: TypeAlias = Callable[[ScreenOptions], int]
"""Runs the screen to its end and returns the exit status; given by the program's entry point, because this room
does not know the screen's."""

HEADLESS = "`studio run FILE` runs a workflow without a screen, `studio --help` lists every command"


def open_path(words: Sequence[str], console: Console, open_screen: OpenScreen | None) -> int:
    """Carry out ``studio [PATH] [OPTION]...``; returns the exit status.

    Args:
        words: the command line.
        console: where to tell.
        open_screen: runs the screen; None where there is none.
    """
    if words and (words[1:] or words[0].startswith("-")):
        from studio.cli.screen_arguments import read_options  # lazy: a path alone needs no parser

        try:
            options = read_options(words)
        except SystemExit as end:
            return end.code if isinstance(end.code, int) else USAGE
    else:
        options = ScreenOptions(words[0]) if words else ScreenOptions()
    return show_screen(options, console, open_screen)


def show_screen(options: ScreenOptions, console: Console, open_screen: OpenScreen | None) -> int:
    """Open the screen, or say why not and what to do instead; returns the exit status."""
    why_not = screen_hindrance(console)
    if why_not is not None or open_screen is None:
        from studio.cli.catalogue import overview  # lazy: not needed on the way to the screen

        console.complain(f"{why_not or 'this program has no screen'}; {HEADLESS}")
        console.say("\n" + overview())
        return USAGE
    shown = options._replace(
        ascii=options.ascii or console.ascii,
        colour=options.colour and not console.environ.get("NO_COLOR"),
    )
    return open_screen(shown)


def screen_hindrance(console: Console) -> str | None:
    """Why the screen cannot be shown here; None when it can."""
    # Textual draws on standard error.
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        return "the screen needs a terminal on standard input, output and error"
    if console.environ.get("TERM") == "dumb":
        return "the screen cannot be drawn on a dumb terminal (TERM=dumb)"
    return None
