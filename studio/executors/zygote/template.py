"""A template: a fork server with a project's module imported, so that its forks need not import it."""

from __future__ import annotations

import importlib
import inspect
import os
import socket
import sys
import threading
from typing import Any, NoReturn

from studio.executors.zygote import framing, sources, system
from studio.executors.zygote.server import ForkServer, settle


def serve(order: dict[str, Any], control: socket.socket) -> NoReturn:
    """Import the module, tell which files that read, and serve; or tell why forks of this would differ.

    Whatever goes wrong, the attempts themselves are then forked from the zygote and meet it again, where it
    is reported as theirs.
    """
    witness = sources.Witness(order["folder"])
    try:
        sources.enter(order["folder"], order["pin"])
        module = sources.load(order["module"], order["folder"])
        if any(inspect.iscoroutinefunction(each) for each in vars(module).values()):
            importlib.import_module("asyncio")
        problem = _problem()
    except BaseException as error:  # importing runs user code, which may raise anything
        problem = f"importing it raises {type(error).__name__}"
    witness.stop()
    if problem is not None:
        framing.send(control, {"op": "unfit", "why": problem})
        os._exit(0)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    settle()
    framing.send(control, {"op": "ready", "files": witness.files, "folders": witness.folders()})
    ForkServer(control).serve()


def _problem() -> str | None:
    """Say why a fork of this process would not be what a fresh process is."""
    threads = len(os.listdir("/proc/self/task")) if system.LINUX else threading.active_count()
    if threads > 1:
        return "importing it starts threads, which do not survive a fork"
    if system.children():
        return "importing it starts processes"
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    if os.fstat(1).st_size:
        return "importing it writes output, which belongs to each attempt"
    return None
