"""Rows read straight from the pages of a damaged SQLite file.

Where a header, an inner page or the schema is gone, SQL cannot reach rows that are still whole. Each
leaf page stands by itself, so all of them are searched. The format is that of
https://www.sqlite.org/fileformat2.html; nothing here knows what the rows mean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from struct import error as StructError
from struct import unpack
from typing import Final, TypeAlias

from studio.storage.wal import PAGE_SIZE

Column: TypeAlias = int | float | str | bytes | None
Pages: TypeAlias = Callable[[int], bytes]
"""Page number (from 1) to its bytes, empty when there is none."""

_TABLE_LEAF: Final = 0x0D
_INDEX_LEAF: Final = 0x0A
_INDEX_INNER: Final = 0x02
_INTEGER_BYTES: Final = (0, 1, 2, 3, 4, 6, 8)
_FILE_HEADER: Final = 100

_Broken: Final = (IndexError, ValueError, StructError, OverflowError)
"""What reading nonsense as a cell runs into."""


def table_rows(pages: Pages, count: int) -> Iterator[tuple[int, tuple[Column, ...]]]:
    """Every row of every table: its rowid and its columns, in no order; nonsense may be among them."""
    for number in range(1, count + 1):
        for page, offset in _cells(pages, number, _TABLE_LEAF):
            try:
                size, offset = _varint(page, offset)
                rowid, offset = _varint(page, offset)
                yield rowid, _columns(_payload(pages, page, offset, size, PAGE_SIZE - 35))
            except _Broken:
                continue


def index_entries(pages: Pages, count: int) -> Iterator[tuple[Column, ...]]:
    """Every entry of every index, in no order; nonsense may be among them."""
    most = (PAGE_SIZE - 12) * 64 // 255 - 23
    for number in range(1, count + 1):
        for kind, skip in ((_INDEX_LEAF, 0), (_INDEX_INNER, 4)):
            for page, offset in _cells(pages, number, kind):
                try:
                    size, offset = _varint(page, offset + skip)
                    yield _columns(_payload(pages, page, offset, size, most))
                except _Broken:
                    continue


def _cells(pages: Pages, number: int, kind: int) -> Iterator[tuple[bytes, int]]:
    page = pages(number)
    start = _FILE_HEADER if number == 1 else 0
    if len(page) < PAGE_SIZE or page[start] != kind:
        return
    pointers = start + (8 if kind in (_TABLE_LEAF, _INDEX_LEAF) else 12)
    number_of_cells = int.from_bytes(page[start + 3 : start + 5], "big")
    for index in range(min(number_of_cells, (PAGE_SIZE - pointers) // 2)):
        at = pointers + 2 * index
        yield page, int.from_bytes(page[at : at + 2], "big")


def _payload(pages: Pages, page: bytes, offset: int, size: int, most: int) -> bytes:
    """Bytes of a cell, the part on overflow pages included."""
    if size <= most:
        return page[offset : offset + size]
    least = (PAGE_SIZE - 12) * 32 // 255 - 23
    local = least + (size - least) % (PAGE_SIZE - 4)
    local = local if local <= most else least
    parts = [page[offset : offset + local]]
    left = size - local
    following = int.from_bytes(page[offset + local : offset + local + 4], "big")
    while left > 0:
        overflow = pages(following) if following else b""
        if len(overflow) < PAGE_SIZE:
            raise ValueError("the cell goes on where there is no page")
        parts.append(overflow[4 : 4 + min(left, PAGE_SIZE - 4)])
        left -= len(parts[-1])
        following = int.from_bytes(overflow[:4], "big")
    return b"".join(parts)


def _columns(payload: bytes) -> tuple[Column, ...]:
    end, offset = _varint(payload, 0)
    kinds: list[int] = []
    while offset < end:
        kind, offset = _varint(payload, offset)
        kinds.append(kind)
    columns: list[Column] = []
    for kind in kinds:
        column, offset = _column(payload, offset, kind)
        columns.append(column)
    return tuple(columns)


def _column(payload: bytes, offset: int, kind: int) -> tuple[Column, int]:
    if kind == 0:
        return None, offset
    if kind in (8, 9):
        return kind - 8, offset
    size = _INTEGER_BYTES[kind] if kind < 7 else 8 if kind == 7 else (kind - 12) // 2
    body = payload[offset : offset + size]
    if len(body) < size or kind in (10, 11):
        raise ValueError("the row ends inside a column")
    if kind < 7:
        return int.from_bytes(body, "big", signed=True), offset + size
    if kind == 7:
        (number,) = unpack(">d", body)
        return float(number), offset + size
    return (body.decode("utf-8") if kind % 2 else body), offset + size


def _varint(data: bytes, offset: int) -> tuple[int, int]:
    """A number of one to nine bytes, and the offset behind it."""
    value = 0
    for index in range(8):
        byte = data[offset + index]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, offset + index + 1
    value = value << 8 | data[offset + 8]
    return value - (1 << 64) if value >= 1 << 63 else value, offset + 9
