"""Bounds of the expression language: no expression can hang the engine or exhaust memory.

The language has no loops and no variables, so the work of an expression is bounded by its size
times the size of the data it reads; these numbers bound both.
"""

from __future__ import annotations

from typing import Final

MAX_SOURCE: Final = 4_096
"""Longest expression, and longest single ``{{ }}``, in characters."""

MAX_DEPTH: Final = 64
"""Deepest nesting of sub-expressions; parser and closures use at most three frames a level, far
from Python's own limit of 1,000."""

MAX_STEPS: Final = 1_000_000
"""Elementary steps of one evaluation or rendering, about half a second at worst."""

MAX_TEXT: Final = 1_000_000
"""Longest text that an expression may build, in characters."""

MAX_ITEMS: Final = 100_000
"""Longest list that an expression may build."""

MAX_VALUE_DEPTH: Final = 200
"""Deepest value that is turned into text or copied; the bound of JSON values themselves."""

TEXT_PER_STEP: Final = 64
"""Characters of text handled for the price of one step; copying text is that much cheaper than
visiting values one at a time."""

MAX_NUMBER_TEXT: Final = 400
"""Longest text that is read as a number; the longest exact float is about 1,075 digits, and
nobody writes it."""
