"""Actions that send verbs to the engine. Each shows its consequence where it reaches beyond its node."""

from typing import TYPE_CHECKING, Any

from studio.application import verbs
from studio.application.session import RunState, Session
from studio.projections.layout import Segment, clean
from studio.projections.screen import consequences
from studio.projections.screen.actions import BY_ID, key_of
from studio.tui.screens.dialog import Confirm, Entry, Menu, Reader
from studio.tui.screens.launch import LaunchForm
from studio.tui.verbs import again, outcomes

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
    stops = [path for path in screen.planned_stops(file) if path in plan.nodes]
    with screen.waiting("the run is about to start"):
        # Nothing starts before the breakpoints stand.
        number = await session.launch(file, values, stepping=bool(stops))
    screen.planned_stops(file).clear()  # they were for one run, which has its own now
    for path in stops:
        refusal = await session.send(verbs.set_breakpoint(number, path))
        if refusal is not None:
            screen.notice(f"run {number} starts nothing yet: {refusal}", "warning")
            return
    if stops and not await screen.send(verbs.go_on(number), f"run {number} started"):
        return
    before = f"; stops before {consequences.named(stops)}" if stops else ""
    # Told and not shown at once: it comes with the first picture of the run, in one paint and not two.
    session.tell(f"run {number} started{before}", "good")


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
        screen.tell_refusal(rows)
        return
    if await screen.app.push_screen_wait(Confirm(f"Undo {path}", rows, f"undo {steps}")):
        command = verbs.compensate(run, [path], downstream=bool(behind))
        await screen.send(command, f"undoing {steps} node{'s' if steps > 1 else ''}")


async def undo_run(screen: "MainScreen") -> None:
    """Undo the run, after showing the plan; while it is being undone, show how far that has come."""
    shown, state = screen.session.run, screen.session.engine_state
    if shown is None or state is None:
        return
    if shown.compensation is not None and not shown.compensation.expired:
        rows = consequences.undo_left_rows(shown, ascii=screen.ascii)
        await screen.app.push_screen_wait(Reader(f"Run {shown.number} is being undone", rows))
        return
    rows, steps = consequences.undo_rows(state, shown)
    if not steps:
        screen.tell_refusal(rows)
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
    await screen.send(
        verbs.step(run, chosen), f"step: {chosen}" if chosen else stepped(screen, "next")
    )


def stepped(screen: "MainScreen", which: str) -> str:
    """What a step does in the run as it stands before it: a run without a ready node only enters step mode."""
    run = screen.session.run
    ready = (
        [] if run is None else [n.path for n in run.nodes.values() if n.status in ("ready", "held")]
    )
    if not ready:
        step, goes = screen.key("step"), screen.key("continue_run")
        return f"step mode: no node is ready now; {step} starts the next one, {goes} leaves it"
    return f"step: {'every ready node' if which == 'every' else f'the next ready node, {ready[0]}'}"


async def step_wave(screen: "MainScreen") -> None:
    """Let every ready node start."""
    run, _path = screen.target()
    await screen.send(verbs.step(run, wave=True), stepped(screen, "every"))


async def breakpoint(screen: "MainScreen") -> None:
    """Set a breakpoint before the node, or clear the one it has; without a run, and with one that has ended, for the next one."""
    shown, path = screen.session.run, screen.selected
    if path is None:
        return
    if shown is None:
        _plan_stop(screen, path)
        return
    run = shown.number
    plan = screen.session.file_plan()
    if shown.ended and plan is not None and path in plan.nodes:
        await _stop_again(screen, shown, path)
        return
    if path in shown.breakpoints:
        if await screen.send(verbs.clear_breakpoint(run, path), f"no breakpoint at {path}"):
            screen.session.remember("breakpoint cleared", verbs.set_breakpoint(run, path))
        return
    node = screen.node()
    settled = node is not None and node.settled
    goes = screen.key("continue")
    again = f", should it run again in run {run}"
    done = f"stops before {path}" + (again if settled else f": {goes} continues")
    if await screen.send(verbs.set_breakpoint(run, path), done):
        screen.session.remember("breakpoint", verbs.clear_breakpoint(run, path))


async def _stop_again(screen: "MainScreen", run: RunState, path: str) -> None:
    """Set a breakpoint for both ways in which an ended run may begin again, by another run and in itself, or clear it."""
    stops = screen.planned_stops(screen.session.shown_file)
    if path in stops or path in run.breakpoints:
        if path in stops:
            stops.remove(path)
        said = f"no breakpoint at {path}, in the next run and in run {run.number}"
        if path not in run.breakpoints:
            screen.notice(said, "info")
        else:
            await screen.send(verbs.clear_breakpoint(run.number, path), said)
        return
    said = f"the next run stops before {path}: {screen.key('launch')} starts it"
    more = f"; so does run {run.number}, should {path} run again"
    if await screen.send(verbs.set_breakpoint(run.number, path), said + more):
        stops.append(path)


def _plan_stop(screen: "MainScreen", path: str) -> None:
    """Keep a breakpoint for the next run of the shown workflow, or drop it."""
    stops = screen.planned_stops(screen.session.shown_file)
    launches = screen.key("launch")
    if path in stops:
        stops.remove(path)
        screen.notice(f"the next run does not stop before {path}", "info")
    else:
        stops.append(path)
        screen.notice(f"the next run stops before {path}: {launches} starts it", "info")


async def breakpoints(screen: "MainScreen") -> None:
    """List the breakpoints of the run, or those kept for the next one; choosing one goes there."""
    run = screen.session.run
    sets = screen.key("breakpoint")
    if run is None:
        stops = screen.planned_stops(screen.session.shown_file)
        found = [Entry(path, clean(path), "before it runs, in the next run") for path in stops]
    else:
        stops = screen.planned_stops(screen.session.shown_file) if run.ended else []
        here = dict(consequences.stops_of(run))
        found = [
            Entry(path, clean(path), f"{said}{', and in the next run' * (path in stops)}")
            for path, said in here.items()
        ]
        found += [
            Entry(path, clean(path), "before it runs, in the next run")
            for path in stops
            if path not in here
        ]
    if not found:
        screen.notice(f"no breakpoint is set: {sets} sets one before the selected node", "info")
        return
    title = f"Breakpoints of run {run.number}" if run is not None else "Breakpoints of the next run"
    chosen = await screen.app.push_screen_wait(Menu(title, found, hint="↑↓ ⏎ go there · esc back"))
    if chosen is not None:
        screen.select(chosen)


async def continue_node(screen: "MainScreen") -> None:
    """Leave the breakpoint or hold of the node."""
    run, path = screen.target()
    await screen.send(verbs.release(run, path), f"{path} goes on")


async def continue_run(screen: "MainScreen") -> None:
    """Let the run go on: take it up, end its pause, leave step mode and breakpoints, whichever keeps it."""
    session: Session = screen.session
    if session.run is None:
        return
    number = session.run.number
    if not session.live:
        with screen.waiting("the run is about to be taken up"):
            await session.take_up(number)
    run = session.run
    if run is None or run.number != number:
        return
    stopped = run.stepping or run.until is not None
    stopped = stopped or any(node.gate == "breakpoint" for node in run.nodes.values())
    said = f"run {number} goes on where it stood"
    if run.paused and not await screen.send(verbs.resume(number), said):
        return
    if stopped and not await screen.send(verbs.go_on(number), said):
        return
    screen.notice(said, "good")


async def run_to(screen: "MainScreen") -> None:
    """Run to the node and stop behind it."""
    run, path = screen.target()
    await screen.send(
        verbs.step(run, until=path),
        f"runs to {path} and stops there: {_key(screen, 'continue_run')} continues",
    )


async def cancel(screen: "MainScreen") -> None:
    """Cancel the node; asks first when an attempt is open that may have acted."""
    number, path = screen.target()
    run, node = screen.session.run, screen.node()
    if run is None or node is None:
        return
    forward = node.status in ("running", "waiting")
    if forward and node.plan.node.side_effects == "external":
        rows = consequences.cancel_node_rows(run, node)
        sure = await screen.app.push_screen_wait(
            Confirm(f"Cancel {clean(path)}", rows, "cancel it")
        )
        if not sure:
            return
    skipped = consequences.skipped_behind(run, node) if node.status != "compensating" else []
    behind = f"; skipped with it: {consequences.named(skipped)}" if skipped else ""
    undone = node.status == "compensating"
    said = f"the undo of {path} is cancelled" if undone else f"{path} is cancelled{behind}"
    await screen.send(verbs.cancel(number, path), said)


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
    **again.VERBS,
    **outcomes.VERBS,
    "launch": launch,
    "undo": undo,
    "undo_run": undo_run,
    "hold": hold,
    "pause": pause,
    "step": step,
    "step_wave": step_wave,
    "breakpoint": breakpoint,
    "breakpoints": breakpoints,
    "continue": continue_node,
    "continue_run": continue_run,
    "run_to": run_to,
    "cancel": cancel,
    "cancel_run": cancel_run,
    "take_back": take_back,
    "revise": revise,
}
