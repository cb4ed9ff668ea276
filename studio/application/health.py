"""What ``studio doctor`` finds out about a state folder, without owning it."""

from pathlib import Path

import msgspec

from studio.application.location import Location
from studio.application.reading import Reading
from studio.core.standing import phase_of
from studio.errors import StudioError
from studio.ids import RunNumber
from studio.ports import RunFilter
from studio.storage.integrity import examine, verify
from studio.storage.owner_lock import inspect
from studio.storage.sqlite_file import HISTORY_NAME
from studio.storage.sqlite_reader import open_reader

PAGE = 200
"""Rows of runs read at a time."""


class Checkup(msgspec.Struct):
    """What was found.

    Args:
        state: the state folder.
        history: path of the history file; None when there is none yet.
        size: its bytes.
        head: position of the last event.
        runs: runs in the history; ``open_runs`` of them have not ended.
        replayed: runs that were folded from their events and agree with their rows.
        owner: process id of the owner; None when nobody owns the folder.
        problems: what is wrong, one sentence each; empty when all is sound.
        notices: what is worth knowing.
    """

    state: Path
    history: Path | None = None
    size: int = 0
    head: int = 0
    runs: int = 0
    open_runs: int = 0
    replayed: int = 0
    owner: int | None = None
    problems: list[str] = msgspec.field(default_factory=list)
    notices: list[str] = msgspec.field(default_factory=list)


def check_up(location: Location) -> Checkup:
    """Examine the history of a state folder: structure, checksums, gaps, replay of every run. Changes nothing.

    Raises `StorageError` when the folder cannot be read at all.
    """
    found = Checkup(location.state)
    owner = inspect(location.state) if location.state.is_dir() else None
    found.owner = owner.pid if owner is not None else None
    path = location.state / HISTORY_NAME
    if not path.exists():
        found.notices.append("there is no history yet; `studio run FILE` begins one")
        return found
    found.history, found.size = path, path.stat().st_size
    finding = examine(path)
    if finding.state in ("newer", "unknown_event", "older"):
        found.notices.append(finding.detail)
    elif finding.state == "damaged":
        found.problems.append(finding.detail)
    found.problems += [text for text in verify(path) if text not in found.problems]
    if finding.state in ("sound", "unknown_event", "damaged"):
        _replay(found)
    return found


def _replay(found: Checkup) -> None:
    try:
        reader = open_reader(found.state)
    except StudioError as error:
        found.problems.append(str(error))
        return
    reading = Reading(found.state, reader)
    try:
        found.head = reader.head()
        before: RunNumber | None = None
        while rows := reading.rows(RunFilter(limit=PAGE, before=before)):
            for row in rows:
                found.runs += 1
                found.open_runs += row.open
                problem = _disagreement(reading, row.run, row.state, is_open=row.open)
                if problem is None:
                    found.replayed += 1
                else:
                    found.problems.append(problem)
            before = rows[-1].run
    except StudioError as error:
        found.problems.append(str(error))
    finally:
        reading.close()


def _disagreement(reading: Reading, number: RunNumber, state: str, *, is_open: bool) -> str | None:
    """Why a run's events do not say what its row says; None when they do.

    Rows of open runs may lag behind by a commit of the owner, so only the fold itself is checked there.
    """
    try:
        run = reading.view(number).run
    except (StudioError, LookupError, ValueError, AssertionError) as error:
        return f"run {number} cannot be replayed: {error}"
    if not is_open and phase_of(run) != state:
        return f"run {number} is {state} in the list, but its events say {phase_of(run)}"
    return None
