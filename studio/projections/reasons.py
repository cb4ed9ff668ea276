"""Why a node is in its state, for people and machines."""

from __future__ import annotations

from typing import Any

from studio.core.state import EngineState, RunState
from studio.core.why import Reason, explain
from studio.projections.masking import mask_run
from studio.projections.moments import iso_time
from studio.projections.run_document import find_node, state_of


def reasons_of(
    state: EngineState,
    run: RunState,
    path: str,
    now: float | None = None,
    *,
    driven: bool = True,
) -> dict[str, Any]:
    """Why a node is in its state: a document with ``run``, ``node``, ``state`` and ``reasons``.

    Each reason has a ``kind``, a ``text``, the ``node`` it points at and the moment ``at`` it is about, both None
    where there is none.

    Args:
        state: the state around the run.
        run: the run, derived where it was replayed.
        path: path of a node or item.
        now: seconds since the epoch, to tell how long something has lasted.
        driven: whether an engine drives the run; without one nothing goes on by itself.

    Raises:
        NotFoundError: the run has no such node.
    """
    node = find_node(run, path)
    mask = mask_run(state, run)
    found = explain(state, run, path, now, driven=driven)
    if not found:
        # What a reader replays is one run; limits and locks that others hold are known to the owner only.
        text = f"{path} waits for its turn: a limit or a lock that runs share is used up"
        found = [Reason("limit", text)]
    return {
        "run": run.number,
        "node": path,
        "state": state_of(run, node),
        "reasons": [
            {
                "kind": one.kind,
                "text": mask.text(one.text),
                "node": one.node,
                "at": iso_time(one.at),
            }
            for one in found
        ],
    }
