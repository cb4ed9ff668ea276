"""Reading an event back by position, its large result included."""

from typing import Any

import msgspec

from studio.ports import HistoryReader, Values


def look_up(history: HistoryReader, values: Values, position: int) -> Any:
    """The event at a position; a result kept in a file is put back in its place.

    Raises `NotFoundError`, `DamagedError`.
    """
    event: Any = history.record(position).event
    blob = getattr(event, "blob", None)
    if blob is None:
        return event
    whole = {value_field(event): msgspec.Raw(values.get(blob.address)), "blob": None}
    return msgspec.structs.replace(event, **whole)


def value_field(event: Any) -> str:
    """Which field of an event holds its value."""
    return "items" if hasattr(event, "items") else "output"
