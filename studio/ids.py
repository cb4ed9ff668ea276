"""Names for the identifiers that travel between the rooms.

All of them are plain strings or integers at run time; the new types only stop one kind of identifier
from being handed over where another is meant.
"""

from typing import NewType

RunNumber = NewType("RunNumber", int)
"""Short number of a run within one state folder, counted from 1; what people type."""

RunId = NewType("RunId", str)
"""Globally unique identifier of a run; part of every idempotency key."""

NodePath = NewType("NodePath", str)
"""Path of a node inside a run: ``charge``, ``each[3]`` (item of a foreach), ``child/sq``."""

CommandId = NewType("CommandId", str)
"""Client-chosen identifier of a command; the same id sent twice acts once."""

VersionHash = NewType("VersionHash", str)
"""Content hash of a workflow definition; its true identity."""
