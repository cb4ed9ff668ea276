"""``uses: branch``: leaves by the port of the first case that is true."""

from __future__ import annotations

from studio.errors import ExpressionError
from studio.executors.expression_cache import parsed
from studio.executors.noop import pass_on
from studio.model.failure import Failure
from studio.model.nodes import BranchSettings
from studio.ports import AttemptOrder, Failed, Outcome


def choose(order: AttemptOrder, settings: BranchSettings) -> Outcome:
    """Decide by which port the node leaves; its output is its input.

    No case and no ``else`` is a failure: an author who wants nothing to happen then says so with a port
    that nothing is connected to.

    Raises:
        ExpressionError: when a case cannot be evaluated; the text names its port.
    """
    for case in settings.cases:
        try:
            matched = parsed(case.when).truth(order.scope)
        except ExpressionError as error:
            text = f"case {case.port}: {error.message}"
            raise ExpressionError(text, error.offset) from None
        if matched:
            return pass_on(order, case.port)
    if settings.otherwise is not None:
        return pass_on(order, settings.otherwise)
    ports = ", ".join(case.port for case in settings.cases)
    text = f"none of the cases ({ports}) is true and there is no else"
    return Failed(Failure("NoCaseMatched", text, "validation"))
