"""Telling on standard output what happens in a run: live, as plain lines, as events, or not at all."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Literal, TypeAlias

from studio.application.reading import RunView
from studio.application.runs import Record
from studio.cli.console import Console, time_of_day
from studio.projections.history_lines import event_document
from studio.projections.json_text import json_text
from studio.projections.masking import Mask, learn_record
from studio.projections.progress_lines import Line, Progress, line_text

Mode: TypeAlias = Literal["live", "plain", "events", "silent"]

_CLEAR = "\r\x1b[2K"
"""To the start of the line, and erase it (ECMA-48: CR, EL 2)."""


class Reporter:
    """Tells the progress of one run.

    Args:
        console: where to.
        mode: ``live`` keeps a status line under the lines, ``events`` prints the history as JSON lines.
        view: the run, for the names of its nodes and for what is sensitive in it.
        after: position up to which everything had happened before.
        label: goes before every line.
    """

    def __init__(
        self, console: Console, mode: Mode, view: RunView, after: int = 0, label: str = ""
    ) -> None:
        self._label = label
        self._console = console
        self._mode = mode
        self._after = after
        run = view.run
        self._mask = Mask(run.plan.workflow, run.params)
        self._progress = Progress(run.number, run.plan.order, self._mask, after)
        self._status = ""

    @property
    def ticks(self) -> bool:
        """Whether `tick` should be called about once a second."""
        return self._mode == "live"

    def take(self, records: Sequence[Record]) -> None:
        """Tell of new records, in order."""
        if self._mode == "silent":
            return
        lines: list[str] = []
        for record in records:
            if self._mode == "events":
                document = event_document(record, self._mask)
                if record.position > self._after:
                    lines.append(json_text(document, indent=None))
                continue
            learn_record(self._mask, record)
            line = self._progress.feed(record)
            if line is not None and not self._passed_over(line):
                lines.append(self._written(line))
        self._write(lines)

    def tick(self) -> None:
        """Bring the status line up to date."""
        if self._mode == "live":
            self._write([])

    def close(self) -> None:
        """Take the status line away."""
        if self._status:
            self._console.out.write(_CLEAR)
            self._status = ""
        self._console.out.flush()

    def _passed_over(self, line: Line) -> bool:
        """On a terminal the items of a foreach are told by their node, except those that went wrong."""
        return self._mode == "live" and line.item and line.tone in ("good", "busy", "dim")

    def _written(self, line: Line) -> str:
        console = self._console
        head, text = line_text(
            line, time_of_day(line.at), self._progress.cells, ascii=console.ascii
        )
        return self._label + console.styled(head, line.tone) + (f"  {text}" if text else "")

    def _write(self, lines: Sequence[str]) -> None:
        out = self._console.out
        text = "".join(f"{line}\n" for line in lines)
        if self._mode == "live":
            cells = (self._console.cells or 80) - 1
            status = self._progress.summary(time.time(), cells)
            if not lines and status == self._status:
                return
            text = _CLEAR + text + self._console.styled(status, "dim")
            self._status = status
        out.write(text)
        out.flush()
