"""What is left of processes whose server or engine died: found, killed, and their results read."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Final

from studio.executors.endings import outcome_of_result
from studio.executors.zygote import envelope, system
from studio.ports import Outcome

MARK: Final = "STUDIO_ZYGOTE"
"""Environment variable of the zygote. Forks keep showing it in ``/proc/PID/environ``, and it is handed to
what they execute."""

SECONDS: Final = 2.0
"""How long killed processes may take to disappear; only one stuck in the kernel takes longer."""


def recover(pid: int, started: int, result_file: str) -> Outcome | None:
    """See `studio.ports.Executor.recover`."""
    if system.LINUX and started:
        if system.start_time(pid) == started:
            system.signal_group(pid, signal.SIGKILL)
        _kill_all(lambda: _remainder(pid, started))
    data = envelope.read(result_file)
    found = None if data is None else envelope.unseal(data, pid, started)
    return None if found is None else outcome_of_result(found)


def kill_marked(mark: str) -> int:
    """Kill every process that descends from a zygote, by its mark; return how many were found."""
    wanted = f"{MARK}={mark}".encode()
    return _kill_all(lambda: [pid for pid in _processes() if _is_marked(pid, wanted)])


def _kill_all(find: Callable[[], list[int]]) -> int:
    killed: set[int] = set()
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        found = find()
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                continue
        killed.update(found)
        # A process that is dying has lost its environment already, and with it its mark.
        if not found and all(_is_dead(pid) for pid in killed):
            break
        time.sleep(0.002)
    return len(killed)


def _is_dead(pid: int) -> bool:
    """Whether a process is gone or a zombie."""
    try:
        stat = system.read_proc(f"/proc/{pid}/stat")
    except (FileNotFoundError, ProcessLookupError):
        return True
    return stat[stat.rindex(b")") + 2 :][:1] in b"ZX"


def _processes() -> list[int]:
    if not system.LINUX:
        return []
    return [
        int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()
    ]


def _remainder(pid: int, started: int) -> list[int]:
    """The leader while it still dies, and every marked member of its session."""
    leader = [pid] if system.start_time(pid) == started and not _is_dead(pid) else []
    return leader + [each for each in _members(pid, started) if _is_marked(each, b"")]


def _members(session: int, started: int) -> list[int]:
    """Living processes of a session that is not older than its leader was."""
    found = []
    for pid in _processes():
        try:
            if os.getsid(pid) == session and system.start_time(pid) >= started:
                found.append(pid)
        except (ProcessLookupError, PermissionError):
            continue
    return found


def _is_marked(pid: int, wanted: bytes) -> bool:
    """Tell whether a process has the mark; dead ones have no environment. No mark asked means any."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            variables = file.read().split(b"\0")
    except OSError:
        return False
    prefix = MARK.encode() + b"="
    return any(each == wanted or (not wanted and each.startswith(prefix)) for each in variables)
