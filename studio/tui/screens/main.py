"""The main screen: carries out keys and actions on what the panes show."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding, BindingType

from studio.application.session import AnyCommand, Session
from studio.projections.layout import Segment
from studio.projections.screen.actions import ACTIONS, BY_ID, Action, key_name, shown_key, why_not
from studio.projections.screen.footer import PANE_CALL
from studio.projections.screen.graph import needs_in_order
from studio.projections.screen.keymap import CHARACTER_OF_KEY
from studio.projections.screen.panes import PANES
from studio.projections.screen.wording import with_keys
from studio.tui.guard import report_to
from studio.tui.messages import ActionCalled, FileChosen, NodeOpened, RunChosen
from studio.tui.screens.live import LiveScreen

if TYPE_CHECKING:
    from studio.tui.verbs.table import Verb

GOING: Final = frozenset(
    {"up", "down", "left", "right", "h", "l", "home", "end", "pageup", "pagedown", "backspace"}
    | {"shift+up", "shift+down", "shift+left", "shift+right"}
)
"""Keys for going around, which not every pane has a use for: nothing happens where there is nowhere to go."""

PATIENCE: Final = 0.5
"""Seconds after which a verb that has no answer yet is told of: longer than any commit on a disk that works."""


class MainScreen(LiveScreen):
    """Keys and actions.

    Args:
        session: what is shown; open.
        ascii: draw with ASCII characters only.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        *[
            Binding(",".join(a.keys), f"act('{a.id}')", a.label, show=False, id=a.id)
            for a in ACTIONS
        ],
        Binding("enter", "open", show=False),
        Binding("escape", "back", show=False),
        Binding("left_square_bracket", "turn_tab(-1)", show=False),
        Binding("right_square_bracket", "turn_tab(1)", show=False),
        Binding("ctrl+c,ctrl+q", "interrupt", show=False),
    ]

    def __init__(self, session: Session, *, ascii: bool = False) -> None:
        super().__init__(session, ascii=ascii)
        self._turn = asyncio.Lock()
        self._stops: dict[str, list[str]] = {}

    async def send(self, command: AnyCommand, done: str) -> bool:
        """Send a verb; say what came of it. Returns whether it was taken."""
        with self.waiting("asked; the answer waits for the history"):
            refusal = await self.session.send(command)
        if refusal is not None:
            self.notice(with_keys(str(refusal), self.session.keymap.keys), "warning")
            return False
        # A verb that can be taken back remembers itself after this; the others leave nothing to take back.
        self.session.last_action = None
        self.notice(done, "info")
        return True

    def key(self, action: str) -> str:
        """The key of an action as this person has it, as it is written on screen."""
        return shown_key(self.situation(), BY_ID[action])

    def planned_stops(self, file: str | None) -> list[str]:
        """Breakpoints kept for the next run of a file; to be changed in place."""
        return self._stops.setdefault(file or "", [])

    def tell_refusal(self, rows: Sequence[Sequence[Segment]]) -> None:
        """Say why there is no plan, and what would make one possible."""
        text = ". ".join("".join(part.text for part in row) for row in rows if row)
        self.notice(with_keys(text.rstrip(". "), self.session.keymap.keys), "warning")

    @contextmanager
    def waiting(self, text: str) -> Iterator[None]:
        """Say so while something that a key asked for takes its time: the key was not lost."""
        timer = self.set_timer(PATIENCE, lambda: self.notice(text, "warning"))
        try:
            yield
        finally:
            timer.stop()

    # ----------------------------------------------------------------- messages and keys

    def on_node_opened(self, message: NodeOpened) -> None:
        """Enter or a double click."""
        self.select(message.path)
        self.show_pane("inspector")

    def on_run_chosen(self, message: RunChosen) -> None:
        """Show a run, and the node of it that was chosen."""
        if message.run != self.session.shown_run:
            self.session.show_run(message.run)
            if message.node is None:
                self.graph.open_anew()
        if message.node is not None:
            self.select(message.node)
        self.show_pane("graph")

    def on_file_chosen(self, message: FileChosen) -> None:
        """Show a workflow."""
        self.session.show_file(message.path)
        self.show_pane("graph")

    async def on_action_called(self, message: ActionCalled) -> None:
        """A footer key, a pane's name or a menu entry was clicked."""
        if message.action.startswith(PANE_CALL):
            self.show_pane(PANES[int(message.action.removeprefix(PANE_CALL)) - 1])
            return
        await self.action_act(message.action)

    async def action_act(self, name: str) -> None:
        """Carry out an action of the table, or say why it does not apply."""
        action = BY_ID[name]
        if not self._applies(action):
            return
        run = self.session.run
        needy = run is not None and bool(needs_in_order(run) or self.asks())
        if (needy or "need" not in name) and self.hints.note_action(name):
            self.draw_lines()
        from studio.tui.verbs.table import IN_TURN, VERBS  # lazy: brings in every dialog

        # In a worker, so that a verb may wait for a dialog while the screen goes on.
        if name in IN_TURN:
            self.run_worker(self._in_turn(action, VERBS[name]), group=name)
        else:
            self.run_worker(self._carry_out(VERBS[name]), group=name, exclusive=True)

    def _applies(self, action: Action) -> bool:
        """Whether an action applies to what is selected; says why when it does not."""
        at = self.situation()
        reason = why_not(at, action)
        if reason is not None:
            self.notice(f"{shown_key(at, action)}: {reason}", "warning")
        return reason is None

    async def _in_turn(self, action: Action, verb: "Verb") -> None:
        """Carry out a verb when those asked for before it have been answered: it then acts on what they left."""
        waited = self._turn.locked()
        async with self._turn:
            if not waited or self._applies(action):
                await self._carry_out(verb)

    async def _carry_out(self, verb: "Verb") -> None:
        try:
            await verb(self)
        except Exception as error:
            report_to(self.app, error)

    def action_open(self) -> None:
        """Enter."""
        if self.selected is not None:
            from studio.tui.verbs.viewing import open_menu  # lazy: brings in the dialogs

            self.run_worker(self._carry_out(open_menu), group="menu", exclusive=True)

    def action_interrupt(self) -> None:
        """ctrl+c: copy what is selected, or say how to quit; it never ends a run."""
        text = self.get_selected_text()
        if text:
            from studio.tui.verbs.viewing import copy_selection  # lazy: brings in the dialogs

            copy_selection(self, text)
            return
        quits = self.key("quit")
        moving = [str(number) for number in self.session.moving_runs()]
        runs = f"run{'s' * (len(moving) > 1)} {', '.join(moving)}"
        asks = f" and asks first what becomes of {runs}" if moving else ""
        self.notice(f"nothing is selected that could be copied; {quits} quits{asks}", "info")

    def tell_unbound(self, key: str) -> None:
        """Say that a key does nothing; one for going around just has nowhere to go from here."""
        if key not in GOING:
            name = CHARACTER_OF_KEY.get(key) or key_name(key)
            self.notice(f"{name} is no key here: {self.key('help')} shows them", "info")

    def action_turn_tab(self, step: int) -> None:
        """Another tab of the node pane, from any pane beside it."""
        if self.inspector.display:
            self.inspector.change_tab(step)
        else:
            self.notice("[ and ] turn the tabs of the node pane: 3 shows it", "info")

    def action_back(self) -> None:
        """Escape: one level back."""
        timeline = self.body.timeline
        if self.selections:
            self.clear_selection()
        elif self.body.zoomed:
            self.toggle_zoom()
        elif self.body.current != "graph":
            self.show_pane("graph")
        elif self.graph.focused_on is not None:
            self.graph.toggle_focus()
        elif timeline is not None and timeline.display and timeline.cursor is not None:
            timeline.return_to_now()
        elif self.body.view != "graph" and self.body.arrangement.size != "tiny":
            self.body.turn_to("graph")
        elif self.hints.first_start:
            self.hints.dismiss()
        self.draw_lines()

    @property
    def at_home(self) -> bool:
        """Whether Escape would change nothing: the graph has the focus and shows all of the run."""
        body = self.body
        home = body.current == "graph" and not body.zoomed and self.graph.focused_on is None
        return home and (body.view == "graph" or body.arrangement.size == "tiny")

    def show_pane(self, name: str) -> None:
        """Bring a pane (runs, graph, inspector or log) up and focus it."""
        self.body.show_pane(next(pane for pane in PANES if pane == name))

    def toggle_zoom(self) -> None:
        """Give the focused pane the whole screen, or put the others beside it again."""
        self.body.toggle_zoom()

    def cycle_view(self) -> None:
        """The next of graph, table and timeline."""
        self.body.cycle_view()

    def toggle_map(self) -> None:
        """Show or hide the map of the graph."""
        why_not = self.graph.toggle_map()
        if why_not:
            self.notice(why_not, "info")

    def toggle_fold(self) -> None:
        """Open the closed group under the cursor, or close the group of the selected node."""
        said = self.graph.toggle_fold()
        if said:
            self.notice(said, "info")
        self.draw_lines()

    def keep_matches(self, found: Sequence[str]) -> None:
        """Nodes that a search has found, in the order of the graph."""
        self.graph.keep_matches(found)

    def go_to_match(self, step: int) -> tuple[int, int]:
        """Go to the next or previous node that was found. Returns its number, from 1, and how many there are."""
        return self.graph.go_to_match(step)
