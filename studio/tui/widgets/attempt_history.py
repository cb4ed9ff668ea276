"""The attempts of a run, read off its history a slice at a time."""

from itertools import islice
from typing import Final

from studio.application.session import Session
from studio.errors import StudioError
from studio.projections.screen.inspecting.attempts import AttemptBook

SLICE: Final = 1_500
"""Records read at a time: about 15 ms; the rest follows while the screen stays answerable."""


class AttemptHistory:
    """What was tried at each node of one run.

    Attributes:
        book: the attempts read so far.
        complete: false while the history is not read to its end; read on soon.
        problem: why it could not be read, nothing when it could.
    """

    def __init__(self, run: int | None = None) -> None:
        self._run = run
        self.book = AttemptBook()
        self.complete = True
        self.problem = ""

    def turn_to(self, run: int | None) -> None:
        """Read another run from now on; the same one is read on where it stands."""
        if run != self._run:
            self._run = run
            self.book, self.complete, self.problem = AttemptBook(), True, ""

    def read(self, session: Session) -> None:
        """Take in what the history has got since, at most a slice."""
        self.problem = ""
        if self._run is None:
            return
        try:
            records = session.studio.reading.records(self._run, self.book.position)
            self.complete = self.book.add(islice(records, SLICE)) < SLICE
        except StudioError as error:
            self.complete = True
            self.problem = str(error)
