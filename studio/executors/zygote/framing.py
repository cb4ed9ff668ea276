"""Messages with descriptors over a stream socket.

One message is one line of JSON; ``fds`` in it says how many descriptors travel with it. A stream and not a
packet socket, because macOS has no packet sockets between processes.
"""

from __future__ import annotations

import array
import json
import os
import socket
from collections import deque
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

Message: TypeAlias = dict[str, Any]

MAX_FDS: Final = 64
"""Most descriptors taken from one read; a message carries at most four."""

CHUNK: Final = 65_536


class Inbox:
    """Puts messages together from what a socket hands over, in whatever pieces."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._fds: deque[int] = deque()

    def feed(self, data: bytes, fds: Sequence[int]) -> list[tuple[Message, list[int]]]:
        """Take what one read gave and return the messages that are complete now."""
        self._fds.extend(fds)
        self._buffer += data
        *lines, rest = self._buffer.split(b"\n")
        if not lines:
            return []
        self._buffer = bytearray(rest)
        found = []
        for line in lines:
            message: Message = json.loads(line)
            found.append((message, [self._fds.popleft() for _ in range(message.get("fds", 0))]))
        return found

    def drop(self) -> None:
        """Close descriptors whose message never came."""
        while self._fds:
            os.close(self._fds.popleft())


def encode(message: Message, fds: Sequence[int] = ()) -> bytes:
    """Return the line of a message; ``fds`` are only counted."""
    if fds:
        message = {**message, "fds": len(fds)}
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def send_some(sock: socket.socket, data: bytes | memoryview, fds: Sequence[int]) -> int:
    """Send with descriptors; return the bytes taken. The descriptors go with the first byte.

    Raises:
        BlockingIOError: on a full non-blocking socket.
        OSError: when the other side is gone.
    """
    if not fds:
        return sock.send(data)
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds).tobytes())]
    return sock.sendmsg([data], rights)


def send(sock: socket.socket, message: Message, fds: Sequence[int] = ()) -> None:
    """Send one message on a blocking socket. Raises `OSError` when the other side is gone."""
    data = memoryview(encode(message, fds))
    data = data[send_some(sock, data, fds) :]
    while data:
        data = data[sock.send(data) :]


def receive(sock: socket.socket) -> tuple[bytes, list[int]]:
    """Read once; no bytes means the other side has closed. Raises `BlockingIOError`, `OSError`."""
    data, ancillary, _, _ = sock.recvmsg(CHUNK, socket.CMSG_SPACE(MAX_FDS * 4))
    fds: list[int] = []
    for level, kind, body in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            numbers = array.array("i")
            numbers.frombytes(body[: len(body) - len(body) % numbers.itemsize])
            fds.extend(numbers)
    for fd in fds:
        os.set_inheritable(fd, False)
    return data, fds
