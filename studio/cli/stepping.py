"""``studio breakpoint``, ``step`` and ``continue``."""

from __future__ import annotations

import argparse

from studio.application import verbs
from studio.cli.acting import act, add_run_and_node
from studio.cli.arguments import Verb
from studio.cli.console import Console
from studio.errors import DefinitionError


def _configure_breakpoint(parser: argparse.ArgumentParser) -> None:
    add_run_and_node(parser)
    parser.add_argument("--when", metavar="EXPR", help="stop only if this expression is true")
    parser.add_argument(
        "--on",
        choices=("before", "after", "failure"),
        default="before",
        help="where to stop (default: before the node)",
    )
    parser.add_argument("--clear", action="store_true", help="take the breakpoint away")


def _breakpoint(args: argparse.Namespace, console: Console) -> int:
    if args.clear:
        return act(
            args,
            console,
            lambda run: verbs.clear_breakpoint(run, args.node, reason=args.reason),
            "taken",
        )
    return act(
        args,
        console,
        lambda run: verbs.set_breakpoint(
            run, args.node, on=args.on, when=args.when, reason=args.reason
        ),
        "taken",
    )


def _configure_step(parser: argparse.ArgumentParser) -> None:
    add_run_and_node(parser, optional=True)
    parser.add_argument(
        "--wave", action="store_true", help="everything that is ready, not one node"
    )
    parser.add_argument("--until", metavar="NODE", help="run to this node")


def _step(args: argparse.Namespace, console: Console) -> int:
    if args.until is not None and (args.node is not None or args.wave):
        raise DefinitionError("--until goes with neither NODE nor --wave")
    return act(
        args,
        console,
        lambda run: verbs.step(
            run, args.node, wave=args.wave, until=args.until, reason=args.reason
        ),
    )


def _continue(args: argparse.Namespace, console: Console) -> int:
    return act(args, console, lambda run: verbs.go_on(run, args.node, reason=args.reason))


VERBS = {
    "breakpoint": Verb(
        _configure_breakpoint,
        _breakpoint,
        (
            ("studio breakpoint 7 charge_card", "stop before it"),
            (
                "studio breakpoint 7 load --on after --when 'len(output.rows) == 0'",
                "on a condition",
            ),
            ("studio breakpoint 7 load --clear", "take it away"),
        ),
    ),
    "step": Verb(
        _configure_step,
        _step,
        (
            ("studio step 7", "the next ready node"),
            ("studio step 7 --wave", "all that is ready"),
            ("studio step 7 --until load", "run to a node"),
        ),
    ),
    "continue": Verb(
        lambda parser: add_run_and_node(parser, optional=True),
        _continue,
        (
            ("studio continue 7", "leave breakpoints and step mode"),
            ("studio continue 7 load", "leave the breakpoint at one node"),
        ),
    ),
}
