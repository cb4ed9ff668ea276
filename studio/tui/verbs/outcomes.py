"""Outcomes, inputs and outputs by hand."""

import json
from typing import TYPE_CHECKING, Any, cast

from studio.application import verbs
from studio.application.session import NodeState
from studio.projections.layout import clean
from studio.projections.screen import consequences
from studio.tui.screens.dialog import Entry, Menu, Prompt
from studio.tui.screens.editor import ValueEditor

if TYPE_CHECKING:
    from studio.tui.screens.main import MainScreen


async def outcome(screen: "MainScreen") -> None:
    """The outcome menu."""
    run, node = screen.session.run, screen.node()
    if run is None or node is None:
        return
    entries = [Entry(*choice) for choice in consequences.outcome_choices(run, node)]
    lead = [consequences.state_row(node, screen.ascii), []]
    chosen = await screen.app.push_screen_wait(Menu("Outcome by hand", entries, lead=lead))
    if chosen is not None:
        await set_outcome(screen, chosen)


async def set_outcome(screen: "MainScreen", chosen: str) -> None:
    """Carry out a choice of the outcome menu."""
    number, path = screen.target()
    node = screen.node()
    if node is None:
        return
    if chosen == "retry":
        await screen.action_act("retry")
    elif node.status == "compensation_failed":
        await _settle_undo(screen, number, path, chosen)
    elif chosen in ("revert", "revert_input"):
        await _revert(screen, number, path, chosen)
    elif chosen == "undo":
        await _undo_doubtful(screen, number, node)
    elif chosen == "output":
        await _replace_output(screen, number, path)
    elif chosen == "succeeded":
        await _mark_succeeded(screen, number, node)
    else:
        word = cast(verbs.Outcome, chosen)
        await screen.send(verbs.mark(number, path, word), f"{path} {MARKED[chosen]}")


MARKED = {
    "skipped": "skipped by hand",
    "ignored": "stays failed, and the run goes on",
    "failed": "given up",
}
"""What a node is after a mark, as the end of a sentence."""


async def _settle_undo(screen: "MainScreen", number: int, path: str, chosen: str) -> None:
    """Tell that a failed undo was done by hand, with a note, or give it up."""
    if chosen == "succeeded":
        label = "how it was undone, for the history"
        note = await screen.app.push_screen_wait(
            Prompt(f"Undo of {clean(path)} done by hand", label)
        )
        if note is None:
            return
        mark = verbs.mark(number, path, "succeeded", reason=note.strip())
        await screen.send(mark, f"the undo of {path} was done by hand")
        return
    await screen.send(verbs.mark(number, path, "ignored"), f"the undo of {path} is given up")


async def _revert(screen: "MainScreen", number: int, path: str, chosen: str) -> None:
    """Drop an override of the output or of the input."""
    if chosen == "revert":
        command = verbs.override_output(number, path, None)
        await screen.send(command, f"{path} has its own output back")
        return
    before = screen.session.input_of(path)
    command = verbs.override_input(number, path, None)
    if await screen.send(command, f"the next attempt of {path} computes its input again"):
        screen.session.remember(
            f"revert of the input of {path}", verbs.override_input(number, path, (before,))
        )


async def _replace_output(screen: "MainScreen", number: int, path: str) -> None:
    title = f"Output of {path}"
    given = await edit_value(screen, title, screen.session.output_of(path))
    if given is not None:
        command = verbs.override_output(number, path, given)
        if await screen.send(command, f"output of {path} replaced"):
            drop_draft(screen, title)


async def _mark_succeeded(screen: "MainScreen", number: int, node: NodeState) -> bool:
    """Mark a node succeeded with an output and, where it has ports, a port. Returns whether that was taken."""
    path = node.path
    title = f"Output of {path}"
    given = await edit_value(screen, title, screen.session.output_of(path), fresh=True)
    if given is None:
        return False
    port = await choose_port(screen, node.plan.node.ports)
    if port is None:
        return False
    mark = verbs.mark(number, path, "succeeded", output=given[0], port=port)
    taken = await screen.send(mark, f"{path} marked succeeded")
    if taken:
        drop_draft(screen, title)
    return taken


async def _undo_doubtful(screen: "MainScreen", number: int, node: NodeState) -> None:
    """Take a doubtful node as succeeded and undo it, with nothing behind it starting in between.

    The run is paused for the moment between the two; should the undo be refused, it stays so, and that is told.
    """
    run = screen.session.run
    path = node.path
    if run is None:
        return
    was_paused = run.paused
    if not was_paused and not await screen.send(
        verbs.pause(number), "paused until the undo begins"
    ):
        return
    if not await _mark_succeeded(screen, number, node):
        if not was_paused:
            await screen.send(verbs.resume(number), f"{path} stays in doubt")
        return
    if await screen.send(verbs.compensate(number, [path]), f"undoing {path}") and not was_paused:
        await screen.send(
            verbs.resume(number), f"undoing {path}; {screen.key('rerun')} runs it again afterwards"
        )


async def choose_port(screen: "MainScreen", ports: tuple[str, ...]) -> str | None:
    """The port a node marked by hand leaves by; empty for a node without named ports."""
    if not ports:
        return ""
    return await screen.app.push_screen_wait(Menu("By which port?", [Entry(p, p) for p in ports]))


async def edit_value(
    screen: "MainScreen", title: str, value: Any, *, fresh: bool = False
) -> tuple[Any] | None:
    """Edit a JSON value. Returns it in a tuple of one, or None when the edit was dropped.

    What was typed stays as a draft until `drop_draft`: a refused command does not take it away.

    Args:
        title: what is edited; the draft is kept under it.
        value: what the edit begins with.
        fresh: whether there is no such value yet, so that it may be applied as it stands.
    """
    drafts, run = screen.session.drafts, screen.session.run
    if run is None:
        return None

    def keep(text: str) -> str:
        return drafts.keep(run.number, title, text, run.plan.workflow)

    draft = drafts.find(run.number, title)
    editor = ValueEditor(title, value, draft=draft, fresh=fresh, keep=keep)
    text = await screen.app.push_screen_wait(editor)
    if not editor.edited:
        drafts.drop(run.number, title)
    elif why_not := keep(editor.text):
        screen.notice(f"the draft is lost when this studio ends: {why_not}", "warning")
    return None if text is None else (json.loads(text),)


def drop_draft(screen: "MainScreen", title: str) -> None:
    """Forget the draft of an edit that has been taken."""
    number = screen.session.shown_run
    if number is not None:
        screen.session.drafts.drop(number, title)


async def override_input(screen: "MainScreen") -> None:
    """Edit the input of the next attempt."""
    run, path = screen.target()
    title = f"Input of {path}"
    given = await edit_value(screen, title, screen.session.input_of(path))
    if given is not None:
        command = verbs.override_input(run, path, given)
        if await screen.send(command, f"input of {path} overridden: the next attempt has it"):
            drop_draft(screen, title)
            screen.session.remember(f"input of {path}", verbs.override_input(run, path, None))


VERBS = {"outcome": outcome, "override_input": override_input}
"""Which function carries out which action."""
