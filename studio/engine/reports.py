"""What executors report, made into commands and news."""

from collections.abc import Callable, Sequence

import msgspec

from studio.core.commands import AnyCommand, FinishAttempt, RecordSpawn
from studio.core.state import Flight
from studio.engine.feed import Feed, Logged, Progress
from studio.ids import NodePath, RunNumber
from studio.ports import AttemptKey, Failed, LogLine, Outcome, Succeeded, Vanished


class Reports:
    """Where executors report to: the engine's mailbox, or straight to its feed.

    Args:
        post: sends a command without waiting for it.
        feed: passes on what is not kept in the history.
        landed: told of each attempt that is over.
    """

    def __init__(
        self, post: Callable[[AnyCommand], None], feed: Feed, landed: Callable[[Flight], None]
    ) -> None:
        self._post = post
        self._feed = feed
        self._landed = landed

    def spawned(self, key: AttemptKey, pid: int, started: int) -> None:
        """A child waits behind its gate."""
        self._post(
            RecordSpawn(
                run=key.run,
                node=key.node,
                attempt=key.attempt,
                undo=key.undo,
                pid=pid,
                started=started,
            )
        )

    def progressed(self, key: AttemptKey, fraction: float | None, message: str) -> None:
        """The node told how far it is."""
        self._feed.tell(Progress(key, fraction, message))

    def logged(self, key: AttemptKey, lines: Sequence[LogLine]) -> None:
        """Lines were written."""
        self._feed.tell(Logged(key, lines))

    def finished(self, key: AttemptKey, outcome: Outcome) -> None:
        """The attempt is over."""
        self._landed(Flight(*key))
        self._post(finish_command(key, outcome))


def attempt_key(flight: Flight) -> AttemptKey:
    """An open attempt as executors name it."""
    return AttemptKey(RunNumber(flight.run), NodePath(flight.node), flight.undo, flight.attempt)


def finish_command(key: AttemptKey, outcome: Outcome) -> FinishAttempt:
    """The command that an executor's report makes."""
    run, node, undo, attempt = key
    if isinstance(outcome, Succeeded):
        return FinishAttempt(
            run=run,
            node=node,
            undo=undo,
            attempt=attempt,
            output=msgspec.Raw(outcome.output),
            port=outcome.port,
        )
    if isinstance(outcome, Failed):
        return FinishAttempt(
            run=run,
            node=node,
            undo=undo,
            attempt=attempt,
            outcome="failed",
            failure=outcome.failure,
        )
    vanished = isinstance(outcome, Vanished)
    return FinishAttempt(
        run=run,
        node=node,
        undo=undo,
        attempt=attempt,
        outcome="vanished" if vanished else "stopped",
        detail=outcome.detail if isinstance(outcome, Vanished) else "",
    )
