"""The zygote as the engine sees it: started early, replaced when it dies, and gone at the end."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Final

from studio.errors import ExecutorError
from studio.executors import remains
from studio.executors.fork_link import Forked, ForkLink
from studio.executors.zygote.framing import Message

CLOSE_SECONDS: Final = 8.0
"""More than the zygote allows itself for killing its descendants."""

MAX_EARLY_DEATHS: Final = 3
"""So often in a row a zygote may die before it has forked anything, before attempts are refused."""

_ROOT: Final = str(Path(__file__).resolve().parents[2])
_KEPT_VARIABLES: Final = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH")


class Zygote:
    """Starts the zygote and holds the link to it.

    Args:
        loop: the engine's loop.
        python: interpreter to run.
        on_message: called with messages that are about no child.
        on_gone: called when the zygote has died, with those that waited; all its processes are dead by then.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        python: str,
        on_message: Callable[[Message], None],
        on_gone: Callable[[list[Forked]], None],
    ) -> None:
        self._loop = loop
        self._python = python
        self._on_message = on_message
        self._on_gone = on_gone
        self._process: subprocess.Popen[bytes] | None = None
        self._link: ForkLink | None = None
        self._errors: IO[bytes] | None = None
        self._mark = ""
        self._early_deaths = 0
        self._mourning: set[asyncio.Task[None]] = set()

    @property
    def mark(self) -> str:
        """What tells the descendants of the present zygote from all other processes."""
        return self._mark

    @property
    def pid(self) -> int | None:
        """Process id of the zygote, None when there is none."""
        return None if self._process is None else self._process.pid

    @property
    def is_mourned(self) -> bool:
        """Whether a zygote has died and what it left behind is still being killed."""
        return bool(self._mourning)

    def link(self) -> ForkLink:
        """Return the link to a living zygote, started if need be.

        Raises:
            ExecutorError: when it cannot be started, or has died again and again at once.
        """
        if self._link is None or not self._link.is_open:
            if self._early_deaths >= MAX_EARLY_DEATHS:
                raise ExecutorError(
                    f"the process that runs user code keeps dying{self._last_words()}"
                )
            self._link = self._start()
        return self._link

    async def close(self) -> None:
        """Have the zygote kill its descendants and exit, and make sure of it."""
        if self._link is not None:
            self._link.close()
            self._link = None
        process, self._process = self._process, None
        if process is not None:
            await asyncio.to_thread(self._bury, process)
        if self._mourning:
            await asyncio.gather(*self._mourning)
        if self._errors is not None:
            self._errors.close()
            self._errors = None

    def _start(self) -> ForkLink:
        mine, other = socket.socketpair()
        self._mark = secrets.token_hex(8)
        if self._errors is not None:
            self._errors.close()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as the zygote
        code = (
            f"import sys; sys.path.insert(0, {_ROOT!r}); "
            "from studio.executors.zygote.start import main; "
            f"main({other.fileno()}, {[entry for entry in sys.path if entry]!r})"
        )
        env = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
        try:
            self._process = subprocess.Popen(
                [self._python, "-I", "-S", "-X", "utf8", "-c", code],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                env={**env, remains.MARK: self._mark},
                pass_fds=[other.fileno()],
                start_new_session=True,
                cwd="/",
            )
        except OSError as error:
            mine.close()
            raise ExecutorError(f"cannot start the process that runs user code: {error}") from error
        finally:
            other.close()
        return ForkLink(self._loop, mine, self._hear, self._lose)

    def _hear(self, message: Message) -> None:
        if message["op"] == "hello":
            self._early_deaths = 0
        else:
            self._on_message(message)

    def _lose(self, forked: list[Forked]) -> None:
        self._early_deaths += 1
        process, self._process = self._process, None
        task = self._loop.create_task(self._mourn(process, self._mark, forked))
        self._mourning.add(task)
        task.add_done_callback(self._mourning.discard)

    async def _mourn(
        self, process: subprocess.Popen[bytes] | None, mark: str, forked: list[Forked]
    ) -> None:
        if process is not None:
            await asyncio.to_thread(self._bury, process)
        await asyncio.to_thread(remains.kill_marked, mark)
        self._on_gone(forked)

    def _bury(self, process: subprocess.Popen[bytes]) -> None:
        try:
            process.wait(CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            remains.kill_marked(self._mark)

    def _last_words(self) -> str:
        if self._errors is None:
            return ""
        self._errors.seek(0)
        lines = self._errors.read(65_536).decode("utf-8", "replace").strip().splitlines()
        return f": {lines[-1]}" if lines else ""
