"""What keeps the screen alive: an error in a handler, timer or worker is shown, and the screen goes on.

Textual ends the application, or silences the widget, when a handler raises, and its own crash report prints local
variables (secrets among them). Every screen and widget of ours therefore dispatches through `Guarded`.
"""

from typing import TYPE_CHECKING, Any

from textual.message import Message

if TYPE_CHECKING:
    from textual.message_pump import MessagePump

    _Base = MessagePump
else:
    _Base = object


class Guarded(_Base):
    """Mixin, to stand before the Textual class: errors of handlers go to ``app.report``."""

    async def _dispatch_message(self, message: Message) -> None:
        try:
            await super()._dispatch_message(message)
        except Exception as error:
            report_to(self.app, error)


def report_to(app: Any, error: Exception) -> None:
    """Hand an error to the application, whatever application it is."""
    report = getattr(app, "report", None)
    if report is None:
        raise error
    report(error)
