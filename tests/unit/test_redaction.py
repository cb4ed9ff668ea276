"""Redaction: every form of a secret, in any pieces."""

from __future__ import annotations

import base64
import html
import json
import random
import shlex
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.executors.redaction import MIN_LENGTH, Redactor

SECRET = "a+b/c\"d'e&f\\g ünï-12345"

secrets = st.text(min_size=MIN_LENGTH, max_size=24).filter(
    lambda text: len(text.strip()) >= MIN_LENGTH
)
encodable = secrets.filter(lambda text: text.encode("utf-8", "ignore").decode() == text)


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        SECRET.encode().hex(),
        SECRET.encode().hex().upper(),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(b"user:" + SECRET.encode()).decode(),
        repr(SECRET),
        repr(SECRET.encode()),
        html.escape(SECRET),
        shlex.quote(SECRET),
    ],
)
def test_every_form_is_replaced(form: str) -> None:
    shown = Redactor({"PAY": SECRET}).text(f"<{form}>")
    assert "[secret PAY]" in shown
    assert "12345" not in shown
    assert Redactor({"PAY": SECRET}).data(f"<{form}>".encode()) == shown.encode()


@given(encodable, st.binary(max_size=8), st.binary(max_size=8))
def test_base64_at_every_alignment(secret: str, before: bytes, after: bytes) -> None:
    shown = Redactor({"PAY": secret}).text(
        base64.b64encode(before + secret.encode() + after).decode()
    )
    assert "[secret PAY]" in shown


@given(encodable, st.data())
@settings(max_examples=200)
def test_no_chunking_leaks_and_all_agree(secret: str, data: st.DataObject) -> None:
    filler = st.text(alphabet=secret[:2] + "xy\n", max_size=12)
    whole = "".join(data.draw(filler) + secret for _ in range(3)) + data.draw(filler)
    redactor = Redactor({"PAY": secret})
    stream = redactor.stream()
    pieces = []
    rest = whole
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        pieces.append(stream.feed(rest[:size]))
        rest = rest[size:]
    shown = "".join(pieces) + stream.finish()
    assert secret not in shown.replace("[secret PAY]", "\0")


def test_four_thousand_chunkings_leak_nothing() -> None:
    chance = random.Random(7)
    redactor = Redactor({"A": SECRET, "B": "tok_live_0123456789abcdef"})
    whole = (
        f"x{SECRET}y tok_live_0123456789abcdef {base64.b64encode(SECRET.encode()).decode()}\n" * 3
    )
    expected = redactor.text(whole)
    for _ in range(4000):
        stream = redactor.stream()
        cuts = sorted(chance.randrange(len(whole) + 1) for _ in range(chance.randrange(1, 12)))
        shown = "".join(
            stream.feed(whole[start:end])
            for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)
        )
        assert shown + stream.finish() == expected


def test_what_cannot_become_a_secret_is_not_held_back() -> None:
    stream = Redactor({"PAY": "hunter2"}).stream()
    assert stream.feed("all of this ") == "all of this "
    assert stream.feed("but not hunt") == "but not "
    assert stream.feed("ing") == "hunting"


def test_dropped_text_is_forgotten() -> None:
    stream = Redactor({"PAY": "hunter2"}).stream()
    assert stream.feed("hunter") == ""
    stream.drop()
    assert stream.finish() == ""


def test_values_are_redacted_in_texts_keys_and_numbers() -> None:
    redactor = Redactor({"PIN": "4711", "PAY": "hunter2"})
    value = {"hunter2": ["x hunter2", 14711, 1.4711, True, None, 12]}
    assert redactor.value(value) == {
        "[secret PAY]": ["x [secret PAY]", "1[secret PIN]", "1.[secret PIN]", True, None, 12]
    }
    assert value == {"hunter2": ["x hunter2", 14711, 1.4711, True, None, 12]}


def test_lines_of_a_key_file_are_secrets_by_themselves() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END KEY-----\n"
    shown = Redactor({"KEY": key}).text("line: hkiG9w0BAQEFAASC\r\n")
    assert shown == "line: [secret KEY]\r\n"


def test_short_secrets_are_left_alone() -> None:
    redactor = Redactor({"SHORT": "abc", "EMPTY": ""})
    assert not redactor
    value = {"a": "abc"}
    assert redactor.value(value) is value
    assert redactor.text("abc") == "abc"


def test_found_tells_without_replacing() -> None:
    redactor = Redactor({"PAY": "hunter2"})
    assert redactor.found(b'{"x":"hunter2"}')
    assert not redactor.found(b'{"x":"hunter"}')
