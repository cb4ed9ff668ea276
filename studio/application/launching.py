"""Values typed into a launch form, converted and checked."""

from collections.abc import Mapping
from typing import Any

from studio.errors import DefinitionError
from studio.loading.parameters import check_parameters, parse_assignment
from studio.model.workflow import Workflow


def check_form(workflow: Workflow, texts: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """The values of a filled-in form, or what is wrong with them.

    An empty field of a parameter that is not text takes its default.

    Returns the values by name (empty when there are problems) and one message per problem.
    """
    given: dict[str, Any] = {}
    problems: list[str] = []
    for name, text in texts.items():
        parameter = workflow.parameters[name]
        if text == "" and (not parameter.required or parameter.json_schema.get("type") != "string"):
            continue
        try:
            given |= dict([parse_assignment(f"{name}={text}", workflow)])
        except DefinitionError as error:
            problems += str(error).splitlines()
    if not problems:
        try:
            return check_parameters(workflow, given), []
        except DefinitionError as error:
            problems = str(error).splitlines()
    return {}, problems
