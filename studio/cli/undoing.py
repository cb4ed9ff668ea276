"""``studio compensate``: undo what a run did, in reverse order."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from studio.application import verbs
from studio.application.reading import Reading
from studio.application.runs import find_row
from studio.cli import DONE
from studio.cli.acting import act
from studio.cli.arguments import Verb, add_acting, add_run, place_of
from studio.cli.console import Console
from studio.cli.driving import refused
from studio.projections.json_text import json_text
from studio.projections.text import sanitise
from studio.projections.undo_plan import (
    UndoList,
    UndoStep,
    list_undo,
    undo_document,
)

if TYPE_CHECKING:
    pass


def _configure(parser: argparse.ArgumentParser) -> None:
    add_run(parser)
    parser.add_argument("nodes", metavar="NODE", nargs="*", help="only these nodes")
    parser.add_argument("--plan", action="store_true", help="only show what would be undone")
    parser.add_argument("--downstream", action="store_true", help="what follows the nodes too")
    parser.add_argument(
        "--force",
        action="store_true",
        help="go past irreversible nodes, and past nodes that still stand on the undone one"
        " (needs --reason)",
    )
    add_acting(parser)


def _compensate(args: argparse.Namespace, console: Console) -> int:
    if args.plan:
        return _show_plan(args, console)
    return act(
        args,
        console,
        lambda run: verbs.compensate(
            run,
            args.nodes,
            downstream=args.downstream,
            force=args.force,
            reason=args.reason,
        ),
        "undone",
    )


def _show_plan(args: argparse.Namespace, console: Console) -> int:
    reading = Reading(place_of(args).state)
    try:
        view = reading.view(find_row(reading, args.run).run)
        found = list_undo(
            view.state,
            view.run,
            args.nodes,
            downstream=args.downstream,
            force=args.force,
            reason=args.reason,
        )
        number = view.run.number
    finally:
        reading.close()
    if not isinstance(found, UndoList):
        raise refused(found)
    if found.note:
        console.say(found.note)
    if args.json:
        console.result(json_text(undo_document(number, found.steps, found.asked)))
        return DONE
    for path in found.asked:
        node = sanitise(path)
        console.result(
            f"  ?  {node} may have acted before it failed: the undo waits for"
            f" `studio mark {number} {node} succeeded` (then it is undone too) or `failed`"
        )
    for index, step in enumerate(found.steps, 1):
        console.result(f"{index:>3}  {_line(step)}")
    return DONE


def _line(step: UndoStep) -> str:
    node = sanitise(step.node)
    if step.barrier:
        return f"{node} is irreversible: the plan stops here"
    nth = f", attempt {step.attempt}" if step.attempt > 1 else ""
    return f"undo {node} by {sanitise(step.undo or '')}{nth}"


VERBS = {
    "compensate": Verb(
        _configure,
        _compensate,
        (
            ("studio compensate 7 --plan", "what would be undone, in which order"),
            ("studio compensate 7", "undo the whole run"),
            ("studio compensate 7 ship_order --downstream", "a node and what follows it"),
        ),
    )
}
