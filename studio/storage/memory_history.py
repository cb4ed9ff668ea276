"""A history in memory, for tests and simulation."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from studio.core.events import Record
from studio.errors import NotFoundError, StorageError
from studio.ids import RunNumber, VersionHash
from studio.ports import Batch, Definition, RunFilter, RunRow
from studio.storage.codec import EventColumns, decode_record, encode_records
from studio.storage.sqlite_reader import SHORTEST_DIGITS_ID


def _go_on(batch: Batch) -> None:
    """Let an append pass."""


@dataclass(slots=True)
class AppendHooks:
    """Where a test makes appends fail; each is called with the batch and raises what it likes.

    Args:
        before: called before anything is stored: the batch is lost.
        after: called once the batch is stored: what it raises stands for a crash before the
            acknowledgement, the batch stays.
    """

    before: Callable[[Batch], None] = _go_on
    after: Callable[[Batch], None] = _go_on


class MemoryHistory:
    """Fulfils `studio.ports.History` like `SqliteHistory` does, without a file.

    Events pass through the same codec, so that what is read back is what a file would give back.
    `read_only` makes every append fail. Nothing is forgotten by `close`: a crashed engine's successor
    reads on from the same object.
    """

    def __init__(self) -> None:
        self.hooks = AppendHooks()
        self.read_only = False
        self._events: list[EventColumns] = []
        self._by_run: dict[int, list[int]] = {}
        self._rows: dict[int, RunRow] = {}
        self._definitions: dict[str, Definition] = {}

    async def append(self, batch: Batch) -> None:
        """Append a batch; all or nothing. Raises `StorageError`, and what the hooks raise."""
        if self.read_only:
            raise StorageError("The history is open for reading only.", errno.EROFS)
        for expected, record in enumerate(batch.records, self.head() + 1):
            if record.position != expected:
                raise StorageError(
                    f"Event {record.position} does not follow the head of the history;"
                    f" {expected} would."
                )
        events = encode_records(batch.records)
        self.hooks.before(batch)
        self._events += events
        for event in events:
            self._by_run.setdefault(event[1], []).append(event[0])
        self._rows.update((row.run, row) for row in batch.rows)
        for definition in batch.definitions:
            self._definitions.setdefault(definition.version, definition)
        self.hooks.after(batch)

    def damage(self, position: int) -> None:
        """Flip a bit of a stored event, as a bad disk would."""
        number, run, at, data, checksum = self._events[position - 1]
        self._events[position - 1] = (number, run, at, bytes([data[0] ^ 1]) + data[1:], checksum)

    def head(self) -> int:
        """Position of the last record, 0 when the history is empty."""
        return len(self._events)

    def read(self, run: RunNumber | None = None, after: int = 0) -> Iterator[Record]:
        """Records in order of position, up to the head at the time of the call. Raises `DamagedError`."""
        if run is None:
            return self._decode(list(range(after + 1, len(self._events) + 1)))
        return self._decode(
            [position for position in self._by_run.get(run, []) if position > after]
        )

    def _decode(self, positions: list[int]) -> Iterator[Record]:
        for position in positions:
            yield decode_record(self._events[position - 1])

    def record(self, position: int) -> Record:
        """One record. Raises `NotFoundError`, `DamagedError`."""
        if not 0 < position <= len(self._events):
            raise NotFoundError(f"The history has no event {position}.")
        return decode_record(self._events[position - 1])

    def definition(self, version: VersionHash) -> Definition:
        """A stored definition. Raises `NotFoundError`."""
        try:
            return self._definitions[version]
        except KeyError:
            raise NotFoundError(f"The history has no definition {version[:12]}.") from None

    def rows(self, where: RunFilter) -> list[RunRow]:
        """Runs that match, newest first; at most ``where.limit``."""
        found = [row for _, row in sorted(self._rows.items(), reverse=True) if _matches(row, where)]
        return found[: max(where.limit, 0)]

    def find(self, reference: str) -> RunRow:
        """A run by number, ``last``, full id or unique prefix of its id. Raises `NotFoundError`."""
        reference = reference.strip()
        if reference == "last":
            if not self._rows:
                raise NotFoundError("There is no run yet.")
            return self._rows[max(self._rows)]
        if reference.isascii() and reference.isdigit() and int(reference) in self._rows:
            return self._rows[int(reference)]
        if reference.isascii() and reference.isdigit() and len(reference) < SHORTEST_DIGITS_ID:
            raise NotFoundError(f"There is no run {reference}.")
        runs = [
            row for row in self._rows.values() if reference and row.run_id.startswith(reference)
        ]
        exact = [row for row in runs if row.run_id == reference]
        if exact or len(runs) == 1:
            return (exact or runs)[0]
        if not runs:
            raise NotFoundError(f"There is no run {reference!r}.")
        raise NotFoundError(f"{reference!r} is the beginning of several runs.")

    def close(self) -> None:
        """Nothing is held."""

    async def aclose(self) -> None:
        """Nothing is held."""


def _matches(row: RunRow, where: RunFilter) -> bool:
    return (
        where.workflow in (None, row.workflow)
        and (not where.states or row.state in where.states)
        and (row.open or not where.only_open)
        and (where.before is None or row.run < where.before)
    )
