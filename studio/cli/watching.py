"""``studio run --watch``: run a workflow, and run again what each save changes, without a screen."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from studio.application.local import LocalStudio
from studio.application.location import locate
from studio.application.reload import run_and_watch
from studio.application.runs import Record
from studio.application.session import Notice, Session
from studio.cli.console import Console
from studio.cli.driving import Drive, Options, drive
from studio.cli.reporting import Reporter
from studio.errors import RefusedError
from studio.projections.text import sanitise


def watch_file(
    console: Console,
    file: str,
    options: Options,
    *,
    state: str | None = None,
    params: dict[str, Any] | None = None,
    assignments: tuple[str, ...] = (),
    until: str | None = None,
) -> int:
    """Start a run of a file, then follow its saves until interrupted; returns the exit status.

    Args:
        console: where to tell.
        file: the workflow file as it was named.
        options: how to behave.
        state: value of ``--state``.
        params: values of parameters by name.
        assignments: ``name=value`` texts; they win.
        until: node to stop after.
    """
    location = locate(file, state, os.environ)
    path = os.path.abspath(file)

    async def body(connection: Drive) -> int:
        studio = connection.studio
        if not isinstance(studio, LocalStudio):
            raise RefusedError(
                "another studio is open on this folder, and it follows saves itself: watch there, or close it"
            )
        session = Session(studio, location, connection.sender, Path(file))
        await session.open()
        unsubscribe: Callable[[], None] = lambda: None  # noqa: E731 - replaced once there is a run

        def on_launch(number: int) -> None:
            nonlocal unsubscribe
            connection.runs.append(number)
            mode = "plain" if options.mode(console) == "live" else options.mode(console)
            reporter = Reporter(console, mode, studio.view(number))

            def take(records: Sequence[Record]) -> None:
                own = [record for record in records if record.run == number]
                if own:
                    reporter.take(own)

            take(list(studio.reading.records(number)))
            unsubscribe = studio.feed.subscribe(take)

        def on_notice(notice: Notice) -> None:
            console.say(sanitise(notice.text))

        try:
            await run_and_watch(
                session,
                path,
                params=params,
                assignments=assignments,
                until=until,
                on_launch=on_launch,
                on_notice=on_notice,
            )
        finally:
            unsubscribe()
            await session.close()
        return 0

    return drive(console, location, options, body)
