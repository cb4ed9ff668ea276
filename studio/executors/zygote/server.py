"""The loop of a fork server: the zygote, and each template forked from it.

A fork server forks one child per order, reports how it ended, and leaves nothing behind. Each attempt's child
and each server is a subreaper, so an orphan reaches a server only after the attempt it belongs to has died:
every child that a server does not know is a leftover of an attempt that is over, and is killed before that
end is reported. When the control socket closes, the server kills all its descendants and exits.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import select
import signal
import socket
import time
import traceback
from collections.abc import Callable
from typing import Final, NoReturn

from studio.executors.zygote import child, framing, system
from studio.executors.zygote.framing import Message

PRELOAD: Final = (
    "studio.executors.zygote.function", "studio.executors.zygote.script", "inspect", "ast", "traceback",
    "dataclasses", "datetime", "enum", "functools", "itertools", "math", "random", "re", "typing",
)  # fmt: skip
"""Imported while nothing else is to be done. Each megabyte costs every fork about 40 µs: asyncio alone, with ssl,
would add a third; templates import what a project needs."""

SWEEP_SECONDS: Final = 2.0
END_SECONDS: Final = 5.0


class ForkServer:
    """One control socket, and the children forked for it.

    Args:
        control: connected stream socket to the engine.
        preload: modules still to be imported, one at a time between messages.
    """

    def __init__(self, control: socket.socket, preload: tuple[str, ...] = ()) -> None:
        self._control = control
        self._preload = list(preload)
        self._inbox = framing.Inbox()
        self._attempts: dict[int, int] = {}
        self._pids: dict[int, int] = {}
        self._templates: dict[int, int] = {}
        self._untouchable: set[int] = set()
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)

    def serve(self) -> NoReturn:
        """Serve until the control socket closes; never returns."""
        system.adopt_orphans()
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _wake)
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        poll.register(self._wake_read, select.POLLIN)
        while True:
            ready = {fd for fd, _ in poll.poll(0 if self._preload else None)}
            if self._wake_read in ready:
                self._reap()
            if self._control.fileno() in ready:
                self._listen()
            if not ready and self._preload:
                self._import_next()

    def _import_next(self) -> None:
        importlib.import_module(self._preload.pop(0))
        if not self._preload:
            settle()

    def _listen(self) -> None:
        try:
            data, fds = framing.receive(self._control)
        except OSError:
            data, fds = b"", []
        if not data:
            self._end()
        for message, owned in self._inbox.feed(data, fds):
            self._obey(message, owned)
            for fd in owned:
                os.close(fd)

    def _obey(self, message: Message, fds: list[int]) -> None:
        operation = message["op"]
        if operation == "start":
            self._fork(message, fds)
        elif operation == "kill":
            self._signal(message["id"], message["signal"])
        elif operation == "template":
            self._fork_template(message, fds)
        elif operation == "sweep":
            self._reap()
            self._tell({"op": "swept", "id": message["id"], "leftovers": self._sweep()})

    def _fork(self, message: Message, fds: list[int]) -> None:
        pid = self._try_fork(message)
        if pid == 0:
            _only(lambda: child.run(fds))
        if pid is not None:
            self._attempts[pid] = message["id"]
            self._pids[message["id"]] = pid

    def _fork_template(self, message: Message, fds: list[int]) -> None:
        pid = self._try_fork(message)
        if pid == 0:
            _only(lambda: child.become_template(fds))
        if pid is not None:
            self._templates[pid] = message["id"]
            self._pids[message["id"]] = pid

    def _try_fork(self, message: Message) -> int | None:
        try:
            return os.fork()
        except OSError as error:
            self._tell({"op": "refused", "id": message["id"], "why": str(error)})
            return None

    def _signal(self, identity: int, number: int) -> None:
        pid = self._pids.get(identity)
        if pid is None:
            return  # it has ended meanwhile, and the engine will hear so
        system.signal_group(pid, number)
        if number != signal.SIGKILL:
            system.signal_group(pid, signal.SIGCONT)  # a stopped process takes no other signal

    def _tell(self, message: Message) -> None:
        try:
            framing.send(self._control, message)
        except OSError:
            self._end()

    # ------------------------------------------------------------------ the end of children

    def _reap(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake_read, 4096)
        while (found := _next_dead()) is not None:
            pid, status = found
            if (template := self._templates.pop(pid, None)) is not None:
                del self._pids[template]
            identity = self._attempts.get(pid)
            if identity is None:
                status = status if status is not None else _collect(pid)
                continue
            # The dead leader still holds its id, so the group cannot be anybody else's.
            system.signal_group(pid, signal.SIGKILL)
            status = status if status is not None else _collect(pid)
            del self._attempts[pid], self._pids[identity]
            self._tell(
                {"op": "ended", "id": identity, "status": status, "leftovers": self._sweep()}
            )

    def _sweep(self) -> int:
        """Kill every child that belongs to no living attempt; return how many there were."""
        killed: set[int] = set()
        deadline = 0.0
        while strangers := self._strangers():
            now = time.monotonic()
            deadline = deadline or now + SWEEP_SECONDS
            if now > deadline:
                break
            for pid in strangers:
                self._kill_stranger(pid, killed)
            if not any(_collect(pid, os.WNOHANG) is not None for pid in strangers):
                select.select([self._wake_read], [], [], 0.002)
        return len(killed)

    def _strangers(self) -> list[int]:
        known = (self._attempts, self._templates, self._untouchable)
        return [pid for pid in system.children() if not any(pid in those for those in known)]

    def _kill_stranger(self, pid: int, killed: set[int]) -> None:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        except PermissionError:
            self._untouchable.add(pid)  # runs as another user now; nobody here can end it
            return
        killed.add(pid)

    def _end(self) -> NoReturn:
        """Kill all descendants, wait until they are gone, and exit."""
        signal.set_wakeup_fd(-1)
        for pid in self._attempts:
            system.signal_group(pid, signal.SIGKILL)
        known = {*self._attempts, *self._templates}
        deadline = time.monotonic() + END_SECONDS
        while time.monotonic() < deadline:
            alive = {*system.children(), *known} - self._untouchable
            if not alive:
                break
            for pid in alive:
                self._kill_stranger(pid, set())
                if _collect(pid, os.WNOHANG) is not None:
                    known.discard(pid)
            time.sleep(0.001)
        os._exit(0)


def settle() -> None:
    """Make what is imported now cheap to share with forks: nothing of it is ever collected or copied."""
    gc.collect()
    gc.freeze()


def _wake(number: int, frame: object) -> None:
    """Only there so that the signal reaches the wake-up descriptor."""


def _only(run: Callable[[], None]) -> NoReturn:
    """Run the part of a forked child; whatever happens, it never returns into the server's loop."""
    try:
        run()
    except BaseException:
        # A defect of this package; standard error is the attempt's by now, so it is found there.
        traceback.print_exc()
    finally:
        os._exit(child.LOST)


def _next_dead() -> tuple[int, int | None] | None:
    """Find a child that has exited: its id, and its status where it had to be collected to be found."""
    try:
        if hasattr(os, "waitid"):
            info = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            return None if info is None else (info.si_pid, None)
        pid, status = os.waitpid(-1, os.WNOHANG)  # macOS before Python 3.13
        return (pid, status) if pid else None
    except ChildProcessError:
        return None


def _collect(pid: int, flags: int = 0) -> int | None:
    """Reap one child; None when it is not dead yet, 0 when somebody else has reaped it."""
    try:
        done, status = os.waitpid(pid, flags)
    except ChildProcessError:
        return 0
    return status if done else None
