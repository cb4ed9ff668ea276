"""Actions that send verbs to the engine. Each shows its consequence where it reaches beyond its node."""

import json
from typing import TYPE_CHECKING, Any, cast

from studio.application import verbs
from studio.application.session import Session
from studio.projections.layout import Segment
from studio.projections.screen import consequences
from studio.projections.screen.actions import BY_ID, key_of
from studio.tui.screens.dialog import Confirm, Entry, Menu
from studio.tui.screens.editor import ValueEditor
from studio.tui.screens.launch import LaunchForm

if TYPE_CHECKING:
    from studio.tui.screens.main import MainScreen


def _key(screen: "MainScreen", action: str) -> str:
    """The person's key for an action."""
    return key_of(screen.session.keymap.keys, action)


async def launch(screen: "MainScreen") -> None:
    """Start a run; the form opens when there are parameters, prefilled with the last values."""
    session = screen.session
    file, plan = session.shown_file, session.file_plan()
    if file is None or plan is None:
        return
    values: dict[str, Any] | None = {}
    if plan.workflow.parameters:
        keys = session.keymap.keys.get("launch", BY_ID["launch"].keys)
        form = LaunchForm(plan.workflow, session.last_params.get(file, {}), keys)
        values = await screen.app.push_screen_wait(form)
    if values is None:
        return
    session.last_params[file] = values
    with screen.waiting("the run is about to start"):
        number = await session.launch(file, values)
    screen.notice(f"run {number} started", "good")


async def retry(screen: "MainScreen") -> None:
    """Run the selected node again."""
    run, node = screen.target()
    await screen.send(verbs.retry(run, node), f"{node} runs again")


async def retry_downstream(screen: "MainScreen") -> None:
    """Retry the node, and what follows if its input differs."""
    run, node = screen.target()
    await screen.send(verbs.retry(run, node, downstream=True), f"{node} and what follows run again")


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
    if chosen == "revert":
        await screen.send(
            verbs.override_output(number, path, None), f"{path} has its own output back"
        )
        return
    undo = node.status == "compensation_failed"
    if chosen in ("succeeded", "output") and not undo:
        before = screen.session.output_of(path)
        title, fresh = f"Output of {path}", chosen == "succeeded"
        given = await edit_value(screen, title, before, fresh=fresh)
        if given is None:
            return
        if not fresh:
            command = verbs.override_output(number, path, given)
            if await screen.send(command, f"output of {path} replaced"):
                drop_draft(screen, title)
            return
        port = await choose_port(screen, node.plan.node.ports)
        if port is None:
            return
        mark = verbs.mark(number, path, "succeeded", output=given[0], port=port)
        if await screen.send(mark, f"{path} marked succeeded"):
            drop_draft(screen, title)
        return
    word = cast(verbs.Outcome, chosen)
    await screen.send(verbs.mark(number, path, word), f"{path} marked {chosen}")


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
        if await screen.send(command, f"input of {path} overridden: r runs it with that"):
            drop_draft(screen, title)
            screen.session.remember(f"input of {path}", verbs.override_input(run, path, None))


async def undo(screen: "MainScreen") -> None:
    """Undo one node, and what follows it when that still holds effects."""
    run, path = screen.target()
    shown, state = screen.session.run, screen.session.engine_state
    if shown is None or state is None:
        return
    behind = consequences.standing_behind(shown, path)
    rows, steps = consequences.undo_rows(state, shown, [path], downstream=bool(behind))
    if behind and steps:
        rows = [
            [Segment(f"{consequences.named(behind)} behind it still holds effects", "warn")],
            [],
            *rows,
        ]
    if not steps:
        screen.notice(rows[0][0].text, "warning")
        return
    if await screen.app.push_screen_wait(Confirm(f"Undo {path}", rows, f"undo {steps}")):
        command = verbs.compensate(run, [path], downstream=bool(behind))
        await screen.send(command, f"undoing {steps} node{'s' if steps > 1 else ''}")


async def undo_run(screen: "MainScreen") -> None:
    """Undo the run, after showing the plan."""
    shown, state = screen.session.run, screen.session.engine_state
    if shown is None or state is None:
        return
    rows, steps = consequences.undo_rows(state, shown)
    if not steps:
        screen.notice(rows[0][0].text, "warning")
        return
    title = f"Undo run {shown.number}"
    if await screen.app.push_screen_wait(Confirm(title, rows, f"undo {steps}")):
        await screen.send(verbs.compensate(shown.number), f"undoing {steps} nodes")


async def hold(screen: "MainScreen") -> None:
    """Hold the node, or let it go."""
    run, path = screen.target()
    node = screen.node()
    if node is not None and node.gate is not None:
        if await screen.send(verbs.release(run, path), f"{path} released"):
            screen.session.remember(f"release of {path}", verbs.hold(run, path))
    elif await screen.send(verbs.hold(run, path), f"{path} held: p lets it go"):
        screen.session.remember(f"hold of {path}", verbs.release(run, path))


async def pause(screen: "MainScreen") -> None:
    """Pause the run, or let it go on."""
    run = screen.session.run
    if run is None:
        return
    if run.paused:
        if await screen.send(verbs.resume(run.number), f"run {run.number} goes on"):
            screen.session.remember("resume", verbs.pause(run.number))
    elif await screen.send(
        verbs.pause(run.number), f"paused: what runs finishes, {_key(screen, 'pause')} goes on"
    ):
        screen.session.remember("pause", verbs.resume(run.number))


async def step(screen: "MainScreen") -> None:
    """Let the selected node start if it is ready, else the next ready one; enters step mode."""
    run, path = screen.target()
    node = screen.node()
    chosen = path if node is not None and node.status in ("ready", "held") else None
    await screen.send(verbs.step(run, chosen), f"step: {chosen or 'the next ready node'}")


async def step_wave(screen: "MainScreen") -> None:
    """Let every ready node start."""
    run, _path = screen.target()
    await screen.send(verbs.step(run, wave=True), "step: every ready node")


async def breakpoint(screen: "MainScreen") -> None:
    """Set a breakpoint before the node, or clear the one it has."""
    run, path = screen.target()
    shown = screen.session.run
    if shown is not None and path in shown.breakpoints:
        if await screen.send(verbs.clear_breakpoint(run, path), f"no breakpoint at {path}"):
            screen.session.remember("breakpoint cleared", verbs.set_breakpoint(run, path))
        return
    node = screen.node()
    settled = node is not None and node.settled
    done = f"stops before {path}" + (", should it run again" if settled else ": c continues")
    if await screen.send(verbs.set_breakpoint(run, path), done):
        screen.session.remember("breakpoint", verbs.clear_breakpoint(run, path))


async def continue_node(screen: "MainScreen") -> None:
    """Leave the breakpoint or hold of the node."""
    run, path = screen.target()
    await screen.send(verbs.release(run, path), f"{path} goes on")


async def continue_run(screen: "MainScreen") -> None:
    """Leave step mode and breakpoints, or take up an interrupted run."""
    session: Session = screen.session
    run = session.run
    if run is None:
        return
    if not session.live:
        with screen.waiting("the run is about to be taken up"):
            await session.take_up(run.number)
        screen.notice(f"run {run.number} goes on where it stood", "good")
        return
    await screen.send(verbs.go_on(run.number), f"run {run.number} goes on")


async def run_to(screen: "MainScreen") -> None:
    """Run to the node and stop behind it."""
    run, path = screen.target()
    await screen.send(
        verbs.step(run, until=path),
        f"runs to {path} and stops there: {_key(screen, 'continue_run')} continues",
    )


async def cancel(screen: "MainScreen") -> None:
    """Cancel the node."""
    run, path = screen.target()
    await screen.send(verbs.cancel(run, path), f"{path} is cancelled")


async def cancel_run(screen: "MainScreen") -> None:
    """Cancel the run, after asking."""
    run = screen.session.run
    if run is None:
        return
    title = f"Cancel run {run.number}"
    if await screen.app.push_screen_wait(
        Confirm(title, consequences.cancel_rows(run, screen.session.keymap.keys), "cancel it")
    ):
        await screen.send(verbs.cancel(run.number), f"run {run.number} is cancelled")


async def revise(screen: "MainScreen") -> None:
    """Take a saved edit into the run, after showing what it means."""
    reloader, run = screen.session.reloader, screen.session.run
    pending = reloader.pending.get(run.number) if reloader is not None and run is not None else None
    if reloader is None or run is None or pending is None:
        return
    rows = consequences.verdict_rows(pending.verdicts)
    if await screen.app.push_screen_wait(
        Confirm(f"Edit of {pending.entry.display}", rows, "take it")
    ):
        refusal = await reloader.accept(run.number)
        if refusal is not None:
            screen.notice(str(refusal), "warning")
    else:
        screen.notice(f"the edit waits: {_key(screen, 'revise')} shows it again", "info")


async def rerun(screen: "MainScreen") -> None:
    """Run stale nodes, or everything from the node on, or a fresh run with the same parameters."""
    run, path = screen.session.run, screen.selected
    if run is None:
        return
    stale = consequences.stale_nodes(run)
    undo = [name for name in stale if (undo := run.nodes[name].plan.undo) is not None]
    entries = [
        Entry("stale", "Stale nodes again", consequences.named(stale) if stale else "none is stale", "s", enabled=bool(stale)),
        Entry("undo", "Undo stale nodes, then run again", consequences.named(undo) if undo else "none of them declares an undo", "u", enabled=bool(undo)),
        Entry("from", f"From {path} on", "it and all that follows it", "f", enabled=path is not None),
        Entry("all", "All of it, in a fresh run", "with the same parameters: verify clean", "a"),
    ]  # fmt: skip
    chosen = await screen.app.push_screen_wait(Menu("Run what again?", entries))
    if chosen == "stale":
        await screen.send(verbs.rerun(run.number), f"{consequences.named(stale)} run again")
    elif chosen == "undo":
        await screen.send(
            verbs.compensate(run.number, undo, downstream=True),
            f"undoing; {_key(screen, 'rerun')} runs them again",
        )
    elif chosen == "from" and path is not None:
        await screen.send(verbs.rerun(run.number, path), f"{path} and what follows run again")
    elif chosen == "all" and screen.session.shown_file is not None:
        with screen.waiting("the run is about to start"):
            number = await screen.session.launch(screen.session.shown_file, run.params)
        screen.notice(f"run {number} started with the parameters of run {run.number}", "good")


async def take_back(screen: "MainScreen") -> None:
    """Take back the last action."""
    last = screen.session.last_action
    if last is None:
        screen.notice(
            "nothing to take back: only holds, pauses, breakpoints and overrides can be", "warning"
        )
        return
    label, command = last
    screen.session.last_action = None
    await screen.send(command, f"taken back: {label}")


VERBS = {
    "launch": launch,
    "retry": retry,
    "retry_downstream": retry_downstream,
    "outcome": outcome,
    "override_input": override_input,
    "undo": undo,
    "undo_run": undo_run,
    "hold": hold,
    "pause": pause,
    "step": step,
    "step_wave": step_wave,
    "breakpoint": breakpoint,
    "continue": continue_node,
    "continue_run": continue_run,
    "run_to": run_to,
    "cancel": cancel,
    "cancel_run": cancel_run,
    "take_back": take_back,
    "revise": revise,
    "rerun": rerun,
}
