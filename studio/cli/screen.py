"""``studio [PATH]``: the way from the command line to the screen, which another room draws."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import TypeAlias

from studio.application.screen_options import THEMES, ScreenOptions
from studio.cli import USAGE
from studio.cli.arguments import add_state
from studio.cli.console import Console

OpenScreen: TypeAlias = Callable[[ScreenOptions], int]
"""Runs the screen to its end and returns the exit status; given by the program's entry point, because this room
does not know the screen's."""

HEADLESS = "`studio run FILE` runs a workflow without a screen, `studio --help` lists every command"


def make_screen_parser() -> argparse.ArgumentParser:
    """The parser of ``studio`` without a verb."""
    parser = argparse.ArgumentParser(
        prog="studio",
        description="Open the screen on a workflow file, or on a folder of them.",
        epilog="`studio --help` lists every command.",
        allow_abbrev=False,
        add_help=False,
    )
    parser.add_argument("path", metavar="PATH", nargs="?", default=".")
    add_looks(parser)
    add_state(parser)
    parser.add_argument("--no-color", action="store_true", help="draw without colours")
    return parser


def add_looks(parser: argparse.ArgumentParser) -> None:
    """How the screen looks and listens."""
    parser.add_argument("--theme", choices=THEMES, default="dark", help="default: dark")
    parser.add_argument("--ascii", action="store_true", help="draw with ASCII characters only")
    parser.add_argument("--no-mouse", action="store_true", help="leave the mouse to the terminal")


def open_path(words: Sequence[str], console: Console, open_screen: OpenScreen | None) -> int:
    """Carry out ``studio [PATH] [OPTION]...``; returns the exit status.

    Args:
        words: the command line.
        console: where to tell.
        open_screen: runs the screen; None where there is none.
    """
    try:
        args = make_screen_parser().parse_args(words)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else USAGE
    return show_screen(args.path, args, console, open_screen)


def show_screen(
    path: str, args: argparse.Namespace, console: Console, open_screen: OpenScreen | None
) -> int:
    """Open the screen on a path, or say why not and what to do instead; returns the exit status."""
    why_not = screen_hindrance(console)
    if why_not is not None or open_screen is None:
        from studio.cli.catalogue import overview  # lazy: not needed on the way to the screen

        console.complain(f"{why_not or 'this program has no screen'}; {HEADLESS}")
        console.say("\n" + overview())
        return USAGE
    options = ScreenOptions(
        path=path,
        state=getattr(args, "state", None),
        theme=args.theme,
        ascii=args.ascii or console.ascii,
        mouse=not args.no_mouse,
        colour=not args.no_color and not console.environ.get("NO_COLOR"),
    )
    return open_screen(options)


def screen_hindrance(console: Console) -> str | None:
    """Why the screen cannot be shown here; None when it can."""
    # Textual draws on standard error.
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        return "the screen needs a terminal on standard input, output and error"
    if console.environ.get("TERM") == "dumb":
        return "the screen cannot be drawn on a dumb terminal (TERM=dumb)"
    return None
