"""What the parsers of all verbs have in common."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from studio.application.location import Location
    from studio.cli.console import Console


class Verb(NamedTuple):
    """One subcommand.

    Args:
        configure: adds its arguments to a parser.
        carry_out: does it; returns the exit status.
        examples: command lines, each with a few words.
    """

    configure: Callable[[argparse.ArgumentParser], None]
    carry_out: Callable[[argparse.Namespace, Console], int]
    examples: Sequence[tuple[str, str]]


def make_parser(name: str, summary: str, verb: Verb) -> argparse.ArgumentParser:
    """The parser of one verb."""
    width = max(len(command) for command, _ in verb.examples)
    lines = [f"  {command:<{width}}  # {about}" for command, about in verb.examples]
    parser = argparse.ArgumentParser(
        prog=f"studio {name}",
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog="examples:\n" + "\n".join(lines),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    verb.configure(parser)
    parser.add_argument("--no-color", action="store_true", help="write no colours")
    return parser


def add_state(parser: argparse.ArgumentParser) -> None:
    """``--state DIR``."""
    parser.add_argument(
        "--state",
        metavar="DIR",
        help="state folder (default: $STUDIO_STATE, or .studio beside studio.toml or the file)",
    )


def add_run(parser: argparse.ArgumentParser) -> None:
    """The ``RUN`` argument, and where runs are looked for."""
    parser.add_argument("run", metavar="RUN", help="number of the run, `last`, or its id")
    add_state(parser)


def add_json(parser: argparse.ArgumentParser, what: str) -> None:
    """``--json``."""
    parser.add_argument("--json", action="store_true", help=what)


def add_acting(parser: argparse.ArgumentParser) -> None:
    """Options of every verb that changes a run."""
    parser.add_argument("--reason", metavar="TEXT", default="", help="why; kept in the history")
    parser.add_argument("--actor", metavar="NAME", help="who; default: the user's name")
    shown = parser.add_mutually_exclusive_group()
    add_json_to(shown, "print the run as one JSON document at the end")
    shown.add_argument("--plain", action="store_true", help="one line per change of state")
    shown.add_argument("--quiet", action="store_true", help="print nothing but errors")
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--wait",
        action="store_true",
        help="when an open studio takes it: wait until the run ends or needs a person",
    )
    how.add_argument(
        "--detach", action="store_true", help="only record it, for the next studio to carry out"
    )


def add_json_to(group: Any, what: str) -> None:
    """``--json`` in a group of options that exclude each other."""
    group.add_argument("--json", action="store_true", help=what)


def place_of(args: argparse.Namespace) -> Location:
    """The project and state folder that a verb about existing runs works on. Raises `DefinitionError`."""
    from studio.application.location import locate

    return locate(None, args.state, os.environ)


def state_option(location: Location) -> str:
    """What commands typed in this folder have to add to reach the same state folder; empty when nothing."""
    from studio.application.location import locate

    if locate(None, None, os.environ).state == location.state:
        return ""
    return f" --state {shlex.quote(os.path.relpath(location.state))}"
