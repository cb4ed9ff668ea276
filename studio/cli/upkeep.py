"""``studio demo`` and ``doctor``."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import msgspec

from studio.application.location import locate
from studio.cli import DONE, FAILED, NEEDS_PERSON
from studio.cli.arguments import Verb, add_json, add_state
from studio.cli.console import Console
from studio.cli.screen import screen_hindrance, show_screen
from studio.cli.screen_arguments import add_looks, options_of
from studio.projections.json_text import json_text
from studio.projections.text import sanitise

DEMO_FOLDER = "studio-demo"


def _configure_demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder", metavar="DIR", nargs="?", default=DEMO_FOLDER, help=f"default: ./{DEMO_FOLDER}"
    )
    parser.add_argument("--reset", action="store_true", help="restore samples that were changed")
    parser.add_argument("--run", action="store_true", help="run the order saga, with live progress")
    add_looks(parser)


def _demo(args: argparse.Namespace, console: Console) -> int:
    from studio.application.samples import FLAGSHIP, copy_samples  # lazy: `doctor` does without

    copied = copy_samples(args.folder, reset=args.reset)
    folder = os.path.relpath(copied.folder)
    kept = f", {len(copied.kept)} left as they were" if copied.kept else ""
    console.say(f"{len(copied.written)} sample files written to {sanitise(folder)}{kept}")
    flagship = os.path.join(folder, FLAGSHIP)
    if not args.run and args.open_screen is not None and screen_hindrance(console) is None:
        return show_screen(options_of(folder, args), console, args.open_screen)
    if not args.run:
        console.say(
            f"  studio run {flagship}      run one\n"
            f"  studio graph {flagship}    draw it\n"
            f"  studio check {folder}    check them all"
        )
        return DONE
    from studio.application.actor import default_actor  # lazy: loads the engine
    from studio.cli.driving import Options
    from studio.cli.launching import run_file

    console.say(f"studio run {flagship}")
    status = run_file(console, flagship, Options(actor=default_actor(os.environ)))
    # The sample fails and undoes itself on purpose: shown to its end, the demonstration is a success.
    return DONE if status in (FAILED, NEEDS_PERSON) else status


def _configure_doctor(parser: argparse.ArgumentParser) -> None:
    add_json(parser, "print the findings as one JSON document")
    add_state(parser)


def _doctor(args: argparse.Namespace, console: Console) -> int:
    from studio.application.health import check_up  # lazy: `demo` does without
    from studio.application.keymap import read_keymap  # lazy: likewise

    location = locate(None, args.state, os.environ)
    found = check_up(location)
    found.notices += [
        f"left out of your keys: {one}" for one in read_keymap(location, os.environ).problems
    ]
    status = FAILED if found.problems else DONE
    if args.json:
        console.result(json_text(_plain(msgspec.structs.asdict(found))))
        return status
    console.result(f"state folder  {sanitise(str(found.state))}")
    if found.history is not None:
        console.result(f"history       {found.head} events, {found.size:,} bytes")
        console.result(
            f"runs          {found.runs}, {found.open_runs} open, {found.replayed} replayed"
        )
    owner = f"process {found.owner}" if found.owner else "nobody"
    console.result(f"owner         {owner}")
    for text in found.notices:
        console.result(f"note          {sanitise(text)}")
    for text in found.problems:
        console.result(console.styled(f"problem       {sanitise(text)}", "bad"))
    if not found.problems:
        console.result(console.styled("sound", "good"))
    return status


def _plain(found: dict[str, Any]) -> dict[str, Any]:
    return {key: str(value) if isinstance(value, Path) else value for key, value in found.items()}


VERBS = {
    "demo": Verb(
        _configure_demo,
        _demo,
        (
            ("studio demo", f"copy the samples to ./{DEMO_FOLDER}"),
            ("studio demo --run", "and run the order saga"),
            ("studio demo play --reset", "restore them in another folder"),
        ),
    ),
    "doctor": Verb(
        _configure_doctor,
        _doctor,
        (("studio doctor", "checksums, gaps, and a replay of every run"),),
    ),
}
