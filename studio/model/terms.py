"""The closed vocabularies of the model, apart so that reading a history stays quick."""

from typing import Final, Literal

FailurePolicy = Literal["hold", "fail", "continue"]
SideEffects = Literal["none", "idempotent", "external"]
Isolation = Literal["process", "shared"]
Priority = Literal["high", "normal", "low"]
ErrorCategory = Literal[
    "transient",
    "validation",
    "resource_exhausted",
    "external_service",
    "timeout",
    "interrupted",
    "unexpected",
]
ERROR_CATEGORIES: Final[tuple[ErrorCategory, ...]] = (
    "transient",
    "validation",
    "resource_exhausted",
    "external_service",
    "timeout",
    "interrupted",
    "unexpected",
)
