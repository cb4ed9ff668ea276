"""Actions that change what is seen, or take something out of the screen: find, copy, edit, help."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from studio.application.creating import TEMPLATE_NAMES, create_workflow
from studio.application.verbs import cancel
from studio.errors import StudioError
from studio.projections.layout import Segment, clean
from studio.projections.plain import in_ascii
from studio.projections.screen.actions import ACTIONS, key_name, key_of, keys_of, shown_key, why_not
from studio.projections.screen.again import risk_of
from studio.projections.screen.consequences import state_row
from studio.projections.screen.graph import matches, needs_in_order, step_stops
from studio.projections.screen.menus import copy_choices, leave_choices, menu_label, node_choices
from studio.projections.screen.notices import told_rows
from studio.projections.states import node_look, step_text
from studio.tui.editing import copy_text, open_editor, open_pager
from studio.tui.screens.dialog import Entry, Menu, Prompt, Reader
from studio.tui.widgets.local_time import local_time
from studio.tui.widgets.paged_view import PagedView
from studio.tui.widgets.rows import Row

if TYPE_CHECKING:
    from studio.tui.screens.main import MainScreen


async def next_need(screen: "MainScreen") -> None:
    """Go to the next thing that needs a person."""
    _go(screen, 1)


async def previous_need(screen: "MainScreen") -> None:
    """Go to the previous thing that needs a person."""
    _go(screen, -1)


def _go(screen: "MainScreen", step: int) -> None:
    run = screen.session.run
    asks = screen.asks()
    found = [*needs_in_order(run), *asks] if run is not None else []
    stops = step_stops(run) if run is not None and not found else []
    if run is not None and stops:
        keys = screen.session.keymap.keys
        here = stops.index(screen.selected) if screen.selected in stops else (-1 if step > 0 else 0)
        screen.select(stops[(here + step) % len(stops)])
        steps = f"{key_of(keys, 'step')} lets it start, " if run.stepping else ""
        screen.notice(f"{step_text(run)}: {steps}{key_of(keys, 'continue_run')} leaves it", "info")
        return
    if not found:
        other = next(
            (
                row
                for row in screen.session.rows
                if row.needs and row.run != screen.session.shown_run
            ),
            None,
        )
        if other is None:
            screen.notice("nothing needs you", "good")
            return
        screen.session.show_run(other.run)
        shown = screen.session.run
        needy = needs_in_order(shown) if shown is not None else []
        if needy:
            screen.select(needy[0] if step > 0 else needy[-1])
        screen.notice(f"on to run {other.run} ({clean(other.workflow)})", "info")
        return
    here = found.index(screen.selected) if screen.selected in found else (-1 if step > 0 else 0)
    there = found[(here + step) % len(found)]
    screen.select(there)
    if run is not None and there in asks:
        decides = screen.key("rerun")
        said = f"{clean(there)} is stale and {risk_of(run.nodes[there])}"
        screen.notice(f"{said}: {decides} runs it again, undoes it first, or keeps it", "warning")


async def find(screen: "MainScreen") -> None:
    """Find a node by name; in the log and in the node pane search what is shown there."""
    pane = screen.focused
    if isinstance(pane, PagedView):
        where = "the log" if pane is screen.log_pane else screen.inspector.tab
        text = await screen.app.push_screen_wait(
            Prompt(
                f"Search {where}",
                "a text, case aside; n and N go to the next and the previous",
                pane.searched,
            )
        )
        if text is not None:
            pane.look_for(text)
        return
    plan = screen.session.plan
    if plan is None:
        return
    names = matches(plan, "")
    run = screen.session.run
    entries = [
        Entry(name, name, node_look(run.nodes[name]).word if run else plan.nodes[name].node.uses)
        for name in names
    ]
    menu = Menu(f"Find a node of {clean(plan.workflow.name)}", entries, filters=True)
    chosen = await screen.app.push_screen_wait(menu)
    if chosen is None:
        return
    listed = {entry.value for entry in menu.shown} if menu.typed else set()
    screen.keep_matches([name for name in names if name in listed])
    screen.select(chosen)
    if len(listed) > 1:
        following, former = screen.key("next_match"), screen.key("previous_match")
        screen.notice(f"{len(listed)} found: {following} next, {former} previous", "info")


async def next_match(screen: "MainScreen") -> None:
    """Go to the next node that was found."""
    _go_to_match(screen, 1)


async def previous_match(screen: "MainScreen") -> None:
    """Go to the previous node that was found."""
    _go_to_match(screen, -1)


def _go_to_match(screen: "MainScreen", step: int) -> None:
    place, count = screen.go_to_match(step)
    if not count:
        screen.notice(f"nothing was looked for: {screen.key('find')} finds nodes", "info")
    else:
        screen.notice(f"match {place} of {count}", "info")


async def palette(screen: "MainScreen") -> None:
    """Find an action by name."""
    at = screen.situation()
    entries = []
    for action in ACTIONS:
        reason = why_not(at, action)
        entries.append(
            Entry(
                action.id,
                menu_label(at, action),
                reason or action.help,
                shown_key(at, action),
                enabled=reason is None,
            )
        )
    entries.sort(key=lambda entry: not entry.enabled)
    chosen = await screen.app.push_screen_wait(Menu("What to do?", entries, filters=True))
    if chosen is not None:
        await screen.action_act(chosen)


async def open_menu(screen: "MainScreen") -> None:
    """Everything that can be done with the selected node."""
    node = screen.node()
    run = screen.session.run
    if node is None or run is None:
        screen.show_pane("inspector")
        return
    entries = [Entry(*choice) for choice in node_choices(screen.situation())]
    lead = [state_row(node, screen.ascii), []]
    chosen = await screen.app.push_screen_wait(Menu(clean(node.path), entries, lead=lead))
    if chosen is not None:
        await screen.action_act(chosen)


async def show_help(screen: "MainScreen") -> None:
    """Keys and what they do."""
    at = screen.situation()
    rows: list[Row] = []
    problems = screen.session.keymap.problems
    if problems:
        rows += [[], [Segment("Left out of your keys", "title")]]
        rows += [[Segment(f"  {clean(problem)}", "warn")] for problem in problems]
    titles = {
        "node": "The selected node",
        "run": "The run",
        "move": "Going around",
        "view": "Looking",
        "app": "Workflow Studio",
    }
    for scope, title in titles.items():
        rows += [[], [Segment(title, "title")]]
        for action in ACTIONS:
            if action.scope != scope:
                continue
            keys = " ".join(key_name(key) for key in keys_of(at, action))
            look = "text" if action.rule(at) is None else "dim"
            rows.append([Segment(f"  {keys:<10}", "key"), Segment(action.help, look)])
    rows += [
        [],
        [Segment("Everywhere", "title")],
        *[
            [
                Segment(f"  {in_ascii(keys) if screen.ascii else keys:<14}", "key"),
                Segment(text, "text"),
            ]
            for keys, text in EVERYWHERE
        ],
    ]
    await screen.app.push_screen_wait(Reader("Keys", rows[1:]))


async def show_notices(screen: "MainScreen") -> None:
    """The last notices in full, the newest first."""
    rows = told_rows(screen.told, local_time)
    await screen.app.push_screen_wait(Reader("Notices, the newest first", rows))


EVERYWHERE = (
    ("arrows hjkl", "along the edges; in lists, up and down"),
    ("J K", "next and previous node in order"),
    ("g G", "first and last"),
    ("enter", "what can be done with the node"),
    ("tab 1 2 3 4", "panes: runs, graph, node, log"),
    ("[ ]", "tabs of the node pane, from any pane; in it ← → too"),
    ("W # %", "wrap, time, level, in the log pane"),
    ("!", "first line that tells of an error, then the next, in the log pane"),
    ("n N", "next and previous match of what / searched for in the log or in a value"),
    ("esc", "one level back"),
)


async def copy(screen: "MainScreen") -> None:
    """The copy menu."""
    path = screen.selected
    if path is None:
        return
    session = screen.session
    run, node = session.run, screen.node()
    entries = [Entry(*choice) for choice in copy_choices(screen.situation())]
    chosen = await screen.app.push_screen_wait(Menu(f"Copy of {clean(path)}", entries))
    if chosen is None:
        return
    text = path
    if chosen == "error" and node is not None and node.failure is not None:
        failure = node.failure
        text = f"{failure.type}: {failure.message}\n{failure.traceback}".strip()
    elif chosen == "input":
        text = json.dumps(session.input_of(path), indent=2, ensure_ascii=False)
    elif chosen == "output":
        text = json.dumps(session.output_of(path), indent=2, ensure_ascii=False)
    elif chosen == "template":
        text = f"{{{{ nodes.{path}.output }}}}"
    elif chosen == "log":
        text = "\n".join(line.text for _key, lines in session.log_lines(path) for line in lines)
    elif chosen == "command" and run is not None:
        text = f"studio retry {run.number} {path}"
    how = copy_text(screen.app, text)
    screen.notice(f"copied {chosen} of {path}, {len(text)} characters, {how}", "good")


def copy_selection(screen: "MainScreen", text: str) -> None:
    """Copy what is selected on the screen, and say so."""
    how = copy_text(screen.app, text)
    screen.notice(f"copied {len(text)} characters, {how}", "good")


async def pager(screen: "MainScreen") -> None:
    """The whole log in the pager."""
    session = screen.session
    lines = [
        f"{key.node} attempt {key.attempt} │ {clean(line.text)}"
        for key, lines in session.log_lines(screen.selected)
        for line in lines
    ]
    if not lines:
        screen.notice("nothing was written", "info")
        return
    await open_pager(screen.app, "\n".join(lines) + "\n")


async def edit(screen: "MainScreen") -> None:
    """Open the source of the node, or the line of its error."""
    file, line = screen.session.source_of(screen.selected)
    screen.notice(await open_editor(screen.app, file, line), "info")


async def new(screen: "MainScreen") -> None:
    """Create a workflow from a template."""
    entries = [Entry(name, name, about) for name, about in TEMPLATE_NAMES]
    template = await screen.app.push_screen_wait(Menu("New workflow from a template", entries))
    if template is None:
        return
    session = screen.session
    folder = session.folder if session.folder.is_dir() else session.folder.parent
    label, name = "its name: letters, digits, _ or -", ""
    paths: Sequence[Path] = ()
    while not paths:
        given = await screen.app.push_screen_wait(Prompt("New workflow", label, name))
        if not given:
            return
        name = given
        try:
            paths = create_workflow(name, template, folder)
        except StudioError as error:
            label = str(error)
    entry = session.catalog.read(paths[0])
    session.changed(files=True)
    session.show_file(entry.path)
    edit, launch = (key_of(session.keymap.keys, action) for action in ("edit", "launch"))
    screen.notice(f"{entry.display} created: {edit} edits it, {launch} starts it", "good")


async def more_detail(screen: "MainScreen") -> None:
    """Draw nodes with more detail."""
    _change_detail(screen, 1)


async def less_detail(screen: "MainScreen") -> None:
    """Draw nodes with less detail."""
    _change_detail(screen, -1)


def _change_detail(screen: "MainScreen", step: int) -> None:
    """Draw the graph with more or less detail; where that is the end of it, say so."""
    fits = screen.key("fit")
    if screen.body.view != "graph":
        screen.notice(f"the {screen.body.view} has one detail only", "info")
    elif not screen.graph.change_detail(step):
        most = "most" if step > 0 else "least"
        screen.notice(f"this is the {most} detail; {fits} chooses what fits", "info")


async def fit(screen: "MainScreen") -> None:
    """Let the pane choose the drawing."""
    screen.graph.change_detail(0)


async def focus_around(screen: "MainScreen") -> None:
    """Show only what is around the selected node, or everything again."""
    screen.graph.toggle_focus()
    screen.draw_lines()


async def group(screen: "MainScreen") -> None:
    """Open the closed group under the cursor, or close the group of the selected node."""
    if screen.body.view != "graph":
        view = screen.key("view")
        screen.notice(f"groups are closed in the graph only: {view} goes on to it", "info")
    else:
        screen.toggle_fold()


async def view(screen: "MainScreen") -> None:
    """The next of graph, table and timeline."""
    screen.cycle_view()


async def zoom(screen: "MainScreen") -> None:
    """Give the focused pane the whole screen, or put the others beside it again."""
    screen.toggle_zoom()


async def show_map(screen: "MainScreen") -> None:
    """Show or hide the map of the graph."""
    screen.toggle_map()


async def why(screen: "MainScreen") -> None:
    """Open the inspector's Why."""
    screen.show_pane("inspector")
    screen.inspector.open_tab("Why")


async def watch_mode(screen: "MainScreen") -> None:
    """What a saved file does to the run."""
    modes: tuple[Literal["auto", "ask", "off"], ...] = ("auto", "ask", "off")
    session = screen.session
    session.watch_mode = modes[(modes.index(session.watch_mode) + 1) % 3]
    meaning = {
        "auto": "a saved file is taken into the run at once",
        "ask": "a saved file is taken into the run when you say so",
        "off": "a saved file leaves the run alone",
    }
    screen.notice(f"watch {session.watch_mode}: {meaning[session.watch_mode]}", "info")


async def leave(screen: "MainScreen") -> None:
    """One level back, then quit; with live runs: pause, cancel or leave them to be taken up again."""
    if screen.focused not in (None, screen.graph):
        screen.action_back()
        return
    moving = screen.session.moving_runs()
    if moving:
        entries = [Entry(*choice) for choice in leave_choices()]
        names = ", ".join(str(number) for number in moving)
        title = f"Runs {names} are under way" if len(moving) > 1 else f"Run {names} is under way"
        chosen = await screen.app.push_screen_wait(Menu(title, entries))
        if chosen in (None, "stay"):
            return
        if chosen == "pause":
            screen.notice("paused; quits when what runs has finished · q asks again", "warning")
            await screen.session.pause_all(moving)
        elif chosen == "cancel":
            for number in moving:
                await screen.session.send(cancel(number))
            await screen.session.studio.rest()
    screen.app.exit()


VERBS = {
    "next_need": next_need,
    "previous_need": previous_need,
    "find": find,
    "next_match": next_match,
    "previous_match": previous_match,
    "palette": palette,
    "help": show_help,
    "notices": show_notices,
    "copy": copy,
    "pager": pager,
    "edit": edit,
    "new": new,
    "more_detail": more_detail,
    "less_detail": less_detail,
    "fit": fit,
    "fold": focus_around,
    "group": group,
    "why": why,
    "view": view,
    "zoom": zoom,
    "map": show_map,
    "watch_mode": watch_mode,
    "quit": leave,
}
