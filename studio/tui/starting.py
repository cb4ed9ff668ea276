"""From options to a running screen and back to the shell: signals, what is left in the scrollback, the exit status."""

import asyncio
import gc
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from functools import partial

from studio.application.location import locate
from studio.application.screen import open_session
from studio.application.screen_options import ScreenOptions
from studio.application.session import Session
from studio.projections.screen.summary import summary_lines
from studio.tui.app import StudioApp
from studio.tui.splash import erase_splash

LEAVING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals after which the screen closes as if it had been quit: attempts end, runs stay recoverable."""


def start(options: ScreenOptions) -> int:
    """Run the screen until it is left. Returns the exit status: 0, or 128 and the number of the signal that ended it.

    Raises what `studio.application.screen.open_session` raises.
    """
    return asyncio.run(_run(options))


async def _run(options: ScreenOptions) -> int:
    opened_at = time.time()
    if os.environ.get("NO_COLOR") == "":
        del os.environ[
            "NO_COLOR"
        ]  # set to nothing it means nothing (no-color.org); Textual takes it as set
    async with AsyncExitStack() as stack:

        async def open_beneath_splash() -> Session:
            try:
                session = await stack.enter_async_context(open_session(options, os.environ))
            finally:
                erase_splash()  # also before an error is told
            collecting = asyncio.create_task(collect_garbage_after(session.drawn))
            stack.callback(collecting.cancel)
            return session

        app = StudioApp(
            open_beneath_splash,
            theme_name=options.theme,
            colour=options.colour,
            ascii=options.ascii,
        )
        with _leaving_on_signals(app):
            await app.run_async(mouse=options.mouse)
        if app.session is not None:
            app.session.on_change = lambda: None
            app.session.changed(rows=True)
            app.session.take_changes()
    if app.failure is not None:
        raise app.failure
    status = app.return_code or 0
    if app.session is not None and status != 128 + signal.SIGHUP:
        _leave_summary(app.session, options, opened_at)
    return status


async def collect_garbage_after(drawn: asyncio.Event) -> None:
    """Switch the collector on: what the first picture took to make stays, what comes after it is looked through.

    Args:
        drawn: set once the first picture is there.
    """
    await drawn.wait()
    gc.freeze()
    gc.enable()


@contextmanager
def _leaving_on_signals(app: StudioApp) -> Iterator[None]:
    """While this lasts, a signal that would end the process closes the screen instead."""
    loop = asyncio.get_running_loop()
    # A process started by nohup ignores SIGHUP, and goes on ignoring it.
    watched = [one for one in LEAVING if signal.getsignal(one) is not signal.SIG_IGN]
    for number in watched:
        loop.add_signal_handler(number, partial(app.exit, return_code=128 + number))
    try:
        yield
    finally:
        for number in watched:
            loop.remove_signal_handler(number)


def _leave_summary(session: Session, options: ScreenOptions, opened_at: float) -> None:
    state = session.location.state
    more = ""
    if locate(None, None, os.environ).state != state:
        more = f" --state {os.path.relpath(state)}"
    lines = summary_lines(
        session.rows, opened_at, time.time(), owned=session.studio.owns, more=more
    )
    with suppress(OSError):  # the terminal may have gone
        for line in lines:
            sys.stdout.write(line + "\n")
        sys.stdout.flush()
