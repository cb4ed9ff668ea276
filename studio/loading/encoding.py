"""Bytes of a definition file to text: UTF-8 with or without a mark, any line ends, nothing unprintable."""

from __future__ import annotations

import re

from studio.loading.document import MAX_BYTES, SyntaxProblem
from studio.loading.offsets import line_and_column

_WIDE_MARKS = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
# What neither YAML 1.2 (section 5.1) nor JSON text may hold; tab, line feed and next line may stand.
_FORBIDDEN = "[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]"


def decode(raw: bytes) -> str:
    """The text of a definition file, line ends as ``\\n``.

    Raises:
        SyntaxProblem: too large, not UTF-8, or holding characters that text cannot hold.
    """
    if len(raw) > MAX_BYTES:
        limit = MAX_BYTES // (1024 * 1024)
        raise SyntaxProblem(1, 1, f"the file is larger than {limit} MiB", "size")
    for mark, name in _WIDE_MARKS:
        if raw.startswith(mark):
            raise SyntaxProblem(1, 1, f"the file is {name}; save it as UTF-8", "encoding")
    if b"\x00" in raw[:4] and len(raw) >= 2:
        raise SyntaxProblem(
            1, 1, "the file looks like UTF-16 without a mark; save it as UTF-8", "encoding"
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not_utf8(raw, error) from None
    return normal_text(text)


def normal_text(text: str) -> str:
    """Text with ``\\n`` line ends and no byte order mark.

    Raises:
        SyntaxProblem: it holds a control character or half of a surrogate pair.
    """
    text = text.removeprefix("\ufeff")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    # What Python calls printable holds none of it; the pattern is compiled when some text is not.
    plain = text.replace("\n", "").isprintable()
    found = None if plain else re.search(_FORBIDDEN, text)
    if found is not None:
        line, column = line_and_column(text, found.start())
        raise SyntaxProblem(line, column, _unprintable(found.group()), "encoding")
    return text


def _unprintable(character: str) -> str:
    code = f"U+{ord(character):04X}"
    if character == "\x00":
        return f"the file holds a NUL character ({code}); remove it"
    if "\ud800" <= character <= "\udfff":
        return f"the file holds half of a character ({code}); save it as UTF-8"
    return f"the file holds the control character {code}; remove it or write it as an escape in double quotes"


def _not_utf8(raw: bytes, error: UnicodeDecodeError) -> SyntaxProblem:
    good = raw[: error.start].decode("utf-8-sig", "replace").replace("\r\n", "\n")
    line, column = line_and_column(good, len(good))
    byte = raw[error.start]
    return SyntaxProblem(
        line,
        column,
        f"byte 0x{byte:02x} is not UTF-8; the file looks like Latin-1 or Windows-1252: save it as UTF-8",
        "encoding",
    )
