"""Opening what a screen works on: project, engine or the engine's owner, session, and the watch over its files."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from studio.application.actor import default_actor
from studio.application.keymap import read_keymap
from studio.application.local import LocalStudio
from studio.application.location import locate
from studio.application.opening import open_studio
from studio.application.screen_options import ScreenOptions
from studio.application.session import Session
from studio.application.studio import Sender
from studio.errors import StudioError
from studio.projections.screen.actions import key_of
from studio.projections.screen.runs import last_live
from studio.projections.screen.summary import interrupted_runs, interrupted_text


@asynccontextmanager
async def open_session(
    options: ScreenOptions, environ: Mapping[str, str]
) -> AsyncIterator[Session]:
    """A session over a file or folder, closed with its studio on leaving; runs under way stay recoverable.

    Its files are followed from the moment `Session.drawn` is set.

    What it shows first is what a person would look for: the run that was live last, else the workflow.

    Args:
        options: how the screen was asked to start.
        environ: environment of the person; runs they start inherit it.

    Raises:
        DefinitionError: ``studio.toml`` cannot be read.
        OwnerLockedError: another process owns the state folder and does not answer.
        StorageError: the state folder cannot be used.
        ExecutorError: the child runner cannot be started.
    """
    location = locate(options.path, options.state, environ)
    studio = await open_studio(location, environ=environ, late=True)
    try:
        sender = Sender(default_actor(environ), environ)
        session = Session(studio, location, sender, Path(options.path))
        await session.open()
        try:
            session.keymap = read_keymap(location, environ)
            _show_first(session)
            _announce(session)
            # Reading the code of every node takes longer than the first picture may wait, and the rest waits with it.
            opening = asyncio.create_task(_open_the_rest(session))
            try:
                yield session
            finally:
                if not session.drawn.is_set():
                    opening.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await opening
                if session.reloader is not None:
                    await session.reloader.close()
        finally:
            await session.close()
            studio = session.studio
    finally:
        await studio.close()


async def _open_the_rest(session: Session) -> None:
    """Start the executors and begin to watch the files; without either the screen still works, and says so."""
    await session.drawn.wait()
    try:
        if isinstance(session.studio, LocalStudio):
            session.studio.get_ready()
    except (OSError, StudioError) as error:
        session.tell(f"nodes cannot be started: {error}", "error")
    try:
        from studio.application.reload import Reloader  # lazy: reads the code of nodes, and watches

        session.reloader = Reloader(session)
        await session.reloader.open()
    except (OSError, StudioError) as error:
        session.tell(f"saved files are not followed: {error}", "error")


def _show_first(session: Session) -> None:
    """Put up the run or workflow that matters most.

    Within a project a folder or file that was asked for comes first: its last run, else its first workflow that loads.
    Where it holds none, the last run of the project is better than nothing.
    """
    rows = [row for row in session.rows if _concerns(session, row.file)]
    if not rows and not session.files and not session.folder.is_file():
        rows = session.rows
    last = last_live(rows)
    if last is not None:
        try:
            session.show_run(last.run)
            return
        except StudioError as error:  # a history that cannot be read keeps nobody from the rest
            session.tell(str(error), "error")
    files = session.files.values()
    first = next((one for one in files if one.plan is not None), next(iter(files), None))
    if first is not None:
        session.show_file(first.path)


def _concerns(session: Session, file: str) -> bool:
    folder = session.folder
    if file in session.files or (folder == session.location.root and folder.is_dir()):
        return True
    return folder in Path(file).parents


def _announce(session: Session) -> None:
    """Tell what the person should know before they begin. Nothing is restarted unasked."""
    wrong = session.keymap.problems
    if wrong:
        key = key_of(session.keymap.keys, "help")
        more = f" · {len(wrong)} in all: {key} lists them" if wrong[1:] else ""
        session.tell(wrong[0] + more, "warning")
    if not session.studio.owns:
        session.tell("another studio drives the runs of this folder; this screen follows it")
    key = key_of(session.keymap.keys, "continue_run")
    stopped = interrupted_text(
        interrupted_runs(session.rows, session.drives), key, session.shown_run
    )
    if stopped:
        session.tell(stopped, "warning")
