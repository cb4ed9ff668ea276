"""What a person has run again runs with the newest code: a run adopts it first, or says why it cannot.

A retry takes the newest definition, too (engine.md, "Verbs"); a rerun and an undo keep the definition of the run.
Nothing but what was asked for runs again by this.
"""

import asyncio
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

import msgspec

from studio.application.pinned_code import PinnedCode
from studio.application.stored_definitions import compiled, definition_of
from studio.core.commands import Compensate, Refusal, Rerun, RetryNode, Revise
from studio.core.plan import base_path
from studio.core.state import RunState
from studio.engine.loop import Engine
from studio.loading.fingerprint import Code
from studio.loading.loader import load_file
from studio.model.workflow import Workflow

RunsAgain: TypeAlias = RetryNode | Rerun | Compensate


async def adopt_newest(
    engine: Engine, pinned: PinnedCode, root: Path, command: RunsAgain
) -> Refusal | None:
    """Put the newest code under the run of a command that is about to be sent.

    A workflow file with errors leaves the definition the run has, and so does a refused revision. Code that does not
    compile leaves the code the run has: it refuses to run again what reaches it, and an undo goes on with what was
    good last.

    Args:
        engine: has the run in memory.
        pinned: where code is kept.
        root: folder that paths in messages start from.
        command: the command, with its id.

    Returns why the command must not be sent, None when it may.

    Raises:
        StorageError: the code could not be stored.
    """
    run = engine.state.runs.get(command.run)
    if run is None or not run.file or command.id in engine.state.commands:
        return None
    own = msgspec.structs.replace(run.plan.workflow, folder=run.folder)
    workflows = [own]
    if isinstance(command, RetryNode) and run.compensation is None:
        newest = (await asyncio.to_thread(load_file, run.file)).workflow
        if newest is not None and newest.content_hash() != run.plan.version:
            workflows.insert(0, newest)
    code = await asyncio.to_thread(pinned.read, workflows[0])
    if any(each.problems for each in code.prints.values()):
        found = await asyncio.to_thread(_broken, pinned, root, run, command, code)
        if found is not None or _is_broken(pinned, run, code, code.prints):
            return found
    for workflow in workflows:
        if await _revise(engine, pinned, command, workflow, code) is None:
            break
    return None


async def _revise(
    engine: Engine, pinned: PinnedCode, command: RunsAgain, workflow: Workflow, code: Code
) -> Refusal | None:
    version = workflow.content_hash()
    pin = await asyncio.to_thread(pinned.keep, code, version)
    if version not in engine.state.plans:
        engine.add_definition(compiled(workflow), definition_of(workflow))
    return await engine.submit(
        Revise(
            run=command.run,
            id=f"{command.id}:revise:{version}",
            actor=command.actor,
            reason=command.reason,
            version=version,
            pin=pin,
            restart=False,
        )
    )


def _broken(
    pinned: PinnedCode, root: Path, run: RunState, command: RunsAgain, code: Code
) -> Refusal | None:
    """Why what is to run again cannot: a module that it reaches does not compile."""
    if isinstance(command, Compensate):
        return None
    names, what = _again(run, command)
    problem = pinned.broken(code, run.pin, names)
    if problem is None:
        return None
    file = os.path.relpath(os.path.join(run.folder, problem.place.file), root)
    place = f"{file}:{problem.place.line}:{problem.place.column}"
    return Refusal(
        f"cannot {what}: {place}: {problem.message}",
        "save a version that compiles; until then the run keeps the last good one",
    )


def _is_broken(pinned: PinnedCode, run: RunState, code: Code, names: Iterable[str]) -> bool:
    return pinned.broken(code, run.pin, names) is not None


def _again(run: RunState, command: RetryNode | Rerun) -> tuple[list[str], str]:
    """Nodes that a command has run again, and the command in words."""
    if isinstance(command, RetryNode):
        return [base_path(command.node)], f"retry {command.node}"
    if command.start is None:
        stale = [name for name in run.plan.order if "stale" in run.nodes[name].marks]
        return stale, "rerun what is stale"
    if command.start not in run.plan.nodes:
        return [], f"rerun from {command.start}"
    below = run.plan.descendants([command.start])
    return [command.start, *below], f"rerun from {command.start}"
