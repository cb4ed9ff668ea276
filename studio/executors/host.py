"""What every executor has in common: the loop, where to report to, and its share of the loop's time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from studio.ports import AttemptKey, AttemptSink, LogStore, Outcome

TICK_SECONDS: Final = 0.010
"""Longest time that draining output may take of one turn of the loop; the loop's lag stays below 50 ms."""


@dataclass(frozen=True)
class Caps:
    """How much output is kept of each attempt.

    Args:
        head: bytes from the beginning, both streams and the log together; each line counts 32 more.
        tail: bytes from the end of each stream.
        capture: bytes of a command's standard output that its result may hold.
    """

    head: int = 8 * 1024 * 1024
    tail: int = 256 * 1024
    capture: int = 1024 * 1024


class Turn:
    """Time spent on output within one turn of the loop.

    Args:
        loop: the engine's loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._spent = 0.0

    def run(self, work: Callable[[], object]) -> None:
        """Do some work, unless this turn has spent its time: then its descriptor stays ready for the next."""
        if self._spent >= TICK_SECONDS:
            return
        if self._spent == 0.0:
            # Runs first thing in the next turn, before the descriptors that are ready in it.
            self._loop.call_soon(self._reset)
        began = time.perf_counter()
        try:
            work()
        finally:
            self._spent += max(time.perf_counter() - began, 1e-9)

    def _reset(self) -> None:
        self._spent = 0.0


@dataclass
class Host:
    """The surroundings of attempts.

    Args:
        loop: the engine's loop.
        sink: where outcomes go.
        logs: where output is kept.
        finish: reports the end of an attempt, once.
        caps: how much output is kept.
        limits: resource limits of children, by name: ``core``, ``processes``, ``descriptors``, ``memory``.
    """

    loop: asyncio.AbstractEventLoop
    sink: AttemptSink
    logs: LogStore
    finish: Callable[[AttemptKey, Outcome], None]
    caps: Caps
    limits: dict[str, int]
    turn: Turn = field(init=False)

    def __post_init__(self) -> None:
        self.turn = Turn(self.loop)
