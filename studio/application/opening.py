"""Opening a studio: own the state folder, or talk to who does."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack

from studio.application.late_executors import LateExecutors
from studio.application.local import LocalStudio
from studio.application.location import Location
from studio.application.remote import RemoteStudio
from studio.engine.clock import SystemClock
from studio.engine.control import ControlClient
from studio.errors import OwnerLockedError, StorageError
from studio.storage.blobs import BlobFolder
from studio.storage.log_store import LogFolder
from studio.storage.owner_lock import OwnerLock, inspect
from studio.storage.state_folder import open_history

TRIES = 40
"""Times the folder is tried before it counts as locked by an owner that does not answer."""

PAUSE = 0.05
"""Seconds between two tries: an owner that is starting has its socket up, one that is closing lets go."""


async def open_studio(
    location: Location, *, environ: Mapping[str, str], drive: bool = True, late: bool = False
) -> LocalStudio | RemoteStudio:
    """Take the owner lock and run the engine in this process, or connect to the owner's socket.

    Args:
        location: project and state folder.
        environ: environment of this process, for its executors.
        drive: false opens an engine that decides but starts nothing (``--detach``).
        late: start the executors with `LocalStudio.get_ready` or the first node, and not at once.

    Raises:
        OwnerLockedError: another process owns the folder and does not answer.
        StorageError: the folder or its history cannot be used.
        ExecutorError: the child runner cannot be started.
    """
    for _ in range(TRIES):
        try:
            lock = OwnerLock.acquire(location.state)
        except OwnerLockedError as error:
            remote = await _connect(location)
            if remote is not None:
                return remote
            locked = error
            await asyncio.sleep(PAUSE)
            continue
        return await _open_local(location, lock, drive, late)
    raise locked


async def _connect(location: Location) -> RemoteStudio | None:
    owner = inspect(location.state)
    if owner is None or not owner.socket:
        return None
    try:
        client = await ControlClient.connect(owner.socket)
    except OSError:
        return None
    return RemoteStudio(location, client)


async def _open_local(location: Location, lock: OwnerLock, drive: bool, late: bool) -> LocalStudio:
    clock = SystemClock()
    async with AsyncExitStack() as opened:
        opened.callback(lock.release)
        history, health = open_history(location.state, clock=clock, lock=lock)
        opened.push_async_callback(history.aclose)
        values = BlobFolder(location.state)
        try:
            values.sweep()
        except StorageError as error:
            health.notices.append(str(error))
        executor = LateExecutors(LogFolder(location.state, health))
        studio = LocalStudio(location, lock, history, executor, values, clock, health)
        opened.push_async_callback(studio.close)
        await studio.open(drive=drive)
        if drive and not late:
            studio.get_ready()
        opened.pop_all()
    return studio
