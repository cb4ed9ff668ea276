"""The output of attempts: one append-only file of JSON lines each."""

from __future__ import annotations

import os
import resource
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from studio.ids import NodePath, RunNumber
from studio.ports import AttemptKey, LogLine, StorageHealth
from studio.storage.log_files import LOGS_NAME, log_keys, log_place
from studio.storage.private_folders import make_private

MAX_OPEN: Final = 64
"""Log files kept open at most; fewer where the process may open few files (a quarter of its limit)."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(LogLine).decode


class LogFolder:
    """The logs of a state folder; fulfils `studio.ports.LogStore`.

    Lines of one call are written with one system call and are then in the system's hands: they survive
    the end of this process, not a power loss. An error of the disk never reaches the engine: it is told
    once as a notice, and when writing works again the log itself says how many lines are missing.

    Args:
        folder: the state folder.
        health: where notices go.
    """

    def __init__(self, folder: Path, health: StorageHealth) -> None:
        self._root = folder / LOGS_NAME
        self._health = health
        self._open: OrderedDict[AttemptKey, int] = OrderedDict()
        self._lost: dict[AttemptKey, int] = {}
        self._told = False
        limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._most = MAX_OPEN if limit < 0 else max(1, min(MAX_OPEN, limit // 4))

    def write(self, key: AttemptKey, lines: Sequence[LogLine]) -> None:
        """Append lines to the log of an attempt. Never raises for a disk."""
        if not lines:
            return
        try:
            self._append(key, lines)
        except OSError as error:
            self._lost[key] = self._lost.get(key, 0) + len(lines)
            self._release(key)
            if not self._told:
                self._told = True
                self._health.notices.append(
                    f"Logs cannot be written to {self._root}: {error.strerror}. Nodes go on without."
                )

    def close(self, key: AttemptKey) -> None:
        """The attempt is over; release its file."""
        self._release(key)
        self._lost.pop(key, None)

    def read(self, key: AttemptKey) -> Iterator[LogLine]:
        """All lines of an attempt so far, oldest first; empty when it wrote none.

        A line that is being written, or was cut short by a full disk, is left out until it is complete;
        one that is no JSON comes as its plain text. Never raises for a disk: an error is the last line.
        """
        at = 0.0
        try:
            with open(log_place(self._root, key), "rb") as file:
                for raw in file:
                    if not raw.endswith(b"\n"):
                        return
                    if raw == b"\n":
                        continue
                    line = _line(raw, at)
                    at = line.at
                    yield line
        except FileNotFoundError:
            return
        except OSError as error:
            yield LogLine(at, f"The log cannot be read: {error.strerror}.", "log", "error")

    def attempts(self, run: RunNumber, node: NodePath | None = None) -> list[AttemptKey]:
        """Attempts of a run, or of one node and its items, that wrote something, oldest first."""
        found = [
            (_began(path), key)
            for key, path in log_keys(self._root, run)
            if node in (None, key.node) or key.node.startswith(f"{node}[")
        ]
        return [key for _, key in sorted(found)]

    def _append(self, key: AttemptKey, lines: Sequence[LogLine]) -> None:
        descriptor = self._descriptor(key)
        body = b"\n".join([_encoded(line) for line in lines]) + b"\n"
        lost = self._lost.get(key, 0)
        if lost:
            text = f"{lost} lines are missing here: the disk did not take them."
            # The newline ends a line that the failed write may have cut short.
            body = b"\n" + _encode(LogLine(lines[0].at, text, "log", "warning")) + b"\n" + body
        left = memoryview(body)
        while left:
            left = left[os.write(descriptor, left) :]
        self._lost.pop(key, None)
        self._told = False if lost else self._told

    def _descriptor(self, key: AttemptKey) -> int:
        descriptor = self._open.get(key)
        if descriptor is not None:
            self._open.move_to_end(key)
            return descriptor
        while len(self._open) >= self._most:
            _, oldest = self._open.popitem(last=False)
            os.close(oldest)
        place = log_place(self._root, key)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        try:
            descriptor = os.open(place, flags, 0o600)
        except FileNotFoundError:
            make_private(place.parent)
            descriptor = os.open(place, flags, 0o600)
        self._open[key] = descriptor
        return descriptor

    def _release(self, key: AttemptKey) -> None:
        descriptor = self._open.pop(key, None)
        if descriptor is not None:
            os.close(descriptor)


def _encoded(line: LogLine) -> bytes:
    try:
        return _encode(line)
    except UnicodeEncodeError:  # a lone surrogate, which UTF-8 cannot hold
        text = line.text.encode("utf-8", "replace").decode()
        return _encode(LogLine(line.at, text, line.stream, line.level))


def _line(raw: bytes, at: float) -> LogLine:
    try:
        return _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return LogLine(at, raw.decode("utf-8", "replace").rstrip("\n"), "log", "warning")


def _began(path: Path) -> float:
    """Time of the first line, 0 when there is none that can be read."""
    try:
        with path.open("rb") as file:
            return _line(file.readline(), 0.0).at
    except OSError:
        return 0.0
