"""The ``ctx`` of user code."""

from __future__ import annotations

import math
import os
import socket
from _thread import allocate_lock
from typing import Any, Final

from studio.executors.zygote.framing import Message, encode
from studio.executors.zygote.texts import clip

MAX_LINE: Final = 16_384
"""Longest log line in characters; longer ones are cut and say so."""

MAX_NOTE: Final = 500
"""Longest text beside a progress bar."""


class Report:
    """The way of a child to the engine beside its output: progress, log lines.

    User code may close any descriptor and open another under its number, so each message first makes sure
    that the number still means the socket it meant at the start.

    Args:
        sock: connected stream socket.
    """

    def __init__(self, sock: socket.SocketType) -> None:
        self._sock = sock
        self._identity = _identity(sock.fileno())
        self._lock = allocate_lock()  # threading itself would slow every fork by a fifth

    def send(self, message: Message) -> bool:
        """Send a message. False when user code has closed the way."""
        return self.write(encode(message))

    def write(self, data: bytes) -> bool:
        """Send bytes that belong together. False when user code has closed the way."""
        with self._lock:
            if _identity(self._sock.fileno()) != self._identity:
                return False
            try:
                self._sock.sendall(data)
            except OSError:
                return False
        return True


class Log:
    """``ctx.log``: lines with a level, kept with the attempt."""

    def __init__(self, report: Report, extra: Message) -> None:
        self._report = report
        self._extra = extra

    def debug(self, message: object, *args: object) -> None:
        """Write a line for those who look closely; ``args`` are put in as by ``%``."""
        self._write("debug", message, args)

    def info(self, message: object, *args: object) -> None:
        """Write an ordinary line."""
        self._write("info", message, args)

    def warning(self, message: object, *args: object) -> None:
        """Write a line about something odd that did not stop the work."""
        self._write("warning", message, args)

    def error(self, message: object, *args: object) -> None:
        """Write a line about something that went wrong."""
        self._write("error", message, args)

    def _write(self, level: str, message: object, args: tuple[object, ...]) -> None:
        text = str(message)
        if args:
            # As in logging, a single mapping serves %(name)s.
            values: object = args[0] if len(args) == 1 and isinstance(args[0], dict) else args
            text = text % values
        line = clip(text, MAX_LINE).encode("utf-8", "backslashreplace").decode()
        self._report.send({"op": "log", "level": level, "text": line, **self._extra})


class Context:
    """What user code may know about its attempt, and how it reports.

    Attributes:
        attempt: number of this attempt, from 1.
        idempotency_key: the same for every retry of one piece of work; hand it to services that accept one.
        input: the whole input of the node, secrets included.
        log: `Log`.
        node: path of the node in its run.
        run_id: id of the run.
    """

    def __init__(self, order: dict[str, Any], report: Report, extra: Message | None = None) -> None:
        self.attempt: int = order["attempt"]
        self.idempotency_key: str = order["idempotency_key"]
        self.input: Any = order["input"]
        self.node: str = order["node"]
        self.run_id: str = order["run_id"]
        self._report = report
        self._extra = extra or {}
        self.log = Log(report, self._extra)

    def progress(self, fraction: float | None, message: str = "") -> None:
        """Report progress.

        Args:
            fraction: share that is done, 0 to 1 (kept within); None when it is not known.
            message: a few words beside the bar.

        Raises:
            TypeError: when ``fraction`` is not a number.
        """
        if fraction is not None:
            if isinstance(fraction, bool) or not isinstance(fraction, int | float):
                raise TypeError(
                    f"ctx.progress takes a number from 0 to 1, not {type(fraction).__name__}"
                )
            fraction = 0.0 if math.isnan(fraction) else min(1.0, max(0.0, float(fraction)))
        note = clip(str(message), MAX_NOTE).encode("utf-8", "backslashreplace").decode()
        self._report.send({"op": "progress", "fraction": fraction, "message": note, **self._extra})


def _identity(fd: int) -> tuple[int, int] | None:
    try:
        found = os.fstat(fd)
    except OSError:
        return None
    return found.st_dev, found.st_ino
