"""The control socket against clients that do not play by the rules."""

import asyncio
import contextlib
import os
import stat
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from studio.engine.control import (
    LARGEST_FRAME,
    SOCKET_PATH_LIMIT,
    ControlClient,
    ControlServer,
    frame,
    read_frame,
    socket_path,
)
from studio.errors import RefusedError, StorageError

LARGE = "x" * 4_000_000
"""More than a socket's buffers hold."""


async def _answer(request: dict[str, Any]) -> dict[str, Any]:
    if "refuse" in request:
        raise RefusedError("not now")
    if "hang" in request:
        await asyncio.Event().wait()
    if "large" in request:
        return {"text": LARGE}
    return {"echo": request}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ControlServer]:
    opened = ControlServer(tmp_path / "control.sock", _answer)
    await opened.open()
    yield opened
    async with asyncio.timeout(10):
        await opened.close()


def _length(size: int) -> bytes:
    return struct.pack(">I", size)


async def _still_answers(server: ControlServer) -> None:
    client = await ControlClient.connect(str(server.path))
    async with asyncio.timeout(10):
        assert await client.ask({"n": 1}) == {"echo": {"n": 1}}
    await client.close()


async def test_requests_are_answered_in_order_and_errors_by_their_kind(
    server: ControlServer,
) -> None:
    client = await ControlClient.connect(str(server.path))
    answers = await asyncio.gather(*(client.ask({"n": n}) for n in range(20)))
    assert answers == [{"echo": {"n": n}} for n in range(20)]
    assert await client.ask({"refuse": 1}) == {"error": "not now", "kind": "RefusedError"}
    await client.close()


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\nHost: studio\r\n\r\n",
        _length(LARGEST_FRAME + 1),
        _length(3) + b"{,}",
        _length(2) + b"\xff\xfe",
        _length(0),
        _length(4) + b"null",
        _length(200_000) + b"[" * 200_000,
        _length(100) + b"{",
        b"\x00",
    ],
    ids=[
        "http",
        "too long",
        "no JSON",
        "no UTF-8",
        "empty",
        "null",
        "nested",
        "cut off",
        "half a length",
    ],
)
async def test_a_client_that_sends_garbage_is_hung_up_on(
    server: ControlServer, garbage: bytes
) -> None:
    problems: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, what: problems.append(what))
    reader, writer = await asyncio.open_unix_connection(str(server.path))
    writer.write(garbage)
    writer.write_eof()
    async with asyncio.timeout(10):
        with contextlib.suppress(ConnectionError):  # it was hung up on with unread bytes on the way
            assert await reader.read() == b""
    writer.close()
    await _still_answers(server)
    assert problems == []


async def test_what_is_no_mapping_is_answered_with_an_error(server: ControlServer) -> None:
    reader, writer = await asyncio.open_unix_connection(str(server.path))
    requests: tuple[object, ...] = ([], 1, "text")
    for request in requests:
        writer.write(frame(request))
        answer = await read_frame(reader)
        assert answer is not None
        assert answer["error"] == "a request is a mapping"
    writer.close()


async def test_a_client_that_never_reads_holds_up_nobody_and_not_the_closing(
    server: ControlServer,
) -> None:
    _, writer = await asyncio.open_unix_connection(str(server.path), limit=1)
    for _ in range(5):
        writer.write(frame({"large": 1}))
    _, hanging = await asyncio.open_unix_connection(str(server.path))
    hanging.write(frame({"hang": 1}))
    await _still_answers(server)
    async with asyncio.timeout(10):
        await server.close()
    assert not server.path.exists()
    writer.transport.abort()
    hanging.transport.abort()


async def test_a_client_whose_owner_goes_gets_a_connection_error(server: ControlServer) -> None:
    client = await ControlClient.connect(str(server.path))
    asking = asyncio.ensure_future(client.ask({"hang": 1}))
    await _still_answers(server)
    await server.close()
    with pytest.raises(ConnectionError):
        await asking
    await client.close()


async def test_the_socket_is_private_and_takes_the_place_of_a_dead_one(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    path.write_text("left behind")
    server = ControlServer(path, _answer)
    await server.open()
    mode = os.stat(path).st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600
    await _still_answers(server)
    await server.close()


async def test_a_place_that_cannot_be_taken_is_told(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    path.mkdir()
    with pytest.raises(StorageError, match="control socket"):
        await ControlServer(path, _answer).open()


async def test_a_long_path_gets_a_private_folder_that_goes_with_the_socket(tmp_path: Path) -> None:
    state = tmp_path / ("x" * SOCKET_PATH_LIMIT)
    state.mkdir()
    path = socket_path(state)
    assert len(os.fsencode(path)) <= SOCKET_PATH_LIMIT
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    server = ControlServer(path, _answer)
    await server.open()
    await _still_answers(server)
    await server.close()
    assert not path.parent.exists()
    await server.close()


def test_a_frame_is_its_length_and_json() -> None:
    body = msgspec.json.encode({"a": 1})
    assert frame({"a": 1}) == _length(len(body)) + body
