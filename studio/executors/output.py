"""Draining what an attempt prints: bounded in time per turn of the loop and in space on disk, redacted first."""

from __future__ import annotations

import codecs
import os
import re
import time
from collections import deque
from typing import Final, Literal, TypeAlias

from studio.executors.host import Host
from studio.executors.redaction import Redactor
from studio.ports import AttemptKey, LogLine

Stream: TypeAlias = Literal["stdout", "stderr", "log"]
Level: TypeAlias = Literal["debug", "info", "warning", "error"]

CHUNK: Final = 16_384
"""Bytes read at once while lines are made of them: at worst 16,384 lines, a few milliseconds."""

FLOOD_CHUNK: Final = 262_144
"""Bytes read at once when only the end is kept."""

MAX_LINE: Final = 16_384
"""Longest line in characters; what is longer continues on the next one."""

LINE_COST: Final = 32
"""What a line costs beside its text, in bytes of the cap: an empty line takes room in a log, too."""

MAX_TAIL_LINES: Final = 2_000

_PROGRESS: Final = re.compile(
    r"::progress[ \t]+(\d{1,3}(?:\.\d{1,6})?)%?(?:[ \t]+(.*?))?[ \t]*(?:::)?"
)


class Output:
    """All that one attempt prints.

    Args:
        host: where lines go.
        key: which attempt.
        redactor: replaces secrets before anything else sees the text.
        commands: lines ``::progress 40 message::`` on standard output are progress, not output.
    """

    def __init__(
        self, host: Host, key: AttemptKey, redactor: Redactor, *, commands: bool = False
    ) -> None:
        self._host = host
        self.key = key
        self.redactor = redactor
        self.commands = commands
        self.left = host.caps.head
        self.tail = host.caps.tail
        self._unreported = 0

    def write(self, texts: list[str], stream: Stream, level: Level = "info") -> None:
        """Pass redacted lines on."""
        if not texts:
            return
        now = time.time()
        lines = [LogLine(now, text, stream, level) for text in texts]
        self._host.logs.write(self.key, lines)
        self._host.sink.logged(self.key, lines)

    def log(self, level: Level, text: str) -> None:
        """Take a line of ``ctx.log``."""
        cost = len(text) + LINE_COST
        if self.left < cost:
            self._unreported += 1
            return
        self.left -= cost
        self.write([self.redactor.text(text)], "log", level)

    def progress(self, fraction: float | None, message: str) -> None:
        """Take a report of progress."""
        self._host.sink.progressed(self.key, fraction, self.redactor.text(message))

    def take_command(self, line: str) -> bool:
        """Tell whether a line is a command, and obey it."""
        match = _PROGRESS.fullmatch(line) if line.startswith("::progress") else None
        if match is None:
            return False
        self.progress(min(1.0, float(match[1]) / 100), match[2] or "")
        return True

    def finish(self) -> None:
        """Say what was left out of the log."""
        if self._unreported:
            self.write([f"({self._unreported:,} lines of ctx.log dropped)"], "log", "warning")


class Text:
    """One stream of text on its way into lines: head kept, then the end.

    Args:
        output: the attempt's output.
        stream: which stream.
    """

    def __init__(self, output: Output, stream: Stream) -> None:
        self._output = output
        self._stream: Stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._redacted = output.redactor.stream()
        self._pending = ""
        self._tail: deque[bytes] | None = None
        self._tail_size = 0
        self._flood = 0

    @property
    def flooded(self) -> bool:
        """Whether the head is full, so that only the end is kept from now on."""
        return self._tail is not None

    def feed(self, data: bytes) -> None:
        """Take bytes as they were written."""
        if self._tail is None:
            if self._output.left > 0:
                self._output.left -= len(data)
                self._lines(self._redacted.feed(self._decoder.decode(data)))
                return
            self._overflow()
        assert self._tail is not None
        self._tail.append(data)
        self._flood += len(data)
        self._tail_size += len(data)
        while self._tail_size - len(self._tail[0]) >= self._output.tail:
            self._tail_size -= len(self._tail.popleft())

    def finish(self) -> None:
        """The stream is over: pass on what is left."""
        if self._tail is None:
            rest = self._redacted.feed(self._decoder.decode(b"", final=True))
            self._lines(rest + self._redacted.finish())
            if self._pending:
                self._emit([self._pending])
                self._pending = ""
        else:
            self._finish_tail(b"".join(self._tail))
            self._tail = deque()

    def _overflow(self) -> None:
        # What is held back may be the start of a secret whose rest is dropped.
        self._redacted.drop()
        if self._pending:
            self._emit([self._pending])
            self._pending = ""
        self._tail = deque()
        kept = self._output.tail // 1024
        self._note(f"(much output: from here on only the last {kept:,} KiB are kept)")

    def _finish_tail(self, data: bytes) -> None:
        data = data[-self._output.tail :]
        dropped = self._flood - len(data)
        texts: list[str] = []
        if dropped > 0:
            # The first line is cut and may begin with the end of a secret.
            cut = data.find(b"\n", 0, MAX_LINE) + 1 or min(
                len(data), self._output.redactor.longest * 4
            )
            dropped += cut
            data = data[cut:]
        lines = data.split(b"\n")
        for line in lines[:-MAX_TAIL_LINES]:
            dropped += len(line) + 1
        lines = lines[-MAX_TAIL_LINES:]
        if dropped > 0:
            self._note(f"({dropped:,} bytes dropped)")
        text = self._output.redactor.text(b"\n".join(lines).decode("utf-8", "replace"))
        for shown in text.split("\n"):
            texts += _pieces(_shown(shown))
        if texts and not texts[-1]:
            texts.pop()
        self._emit(texts)

    def _lines(self, text: str) -> None:
        *lines, self._pending = (self._pending + text).split("\n")
        texts: list[str] = []
        for line in lines:
            texts += _pieces(_shown(line))
        if len(self._pending) > MAX_LINE:
            *full, self._pending = _pieces(_shown(self._pending))
            texts += full
        self._emit(texts)

    def _emit(self, texts: list[str]) -> None:
        output = self._output
        if output.commands and self._stream == "stdout":
            texts = [text for text in texts if not output.take_command(text)]
        output.left -= LINE_COST * len(texts)
        output.write(texts, self._stream)

    def _note(self, text: str) -> None:
        self._output.write([text], self._stream, "warning")


class Drain:
    """Reads one pipe of a child.

    Args:
        host: the loop and its turns.
        fd: read end, non-blocking; closed by `close`.
        text: what becomes of it.
        capture: most bytes to keep for the result, 0 to keep none.
        from_end: keep the last ones instead of the first ones.
    """

    def __init__(
        self, host: Host, fd: int, text: Text, capture: int = 0, *, from_end: bool = False
    ) -> None:
        self._host = host
        self._fd = fd
        self._text = text
        self._capture = capture
        self._from_end = from_end
        self.captured = bytearray()
        self.dropped = 0
        self._open = True
        host.loop.add_reader(fd, host.turn.run, self._read_once)

    def close(self) -> None:
        """Read what is still in the pipe and close it. Every writer is dead, so that is not much."""
        while self._open and self._read_once():
            pass
        self._shut()
        self._text.finish()

    def _read_once(self) -> bool:
        try:
            data = os.read(self._fd, FLOOD_CHUNK if self._text.flooded else CHUNK)
        except BlockingIOError:
            return False
        if not data:
            self._shut()
            return False
        if self._capture:
            self._keep(data)
        self._text.feed(data)
        return True

    def _keep(self, data: bytes) -> None:
        room = len(data) if self._from_end else self._capture - len(self.captured)
        self.captured += data[:room]
        self.dropped += max(0, len(data) - room)
        if self._from_end:
            del self.captured[: -self._capture]

    def _shut(self) -> None:
        if self._open:
            self._open = False
            self._host.loop.remove_reader(self._fd)
            os.close(self._fd)


def _shown(line: str) -> str:
    """What a terminal would show of a line: without its end, and after the last carriage return."""
    line = line.removesuffix("\r")
    return line.rpartition("\r")[2] if "\r" in line else line


def _pieces(line: str) -> list[str]:
    if len(line) <= MAX_LINE:
        return [line]
    return [line[start : start + MAX_LINE] for start in range(0, len(line), MAX_LINE)]
