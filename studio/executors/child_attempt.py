"""One attempt in a child of its own, from its order to its outcome."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import tempfile
from collections.abc import Callable
from typing import Any, Final

import msgspec

from studio.executors.fork_link import ForkLink
from studio.executors.host import Host
from studio.executors.output import Drain, Output, Text
from studio.executors.redaction import Redactor
from studio.executors.talk import Gate, Logged, Progress, Talk, Told
from studio.executors.zygote import envelope
from studio.executors.zygote.envelope import Envelope
from studio.model.failure import Failure
from studio.ports import AttemptKey, AttemptOrder, Failed, Outcome, Stopped, Vanished

GO: Final = b"g"

STDERR_END: Final = 16_384
"""Bytes from the end of a command's standard error that its failure may quote."""


class Remains(msgspec.Struct, frozen=True):
    """What is there once a child is dead.

    Args:
        status: as by ``waitpid``; None when the server died with it.
        result: its sealed result, None when it left none.
        stdout: captured standard output, secrets still in it.
        stdout_dropped: bytes of it that were not captured.
        stderr: end of its standard error, secrets still in it.
    """

    status: int | None
    result: Envelope | None
    stdout: bytes
    stdout_dropped: int
    stderr: bytes


class Work(msgspec.Struct, frozen=True):
    """What a kind of node makes of an order.

    Args:
        body: the order as the child reads it, in JSON types.
        judge: turns what is left of the child into an outcome.
        redactor: replaces secrets in everything that is passed on.
        captures: keep standard output and the end of standard error for the result.
        side_file: a file the child may have written, removed at the end of the attempt.
    """

    body: dict[str, Any]
    judge: Callable[[Remains], Outcome]
    redactor: Redactor
    captures: bool = False
    side_file: str = ""


class ChildAttempt:
    """Drives one child; implements `fork_link.Forked`.

    Args:
        host: surroundings.
        order: what to carry out.
        work: the same, as its kind of node sees it.
        identity: number of the child on its link.
    """

    def __init__(self, host: Host, order: AttemptOrder, work: Work, identity: int) -> None:
        self.key: AttemptKey = order.key
        self._host = host
        self._work = work
        self._identity = identity
        self._result_file = order.result_file
        self._output = Output(host, order.key, work.redactor, commands=work.captures)
        self._link: ForkLink | None = None
        self._talk: Talk | None = None
        self._drains: list[Drain] = []
        self._who: tuple[int, int] | None = None
        self._direct: bytes | None = None
        self._released = False
        self._cancelled = False
        self._killer: asyncio.TimerHandle | None = None
        self._closed = False
        self._over = False

    def begin(self, link: ForkLink) -> None:
        """Ask a fork server for the child.

        Raises:
            OSError: when the engine has no descriptors left.
        """
        ours: list[int] = []
        theirs: list[int] = []
        try:
            for _ in range(2):
                read, write = os.pipe()
                ours.append(read)
                theirs.append(write)
                os.set_blocking(read, False)
            theirs.append(sealed_file(encode_order(self._work.body)))
            mine, other = socket.socketpair()
        except OSError:
            for fd in (*ours, *theirs):
                os.close(fd)
            raise
        keep, end = (self._host.caps.capture, STDERR_END) if self._work.captures else (0, 0)
        self._talk = Talk(self._host, mine, self._hear, self._take_result)
        self._drains = [
            Drain(self._host, ours[0], Text(self._output, "stdout"), keep),
            Drain(self._host, ours[1], Text(self._output, "stderr"), end, from_end=True),
        ]
        self._link = link
        link.start(self._identity, self, (other.detach(), *theirs))

    def release(self) -> None:
        """Open the gate."""
        if self._talk is not None and not self._released and not self._cancelled:
            self._released = True
            self._talk.send(GO)

    def cancel(self, grace: float) -> None:
        """End the child: at once while it waits at its gate, else SIGTERM and after ``grace`` s SIGKILL."""
        if self._over or self._link is None:
            return
        if not self._cancelled:
            # A result that is there already was not stopped: the attempt had ended by itself.
            self._cancelled = not os.path.exists(self._result_file)
        if self._killer is not None:
            self._killer.cancel()
        if not self._released or grace <= 0:
            self._kill()
            return
        self._link.signal(self._identity, signal.SIGTERM)
        self._killer = self._host.loop.call_later(grace, self._kill)

    def ended(self, status: int, leftovers: int) -> None:
        """The child is dead, and so is all it left behind."""
        if leftovers:
            self._note_leftovers(leftovers)
        self._conclude(status, "")

    def refused(self, why: str) -> None:
        """The system did not allow the fork."""
        text = f"no process could be started for it: {why}"
        self._end(Failed(Failure("OSError", text, "resource_exhausted", ("Exception",))))

    def lost(self, why: str) -> None:
        """The fork server is gone, and the child with it."""
        self._conclude(None, why)

    def abandon(self) -> None:
        """The engine closes; the child is dead already."""
        self._cancelled = True
        self._conclude(None, "")

    def _kill(self) -> None:
        if not self._over and self._link is not None:
            self._link.signal(self._identity, signal.SIGKILL)

    def _hear(self, message: Told) -> None:
        if isinstance(message, Gate):
            if self._who is None:
                self._who = (message.pid, message.started)
                self._host.sink.spawned(self.key, *self._who)
        elif isinstance(message, Progress):
            self._output.progress(message.fraction, message.message)
        elif isinstance(message, Logged):
            self._output.log(message.level, message.text)

    def _take_result(self, sealed: bytes) -> None:
        self._direct = sealed

    def _note_leftovers(self, leftovers: int) -> None:
        noun = "process" if leftovers == 1 else "processes"
        self._output.write([f"({leftovers} {noun} left behind, killed)"], "log", "warning")

    def _conclude(self, status: int | None, why: str) -> None:
        self._close()
        result = self._find_result()
        if self._cancelled:
            self._end(Stopped())
        elif status is None and result is None:
            self._end(Vanished(why))
        else:
            out, err = self._drains
            captured = (bytes(out.captured), out.dropped, bytes(err.captured))
            self._end(self._work.judge(Remains(status, result, *captured)))

    def _find_result(self) -> Envelope | None:
        if self._who is None:
            return None
        data = self._direct if self._direct is not None else envelope.read(self._result_file)
        return None if data is None else envelope.unseal(data, *self._who)

    def _close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._killer is not None:
            self._killer.cancel()
        if self._talk is not None:
            self._talk.close()
        for drain in self._drains:
            drain.close()
        self._output.finish()

    def _end(self, outcome: Outcome) -> None:
        if self._over:
            return
        self._over = True
        self._close()
        if self._work.side_file:
            with contextlib.suppress(OSError):  # most scripts write none
                os.unlink(self._work.side_file)
        self._host.finish(self.key, outcome)


def encode_order(body: dict[str, Any]) -> bytes:
    """Encode an order. Environments may hold bytes that are no text, which Python keeps as lone surrogates:
    msgspec refuses them, and the standard library writes them as escapes that its own reader takes back."""
    try:
        return msgspec.json.encode(body)
    except UnicodeEncodeError:
        return json.dumps(body).encode()


def sealed_file(data: bytes) -> int:
    """Return a descriptor of a nameless file with the given bytes: orders hold secrets, argv shows them."""
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("order", os.MFD_CLOEXEC)
    else:
        with tempfile.TemporaryFile(buffering=0) as file:
            fd = os.dup(file.fileno())
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(fd, rest) :]
    except OSError:
        os.close(fd)
        raise
    return fd
