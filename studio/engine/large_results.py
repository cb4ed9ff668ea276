"""Results too large for the history: put into files before the append (`studio.engine.lookup` puts them back)."""

import asyncio
from typing import Any

import msgspec

from studio.core.events import Blob, Record
from studio.engine.lookup import value_field
from studio.ports import Values

INLINE_RESULT = 256 * 1024
"""Bytes of a result that still stand in the history; larger ones go to a file (engine.md, "Durability")."""

PREVIEW = 200
"""Bytes of a large result that the history keeps for people."""


async def put_aside(values: Values, records: list[Record]) -> list[Record]:
    """The records as they go to disk, with large results moved to files.

    The state keeps working on the events as they were decided. Raises `StorageError`.
    """
    large = [
        index
        for index, record in enumerate(records)
        if (raw := _payload(record.event)) is not None and len(bytes(raw)) > INLINE_RESULT
    ]
    if not large:
        return records
    done = list(records)
    for index in large:
        done[index] = await asyncio.to_thread(_with_blob, values, records[index])
    return done


def _payload(event: Any) -> msgspec.Raw | None:
    raw = getattr(event, value_field(event), None)
    return raw if isinstance(raw, msgspec.Raw) and hasattr(event, "blob") else None


def _with_blob(values: Values, record: Record) -> Record:
    raw = _payload(record.event)
    body = bytes(raw) if raw is not None else b""
    address = values.put(body)
    blob = Blob(address, len(body), body[:PREVIEW].decode("utf-8", "ignore"))
    changed = {value_field(record.event): msgspec.Raw(b"null"), "blob": blob}
    event = msgspec.structs.replace(record.event, **changed)
    return msgspec.structs.replace(record, event=event)
