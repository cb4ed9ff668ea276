"""Sending on a non-blocking socket from the loop, in order, with descriptors."""

from __future__ import annotations

import asyncio
import os
import socket
from collections import deque
from collections.abc import Sequence

from studio.executors.zygote import framing


class Outbox:
    """What still has to go out on a socket.

    Args:
        loop: the engine's loop.
        sock: connected, non-blocking.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, sock: socket.socket) -> None:
        self._loop = loop
        self._sock = sock
        self._waiting: deque[tuple[memoryview, list[int]]] = deque()
        self._closed = False

    def put(self, data: bytes, fds: Sequence[int] = ()) -> None:
        """Send now or as soon as the other side takes it; the descriptors are closed once they are sent."""
        if self._closed:
            _close_all(fds)
            return
        self._waiting.append((memoryview(data), list(fds)))
        if len(self._waiting) == 1:
            self._flush()

    def close(self) -> None:
        """Send nothing more and close what was to be sent. The socket stays the caller's."""
        if self._closed:
            return
        self._closed = True
        self._loop.remove_writer(self._sock)
        for _, fds in self._waiting:
            _close_all(fds)
        self._waiting.clear()

    def _flush(self) -> None:
        while self._waiting:
            data, fds = self._waiting[0]
            try:
                taken = framing.send_some(self._sock, data, fds)
            except BlockingIOError:
                self._loop.add_writer(self._sock, self._flush)
                return
            except OSError:
                self.close()  # the other side is gone; whoever reads the socket hears it there
                return
            _close_all(fds)
            if taken < len(data):
                self._waiting[0] = (data[taken:], [])
            else:
                self._waiting.popleft()
        self._loop.remove_writer(self._sock)


def _close_all(fds: Sequence[int]) -> None:
    for fd in fds:
        os.close(fd)
