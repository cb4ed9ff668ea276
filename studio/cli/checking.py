"""``studio check``, ``schema`` and ``new``: workflow files without a run."""

from __future__ import annotations

import argparse
from typing import Any

from studio.application.files import CheckedFile, begin_workflow, check_paths, schema, templates
from studio.cli import DONE, USAGE
from studio.cli.arguments import Verb, add_json
from studio.cli.console import Console
from studio.projections.json_text import json_text
from studio.projections.text import sanitise


def _configure_check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths",
        metavar="PATH",
        nargs="*",
        default=["."],
        help="files, or folders that are searched (default: the current one)",
    )
    add_json(parser, "print the findings as one JSON document")


def _check(args: argparse.Namespace, console: Console) -> int:
    found = check_paths(args.paths)
    failed = [file for file in found.files if not file.valid]
    status = USAGE if failed else DONE
    if args.json:
        files = [_document(file) for file in found.files]
        document = {"valid": not failed, "files": files, "skipped": list(found.skipped)}
        console.result(json_text(document))
        return status
    for file in found.files:
        for one in file.diagnostics:
            console.result(sanitise(str(one)))
    for note in found.skipped:
        console.say(f"skipped {sanitise(note)}")
    if not found.files:
        console.say(
            "no workflow files found; `studio new NAME` begins one, `studio demo` shows some"
        )
    else:
        good = len(found.files) - len(failed)
        console.say(
            f"{good} of {len(found.files)} {'file' if len(found.files) == 1 else 'files'} valid"
        )
    return status


def _document(file: CheckedFile) -> dict[str, Any]:
    return {
        "path": file.path,
        "valid": file.valid,
        "workflow": file.workflow.name if file.workflow is not None else None,
        "problems": [
            {
                "file": one.place.file,
                "line": one.place.line,
                "column": one.place.column,
                "severity": one.severity,
                "code": one.code,
                "message": one.message,
            }
            for one in file.diagnostics
        ],
    }


def _configure_schema(parser: argparse.ArgumentParser) -> None:
    del parser  # it takes no arguments


def _schema(args: argparse.Namespace, console: Console) -> int:
    console.result(json_text(schema()))
    return DONE


def _configure_new(parser: argparse.ArgumentParser) -> None:
    names = ", ".join(f"{one.name} ({one.summary})" for one in templates())
    parser.add_argument(
        "name", metavar="NAME", help="id of the workflow; its files are called after it"
    )
    parser.add_argument(
        "--template", metavar="T", default="minimal", help=f"what to begin from: {names}"
    )
    parser.add_argument(
        "--folder", metavar="DIR", default=".", help="where to write (default: here)"
    )


def _new(args: argparse.Namespace, console: Console) -> int:
    files = begin_workflow(args.name, args.template, args.folder)
    for file in files:
        console.result(str(file))
    console.say(f"`studio run {files[0]}` runs it")
    return DONE


VERBS = {
    "check": Verb(
        _configure_check,
        _check,
        (
            ("studio check", "every workflow file below this folder"),
            ("studio check orders.yaml --json", "for an editor or a script"),
        ),
    ),
    "schema": Verb(
        _configure_schema, _schema, (("studio schema > workflow.schema.json", "for editors"),)
    ),
    "new": Verb(
        _configure_new,
        _new,
        (
            ("studio new nightly", "two steps to begin with"),
            ("studio new checkout --template saga", "with undos"),
        ),
    ),
}
