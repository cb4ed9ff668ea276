"""What a person has typed into an editor and not yet applied: kept in the state folder, so that a crash loses none of it."""

import contextlib
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from studio.application.environment import secret_values
from studio.application.location import Location
from studio.errors import StudioError
from studio.model.workflow import Workflow

FOLDER = "drafts"

LARGEST = 256 * 1024
"""Bytes of a draft that is stored: above what anybody types, and what the history keeps in one record, too."""

KEPT = 50
"""Drafts that are stored; the oldest give way."""


class Draft(msgspec.Struct):
    """A draft as it is stored.

    Args:
        key: of which edit.
        text: what was typed.
    """

    key: str
    text: str


class Drafts:
    """Drafts of the values of runs, one file each, readable by their user alone as the history is.

    A draft goes when the edit is applied or discarded. One that holds the value of a declared secret stays in memory:
    such values reach no disk.

    Args:
        location: project and state folder.
        environ: environment of the person, for the values of secrets.
    """

    def __init__(self, location: Location, environ: Mapping[str, str]) -> None:
        self._root = location.root
        self._folder = location.state / FOLDER
        self._environ = environ
        self._typed: dict[str, str] = {}

    def find(self, run: int, title: str) -> str | None:
        """The draft of an edit, None when there is none.

        Args:
            run: whose value is edited.
            title: what is edited.
        """
        key = _key(run, title)
        if key in self._typed:
            return self._typed[key]
        try:
            stored = msgspec.json.decode(self._file(key).read_bytes(), type=Draft)
        except (
            OSError,
            msgspec.DecodeError,
        ):  # none, or the machine went down while it was written
            return None
        return stored.text if stored.key == key else None

    def keep(self, run: int, title: str, text: str, workflow: Workflow) -> str:
        """Keep a draft.

        Args:
            run: whose value is edited.
            title: what is edited.
            text: what was typed.
            workflow: the run's definition; it declares the secrets.

        Returns why it is kept for as long as this process lives only; empty when it is stored.
        """
        key = _key(run, title)
        self._typed[key] = text
        why_not = self._why_not(text, workflow)
        if why_not:
            self._remove(key)
            return why_not
        try:
            self._store(Draft(key, text))
        except OSError as error:
            return error.strerror or str(error)
        return ""

    def drop(self, run: int, title: str) -> None:
        """Forget the draft of an edit that was applied or discarded."""
        key = _key(run, title)
        self._typed.pop(key, None)
        self._remove(key)

    def _why_not(self, text: str, workflow: Workflow) -> str:
        data = text.encode("utf-8", "surrogatepass")
        if len(data) > LARGEST:
            return f"it has more than {LARGEST // 1024} KiB"
        if not workflow.secrets:
            return ""
        try:
            secrets = secret_values(workflow, self._root, self._environ)
        except StudioError as error:
            return f"the secrets are not known: {error}"
        from studio.executors.redaction import (
            Redactor,  # lazy: the first picture does without executors
        )

        return "it holds a secret" if Redactor(secrets).found(data) else ""

    def _store(self, draft: Draft) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        path = self._file(draft.key)
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(draft))
        fresh.replace(path)
        self._thin_out()

    def _thin_out(self) -> None:
        stored = [(entry.stat().st_mtime, entry.path) for entry in os.scandir(self._folder)]
        for _written, path in sorted(stored)[:-KEPT]:
            with contextlib.suppress(FileNotFoundError):  # another studio was faster
                os.unlink(path)

    def _remove(self, key: str) -> None:
        with contextlib.suppress(
            OSError
        ):  # what cannot be removed is found again, and can be discarded again
            self._file(key).unlink()

    def _file(self, key: str) -> Path:
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"


def _key(run: int, title: str) -> str:
    return f"{run}:{title}"
