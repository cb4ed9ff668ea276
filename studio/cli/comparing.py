"""``studio diff``: two runs beside each other."""

from __future__ import annotations

import argparse

from studio.application.reading import Reading, RunView
from studio.application.runs import find_row
from studio.cli import DONE
from studio.cli.arguments import Verb, add_json, add_state, place_of
from studio.cli.console import Console
from studio.projections.json_text import json_text
from studio.projections.run_diff import RunDiff, Side, diff_document
from studio.projections.run_diff_lines import diff_lines


def _configure(parser: argparse.ArgumentParser) -> None:
    about = "number of a run, `last`, or its id"
    parser.add_argument("before", metavar="RUN", help=about)
    parser.add_argument("after", metavar="RUN", help=f"{about}: what it is compared with")
    add_state(parser)
    add_json(parser, "print one JSON document")


def _diff(args: argparse.Namespace, console: Console) -> int:
    reading = Reading(place_of(args).state)
    try:
        views = [reading.view(find_row(reading, name).run) for name in (args.before, args.after)]
        diff = RunDiff(_side(views[0]), _side(views[1]))
        if args.json:
            console.result(json_text(diff_document(diff)))
            return DONE
        for line in diff_lines(diff, ascii=console.ascii):
            console.result(console.styled(line.text, line.tone))
    finally:
        reading.close()
    return DONE


def _side(view: RunView) -> Side:
    return Side(view.state, view.run)


VERBS = {
    "diff": Verb(
        _configure,
        _diff,
        (
            ("studio diff 41 42", "where two runs went different ways"),
            ("studio diff 41 last --json", "one document"),
        ),
    ),
}
