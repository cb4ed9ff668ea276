"""What widgets tell the screen, in the past tense."""

from textual.message import Message


class CursorMoved(Message):
    """The cursor of the graph is on another node; None when it is on a closed group or there is no node."""

    def __init__(self, path: str | None) -> None:
        super().__init__()
        self.path = path


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


class ActionCalled(Message):
    """An action of the table was asked for by click, palette or menu, by its id."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self.action = action
