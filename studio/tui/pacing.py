"""When a screen is painted: at once after a pause, and at most sixty times a second.

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
