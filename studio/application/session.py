"""What a screen works on: the workflow files of a folder, the runs, the run that is shown, and what changed.

A session turns the stream of records into small sets of what has to be drawn again, so that a screen that flushes
them twenty times a second pays for what changed and not for how often. It knows no widget.
"""

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from studio.application.definitions import compiled, definition_of
from studio.application.local import LocalStudio
from studio.application.location import Location
from studio.application.reading import RunView
from studio.application.remote import OwnerGoneError, RemoteStudio
from studio.application.run_list import RunList
from studio.application.studio import Launch, Sender
from studio.application.verbs import pause
from studio.core.commands import AnyCommand, Refusal, Revise
from studio.core.events import Record
from studio.core.plan import Plan
from studio.core.state import EngineState, NodeState, RunState
from studio.engine.clock import SystemClock
from studio.engine.feed import EngineFailed, Logged, News, Progress
from studio.errors import NotFoundError, StudioError
from studio.loading.diagnostics import Diagnostic
from studio.loading.discovery import discover
from studio.loading.fingerprint import Code
from studio.loading.loader import LoadResult, load_file
from studio.ports import AttemptKey, Clock, LogLine, RunFilter, RunRow
from studio.projections.masking import Mask, declares_sensitive, mask_run
from studio.projections.screen.keymap import Keymap

if TYPE_CHECKING:  # it needs a session itself
    from studio.application.reload import Reloader

__all__ = [
    "AnyCommand",
    "Changes",
    "NodeState",
    "Notice",
    "Plan",
    "RunState",
    "Session",
    "WorkflowFile",
]

AnyStudio = LocalStudio | RemoteStudio

ROWS = 200
"""Runs that the list holds; older ones are found by number or `studio runs`."""


class WorkflowFile(msgspec.Struct):
    """A workflow file as last read.

    Args:
        path: absolute path.
        display: path relative to the project.
        name: the workflow's id, from the last good version, else the file's name.
        plan: the last good version; None while the file never loaded.
        diagnostics: findings of the newest version; errors among them keep ``plan`` at the last good one.
        digest: content hash of the newest version.
    """

    path: str
    display: str
    name: str
    plan: Plan | None
    diagnostics: tuple[Diagnostic, ...]
    digest: str

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """Findings that keep the newest version from being used."""
        return tuple(one for one in self.diagnostics if one.severity == "error")


class Notice(msgspec.Struct, frozen=True):
    """News for the notice line; ``kind`` decides its look."""

    text: str
    kind: Literal["info", "good", "warning", "error"] = "info"


class Changes(msgspec.Struct):
    """What has to be drawn again.

    Args:
        nodes: paths of the shown run whose node changed.
        whole: the shown run or plan as a whole changed (another one, a revision).
        rows: the list of runs changed.
        files: the list of workflow files, or a finding in one, changed.
        logs: attempts of the shown run that wrote lines, with the new lines.
        notices: news, oldest first.
    """

    nodes: set[str] = msgspec.field(default_factory=set)
    whole: bool = False
    rows: bool = False
    files: bool = False
    logs: list[tuple[AttemptKey, Sequence[LogLine]]] = msgspec.field(default_factory=list)
    notices: list[Notice] = msgspec.field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(
            self.nodes or self.whole or self.rows or self.files or self.logs or self.notices
        )


class Session:
    """One person at one state folder.

    Args:
        studio: the engine, here or behind a socket.
        location: project and state folder.
        sender: who acts, and their environment.
        folder: where workflow files are looked for; or one file, and only that is shown.

    Attributes:
        drawn: set once the first picture stands; what it can do without is opened after that.
    """

    def __init__(self, studio: AnyStudio, location: Location, sender: Sender, folder: Path) -> None:
        self.studio = studio
        self.location = location
        self.sender = sender
        # As the loader and the watcher spell it: absolute, without `..`.
        self.folder = Path(os.path.abspath(folder))
        self.clock: Clock = SystemClock()
        self.files: dict[str, WorkflowFile] = {}
        self.skipped: list[str] = []
        self.rows: list[RunRow] = []
        self._run_list = RunList(ROWS)
        self.shown_file: str | None = None
        self.shown_run: int | None = None
        self.progress: dict[str, tuple[float | None, str]] = {}
        self.watch_mode: Literal["auto", "ask", "off"] = "auto"
        self.reloader: Reloader | None = None
        self.last_params: dict[str, dict[str, Any]] = {}
        self.drafts: dict[str, str] = {}
        self.keymap = Keymap()
        self.last_action: tuple[str, AnyCommand] | None = None
        self.on_change: Callable[[], None] = lambda: None
        self.drawn = asyncio.Event()
        self._changes = Changes()
        self._view: RunView | None = None
        self._endings: list[Callable[[], None]] = []
        self._poll: asyncio.Task[None] | None = None

    # ----------------------------------------------------------------- life

    async def open(self) -> None:
        """Read the files and runs, and listen to the engine."""
        await asyncio.to_thread(self._discover)
        self._refresh_rows()
        if isinstance(self.studio, LocalStudio):
            self._endings = [
                self.studio.feed.subscribe(self._on_records, self._on_news),
                self.studio.watch_storage(
                    lambda text, bad: self.tell(text, "warning" if bad else "good")
                ),
            ]
        else:
            self._poll = asyncio.get_running_loop().create_task(self._follow_owner())

    async def close(self) -> None:
        """Stop listening; the studio is closed by whoever opened it."""
        for end in self._endings:
            end()
        if self._poll is not None:
            self._poll.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._poll

    # ----------------------------------------------------------------- files

    def _discover(self) -> None:
        if self.folder.is_file():
            paths: Iterable[Path] = (self.folder,)
        else:
            found = discover(self.folder)
            paths = (Path(path) for path in found.files)
            self.skipped = [f"{one.path}: {one.reason}" for one in found.skipped]
        for path in paths:
            self.read_file(path)

    def read_file(self, path: Path) -> WorkflowFile:
        """Load a file, keeping the last good version when the new one has errors."""
        key = str(path.absolute())
        display = self.display(path)
        result: LoadResult = load_file(path, display=display)
        before = self.files.get(key)
        if result.workflow is not None:
            plan: Plan | None = compiled(result.workflow)
            name = result.workflow.name
        else:
            plan = before.plan if before is not None else None
            name = before.name if before is not None else path.stem
        entry = WorkflowFile(key, display, name, plan, result.diagnostics, result.digest)
        self.files[key] = entry
        return entry

    def forget_file(self, path: Path) -> None:
        """The file is gone; runs of it keep their own definition."""
        self.files.pop(str(path.absolute()), None)
        self.changed(files=True)

    def display(self, path: Path) -> str:
        """A path as people should see it: relative to the project where it lies inside."""
        base = self.folder if self.folder.is_dir() else self.folder.parent
        try:
            return str(path.absolute().relative_to(base.absolute()))
        except ValueError:
            return str(path)

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
        if not self._in_memory(number):
            self._view = self.studio.view(number)

    def _show(self, number: int | None) -> None:
        self.shown_run = number
        self.progress.clear()
        self._view = None
        self.changed(whole=True)

    def _in_memory(self, number: int) -> bool:
        return isinstance(self.studio, LocalStudio) and number in self.studio.engine.state.runs

    @property
    def engine_state(self) -> EngineState | None:
        """The state that holds the shown run, for reading values by position."""
        if self.shown_run is None:
            return None
        if isinstance(self.studio, LocalStudio) and self._in_memory(self.shown_run):
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
        if run is not None:
            return run.plan
        entry = self.files.get(self.shown_file) if self.shown_file is not None else None
        return entry.plan if entry is not None else None

    @property
    def live(self) -> bool:
        """Whether somebody drives the shown run; false for one whose engine died."""
        if self.shown_run is None:
            return False
        return not self.studio.owns or self._in_memory(self.shown_run)

    def now(self) -> float:
        """Seconds since the epoch, by the engine's clock."""
        return self.clock.now()

    def drives(self, number: int) -> bool:
        """Whether an engine drives a run: this one, or the owner's when it is another process."""
        return not self.studio.owns or self._in_memory(number)

    # ----------------------------------------------------------------- changes

    def changed(self, *, whole: bool = False, rows: bool = False, files: bool = False) -> None:
        """Note that something has to be drawn again."""
        self._changes.whole = self._changes.whole or whole
        self._changes.rows = self._changes.rows or rows
        if rows:
            self._run_list.note_unknown()
        self._changes.files = self._changes.files or files
        self.on_change()

    def tell(self, text: str, kind: Literal["info", "good", "warning", "error"] = "info") -> None:
        """Put a notice before the person."""
        self._changes.notices.append(Notice(text, kind))
        self.on_change()

    def take_changes(self) -> Changes:
        """What changed since this was last asked; the list of runs is brought up to date when it did."""
        taken, self._changes = self._changes, Changes()
        if taken.rows:
            try:
                self._refresh_rows()
            except StudioError as error:
                taken.notices.append(Notice(str(error), "error"))
        return taken

    def _refresh_rows(self) -> None:
        studio = self.studio
        runs = studio.engine.state.runs if isinstance(studio, LocalStudio) else {}
        self._run_list.refresh(studio.reading, runs)
        self.rows = self._run_list.rows

    def take_notices(self) -> list[Notice]:
        """The notices since they were last taken, for a session without a screen; everything else stays noted."""
        taken, self._changes.notices = self._changes.notices, []
        return taken

    def _on_records(self, records: Sequence[Record]) -> None:
        if not records:
            return
        changes = self._changes
        changes.rows = True
        self._run_list.note(records)
        shown = self.shown_run
        for record in records:
            if record.run != shown:
                continue
            event: Any = record.event
            node = getattr(event, "node", None)
            if isinstance(node, str) and node:
                changes.nodes.add(node)
            else:
                changes.nodes.update(getattr(event, "nodes", ()))
            if type(event).__name__ in _WHOLE:
                changes.whole = True
        self.on_change()

    def _on_news(self, news: News) -> None:
        if isinstance(news, Progress):
            if news.key.run == self.shown_run:
                self.progress[news.key.node] = (news.fraction, news.message)
                self._changes.nodes.add(news.key.node)
        elif isinstance(news, Logged):
            if news.key.run != self.shown_run:
                return
            self._changes.logs.append((news.key, self.cover()(news.lines)))
        elif isinstance(news, EngineFailed):
            self._changes.notices.append(Notice(news.message, "error"))
        self.on_change()

    async def _follow_owner(self) -> None:
        """Another process runs the engine: read what it appends, ten times a second."""
        head = 0
        while True:
            await asyncio.sleep(0.1)
            try:
                rows = self.studio.reading.rows(RunFilter(limit=ROWS))
                if rows != self.rows:
                    self.changed(rows=True)
                if self._view is not None:
                    self._on_records(self._view.refresh())
            except StudioError as error:
                if head == 0:
                    self.tell(str(error), "error")
                head = 1

    # ----------------------------------------------------------------- verbs

    async def launch(
        self,
        file: str,
        params: Mapping[str, Any],
        *,
        until: str | None = None,
        stepping: bool = False,
    ) -> int:
        """Start a run of a file's newest version and show it. Raises `DefinitionError`, `RefusedError`."""
        number = await self.studio.launch(
            Launch(
                file=file,
                display=self.display(Path(file)),
                params=dict(params),
                until=until,
                stepping=stepping,
                surface="screen",
            ),
            self.sender,
        )
        self.changed(rows=True)
        self.show_run(number)
        if isinstance(self.studio, LocalStudio):
            await self.studio.forget_ended({number})
        return number

    async def send(self, command: AnyCommand) -> Refusal | None:
        """Send a verb about a run; an interrupted run is taken up first."""
        refusal = await self.studio.send(command, self.sender)
        if command.run == self.shown_run and self._in_memory(command.run):
            self._view = None
        self.changed(whole=True, rows=True)
        return refusal

    async def take_up(self, run: int) -> None:
        """Drive an interrupted run."""
        await self.studio.take_up(run, self.sender)
        if run == self.shown_run and self._in_memory(run):
            self._view = None
        self.changed(whole=True, rows=True)

    async def adopt(
        self, run: int, entry: WorkflowFile, changed: Mapping[str, str], code: Code
    ) -> Refusal | None:
        """Put a file's newest version under a run.

        Args:
            run: its number.
            entry: the file.
            changed: nodes whose code changed, with what changed.
            code: the code that belongs to this version.

        Raises `StorageError` when the code cannot be stored.
        """
        if entry.plan is None or not isinstance(self.studio, LocalStudio):
            return None
        version = entry.plan.version
        pin = await asyncio.to_thread(self.studio.code.keep, code, version)
        self.studio.engine.add_definition(entry.plan, definition_of(entry.plan.workflow))
        return await self.send(Revise(run=run, version=version, code=dict(changed), pin=pin))

    def edit_waits(self) -> bool:
        """Whether a saved edit waits to be taken into the shown run."""
        return self.reloader is not None and self.shown_run in self.reloader.pending

    def remember(self, label: str, inverse: AnyCommand) -> None:
        """Keep how the last action is taken back."""
        self.last_action = (label, inverse)

    def file_plan(self) -> Plan | None:
        """The newest good version of the shown workflow's file, whatever version the shown run has."""
        entry = self.files.get(self.shown_file) if self.shown_file is not None else None
        return entry.plan if entry is not None else None

    def moving_runs(self) -> list[int]:
        """Runs that this process drives and that are under way."""
        if not isinstance(self.studio, LocalStudio):
            return []
        runs = self.studio.engine.state.runs
        return [number for number, run in runs.items() if run.flying and not run.ended]

    async def pause_all(self, runs: Sequence[int]) -> None:
        """Pause runs and wait until what they had in flight has finished."""
        for number in runs:
            await self.send(pause(number))
        await self.studio.rest()

    def source_of(self, path: str | None) -> tuple[str, int]:
        """File and line to edit: of the error if the node has one, else of its definition.

        Raises `NotFoundError` when no file is known.
        """
        run, plan = self.run, self.plan
        node = run.nodes.get(path) if run is not None and path is not None else None
        folder = Path(run.folder if run is not None else "")
        if node is not None and node.failure is not None and node.failure.file:
            file = folder / node.failure.file
            if file.is_file():
                return str(file), max(1, node.failure.line)
        if self.shown_file is None:
            raise NotFoundError("no workflow file is shown")
        planned = plan.node(path) if plan is not None and path is not None else None
        place = planned.node.place if planned is not None else None
        return self.shown_file, place.line if place is not None else 1

    # ----------------------------------------------------------------- values

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


_WHOLE = frozenset({"RunStarted", "RunRevised", "RunReopened", "ItemsExpanded", "NodesReset"})
"""Events after which the shape of the shown graph may be another one."""
