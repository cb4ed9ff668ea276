"""``uses: shell``: a script, and what is made of its exit status and its output."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from studio.errors import ExpressionError
from studio.executors.child_attempt import Remains, Work
from studio.executors.endings import outcome_of_death, outcome_of_result, signal_name
from studio.executors.python import attempt_variables, environment_of
from studio.executors.redaction import Redactor
from studio.executors.zygote import envelope
from studio.model.failure import Failure
from studio.model.json_value import json_problem
from studio.model.nodes import ShellSettings
from studio.model.policies import ErrorCategory
from studio.ports import AttemptOrder, Failed, Outcome, Succeeded, Vanished

_CATEGORIES: Final[dict[int, ErrorCategory]] = {
    75: "transient",
    124: "timeout",
    126: "unexpected",
    127: "unexpected",
}
"""75 is ``EX_TEMPFAIL`` of sysexits.h, 124 is how timeout(1) ends, 126 and 127 are how POSIX shells say that a
command cannot be run or does not exist. Every other status is the answer of a foreign program."""

_ERROR_LINES: Final = 20
_MAX_ERROR: Final = 500


def work_of(
    order: AttemptOrder, settings: ShellSettings, redactor: Redactor, limits: Mapping[str, int]
) -> Work:
    """What the child is told, and how its end is judged.

    Raises:
        ExpressionError: when a secret has no value, ``shell`` cannot be split into words, or a text holds what
            no process can be given.
    """
    try:
        words = shlex.split(settings.shell) or ["sh"]
    except ValueError as error:
        raise ExpressionError(f"shell: {settings.shell!r} cannot be split: {error}") from None
    if "\0" in settings.run:
        raise ExpressionError(
            "run: the script holds a NUL character, which no command line can carry"
        )
    side_file = f"{order.result_file}.output"
    env = environment_of(order, settings.env)
    env |= {**attempt_variables(order), "STUDIO_OUTPUT": side_file}
    body: dict[str, Any] = {
        "kind": "shell",
        "folder": order.folder,
        "cwd": os.path.join(order.folder, settings.cwd or ""),
        "argv": [*words, "-c", settings.run],
        "env": env,
        "limits": dict(limits),
        "secrets": dict(order.secrets),
        "result_file": order.result_file,
    }

    def judge(remains: Remains) -> Outcome:
        written = _read_side_file(side_file)
        if remains.result is not None:
            return outcome_of_result(remains.result)
        if remains.status is None:
            return Vanished()
        if os.WIFSIGNALED(remains.status):
            return outcome_of_death(remains.status, "the shell")
        code = os.waitstatus_to_exitcode(remains.status)
        if code:
            return Failed(_failure(code, remains, redactor))
        try:
            return Succeeded(_output(settings, remains, written, redactor))
        except ValueError as error:
            return Failed(Failure("ResultError", redactor.text(str(error)), exit_code=0))

    return Work(body, judge, redactor, captures=True, side_file=side_file)


def _failure(code: int, remains: Remains, redactor: Redactor) -> Failure:
    lines = redactor.text(remains.stderr.decode("utf-8", "replace")).splitlines()
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    meaning = f" ({signal_name(code - 128)})" if 128 < code < 128 + 65 else ""
    message = f"exit status {code}{meaning}" + (f": {last[:_MAX_ERROR]}" if last else "")
    return Failure(
        type="CommandFailed",
        message=message,
        category=_CATEGORIES.get(code, "external_service"),
        bases=("Exception",),
        traceback="\n".join(lines[-_ERROR_LINES:]),
        exit_code=code,
    )


def _output(
    settings: ShellSettings, remains: Remains, written: bytes | None, redactor: Redactor
) -> bytes:
    """The node's output as JSON. Raises `ValueError` with a text fit for the user."""
    if written is None:
        most = envelope.MAX_RESULT // 2**20
        raise ValueError(f"what the script wrote to $STUDIO_OUTPUT is larger than {most} MiB")
    if written.strip():
        return _encode(_parsed(written, "what the script wrote to $STUDIO_OUTPUT"), redactor)
    out = _without_commands(remains.stdout)
    if remains.stdout_dropped and settings.output is not None:
        size = (len(out) + remains.stdout_dropped) / 2**20
        raise ValueError(
            f"standard output is {size:,.1f} MiB, too much for a result; write it to a file"
        )
    if settings.output == "json":
        return _encode(_parsed(out, "standard output"), redactor)
    text = out.decode("utf-8", "replace")
    if settings.output == "lines":
        return _encode(text.splitlines(), redactor)
    if settings.output == "text":
        return _encode(_cut(text), redactor)
    if remains.stdout_dropped:
        text += f"\n({remains.stdout_dropped:,} bytes dropped)"
    errors = remains.stderr.decode("utf-8", "replace")
    return _encode({"exit_code": 0, "stdout": _cut(text), "stderr": _cut(errors)}, redactor)


def _encode(value: Any, redactor: Redactor) -> bytes:
    return msgspec.json.encode(redactor.value(value))


def _parsed(data: bytes, what: str) -> Any:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{what} is not JSON: {error}") from None
    problem = json_problem(value)
    if problem is not None:
        raise ValueError(f"{what} at {problem}")
    return value


def _without_commands(out: bytes) -> bytes:
    if b"::progress" not in out:
        return out
    lines = out.splitlines(keepends=True)
    return b"".join(line for line in lines if not line.startswith(b"::progress "))


def _cut(text: str) -> str:
    return text.removesuffix("\n").removesuffix("\r")


def _read_side_file(path: str) -> bytes | None:
    """Content of ``$STUDIO_OUTPUT``; None when it is too large to take."""
    data = envelope.read(path, envelope.MAX_RESULT)
    if data is not None:
        return data
    try:
        too_large = os.lstat(path).st_size > envelope.MAX_RESULT
    except OSError:
        return b""  # the script wrote nothing
    return None if too_large else b""  # or put something there that is no file
