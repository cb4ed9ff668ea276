"""A warm worker: one process that answers many calls, one after the other.

A call is one line of JSON; so is an answer, written before the next call begins. So when a worker dies, the
first call without an answer is the only one that can have begun.
"""

from __future__ import annotations

import io
import json
import os
import socket
import sys
from typing import Any

from studio.executors.redaction import Redactor
from studio.executors.zygote import child, sources
from studio.executors.zygote.context import Report
from studio.executors.zygote.function import outcome_of

CHUNK = 1 << 18


def serve(order: dict[str, Any], talk: socket.SocketType) -> None:
    """Answer calls until the socket closes."""
    witness = sources.Witness(order["folder"], only_modules=True)
    report = Report(talk)
    streams = {name: _Attributed(report, name) for name in ("stdout", "stderr")}
    sys.stdout, sys.stderr = streams["stdout"], streams["stderr"]
    calls = _Calls(talk)
    redactors: dict[str, Redactor] = {}
    told = 0
    while True:
        one = calls.take()
        if one is None:
            os._exit(0)
        if "input" not in one:
            report.write(b'{"op":"answer","id":%d,"kind":"failure","body":null}\n' % one["id"])
            continue
        for stream in streams.values():
            stream.identity = one["id"]
        key = json.dumps(one["secrets"])
        redactor = redactors.get(key)
        if redactor is None:
            redactors.clear()
            redactor = redactors[key] = Redactor(one["secrets"])
        kind, body = outcome_of(one, report, redactor, {"id": one["id"]})
        for stream in streams.values():
            stream.flush()
        if len(witness.files) != told:
            told = len(witness.files)
            report.send({"op": "files", "files": witness.files, "folders": witness.folders()})
        head = b'{"op":"answer","id":%d,"kind":"%s","body":' % (one["id"], kind.encode())
        if not report.write(head + body + b"}\n"):
            os._exit(child.LOST)


class _Calls:
    """Calls that wait; one that is skipped before it was taken comes without its input."""

    def __init__(self, talk: socket.SocketType) -> None:
        self._talk = talk
        self._buffer = b""
        self._waiting: dict[int, dict[str, Any]] = {}

    def take(self) -> dict[str, Any] | None:
        """Return the next call, None when the socket has closed."""
        # What has arrived meanwhile may say to skip the next call.
        more = self._read(socket.MSG_DONTWAIT)
        while more and not self._waiting:
            more = self._read(0)
        if not self._waiting:
            return None
        return self._waiting.pop(next(iter(self._waiting)))

    def _read(self, flags: int) -> bool:
        try:
            data = self._talk.recv(CHUNK, flags)
        except BlockingIOError:
            return True
        *lines, rest = (self._buffer + data).split(b"\n")
        self._buffer = rest
        for line in lines:
            message = json.loads(line)
            if "skip" not in message:
                self._waiting[message["id"]] = message
            elif message["skip"] in self._waiting:
                self._waiting[message["skip"]] = {"id": message["skip"]}
        return bool(data)


class _Attributed(io.TextIOBase):
    """Standard output or error of a worker: each text goes with the call that printed it."""

    def __init__(self, report: Report, name: str) -> None:
        self._report = report
        self._name = name
        self.identity = 0

    @property
    def encoding(self) -> str:  # type: ignore[override]  # typeshed has a plain attribute here
        return "utf-8"

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        shown = text.encode("utf-8", "backslashreplace").decode()
        for start in range(0, len(shown), CHUNK):
            part = shown[start : start + CHUNK]
            self._report.send(
                {"op": "output", "id": self.identity, "stream": self._name, "text": part}
            )
        return len(text)
