"""Running again: a retry, what follows it, stale nodes, everything. What has acted does not act again unasked."""

import contextlib
from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING, cast

from studio.application import verbs
from studio.application.runs import Record
from studio.application.session import NodeState, RunState
from studio.projections.layout import Segment, clean
from studio.projections.screen.again import (
    Mode,
    Question,
    asked,
    doubt_question,
    question,
    roots_of,
    runs_again,
)
from studio.projections.screen.consequences import named, undo_rows
from studio.projections.screen.graph import stale_nodes
from studio.projections.screen.rules import STANDINGS
from studio.projections.undo_plan import compensation_outcome
from studio.tui.screens.dialog import Confirm, Entry, Menu
from studio.tui.verbs.outcomes import outcome

if TYPE_CHECKING:
    from studio.tui.screens.main import MainScreen


async def retry(screen: "MainScreen") -> None:
    """Run the selected node again."""
    await _retry(screen, downstream=False)


async def retry_downstream(screen: "MainScreen") -> None:
    """Retry the node, and what follows if its input differs."""
    await _retry(screen, downstream=True)


async def _retry(screen: "MainScreen", *, downstream: bool) -> None:
    number, path = screen.target()
    run, node, state = screen.session.run, screen.node(), screen.session.engine_state
    if run is None or node is None or state is None:
        return
    mode: Mode = "downstream" if downstream else "node"
    if node.status == "in_doubt":
        chosen = await _ask(screen, f"{clean(path)} is in doubt", doubt_question(run, node))
        if chosen == "outcome":
            await outcome(screen)
        if chosen != "again":
            return
    elif (what := question(state, run, mode, path)) is not None:
        chosen = await _ask(screen, f"Run {clean(path)} again?", what)
        if chosen == "undo":
            await undo_then_again(screen, run, runs_again(run, mode, path).undo, path)
        if chosen != "again":
            return
    await screen.send(
        verbs.retry(number, path, downstream=downstream), started(run, node, downstream)
    )


def started(run: RunState, node: NodeState, downstream: bool) -> str:
    """What a retry that was taken is called, by how the node stood before."""
    name = clean(node.path)
    if node.status in ("compensation_failed", "compensating"):
        return f"the undo of {name} runs again"
    if not node.attempt:
        return f"{name} starts"
    if downstream:
        return f"{name} runs again, then what follows it where its input differs"
    stale = runs_again(run, "node", node.path).stale
    return f"{name} runs again" + (f"; {named(stale)} stale behind it" if stale else "")


async def _ask(screen: "MainScreen", title: str, what: Question) -> str | None:
    """Put a question; `keep` and Escape come to the same."""
    entries = [Entry(*choice) for choice in what.choices]
    return await screen.app.push_screen_wait(Menu(title, entries, lead=[*what.rows, []]))


# ----------------------------------------------------------------- undo first


async def undo_then_again(
    screen: "MainScreen", run: RunState, nodes: Sequence[str], start: str | None
) -> None:
    """Undo nodes after showing the plan, and run them and what follows again once that is done.

    Args:
        screen: where to ask and tell.
        run: the run.
        nodes: what is undone.
        start: node or item to run from afterwards; None for the first of those undone, and then what is stale.
    """
    session, state = screen.session, screen.session.engine_state
    if state is None or not nodes:
        return
    rows, steps = undo_rows(state, run, nodes, then=False)
    if not steps:
        screen.tell_refusal(rows)
        return
    roots = roots_of(run, nodes if start is None else [*nodes, start])
    rows += [
        [],
        [
            Segment("then run again: ", "dim"),
            Segment(f"{named(roots)} and all that follows", "text"),
        ],
    ]
    title = f"Undo, then run {named(roots)} again"
    if not await screen.app.push_screen_wait(Confirm(title, rows, f"undo {steps}, then run")):
        return
    before = _last_position(screen, run.number)
    done = f"undoing {named(list(nodes))}; then {named(roots)} runs again"
    if await screen.send(verbs.compensate(run.number, nodes), done):
        screen.run_worker(
            _once_undone(screen, run.number, roots, before),
            group="afterwards",
            exit_on_error=False,
        )
    session.changed(whole=True)


def _last_position(screen: "MainScreen", number: int) -> int:
    return max((one.position for one in screen.session.studio.reading.records(number)), default=0)


async def _once_undone(
    screen: "MainScreen", number: int, roots: Sequence[str], before: int
) -> None:
    """Wait for the end of an undo; then run from the nodes that came first, and what else is stale."""
    session = screen.session
    done: bool | None = None
    # Closed at once when the undo is over: the run may go on for long.
    stream = cast("AsyncGenerator[Sequence[Record]]", session.studio.follow(number))
    async with contextlib.aclosing(stream) as batches:
        async for records in batches:
            ends = [compensation_outcome(one) for one in records if one.position > before]
            done = next((end for end in ends if end is not None), None)
            if done is not None:
                break
    if not done:
        screen.notice(
            f"run {number}: not all of it was undone, so {named(list(roots))} does not run again",
            "warning",
        )
        return
    for root in roots:
        refusal = await session.send(verbs.rerun(number, root))
        if refusal is not None:
            screen.notice(f"undone, but not run again: {refusal}", "warning")
            return
    rest = stale_nodes(session.studio.view(number).run)
    if rest:
        await session.send(verbs.rerun(number))
    screen.notice(f"undone; {named(list(roots))} and what follows run again", "good")


# ----------------------------------------------------------------- rerun


async def rerun(screen: "MainScreen") -> None:
    """Run stale nodes, or everything from the node on, or a fresh run with the same parameters."""
    run, path, state = screen.session.run, screen.selected, screen.session.engine_state
    if run is None or state is None:
        return
    plan = runs_again(run, "stale")
    what = asked(state, run, plan, None) if plan.risky else None
    title = f"{named(plan.maybe)}: run again?" if plan.maybe else "Run what again?"
    lead = [*what.rows, []] if what is not None else []
    entries = _rerun_entries(screen, run, plan.maybe, what)
    chosen = await screen.app.push_screen_wait(Menu(title, entries, lead=lead))
    if chosen == "stale":
        await screen.send(verbs.rerun(run.number), f"{named(plan.maybe)} run again")
    elif chosen == "undo":
        await undo_then_again(screen, run, plan.undo, None)
    elif chosen == "keep":
        screen.keep(run, plan.risky)
        screen.notice(
            f"{named(plan.risky)} stays as it is: you are not asked about it again", "info"
        )
    elif chosen == "from" and path is not None:
        await _rerun_from(screen, run, path)
    elif chosen == "all" and screen.session.shown_file is not None:
        with screen.waiting("the run is about to start"):
            number = await screen.session.launch(screen.session.shown_file, run.params)
        text = f"run {number} started with the parameters of run {run.number}"
        screen.session.tell(text, "good")


def _rerun_entries(
    screen: "MainScreen", run: RunState, stale: list[str], what: Question | None
) -> list[Entry]:
    path = screen.selected
    held = "the run is being undone" if run.compensation is not None else ""
    nodes = screen.session.run.nodes if screen.session.run is not None else {}
    node = nodes.get(path) if path is not None else None
    none = held or ("" if stale else "none is stale")
    entries = [
        Entry("stale", "Stale nodes again", none or named(stale), "s", enabled=not none),
    ]
    if what is not None:
        undo = what.choices[1]
        reason = held or undo.detail
        entries += [
            Entry("undo", undo.label, reason, "u", enabled=undo.enabled and not held),
            Entry("keep", "Keep them as they are", "they stay stale; you are not asked again", "k"),
        ]
    begun = node is not None and (node.attempt > 0 or node.status != "blocked")
    first = "it and all that follows it"
    if node is not None and not begun:
        first = f"it {STANDINGS[node.status]}"
    reason = held or (first if node is not None else "select a node first")
    entries += [
        Entry(
            "from", f"From {clean(path or 'a node')} on", reason, "f", enabled=begun and not held
        ),
        Entry("all", "All of it, in a fresh run", "with the same parameters: verify clean", "a"),
    ]
    return entries


async def _rerun_from(screen: "MainScreen", run: RunState, path: str) -> None:
    state = screen.session.engine_state
    what = question(state, run, "from", path) if state is not None else None
    if what is not None:
        chosen = await _ask(screen, f"Run {clean(path)} and what follows again?", what)
        if chosen == "undo":
            await undo_then_again(screen, run, runs_again(run, "from", path).undo, path)
        if chosen != "again":
            return
    await screen.send(verbs.rerun(run.number, path), f"{path} and what follows run again")


VERBS = {"retry": retry, "retry_downstream": retry_downstream, "rerun": rerun}
"""Which function carries out which action."""
