"""The application: opens a session, puts the main screen up, and never dies of an error it can show."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from importlib import import_module
from typing import Any, ClassVar

from textual import events
from textual._dispatch_key import dispatch_key
from textual.app import App
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.filter import LineFilter, NoColor
from textual.screen import Screen
from textual.theme import BUILTIN_THEMES, Theme
from textual.worker import Worker, WorkerState

from studio.application.session import Session
from studio.errors import StudioError
from studio.tui.filters import AsciiFilter, ControlFilter
from studio.tui.guard import Guarded
from studio.tui.key_queue import KeyQueue
from studio.tui.messages import KeyHandled, KeysWanted
from studio.tui.palette import BACKGROUNDS, Palette
from studio.tui.screens.main import MainScreen
from studio.tui.terminal import SteadyDriver

LATER = (
    "studio.core.turn",
    "studio.projections.screen.news",
    "studio.tui.widgets.run_pages",
    "studio.tui.widgets.timeline_pane",
    "studio.tui.screens.dialog",
    "studio.tui.screens.editor",
    "studio.tui.screens.launch",
    "studio.tui.verbs.table",
    "studio.application.adopting",
    "studio.engine.recovery",
    "studio.loading.yaml_messages",
    "studio.model.expressions.template",
    "studio.storage.backups",
)
"""What the first picture does without, in the order of loading: so no key waits for it, and it is there whatever
becomes of the installation while the screen is open."""

OpenSession = Callable[[], Awaitable[Session]]


class StudioApp(Guarded, App[None], inherit_bindings=False):
    """Workflow Studio on screen.

    Args:
        open_session: makes the session; awaited before the terminal is taken over, so that an error needs no screen to
            be told. Whoever gives it closes the session.
        theme_name: ``dark``, ``light``, ``contrast`` or ``ansi``.
        colour: false for ``NO_COLOR``.
        ascii: draw with ASCII characters only.

    Attributes:
        session: what is shown; None until it is open.
        errors: what handlers raised and the screen has shown.
        failure: what kept the screen from coming up.
        draws_ascii: whether only ASCII is drawn.
    """

    TITLE = "Workflow Studio"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+c", "interrupt", show=False)]
    CSS_PATH = "styles/main.tcss"

    def __init__(
        self,
        open_session: OpenSession,
        *,
        theme_name: str = "dark",
        colour: bool = True,
        ascii: bool = False,
    ) -> None:
        # Without colours too: Textual's other filter for NO_COLOR fails on text that has no style.
        super().__init__(ansi_color=theme_name == "ansi" or not colour)
        self.palette = Palette(theme_name, colour=colour)
        self.session: Session | None = None
        self.errors: list[str] = []
        self.failure: Exception | None = None
        self._open_session = open_session
        self.draws_ascii = ascii
        self._main: MainScreen | None = None
        self._painted = False
        self._keys = KeyQueue(self.post_message, self._takes_keys)
        self._gates: list[LineFilter] = [ControlFilter()]
        if ascii:
            self._gates.append(AsciiFilter())
        if not colour:
            self._gates.append(NoColor())
        self.register_theme(_theme(self.palette))
        self.theme = "studio"

    def get_driver_class(self) -> type[Driver]:
        """A driver that survives its terminal, where Textual would choose its own."""
        found = super().get_driver_class()
        return SteadyDriver if found is LinuxDriver else found

    def get_line_filters(self) -> Sequence[LineFilter]:
        """What every line passes through on its way to the terminal."""
        return [*super().get_line_filters(), *self._gates]

    # ----------------------------------------------------------------- keys

    def _takes_keys(self) -> bool:
        return bool(self._screen_stack) and getattr(self.screen, "takes_keys", False)

    async def on_event(self, event: events.Event) -> None:
        """Take what the terminal sends; a key when its turn has come."""
        if not isinstance(event, events.Key) or event.is_forwarded:
            await super().on_event(event)
        elif self._keys.admit(event):
            screen, number = self.screen, self._keys.number
            try:
                await super().on_event(event)
            finally:
                if screen.is_running and screen is self.screen:
                    (screen.focused or screen).post_message(KeyHandled(number, 1))
                else:
                    self._keys.handled(number)

    async def on_key(self, event: events.Key) -> None:
        """Do what a key is bound to; on the main screen a key that does nothing says so.

        Textual's own handler, which this stands before, does not tell whether a binding was found.
        """
        event.prevent_default()
        if await self._check_bindings(event.key) or await dispatch_key(self, event):
            return
        if self._main is not None and self.screen is self._main:
            self._main.tell_unbound(event.key)

    def action_interrupt(self) -> None:
        """ctrl+c before there is a screen that could say how to quit: nothing runs yet, so it ends the studio."""
        self.exit()

    def on_key_handled(self, message: KeyHandled) -> None:
        """A key has been through all widgets; after another lap so has what it made them tell each other."""
        screen = self.screen
        if message.lap == 1 and message.number == self._keys.number:
            (screen.focused or screen).post_message(KeyHandled(message.number, 2))
        else:
            self._keys.handled(message.number)

    def on_keys_wanted(self, message: KeysWanted) -> None:
        """A screen has come up: keys that waited for it go to it."""
        self._keys.go_on()

    def pop_screen(self) -> AwaitComplete:
        """Take the screen on top away. A key on its way through it has done its work."""
        popped = super().pop_screen()
        self._keys.handled(self._keys.number)
        return popped

    # ----------------------------------------------------------------- life

    async def on_load(self) -> None:
        """Open the session; what keeps it from opening ends the application before it has drawn anything."""
        try:
            session = self.session = await self._open_session()
        except Exception as error:
            self._give_up(error)
            return
        self.set_keymap({action: ",".join(keys) for action, keys in session.keymap.keys.items()})
        if session.shown_run is None and session.shown_file is None and session.files:
            session.show_file(next(iter(session.files)))

    def get_default_screen(self) -> Screen[Any]:
        """The main screen, where Textual would put up an empty one first."""
        if self.session is None:
            return super().get_default_screen()
        self._main = MainScreen(self.session, ascii=self.draws_ascii)
        return self._main

    def on_mount(self) -> None:
        """Note when there is something that errors can be shown on; listen for the end of a suspension."""
        self.app_resume_signal.subscribe(self, self._draw_again)
        self.screen.call_after_refresh(self._note_painted)
        if self.session is not None:
            self.run_worker(self._load_the_rest(self.session.drawn), name="rest")

    async def _load_the_rest(self, drawn: asyncio.Event) -> None:
        await drawn.wait()
        for name in LATER:
            import_module(name)
            await asyncio.sleep(0)

    def _draw_again(self, _app: App[None]) -> None:
        """The terminal is empty after a suspension, and Textual takes what it drew last as still being there."""
        for screen in self.screen_stack:
            screen.refresh(layout=True)

    def _note_painted(self) -> None:
        self._painted = True

    def report(self, error: Exception) -> None:
        """Show an error that a handler, timer or worker raised, and go on."""
        text = str(error) if isinstance(error, StudioError) else f"{type(error).__name__}: {error}"
        self.errors.append(text)
        if self._main is not None and self._main.is_mounted:
            self._main.notice(text, "warning" if isinstance(error, StudioError) else "error")

    def _handle_exception(self, error: Exception) -> None:
        """Textual calls this for what escaped a dispatch; it would end the application and print locals."""
        if not self._painted:
            self._give_up(error)
            return
        self.report(error)

    def _give_up(self, error: Exception) -> None:
        """Close a screen that never came up; whoever started it tells why."""
        self.failure = error
        self.exit(return_code=1)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A worker that failed is an error like any other."""
        error = event.worker.error
        if event.state == WorkerState.ERROR and isinstance(error, Exception):
            if not self._painted:
                self._give_up(error)
            else:
                self.report(error)


def _theme(palette: Palette) -> Theme:
    names = ("accent", "text", "dim", "border", "good", "warn", "bad")
    colour = {name: palette.style(name).color for name in names}

    def hexa(name: str, default: str) -> str:
        found = colour[name]
        return found.name if found is not None else default

    if palette.theme == "ansi" or not palette.colour:
        return Theme(
            name="studio",
            primary="ansi_blue",
            secondary="ansi_bright_black",
            accent="ansi_blue",
            foreground="ansi_default",
            background="ansi_default",
            surface="ansi_default",
            panel="ansi_bright_black",
            success="ansi_green",
            warning="ansi_yellow",
            error="ansi_red",
            ansi=True,
            # Textual's own ansi themes set these; without them its style sheets do not resolve.
            variables={
                **BUILTIN_THEMES["ansi-dark"].variables,
                "ansi-background": "ansi_default",
                "ansi-foreground": "ansi_default",
            },
        )
    return Theme(
        name="studio",
        primary=hexa("accent", "#7aa2f7"),
        secondary=hexa("dim", "#7f8794"),
        accent=hexa("accent", "#7aa2f7"),
        foreground=hexa("text", "#d7dae0"),
        background=BACKGROUNDS[palette.theme],
        surface=BACKGROUNDS[palette.theme],
        panel=hexa("border", "#414868"),
        success=hexa("good", "#9ece6a"),
        warning=hexa("warn", "#e0af68"),
        error=hexa("bad", "#f7768e"),
        dark=palette.theme != "light",
    )
