"""``studio retry``, ``mark``, ``output``, ``input`` and ``rerun``."""

from __future__ import annotations

import argparse

from studio.application import verbs
from studio.application.inputs import hindrance
from studio.application.reading import Reading
from studio.application.runs import find_row
from studio.cli.acting import act, add_run_and_node, find_run, one_value
from studio.cli.arguments import Verb, add_acting, add_run, place_of
from studio.cli.console import Console
from studio.cli.driving import read_options
from studio.cli.launching import run_file
from studio.errors import DefinitionError, RefusedError
from studio.projections.screen.again import retry_warning
from studio.projections.text import sanitise


def _configure_retry(parser: argparse.ArgumentParser) -> None:
    add_run_and_node(parser)
    parser.add_argument(
        "--downstream",
        action="store_true",
        help="run what follows again too, where its input differs",
    )
    parser.add_argument("--input", metavar="JSON", help="input of the new attempt")


def _retry(args: argparse.Namespace, console: Console) -> int:
    value = None if args.input is None else (verbs.parse_json(args.input, "the input"),)
    _tell_hindrance(args, console)
    _tell_consequence(args, console)
    return act(
        args,
        console,
        lambda run: verbs.retry(
            run, args.node, downstream=args.downstream, input=value, reason=args.reason
        ),
    )


def _tell_hindrance(args: argparse.Namespace, console: Console) -> None:
    row = find_run(place_of(args), args.run)
    why = hindrance(row.file)
    if why is not None and not args.quiet:
        console.say(
            f"{sanitise(row.file)} {why}; run {row.run} goes on under the definition it has"
        )


def _tell_consequence(args: argparse.Namespace, console: Console) -> None:
    """Say what a retry of a step that has acted means; nobody is asked, as a script could not answer."""
    if args.quiet:
        return
    reading = Reading(place_of(args).state)
    try:
        run = reading.view(find_row(reading, args.run).run).run
    finally:
        reading.close()
    warning = retry_warning(run, args.node, downstream=args.downstream)
    if warning:
        console.say(f"studio: {sanitise(warning)}")


def _configure_mark(parser: argparse.ArgumentParser) -> None:
    add_run_and_node(parser)
    parser.add_argument(
        "outcome",
        metavar="OUTCOME",
        choices=("succeeded", "skipped", "ignored", "failed"),
        help="succeeded, skipped, ignored (stays failed, does not fail the run) or failed (give up)",
    )
    parser.add_argument("--output", metavar="JSON", help="output of a node marked succeeded")
    parser.add_argument("--port", metavar="PORT", default="", help="port it leaves by")


def _mark(args: argparse.Namespace, console: Console) -> int:
    if args.outcome != "succeeded" and (args.output is not None or args.port):
        raise DefinitionError("--output and --port go with `succeeded` only")
    output = None if args.output is None else verbs.parse_json(args.output, "the output")
    return act(
        args,
        console,
        lambda run: verbs.mark(
            run, args.node, args.outcome, output=output, port=args.port, reason=args.reason
        ),
    )


def _configure_value(parser: argparse.ArgumentParser) -> None:
    add_run_and_node(parser)
    parser.add_argument("value", metavar="JSON", nargs="?", help="the value")
    parser.add_argument("--revert", action="store_true", help="take the override back")


def _output(args: argparse.Namespace, console: Console) -> int:
    value = one_value(args, "the output")
    return act(
        args,
        console,
        lambda run: verbs.override_output(run, args.node, value, reason=args.reason),
        "taken",
    )


def _input(args: argparse.Namespace, console: Console) -> int:
    value = one_value(args, "the input")
    return act(
        args,
        console,
        lambda run: verbs.override_input(run, args.node, value, reason=args.reason),
        "taken",
    )


def _configure_rerun(parser: argparse.ArgumentParser) -> None:
    add_run(parser)
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--stale", action="store_true", help="nodes whose input or definition is old (default)"
    )
    what.add_argument(
        "--from", metavar="NODE", dest="start", help="this node and all that follows it"
    )
    what.add_argument(
        "--all", action="store_true", help="a fresh run of the file with the same parameters"
    )
    add_acting(parser)


def _rerun(args: argparse.Namespace, console: Console) -> int:
    if args.all:
        return _run_afresh(args, console)
    return act(args, console, lambda run: verbs.rerun(run, args.start, reason=args.reason))


def _run_afresh(args: argparse.Namespace, console: Console) -> int:
    reading = Reading(place_of(args).state)
    try:
        run = reading.view(find_row(reading, args.run).run).run
    finally:
        reading.close()
    if not run.file:
        raise RefusedError(
            f"run {run.number} was not started from a file. Start one with `studio run`."
        )
    return run_file(
        console,
        run.file,
        read_options(args),
        state=args.state,
        params=dict(run.params),
        policy=run.policy,
    )


VERBS = {
    "retry": Verb(
        _configure_retry,
        _retry,
        (
            ("studio retry 7 charge_card", "a new attempt now"),
            ("studio retry 7 load --downstream", "and what follows it"),
            ("studio retry 7 load --input '{\"rows\": 10}'", "with another input"),
        ),
    ),
    "mark": Verb(
        _configure_mark,
        _mark,
        (
            ("studio mark 7 charge_card succeeded --output '{\"id\": 1}'", "it happened, by hand"),
            ("studio mark 7 notify skipped", "go on without it"),
            ("studio mark 7 load failed --reason 'wrong file'", "give it up"),
        ),
    ),
    "output": Verb(
        _configure_value,
        _output,
        (
            ("studio output 7 load '{\"rows\": []}'", "what follows becomes stale"),
            ("studio output 7 load --revert", "its own output again"),
        ),
    ),
    "input": Verb(
        _configure_value,
        _input,
        (
            ("studio input 7 load '{\"limit\": 5}'", "for its next attempt"),
            ("studio input 7 load --revert", "the computed input again"),
        ),
    ),
    "rerun": Verb(
        _configure_rerun,
        _rerun,
        (
            ("studio rerun 7", "what is stale"),
            ("studio rerun 7 --from transform", "a node and all that follows it"),
            ("studio rerun 7 --all", "a fresh run, to verify"),
        ),
    ),
}
