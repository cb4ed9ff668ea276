"""The file an attempt leaves its result in.

First line: a JSON header with the process that wrote it and the length and checksum of the rest; then the
body. The file appears by rename, so it is complete or absent when a process dies at any moment. It is not
synced: it has to survive a crash of processes, and a loss of power loses the knowledge of the running
attempts with it, which the engine treats as interrupted either way.
"""

from __future__ import annotations

import json
import os
import stat
import zlib
from typing import Final, Literal, NamedTuple

MAX_RESULT: Final = 64 * 1024 * 1024
"""Largest encoded result in bytes. Larger data belongs in a file whose path is the result."""

MAX_HEADER: Final = 512

Kind = Literal["output", "failure"]


class Envelope(NamedTuple):
    """A result as it was found: what it is and its encoded JSON."""

    kind: Kind
    body: bytes


def seal(kind: Kind, body: bytes, pid: int, started: int) -> bytes:
    """Return header and body as they stand in a file."""
    header = {
        "studio": 1,
        "kind": kind,
        "pid": pid,
        "started": started,
        "size": len(body),
        "crc": zlib.crc32(body),
    }
    return json.dumps(header).encode() + b"\n" + body


def unseal(data: bytes, pid: int, started: int) -> Envelope | None:
    """Return the result, or None when it is cut, damaged, or another process's.

    Args:
        data: the bytes of the file.
        pid: process that must have written it.
        started: start time of that process in clock ticks, see `AttemptSink.spawned`.
    """
    line, found, body = data.partition(b"\n")
    if not found or len(line) > MAX_HEADER:
        return None
    try:
        header = json.loads(line)
    except ValueError:
        return None
    expected = {
        "studio": 1,
        "pid": pid,
        "started": started,
        "size": len(body),
        "crc": zlib.crc32(body),
    }
    if not isinstance(header, dict) or {key: header.get(key) for key in expected} != expected:
        return None
    kind = header.get("kind")
    return Envelope(kind, body) if kind in ("output", "failure") else None


def write(path: str, data: bytes) -> None:
    """Put a sealed result in its place by rename. Raises `OSError`."""
    part = f"{path}.part"
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(part, flags, 0o600)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(fd, rest) :]
    finally:
        os.close(fd)
    os.rename(part, path)


def read(path: str, limit: int = MAX_RESULT + MAX_HEADER) -> bytes | None:
    """Return the bytes of a regular file of at most ``limit`` bytes; None when there is no such file."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None  # absent, a link, unreadable: in every case not a result
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return None
        with open(fd, "rb", closefd=False) as file:
            data = file.read(limit + 1)
    except OSError:
        return None
    finally:
        os.close(fd)
    return data if len(data) <= limit else None
