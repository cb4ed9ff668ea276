"""From an exception of user code to what is told about it.

The table of categories stands in ``docs/explanation/user-code.md``.
"""

from __future__ import annotations

import errno
import linecache
import os
import signal
import traceback
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Any, Final, TypeAlias

from studio.executors.zygote.texts import clip, describe_locals

FailureBody: TypeAlias = dict[str, Any]
"""The fields of `studio.model.failure.Failure`, as JSON."""

CATEGORIES: Final = frozenset(
    [
        "transient", "validation", "resource_exhausted", "external_service", "timeout", "interrupted",
        "unexpected",
    ]
)  # fmt: skip

MAX_MESSAGE: Final = 16_384
MAX_TRACEBACK: Final = 65_536
MAX_QUOTED: Final = 2_000
MAX_FRAMES: Final = 30
MAX_CHAIN: Final = 5
TEXT_SECONDS: Final = 1.0
"""How long the text of an exception may take to make, in seconds."""

_EXHAUSTED: Final = frozenset(
    [errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN]
)
_UNREACHABLE: Final = frozenset(
    [errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ETIMEDOUT]
)
_BY_NAME: Final = {
    "ValidationError": "validation",
    "ValidationFailed": "validation",
    "TransientError": "transient",
    "TemporaryError": "transient",
    "RetryableError": "transient",
    "Timeout": "transient",
    "TimeoutException": "transient",
    "ConnectError": "transient",
    "NetworkError": "transient",
    "gaierror": "transient",
    "RateLimitError": "external_service",
    "ServiceUnavailable": "external_service",
    "ExternalServiceError": "external_service",
    "ResourceExhausted": "resource_exhausted",
    "ResourceExhaustedError": "resource_exhausted",
}
_BUSY: Final = frozenset([408, 425, 429])

_OWN: Final = os.path.dirname(os.path.abspath(__file__)) + os.sep
_STANDARD: Final = os.path.dirname(linecache.__file__) + os.sep
_CALLERS: Final = tuple(f"{_STANDARD}{name}{os.sep}" for name in ("asyncio", "importlib"))
"""Folders of what calls or imports user code: until that is reached, its frames are no place to look at."""


class TextTimeout(BaseException):
    """The text of an exception took too long; a base exception, so that user code does not catch it."""


def failure_of(
    error: BaseException, folder: str, sensitive: frozenset[str] = frozenset()
) -> FailureBody:
    """Describe an exception.

    Args:
        error: what user code raised.
        folder: folder of the workflow; the last frame below it is taken for the user's own line.
        sensitive: names whose values are masked among the local variables.
    """
    kind = type(error)
    message = _message(error)
    body: FailureBody = {
        "type": kind.__name__,
        "message": message,
        "category": category_of(error),
        "bases": [base.__name__ for base in kind.__mro__[1:] if base is not object],
        "traceback": clip(_format(error, message), MAX_TRACEBACK),
    }
    if isinstance(error, SystemExit):
        code = error.code
        body["exit_code"] = code if isinstance(code, int) else int(code is not None)
    frame, line = _own_line(error, folder)
    if frame is not None:
        body["file"] = frame.f_code.co_filename
        body["line"] = line
        body["function"] = frame.f_code.co_name
        body["locals"] = describe_locals(frame.f_locals, sensitive)
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        body.update(file=str(error.filename), line=error.lineno, function="")
        body.pop("locals", None)
    return body


def category_of(error: BaseException) -> str:
    """Put an exception into the error taxonomy: its own word first, then its class, then its name."""
    own = getattr(type(error), "category", None)
    if type(own) is str and own in CATEGORIES:
        return own
    if isinstance(error, TimeoutError | ConnectionError | InterruptedError):
        return "transient"
    if isinstance(error, MemoryError):
        return "resource_exhausted"
    number = error.errno if isinstance(error, OSError) else None
    if number in _EXHAUSTED:
        return "resource_exhausted"
    if number in _UNREACHABLE:
        return "transient"
    status = _http_status(error)
    if status is not None:
        if status in _BUSY:
            return "transient"
        return "external_service" if status >= 500 else "validation"
    for base in type(error).__mro__:
        if base.__name__ in _BY_NAME:
            return _BY_NAME[base.__name__]
        if base.__name__.endswith("Timeout") and base.__module__ != "builtins":
            return "transient"
    return "unexpected"


def _http_status(error: BaseException) -> int | None:
    """Status of an HTTP error of the usual libraries, 400 to 599."""
    if not any(base.__name__.startswith("HTTP") for base in type(error).__mro__):
        return None
    for holder in (vars(error).get("response"), error):
        for name in ("status_code", "status", "code"):
            try:
                value = getattr(holder, name, None)
            except Exception:  # a property of a foreign class may raise anything
                continue
            if isinstance(value, int) and 400 <= value <= 599:
                return value
    return None


def _message(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        code = "" if error.code is None else _safe_text(error.code)
        return f"the code called sys.exit({code}); return a value or raise an error instead"
    if isinstance(error, KeyboardInterrupt) and not error.args:
        return "the code raised KeyboardInterrupt"
    if isinstance(error, MemoryError) and not error.args:
        return "out of memory"
    return _safe_text(error)


def _safe_text(value: object) -> str:
    """``str(value)``, which may raise anything, hang, or be huge."""

    def ring(number: int, frame: object) -> None:
        raise TextTimeout

    try:
        before = signal.signal(signal.SIGALRM, ring)
        signal.setitimer(signal.ITIMER_REAL, TEXT_SECONDS)
    except ValueError:
        return type(value).__name__  # not the main thread: no alarm, so no risk is taken
    try:
        text = str(value)
    except TextTimeout:
        text = f"({type(value).__name__} took longer than {TEXT_SECONDS:g} s to say what it is)"
    except BaseException as problem:  # user code, which may raise anything
        text = f"({type(value).__name__}, whose text fails with {type(problem).__name__})"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    return clip(text, MAX_MESSAGE).encode("utf-8", "backslashreplace").decode()


# --------------------------------------------------------------------------- frames


def _frames(trace: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    """Frames that say something to the user: without the machinery that called their code."""
    inside = False
    for frame, line in traceback.walk_tb(trace):
        name = frame.f_code.co_filename
        machinery = name.startswith((_OWN, "<frozen importlib")) or (
            not inside and name.startswith(_CALLERS)
        )
        if not machinery:
            inside = True
            yield frame, line


def _own_line(error: BaseException, folder: str) -> tuple[FrameType | None, int]:
    """The user's own last line: below the folder or in a code block, else the last one at all."""
    prefix = folder.rstrip(os.sep) + os.sep
    last: tuple[FrameType | None, int] = (None, 0)
    own: tuple[FrameType | None, int] = (None, 0)
    for frame, line in _frames(error.__traceback__):
        last = (frame, line)
        if frame.f_code.co_filename.startswith((prefix, "<code of ")):
            own = last
    return own if own[0] is not None else last


def _format(error: BaseException, message: str) -> str:
    """The traceback as Python prints it, causes first, without the machinery's frames."""
    parts: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen and len(seen) < MAX_CHAIN:
        seen.add(id(current))
        parts.append(_format_one(current, message if current is error else _message(current)))
        if current.__cause__ is not None:
            parts.append(
                "\nThe above exception was the direct cause of the following exception:\n\n"
            )
            current = current.__cause__
        elif current.__context__ is not None and not current.__suppress_context__:
            parts.append(
                "\nDuring handling of the above exception, another exception occurred:\n\n"
            )
            current = current.__context__
        else:
            current = None
    if len(parts) % 2 == 0:
        parts.pop()  # the chain was cut after a joining sentence
    return "".join(reversed(parts))


def _format_one(error: BaseException, message: str) -> str:
    frames = list(_frames(error.__traceback__))
    left_out = len(frames) - 2 * MAX_FRAMES
    lines = []
    if frames:
        lines.append("Traceback (most recent call last):\n")
    if left_out > 0:
        lines += _extract(frames[:MAX_FRAMES])
        lines.append(f"  … {left_out:,} frames left out …\n")
        lines += _extract(frames[-MAX_FRAMES:])
    else:
        lines += _extract(frames)
    if isinstance(error, SyntaxError):
        lines += traceback.format_exception_only(type(error), error)
    else:
        text = clip(message, MAX_QUOTED)
        name = type(error).__qualname__
        lines.append(f"{name}: {text}\n" if text else f"{name}\n")
    lines += [f"{note}\n" for note in getattr(error, "__notes__", ())[:5] if type(note) is str]
    return "".join(lines)


def _extract(frames: list[tuple[FrameType, int]]) -> list[str]:
    return traceback.StackSummary.extract(iter(frames)).format()
