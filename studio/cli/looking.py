"""``studio show``, ``history`` and ``why``: looking at a run without disturbing it."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from studio.application.reading import Reading, RunView
from studio.application.runs import find_row, is_owned
from studio.cli import DONE
from studio.cli.arguments import Verb, add_json, add_run, place_of
from studio.cli.console import Console, date_and_time, exact_time_of_day
from studio.projections.history_lines import event_document, phrase
from studio.projections.json_text import json_array, json_text
from studio.projections.listing import NODE_HEADINGS, node_cells, seconds_taken, table
from studio.projections.masking import Mask, learn_record
from studio.projections.moments import span
from studio.projections.needs import needs_of
from studio.projections.reasons import reasons_of
from studio.projections.run_document import node_document, run_document
from studio.projections.signs import sign
from studio.projections.text import pad, sanitise


@contextmanager
def viewing(args: argparse.Namespace) -> Iterator[tuple[Reading, RunView]]:
    """The history a verb looks at, and the run it names.

    Raises `NotFoundError`, `StorageError`.
    """
    reading = Reading(place_of(args).state)
    try:
        yield reading, reading.view(find_row(reading, args.run).run)
    finally:
        reading.close()


# --------------------------------------------------------------------------- show


def _configure_show(parser: argparse.ArgumentParser) -> None:
    add_run(parser)
    parser.add_argument("node", metavar="NODE", nargs="?", help="path of a node, such as each[3]")
    add_json(parser, "print one JSON document")


def _show(args: argparse.Namespace, console: Console) -> int:
    owned = is_owned(place_of(args))
    with viewing(args) as (_, view):
        if args.node is not None:
            document = node_document(view.state, view.run, args.node)
            if args.json:
                console.result(json_text(document))
            else:
                _show_node(console, document)
        elif args.json:
            console.result(json_text(run_document(view.state, view.run, owned=owned)))
        else:
            _show_run(console, view, owned)
    return DONE


def _show_run(console: Console, view: RunView, owned: bool) -> None:
    run = view.run
    document = run_document(view.state, run, owned=owned)
    state = "interrupted" if document["interrupted"] else document["state"]
    shown = sign("paused" if run.paused else state)
    glyph = shown.ascii if console.ascii else shown.glyph
    took = ""
    if run.finished_at is not None:
        took = f"  in {span(seconds_taken(run, run.finished_at))}"
        if run.rested >= 1:
            took += f", and {span(run.rested)} at rest"
    name = sanitise(document["workflow"])
    head = console.styled(f"{glyph} {shown.word}", shown.tone)
    console.result(f"run {run.number}  {name}  {head}{took}")
    facts: dict[str, Any] = {
        "started": date_and_time(run.started_at) + (f" by {run.by.actor}" if run.by else ""),
        "file": run.file,
        "version": document["version"]
        + (
            f", mixed versions: `studio rerun {run.number} --all` runs it afresh, to verify"
            if document["mixed_versions"]
            else ""
        ),
        "policy": f"on failure: {run.policy}",
        "params": json_text(document["params"], indent=None) if document["params"] else "",
        "outputs": json_text(document["outputs"], indent=None) if document["outputs"] else "",
        "message": document["message"],
    }
    for label, value in facts.items():
        if value:
            console.result(f"  {label:<8} {sanitise(str(value))}")
    console.result("")
    rows = node_cells(view.state, run, ascii=console.ascii)
    console.show_table(table(NODE_HEADINGS, rows, console.cells))
    if document["interrupted"]:
        console.result("")
        console.result(f"nobody drives this run; `studio resume {run.number}` goes on with it")
    needs = needs_of(view.state, run)
    if needs and not run.ended:
        console.result("")
        for need in needs:
            console.result(f"needs you: {sanitise(need.node)}: {need.why or need.state}")
            for hint in need.hints:
                console.result(f"  studio {sanitise(hint)}")


def _show_node(console: Console, document: dict[str, Any]) -> None:
    shown = sign(document["state"])
    glyph = shown.ascii if console.ascii else shown.glyph
    state = console.styled(f"{glyph} {shown.word}", shown.tone)
    console.result(f"{sanitise(document['node'])}  {state}  (run {document['run']})")
    error = document["error"]
    facts = {
        "uses": document["uses"],
        "needs": ", ".join(document["needs"]),
        "attempts": str(document["attempts"]) if document["attempts"] else "",
        "started": document["started_at"],
        "finished": document["finished_at"],
        "port": document["port"],
        "marks": ", ".join(document["marks"]),
        "reason": document["reason"],
        "error": f"{error['type']}: {error['message']} ({error['category']})" if error else "",
    }
    for label, value in facts.items():
        if value:
            console.result(f"  {label:<9} {sanitise(value)}")
    for line in (document["traceback"] or "").splitlines():
        console.result(f"  | {sanitise(line)}")
    for label in ("input", "output"):
        if document[label] is not None:
            console.result(f"  {label}")
            for line in json_text(document[label]).splitlines():
                console.result(f"    {line}")


# --------------------------------------------------------------------------- history


def _configure_history(parser: argparse.ArgumentParser) -> None:
    add_run(parser)
    add_json(parser, "print a JSON array, one event a line")


def _history(args: argparse.Namespace, console: Console) -> int:
    with viewing(args) as (reading, view):
        run = view.run
        mask = Mask(run.plan.workflow, run.params)
        if args.json:
            records = reading.records(run.number)
            console.result(json_array([event_document(record, mask) for record in records]))
            return DONE
        for record in reading.records(run.number):
            learn_record(mask, record)
            said = phrase(record.event, record.at)
            shown = sign(said.state)
            head = f"{record.position:>6}  {exact_time_of_day(record.at)}  "
            subject = pad(sanitise(said.subject or f"run {run.number}"), 20)
            glyph = shown.ascii if console.ascii else shown.glyph
            state = console.styled(f"{glyph} {subject}  {shown.word}".rstrip(), shown.tone)
            text = sanitise(mask.text(said.text))
            console.result(f"{head}{state}  {text}".rstrip())
    return DONE


# --------------------------------------------------------------------------- why


def _configure_why(parser: argparse.ArgumentParser) -> None:
    add_run(parser)
    parser.add_argument("node", metavar="NODE", help="path of a node, such as each[3]")
    add_json(parser, "print the reasons as one JSON document")


def _why(args: argparse.Namespace, console: Console) -> int:
    driven = is_owned(place_of(args))
    with viewing(args) as (_, view):
        document = reasons_of(view.state, view.run, args.node, time.time(), driven=driven)
    if args.json:
        console.result(json_text(document))
        return DONE
    shown = sign(document["state"])
    glyph = shown.ascii if console.ascii else shown.glyph
    state = console.styled(f"{glyph} {shown.word}", shown.tone)
    console.result(f"{sanitise(document['node'])}  {state}  (run {document['run']})")
    for reason in document["reasons"]:
        console.result(f"  {sanitise(reason['text'])}")
    return DONE


VERBS = {
    "show": Verb(
        _configure_show,
        _show,
        (
            ("studio show last", "the newest run"),
            ("studio show 7 charge_card", "one node: input, output, error"),
            ("studio show 7 --json", "one document"),
        ),
    ),
    "history": Verb(
        _configure_history,
        _history,
        (
            ("studio history 7", "every event in words"),
            ("studio history 7 --json", "with every field"),
        ),
    ),
    "why": Verb(
        _configure_why,
        _why,
        (("studio why 7 ship_order", "why it has not started, was skipped, failed …"),),
    ),
}
