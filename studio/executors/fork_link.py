"""The engine's end of a fork server's control socket."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from typing import Protocol

from studio.executors.outbox import Outbox
from studio.executors.zygote import framing
from studio.executors.zygote.framing import Message


class Forked(Protocol):
    """Whoever asked a fork server for a child."""

    def ended(self, status: int, leftovers: int) -> None:
        """The child was reaped and nothing of it is alive.

        Args:
            status: as by ``waitpid``.
            leftovers: processes it had left behind, which were killed.
        """
        ...

    def refused(self, why: str) -> None:
        """There is no child: the system did not allow a fork."""
        ...

    def lost(self, why: str) -> None:
        """The server is gone, and so is the child."""
        ...


class ForkLink:
    """One fork server: the zygote or a template.

    Args:
        loop: the engine's loop.
        sock: the engine's end of the control socket; closed by `close`.
        on_message: called with messages that are about no child.
        on_lost: called once when the server is gone, with those that waited for children of it.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sock: socket.socket,
        on_message: Callable[[Message], None],
        on_lost: Callable[[list[Forked]], None],
    ) -> None:
        sock.setblocking(False)
        self._loop = loop
        self._sock = sock
        self._on_message = on_message
        self._on_lost = on_lost
        self._inbox = framing.Inbox()
        self._outbox = Outbox(loop, sock)
        self._forked: dict[int, Forked] = {}
        self._open = True
        self._retiring = False
        loop.add_reader(sock, self._readable)

    @property
    def is_open(self) -> bool:
        """Whether the server was alive when it was last heard of."""
        return self._open

    def start(self, identity: int, forked: Forked, fds: Sequence[int]) -> None:
        """Have a child forked; the descriptors are closed here once they are on their way."""
        self._forked[identity] = forked
        self.send({"op": "start", "id": identity}, fds)

    def signal(self, identity: int, number: int) -> None:
        """Send a signal to the process group of a child; does nothing when it has ended."""
        self.send({"op": "kill", "id": identity, "signal": int(number)})

    def send(self, message: Message, fds: Sequence[int] = ()) -> None:
        """Send any message."""
        self._outbox.put(framing.encode(message, fds), fds)

    def retire(self) -> None:
        """Close as soon as no child of this server is left."""
        self._retiring = True
        if not self._forked:
            self.close()

    def close(self) -> None:
        """Close the socket: the server kills its descendants and exits. Nobody is told anything."""
        if self._open:
            self._open = False
            self._outbox.close()
            self._loop.remove_reader(self._sock)
            self._sock.close()

    def _readable(self) -> None:
        try:
            data, fds = framing.receive(self._sock)
        except BlockingIOError:
            return
        except OSError:
            data, fds = b"", []
        if not data:
            self._lose()
            return
        for message, _ in self._inbox.feed(data, fds):
            self._take(message)

    def _take(self, message: Message) -> None:
        operation = message["op"]
        if operation in ("ended", "refused"):
            forked = self._forked.pop(message["id"], None)
            if forked is None:
                self._on_message(message)
            elif operation == "ended":
                forked.ended(message["status"], message["leftovers"])
            else:
                forked.refused(message["why"])
        else:
            self._on_message(message)
        if self._retiring and not self._forked:
            self.close()

    def _lose(self) -> None:
        self.close()
        forked = list(self._forked.values())
        self._forked.clear()
        self._on_lost(forked)
