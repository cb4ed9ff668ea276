"""Carrying out a shell node: the child becomes the shell."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # typeshed has no stubs for it
import errno
import os
import socket
from typing import Any, NoReturn

from studio.executors.redaction import Redactor
from studio.executors.zygote.context import Report
from studio.executors.zygote.results import Desk, encode_failure


def execute(order: dict[str, Any], talk: socket.SocketType) -> None:
    """Replace this process by the shell; returns only when that cannot be, with the failure handed in."""
    try:
        os.chdir(order["cwd"])
    except OSError as error:
        _refuse(order, talk, error, f"cannot enter the folder {order['cwd']}: {error.strerror}")
        return
    # Python ignores these; a pipeline whose reader leaves must end, as it does in a terminal.
    _signal.signal(_signal.SIGPIPE, _signal.SIG_DFL)
    _signal.signal(_signal.SIGXFSZ, _signal.SIG_DFL)
    argv = order["argv"]
    try:
        _execute(argv, order["env"])
    except OSError as error:
        _refuse(order, talk, error, f"cannot run the shell {argv[0]}: {error.strerror}")


def _execute(argv: list[str], env: dict[str, str]) -> NoReturn:
    """As ``os.execvpe``, which imports modules on the way."""
    problem: OSError = FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    folders = [""] if "/" in argv[0] else env.get("PATH", os.defpath).split(":")
    for folder in folders:
        try:
            os.execve(os.path.join(folder, argv[0]), argv, env)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            problem = error
    raise problem


def _refuse(order: dict[str, Any], talk: socket.SocketType, error: OSError, message: str) -> None:
    body = {"type": type(error).__name__, "message": message, "bases": ["OSError", "Exception"]}
    desk = Desk(order["result_file"], Report(talk))
    desk.hand_in("failure", encode_failure(body, Redactor(order["secrets"])))
