"""What Linux offers for keeping processes together; elsewhere these do what they can, which is less."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import Any, Final

LINUX: Final = sys.platform == "linux"

_SIGKILL: Final = int(signal.SIGKILL)
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_CHILD_SUBREAPER: Final = 36
"""Numbers of prctl(2), from ``linux/prctl.h``."""

_prctl: Any = ctypes.CDLL(None).prctl if LINUX else None
if LINUX:
    _prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4


def adopt_orphans() -> bool:
    """Become the parent of every descendant whose own parent dies. False where that does not exist."""
    return LINUX and _prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent dies; preserved by exec, not by fork."""
    if LINUX:
        _prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)


def read_proc(path: str) -> bytes:
    """Read a file of /proc whole. Raises `OSError`."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        parts = []
        while part := os.read(fd, 65_536):
            parts.append(part)
    finally:
        os.close(fd)
    return b"".join(parts)


def start_time(pid: int) -> int:
    """Clock ticks since boot at which a process started; 0 when it is gone or the system has no /proc."""
    if not LINUX:
        return 0
    try:
        text = read_proc(f"/proc/{pid}/stat")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return 0
    # The second field is the name in parentheses, which may hold anything, parentheses included.
    return int(text[text.rindex(b")") + 2 :].split()[19])


def children() -> list[int]:
    """Process ids of this process's children, zombies included; empty where the system has no /proc.

    The calling process must have one thread: the kernel lists children by thread.
    """
    if not LINUX:
        return []
    pid = os.getpid()
    try:
        return [int(word) for word in read_proc(f"/proc/{pid}/task/{pid}/children").split()]
    except FileNotFoundError:
        return _children_by_scan(pid)


def _children_by_scan(parent: int) -> list[int]:
    """The same for kernels built without ``CONFIG_PROC_CHILDREN``."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                text = read_proc(f"/proc/{name}/stat")
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(text[text.rindex(b")") + 2 :].split()[1]) == parent:
                found.append(int(name))
    return found


def prefer_as_victim() -> None:
    """Ask the kernel to end this process before the engine when memory runs out."""
    if not LINUX:
        return
    try:
        fd = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
    except OSError:
        return  # a sandbox without it; the attempt runs all the same
    try:
        os.write(fd, b"500")
    finally:
        os.close(fd)


def signal_group(pid: int, number: int) -> None:
    """Send a signal to a process group, or to its leader while that has not founded the group yet."""
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
    except PermissionError:
        return  # macOS says so of a group of which only a zombie is left
