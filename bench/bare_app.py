"""A bare Textual application, the floor of the screen's start: one label, and nothing behind it."""

from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.widgets import Static


class BareApp(App[None]):
    """One label."""

    BINDINGS: ClassVar[list[BindingType]] = [("q", "quit", "Quit")]

    def compose(self) -> ComposeResult:
        """The label."""
        yield Static("bare and ready")


if __name__ == "__main__":
    BareApp().run()
