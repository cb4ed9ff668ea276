"""Definitions on their way to and from the history."""

from weakref import WeakValueDictionary

from studio.core.plan import Plan
from studio.errors import DefinitionError
from studio.ids import VersionHash
from studio.loading.diagnostics import Diagnostic
from studio.loading.loader import LoadResult, load_file
from studio.model.workflow import Workflow, workflow_of
from studio.ports import Definition


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


def definition_of(workflow: Workflow) -> Definition:
    """The stored form of a definition."""
    return Definition(workflow.content_hash(), workflow.name, workflow.to_json())


def plan_of(definition: Definition) -> Plan:
    """The compiled form of a stored definition. Raises ValueError when it is not of this schema."""
    known = _PLANS.get(definition.version)
    if known is not None and known.workflow.to_json() == definition.body:
        return known  # nothing to check, and pydantic need not build what it would check with
    return compiled(workflow_of(definition.body))


def compiled(workflow: Workflow) -> Plan:
    """The compiled form of a definition: the one there is, while it is in use, for an equal definition.

    Compiling the file on screen again for a run of it would keep 4 MB twice for a thousand nodes.
    """
    plan = Plan(workflow)
    known = _PLANS.get(plan.version)
    # Versions leave out places and paths, which messages and children are told.
    if known is not None and known.workflow == workflow:
        return known
    _PLANS[plan.version] = plan
    return plan


_PLANS: WeakValueDictionary[VersionHash, Plan] = WeakValueDictionary()
