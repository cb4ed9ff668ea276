"""When a screen is painted: at once after a pause, and at most sixty times a second; when changes are flushed to it.

Textual paints by the ticks of an interval timer. A change that comes just after a tick waits for the next one, and a
tick that fell into a painting is left out, so that a key could wait two whole ticks (33 ms) for a paint of 5 ms.
"""

import asyncio
from typing import TYPE_CHECKING, Any, Final

from textual.screen import UPDATE_PERIOD

if TYPE_CHECKING:
    from textual.screen import Screen

    _Base = Screen[Any]
else:
    _Base = object

GAP: Final = UPDATE_PERIOD
"""Seconds between the beginnings of two paints: Textual's own bound, a sixtieth of a second unless TEXTUAL_FPS is set."""


FLUSH: Final = 0.05
"""Seconds between two flushes of changes while something happens (architecture.md, "Graph widget": 20 Hz)."""

GATHER: Final = 0.05
"""Seconds that the first change after a pause waits for those that come with it: a node that ends and the next one
that starts are two turns of the engine, with a commit of some milliseconds between them."""

REST: Final = 2.5
"""Times the cost of a flush and its paint that pass before the next one: the engine, which has the same thread, keeps
at least 70 % of it (targets.md, "Engine speed") however large the graph and slow the machine."""

LONGEST_REST: Final = 0.2
"""Seconds of such a rest at most: a screen that stands still is worse than an engine that is slowed down."""


class Beat:
    """When changes may be flushed to the panes again; all moments are of one clock, in seconds."""

    def __init__(self) -> None:
        self._begun = -FLUSH
        self._ended = 0.0
        self._cost = 0.0
        self._unpainted = False

    def flushed(self, begun: float, ended: float) -> None:
        """Changes were flushed from one moment to the other."""
        self._begun, self._ended = begun, ended
        self._cost = ended - begun
        self._unpainted = True

    def painted(self, begun: float, ended: float) -> None:
        """The screen was painted; the first time after a flush that is part of what the flush costs."""
        if self._unpainted:
            self._unpainted = False
            self._ended = ended
            self._cost += ended - begun

    def next(self) -> float:
        """The moment from which on changes may be flushed."""
        rest = min(LONGEST_REST, REST * self._cost)
        return max(self._begun + FLUSH, self._ended + rest)


class Pace:
    """Stands where a Textual screen has its update timer, and is paused and resumed like it.

    Args:
        screen: what is painted.
    """

    def __init__(self, screen: "Screen[Any]") -> None:
        self._screen = screen
        self._last = 0.0
        self._due: asyncio.TimerHandle | None = None

    def resume(self) -> None:
        """Something has to be painted: now, or when the last paint began long enough ago."""
        if self._due is None:
            loop = asyncio.get_running_loop()
            self._due = loop.call_at(max(loop.time(), self._last + GAP), self._paint)

    def pause(self) -> None:
        """Nothing has to be painted."""
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _paint(self) -> None:
        self._due = None
        screen = self._screen
        if not screen.is_running or screen.app._exit:
            return
        self._last = asyncio.get_running_loop().time()
        try:
            screen._on_timer_update()
        except Exception as error:
            screen.app._handle_exception(error)


class Paced(_Base):
    """Mixin, to stand before the Textual class: a screen that is painted when `Pace` says so."""

    _pace: Pace | None = None

    @property
    def _update_timer(self) -> Any:
        """What Textual's screen pauses and resumes; its own would be an interval timer."""
        if self._pace is None:
            self._pace = Pace(self)
        return self._pace
