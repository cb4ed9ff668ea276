"""One thread that owns the writing connection; each transaction is one hop to it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import aiosqlite


class WriterConnection(aiosqlite.Connection):
    """An aiosqlite connection that carries out whole transactions.

    aiosqlite hops to its thread once per statement, so that two tasks on one connection interleave
    their statements and roll back each other's rows. Here a transaction is one function, queued as
    one job through ``Connection._execute``; nothing can come between its statements.

    The thread is a daemon: a process that ends without closing must end, and whatever was
    acknowledged is on disk by then.

    Args:
        connection: open connection with ``check_same_thread=False``; owned by this object from now on.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(lambda: connection, iter_chunk_size=64)
        self._connection = connection
        self._thread.daemon = True
        self._thread.start()

    async def transact(self, job: Callable[[sqlite3.Connection], Any]) -> None:
        """Run ``job(connection)`` on the thread and wait for its end, also when cancelled meanwhile.

        A cancelled caller gets its ``CancelledError`` only after the job has ended: by then it is known
        whether the transaction is on disk. Raises what the job raises.
        """
        try:
            await self._queue(job)
        except asyncio.CancelledError:
            await self._settle()
            raise

    async def _settle(self) -> None:
        """Wait until the jobs queued so far have ended, however often the waiting is cancelled.

        The queue is first in, first out: when a job that does nothing is done, so are those before it.
        """
        behind = asyncio.ensure_future(self._queue(_do_nothing))
        while not behind.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait((behind,))

    async def _queue(self, job: Callable[[sqlite3.Connection], Any]) -> None:
        await self._execute(job, self._conn)  # type: ignore[no-untyped-call]  # aiosqlite has no hints


def _do_nothing(connection: sqlite3.Connection) -> None:
    """Mark a place in the queue."""
