"""One measured figure beside its target and its floor."""

from typing import NamedTuple


class Figure(NamedTuple):
    """A row of the table.

    Args:
        name: what was measured.
        measured: the figure.
        unit: its unit.
        target: the figure to reach, None when it is only watched.
        floor: the same work without workflow logic, measured in the same run; None when there is none.
        better: whether ``more`` or ``less`` is better.
    """

    name: str
    measured: float
    unit: str
    target: float | None = None
    floor: float | None = None
    better: str = "more"

    @property
    def ratio(self) -> float | None:
        """Measured over floor."""
        return self.measured / self.floor if self.floor else None

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None without one."""
        if self.target is None:
            return None
        return (
            self.measured >= self.target if self.better == "more" else self.measured <= self.target
        )
