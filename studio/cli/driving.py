"""Sending a verb to a studio and following what comes of it: owner or not, interrupted or not."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

import msgspec

from studio.application.actor import default_actor
from studio.application.local import LocalStudio
from studio.application.location import Location
from studio.application.opening import open_studio
from studio.application.reading import RunView
from studio.application.remote import OwnerGoneError
from studio.application.runs import Record
from studio.application.studio import Launch, Sender, Studio
from studio.application.verbs import AnyCommand, Refusal
from studio.cli import DONE, FAILED, INTERRUPTED, NEEDS_PERSON
from studio.cli.arguments import state_option
from studio.cli.console import Console
from studio.cli.reporting import Mode, Reporter
from studio.errors import NotFoundError, RefusedError, StudioError
from studio.projections.json_text import json_text
from studio.projections.needs import needs_of
from studio.projections.run_document import run_document
from studio.projections.signs import sign
from studio.projections.text import sanitise
from studio.projections.undo_plan import compensation_outcome, undone_by_hand

Goal: TypeAlias = Literal["run", "taken", "cancelled", "undone"]
"""What makes a verb a success: the run's own, being taken, the run cancelled, the plan of undos done."""

Answer = TypeVar("Answer")

TICK = 1.0
"""Seconds between two refreshes of the status line while nothing happens."""

ENDED = frozenset({"succeeded", "failed", "cancelled", "compensated", "partly_compensated"})


@dataclass(frozen=True, slots=True)
class Options:
    """How a verb was asked to behave; see `studio.cli.arguments.add_acting`."""

    actor: str
    json: bool = False
    events: bool = False
    plain: bool = False
    quiet: bool = False
    wait: bool = False
    detach: bool = False

    def mode(self, console: Console) -> Mode:
        """How progress is shown."""
        if self.events:
            return "events"
        if self.json or self.quiet:
            return "silent"
        return "plain" if self.plain or not console.live else "live"


def read_options(args: argparse.Namespace) -> Options:
    """Options of a parsed command line; those its verb does not have keep their defaults."""
    return Options(
        actor=getattr(args, "actor", None) or default_actor(os.environ),
        json=getattr(args, "json", False),
        events=getattr(args, "events", False),
        plain=getattr(args, "plain", False),
        quiet=getattr(args, "quiet", False),
        wait=getattr(args, "wait", False),
        detach=getattr(args, "detach", False),
    )


class Drive:
    """One command line's connection to a studio.

    Args:
        console: where to tell.
        location: project and state folder.
        options: how the verb was asked to behave.

    Attributes:
        runs: what it has started or sent something to.
        ended: those of them that had ended when the studio was closed.
        owned: whether the engine ran in this process.
        several: whether more than one run is followed at a time, so that lines have to say whose they are.
    """

    def __init__(self, console: Console, location: Location, options: Options) -> None:
        self.console = console
        self.location = location
        self.options = options
        self.sender = Sender(options.actor, os.environ)
        self.runs: list[int] = []
        self.ended: set[int] = set()
        self.owned = False
        self.several = False
        self._studio: Studio | None = None
        self._undone: bool | None = None

    @property
    def studio(self) -> Studio:
        """The open studio."""
        if self._studio is None:
            raise RuntimeError("the studio is not open")
        return self._studio

    async def open(self) -> None:
        """Own the state folder, or talk to who does. Raises what `open_studio` raises."""
        self._studio = await open_studio(
            self.location, environ=os.environ, drive=not self.options.detach
        )
        self.owned = self._studio.owns
        if isinstance(self._studio, LocalStudio):
            self._studio.watch_storage(
                lambda text, _bad: self.console.say(f"studio: {sanitise(text)}")
            )

    async def close(self) -> None:
        """Let go of the studio; attempts that an engine here still has open are ended."""
        if self._studio is not None:
            self.ended = {
                run for run in self.runs if self._studio.reading.find(str(run)).state in ENDED
            }
            await self._studio.close()
            self._studio = None

    # ----------------------------------------------------------------- sending

    async def launch(self, launch: Launch) -> int:
        """Start a run. Raises `DefinitionError`, `RefusedError`."""
        number = await self.studio.launch(launch, self.sender)
        self.runs.append(number)
        return number

    async def send(self, command: AnyCommand) -> int:
        """Send a verb about a run; returns the position the run's history had before.

        Raises `RefusedError` with why, and what would make it possible.
        """
        number = command.run
        self.runs.append(number)
        before = self.position(number)
        refusal = await self._insist(
            lambda: self.studio.send(command, self.sender, drive=not self.options.detach)
        )
        if refusal is not None:
            left = self._left_behind(number)
            raise refused(msgspec.structs.replace(refusal, hint=left) if left else refusal)
        return before

    def _left_behind(self, number: int) -> str:
        """What to do first about a run that was under way when its engine ended, where this command drives nothing."""
        if not self.options.detach or not self.owned or not self.studio.view(number).run.flying:
            return ""
        resume = f"`studio resume {number}{state_option(self.location)}`"
        return f"the engine that ran it has ended: {resume} goes on with run {number}"

    async def _insist(self, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """Ask the owner about a run; when it ends before it has answered, own the folder and ask again.

        A command carries an id that the run remembers, so that it counts once even if the owner had taken it.
        """
        try:
            return await ask()
        except OwnerGoneError:
            self.console.say(
                "studio: the studio that drove the run has ended; going on with it here"
            )
            await self.close()
            await self.open()
            return await ask()

    def position(self, run: int) -> int:
        """Position of the last record of a run."""
        last = 0
        for record in self.studio.reading.records(run):
            last = record.position
        return last

    # ----------------------------------------------------------------- following

    @property
    def waits(self) -> bool:
        """Whether to follow the run: always when it is driven here, else on demand."""
        if self.options.detach:
            return False
        return self.studio.owns or self.options.wait or self.options.events

    async def follow(self, run: int, after: int = 0) -> None:
        """Tell what happens in a run until it rests, whoever drives it."""
        mode = self.options.mode(self.console)
        if self.several and mode == "live":
            mode = "plain"  # there is one status line, and several runs that would write it
        label = f"#{run}  " if self.several else ""
        reporter = Reporter(self.console, mode, self.studio.view(run), after, label)
        ticker = asyncio.create_task(_tick(reporter)) if reporter.ticks else None
        told = 0
        try:
            while True:
                try:
                    async for records in self.studio.follow(run):
                        fresh = [record for record in records if record.position > told]
                        if fresh:
                            told = fresh[-1].position
                            self._watch(fresh, after)
                            reporter.take(fresh)
                    return
                except OwnerGoneError:
                    await self._take_over(run)
        finally:
            if ticker is not None:
                ticker.cancel()
            reporter.close()

    def _watch(self, records: list[Record], after: int) -> None:
        for record in records:
            outcome = compensation_outcome(record)
            if outcome is not None and record.position > after:
                self._undone = outcome

    async def _take_over(self, run: int) -> None:
        """The owner has ended while we waited: own the folder and drive the run on."""
        self.console.say(
            f"studio: the studio that drove run {run} has ended; going on with it here"
        )
        await self.close()
        await self.open()
        await self.studio.take_up(run, self.sender)

    async def conclude(self, run: int, goal: Goal = "run", after: int = 0) -> int:
        """Follow a run as far as asked, tell how it stands, and return the exit status."""
        if goal == "run" and undone_by_hand(self.studio.reading.records(run), after):
            goal = "undone"
        if self.waits:
            await self.follow(run, after)
        view = self.studio.view(run)
        if self.options.json:
            if not self.several:
                self.console.result(json_text(run_document(view.state, view.run)))
        elif not self.options.quiet and not self.options.events:
            self._tell(view, goal)
        if not self.waits:
            return DONE
        row = self.studio.reading.find(str(run))
        return self._status(row.state, goal)

    def _status(self, state: str, goal: Goal) -> int:
        if goal == "taken" or state == "succeeded":
            return DONE
        if goal == "cancelled" and state == "cancelled":
            return DONE
        if goal == "undone" and (self._undone or (self._undone is None and state == "cancelled")):
            return DONE
        return FAILED if state in ENDED else NEEDS_PERSON

    def _tell(self, view: RunView, goal: Goal) -> None:
        """Results to standard output, how to go on to standard error."""
        number = view.run.number
        more = state_option(self.location)
        if self.options.detach:
            rest = f"run {number} has ended ({sign(view.run.phase).word})"
            if not view.run.ended:
                rest = f"`studio resume {number}{more}` carries it out"
            self.console.say(f"recorded; {rest}")
            return
        if not self.waits:
            self.console.say(
                f"taken by the open studio; `studio show {number}{more}` tells how it stands"
            )
            return
        document = run_document(view.state, view.run)
        state = document["state"]
        if state == "succeeded" and document["outputs"] and goal == "run":
            self.console.result(f"outputs {json_text(document['outputs'], indent=None)}")
        if document["paused"]:
            self.console.say(
                f"run {number} is paused; `studio resume {number}{more}` lets it go on"
            )
        elif state == "attention":
            self._tell_needs(view, more)
        elif state in ENDED and state != "succeeded" and goal == "run":
            self.console.say(f"`studio show {number}{more}` shows what happened")

    def _tell_needs(self, view: RunView, more: str) -> None:
        say = self.console.say
        say(f"run {view.run.number} needs you")
        for need in needs_of(view.state, view.run)[:5]:
            say(f"  {sanitise(need.node)}: {need.why or need.state}")
            for hint in need.hints:
                say(f"    studio {hint}{more}")


def refused(refusal: Refusal) -> StudioError:
    """The error of a refusal: a node that is not there is one thing wherever it is named."""
    why = refusal.why if refusal.why.endswith((".", "?")) else f"{refusal.why}."
    text = f"{why} {_sentence(refusal.hint)}".rstrip()
    return NotFoundError(text) if refusal.unknown else RefusedError(text)


def _sentence(hint: str) -> str:
    if not hint:
        return ""
    ended = hint if hint.endswith((".", "?")) else f"{hint}."
    return ended[0].upper() + ended[1:]


async def _tick(reporter: Reporter) -> None:
    while True:
        await asyncio.sleep(TICK)
        reporter.tick()


Body = Callable[[Drive], Awaitable[int]]


def drive(console: Console, location: Location, options: Options, body: Body) -> int:
    """Open the studio, do something with it, and see hosted commands through.

    An interrupt (SIGINT, SIGTERM, SIGHUP) ends the attempts under way and leaves the runs recoverable.

    Returns:
        What ``body`` returned, or 130 after an interrupt.

    Raises what ``body`` raises.
    """
    return asyncio.run(_interruptible(Drive(console, location, options), body))


async def _interruptible(connection: Drive, body: Body) -> int:
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(_carry_out(connection, body))
    interrupted = False

    def interrupt() -> None:
        nonlocal interrupted
        if not interrupted:
            interrupted = True
            task.cancel()

    watched = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup wants it ignored
        watched.append(signal.SIGHUP)
    for number in watched:
        loop.add_signal_handler(number, interrupt)
    try:
        return await task
    except asyncio.CancelledError:
        if not interrupted:
            raise
        _tell_interrupted(connection)
        return INTERRUPTED
    finally:
        for number in watched:
            loop.remove_signal_handler(number)


async def _carry_out(connection: Drive, body: Body) -> int:
    await connection.open()
    try:
        status = await body(connection)
        if not connection.options.detach:
            connection.console.out.flush()
            await connection.studio.rest()
        return status
    finally:
        await connection.close()


def _tell_interrupted(connection: Drive) -> None:
    more = state_option(connection.location)
    with contextlib.suppress(OSError):  # the terminal may have gone with the interrupt
        for run in connection.runs:
            what = f"run {run} stays open: `studio resume {run}{more}` goes on with it"
            if run in connection.ended:
                what = f"run {run} had ended"
            if not connection.owned:
                what = f"run {run} goes on in the open studio"
            connection.console.say(f"studio: interrupted; {what}")
        if not connection.runs:
            connection.console.say("studio: interrupted")
