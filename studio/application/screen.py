"""Opening what a screen works on: project, engine or the engine's owner, session, and the watch over its files."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from studio.application.actor import default_actor
from studio.application.keymap import read_keymap
from studio.application.location import locate
from studio.application.opening import open_studio
from studio.application.reload import Reloader
from studio.application.screen_options import ScreenOptions
from studio.application.session import Session
from studio.application.studio import Sender
from studio.errors import StudioError
from studio.projections.screen.summary import interrupted_runs, interrupted_text


@asynccontextmanager
async def open_session(
    options: ScreenOptions, environ: Mapping[str, str]
) -> AsyncIterator[Session]:
    """A session over a file or folder, closed with its studio on leaving; runs under way stay recoverable.

    Its files are followed from the moment `Session.drawn` is set.

    What it shows first is what a person would look for: a run that needs them, else one that is open, else the
    workflow.

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
    studio = await open_studio(location, environ=environ)
    try:
        sender = Sender(default_actor(environ), environ)
        session = Session(studio, location, sender, Path(options.path))
        await session.open()
        try:
            session.keymap = read_keymap(location, environ)
            _show_first(session)
            _announce(session)
            reloader = session.reloader = Reloader(session)
            # Reading the code of every node takes longer than the first picture may wait, and so does the watch.
            opening = asyncio.create_task(_follow_files(session, reloader))
            try:
                yield session
            finally:
                if not session.drawn.is_set():
                    opening.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await opening
                await reloader.close()
        finally:
            await session.close()
            studio = session.studio
    finally:
        await studio.close()


async def _follow_files(session: Session, reloader: Reloader) -> None:
    """Begin to watch the files; without the watch the screen still works, and says what is missing."""
    await session.drawn.wait()
    try:
        await reloader.open()
    except (OSError, StudioError) as error:
        session.tell(f"saved files are not followed: {error}", "error")


def _show_first(session: Session) -> None:
    """Put up the run or workflow that matters most."""
    mine = [row for row in session.rows if row.open and _concerns(session, row.file)]
    mine.sort(key=lambda row: (row.needs == 0, -row.run))
    if mine:
        session.show_run(mine[0].run)
    elif session.files:
        session.show_file(next(iter(session.files)))


def _concerns(session: Session, file: str) -> bool:
    return file in session.files or not session.folder.is_file()


def _announce(session: Session) -> None:
    """Tell what the person should know before they begin. Nothing is restarted unasked."""
    wrong = session.keymap.problems
    if wrong:
        more = f" · {len(wrong)} in all: ? lists them" if wrong[1:] else ""
        session.tell(wrong[0] + more, "warning")
    if not session.studio.owns:
        session.tell("another studio drives the runs of this folder; this screen follows it")
    stopped = interrupted_text(interrupted_runs(session.rows, session.drives))
    if stopped:
        session.tell(stopped, "warning")
