"""Ids of workflows, nodes, parameters and ports."""

from __future__ import annotations

from studio.loading.diagnostics import quoted
from studio.loading.vocabulary import IDENTIFIER

_LONGEST = 100


def id_problem(what: str, value: str) -> str | None:
    """Why a text cannot be an id, fit for a message, or None when it can.

    Args:
        what: what it would name, such as ``node``.
        value: the text.
    """
    if IDENTIFIER.match(value):
        return None
    if len(value) > _LONGEST:
        return f"{what} id {quoted(value, 30)} is longer than {_LONGEST} characters"
    if not value:
        return f"a {what} id cannot be empty"
    if not value[0].isalpha() or not value[0].isascii():
        reason = "has to begin with a letter from a to z"
    else:
        reason = "takes letters, digits, _ and - only"
    return f"{what} id {quoted(value)} {reason}"
