"""What is too large for the history, results and pinned code: one file each, named by its content."""

from __future__ import annotations

import errno
import os
import re
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Final

from studio.errors import DamagedError, NotFoundError, StorageError
from studio.storage.private_folders import make_private
from studio.storage.sqlite_file import sync_path

BLOBS_NAME: Final = "blobs"

_DRAFTS: Final = "drafts"
_ADDRESS: Final = r"[0-9a-f]{64}"


class BlobFolder:
    """Content-addressed files ``blobs/ab/abcd…`` of a state folder; fulfils `studio.ports.Values`.

    A blob is on disk, under its name, before `put` returns: written beside its place, synced, renamed,
    and the folder synced too. Storing the same bytes again is cheap and heals a damaged blob.

    Args:
        folder: the state folder.
    """

    def __init__(self, folder: Path) -> None:
        self._root = folder / BLOBS_NAME
        self._numbers = count(1)

    def put(self, body: bytes) -> str:
        """Store bytes durably.

        Returns:
            Their address: SHA-256 in hexadecimal.

        Raises:
            StorageError: they could not be stored; nothing is left under the address.
        """
        address = sha256(body).hexdigest()
        place = self._place(address)
        try:
            if not self._holds(place, address):
                self._write(place, body)
        except OSError as error:
            raise StorageError(
                f"{len(body):,} bytes cannot be stored at {place}: {error.strerror}.",
                error.errno,
            ) from error
        return address

    def get(self, address: str) -> bytes:
        """Read bytes back, checked against their address.

        Raises:
            NotFoundError: nothing is stored under this address.
            DamagedError: the file does not hold what its name says.
            StorageError: it cannot be read.
        """
        if not re.fullmatch(_ADDRESS, address):
            raise NotFoundError(f"{address[:80]!r} is not the address of a stored result.")
        place = self._place(address)
        try:
            body = place.read_bytes()
        except FileNotFoundError as error:
            raise NotFoundError(f"The stored result {address[:12]} is missing: {place}.") from error
        except OSError as error:
            raise StorageError(f"{place}: {error.strerror}.", error.errno) from error
        if sha256(body).hexdigest() != address:
            raise DamagedError(
                f"The stored result {address[:12]} is damaged: {place} does not hold what its name says.",
                errno.EIO,
            )
        return body

    def place(self, address: str) -> str:
        """Absolute path of the file of an address, whether or not it is there."""
        return str(self._place(address).absolute())

    def sweep(self) -> int:
        """Delete drafts that a crash left behind and return their number; for the owner only.

        Raises `StorageError`.
        """
        drafts = self._root / _DRAFTS
        try:
            found = list(drafts.iterdir()) if drafts.is_dir() else []
            for draft in found:
                draft.unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(f"{drafts}: {error.strerror}.", error.errno) from error
        return len(found)

    def _place(self, address: str) -> Path:
        return self._root / address[:2] / address

    def _holds(self, place: Path, address: str) -> bool:
        try:
            return sha256(place.read_bytes()).hexdigest() == address
        except FileNotFoundError:
            return False

    def _write(self, place: Path, body: bytes) -> None:
        drafts = self._root / _DRAFTS
        for folder in (drafts, place.parent):
            if not folder.is_dir():
                make_private(folder)
                sync_path(folder.parent)
        draft = drafts / f"{os.getpid()}-{next(self._numbers)}"
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with open(descriptor, "wb") as file:
                file.write(body)
                file.flush()
                os.fsync(descriptor)
            draft.replace(place)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
        sync_path(place.parent)
