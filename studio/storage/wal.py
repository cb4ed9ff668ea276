"""The write-ahead log read by hand, to see what SQLite would silently leave out.

SQLite reads the log up to the first frame whose chained checksum is wrong. A flipped bit in the middle
thus makes every later commit vanish without an error. The format is that of
https://www.sqlite.org/fileformat2.html#the_write_ahead_log.
"""

from __future__ import annotations

from pathlib import Path
from struct import Struct
from typing import Final

import msgspec

from studio.storage.sqlite_file import side_files

_HEADER: Final = Struct(">8I")
_FRAME: Final = Struct(">6I")
_MAGIC: Final = (0x377F0682, 0x377F0683)

PAGE_SIZE: Final = 4096
"""Page size of every history; SQLite's default, and never changed by us."""

_SHM_MAX_FRAME: Final = slice(16, 20)
"""``mxFrame`` of the index header, https://www.sqlite.org/walformat.html#the_wal_index_header."""


class Frame(msgspec.Struct, frozen=True):
    """One page image in the log.

    Args:
        page: number of the page, from 1.
        commit: whether it ends a transaction.
        offset: where the image begins in the log, in bytes.
    """

    page: int
    commit: bool
    offset: int


def frames(log: bytes) -> list[Frame]:
    """Frames of the present generation of a log, checksums or not; empty when it holds none.

    A log is used again from its start after a checkpoint, with new salts; what is left behind from the
    generation before differs in them. A header that is damaged itself is replaced by its first frame.
    """
    if len(log) < _HEADER.size + _FRAME.size:
        return []
    salts = _salts(log)
    found: list[Frame] = []
    step = _FRAME.size + PAGE_SIZE
    for offset in range(_HEADER.size, len(log) - step + 1, step):
        page, size, *rest = _FRAME.unpack_from(log, offset)
        if tuple(rest[:2]) != salts:
            break
        found.append(Frame(page, size != 0, offset + _FRAME.size))
    return found


def _salts(log: bytes) -> tuple[int, int]:
    magic, *words = _HEADER.unpack_from(log)
    if magic in _MAGIC and _checksum(log[:24], magic & 1 == 1) == (words[5], words[6]):
        return (words[3], words[4])
    _, _, first, second, *_ = _FRAME.unpack_from(log, _HEADER.size)
    return (first, second)


def _checksum(data: bytes, big: bool) -> tuple[int, int]:
    """The checksum of the format over a multiple of eight bytes."""
    one = two = 0
    for offset in range(0, len(data), 8):
        first = int.from_bytes(data[offset : offset + 4], "big" if big else "little")
        second = int.from_bytes(data[offset + 4 : offset + 8], "big" if big else "little")
        one = (one + first + two) & 0xFFFFFFFF
        two = (two + second + one) & 0xFFFFFFFF
    return one, two


def unread_commits(path: Path) -> int:
    """Transactions that stand in the log of a history behind the point up to which SQLite reads it.

    To be asked while a connection is open that has read the file, so that the index is fresh. A process
    that was killed leaves none. A power loss leaves at most one: the transaction that was being
    written, which was never acknowledged. More than one means that acknowledged events are missing.

    Raises `OSError`.
    """
    log_path, index_path = side_files(path)
    if not log_path.exists() or not index_path.exists():
        return 0
    with index_path.open("rb") as index:
        # The index lies in the byte order of the machine; both of ours are told apart by the version
        # number in its first word, 3007000.
        head = index.read(_SHM_MAX_FRAME.stop)
    order = "little" if head[:4] == (3007000).to_bytes(4, "little") else "big"
    read = int.from_bytes(head[_SHM_MAX_FRAME], order) if len(head) == 20 else 0  # type: ignore[arg-type]  # one of the two literals
    log = log_path.read_bytes()
    return sum(frame.commit for frame in frames(log)[read:])


def overlay(log: bytes) -> dict[int, bytes]:
    """Newest image of every page in a log up to its last commit, damaged frames included."""
    found = frames(log)
    while found and not found[-1].commit:
        found.pop()
    return {frame.page: log[frame.offset : frame.offset + PAGE_SIZE] for frame in found}
