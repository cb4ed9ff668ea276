"""No secret in any encoding leaves a child: not in output, results, failures, files, or arguments."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest

from studio.executors.zygote import envelope
from studio.model.expressions import SecretSlot
from studio.model.nodes import NoopSettings, PythonSettings
from tests.integration.executor_rig import Rig, failure, output

SECRET = 'p"ss/w√rd\\+9481-x'

_MODULE = """
import base64, json, sys, urllib.parse

def forms(s):
    raw = s.encode()
    return [s, json.dumps(s), urllib.parse.quote(s), urllib.parse.quote_plus(s), raw.hex(), repr(raw),
            *(base64.b64encode(b'x' * n + raw + b'yy').decode() for n in range(3)),
            base64.urlsafe_b64encode(raw).decode()]

def leak(token, ctx):
    for form in forms(token):
        print('out', form)
        print('err', form, file=sys.stderr)
        ctx.log.info('log %s', form)
        ctx.progress(0.1, form)
    for letter in token:
        sys.stdout.write(letter)
        sys.stdout.flush()
    print()
    sys.stdout.write('cut off: ' + token)
    return {'forms': forms(token), token: 1}

def fail(token):
    local = {'token': token}
    raise RuntimeError('cannot log in with ' + token)

def argv(token):
    return open('/proc/self/cmdline').read() + open('/proc/self/environ').read()
"""


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with Rig(tmp_path) as rig:
        rig.module("m", _MODULE)
        yield rig


def traces(secret: str) -> list[str]:
    """What must not be found anywhere."""
    raw = secret.encode()
    inner = [base64.b64encode(bytes(n) + raw).decode()[4:-4] for n in range(3)]
    return [secret, quote(secret), raw.hex(), *inner, "√rd\\", "u221ard"]


def assert_clean(text: str) -> None:
    for trace in traces(SECRET):
        assert trace not in text, trace


async def test_nothing_that_leaves_holds_the_secret(rig: Rig) -> None:
    order = rig.order(
        PythonSettings(call="m:leak"),
        {"token": ""},
        slots=(SecretSlot(("token",), 0, "PAY"),),
        secrets={"PAY": SECRET},
    )
    record = rig.start(order)
    result = output(await rig.outcome(record))
    assert result["[secret PAY]"] == 1
    assert_clean(str(result))
    assert_clean("\n".join(line.text for line in record.logged))
    assert_clean(str(record.progress))
    assert_clean(str(envelope.read(order.result_file)))
    assert "cut off: [secret PAY]" in [line.text for line in record.logged]


async def test_failures_are_redacted(rig: Rig) -> None:
    order = rig.order(
        PythonSettings(call="m:fail"),
        {"token": "Bearer "},
        slots=(SecretSlot(("token",), 7, "PAY"),),
        secrets={"PAY": SECRET},
    )
    found = failure(await rig.outcome(rig.start(order)))
    assert found.message == "cannot log in with Bearer [secret PAY]"
    assert_clean(f"{found}")
    assert "[secret PAY]" in found.locals["local"]


async def test_arguments_and_environment_of_the_process_do_not_show_it(rig: Rig) -> None:
    order = rig.order(
        PythonSettings(call="m:argv"),
        {"token": ""},
        slots=(SecretSlot(("token",), 0, "PAY"),),
        secrets={"PAY": SECRET},
    )
    shown = output(await rig.outcome(rig.start(order)))
    assert "[secret PAY]" not in shown
    assert_clean(shown)


async def test_noop_shows_the_name_of_the_secret(rig: Rig) -> None:
    outcome = await rig.run(
        NoopSettings(),
        {"token": "Bearer "},
        slots=(SecretSlot(("token",), 7, "PAY"),),
        secrets={"PAY": SECRET},
    )
    assert output(outcome) == {"token": "Bearer [secret PAY]"}


async def test_missing_secret_is_a_failure(rig: Rig) -> None:
    outcome = await rig.call("m:argv", {"token": ""}, slots=(SecretSlot(("token",), 0, "PAY"),))
    assert "PAY" in failure(outcome).message
