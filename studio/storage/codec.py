"""Rows of the history: how records, run rows and definitions become bytes with a checksum, and back.

Events are stored as JSON, so that a history can be read with any tool and encoded outputs nest as they
are. A checksum is CRC-32 (``zlib.crc32``) over the numbers of the row, packed little-endian, followed
by its bytes. It is not chained from row to row: a position that is part of its own checksum, together
with the rule that positions have no gap, already shows rows that were lost, moved or repeated, and a
damaged row must not make its successors unreadable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from struct import Struct
from typing import Final, TypeAlias, get_args
from zlib import crc32

import msgspec

from studio.core.events import AnyEvent, Record
from studio.errors import DamagedError, StorageError
from studio.ids import VersionHash
from studio.ports import Definition, RunRow

EventColumns: TypeAlias = tuple[int, int, float, bytes, int]
"""position, run, at, data, checksum."""

RunColumns: TypeAlias = tuple[int, str, str, str, int, bytes, int]
"""run, run_id, workflow, state, open, data, checksum."""

DefinitionColumns: TypeAlias = tuple[str, str, bytes, int]
"""version, workflow, body, checksum."""


class UnknownEventError(StorageError):
    """The history holds an event this program does not know: a newer one wrote it.

    Args:
        tag: name of the event.
        position: where it stands, 0 when only the vocabulary names it.
    """

    def __init__(self, tag: str, position: int = 0) -> None:
        place = f" at position {position}" if position else ""
        super().__init__(
            f"The history holds an event {tag!r}{place} that this version of Workflow Studio does not"
            " know; a newer version wrote it. The history can be read up to there, but not written."
        )
        self.tag = tag
        self.position = position


class _Tag(msgspec.Struct, frozen=True):
    event: str


def _tag_of(kind: type[msgspec.Struct]) -> str:
    return str(kind.__struct_config__.tag)


TAGS: Final[dict[type, str]] = {kind: _tag_of(kind) for kind in get_args(AnyEvent)}
"""Event class to the tag it is stored under."""

KNOWN_TAGS: Final = frozenset(TAGS.values())

_ROW: Final = Struct("<qqd")
_NUMBER: Final = Struct("<q")
_encode = msgspec.json.Encoder().encode
_decode_run = msgspec.json.Decoder(RunRow).decode
_pack = _ROW.pack


def event_checksum(position: int, run: int, at: float, data: bytes) -> int:
    """CRC-32 over ``<position: int64><run: int64><at: float64>`` and the bytes of the event."""
    return crc32(data, crc32(_pack(position, run, at)))


def encode_records(records: Iterable[Record]) -> list[EventColumns]:
    """Turn records into rows.

    Raises:
        StorageError: a value cannot be written as JSON (a lone surrogate, a foreign type).
    """
    rows: list[EventColumns] = []
    try:
        for record in records:
            position, run, at = record.position, record.run, record.at
            data = _encode(record.event)
            rows.append((position, run, at, data, crc32(data, crc32(_pack(position, run, at)))))
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise StorageError(f"An event cannot be written as JSON: {error}.") from error
    return rows


@cache
def _event_decoder() -> Callable[[bytes], AnyEvent]:
    """Made when the first event is read: that takes a millisecond."""
    return msgspec.json.Decoder(AnyEvent).decode


def decode_record(row: EventColumns) -> Record:
    """Turn a row into a record.

    Raises:
        DamagedError: the checksum is wrong, or the bytes are no event.
        UnknownEventError: the row is intact, but its tag is not known here.
    """
    position, run, at, data, checksum = row
    if crc32(data, crc32(_pack(position, run, at))) != checksum:
        raise DamagedError(f"Event {position} of the history is damaged: its checksum is wrong.")
    try:
        return Record(position, run, at, _event_decoder()(data))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        tag = tag_of(data)
        if tag is not None and tag not in KNOWN_TAGS:
            raise UnknownEventError(tag, position) from error
        raise DamagedError(
            f"Event {position} of the history does not have its form: {error}."
        ) from error


def tag_of(data: bytes) -> str | None:
    """Tag under which an event is stored, None when the bytes do not say."""
    try:
        return msgspec.json.decode(data, type=_Tag).event
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def encode_run(row: RunRow) -> RunColumns:
    """Turn a run row into columns. The checksum covers the number of the run and ``data``."""
    data = _encode(row)
    checksum = crc32(data, crc32(_NUMBER.pack(row.run)))
    return (row.run, row.run_id, row.workflow, row.state, int(row.open), data, checksum)


def decode_run(run: int, data: bytes, checksum: int) -> RunRow:
    """Turn columns into a run row.

    Raises:
        DamagedError: the checksum is wrong, or the bytes are no run row.
    """
    if crc32(data, crc32(_NUMBER.pack(run))) != checksum:
        raise DamagedError(f"The row of run {run} is damaged: its checksum is wrong.")
    try:
        return _decode_run(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DamagedError(f"The row of run {run} does not have its form: {error}.") from error


def _definition_checksum(version: str, workflow: str, body: bytes) -> int:
    return crc32(body, crc32(f"{version}\n{workflow}\n".encode()))


def encode_definition(definition: Definition) -> DefinitionColumns:
    """Turn a definition into columns. The checksum covers version, workflow and body."""
    version, workflow, body = definition.version, definition.workflow, definition.body
    return (version, workflow, body, _definition_checksum(version, workflow, body))


def decode_definition(row: DefinitionColumns) -> Definition:
    """Turn columns into a definition.

    Raises:
        DamagedError: the checksum is wrong.
    """
    version, workflow, body, checksum = row
    if _definition_checksum(version, workflow, body) != checksum:
        raise DamagedError(
            f"The stored definition {version[:12]} is damaged: its checksum is wrong."
        )
    return Definition(VersionHash(version), workflow, body)
