"""What a person looks at: a run or a workflow of a state folder, and what is known of it. Nothing is changed here."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from studio.application.local import LocalStudio
from studio.application.location import Location
from studio.application.reading import RunView
from studio.application.remote import OwnerGoneError, RemoteStudio
from studio.application.workflow_files import WorkflowFiles
from studio.core.events import Record
from studio.core.plan import Plan
from studio.core.standing import orphan, phase_of
from studio.core.state import EngineState, NodeState, RunState
from studio.engine.clock import SystemClock
from studio.errors import NotFoundError, StudioError
from studio.model.failure import Failure
from studio.ports import AttemptKey, Clock, LogLine, RunRow
from studio.projections.masking import Mask, declares_sensitive, mask_run
from studio.projections.screen.inspecting.written import line_in_file

AnyStudio = LocalStudio | RemoteStudio


class Looking:
    """One run or workflow on show.

    Args:
        studio: the engine, here or behind a socket.
        location: project and state folder.
        folder: where workflow files are looked for; or one file, and only that is shown.

    Attributes:
        catalog: the workflow files; ``files`` are those it knows, by absolute path.
        rows: the newest runs, newest first.
        progress: what nodes of the shown run reported of themselves.
    """

    def __init__(self, studio: AnyStudio, location: Location, folder: Path) -> None:
        self.studio = studio
        self.location = location
        self.catalog = WorkflowFiles(folder)
        self.folder = self.catalog.place
        self.files = self.catalog.known
        self.clock: Clock = SystemClock()
        self.rows: list[RunRow] = []
        self.shown_file: str | None = None
        self.shown_run: int | None = None
        self.progress: dict[str, tuple[float | None, str]] = {}
        self._view: RunView | None = None

    # ----------------------------------------------------------------- what is shown

    def show_file(self, path: str) -> None:
        """Show a workflow without a run."""
        self.shown_file = path
        self._show(None)

    def show_run(self, number: int) -> None:
        """Show a run. Raises `NotFoundError`, `StorageError`."""
        row = self.studio.reading.find(str(number))
        self._show(number)
        self.shown_file = row.file
        self.look_again()

    def _show(self, number: int | None) -> None:
        self.shown_run = number
        self.progress.clear()
        self._view = None

    def look_again(self) -> None:
        """Read the shown run from where it now stands: an engine has it, has lost it, or is another one.

        Raises `NotFoundError`, `StorageError`.
        """
        self._view = None
        if self.shown_run is not None and not self.in_memory(self.shown_run):
            self._view = self.studio.view(self.shown_run)
            if not self.drives(self.shown_run):
                orphan(self._view.run)

    def refresh(self) -> Sequence[Record]:
        """Bring the shown run up to date with the history; the records that came. Raises `StorageError`."""
        return self._view.refresh() if self._view is not None else ()

    def in_memory(self, number: int) -> bool:
        """Whether the engine of this process has a run."""
        return isinstance(self.studio, LocalStudio) and number in self.studio.engine.state.runs

    @property
    def engine_state(self) -> EngineState | None:
        """The state that holds the shown run, for reading values by position."""
        if self.shown_run is None:
            return None
        if isinstance(self.studio, LocalStudio) and self.in_memory(self.shown_run):
            return self.studio.engine.state
        return self._view.state if self._view is not None else None

    @property
    def run(self) -> RunState | None:
        """The shown run: live when the engine has it in memory, else as the history has it."""
        state = self.engine_state
        return state.runs.get(self.shown_run) if state and self.shown_run is not None else None

    @property
    def plan(self) -> Plan | None:
        """The shown definition: the run's own, or the file's last good one."""
        run = self.run
        return run.plan if run is not None else self.file_plan()

    def file_plan(self) -> Plan | None:
        """The newest good version of the shown workflow's file, whatever version the shown run has."""
        entry = self.files.get(self.shown_file) if self.shown_file is not None else None
        return entry.plan if entry is not None else None

    def file_problem(self) -> str:
        """Why the shown workflow cannot be started from its file, empty when it can or none is shown."""
        if self.shown_file is None:
            return ""
        entry = self.files.get(self.shown_file)
        if entry is not None:
            return str(entry.errors[0]) if entry.plan is None and entry.errors else ""
        shown = self.catalog.display(Path(self.shown_file))
        there = Path(self.shown_file).exists()
        return f"{shown} is not among the workflows that are open" if there else f"{shown} is gone"

    @property
    def live(self) -> bool:
        """Whether nothing but time or a person is needed for the shown run to go on.

        False without a run, and for one that was interrupted: an engine would get it on, and none has it. A run that
        is paused or waits for a person is not interrupted, whoever has it: what they do next takes it up.
        """
        run = self.run
        if run is None:
            return False
        resting = run.ended or run.paused or phase_of(run) == "attention"
        return resting or self.drives(run.number)

    @property
    def moves(self) -> bool:
        """Whether the clocks of the shown run go: it is open, and an engine has it."""
        return self.run is not None and not self.run.ended and self.drives(self.run.number)

    def drives(self, number: int) -> bool:
        """Whether an engine has a run: this one, or the owner's when it is another process."""
        return self.studio.drives(number)

    def now(self) -> float:
        """Seconds since the epoch as far as the shown run goes: its clocks stop where its engine died."""
        run, view = self.run, self._view
        stopped = run is not None and not run.ended and view is not None and not self.moves
        return view.at if stopped and view is not None else self.clock.now()

    # ----------------------------------------------------------------- values

    def source_of(self, path: str | None) -> tuple[str, int]:
        """File and line to edit: of the error if the node has one, else of its definition.

        Where nothing can be drawn it is the first error of the file, in the code it calls perhaps.

        Raises `NotFoundError` when no file is known.
        """
        run, plan = self.run, self.plan
        entry = self.files.get(self.shown_file or "")
        if plan is None and entry is not None and entry.errors:
            place = entry.errors[0].place
            broken = self.catalog.folder / place.file
            if broken.is_file():
                return str(broken), place.line
        node = run.nodes.get(path) if run is not None and path is not None else None
        folder = Path(run.folder if run is not None else "")
        if node is not None and node.failure is not None and node.failure.file:
            file = folder / node.failure.file
            if file.is_file():
                return str(file), max(1, node.failure.line)
        if self.shown_file is None:
            raise NotFoundError("no workflow file is shown")
        if node is not None and node.failure is not None:
            line = self._line_in_file(node, node.failure)
            if line:
                return self.shown_file, line
        planned = plan.node(path) if plan is not None and path is not None else None
        written = planned.node.place if planned is not None else None
        return self.shown_file, written.line if written is not None else 1

    def _line_in_file(self, node: NodeState, failure: Failure) -> int:
        """The line of the workflow file that a failure of its own code, or of its call, stands for; 0 for none."""
        entry = self.files.get(self.shown_file or "")
        plan = entry.plan if entry is not None else None
        name = node.path[: node.path.rindex("[")] if node.path.endswith("]") else node.path
        known = plan.nodes.get(name) if plan is not None else None
        try:
            lines = Path(self.shown_file or "").read_text("utf-8", "replace").splitlines()
        except OSError:
            return 0  # the editor says what is wrong with the file
        written = known.node if known is not None else None
        undo = bool(node.undo_attempt)
        return line_in_file(node.plan.node, failure, written, lines, undo=undo)

    def input_of(self, path: str) -> Any:
        """The input of a node's next attempt as far as it is known: override, last one, or empty."""
        state, run = self.engine_state, self.run
        node = run.nodes.get(path) if run is not None else None
        if state is None or node is None:
            return {}
        position = node.override_input or node.input_position
        return state.event(position).input if position else {}

    def output_of(self, path: str) -> Any:
        """The output of a node, null when it has none."""
        state, run = self.engine_state, self.run
        node = run.nodes.get(path) if run is not None else None
        return state.decode(node.output) if state is not None and node is not None else None

    # ----------------------------------------------------------------- logs

    def cover(self) -> Callable[[Iterable[LogLine]], list[LogLine]]:
        """What covers the sensitive values of the shown run in log lines; it may be called in a thread.

        Values are known once a node has returned them; declared secrets never get as far as a log.
        """
        state, run = self.engine_state, self.run
        if state is None or run is None or not declares_sensitive(run.plan.workflow):
            return list
        try:
            mask = mask_run(state, run)
        except StudioError:
            mask = Mask(run.plan.workflow, run.params)
        return lambda lines: [
            msgspec.structs.replace(line, text=mask.text(line.text)) for line in lines
        ]

    def log_lines(self, node: str | None = None) -> list[tuple[AttemptKey, list[LogLine]]]:
        """Everything the shown run, or one of its nodes, wrote so far, attempt by attempt."""
        if self.shown_run is None:
            return []
        cover = self.cover()
        try:
            return [
                (key, cover(lines)) for key, lines in self.studio.reading.logs(self.shown_run, node)
            ]
        except (NotFoundError, OwnerGoneError):
            return []
