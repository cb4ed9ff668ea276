"""Looking at runs without owning their state folder: rows, histories, replayed states, logs."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from studio.core.events import Record
from studio.errors import NotFoundError
from studio.ids import NodePath, RunNumber, VersionHash
from studio.ports import AttemptKey, HistoryReader, LogLine, RunFilter, RunRow, StorageHealth

if TYPE_CHECKING:
    from studio.core.state import EngineState, RunState


class Reading:
    """Read access to a state folder.

    Args:
        folder: the state folder.
        reader: its history; opened here when None.

    Raises:
        NotFoundError: there is no history in the folder.
        StorageError: it cannot be read.
    """

    def __init__(self, folder: Path, reader: HistoryReader | None = None) -> None:
        self.folder = folder
        if reader is None:
            from studio.storage.sqlite_reader import open_reader  # lazy: only where a file is read

            reader = open_reader(folder)
        self._reader = reader

    def rows(self, where: RunFilter) -> list[RunRow]:
        """Runs that match, newest first."""
        return self._reader.rows(where)

    def find(self, reference: str) -> RunRow:
        """A run by number, ``last``, full id or unique prefix. Raises `NotFoundError`."""
        return self._reader.find(reference)

    def records(self, run: int, after: int = 0) -> Iterator[Record]:
        """The history of a run, in order."""
        return self._reader.read(RunNumber(run), after)

    def view(self, run: int) -> "RunView":
        """The state of a run as of now; `RunView.refresh` brings it up to date. Raises `NotFoundError`."""
        return RunView(self._reader, self.folder, run)

    def logs(
        self, run: int, node: str | None = None
    ) -> Iterator[tuple[AttemptKey, Iterator[LogLine]]]:
        """The output of every attempt of a run, or of one node, oldest first."""
        from studio.storage.log_store import LogFolder  # lazy: only where logs are read

        store = LogFolder(self.folder, StorageHealth())
        for key in store.attempts(RunNumber(run), NodePath(node) if node else None):
            yield key, store.read(key)

    def close(self) -> None:
        """Release the history."""
        self._reader.close()


class RunView:
    """A run folded from its history by a reader, brought up to date on demand.

    Attributes:
        at: when the newest record of it was made, seconds since the epoch.
    """

    def __init__(self, reader: HistoryReader, folder: Path, run: int) -> None:
        self._reader = reader
        self._folder = folder
        self._number = run
        self._state: EngineState | None = None
        self.at = 0.0
        self.refresh()
        if self._state is None:
            raise NotFoundError(f"there is no run {run}")

    def refresh(self) -> list[Record]:
        """Fold what has come since; returns it."""
        from studio.core.turn import derive, replay  # lazy: brings in the model and the rules

        after = self._state.runs[self._number].position if self._state is not None else 0
        records = list(self._reader.read(RunNumber(self._number), after))
        if records:
            state = self._state if self._state is not None else self._begin()
            self._add_plans(state, records)
            replay(state, records)
            derive(state)
            self._state = state
            self.at = records[-1].at
        return records

    @property
    def state(self) -> "EngineState":
        """The state around the run, for values read by position."""
        if self._state is None:
            raise NotFoundError(f"there is no run {self._number}")
        return self._state

    @property
    def run(self) -> "RunState":
        """The run itself."""
        return self.state.runs[self._number]

    def _begin(self) -> "EngineState":
        # lazy: they bring in the definitions, which lists do without
        from studio.core.state import EngineState
        from studio.engine.lookup import look_up
        from studio.storage.blobs import BlobFolder

        values = BlobFolder(self._folder)
        return EngineState({}, lambda position: look_up(self._reader, values, position))

    def _add_plans(self, state: "EngineState", records: list[Record]) -> None:
        from studio.application.stored_definitions import plan_of  # lazy: brings in the model

        for record in records:
            version = getattr(record.event, "version", None)
            if isinstance(version, str) and version not in state.plans:
                state.plans[version] = plan_of(self._reader.definition(VersionHash(version)))
