"""Positions a salvage could not save, and the runs they may have belonged to."""

from __future__ import annotations

import sqlite3

import msgspec


class Gap(msgspec.Struct, frozen=True):
    """A stretch of lost positions.

    Args:
        first: first lost position.
        last: last lost position.
        runs: numbers of the runs that may have lost events in it.
    """

    first: int
    last: int
    runs: frozenset[int]


def read_gaps(connection: sqlite3.Connection) -> tuple[Gap, ...]:
    """All recorded gaps, in order. Raises `sqlite3.Error`."""
    rows = connection.execute("SELECT first, last, runs FROM gap ORDER BY first").fetchall()
    return tuple(
        Gap(first, last, frozenset(msgspec.json.decode(runs, type=list[int])))
        for first, last, runs in rows
    )


def write_gap(connection: sqlite3.Connection, gap: Gap) -> None:
    """Record a gap. Raises `sqlite3.Error`."""
    connection.execute(
        "INSERT INTO gap (first, last, runs) VALUES (?, ?, ?)",
        (gap.first, gap.last, msgspec.json.encode(sorted(gap.runs)).decode()),
    )
