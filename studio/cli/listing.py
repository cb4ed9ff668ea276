"""``studio runs``: lists of runs, without loading definitions or the engine."""

from __future__ import annotations

import argparse
import os
import time

from studio.application.location import locate
from studio.application.runs import is_owned, list_runs
from studio.cli.arguments import Verb, add_json
from studio.cli.console import Console, date_and_time
from studio.projections.json_text import json_array
from studio.projections.listing import RUN_HEADINGS, run_cells, runs_document, table

STATES = (
    "running",
    "attention",
    "paused",
    "compensating",
    "succeeded",
    "failed",
    "cancelled",
    "compensated",
    "partly_compensated",
)


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--workflow", metavar="NAME", help="only runs of this workflow")
    parser.add_argument(
        "--state",
        metavar="STATE|DIR",
        dest="states",
        action="append",
        default=[],
        help=f"only runs in this state ({', '.join(STATES)}), may be repeated; anything else names the"
        " state folder, as with every command (a folder of such a name: ./failed)",
    )
    parser.add_argument("--open", action="store_true", help="only runs that have not ended")
    parser.add_argument(
        "--limit", metavar="N", type=_count, default=50, help="at most N (default 50)"
    )
    add_json(parser, "print a JSON array")


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("has to be at least 1")
    return number


def _runs(args: argparse.Namespace, console: Console) -> int:
    states = [word for word in args.states if word in STATES]
    folders = [word for word in args.states if word not in STATES]
    location = locate(None, folders[-1] if folders else None, os.environ)
    rows = list_runs(
        location,
        workflow=args.workflow,
        states=states,
        only_open=args.open,
        limit=args.limit,
    )
    if args.json:
        console.result(json_array(runs_document(rows, owned=is_owned(location))))
        return 0
    if not rows:
        filtered = args.workflow or states or args.open
        console.say(
            "no such runs"
            if filtered
            else "no runs yet; `studio run FILE` starts one, `studio demo` shows some"
        )
        return 0
    now, owned = time.time(), is_owned(location)
    cells = [run_cells(row, now, date_and_time, ascii=console.ascii, owned=owned) for row in rows]
    console.show_table(table(RUN_HEADINGS, cells, console.cells))
    return 0


VERBS = {
    "runs": Verb(
        _configure,
        _runs,
        (
            ("studio runs", "the newest fifty"),
            ("studio runs --state attention", "what needs you"),
            ("studio runs --workflow order_saga --limit 5 --json", "for a script"),
        ),
    )
}
