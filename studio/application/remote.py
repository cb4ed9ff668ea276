"""The studio behind a socket: another process owns the state folder and runs the engine."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec

from studio import errors
from studio.application.location import Location
from studio.application.reading import Reading, RunView
from studio.application.studio import Launch, Sender
from studio.core.commands import AnyCommand, Refusal
from studio.core.events import Record
from studio.core.standing import phase_of
from studio.engine.control import ControlClient
from studio.ports import RunFilter
from studio.storage.sqlite_reader import open_reader

OPEN_RUNS = 1000
"""Open runs that are looked at: far more than anybody has."""

POLL = 0.05
"""Seconds between two looks at the history while following a run: half of the 100 ms that a change may take from
disk to screen (targets.md)."""


class OwnerGoneError(errors.StorageError):
    """The process that owned the state folder has ended; whoever waits may open the folder itself."""


class RemoteStudio:
    """Sends requests to the owner and reads the history beside it.

    Args:
        location: project and state folder.
        client: connection to the owner.
    """

    def __init__(self, location: Location, client: ControlClient) -> None:
        self.location = location
        self._client = client
        self._history = open_reader(location.state)
        self.reading = Reading(location.state, self._history)
        self._seen = 0
        self._left: frozenset[int] = frozenset()
        self.warnings: tuple[str, ...] = ()

    @property
    def owns(self) -> bool:
        """The engine runs in another process."""
        return False

    @property
    def gone(self) -> bool:
        """Whether the owner has ended, or has hung up because it is about to."""
        return self._client.gone

    def drives(self, number: int) -> bool:
        """Whether the owner has a run, as far as it was asked; false once it has ended."""
        return not self.gone and number not in self._left

    def has_news(self) -> bool:
        """Whether anything was committed since this was last asked. Raises `StorageError`."""
        before, self._seen = self._seen, self._history.version()
        return before != self._seen

    async def look_around(self) -> bool:
        """Ask the owner which open runs it has. Returns whether that has changed. Raises `OwnerGoneError`."""
        answer = await self._ask({}, Sender(""))
        rows = self.reading.rows(RunFilter(only_open=True, limit=OPEN_RUNS))
        before, self._left = self._left, frozenset(row.run for row in rows) - set(answer["runs"])
        return before != self._left

    async def launch(self, launch: Launch, sender: Sender) -> int:
        """Start a run in the owner and return its number."""
        answer = await self._ask({"launch": msgspec.to_builtins(launch)}, sender)
        return int(answer["run"])

    async def send(
        self, command: AnyCommand, sender: Sender, *, drive: bool = True
    ) -> Refusal | None:
        """Send a command to the owner; it drives the run."""
        answer = await self._ask({"command": msgspec.Raw(msgspec.json.encode(command))}, sender)
        refusal = answer.get("refusal")
        return msgspec.convert(refusal, Refusal) if refusal is not None else None

    async def take_up(self, run: int, sender: Sender) -> None:
        """Ask the owner to drive a run."""
        await self._ask({"take_up": run}, sender)

    async def _ask(self, request: dict[str, Any], sender: Sender) -> dict[str, Any]:
        request |= {"actor": sender.actor, "environ": dict(sender.environ)}
        try:
            answer = await self._client.ask(request)
        except OSError as error:
            raise OwnerGoneError("the process that owned the state folder has ended") from error
        if "error" in answer:
            kind = getattr(errors, str(answer.get("kind")), errors.StudioError)
            known = isinstance(kind, type) and issubclass(kind, errors.StudioError)
            raise (kind if known else errors.StudioError)(answer["error"])
        return answer

    def view(self, run: int) -> RunView:
        """A replayed state of a run."""
        return self.reading.view(run)

    async def follow(self, run: int) -> AsyncIterator[Sequence[Record]]:
        """Records of a run from its start until it rests. Raises `OwnerGoneError` when the owner ends first."""
        view = self.reading.view(run)
        records: Sequence[Record] = list(self.reading.records(run))
        while True:
            if records:
                yield records
            state = view.run
            if state.ended or phase_of(state) == "attention" or (state.paused and not state.flying):
                return
            await asyncio.sleep(POLL)
            records = view.refresh()
            if not records:
                await self._ask({}, Sender(""))

    async def rest(self) -> None:
        """Nothing to wait for: the owner drives its runs."""

    async def close(self) -> None:
        """Hang up."""
        await self._client.close()
        self.reading.close()
