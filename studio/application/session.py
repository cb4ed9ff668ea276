"""One person at one state folder: what they look at, what they do, and what has changed meanwhile.

A session turns the stream of records into small sets of what has to be drawn again, so that a screen that flushes
them twenty times a second pays for what changed and not for how often. It knows no widget.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from studio.application.changes import Changes, Notice, NoticeKind
from studio.application.drafts import Drafts
from studio.application.following import Following
from studio.application.local import LocalStudio, new_command_id
from studio.application.location import Location
from studio.application.looking import AnyStudio, Looking
from studio.application.remote import OwnerGoneError
from studio.application.run_list import RunList
from studio.application.stored_definitions import definition_of
from studio.application.studio import Launch, Sender
from studio.application.workflow_files import WorkflowFile
from studio.core.commands import AnyCommand, PauseRun, Refusal, Revise
from studio.core.events import Record
from studio.core.plan import Plan, base_path
from studio.core.state import NodeState, RunState
from studio.engine.feed import EngineFailed, Logged, News, Progress
from studio.errors import StudioError
from studio.projections.screen.keymap import Keymap

if TYPE_CHECKING:  # it needs a session itself
    from studio.application.reload import Reloader
    from studio.loading.fingerprint import Code

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

ROWS = 200
"""Runs that the list holds; older ones are found by number or `studio runs`."""

Answer = TypeVar("Answer")


class Session(Looking):
    """One person at one state folder.

    Args:
        studio: the engine, here or behind a socket; while it is behind one, the session follows its owner, and takes
            its place when it ends.
        location: project and state folder.
        sender: who acts, and their environment.
        folder: where workflow files are looked for; or one file, and only that is shown.

    Attributes:
        drawn: set once the first picture stands; what it can do without is opened after that.
    """

    def __init__(self, studio: AnyStudio, location: Location, sender: Sender, folder: Path) -> None:
        super().__init__(studio, location, folder)
        self.sender = sender
        self.watch_mode: Literal["auto", "ask", "off"] = "auto"
        self.reloader: Reloader | None = None
        self.last_params: dict[str, dict[str, Any]] = {}
        self.drafts = Drafts(location, sender.environ)
        self.keymap = Keymap()
        self.last_action: tuple[str, AnyCommand] | None = None
        self.on_change: Callable[[], None] = lambda: None
        self.drawn = asyncio.Event()
        self._changes = Changes()
        self._run_list = RunList(ROWS)
        self._endings: list[Callable[[], None]] = []
        self._following = Following(self)
        self._newest = 0
        self._launching = 0
        self._own: set[int] = set()

    # ----------------------------------------------------------------- life

    async def open(self) -> None:
        """Read the files and runs, and listen to the engine."""
        await asyncio.to_thread(self.catalog.discover)
        self._refresh_rows()
        self._newest = self.rows[0].run if self.rows else 0
        await self._listen()

    async def close(self) -> None:
        """Stop listening; the studio is closed by whoever opened it."""
        self._stop_listening()
        await self._following.close()

    async def _listen(self) -> None:
        if isinstance(self.studio, LocalStudio):
            self._endings = [
                self.studio.feed.subscribe(self.take_records, self._on_news),
                self.studio.watch_storage(
                    lambda text, bad: self.tell(text, "warning" if bad else "good")
                ),
            ]
        else:
            await self._following.open(self.studio)

    def _stop_listening(self) -> None:
        for end in self._endings:
            end()
        self._endings = []

    async def turn_to(self, studio: AnyStudio) -> None:
        """Go on with another studio, as the owner behind the one before has ended; that one is closed.

        Raises `StorageError` when the shown run cannot be read any more.
        """
        before, self.studio = self.studio, studio
        self._stop_listening()
        await before.close()
        await self._listen()
        if self.reloader is not None:
            self.reloader.turn_to(studio)
        try:
            self.look_again()
        finally:
            self.changed(whole=True, rows=True)

    # ----------------------------------------------------------------- changes

    def _show(self, number: int | None) -> None:
        super()._show(number)
        self.changed(whole=True)

    def changed(self, *, whole: bool = False, rows: bool = False, files: bool = False) -> None:
        """Note that something has to be drawn again."""
        self._changes.whole = self._changes.whole or whole
        self._changes.rows = self._changes.rows or rows
        if rows:
            self._run_list.note_unknown()
        self._changes.files = self._changes.files or files
        self.on_change()

    def tell(self, text: str, kind: NoticeKind = "info") -> None:
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
            self._note_started(taken)
        return taken

    def _refresh_rows(self) -> None:
        studio = self.studio
        runs = studio.engine.state.runs if isinstance(studio, LocalStudio) else {}
        self._run_list.refresh(studio.reading, runs)
        self.rows = self._run_list.rows

    def _note_started(self, taken: Changes) -> None:
        """Which runs are new and not of this session; while it launches one it cannot tell them apart yet."""
        if self._launching:
            self._changes.rows = True
            return
        new = [row for row in self.rows if row.run > self._newest]
        taken.started = [row for row in reversed(new) if row.run not in self._own]
        if new:
            self._newest = new[0].run
            self._own.clear()

    def take_notices(self) -> list[Notice]:
        """The notices since they were last taken, for a session without a screen; everything else stays noted."""
        taken, self._changes.notices = self._changes.notices, []
        return taken

    def take_records(self, records: Sequence[Record]) -> None:
        """Note what committed records change of what is shown."""
        if not records:
            return
        changes = self._changes
        changes.rows = True
        self._run_list.note(records)
        run = self.run
        nodes: set[str] = set()
        everywhere = run is not None and (run.stepping or run.within is not None)
        for record in records:
            if record.run != self.shown_run:
                continue
            event: Any = record.event
            node = getattr(event, "node", None)
            named = (node,) if isinstance(node, str) and node else getattr(event, "nodes", ())
            nodes.update(named)
            everywhere = everywhere or not named
            if type(event).__name__ in _WHOLE:
                changes.whole = True
        changes.nodes |= nodes
        if run is not None and not changes.whole:
            changes.nodes |= _derived(run, nodes, everywhere)
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
        wish = Launch(
            file=file,
            display=self.catalog.display(Path(file)),
            params=dict(params),
            until=until,
            stepping=stepping,
            surface="screen",
            command=new_command_id(),
        )
        self._launching += 1
        try:
            number = await self._insist(lambda: self.studio.launch(wish, self.sender))
            self._own.add(number)
        finally:
            self._launching -= 1
        self.changed(rows=True)
        self.show_run(number)
        if isinstance(self.studio, LocalStudio):
            await self.studio.forget_ended({number})
        return number

    async def send(self, command: AnyCommand) -> Refusal | None:
        """Send a verb about a run; an interrupted run is taken up first."""
        refusal = await self._insist(lambda: self.studio.send(command, self.sender))
        self._after_verb(command.run)
        return refusal

    async def take_up(self, run: int) -> None:
        """Drive an interrupted run."""
        await self._insist(lambda: self.studio.take_up(run, self.sender))
        self._after_verb(run)

    async def _insist(self, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """Ask the studio; when its owner has ended before it has answered, ask the one that follows.

        Commands and launches carry an id that the history remembers: they count once even if the owner had taken them.
        """
        asked = self.studio
        try:
            return await ask()
        except OwnerGoneError:
            if not await self._following.replace(asked):
                raise
            return await ask()

    def _after_verb(self, run: int) -> None:
        if run == self.shown_run and self._view is not None:
            if self.in_memory(run):
                self._view = None
            else:
                self._following.look()
        self.changed(whole=True, rows=True)

    async def adopt(
        self, run: int, entry: WorkflowFile, changed: Mapping[str, str], code: "Code"
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

    def moving_runs(self) -> list[int]:
        """Runs that this process drives and that are under way."""
        if not isinstance(self.studio, LocalStudio):
            return []
        runs = self.studio.engine.state.runs
        return [number for number, run in runs.items() if run.flying and not run.ended]

    async def pause_all(self, runs: Sequence[int]) -> None:
        """Pause runs and wait until what they had in flight has finished."""
        for number in runs:
            await self.send(PauseRun(run=number))
        await self.studio.rest()


_WHOLE = frozenset({"RunStarted", "RunRevised", "RunReopened", "ItemsExpanded", "NodesReset"})
"""Events after which the shape of the shown graph may be another one."""


def _derived(run: RunState, nodes: Iterable[str], everywhere: bool) -> set[str]:
    """Nodes that may have become ready or held, or wait at another gate: that has no event of its own.

    It follows from the edges of a node that has an event, or from an event of the run as a whole. Looking at every
    node each time would make a long run pay for its length with every batch.

    Args:
        run: the shown run.
        nodes: nodes and items that an event names.
        everywhere: whether an event of the run may have changed any gate.
    """
    if everywhere:
        return {path for path, node in run.nodes.items() if node.status in _NOT_BEGUN}
    plans = (run.plan.nodes.get(name) for name in set(map(base_path, nodes)))
    return {edge.target for plan in plans if plan is not None for edge in plan.outgoing}


_NOT_BEGUN = frozenset({"blocked", "ready", "held"})
"""States that a node comes into without an event."""
