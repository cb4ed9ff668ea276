"""Keys one after another: each is answered by what the key before it left on screen.

Textual hands a key to the widget that has the focus when it arrives, and the key then travels up through the queues
of all widgets above. What a key sets going (a dialog, another focus) happens later still. Keys that come in quick
succession, as they do when the machine is busy, would so be handed to a screen that is on its way out, to a pane that
has not yet got the focus, or to none. The queue hands out a key when everything the one before it caused has happened,
and none while the screen on top cannot answer yet.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from textual.events import Key

STEPS = 4
"""Turns of the loop until a task that a key began, or the task that waited for a dialog's answer, has had its first
step: one to start it, one for an action that calls another (palette, menus); twice that, since it costs nothing."""

AT_ONCE = frozenset({"ctrl+c"})
"""Keys that are never held back: the way out of a screen that does not come up."""


class KeyQueue:
    """Lets keys pass one at a time.

    Args:
        post: puts a key before the application again.
        ready: whether the screen on top can answer a key.

    Attributes:
        number: counts the keys that have passed; the number of the last one.
    """

    def __init__(self, post: Callable[[Key], object], ready: Callable[[], bool]) -> None:
        self.number = 0
        self._post = post
        self._ready = ready
        self._waiting: deque[Key] = deque()
        self._passed: Key | None = None
        self._busy = False
        self._left = 0

    def admit(self, key: Key) -> bool:
        """Whether a key may be handled now; one that may not is kept and posted again when its turn has come."""
        if key.key in AT_ONCE:
            return True
        if key is self._passed:
            self._passed = None
            self.number += 1
            return True
        if self._busy or self._waiting or not self._ready():
            self._waiting.append(key)
            return False
        self._busy = True
        self.number += 1
        return True

    def handled(self, number: int) -> None:
        """A key has been through all widgets: the next passes when its tasks have begun.

        Args:
            number: which; one before the last says nothing new.
        """
        if self._busy and self._passed is None and number == self.number:
            if not self._left:
                asyncio.get_running_loop().call_soon(self._step)
            self._left = STEPS

    def _step(self) -> None:
        self._left -= 1
        if self._left:
            asyncio.get_running_loop().call_soon(self._step)
            return
        self._busy = False
        self.go_on()

    def go_on(self) -> None:
        """Let the next key pass if nothing is in its way; told when a screen has become able to answer."""
        if self._waiting and not self._busy and self._ready():
            self._busy = True
            self._passed = self._waiting.popleft()
            self._post(self._passed)
