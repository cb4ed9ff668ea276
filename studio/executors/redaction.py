"""Taking secrets out of whatever leaves a child: output, log lines, results, failures.

A secret is recognised as it is and in the forms it takes when programs print it: JSON, URL, HTML, shell and
Python escapes, hexadecimal, and base64 at each of its three alignments. Every form found becomes
``[secret NAME]``. One loop of ``str.replace``: measured, it costs a tenth of a regular expression with as many
alternatives.
"""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote, quote_plus

MIN_LENGTH: Final = 4
"""Shorter secrets are left alone, in characters. ``no`` or ``123`` as a secret would blank out half of any
output and tell its value by the gaps; nothing that short protects anything."""

MIN_LINE: Final = 8
"""A line of a secret of several lines (a key file) is a secret by itself from this length on, in characters."""


class Redactor:
    """Replaces secrets.

    Args:
        secrets: values by name. Values shorter than `MIN_LENGTH` are ignored.
    """

    __slots__ = ("_data", "_digits", "_text", "longest")

    def __init__(self, secrets: Mapping[str, str]) -> None:
        needles: dict[str, str] = {}
        for name, secret in secrets.items():
            for form in _forms(secret):
                needles.setdefault(form, f"[secret {name}]")
        # Longest first, so that a form that contains another is replaced as a whole.
        self._text = sorted(needles.items(), key=lambda pair: len(pair[0]), reverse=True)
        self._data = [(needle.encode(), shown.encode()) for needle, shown in self._text]
        self._digits = any(set(needle) <= set("0123456789.-+e") for needle in needles)
        self.longest: Final = len(self._text[0][0]) if self._text else 0

    def __bool__(self) -> bool:
        """Tell whether there is anything to replace."""
        return bool(self._text)

    def text(self, text: str) -> str:
        """Return a text without secrets."""
        for needle, shown in self._text:
            if needle in text:
                text = text.replace(needle, shown)
        return text

    def data(self, data: bytes) -> bytes:
        """Return UTF-8 text, as bytes, without secrets."""
        for needle, shown in self._data:
            if needle in data:
                data = data.replace(needle, shown)
        return data

    def found(self, data: bytes) -> bool:
        """Tell whether UTF-8 text, as bytes, holds a secret."""
        return any(needle in data for needle, _ in self._data)

    def value(self, value: Any) -> Any:
        """Return a JSON value without secrets, in texts and in keys.

        A number whose digits hold a secret becomes a text. Without secrets the value itself is returned.
        """
        return self._value(value) if self._text else value

    def _value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(key): self._value(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._value(item) for item in value]
        if self._digits and isinstance(value, int | float) and not isinstance(value, bool):
            written = repr(value)
            shown = self.text(written)
            return value if shown == written else shown
        return value

    def stream(self) -> RedactedStream:
        """Return a redactor for text that comes in pieces."""
        return RedactedStream(self)

    def unfinished(self, text: str) -> int:
        """Return where the end of a text begins that may be the start of a secret; its length if none is."""
        start = max(0, len(text) - self.longest + 1)
        best = len(text)
        for needle, _ in self._text:
            position = text.find(needle[0], max(start, len(text) - len(needle) + 1), best)
            while position >= 0:
                if needle.startswith(text[position:]):
                    best = position
                    break
                position = text.find(needle[0], position + 1, best)
        return best


class RedactedStream:
    """Takes text in pieces; holds back an end that may become a secret with the next piece."""

    __slots__ = ("_held", "_redactor")

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._held = ""

    def feed(self, text: str) -> str:
        """Take a piece and return what is safe to show by now."""
        if not self._redactor:
            return text
        # Complete secrets first: one of them may overlap the start of another at the end.
        text = self._redactor.text(self._held + text)
        end = self._redactor.unfinished(text)
        self._held = text[end:]
        return text[:end]

    def finish(self) -> str:
        """Return what was held back: the text is over, so it is no secret."""
        held, self._held = self._held, ""
        return held

    def drop(self) -> None:
        """Forget what was held back: what follows is not shown, so it may well have been a secret."""
        self._held = ""


def _forms(secret: str) -> Iterator[str]:
    """Yield every form of a secret that is looked for, none shorter than `MIN_LENGTH`."""
    wholes = dict.fromkeys([secret, secret.strip()])
    lines = secret.splitlines()
    if len(lines) > 1:
        wholes.update(
            dict.fromkeys(line.strip() for line in lines if len(line.strip()) >= MIN_LINE)
        )
    for whole in wholes:
        if len(whole) < MIN_LENGTH:
            continue
        for form in (whole, *(escape(whole) for escape in _ESCAPES), *_encoded(whole)):
            if len(form) >= MIN_LENGTH:
                yield form


def _encoded(secret: str) -> Iterator[str]:
    data = secret.encode("utf-8", "surrogateescape")
    yield data.hex()
    yield data.hex().upper()
    for skipped in range(3):
        # The characters that also depend on the bytes before or after the secret are left out.
        first = -(-skipped * 8 // 6)
        last = (skipped + len(data)) * 8 // 6
        body = base64.b64encode(bytes(skipped) + data)[first:last].decode()
        yield body
        yield body.replace("+", "-").replace("/", "_")


def _lower_quoted(secret: str) -> str:
    """URL quoting with small hexadecimal digits, as some libraries write it."""
    pieces = quote(secret, safe="").split("%")
    return pieces[0] + "".join("%" + piece[:2].lower() + piece[2:] for piece in pieces[1:])


_ESCAPES: Final[tuple[Callable[[str], str], ...]] = (
    lambda secret: json.dumps(secret)[1:-1],
    lambda secret: json.dumps(secret, ensure_ascii=False)[1:-1],
    lambda secret: json.dumps(secret)[1:-1].replace("/", "\\/"),
    lambda secret: repr(secret)[1:-1],
    lambda secret: repr(secret.encode("utf-8", "surrogateescape"))[2:-1],
    lambda secret: quote(secret, safe=""),
    lambda secret: quote(secret),
    lambda secret: quote_plus(secret),
    _lower_quoted,
    lambda secret: html.escape(secret, quote=False),
    lambda secret: html.escape(secret),
    lambda secret: secret.replace("'", "'\"'\"'"),
    lambda secret: secret.replace("'", "'\\''"),
)
