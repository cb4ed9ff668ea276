"""``studio`` and ``studio PATH`` without a verb: what there is, and what can be done."""

from __future__ import annotations

import os

from studio.application.files import check_paths
from studio.application.location import locate
from studio.application.runs import list_runs
from studio.cli import DONE
from studio.cli.console import Console
from studio.projections.signs import sign
from studio.projections.text import sanitise

SHOWN = 8
"""Workflows and runs that are listed."""


def greet(path: str, console: Console) -> int:
    """Say what is in a folder, or a file, and which commands go on from there; returns the exit status.

    Raises `DefinitionError`, `StorageError`.
    """
    location = locate(path, None, os.environ)
    files = check_paths([path]).files
    for file in files[:SHOWN]:
        name = file.workflow.name if file.workflow is not None else "has errors"
        console.result(f"  {sanitise(file.path)}  {sanitise(name)}")
    if len(files) > SHOWN:
        console.result(f"  and {len(files) - SHOWN} more workflow files")
    rows = list_runs(location, limit=SHOWN)
    for row in rows:
        shown = sign("paused" if row.paused else row.state)
        console.result(f"  run {row.run}  {sanitise(row.workflow)}  {shown.word}")
    console.say("")
    if not files:
        console.say(
            "no workflow files here: `studio new NAME` begins one, `studio demo` shows some"
        )
    else:
        console.say(f"`studio run {sanitise(files[0].path)}` runs it, `studio graph` draws it")
    if rows:
        console.say("`studio show last` shows the newest run")
    console.say("`studio --help` lists every command")
    return DONE
