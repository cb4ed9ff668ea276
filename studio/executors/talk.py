"""The engine's end of the socket to a child: the gate, and what the child tells beside its output."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Final, Literal, TypeAlias

import msgspec

from studio.executors.host import Host
from studio.executors.outbox import Outbox
from studio.executors.zygote.envelope import MAX_HEADER, MAX_RESULT

CHUNK: Final = 65_536
MAX_MESSAGE: Final = 256 * 1024
"""Longest message of an attempt's own child in bytes; `zygote.context` stays well below."""


class Message(msgspec.Struct, frozen=True, tag_field="op"):
    """Base of what a child tells. ``id`` says which call of a warm worker it is about, 0 elsewhere."""


class Gate(Message, frozen=True, tag="gate"):
    """The child is ready and waits."""

    pid: int
    started: int


class Progress(Message, frozen=True, tag="progress"):
    """``ctx.progress``."""

    fraction: float | None
    message: str
    id: int = 0


class Logged(Message, frozen=True, tag="log"):
    """``ctx.log``."""

    level: Literal["debug", "info", "warning", "error"]
    text: str
    id: int = 0


class Printed(Message, frozen=True, tag="output"):
    """Text printed by a call of a warm worker."""

    id: int
    stream: Literal["stdout", "stderr"]
    text: str


class Files(Message, frozen=True, tag="files"):
    """The project's files that a warm worker has imported, with their stamps."""

    files: dict[str, list[int] | None]
    folders: dict[str, list[str]]


class Answer(Message, frozen=True, tag="answer"):
    """The end of a call of a warm worker."""

    id: int
    kind: Literal["output", "failure"]
    body: msgspec.Raw


class Direct(Message, frozen=True, tag="result"):
    """As many raw bytes follow: a sealed result that could not be written to its file."""

    size: int
    why: str = ""


Told: TypeAlias = Gate | Progress | Logged | Printed | Files | Answer | Direct

_decode = msgspec.json.Decoder(Told).decode


class Talk:
    """Messages of one child, one JSON object per line.

    User code shares the descriptor and may write anything to it: what is no message is passed over.

    Args:
        host: the loop and its turns.
        sock: the engine's end.
        hear: called with each message.
        take: called with the bytes of a result that could not be written to its file.
        longest: most bytes of one message.
    """

    def __init__(
        self,
        host: Host,
        sock: socket.socket,
        hear: Callable[[Told], None],
        take: Callable[[bytes], None] | None = None,
        longest: int = MAX_MESSAGE,
    ) -> None:
        sock.setblocking(False)
        self._host = host
        self._sock = sock
        self._hear = hear
        self._take = take
        self._longest = longest
        self._outbox = Outbox(host.loop, sock)
        self._buffer = bytearray()
        self._searched = 0
        self._raw = 0
        self._open = True
        host.loop.add_reader(sock, host.turn.run, self._read_once)

    def send(self, data: bytes) -> None:
        """Send to the child."""
        self._outbox.put(data)

    def close(self) -> None:
        """Read what the dead child had sent and close."""
        while self._open and self._read_once():
            pass
        self._shut()

    def _read_once(self) -> bool:
        try:
            data = self._sock.recv(CHUNK)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self._shut()
            return False
        self._buffer += data
        while self._take_raw() if self._raw else self._take_line():
            pass
        return True

    def _take_raw(self) -> bool:
        if len(self._buffer) < self._raw:
            return False
        body = bytes(self._buffer[: self._raw])
        del self._buffer[: self._raw]
        self._raw = 0
        if self._take is not None:
            self._take(body)
        return True

    def _take_line(self) -> bool:
        end = self._buffer.find(b"\n", self._searched)
        if end < 0:
            self._searched = len(self._buffer)
            if self._searched > self._longest:
                self._buffer.clear()  # nobody's message is this long
                self._searched = 0
            return False
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        self._searched = 0
        try:
            message = _decode(line)
        except msgspec.MsgspecError:
            return True  # written to the descriptor by user code
        if isinstance(message, Direct):
            self._raw = message.size if 0 < message.size <= MAX_RESULT + MAX_HEADER else 0
        else:
            self._hear(message)
        return True

    def _shut(self) -> None:
        if self._open:
            self._open = False
            self._outbox.close()
            self._host.loop.remove_reader(self._sock)
            self._sock.close()
