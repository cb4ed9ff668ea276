"""The JSON values that workflows exchange."""

from typing import Any, TypeAlias

# Not recursive on purpose: pydantic and the strict checker both stay fast, and the content is checked
# once, where it enters, by `json_problem`.
JsonValue: TypeAlias = None | bool | int | float | str | list[Any] | dict[str, Any]
"""A JSON value: null, boolean, number, text, list or mapping with text keys."""
