"""What Linux offers for keeping processes together; elsewhere these do what they can, which is less."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import Any, Final

LINUX: Final = sys.platform == "linux"

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_CHILD_SUBREAPER: Final = 36
"""Numbers of prctl(2), from ``linux/prctl.h``."""

_libc: Any = ctypes.CDLL(None, use_errno=True) if LINUX else None


def adopt_orphans() -> bool:
    """Become the parent of every descendant whose own parent dies. False where that does not exist."""
    return LINUX and _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent dies; preserved by exec, not by fork."""
    if LINUX:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def start_time(pid: int) -> int:
    """Clock ticks since boot at which a process started; 0 when it is gone or the system has no /proc."""
    if not LINUX:
        return 0
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            text = file.read(4096)
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
        with open(f"/proc/{pid}/task/{pid}/children", "rb", buffering=0) as file:
            return [int(word) for word in file.read(1 << 20).split()]
    except FileNotFoundError:
        return _children_by_scan(pid)


def _children_by_scan(parent: int) -> list[int]:
    """The same for kernels built without ``CONFIG_PROC_CHILDREN``."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb", buffering=0) as file:
                    text = file.read(4096)
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
        with open("/proc/self/oom_score_adj", "wb", buffering=0) as file:
            file.write(b"500")
    except OSError:
        return  # a sandbox without it; the attempt runs all the same


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
