"""Definitions from their files."""

from studio.errors import DefinitionError
from studio.loading.diagnostics import Diagnostic
from studio.loading.loader import LoadResult, load_file
from studio.model.workflow import Workflow


class InvalidFileError(DefinitionError):
    """A workflow file has errors; ``diagnostics`` holds all of them, its text one per line."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        super().__init__("\n".join(str(one) for one in diagnostics))
        self.diagnostics = diagnostics


def load_workflow(path: str, display: str | None = None) -> tuple[Workflow, LoadResult]:
    """Load a workflow file. Raises `InvalidFileError`."""
    result = load_file(path, display=display)
    if result.workflow is None:
        raise InvalidFileError(result.errors)
    return result.workflow, result
