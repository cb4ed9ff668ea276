"""Entry of the zygote, started by `studio.executors.zygote_process` without ``site`` and environment."""

from __future__ import annotations

import gc
import signal
import site
import socket
import sys
import types
from typing import TextIO

from studio.executors.zygote import framing
from studio.executors.zygote.server import PRELOAD, ForkServer


def main(fd: int, paths: list[str]) -> None:
    """Become the zygote.

    Args:
        fd: descriptor of the connected control socket.
        paths: module path of the engine; what ``site`` does not find by itself is appended.
    """
    gc.disable()
    sys.dont_write_bytecode = True
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    # The root of this package stands first only for start-up; user code sees the usual order.
    root = sys.path.pop(0)
    site.main()
    sys.path.extend(entry for entry in [*paths, root] if entry not in sys.path)
    # What user code, and multiprocessing in it, takes for the main script is empty.
    sys.modules["__main__"] = types.ModuleType("__main__")
    sys.argv = [""]
    sys.stdout, sys.stderr = _printer(1), _printer(2)
    control = socket.socket(fileno=fd)
    control.setblocking(True)
    framing.send(control, {"op": "hello"})
    ForkServer(control, PRELOAD).serve()


def _printer(fd: int) -> TextIO:
    """A stream that every fork inherits: its descriptor then leads to the attempt's own pipe."""
    return open(fd, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)
