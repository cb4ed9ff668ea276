"""How a child ended, in words, and whose doing that was."""

from __future__ import annotations

import os
import signal
from typing import Final

import msgspec

from studio.executors.zygote import child
from studio.executors.zygote.envelope import Envelope
from studio.model.failure import Failure
from studio.ports import Failed, Outcome, Succeeded, Vanished

_CRASHES: Final = {
    signal.SIGSEGV: "it touched memory that is not its own, most often a fault in an extension module",
    signal.SIGBUS: "it touched memory that is not there, such as a mapped file that became shorter",
    signal.SIGFPE: "an arithmetic fault in native code",
    signal.SIGILL: "it ran an instruction that this processor does not have",
    signal.SIGABRT: "native code gave up (abort)",
    signal.SIGSYS: "it made a system call that is not allowed",
    signal.SIGTRAP: "native code hit a trap",
}
"""Signals that a process brings upon itself: failures of its code, not of its surroundings."""

_EXHAUSTED: Final = {
    signal.SIGXCPU: "it used up its processor time",
    signal.SIGXFSZ: "it wrote a larger file than it may",
}


def signal_name(number: int) -> str:
    """Name of a signal, such as ``SIGKILL``."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def outcome_of_result(found: Envelope) -> Outcome:
    """Turn a sealed result into an outcome."""
    if found.kind == "output":
        return Succeeded(found.body)
    try:
        return Failed(msgspec.json.decode(found.body, type=Failure))
    except msgspec.MsgspecError as error:
        return Failed(Failure("ResultError", f"the failure it left cannot be read: {error}"))


def outcome_of_death(status: int, what: str) -> Outcome:
    """Judge a child that left no result.

    A crash of its own doing and a silent exit are failures. A signal from outside (the kernel short of
    memory, a person) says nothing about the code: the attempt has vanished.

    Args:
        status: as by ``waitpid``.
        what: what ended, as the subject of the message.
    """
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        name = signal_name(number)
        if number in _CRASHES:
            text = f"{what} crashed with {name}: {_CRASHES[signal.Signals(number)]}"
            return Failed(Failure("ProcessCrashed", text))
        if number in _EXHAUSTED:
            text = f"{what} was ended with {name}: {_EXHAUSTED[signal.Signals(number)]}"
            return Failed(Failure("ProcessCrashed", text, "resource_exhausted"))
        hint = " (the system may have run out of memory)" if number == signal.SIGKILL else ""
        return Vanished(f"{what} was ended with {name} from outside{hint}")
    code = os.waitstatus_to_exitcode(status)
    if code == child.LOST:
        return Vanished(f"{what} broke before it could leave a result")
    text = (
        f"{what} ended with exit status {code} and no result; it may have called os._exit({code})"
    )
    return Failed(Failure("ProcessExited", text, exit_code=code))
