"""``studio pause``, ``resume``, ``cancel``, ``hold`` and ``release``."""

from __future__ import annotations

import argparse
import asyncio

from studio.application import verbs
from studio.application.runs import interrupted_runs
from studio.cli import DONE, FAILED
from studio.cli.acting import act, add_run_and_node, find_run
from studio.cli.arguments import Verb, add_acting, add_run, add_state, place_of
from studio.cli.console import Console
from studio.cli.driving import Drive, Goal, drive, read_options
from studio.projections.json_text import json_array
from studio.projections.run_document import run_document


def _configure_run(parser: argparse.ArgumentParser) -> None:
    add_run(parser)
    add_acting(parser)


def _configure_resume(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "run",
        metavar="RUN",
        nargs="?",
        help="number of the run, `last`, or its id; without it: every interrupted run",
    )
    add_state(parser)
    add_acting(parser)


def _pause(args: argparse.Namespace, console: Console) -> int:
    return act(args, console, lambda run: verbs.pause(run, reason=args.reason), "taken")


def _resume(args: argparse.Namespace, console: Console) -> int:
    if args.run is None:
        return _resume_all(args, console)
    location = place_of(args)
    row = find_run(location, args.run)
    number = int(row.run)
    if row.paused or not row.open:
        return act(args, console, lambda run: verbs.resume(run, reason=args.reason))

    async def body(connection: Drive) -> int:
        # Not paused: to take it up is all there is to do, and may be enough to bring it to its end.
        connection.runs.append(number)
        before = connection.position(number)
        await connection.studio.take_up(number, connection.sender)
        return await connection.conclude(number, "run", before)

    return drive(console, location, read_options(args), body)


def _resume_all(args: argparse.Namespace, console: Console) -> int:
    """Take up every run that could go on by itself; paused ones and those that need a person are only named."""
    location = place_of(args)
    going, waiting = interrupted_runs(location)
    for row in waiting:
        why = "is paused" if row.paused else "needs you"
        console.say(f"run {row.run} {why}; `studio show {row.run}` tells more")
    if not going:
        console.say("no interrupted run")
        return DONE
    numbers = [int(row.run) for row in going]

    async def body(connection: Drive) -> int:
        connection.runs.extend(numbers)
        connection.several = len(numbers) > 1
        before = {number: connection.position(number) for number in numbers}
        for number in numbers:
            await connection.studio.take_up(number, connection.sender)
        statuses = await asyncio.gather(
            *(connection.conclude(number, "run", before[number]) for number in numbers)
        )
        if connection.several and connection.options.json:
            views = [connection.studio.view(number) for number in numbers]
            documents = [run_document(view.state, view.run) for view in views]
            console.result(json_array(documents))
        return FAILED if FAILED in statuses else max(statuses)

    return drive(console, location, read_options(args), body)


def _cancel(args: argparse.Namespace, console: Console) -> int:
    goal: Goal = "cancelled" if args.node is None else "run"
    return act(args, console, lambda run: verbs.cancel(run, args.node, reason=args.reason), goal)


def _hold(args: argparse.Namespace, console: Console) -> int:
    return act(args, console, lambda run: verbs.hold(run, args.node, reason=args.reason), "taken")


def _release(args: argparse.Namespace, console: Console) -> int:
    return act(args, console, lambda run: verbs.release(run, args.node, reason=args.reason))


VERBS = {
    "pause": Verb(
        _configure_run, _pause, (("studio pause 7", "what runs finishes, nothing starts"),)
    ),
    "resume": Verb(
        _configure_resume,
        _resume,
        (
            ("studio resume 7", "leave a pause, or take up a run whose studio died"),
            ("studio resume", "take up every interrupted run"),
        ),
    ),
    "cancel": Verb(
        lambda parser: add_run_and_node(parser, optional=True),
        _cancel,
        (
            ("studio cancel 7", "end the run"),
            ("studio cancel 7 load", "end one node"),
        ),
    ),
    "hold": Verb(
        add_run_and_node, _hold, (("studio hold 7 ship_order", "before its start or next retry"),)
    ),
    "release": Verb(
        add_run_and_node, _release, (("studio release 7 ship_order", "open its gate again"),)
    ),
}
