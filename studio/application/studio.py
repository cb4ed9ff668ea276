"""What a front end may ask, of the engine in its own process or of the one that owns the folder."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Literal, Protocol

import msgspec

from studio.application.reading import Reading, RunView
from studio.core.commands import AnyCommand, Refusal
from studio.core.events import Record


class Launch(msgspec.Struct, frozen=True):
    """A wish to start a run.

    Args:
        file: absolute path of the workflow file.
        display: the file as messages should show it.
        params: values of parameters by name, already of their types.
        assignments: ``name=value`` texts of the command line, converted by the declared types; they win.
        policy: failure policy that overrides the file's; None for the file's, else the surface's default
            (``fail`` headless, ``hold`` on screen).
        until: node at which the run stops for a person.
        command: client id; the same launch sent twice starts one run.
    """

    file: str
    display: str
    params: dict[str, Any] = {}
    assignments: tuple[str, ...] = ()
    policy: Literal["hold", "fail", "continue"] | None = None
    until: str | None = None
    stepping: bool = False
    surface: Literal["screen", "headless"] = "headless"
    command: str = ""
    actor: str = ""


class Sender(msgspec.Struct, frozen=True):
    """Who sends commands, and the environment the runs they start or take up get.

    Args:
        actor: name recorded in the history.
        environ: the sender's environment; declared secrets are taken from it.
    """

    actor: str
    environ: Mapping[str, str] = msgspec.field(default_factory=dict)


class Studio(Protocol):
    """The engine of a state folder, wherever it lives."""

    @property
    def owns(self) -> bool:
        """Whether the engine runs in this process."""
        ...

    def drives(self, number: int) -> bool:
        """Whether the engine has a run; an open run that no engine has was interrupted, or waits for a person."""
        ...

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is odd in the file launched last, each with its place; empty where another process has read it."""
        ...

    async def launch(self, launch: Launch, sender: Sender) -> int:
        """Start a run and return its number.

        Raises `DefinitionError` (bad file, parameters or missing secrets), `RefusedError`.
        """
        ...

    async def send(
        self, command: AnyCommand, sender: Sender, *, drive: bool = True
    ) -> Refusal | None:
        """Send a command about a run; one that is not in memory is taken up first.

        Args:
            drive: false only records it for the next owner (``--detach``); ignored when another owner takes it.
        """
        ...

    async def take_up(self, run: int, sender: Sender) -> None:
        """Drive a run whose engine died, or that nobody drives."""
        ...

    def follow(self, run: int) -> AsyncIterator[Sequence[Record]]:
        """Records of a run from its start, as they are committed, until it rests.

        A run rests when it has ended, needs a person, or is paused with nothing in flight.
        """
        ...

    def view(self, run: int) -> RunView:
        """A replayed state of a run."""
        ...

    @property
    def reading(self) -> Reading:
        """Read access to the same state folder."""
        ...

    async def rest(self) -> None:
        """Wait until no run driven by this process can go on by itself; at once for a remote studio."""
        ...

    async def close(self) -> None:
        """End all attempts of an engine in this process, and let go of the folder."""
        ...
