"""Definitions on their way to and from the history, and their compiled form."""

from weakref import WeakValueDictionary

from studio.core.plan import Plan
from studio.ids import VersionHash
from studio.model.workflow import Workflow, workflow_of
from studio.ports import Definition


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
