"""``studio logs``: what the nodes of a run wrote."""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, field
from typing import Any

from studio.application.reading import Reading, RunView
from studio.application.runs import AttemptKey, LogLine, find_row
from studio.cli import DONE
from studio.cli.arguments import Verb, add_json, add_run, place_of
from studio.cli.console import Console, exact_time_of_day
from studio.errors import NotFoundError
from studio.projections.json_text import json_array, json_text
from studio.projections.masking import Mask, mask_run
from studio.projections.moments import iso_time
from studio.projections.text import sanitise

POLL = 0.25
"""Seconds between two looks at the logs with ``-f``."""


def _configure(parser: argparse.ArgumentParser) -> None:
    add_run(parser)
    parser.add_argument("node", metavar="NODE", nargs="?", help="only this node's, such as each[3]")
    parser.add_argument("-f", "--follow", action="store_true", help="go on until the run rests")
    add_json(parser, "print a JSON array, one line each; with -f only the lines")


def _logs(args: argparse.Namespace, console: Console) -> int:
    reading = Reading(place_of(args).state)
    try:
        tail = _Tail(
            console, reading, find_row(reading, args.run).run, args.node, as_json=args.json
        )
        if args.node is not None:
            tail.check_node()
        if not args.follow:
            tail.write_all()
        else:
            tail.follow()
    finally:
        reading.close()
    return DONE


@dataclass
class _Tail:
    """The logs of a run, and how much of each has been written."""

    console: Console
    reading: Reading
    run: int
    node: str | None
    as_json: bool
    written: dict[AttemptKey, int] = field(default_factory=dict)
    view: RunView | None = None
    mask: Mask = field(default_factory=lambda: Mask(None, {}))

    def check_node(self) -> None:
        """Raises `NotFoundError` for a node that neither exists nor has a log."""
        for key, _ in self.reading.logs(self.run, self.node):
            if key.node == self.node:
                return
        nodes = self.reading.view(self.run).run.nodes
        if self.node not in nodes:
            raise NotFoundError(
                f"run {self.run} has no node {self.node}; it has {', '.join(list(nodes)[:12])}"
            )

    def write_all(self) -> None:
        """Write what there is."""
        found = self._fresh()
        if self.as_json:
            self.console.result(json_array([self._document(key, line) for key, line in found]))
            return
        for key, line in found:
            self.console.result(self._text(key, line))
        if not found:
            what = f"{self.node} of run {self.run}" if self.node else f"run {self.run}"
            self.console.say(f"{sanitise(what)} has written nothing")

    def follow(self) -> None:
        """Write lines as they come, until the run rests and nothing is left."""
        while True:
            row = self.reading.find(str(self.run))
            resting = not row.open or row.paused or row.state == "attention"
            for key, line in self._fresh():
                text = (
                    json_text(self._document(key, line), indent=None)
                    if self.as_json
                    else self._text(key, line)
                )
                self.console.result(text)
            self.console.flush()
            if resting:
                return
            time.sleep(POLL)

    def _fresh(self) -> list[tuple[AttemptKey, LogLine]]:
        found: list[tuple[AttemptKey, LogLine]] = []
        for key, lines in self.reading.logs(self.run, self.node):
            seen = self.written.get(key, 0)
            count = 0
            for count, line in enumerate(lines, 1):
                if count > seen:
                    found.append((key, line))
            self.written[key] = max(seen, count)
        if found:
            self._learn()
        found.sort(key=lambda entry: entry[1].at)  # stable: lines of one attempt keep their order
        return found

    def _learn(self) -> None:
        """Take note of what the run has marked sensitive by now; nodes may have printed it."""
        if self.view is None:
            self.view = self.reading.view(self.run)
        else:
            self.view.refresh()
        self.mask = mask_run(self.view.state, self.view.run)

    def _text(self, key: AttemptKey, line: LogLine) -> str:
        who = ""
        if self.node is None or key.attempt > 1 or key.undo:
            name = "" if self.node is not None else sanitise(key.node)
            nth = f"#{key.attempt}" if key.attempt > 1 else ""
            who = f"{name}{' undo' if key.undo else ''}{nth}".strip() + "  "
        level = "" if line.level == "info" else f"{line.level.upper()} "
        if not level and line.stream == "stderr":
            level = "stderr "
        tone = {"error": "bad", "warning": "wait", "debug": "dim"}.get(line.level, "plain")
        head = self.console.styled(f"{exact_time_of_day(line.at)}  {who}", "dim")
        return f"{head}{self.console.styled(level + sanitise(self.mask.text(line.text)), tone)}"

    def _document(self, key: AttemptKey, line: LogLine) -> dict[str, Any]:
        return {
            "at": iso_time(line.at),
            "node": key.node,
            "attempt": key.attempt,
            "undo": key.undo,
            "stream": line.stream,
            "level": line.level,
            "text": self.mask.text(line.text),
        }


VERBS = {
    "logs": Verb(
        _configure,
        _logs,
        (
            ("studio logs last", "of every node, in order of time"),
            ("studio logs 7 charge_card -f", "of one node, while it runs"),
        ),
    )
}
