"""What widgets tell the screen, in the past tense."""

from textual.message import Message


class KeyHandled(Message):
    """Follows a key from the widget that got it up to the application: what arrives there has been through all of them.

    Args:
        number: which key, as the queue of keys counts them.
        lap: 1 behind the key; 2 behind what the key's actions told the widgets above.
    """

    def __init__(self, number: int, lap: int) -> None:
        super().__init__()
        self.number = number
        self.lap = lap


class KeysWanted(Message):
    """A screen has come up, has given the focus to one of its widgets, and can answer keys."""


class GraphDrawn(Message):
    """A layout that was made beside the screen is shown now."""


class NodeSelected(Message):
    """A node or item was picked in the table or in a list; None when there is none."""

    def __init__(self, path: str | None) -> None:
        super().__init__()
        self.path = path


class NodeOpened(Message):
    """Enter or a double click on a node."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path


class RunChosen(Message):
    """A run was picked in the runs pane; ``node`` when it was one that needs a person."""

    def __init__(self, run: int, node: str | None = None) -> None:
        super().__init__()
        self.run = run
        self.node = node


class FileChosen(Message):
    """A workflow was picked in the runs pane."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path


class Said(Message):
    """A pane has an answer that it cannot show itself; one line for the notice line."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class ActionCalled(Message):
    """An action of the table was asked for by click, palette or menu, by its id."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self.action = action
