"""The command line: ``studio COMMAND``. Importing this loads none of the commands."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from studio.errors import (
    DefinitionError,
    NotFoundError,
    RefusedError,
    StudioError,
)

if TYPE_CHECKING:
    from studio.cli.arguments import Verb
    from studio.cli.screen import OpenScreen

DONE, FAILED, USAGE, NEEDS_PERSON, REFUSED, INTERRUPTED = 0, 1, 2, 3, 4, 130
"""Exit statuses (interface.md, "Command line")."""


def main(argv: Sequence[str] | None = None, *, open_screen: OpenScreen | None = None) -> int:
    """Carry out a command line.

    Args:
        argv: its words without the program's name; None takes those of the process.
        open_screen: runs the screen; None where there is none.

    Returns:
        The exit status.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        status = _dispatch(words, open_screen)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read the results has gone; nothing can be told any more, and the flush at exit must not fail.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    return status


def _dispatch(words: list[str], open_screen: OpenScreen | None) -> int:
    name = words[0] if words else ""
    if name in ("-h", "--help", "help"):
        return _help(words[1:])
    if name == "--version":
        from studio import __version__

        print(f"studio {__version__}")
        return DONE
    from studio.cli.catalogue import CATALOGUE

    entry = CATALOGUE.get(name)
    if entry is None:
        return _without_verb(words, open_screen)
    return _carry_out(name, words[1:], open_screen)


def _carry_out(name: str, words: Sequence[str], open_screen: OpenScreen | None = None) -> int:
    from studio.cli.arguments import make_parser
    from studio.cli.catalogue import CATALOGUE
    from studio.cli.console import open_console

    verb = _load(name)
    try:
        args = make_parser(name, CATALOGUE[name].summary, verb).parse_args(words)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else USAGE
    args.open_screen = open_screen
    console = open_console(colour=not args.no_color)
    try:
        return verb.carry_out(args, console)
    except StudioError as error:
        _tell(console, error)
        return _status_of(error)


def _load(name: str) -> Verb:
    from importlib import import_module

    from studio.cli.catalogue import CATALOGUE

    module = import_module(f"studio.cli.{CATALOGUE[name].module}")
    verb: Verb = module.VERBS[name]
    return verb


def _tell(console: object, error: StudioError) -> None:
    from studio.cli.console import Console
    from studio.projections.text import sanitise

    assert isinstance(console, Console)
    if hasattr(error, "diagnostics"):
        # Problems in files stand one per line, with nothing before the place, for editors to jump to.
        for line in str(error).splitlines():
            console.say(sanitise(line))
    else:
        console.complain(str(error))


def _status_of(error: StudioError) -> int:
    if isinstance(error, RefusedError):
        return REFUSED
    if isinstance(error, DefinitionError | NotFoundError):
        return USAGE
    return FAILED


def _help(words: Sequence[str]) -> int:
    from studio.cli.catalogue import CATALOGUE, overview

    if words and words[0] in CATALOGUE:
        return _carry_out(words[0], ["--help"])
    print(overview())
    return DONE


def _without_verb(words: Sequence[str], open_screen: OpenScreen | None) -> int:
    """``studio``, ``studio PATH``, or something that is neither."""
    from studio.cli.console import open_console

    console = open_console(colour="--no-color" not in words)
    name = words[0] if words else "."
    if not name.startswith("-") and not os.path.exists(name):
        from difflib import get_close_matches

        from studio.cli.catalogue import CATALOGUE

        near = get_close_matches(name, CATALOGUE, n=1)
        hint = f'; did you mean "{near[0]}"?' if near else "; `studio --help` lists the commands"
        console.complain(f'unknown command or file "{name}"{hint}')
        return USAGE
    from studio.cli.screen import open_path

    try:
        return open_path(words, console, open_screen)
    except StudioError as error:
        _tell(console, error)
        return _status_of(error)
