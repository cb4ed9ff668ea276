"""A real pseudo-terminal with a program in it: what it writes, what it is sent, how it ends."""

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path


class Terminal:
    """A program on a pseudo-terminal of its own.

    Args:
        command: program and arguments.
        folder: its current folder.
        environ: its environment.
        columns, rows: size of the terminal in cells.

    Attributes:
        output: everything it has written so far.
        started: when it was started, by `time.perf_counter`.
    """

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        environ: Mapping[str, str],
        *,
        columns: int = 120,
        rows: int = 40,
    ) -> None:
        self.output = bytearray()
        self.started = time.perf_counter()
        self.status: int | None = None
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            try:
                os.chdir(folder)
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
                os.execvpe(command[0], list(command), dict(environ))
            finally:
                os._exit(127)

    def read(self, seconds: float) -> bytes:
        """What it writes next, at most after so long; empty when nothing came or it has ended."""
        ready, _, _ = select.select([self._fd], [], [], seconds)
        if not ready:
            return b""
        try:
            piece = os.read(self._fd, 1 << 16)
        except OSError:  # EIO: nobody has the other side open any more
            return b""
        self.output += piece
        return piece

    def wait_for(self, text: str | bytes, seconds: float = 20.0, *, after: int = 0) -> float:
        """Read until a text has been written. Returns the moment it was seen, by `time.perf_counter`.

        Args:
            text: what to wait for, as bytes of the stream.
            seconds: patience.
            after: position in `output` from which it counts.

        Raises TimeoutError.
        """
        wanted = text.encode() if isinstance(text, str) else text
        end = time.perf_counter() + seconds
        while wanted not in self.output[after:]:
            if time.perf_counter() > end or (not self.read(0.05) and self.ended()):
                tail = bytes(self.output[-600:])
                raise TimeoutError(f"{wanted!r} was not written; the last of it: {tail!r}")
        return time.perf_counter()

    def settle(self, quiet: float = 0.3, seconds: float = 10.0) -> None:
        """Read until nothing has been written for a while."""
        end = time.perf_counter() + seconds
        while time.perf_counter() < end and self.read(quiet):
            pass

    def send(self, text: str) -> None:
        """Type a text."""
        os.write(self._fd, text.encode())

    def resize(self, columns: int, rows: int) -> None:
        """Change the size of the terminal; the program is told by SIGWINCH."""
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def signal(self, number: signal.Signals) -> None:
        """Send the program a signal."""
        os.kill(self.pid, number)

    def hang_up(self) -> None:
        """Take the terminal away, as when its window is closed."""
        os.close(self._fd)
        self._fd = -1

    def ended(self) -> bool:
        """Whether the program has ended."""
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status is not None

    def wait_stopped(self, seconds: float = 20.0) -> None:
        """Wait until it has stopped itself (SIGSTOP). Raises TimeoutError."""
        end = time.perf_counter() + seconds
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG | os.WUNTRACED)
            if pid and os.WIFSTOPPED(status):
                return
            if pid or time.perf_counter() > end:
                raise TimeoutError("the program has not stopped")
            self.read(0.02)

    def wait(self, seconds: float = 20.0) -> int:
        """Its exit status, negative for a signal. Raises TimeoutError."""
        end = time.perf_counter() + seconds
        while not self.ended():
            if time.perf_counter() > end:
                raise TimeoutError("the program has not ended")
            if self._fd >= 0:
                self.read(0.05)
            else:
                time.sleep(0.02)
        if self._fd >= 0:
            while self.read(0.05):
                pass
        assert self.status is not None
        return self.status

    def close(self) -> None:
        """End the program if it still runs, and let go of the terminal."""
        if not self.ended():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)
            try:
                self.wait(5.0)
            except TimeoutError:
                os.kill(self.pid, signal.SIGKILL)
                self.wait(5.0)
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()
