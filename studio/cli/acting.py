"""One verb about one run: found, sent, followed."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from studio.application import verbs
from studio.application.location import Location
from studio.application.reading import Reading
from studio.application.runs import RunRow, find_row
from studio.application.verbs import AnyCommand
from studio.cli.arguments import add_acting, add_run, place_of
from studio.cli.console import Console
from studio.cli.driving import Drive, Goal, drive, read_options
from studio.errors import DefinitionError

Make = Callable[[int], AnyCommand]
"""The command for the run with a number."""


def add_run_and_node(parser: argparse.ArgumentParser, *, optional: bool = False) -> None:
    """``RUN NODE``, or ``RUN [NODE]``, and the options of acting verbs."""
    add_run(parser)
    about = "path of a node, such as each[3]"
    parser.add_argument("node", metavar="NODE", nargs="?" if optional else None, help=about)
    add_acting(parser)


def find_run(location: Location, reference: str) -> RunRow:
    """The run a person named. Raises `NotFoundError`, `StorageError`."""
    reading = Reading(location.state)
    try:
        return find_row(reading, reference)
    finally:
        reading.close()


def act(args: argparse.Namespace, console: Console, make: Make, goal: Goal = "run") -> int:
    """Send a command about the run that ``args`` names, and follow it; returns the exit status.

    Args:
        args: parsed options of `add_run_and_node` and the like.
        console: where to tell.
        make: builds the command.
        goal: what makes the verb a success.

    Raises `RefusedError`, `NotFoundError`, `StorageError`.
    """
    location = place_of(args)
    number = int(find_run(location, args.run).run)
    command = make(number)

    async def body(connection: Drive) -> int:
        before = await connection.send(command)
        return await connection.conclude(number, goal, before)

    return drive(console, location, read_options(args), body)


def one_value(args: argparse.Namespace, what: str) -> tuple[Any] | None:
    """The value of ``JSON | --revert``: a tuple of one, or None to revert.

    Raises `DefinitionError` unless exactly one of them is given.
    """
    if args.revert == (args.value is not None):
        raise DefinitionError(f"give either a JSON value for {what}, or --revert")
    return None if args.revert else (verbs.parse_json(args.value, what),)
