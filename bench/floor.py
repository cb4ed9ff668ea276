"""The floor: the same graphs as bare asyncio, one task a node, one-hop group commits of one row per node.

No workflow logic: no states, policies, retries, limits, or history; just what any asynchronous program pays that
waits for its upstreams and does not go on before its row is on disk.
"""

import asyncio
import sqlite3
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

Graph = Mapping[str, Sequence[str]]
"""Upstreams of each node."""

Row = tuple[int, str, bytes]


class Writer:
    """Commits rows in groups: whatever has come in while the last commit was under way."""

    def __init__(self, file: Path) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._connection = self._thread.submit(_open, file).result()
        self._rows: list[Row] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._wake = asyncio.Event()

    async def append(self, row: Row) -> None:
        """Return once the row is on disk."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._rows.append(row)
        self._waiting.append(future)
        self._wake.set()
        await future

    async def run(self) -> None:
        """Commit until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await self._wake.wait()
            self._wake.clear()
            rows, waiting = self._rows, self._waiting
            self._rows, self._waiting = [], []
            await loop.run_in_executor(self._thread, _commit, self._connection, rows)
            for future in waiting:
                future.set_result(None)

    def close(self) -> None:
        """Close the file."""
        self._thread.submit(self._connection.close).result()
        self._thread.shutdown()


async def run_floor(graphs: Sequence[Graph], file: Path) -> float:
    """Run graphs side by side. Returns nodes per second."""
    writer = Writer(file)
    committing = asyncio.create_task(writer.run())
    began = time.perf_counter()
    await asyncio.gather(*(_run(run, graph, writer) for run, graph in enumerate(graphs)))
    took = time.perf_counter() - began
    committing.cancel()
    writer.close()
    return sum(len(graph) for graph in graphs) / took


async def _run(run: int, graph: Graph, writer: Writer) -> None:
    done: dict[str, asyncio.Task[None]] = {}
    for name, ups in graph.items():
        done[name] = asyncio.create_task(_node(run, name, [done[up] for up in ups], writer))
    await asyncio.gather(*done.values())


async def _node(run: int, name: str, ups: list[asyncio.Task[None]], writer: Writer) -> None:
    for up in ups:
        await up
    await writer.append((run, name, b"{}"))


def _open(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(
        "CREATE TABLE done (id INTEGER PRIMARY KEY, run INTEGER, node TEXT, data BLOB)"
    )
    return connection


def _commit(connection: sqlite3.Connection, rows: list[Row]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany("INSERT INTO done (run, node, data) VALUES (?, ?, ?)", rows)
    connection.execute("COMMIT")
