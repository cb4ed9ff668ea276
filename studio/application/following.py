"""Following the studio that owns the folder, from another process, and taking its place when it ends."""

import asyncio
import contextlib
from typing import TYPE_CHECKING

from studio.application.local import LocalStudio
from studio.application.opening import open_studio
from studio.application.remote import OwnerGoneError, RemoteStudio
from studio.errors import OwnerLockedError, StudioError
from studio.projections.screen.actions import key_of
from studio.projections.screen.summary import interrupted_runs, interrupted_text

if TYPE_CHECKING:  # it follows by one of these
    from studio.application.session import Session

POLL = 0.1
"""Seconds between two looks at the history while something happens: a change reaches the screen within them. Where
nothing was committed meanwhile a look is one question to the file, and reads nothing."""

QUIET_POLL = 0.3
"""Seconds between two looks after a while without news: an idle screen stays below half a percent of a core."""

QUIET_AFTER = 50
"""Looks without news after which it is quiet: five seconds."""

RETRY = 1.0
"""Seconds between two tries to open the folder when it cannot be used."""


class Following:
    """Keeps a session in step with the owner of its folder.

    Args:
        session: what follows.
    """

    def __init__(self, session: "Session") -> None:
        self._session = session
        self._task: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        self._gone: RemoteStudio | None = None
        self._told = ""

    async def open(self, studio: RemoteStudio) -> None:
        """Begin to follow, or go on with another owner."""
        with contextlib.suppress(OwnerGoneError):  # noticed by the first look
            await studio.look_around()
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._follow())

    async def close(self) -> None:
        """Follow no longer."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _follow(self) -> None:
        idle = 0
        while isinstance(studio := self._session.studio, RemoteStudio):
            await asyncio.sleep(POLL if idle < QUIET_AFTER else QUIET_POLL)
            idle += 1
            try:
                if studio.gone:
                    if not await self.replace(studio):
                        await asyncio.sleep(RETRY)
                elif studio.has_news():
                    idle = 0
                    if await studio.look_around():
                        self._session.look_again()
                        self._session.changed(whole=True)
                    self.look()
                    self._told = ""
            except OwnerGoneError:
                continue
            except StudioError as error:
                self._tell_once(str(error))

    def look(self) -> None:
        """Bring the shown run and the list of runs up to date."""
        session = self._session
        session.changed(rows=True)
        session.take_records(session.refresh())

    async def replace(self, gone: RemoteStudio | LocalStudio) -> bool:
        """The owner has ended: become the owner, or follow the one that was faster.

        No run is taken up by that.

        Args:
            gone: the studio whose owner has ended.

        Returns whether the session has another studio now; it has not while the old owner still lets go of the
        folder, or when the folder cannot be used, which is told.
        """
        session = self._session
        async with self._turn:
            if session.studio is not gone:
                return True
            if self._gone is not gone and isinstance(gone, RemoteStudio):
                self._gone = gone
                session.look_again()
                session.changed(whole=True, rows=True)
            try:
                studio = await open_studio(session.location, environ=session.sender.environ)
            except OwnerLockedError:
                self._tell_once("the studio that drove these runs is ending; its place is taken up")
                return False
            except StudioError as error:
                self._tell_once(f"the studio that drove these runs has ended: {error}")
                return False
            self._told = ""
            await session.turn_to(studio)
            session.tell(f"the studio that drove these runs has ended; {self._place()}", "warning")
            return True

    def _place(self) -> str:
        """What this studio is now."""
        session = self._session
        if not session.studio.owns:
            return "another one drives them now, and this screen follows it"
        key = key_of(session.keymap.keys, "continue_run")
        stopped = interrupted_text(
            interrupted_runs(session.rows, session.drives), key, session.shown_run
        )
        return f"this one drives now{': ' if stopped else ''}{stopped}"

    def _tell_once(self, text: str) -> None:
        if text != self._told:
            self._told = text
            self._session.tell(text, "warning")
