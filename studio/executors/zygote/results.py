"""What a child leaves behind: its output or its failure, as the sealed file the engine looks for."""

from __future__ import annotations

import json
import os
from typing import Any

from studio.errors import StudioError
from studio.executors.redaction import Redactor
from studio.executors.zygote import envelope, system
from studio.executors.zygote.context import Report
from studio.executors.zygote.failures import FailureBody
from studio.executors.zygote.framing import encode
from studio.model.json_value import json_problem


class ResultError(StudioError):
    """What a node returned cannot be its result."""


def encode_output(value: Any, name: str, redactor: Redactor) -> bytes:
    """Encode what user code returned, secrets redacted.

    Args:
        value: the return value.
        name: the function, for the message.
        redactor: replaces secrets.

    Raises:
        ResultError: when it is not a JSON value or too large; the text says where and what to do.
    """
    problem = json_problem(value)
    if problem is not None:
        raise ResultError(f"result of {name} at {problem}")
    try:
        body = json.dumps(
            redactor.value(value), ensure_ascii=False, allow_nan=False, separators=(",", ":")
        ).encode()
    except (TypeError, ValueError, RecursionError) as error:
        # Only a subclass of dict or list that answers differently the second time gets here.
        raise ResultError(f"result of {name} cannot be written as JSON: {error}") from None
    if len(body) > envelope.MAX_RESULT:
        raise ResultError(
            f"result of {name} is {len(body) / 2**20:,.0f} MiB as JSON, and at most "
            f"{envelope.MAX_RESULT // 2**20} MiB are passed on; write it to a file and return its path"
        )
    return body


def encode_failure(body: FailureBody, redactor: Redactor) -> bytes:
    """Encode a failure, secrets redacted from every text in it."""
    safe = {key: item if key == "category" else redactor.value(item) for key, item in body.items()}
    return json.dumps(safe, separators=(",", ":")).encode()


class Desk:
    """Where the child of one attempt hands in its result.

    Args:
        path: the result file.
        report: the way to the engine, used when the file cannot be written.
    """

    def __init__(self, path: str, report: Report) -> None:
        self._path = path
        self._report = report
        self._pid = os.getpid()
        self._started = system.start_time(self._pid)

    @property
    def identity(self) -> tuple[int, int]:
        """Process id and start time, as they are sealed into the result."""
        return self._pid, self._started

    def hand_in(self, kind: envelope.Kind, body: bytes) -> None:
        """Write the result file, or send the result directly when the disk does not take it.

        A process that user code forked does not hand in anything: it is not the attempt.
        """
        if os.getpid() != self._pid:
            return
        sealed = envelope.seal(kind, body, self._pid, self._started)
        try:
            envelope.write(self._path, sealed)
        except OSError as error:
            # Disk full or folder deleted: the engine keeps the result in memory until storage is back.
            head = {"op": "result", "size": len(sealed), "why": str(error)}
            self._report.write(encode(head) + sealed)
