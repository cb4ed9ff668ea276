"""Panes on a bare application, over a run driven by hand: no engine, no files of state."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widget import Widget

from studio.core.events import Record
from studio.errors import NotFoundError
from studio.ports import AttemptKey, LogLine
from studio.projections.screen.keymap import Keymap
from studio.tui.messages import NodeOpened, NodeSelected
from tests.unit.core.driver import Driver

Logs = dict[AttemptKey, list[LogLine]]


@dataclass
class FakeReading:
    """What panes read of a state folder."""

    driver: Driver
    logged: Logs = field(default_factory=dict)

    def records(self, run: int, after: int = 0) -> Iterator[Record]:
        """Records of the driver."""
        return (one for one in self.driver.records if one.run == run and one.position > after)

    def logs(
        self, run: int, node: str | None = None
    ) -> Iterator[tuple[AttemptKey, Iterator[LogLine]]]:
        """Lines given to the test's session."""
        for key, lines in self.logged.items():
            if key.run == run and node in (None, key.node):
                yield key, iter(lines)


class FakeSession:
    """The part of a session that panes use."""

    def __init__(self, driver: Driver, logs: Logs | None = None) -> None:
        self.driver = driver
        self.shown_run: int | None = 1
        self.shown_file: str | None = None
        self.files: dict[str, Any] = {}
        self.rows: list[Any] = []
        self.live = True
        self.keymap = Keymap()
        self.reading = FakeReading(driver, logs or {})
        self.studio = SimpleNamespace(reading=self.reading, owns=True)

    def cover(self) -> Callable[[Any], list[Any]]:
        """Nothing is sensitive here."""
        return list

    @property
    def run(self) -> Any:
        """The driver's run, None when a workflow alone is shown."""
        return self.driver.run(self.shown_run) if self.shown_run is not None else None

    @property
    def plan(self) -> Any:
        """Its definition."""
        return self.driver.run().plan

    @property
    def engine_state(self) -> Any:
        """Its state."""
        return self.driver.state if self.shown_run is not None else None

    @property
    def moves(self) -> bool:
        """Whether the driver's run is open."""
        return self.run is not None and not self.run.ended

    def now(self) -> float:
        """Time of the driver."""
        return self.driver.now


class BrokenReading(FakeReading):
    """A state folder that has gone."""

    def logs(
        self, run: int, node: str | None = None
    ) -> Iterator[tuple[AttemptKey, Iterator[LogLine]]]:
        raise NotFoundError("the state folder has gone")

    def records(self, run: int, after: int = 0) -> Iterator[Record]:
        raise NotFoundError("the history has gone")


class Bare(App[None]):
    """One widget, the messages it sent, and the keys it let pass."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "note('enter')"),
        Binding("space", "note('space')"),
        Binding("backspace", "note('backspace')"),
    ]

    def __init__(self, widget: Widget) -> None:
        super().__init__()
        self.widget = widget
        self.selected: list[str | None] = []
        self.opened: list[str] = []
        self.reported: list[Exception] = []
        self.passed: list[str] = []

    def compose(self) -> ComposeResult:
        """The widget alone."""
        yield self.widget

    def action_note(self, key: str) -> None:
        """Keep a key that the widget had no use for."""
        self.passed.append(key)

    def on_node_selected(self, message: NodeSelected) -> None:
        """Keep what was selected."""
        self.selected.append(message.path)

    def on_node_opened(self, message: NodeOpened) -> None:
        """Keep what was opened."""
        self.opened.append(message.path)

    def report(self, error: Exception) -> None:
        """Errors of handlers end the test."""
        self.reported.append(error)


def screen_text(widget: Any) -> list[str]:
    """What the widget draws, line by line."""
    lines: Sequence[Any] = [widget.render_line(y) for y in range(widget.size.height)]
    return ["".join(part.text for part in line).rstrip() for line in lines]
