"""JSON documents that are safe to print to a terminal."""

from __future__ import annotations

import json
import re
from typing import Any

# DEL, C1 and the characters that reorder or hide text; JSON lets every one be written as an escape. The standard
# encoder escapes those below U+0020 by itself.
_HIDDEN = "[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"


def json_text(value: Any, *, indent: int | None = 2) -> str:
    """A JSON text of the value, which no terminal can mistake for a control sequence.

    Args:
        value: JSON types.
        indent: spaces per level; None writes one line.
    """
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    return re.sub(_HIDDEN, lambda match: f"\\u{ord(match[0]):04x}", text)


def json_array(values: list[Any]) -> str:
    """A JSON array with one element a line: one document that line tools can read too."""
    if not values:
        return "[]"
    return "[\n" + ",\n".join(json_text(value, indent=None) for value in values) + "\n]"
