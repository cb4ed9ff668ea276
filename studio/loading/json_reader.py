"""A strict reader of JSON (RFC 8259) that keeps the position of every key and value."""

from __future__ import annotations

import re
from bisect import bisect_right

from studio.loading.document import MAX_DEPTH, Document, Path, Position, SyntaxProblem
from studio.loading.offsets import line_starts
from studio.loading.plain_scalars import integer, real
from studio.model.json_value import JsonValue

_BLANK = re.compile(r"[ \t\n]*")
_NUMBER = re.compile(r"(-?(?:0|[1-9][0-9]*))((?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)")
_TEXT = re.compile(r'[^"\\\x00-\x1f]*')
_WORD = re.compile(r"[A-Za-z_$+.\-0-9]+")
_ESCAPES = {
    '"': '"',
    "\\": "\\",
    "/": "/",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
}
_WORDS: dict[str, JsonValue] = {"true": True, "false": False, "null": None}


def read_json(text: str, file: str) -> Document:
    """Read one JSON document.

    Args:
        text: its decoded text, line ends as ``\\n``.
        file: path to show in places.

    Raises:
        SyntaxProblem: the text is not JSON, has a key twice, or a value that does not fit.
    """
    reader = _Reader(text)
    return Document(file, text, reader.document(), reader.positions)


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.positions: dict[Path, Position] = {}
        self._starts = line_starts(text)

    def document(self) -> JsonValue:
        self._blank()
        if self.at >= len(self.text):
            return None
        data = self._value((), self._where(self.at))
        self._blank()
        if self.at < len(self.text):
            raise self._problem("nothing may follow the closing bracket of the document")
        return data

    def _where(self, place: int) -> tuple[int, int]:
        line = bisect_right(self._starts, place)
        return line, place - self._starts[line - 1] + 1

    def _problem(self, message: str, place: int | None = None, code: str = "json") -> SyntaxProblem:
        return SyntaxProblem(*self._where(self.at if place is None else place), message, code)

    def _blank(self) -> None:
        found = _BLANK.match(self.text, self.at)
        self.at = found.end() if found else self.at
        if self.text.startswith(("//", "/*", "#"), self.at):
            raise self._problem("JSON has no comments; remove it, or write the file as YAML")

    def _value(self, path: Path, key: tuple[int, int]) -> JsonValue:
        line, column = self._where(self.at)
        character = self.text[self.at : self.at + 1]
        style = '"' if character == '"' else ""
        self.positions[path] = Position(*key, line, column, style)
        if character == '"':
            return self._string()
        if character in ("{", "["):
            if len(path) >= MAX_DEPTH:
                raise self._problem(f"nested deeper than {MAX_DEPTH} levels")
            return self._object(path) if character == "{" else self._array(path)
        return self._scalar(character)

    def _scalar(self, character: str) -> JsonValue:
        found = _NUMBER.match(self.text, self.at)
        word = _WORD.match(self.text, self.at)
        if found is not None and word is not None and found.end() == word.end():
            self.at = found.end()
            try:
                return real(found.group()) if found.group(2) else integer(found.group(1), 10)
            except ValueError as error:
                raise self._problem(str(error), found.start(), "number") from None
        if word is not None and word.group() in _WORDS:
            self.at = word.end()
            return _WORDS[word.group()]
        raise self._problem(self._unexpected(character, word.group() if word else ""))

    def _unexpected(self, character: str, word: str) -> str:
        if character == "":
            return "the file ends where a value is expected"
        if character == "'":
            return "JSON text stands in double quotes"
        if word in ("NaN", "Infinity", "-Infinity"):
            return f"{word} is not a JSON value"
        if word and (word[0].isdigit() or word[0] in "+-."):
            return "this is not a JSON number"
        if word:
            return f"{word[:40]} is not a JSON value; text stands in double quotes"
        if character in "]}":
            return f'a value is missing before "{character}"'
        return "a value is expected here"

    def _array(self, path: Path) -> list[JsonValue]:
        items: list[JsonValue] = []
        opening = self.at
        self.at += 1
        self._blank()
        if self._taken("]"):
            return items
        while True:
            self._blank()
            items.append(self._value((*path, len(items)), self._where(self.at)))
            self._blank()
            if self._taken("]"):
                return items
            self._comma("]", opening)

    def _object(self, path: Path) -> dict[str, JsonValue]:
        result: dict[str, JsonValue] = {}
        opening = self.at
        self.at += 1
        self._blank()
        if self._taken("}"):
            return result
        while True:
            self._blank()
            place = self.at
            if not self.text.startswith('"', place):
                raise self._problem("a key in double quotes is expected here")
            key = self._string()
            below = (*path, key)
            if key in result:
                first = self.positions[below].key_line
                raise self._problem(
                    f'duplicate key "{key}"; it is already on line {first}', place, "duplicate-key"
                )
            self._blank()
            if not self._taken(":"):
                raise self._problem('expected ":" after the key')
            self._blank()
            result[key] = self._value(below, self._where(place))
            self._blank()
            if self._taken("}"):
                return result
            self._comma("}", opening)

    def _taken(self, character: str) -> bool:
        if self.text.startswith(character, self.at):
            self.at += 1
            return True
        return False

    def _comma(self, closing: str, opening: int) -> None:
        """Step over a comma that another entry follows."""
        place = self.at
        if not self._taken(","):
            line, column = self._where(opening)
            raise self._problem(
                f'expected "," or "{closing}"; the "{self.text[opening]}" at line {line}, '
                f"column {column} is not closed"
            )
        self._blank()
        if self.text.startswith(closing, self.at):
            raise self._problem(f'JSON has no comma before "{closing}"; remove it', place)

    def _string(self) -> str:
        opening = self.at
        self.at += 1
        parts: list[str] = []
        while True:
            found = _TEXT.match(self.text, self.at)
            if found is not None:
                parts.append(found.group())
                self.at = found.end()
            if self._taken('"'):
                return "".join(parts)
            character = self.text[self.at : self.at + 1]
            if character == "\\":
                parts.append(self._escape())
            elif character in ("", "\n"):
                raise self._problem("the quote that opens here is not closed", opening)
            else:
                raise self._problem("a control character in text is written as an escape")

    def _escape(self) -> str:
        place = self.at
        character = self.text[place + 1 : place + 2]
        if character == "u":
            return self._unicode(place)
        if character not in _ESCAPES:
            raise self._problem(f"unknown escape \\{character}", place)
        self.at += 2
        return _ESCAPES[character]

    def _unicode(self, place: int) -> str:
        code = self._hexadecimal()
        if 0xD800 <= code < 0xDC00 and self.text.startswith("\\u", self.at):
            low = self._hexadecimal()
            if 0xDC00 <= low < 0xE000:
                return chr(0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00))
        if 0xD800 <= code < 0xE000:
            raise self._problem("half of a surrogate pair is not a character", place)
        return chr(code)

    def _hexadecimal(self) -> int:
        digits = self.text[self.at + 2 : self.at + 6]
        if re.fullmatch("[0-9a-fA-F]{4}", digits) is None:
            raise self._problem("\\u takes four hexadecimal digits")
        self.at += 6
        return int(digits, 16)
