"""Files that the inspector quotes, read from disk with bounds and kept until they change."""

import os
import stat
from typing import Final

from studio.application.session import Session
from studio.model.nodes import Node
from studio.projections.screen.inspecting.subject import Source, Subject, short_file

MOST_BYTES: Final = 2_000_000
"""Bytes read of a file; sources are smaller, and what is not cannot stop the screen."""

KEPT: Final = 16
"""Files kept in memory."""


class QuotedFiles:
    """Reads source files by path; one that did not change since is not read again."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[tuple[int, int], Source]] = {}

    def read(self, path: str, name: str) -> Source:
        """The lines of a file; what prevents reading it is told in the result.

        Args:
            path: absolute path.
            name: how the file is called on screen.
        """
        try:
            found = os.stat(path)
            if not stat.S_ISREG(found.st_mode):
                return Source(name, problem=f"{name} is not a regular file")
            version = (found.st_mtime_ns, found.st_size)
            kept = self._kept.get(path)
            if kept is not None and kept[0] == version:
                return kept[1]
            with open(path, "rb") as file:
                body = file.read(MOST_BYTES)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            return Source(name, problem=f"{name} cannot be read: {reason}")
        lines = body.decode("utf-8", "replace").split("\n")
        source = Source(
            name, [line.rstrip("\r") for line in lines], changed_at=found.st_mtime_ns / 1e9
        )
        while len(self._kept) >= KEPT:
            self._kept.pop(next(iter(self._kept)))
        self._kept[path] = (version, source)
        return source

    def definition(self, session: Session, subject: Subject) -> tuple[Source | None, Node | None]:
        """The shown workflow file, and the node as its last good version has it."""
        if session.shown_file is None:
            return None, None
        entry = session.files.get(session.shown_file)
        plan = entry.plan if entry is not None else None
        known = plan.nodes.get(subject.base) if plan is not None else None
        name = entry.display if entry is not None else short_file(session.shown_file)
        return self.read(session.shown_file, name), known.node if known else None
