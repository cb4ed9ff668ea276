"""Parsed modules and hashed scripts, kept from one fingerprint to the next."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping

import msgspec

from studio.loading.code import MAX_SOURCE_BYTES
from studio.loading.folder_tree import SystemDisk
from studio.loading.loader import read_bytes
from studio.loading.settling import Stamp
from studio.loading.source_pieces import Source, cut

RACY_NS = 2_000_000_000
"""A file that was written less than this before it was read is read again: some file systems count whole
seconds, some two, so an equal stamp proves nothing there. Git does the same with its index."""


class CodeIndex:
    """Parsed modules, kept between fingerprints; a save parses again only the file that was saved."""

    def __init__(self) -> None:
        self._disk = SystemDisk()
        self._read: dict[str, _Read] = {}

    def source(self, file: str, shown: str) -> Source | None:
        """The module in a file; None when there is no such file or it cannot be read."""
        found = self._fresh(file)
        if found is None:
            return None
        if found.source is None:
            found.source = cut(found.content, shown, found.before)
            found.before = None
        return found.source

    def digest(self, file: str) -> str | None:
        """Content hash of a file; None when there is no such file or it cannot be read."""
        found = self._fresh(file)
        return found.digest if found is not None else None

    def text(self, file: str) -> bytes | None:
        """The bytes of a file as they were last looked at; None when it could not be read."""
        found = self._read.get(file)
        return found.content if found is not None else None

    def is_file(self, file: str) -> bool:
        """Whether there is an ordinary file of moderate size."""
        stamp = self._disk.stamp(file)
        return stamp is not None and stamp.size <= MAX_SOURCE_BYTES

    def _fresh(self, file: str) -> _Read | None:
        stamp = self._disk.stamp(file)
        known = self._read.get(file)
        if stamp is None or stamp.size > MAX_SOURCE_BYTES:
            self._read.pop(file, None)
            return None
        if known is not None and known.stamp == stamp and known.trusted:
            return known
        at = time.time_ns()
        try:
            content = read_bytes(file)
        except (OSError, ValueError):
            self._read.pop(file, None)
            return None
        digest = hashlib.sha256(content).hexdigest()
        trusted = max(stamp.mtime_ns, stamp.ctime_ns) < at - RACY_NS
        if known is not None and known.digest == digest:
            known.stamp, known.trusted = stamp, trusted
            return known
        before = (known.source or known.before) if known is not None else None
        self._read[file] = found = _Read(stamp, trusted, digest, content, before=before)
        return found


class StoredIndex(CodeIndex):
    """Modules whose texts are given; the disk is not looked at.

    Args:
        texts: the bytes of each file, by absolute path.
    """

    def __init__(self, texts: Mapping[str, bytes]) -> None:
        super().__init__()
        self._read = {
            path: _Read(None, True, hashlib.sha256(text).hexdigest(), text)
            for path, text in texts.items()
        }

    def is_file(self, file: str) -> bool:
        """Whether its text is given."""
        return file in self._read

    def _fresh(self, file: str) -> _Read | None:
        return self._read.get(file)


class _Read(msgspec.Struct):
    stamp: Stamp | None
    trusted: bool
    digest: str
    content: bytes
    source: Source | None = None
    before: Source | None = None
