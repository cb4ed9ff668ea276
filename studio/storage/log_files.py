"""Where the log of an attempt lies: ``logs/<run>/<escaped path>[.undo].<attempt>.jsonl``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote

from studio.ids import NodePath, RunNumber
from studio.ports import AttemptKey

LOGS_NAME: Final = "logs"

_SUFFIX: Final = ".jsonl"
_UNDO: Final = ".undo"
_CUT: Final = "~"

_PIECE: Final = 200
"""Bytes of an escaped path per name; file systems allow 255. A longer path continues one folder
deeper, the names of such folders ending in ``~``."""


def log_place(root: Path, key: AttemptKey) -> Path:
    """File of an attempt below the ``logs`` folder ``root``."""
    name = escape(key.node)
    folder = root / str(key.run)
    while len(name) > _PIECE:
        folder /= name[:_PIECE] + _CUT
        name = name[_PIECE:]
    return folder / f"{name}{_UNDO if key.undo else ''}.{key.attempt}{_SUFFIX}"


def log_keys(root: Path, run: RunNumber) -> list[tuple[AttemptKey, Path]]:
    """Every log file of a run and the attempt it belongs to, in no order; foreign files are passed over.

    Raises `OSError`.
    """
    top = root / str(run)
    found: list[tuple[AttemptKey, Path]] = []
    for folder, _, files in os.walk(top):
        steps = Path(folder).relative_to(top).parts
        if not all(step.endswith(_CUT) for step in steps):
            continue
        start = "".join(step[: -len(_CUT)] for step in steps)
        for file in files:
            key = _parse(run, start, file)
            if key is not None:
                found.append((key, Path(folder, file)))
    return found


def escape(path: str) -> str:
    """Escape a node path for a file name, reversibly: percent signs for all but letters, digits, -_[].

    A dot would be mistaken for the beginning of ``.undo``, a tilde for a cut.
    """
    return quote(path, safe="[]").replace(".", "%2E").replace("~", "%7E")


def _parse(run: RunNumber, start: str, file: str) -> AttemptKey | None:
    stem, dot, number = file.removesuffix(_SUFFIX).rpartition(".")
    if not file.endswith(_SUFFIX) or not dot or not (number.isascii() and number.isdigit()):
        return None
    undo = stem.endswith(_UNDO)
    name = start + (stem.removesuffix(_UNDO) if undo else stem)
    return AttemptKey(run, NodePath(unquote(name)), undo, int(number))
