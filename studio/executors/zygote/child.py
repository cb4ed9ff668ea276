"""A forked child: from the server's process to a clean one of its own, and what it then carries out."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # typeshed has no stubs for it
import contextlib
import fcntl
import gc
import json
import os
import random
import resource
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final, NoReturn

from studio.executors.zygote import system

LOST: Final = 70
"""Exit status of a child that broke before it could leave a result (``EX_SOFTWARE`` of sysexits.h)."""

TALK: Final = 3
"""Descriptor of the socket to the engine, in every child."""

_MARK: Final = "STUDIO_ZYGOTE"
_BODY: Final = 4
_KEPT: Final = 5
_HIGH: Final = 64
# One system call on Linux, whatever the number; elsewhere a loop, and a server has few descriptors.
_LAST_FD: Final = 1 << 20 if system.LINUX else 4096
_GO: Final = b"g"

_LIMITS: Final = {
    "core": resource.RLIMIT_CORE,
    "processes": resource.RLIMIT_NPROC,
    "descriptors": resource.RLIMIT_NOFILE,
    "memory": resource.RLIMIT_AS,
}


def run(fds: Sequence[int]) -> None:
    """Become the child of one order and carry it out; returns when its result is handed in.

    Args:
        fds: socket to the engine, standard output, standard error, file with the order.
    """
    server = os.getppid()
    os.setsid()
    system.adopt_orphans()
    system.die_with_parent()
    if os.getppid() != server:
        return  # the server died before the kernel knew what to do about that
    _wire(fds)
    _reset_signals()
    order = _read_order()
    _limit(order["limits"])
    system.prefer_as_victim()
    os.umask(0o022)
    # The class behind ``socket.socket``, again for the sake of pages.
    talk = socket.SocketType(socket.AF_UNIX, socket.SOCK_STREAM, 0, TALK)
    # Only now is there a process worth a gate: from here on nothing but the order's work remains.
    talk.sendall(_gate_message())
    if talk.recv(1) != _GO:
        return
    _carry_out(order, talk)


def _carry_out(order: dict[str, Any], talk: socket.SocketType) -> None:
    if order["kind"] == "shell":
        from studio.executors.zygote import script  # lazy: only this kind of child needs it

        script.execute(order, talk)
        return
    _restart_python(order["env"])
    if order["kind"] == "worker":
        from studio.executors.zygote import worker  # lazy: as above

        worker.serve(order, talk)
        return
    from studio.executors.zygote import function  # lazy: preloaded in the background by the server

    function.carry_out(order, talk)


def become_template(fds: Sequence[int]) -> NoReturn:
    """Import a project's module and serve forks of it, or say why that cannot be.

    Args:
        fds: control socket of the new server, file with the order, ``/dev/null``.
    """
    from studio.executors.zygote import template  # lazy: only templates need it

    control, body, nowhere = fds
    os.setsid()
    system.die_with_parent()
    _wire((control, nowhere, nowhere, body))
    _reset_signals()
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    order = _read_order()
    _set_environment(order["env"])
    template.serve(order, socket.socket(fileno=TALK))


def _wire(fds: Sequence[int]) -> None:
    """Put the descriptors in their places and close every other one."""
    talk, out, err, body = (fcntl.fcntl(fd, fcntl.F_DUPFD, _HIGH) for fd in fds)
    os.dup2(out, 1)
    os.dup2(err, 2)
    os.dup2(talk, TALK, inheritable=False)
    os.dup2(body, _BODY, inheritable=False)
    os.closerange(_KEPT, _LAST_FD)


def _reset_signals() -> None:
    # The module behind ``signal``: that one turns every number into an enum and back, and each page such a
    # detour touches is copied for the child, at about 3 µs.
    _signal.set_wakeup_fd(-1)
    for number in (_signal.SIGCHLD, _signal.SIGTERM, _signal.SIGHUP):
        _signal.signal(number, _signal.SIG_DFL)
    _signal.signal(_signal.SIGINT, _signal.default_int_handler)
    _signal.pthread_sigmask(_signal.SIG_SETMASK, ())


def _read_order() -> dict[str, Any]:
    body = b""
    while part := os.pread(_BODY, 1 << 30, len(body)):
        body += part
    os.close(_BODY)
    order: dict[str, Any] = json.loads(body)
    # The engine finds the descendants of a zygote that was killed by this.
    order["env"][_MARK] = os.environ.get(_MARK, "")
    return order


def _limit(limits: Mapping[str, int]) -> None:
    """Lower limits; one that is lower already stays."""
    for name, number in limits.items():
        which = _LIMITS[name]
        hard = resource.getrlimit(which)[1]
        allowed = number if hard == resource.RLIM_INFINITY else min(number, hard)
        resource.setrlimit(which, (allowed, allowed))


def _gate_message() -> bytes:
    pid = os.getpid()
    started = system.start_time(pid)
    return b'{"op":"gate","pid":%d,"started":%d}\n' % (pid, started)


def _set_environment(env: Mapping[str, str]) -> None:
    for name in [name for name in os.environ if name not in env]:
        del os.environ[name]
    for name, value in env.items():
        if os.environ.get(name) != value:
            os.environ[name] = value


def _restart_python(env: Mapping[str, str]) -> None:
    """Give user code the interpreter it would find in a process started for it alone."""
    _set_environment(env)
    _reseed()
    gc.enable()


def _reseed() -> None:
    """Let no two attempts draw the same numbers: each fork starts with a copy of the generators."""
    random.seed()
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()


def leave(status: int = 0) -> NoReturn:
    """Flush what was printed and end at once, without running what the server's process registered."""
    for stream in (sys.stdout, sys.stderr):
        # Whatever stands there, and however it is broken, the result is handed in already.
        with contextlib.suppress(Exception):
            stream.flush()
    os._exit(status)
