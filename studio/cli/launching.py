"""``studio run``: start a workflow and follow it."""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from typing import Any

from studio.application.inputs import read_params, read_warnings
from studio.application.location import locate
from studio.application.studio import Launch
from studio.application.verbs import new_id
from studio.cli.arguments import Verb, add_json_to, add_state
from studio.cli.console import Console
from studio.cli.driving import Drive, Options, drive, read_options


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="workflow file, YAML or JSON")
    parser.add_argument(
        "-p",
        "--param",
        metavar="NAME=VALUE",
        dest="params",
        action="append",
        default=[],
        help="value of a parameter, read by its declared type; may be repeated",
    )
    parser.add_argument(
        "--params", metavar="FILE", dest="params_file", help="parameters from a JSON or YAML file"
    )
    parser.add_argument(
        "--hold", action="store_true", help="hold failed nodes for a person instead of failing"
    )
    parser.add_argument(
        "--until", metavar="NODE", help="run only what leads to this node, then stop"
    )
    shown = parser.add_mutually_exclusive_group()
    add_json_to(shown, "print the run as one JSON document at the end")
    shown.add_argument(
        "--events", action="store_true", help="print the history as JSON lines while it happens"
    )
    shown.add_argument("--plain", action="store_true", help="one line per change of state")
    shown.add_argument("--quiet", action="store_true", help="print nothing but errors")
    parser.add_argument(
        "--watch",
        action="store_true",
        help="go on after the run, and run again what each save of its files changes, until ^C",
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--wait", action="store_true", help="when an open studio takes it: wait until the run rests"
    )
    how.add_argument(
        "--detach", action="store_true", help="only record it, for the next studio to carry out"
    )
    parser.add_argument("--actor", metavar="NAME", help="who; default: the user's name")
    add_state(parser)


def _run(args: argparse.Namespace, console: Console) -> int:
    given = read_params(args.params_file) if args.params_file else {}
    if args.watch:
        from studio.cli.watching import watch_file  # lazy: brings in the watcher

        return watch_file(
            console,
            args.file,
            read_options(args),
            state=args.state,
            params=given,
            assignments=tuple(args.params),
            until=args.until,
        )
    return run_file(
        console,
        args.file,
        read_options(args),
        state=args.state,
        params=given,
        assignments=tuple(args.params),
        hold=args.hold,
        until=args.until,
    )


def run_file(
    console: Console,
    file: str,
    options: Options,
    *,
    state: str | None = None,
    params: dict[str, Any] | None = None,
    assignments: tuple[str, ...] = (),
    hold: bool = False,
    until: str | None = None,
    policy: str | None = None,
) -> int:
    """Start a run of a file and follow it to its rest; returns the exit status.

    Args:
        console: where to tell.
        file: the workflow file as it was named.
        options: how to behave.
        state: value of ``--state``.
        params: values of parameters by name.
        assignments: ``name=value`` texts; they win.
        hold: whether failed nodes are held for a person.
        until: node to stop after.
        policy: failure policy, when it is not what the file or ``hold`` says.
    """
    location = locate(file, state, os.environ)
    chosen: Any = "hold" if hold else policy
    launch = Launch(
        file=os.path.abspath(file),
        display=file,
        params=params or {},
        assignments=assignments,
        policy=chosen,
        until=until,
        command=new_id(),
        actor=options.actor,
    )

    async def body(connection: Drive) -> int:
        # Errors in the file are told here, with their places, not by an owner elsewhere.
        told = () if connection.studio.owns else read_warnings(file)
        number = await connection.launch(launch)
        if not options.quiet:
            for warning in told or connection.studio.warnings:
                console.say(warning)
        return await connection.conclude(number)

    # A document at the end wants an end: with --json an open studio is waited for.
    return drive(console, location, replace(options, wait=options.wait or options.json), body)


VERBS = {
    "run": Verb(
        _configure,
        _run,
        (
            ("studio run orders.yaml", "with live progress"),
            ("studio run orders.yaml -p order_id=A-17 --hold", "stop at failures for a person"),
            ("studio run orders.yaml --json | jq .outputs", "one document at the end"),
            ("studio run etl.yaml --until validate", "only what leads to validate"),
            ("studio run etl.yaml --watch", "run again what each save changes"),
        ),
    )
}
