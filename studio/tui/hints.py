"""What is said beside the graph: how to go on from here, and on the very first start the first steps."""

from studio.application.environment import read_env_file
from studio.application.session import Session
from studio.errors import StudioError
from studio.projections.layout import Segment
from studio.projections.screen.empty import (
    STEPS,
    broken_file,
    checklist_rows,
    hint_rows,
    no_workflows,
)
from studio.projections.screen.rules import Keys

MARKER = "first-steps-shown"
"""File of the state folder that says the first steps were shown there once."""

Row = list[Segment]


class Hints:
    """Makes the hints of one session.

    Args:
        session: what is shown.
        ascii: draw with ASCII characters only.
    """

    def __init__(self, session: Session, *, ascii: bool = False) -> None:
        self._session = session
        self._ascii = ascii
        self._done: set[int] = set()
        self._missing: tuple[str, tuple[str, ...]] = ("", ())
        self.first_start = not (session.location.state / MARKER).exists()

    @property
    def _keys(self) -> Keys:
        return self._session.keymap.keys

    def note_action(self, action: str) -> bool:
        """An action was carried out; returns whether it was one of the first steps."""
        if not self.first_start:
            return False
        taken = {number for number, step in enumerate(STEPS) if action in step.actions}
        new = taken - self._done
        self._done |= new
        if len(self._done) == len(STEPS):
            self.dismiss()
        return bool(new)

    def note_progress(self) -> None:
        """A step that needed the person goes on: by a fix that was saved it does so without another key."""
        for action in ("edit", "retry"):
            self.note_action(action)

    def dismiss(self) -> None:
        """Show the first steps no longer, here and in later sessions."""
        self.first_start = False
        self.remember()

    def remember(self) -> None:
        """Note in the state folder that the first steps were shown.

        A folder that cannot be written to is no reason to disturb anybody: they are shown once more then.
        """
        state = self._session.location.state
        try:
            state.mkdir(parents=True, exist_ok=True)
            (state / MARKER).touch()
        except OSError:
            return

    def beside(self) -> list[Row]:
        """Rows for the free space of the graph pane."""
        session = self._session
        if self.first_start:
            return checklist_rows(self._done, self._keys, ascii=self._ascii)
        plan = session.plan
        if plan is None:
            return []
        missing = self._missing_secrets() if session.run is None else ()
        name = plan.workflow.name
        return hint_rows(
            session.run, name, missing, driven=session.live, keys=self._keys, ascii=self._ascii
        )

    def instead(self) -> list[Row]:
        """Rows for a pane without a graph: why there is none."""
        session = self._session
        entry = session.files.get(session.shown_file or "")
        if entry is not None:
            findings = [str(finding) for finding in entry.errors]
            return broken_file(entry.display, findings, self._keys)
        return no_workflows(str(session.folder), session.catalog.skipped, self._keys)

    def _missing_secrets(self) -> tuple[str, ...]:
        """Declared secrets that are set nowhere; looked up again for another definition only."""
        session = self._session
        plan = session.plan
        if plan is None or not plan.workflow.secrets:
            return ()
        if self._missing[0] != plan.version:
            try:
                stored = read_env_file(session.location.root)
            except StudioError as error:
                session.tell(str(error), "error")
                stored = {}
            environ = session.sender.environ
            missing = [n for n in plan.workflow.secrets if not (environ.get(n) or stored.get(n))]
            self._missing = (plan.version, tuple(missing))
        return self._missing[1]
