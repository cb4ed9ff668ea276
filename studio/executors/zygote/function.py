"""Carrying out a python node in its own child."""

from __future__ import annotations

import socket
from typing import Any

from studio.executors.redaction import Redactor
from studio.executors.zygote import call, child, envelope, sources
from studio.executors.zygote.context import Context, Report
from studio.executors.zygote.failures import failure_of
from studio.executors.zygote.results import Desk, ResultError, encode_failure, encode_output


def carry_out(order: dict[str, Any], talk: socket.SocketType) -> None:
    """Run the order's function and hand in its result or its failure, then end the process."""
    report = Report(talk)
    redactor = Redactor(order["secrets"])
    desk = Desk(order["result_file"], report)
    kind, body = outcome_of(order, report, redactor)
    desk.hand_in(kind, body)
    child.leave()


def outcome_of(
    order: dict[str, Any],
    report: Report,
    redactor: Redactor,
    extra: dict[str, Any] | None = None,
) -> tuple[envelope.Kind, bytes]:
    """Run a python node to its end, whatever that is; nothing that user code raises gets out.

    Args:
        order: what to run.
        report: where progress and log lines go.
        redactor: replaces secrets in what comes back.
        extra: put into each message of the context.
    """
    sensitive = frozenset(order["sensitive"])
    try:
        sources.enter(order["folder"], order["pin"])
        value = call.call(order, Context(order, report, extra))
        return "output", encode_output(value, order.get("call") or "the code block", redactor)
    except BaseException as error:  # sys.exit and KeyboardInterrupt are failures of the attempt too
        body = failure_of(error, order["folder"], sensitive)
        if isinstance(error, ResultError):
            body = {key: body[key] for key in ("type", "message", "category")}
        return "failure", encode_failure(body, redactor)
