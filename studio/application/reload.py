"""Saved files reach the runs they are about: watch, read again, compare, adopt, and say what that means.

`Reloader` follows the files of a session, with or without a screen. What a save does to a run depends on the session's
watch mode: ``auto`` adopts it at once, ``ask`` keeps it in `Reloader.pending` until somebody accepts it, ``off``
changes only the definition on screen. The rules are those of engine.md, "Revision: a file changes".
"""

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from studio.application.edited_files import Edit, EditedFiles
from studio.application.local import LocalStudio
from studio.application.location import PROJECT_FILE
from studio.application.remote import RemoteStudio
from studio.application.session import Notice, Session, WorkflowFile
from studio.application.studio import Launch
from studio.core.commands import Refusal
from studio.core.events import AttemptStarted, Record
from studio.core.plan import Plan, base_path
from studio.core.revision import Verdict, compare, review
from studio.core.state import NodeState, RunState
from studio.errors import StudioError
from studio.loading.fingerprint import CodePrint, changed_code
from studio.loading.watcher import FileChange, Limited, News, Removed, Watcher
from studio.projections.reload_lines import (
    Line,
    asking_line,
    file_line,
    saved_line,
    unchanged_line,
)
from studio.projections.screen.actions import key_of

NEVER_RAN = frozenset({"blocked", "ready", "skipped"})
"""Nodes in these states have run with no code that could be compared."""


class Kept(NamedTuple):
    """Code that a run keeps to: the definition it belongs to, and its address."""

    version: str
    pin: str


class PendingRevision(msgspec.Struct, frozen=True):
    """An edit that a run has not adopted.

    Args:
        run: number of the run.
        entry: the file it would adopt.
        code: nodes whose code changed, with what changed.
        verdicts: what adopting it means, node by node.
        edit: the save.
    """

    run: int
    entry: WorkflowFile
    code: Mapping[str, str]
    verdicts: tuple[Verdict, ...]
    edit: Edit


class Reloader:
    """Follows the files of a session and revises its runs.

    Args:
        session: an open session; its ``watch_mode`` decides what a save does.
        watcher: what tells of saves; one for the session's folder when None.
    """

    def __init__(self, session: Session, watcher: Watcher | None = None) -> None:
        self.session = session
        self.pending: dict[int, PendingRevision] = {}
        self.files = EditedFiles(session)
        self._watcher = watcher
        self._ran: dict[int, dict[str, CodePrint | Kept]] = {}
        self._first: dict[int, Mapping[str, CodePrint]] = {}
        self._task: asyncio.Task[None] | None = None
        self._unsubscribe: Callable[[], None] = lambda: None
        self._opened = False

    async def open(self) -> None:
        """Fingerprint the code there is, and start to watch."""
        session = self.session
        await asyncio.to_thread(self.files.read_all)
        self._opened = True
        self.turn_to(session.studio)
        if self._watcher is None:
            folder = session.folder if session.folder.is_dir() else session.folder.parent
            self._watcher = Watcher(
                folder.absolute(),
                known={path: entry.digest for path, entry in session.files.items()},
                left_out=[session.location.state],
            )
        self._watcher.follow(self.files.code_files)
        self._task = asyncio.get_running_loop().create_task(self._watch(self._watcher))

    def turn_to(self, studio: LocalStudio | RemoteStudio) -> None:
        """Follow the runs of another studio from now on; nothing before `open`."""
        self._unsubscribe()
        self._unsubscribe = lambda: None
        self.files.turn_to(studio)
        if self._opened and isinstance(studio, LocalStudio):
            self._unsubscribe = studio.feed.subscribe(self._on_records)

    async def close(self) -> None:
        """Stop watching."""
        self._unsubscribe()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _watch(self, watcher: Watcher) -> None:
        async with contextlib.aclosing(watcher.news()) as news:
            async for group in news:
                try:
                    await self.take(group)
                except StudioError as error:
                    self.session.tell(str(error), "error")
                except Exception as error:
                    # Whatever one save brings about, the next one is followed.
                    name = type(error).__name__
                    self.session.tell(f"a save could not be followed: {name}: {error}", "error")

    # ----------------------------------------------------------------- saves

    async def take(self, news: Sequence[News]) -> None:
        """Do what a group of saves asks for."""
        session = self.session
        changes: list[FileChange] = []
        for one in news:
            if isinstance(one, Limited):
                session.tell(one.reason, "warning")
            else:
                changes.append(one)
        if any(os.path.basename(change.path) == PROJECT_FILE for change in changes):
            session.tell(f"{PROJECT_FILE} saved: it takes effect when the studio starts again")
        for run in self._runs():
            if run.number not in self._first:
                self._first[run.number] = dict(self.files.prints.get(run.file, {}))
        edits = await asyncio.to_thread(self.files.take, changes)
        for change in changes:
            if isinstance(change, Removed) and change.path in session.files:
                self._forget(change.path)
        if self._watcher is not None:
            self._watcher.follow(self.files.code_files)
        if edits:
            shown = any(edit.entry.path == session.shown_file for edit in edits)
            session.changed(files=True, whole=shown)
        for edit in edits:
            await self._report(edit)

    def _forget(self, path: str) -> None:
        entry = self.session.files[path]
        self.session.catalog.forget(path)
        self.session.changed(files=True)
        self.files.prints.pop(path, None)
        heir = next(
            (one for one in self.session.files.values() if one.digest == entry.digest), None
        )
        if heir is not None:
            if self.session.shown_file == path and self.session.run is None:
                self.session.show_file(heir.path)
            self.session.tell(f"{entry.display} is {heir.display} now")
            return
        has_runs = bool(self._runs(path)) or any(row.file == path for row in self.session.rows)
        kept = "; its runs keep their definition" if has_runs else ""
        self.session.tell(f"{entry.display} is gone{kept}", "warning")

    async def _report(self, edit: Edit) -> None:
        """Say what an edit means, and do it to the runs that follow their file."""
        session = self.session
        problems = edit.problems
        if problems:
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            kept = "; the last good version stays" if edit.entry.plan is not None else ""
            session.tell(f"{problems[0]}{more}{kept}", "error")
            return
        runs = self._runs(edit.entry.path)
        followed = [await self._revise(run, edit) for run in runs]
        if not any(followed):
            session.tell(*self._quiet_line(edit, bool(runs) and session.watch_mode != "off"))

    @staticmethod
    def _quiet_line(edit: Edit, has_run: bool) -> Line:
        """What to say of an edit that changes no run."""
        before, after = edit.before, edit.entry
        if before is None:
            return Line(f"{after.display} appeared: workflow {after.name}", "info")
        if before.plan is None or after.plan is None or before.errors:
            return Line(f"{after.display} loads again", "good")
        if has_run:
            return unchanged_line(edit.files)
        code = changed_code(edit.old, edit.new)
        return file_line(edit.files, compare(before.plan, after.plan, code))

    # ----------------------------------------------------------------- runs

    def _runs(self, file: str | None = None) -> list[RunState]:
        """The live runs, and the run on screen, of a file or of all."""
        session = self.session
        if not isinstance(session.studio, LocalStudio):
            return []
        found = {
            run.number: run
            for run in session.studio.engine.state.runs.values()
            if run.surface == "screen" and not run.ended
        }
        if session.run is not None:
            found.setdefault(session.run.number, session.run)
        return [run for run in found.values() if file is None or run.file == file]

    async def _revise(self, run: RunState, edit: Edit) -> bool:
        """Put an edit under a run, or before a person; false when it does not concern the run."""
        session = self.session
        await self._recall(run)
        code = self._code(run, edit)
        plan = edit.entry.plan
        if plan is None or (plan.version == run.plan.version and not code):
            self.pending.pop(run.number, None)
            if plan is not None and session.watch_mode != "off" and self._follows(run):
                await self._adopt_quietly(run, edit)
            return False
        verdicts = tuple(self.plan_of_edit(run, edit.entry, code))
        self.pending[run.number] = PendingRevision(run.number, edit.entry, code, verdicts, edit)
        if session.watch_mode == "auto" and self._follows(run):
            await self.accept(run.number)
        elif session.watch_mode != "off":
            session.tell(*asking_line(edit.files, run.number, verdicts))
        else:
            return False
        return True

    def _follows(self, run: RunState) -> bool:
        """Whether a run adopts what is saved without being asked.

        Headless and triggered runs pin; an interrupted one is not taken up by a save; an ended one goes on only as
        the last of its workflow, not because somebody looks at an old one.
        """
        if run.surface != "screen":
            return False
        if not run.ended:
            studio = self.session.studio
            return isinstance(studio, LocalStudio) and run.number in studio.engine.state.runs
        newest = [row.run for row in self.session.rows if row.file == run.file]
        return not newest or max(newest) <= run.number

    async def _adopt_quietly(self, run: RunState, edit: Edit) -> None:
        """Take over what is no change of any node: comments, so that lines in errors are right, and code of undos."""
        if not run.ended:
            refusal = await self.session.adopt(run.number, edit.entry, {}, edit.code)
            if refusal is not None:
                self.session.tell(str(refusal), "error")

    async def _recall(self, run: RunState) -> None:
        """Have the fingerprints of all code that the run keeps or kept to in memory."""
        studio = self.session.studio
        if not isinstance(studio, LocalStudio):
            return
        kept = {one for one in self._ran.get(run.number, {}).values() if isinstance(one, Kept)}
        if run.pin:
            kept.add(Kept(run.plan.version, run.pin))
        for one in kept:
            if not studio.code.knows(*one):
                await asyncio.to_thread(self._prints_of, studio, run, one)

    @staticmethod
    def _prints_of(studio: LocalStudio, run: RunState, kept: Kept) -> Mapping[str, CodePrint]:
        plan: Plan = studio.engine.state.plans.get(kept.version, run.plan)
        workflow = msgspec.structs.replace(plan.workflow, folder=run.folder)
        return studio.code.recall(workflow, *kept) or {}

    def _code(self, run: RunState, edit: Edit) -> dict[str, str]:
        """Nodes that ran, or would start, with other code than there is now, with what changed."""
        found: dict[str, str] = {}
        for name, new in edit.new.items():
            node = run.nodes.get(name)
            if node is None:
                continue
            old = (
                self._pinned(run, node) if is_pinned(run, node) else self._unpinned(run, node, edit)
            )
            if old is not None:
                found |= changed_code({name: old}, {name: new})
        return found

    def _pinned(self, run: RunState, node: NodeState) -> CodePrint | None:
        """The code a node ran with, or would start with; None for one that was passed over."""
        studio = self.session.studio
        if node.status == "skipped" or not isinstance(studio, LocalStudio):
            return None
        kept = self._ran.get(run.number, {}).get(node.path, Kept(run.plan.version, run.pin))
        return (
            kept
            if isinstance(kept, CodePrint)
            else self._prints_of(studio, run, kept).get(node.path)
        )

    def _unpinned(self, run: RunState, node: NodeState, edit: Edit) -> CodePrint | None:
        """The code of a node that takes it from the folder whenever it starts: scripts of a shell."""
        ran = self._ran.setdefault(run.number, {})
        old = ran.get(node.path) or self._first.get(run.number, edit.old).get(node.path)
        if not isinstance(old, CodePrint) or node.status in NEVER_RAN:
            return None
        if _started(node) > edit.written > 0:
            ran[node.path] = edit.new[
                node.path
            ]  # it began after the save, before the save was taken
            return None
        return old

    def _on_records(self, records: Sequence[Record]) -> None:
        """Remember the code each node starts with."""
        for record in records:
            event = record.event
            if not isinstance(event, AttemptStarted) or event.undo:
                continue
            run = self._run(record.run)
            name = base_path(event.node)
            node = run.nodes.get(name) if run is not None else None
            if run is None or node is None:
                continue
            ran = self._ran.setdefault(record.run, {})
            if is_pinned(run, node):
                ran[name] = Kept(run.plan.version, run.pin)
            elif name in (code := self.files.prints.get(run.file, {})):
                ran[name] = code[name]

    def _run(self, number: int) -> RunState | None:
        studio = self.session.studio
        if isinstance(studio, LocalStudio) and number in studio.engine.state.runs:
            return studio.engine.state.runs[number]
        run = self.session.run
        return run if run is not None and run.number == number else None

    # ----------------------------------------------------------------- decisions

    @staticmethod
    def plan_of_edit(run: RunState, entry: WorkflowFile, code: Mapping[str, str]) -> list[Verdict]:
        """What adopting a file's newest version would mean for a run, node by node; nothing is changed.

        Args:
            run: the run as it is.
            entry: the file.
            code: nodes whose code changed, with what changed.
        """
        return review(run, entry.plan, code) if entry.plan is not None else []

    async def accept(self, run: int) -> Refusal | None:
        """Put the pending edit under a run. A refusal is told, and the edit stays pending.

        Raises KeyError when nothing is pending.
        """
        pending = self.pending[run]
        state = self._run(run)
        waiting = _waiting(state, pending.verdicts) if state is not None else ()
        try:
            refusal = await self.session.adopt(run, pending.entry, pending.code, pending.edit.code)
        except StudioError as error:
            self.session.tell(str(error), "error")
            return None
        if refusal is not None:
            self.session.tell(str(refusal), "error")
            return refusal
        self.pending.pop(run, None)
        ran = self._ran.setdefault(run, {})
        ran |= {name: pending.edit.new[name] for name in pending.code}
        touched = any(verdict.change != "unchanged" for verdict in pending.verdicts)
        files = pending.edit.files
        key = key_of(self.session.keymap.keys, "retry")
        line = unchanged_line(files)
        if touched:
            line = saved_line(files, pending.verdicts, waiting, key)
        self.session.tell(*line)
        return None

    def dismiss(self, run: int) -> None:
        """Leave a run as it is; the next save is compared with what it ran with, as if this one had not been."""
        self.pending.pop(run, None)


def is_pinned(run: RunState, node: NodeState) -> bool:
    """Whether a node runs the code its run keeps to, not what its files hold when it starts."""
    return bool(run.pin) and node.work.definition.kind.uses == "python"


def _started(node: NodeState) -> float:
    """When a node last started; 0 for a foreach, whose items start one by one."""
    return (node.started_at or 0.0) if node.items is None else 0.0


def _waiting(run: RunState, verdicts: Iterable[Verdict]) -> list[str]:
    """Failed nodes that do not run again by themselves."""
    return [
        verdict.node
        for verdict in verdicts
        if verdict.consequence == "new"
        and verdict.node in run.nodes
        and run.nodes[verdict.node].status == "failed"
    ]


async def run_and_watch(
    session: Session,
    file: str,
    *,
    params: Mapping[str, Any] | None = None,
    assignments: Sequence[str] = (),
    until: str | None = None,
    on_launch: Callable[[int], None] = lambda number: None,
    on_notice: Callable[[Notice], None] = lambda notice: None,
    stop: asyncio.Event | None = None,
) -> int:
    """Run a workflow and, without a screen, run again what each save changes (``studio run FILE --watch``).

    The run holds at a failure and takes the retry rules of a screen: a bug holds at once and waits for its fix.

    Args:
        session: an open session on the file.
        file: absolute path of the workflow file.
        params: values of parameters, already of their types.
        assignments: ``name=value`` texts, which win.
        until: node at which the run stops.
        on_launch: told the run's number before anything is watched.
        on_notice: told every notice, in order.
        stop: ends it when set; None to go on until cancelled.

    Returns the number of the run. Raises `DefinitionError`, `RefusedError`.
    """
    reloader = Reloader(session)

    def tell() -> None:
        for notice in session.take_notices():
            on_notice(notice)

    session.on_change, before = tell, session.on_change
    await reloader.open()
    try:
        launch = Launch(
            file=file,
            display=session.catalog.display(Path(file)),
            params=dict(params or {}),
            assignments=tuple(assignments),
            policy="hold",
            until=until,
            surface="screen",
        )
        number = await session.studio.launch(launch, session.sender)
        session.show_run(number)
        on_launch(number)
        await (stop or asyncio.Event()).wait()
    finally:
        session.on_change = before
        await reloader.close()
    return number
