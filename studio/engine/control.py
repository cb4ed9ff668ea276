"""The control socket: other processes send their requests to the owner of the state folder.

Frames of JSON, each behind its length (4 bytes, big endian), over a Unix socket that only its user may open.
One request, one answer, in order; what a request means is the application's business.
"""

import asyncio
import contextlib
import os
import socket
import struct
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec

from studio.errors import StorageError

LARGEST_FRAME = 64 * 1024 * 1024
"""Bytes; a longer request is refused before it is read."""

SOCKET_PATH_LIMIT = 100
"""Longest path of a Unix socket that every system takes (Linux 107 bytes, macOS 103)."""

PRIVATE_FOLDER = "studio-socket-"
"""How the name of a private folder begins; it goes with the socket."""

_LENGTH = struct.Struct(">I")

Handler = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


def socket_path(state: Path) -> Path:
    """Where the socket of a state folder lies: inside it, or in a private folder when that path is too long."""
    inside = state / "control.sock"
    if len(os.fsencode(inside)) <= SOCKET_PATH_LIMIT:
        return inside
    return Path(tempfile.mkdtemp(prefix=PRIVATE_FOLDER)) / "control.sock"


class ControlServer:
    """Answers requests of other processes of the same user.

    Args:
        path: where the socket is made; what lies there from a dead owner is replaced.
        handler: answers one request; an exception becomes an error answer.
    """

    def __init__(self, path: Path, handler: Handler) -> None:
        self.path = path
        self._handler = handler
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Start listening. Raises `StorageError` when the socket cannot be made."""
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.setblocking(False)
        before = os.umask(0o177)
        try:
            self.path.unlink(missing_ok=True)
            listener.bind(str(self.path))
        except OSError as error:
            listener.close()
            raise StorageError(f"cannot make the control socket {self.path}: {error}") from error
        finally:
            os.umask(before)
        self._server = await asyncio.start_unix_server(self._serve, sock=listener)

    async def close(self) -> None:
        """Stop listening, drop the clients, remove the socket; idempotent."""
        if self._server is not None:
            self._server.close()
        for task in list(self._clients):
            task.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        with contextlib.suppress(OSError):  # the next owner replaces what stays
            self.path.unlink()
            if self.path.parent.name.startswith(PRIVATE_FOLDER):
                self.path.parent.rmdir()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._clients.add(task)
        try:
            while (request := await read_frame(reader)) is not None:
                writer.write(frame(await self._answer(request)))
                await writer.drain()
        except (ConnectionError, asyncio.CancelledError, ValueError, RecursionError):
            # The client went away or does not speak the protocol; what it has not read by now it need not read.
            writer.transport.abort()
        finally:
            writer.close()
            if task is not None:
                self._clients.discard(task)

    async def _answer(self, request: Any) -> dict[str, Any]:
        if not isinstance(request, dict):
            return {"error": "a request is a mapping", "kind": "DefinitionError"}
        try:
            return await self._handler(request)
        except Exception as error:
            return {"error": str(error), "kind": type(error).__name__}


class ControlClient:
    """Sends requests to the owner of a state folder."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._turn = asyncio.Lock()

    @classmethod
    async def connect(cls, path: str) -> "ControlClient":
        """Raises OSError when nobody listens there."""
        return cls(*await asyncio.open_unix_connection(path))

    @property
    def gone(self) -> bool:
        """Whether the owner has hung up, as it also does when it dies."""
        return self._reader.at_eof()

    async def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Send a request and wait for its answer. Raises ConnectionError when the owner has gone."""
        async with self._turn:
            self._writer.write(frame(request))
            await self._writer.drain()
            answer = await read_frame(self._reader)
        if not isinstance(answer, dict):
            raise ConnectionError("the owner of the state folder has gone")
        return answer

    async def close(self) -> None:
        """Hang up."""
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


def frame(message: Any) -> bytes:
    """A message as it goes over the socket."""
    body = msgspec.json.encode(message)
    return _LENGTH.pack(len(body)) + body


async def read_frame(reader: asyncio.StreamReader) -> Any | None:
    """The next message, or None at the end.

    Raises ValueError for a frame that is too long or no JSON, RecursionError for JSON nested too deep.
    """
    try:
        (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        if length > LARGEST_FRAME:
            raise ValueError(f"a frame of {length} bytes is too long")
        return msgspec.json.decode(await reader.readexactly(length))
    except asyncio.IncompleteReadError:
        return None
