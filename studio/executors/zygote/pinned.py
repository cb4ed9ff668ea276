"""The stored code of a run: modules that are imported as they were when the run adopted them.

One file holds all of them: a line with the checksum of the table, the table (JSON: path below the workflow's folder →
offset, length and CRC-32 of the text), and the texts, one after the other. A child reads the table and, of the texts,
only those it imports.
"""

from __future__ import annotations

import binascii
import json
import os
from collections.abc import Mapping
from typing import Final

HEAD: Final = b"studio code 1 "
_LENGTH: Final = 10
_HEAD_BYTES: Final = len(HEAD) + 8 + 1 + _LENGTH + 1
"""What comes before the table: the mark, its CRC-32 in hexadecimal, a blank, its length in ten digits, a newline."""


class PinnedCodeError(Exception):
    """The stored code of a run is gone or damaged. No `ImportError`, which code may take for a missing module."""

    def __init__(self, place: str, why: str) -> None:
        super().__init__(
            f"the code this run was started with cannot be read ({place}: {why}); "
            "retry the node by hand: that takes the code as it is now"
        )


class Pinned:
    """The table of one file of stored code.

    Args:
        place: absolute path of the file.
        folder: the workflow's folder, absolute, below which its paths stand.

    Raises:
        PinnedCodeError: it cannot be read.
    """

    def __init__(self, place: str, folder: str) -> None:
        self.place = place
        head = _read(place, 0, _HEAD_BYTES)
        self._start = _HEAD_BYTES + _size(head)
        table = _table(place, head, _read(place, _HEAD_BYTES, _size(head)))
        self._texts = {os.path.join(folder, path): spot for path, spot in table.items()}

    def __contains__(self, path: str) -> bool:
        return path in self._texts

    def read(self, path: str) -> bytes:
        """The text of a module.

        Raises:
            PinnedCodeError: it cannot be read, or is not what was stored.
        """
        offset, length, checksum = self._texts[path]
        text = _read(self.place, self._start + offset, length)
        if len(text) != length or binascii.crc32(text) != checksum:
            raise PinnedCodeError(self.place, f"{os.path.basename(path)} in it is damaged")
        return text

    def is_package(self, folder: str) -> bool:
        """Whether modules of it stand below a folder."""
        prefix = folder + os.sep
        return any(path.startswith(prefix) for path in self._texts)


def pack(texts: Mapping[str, bytes]) -> bytes:
    """The file for these texts; the same texts give the same bytes.

    Args:
        texts: source of each module, by its path below the workflow's folder.
    """
    table = {}
    offset = 0
    for path in sorted(texts):
        text = texts[path]
        table[path] = [offset, len(text), binascii.crc32(text)]
        offset += len(text)
    encoded = json.dumps(table).encode()
    head = HEAD + b"%08x %010d\n" % (binascii.crc32(encoded), len(encoded))
    return head + encoded + b"".join(texts[path] for path in sorted(texts))


def unpack(body: bytes) -> dict[str, bytes]:
    """The texts in a file.

    Raises:
        PinnedCodeError: it is not one, or damaged.
    """
    head = body[:_HEAD_BYTES]
    table = _table("", head, body[_HEAD_BYTES:])
    start = _HEAD_BYTES + _size(head)
    return {
        path: body[start + offset : start + offset + length]
        for path, (offset, length, _checksum) in table.items()
    }


def _table(place: str, head: bytes, rest: bytes) -> dict[str, tuple[int, int, int]]:
    encoded = rest[: _size(head)]
    checksum = head[len(HEAD) : len(HEAD) + 8]
    if not head.startswith(HEAD) or b"%08x" % binascii.crc32(encoded) != checksum:
        raise PinnedCodeError(place, "it is damaged")
    table: dict[str, tuple[int, int, int]] = json.loads(encoded)
    return table


def _size(head: bytes) -> int:
    """Length of the table in bytes, 0 when this is no head."""
    digits = head[-_LENGTH - 1 : -1]
    return int(digits) if digits.isdigit() else 0


def _read(place: str, offset: int, length: int) -> bytes:
    try:
        with open(place, "rb") as file:
            file.seek(offset)
            return file.read(length)
    except OSError as error:
        raise PinnedCodeError(place, error.strerror or str(error)) from error
