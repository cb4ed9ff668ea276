"""The arguments of ``studio [PATH]``, and those it shares with the verbs that open the screen."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from studio.application.screen_options import THEMES, ScreenOptions
from studio.cli.arguments import add_state


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


def read_options(words: Sequence[str]) -> ScreenOptions:
    """What a command line without a verb says. Raises `SystemExit` when it cannot be understood."""
    args = make_screen_parser().parse_args(words)
    return options_of(args.path, args)


def options_of(path: str, args: argparse.Namespace) -> ScreenOptions:
    """How the screen was asked to start on a path."""
    return ScreenOptions(
        path=path,
        state=getattr(args, "state", None),
        theme=args.theme,
        ascii=args.ascii,
        mouse=not args.no_mouse,
        colour=not args.no_color,
    )
