"""Plain (unquoted) scalars to JSON values, by the core schema of YAML 1.2 (specification, section 10.3.2).

Only ``null``, ``true``, ``false`` and numbers are typed. ``on``, ``no``, ``12:30``, ``2024-01-31`` and
``0o8`` stay text.
"""

from __future__ import annotations

import math
import re

from studio.model.json_value import JsonValue

_WORDS: dict[str, JsonValue] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_INTEGER = r"[-+]?[0-9]+\Z"
_OCTAL = r"0o[0-7]+\Z"
_HEXADECIMAL = r"0x[0-9a-fA-F]+\Z"
_FLOAT = r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z"
_NOT_FINITE = r"(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z"
_NUMBER_START = frozenset("+-.0123456789")

# Integers travel through JSON, SQLite and other languages: 64 bits is what all of them keep.
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1
_LONGEST = 400  # digits; a number with more cannot be finite and is not worth converting


def plain_value(text: str) -> JsonValue:
    """The JSON value of a plain scalar.

    Raises:
        ValueError: it is a number that JSON values cannot hold; the text is fit for a user.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_START:
        return text
    if re.match(_INTEGER, text):
        return integer(text, 10)
    if text[0] == "0" and re.match(_OCTAL, text):
        return integer(text[2:], 8)
    if text[0] == "0" and re.match(_HEXADECIMAL, text):
        return integer(text[2:], 16)
    if re.match(_FLOAT, text):
        return real(text)
    if re.match(_NOT_FINITE, text):
        raise ValueError(f"{text} is not a JSON value; put it in quotes to keep it as text")
    return text


def integer(digits: str, base: int) -> int:
    """An integer of at most 64 bits.

    Raises:
        ValueError: it does not fit; the text is fit for a user.
    """
    if len(digits) <= _LONGEST:
        value = int(digits, base)
        if _SMALLEST <= value <= _LARGEST:
            return value
    raise ValueError(
        f"a number with {len(digits.lstrip('+-'))} digits does not fit into 64 bits; "
        "put it in quotes to keep it as text"
    )


def real(text: str) -> float:
    """A finite floating point number.

    Raises:
        ValueError: it is too large; the text is fit for a user.
    """
    value = float(text) if len(text) <= _LONGEST else math.inf
    if math.isinf(value):
        raise ValueError("the number is too large; put it in quotes to keep it as text")
    return value
