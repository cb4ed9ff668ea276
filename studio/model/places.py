"""Where something stands in a file."""

from studio.model.policies import Frozen


class Place(Frozen, frozen=True):
    """A position in a definition file.

    Args:
        file: path as it should be shown, relative to the project where possible.
        line: line number, counted from 1.
        column: column number in characters, counted from 1.
    """

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"
